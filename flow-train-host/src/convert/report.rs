//! What a conversion found, for a person to check.

use super::Assumptions;
use super::text::one_line;
use super::torch::Checkpoint;
use crate::model::Model;
use flow_infer::spec::{ConditionerSpec, CouplingSpec, InputSpec, LevelSpec, Norm, StepSpec};
use std::fmt;

/// What was found and what was assumed, as lines of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The lines.
    pub lines: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Report {
    pub(super) fn of(checkpoint: &Checkpoint<'_>) -> Self {
        let Checkpoint {
            container,
            state_key,
            unread,
            tensors,
        } = checkpoint;
        let place = if state_key.is_empty() {
            String::new()
        } else {
            format!(" under \"{}\"", one_line(state_key))
        };
        let mut lines = vec![format!("{container}: {} tensors{place}", tensors.len())];
        lines.extend(unread.iter().cloned());
        Self { lines }
    }

    /// What is said of a model that came with its spec.
    pub fn of_model(model: &Model) -> Self {
        let mut report = Self::default();
        report.architecture("flowgate", model);
        report
    }

    /// Size, levels and warnings of a model, of an architecture found by this name.
    pub(super) fn found(&mut self, class: &str, model: &Model) {
        if let InputSpec::Vector { dims } = model.spec().input {
            self.lines.push(format!(
                "vectors of {dims} coordinates, standardized as they were for training: the checkpoint has no \
                 mean and deviation, so the model's are 0 and 1"
            ));
        }
        self.architecture(class, model);
    }

    /// What was assumed, here and in the model's history.
    pub(super) fn assumed(&mut self, library: &str, model: Model, assume: &Assumptions) -> Model {
        self.lines.extend(assume.lines());
        let mut history = vec![format!("converted from a checkpoint of {library}")];
        history.extend(assume.history());
        model.with_history(history)
    }

    fn architecture(&mut self, class: &str, model: &Model) {
        let spec = model.spec();
        let values: usize = model
            .tensors()
            .values()
            .map(|tensor| tensor.values.len())
            .sum();
        let levels = spec.levels.len();
        self.lines.push(format!(
            "architecture: {class}, {levels} levels, {values} values"
        ));
        for (index, level) in spec.levels.iter().enumerate() {
            self.lines
                .push(format!("level {index}: {}", describe(level)));
        }
        if spec.levels.iter().any(has_batch_norm) {
            self.lines.push(
                "batch norm in the conditioners: stored statistics may explode on inputs unlike those of training; \
                 --update-batch-norm estimates them anew"
                    .to_owned(),
            );
        }
    }
}

fn has_batch_norm(level: &LevelSpec) -> bool {
    level.steps.iter().any(|step| {
        let StepSpec::Coupling(CouplingSpec { conditioner, .. }) = step else {
            return false;
        };
        matches!(
            conditioner,
            ConditionerSpec::Resnet {
                norm: Norm::Batch,
                ..
            }
        )
    })
}

/// Steps in order, equal neighbours counted.
fn describe(level: &LevelSpec) -> String {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for step in &level.steps {
        let name = name(step);
        match runs.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => runs.push((name, 1)),
        }
    }
    let texts = runs.into_iter().map(|(name, count)| match count {
        1 => name,
        _ => format!("{count} x {name}"),
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn name(step: &StepSpec) -> String {
    match step {
        StepSpec::Squeeze => "squeeze".to_owned(),
        StepSpec::Actnorm => "actnorm".to_owned(),
        StepSpec::InvertibleLinear => "1x1".to_owned(),
        StepSpec::Coupling(coupling) => format!("{:?}, {:?}", coupling.mask, coupling.conditioner),
    }
}
