//! `flowgate convert`: a checkpoint of the paper's reference code becomes a model that scores, and what is no such
//! checkpoint is refused with a line.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::Place;

/// The repository's checkpoints; make.py beside them says how they were made.
fn fixture(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/flows_ood");
    directory.join(name)
}

fn place(name: &str) -> Place {
    let place = Place::new();
    place.write("model.pt", std::fs::read(fixture(name)).unwrap());
    place
}

#[test]
fn a_checkpoint_becomes_a_model_that_scores() {
    let place = place("horizontal_3.pt");
    let out = place.ok(
        "convert --from flows-ood model.pt --arch RealNVPMaskHorizontal3Layers --image 1x6x6 --out model.safetensors",
    );
    assert!(out.contains("written: model.safetensors"), "{out}");
    place.images("own.idx3", 4, 6, 1, false);
    let scored = place.ok("score model.safetensors --data own.idx3 --json");
    for line in scored.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["log_prob_nats"].as_f64().unwrap().is_finite());
    }
    assert_eq!(scored.lines().count(), 4);
    let inspected: Value =
        serde_json::from_str(&place.ok("inspect model.safetensors --json")).unwrap();
    let steps = inspected["spec"]["levels"][0]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    assert!(
        steps
            .iter()
            .all(|s| s["coupling"]["mask"]["horizontal"].is_object())
    );
}

#[test]
fn what_is_no_checkpoint_of_it_is_refused() {
    let place = place("horizontal_3.pt");
    let whole = place.read("model.pt");
    place.write("half.pt", &whole[..whole.len() / 2]);
    place.write("text.pt", "weights");
    // A pickle that would call os.system.
    place.write("evil.pt", b"\x80\x02cos\nsystem\nU\x04true\x85R.");
    for name in ["half.pt", "text.pt", "evil.pt", "none.pt"] {
        place.refused(
            &format!("convert --from flows-ood {name} --image 1x6x6 --out model.safetensors"),
            &[name],
        );
    }
    let lines: [(&str, &str); 4] = [
        (
            "--from flows-ood model.pt --arch RealNVPCycleMask --image 1x6x6",
            "model.pt",
        ),
        (
            "--from flows-ood model.pt --arch Nonsense --image 1x6x6",
            "Nonsense",
        ),
        ("--from flows-ood model.pt --image 8by8", "8by8"),
        ("--from elsewhere model.pt", "elsewhere"),
    ];
    for (line, named) in lines {
        place.refused(&format!("convert {line} --out model.safetensors"), &[named]);
    }
}
