//! What a configuration may say is said where people look.
//!
//! The names come out of the spec's own reader, so that a new one cannot be forgotten.

use flow_infer::spec::{AffineForm, ConditionerSpec, CouplingMask, ScaleMap, StepSpec};
use serde_json::from_str;
use std::path::Path;

const CONVENTIONS: &str = "documents/conventions.md";
/// Explains every setting in what `flowgate config` prints.
const CONFIG: &str = "tools/src/config/print.rs";
/// Trains with PyTorch.
const TORCH: &str = "tools/bench/flow_torch.py";

const UNKNOWN: &str = "\"none of them\"";

/// The variants of a choice, as its files spell them: the error of an unknown one lists them.
fn names<T>(read: serde_json::Result<T>) -> Vec<String> {
    let error = read.err().expect("no variant of this name").to_string();
    let names: Vec<_> = error
        .split('`')
        .skip(3)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 1, "{error}");
    names
}

fn assert_all_stand_in(file: &str, wanted: impl IntoIterator<Item = String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(path).expect("a file of this repository");
    let missing: Vec<_> = wanted
        .into_iter()
        .filter(|part| !text.contains(part))
        .collect();
    assert!(missing.is_empty(), "{file} does not have {missing:?}");
}

#[test]
fn every_conditioner_has_its_equation_its_explanation_and_its_twin_in_pytorch() {
    let all = names(from_str::<ConditionerSpec>(UNKNOWN));
    assert_all_stand_in(CONVENTIONS, all.iter().map(|name| format!("* `{name}`: ")));
    assert_all_stand_in(CONFIG, all.iter().map(|name| format!("{{ {name} = {{ ")));
    assert_all_stand_in(
        TORCH,
        all.iter().map(|name| format!("    def {name}(self, x):")),
    );
}

#[test]
fn every_other_choice_has_its_equation_and_its_explanation() {
    let others = [
        names(from_str::<StepSpec>(UNKNOWN)),
        names(from_str::<CouplingMask>(UNKNOWN))
            .into_iter()
            .filter(|mask| mask != "whole")
            .collect(),
        names(from_str::<ScaleMap>(UNKNOWN)),
        names(from_str::<AffineForm>(UNKNOWN)),
    ]
    .concat();
    assert_all_stand_in(CONVENTIONS, others.iter().map(|name| format!("`{name}")));
    assert_all_stand_in(CONFIG, others);
}
