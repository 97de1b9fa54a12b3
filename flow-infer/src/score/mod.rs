//! Scores: numbers that are higher for inputs more like the training data.
//!
//! The plain likelihood is a poor one: a flow gives simple foreign images more likelihood than its own data. A code
//! length is just as poor and fails the other way, so their sum works: log_prob plus the length of the image under a
//! general lossless code compares the flow's code with a code that knows nothing of the data.

pub mod complexity;

use serde::{Deserialize, Serialize};

/// A score by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// log_prob.
    Likelihood,
    /// log_prob + code length; images only.
    Complexity,
    /// -|log_prob - its mean on benign data|: too likely is foreign too.
    Typicality,
}

impl ScoreKind {
    /// Every score.
    pub const ALL: [Self; 3] = [Self::Likelihood, Self::Complexity, Self::Typicality];

    /// The name, as in `score --json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::Complexity => "complexity",
            Self::Typicality => "typicality",
        }
    }
}

/// What is known of one input, in units of 2^-24 nats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Scores {
    /// log_prob of the flow.
    pub log_prob_raw: i64,
    /// Code length of the image; none for vectors.
    pub code_length_raw: Option<i64>,
    /// Whether a latent left its range.
    pub saturated: bool,
}

impl Scores {
    /// A score; `None` where it does not exist for this input. `typical_raw` is the mean log_prob of benign data.
    pub fn raw(&self, kind: ScoreKind, typical_raw: i64) -> Option<i64> {
        match kind {
            ScoreKind::Likelihood => Some(self.log_prob_raw),
            ScoreKind::Complexity => self
                .code_length_raw
                .map(|code| self.log_prob_raw.saturating_add(code)),
            ScoreKind::Typicality => {
                let distance = self
                    .log_prob_raw
                    .saturating_sub(typical_raw)
                    .saturating_abs();
                Some(-distance)
            }
        }
    }
}
