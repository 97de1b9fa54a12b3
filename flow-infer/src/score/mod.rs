//! Scores: numbers that are higher for inputs more like the training data.
//!
//! The plain likelihood is a poor one: a flow gives simple foreign images more likelihood than its own data. A code
//! length is just as poor and fails the other way, so their sum works: log_prob plus the length of the image under a
//! general lossless code compares the flow's code with a code that knows nothing of the data.

pub mod combined;
pub mod complexity;
pub mod window;

use combined::Combined;
use serde::{Deserialize, Serialize};
use window::ChannelFault;

/// A score by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// log_prob.
    Likelihood,
    /// log_prob + code length; images and windows only.
    Complexity,
    /// -|log_prob - its mean on benign data|: too likely is foreign too.
    Typicality,
    /// Several tests, by the tables of the file: [`combined`].
    Combined,
}

impl ScoreKind {
    /// Every score.
    pub const ALL: [Self; 4] = [
        Self::Likelihood,
        Self::Complexity,
        Self::Typicality,
        Self::Combined,
    ];

    /// The name, as in `score --json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::Complexity => "complexity",
            Self::Typicality => "typicality",
            Self::Combined => "combined",
        }
    }
}

/// What the bytes of an image say of its exposure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Exposure {
    /// Sum of all bytes.
    pub sum: u32,
    /// The greatest.
    pub greatest: u8,
    /// The least.
    pub least: u8,
}

impl Exposure {
    /// The exposure of an image.
    pub fn of(image: &[u8]) -> Self {
        image.iter().fold(
            Self {
                sum: 0,
                greatest: 0,
                least: u8::MAX,
            },
            |seen, &byte| Self {
                sum: seen.sum.saturating_add(byte.into()),
                greatest: seen.greatest.max(byte),
                least: seen.least.min(byte),
            },
        )
    }
}

/// What is known of one input, in units of 2^-24 nats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Scores {
    /// log_prob of the flow.
    pub log_prob_raw: i64,
    /// Code length of the image or of the window; none for vectors.
    pub code_length_raw: Option<i64>,
    /// Half the sum of the latents' squares.
    pub squares_raw: i64,
    /// What the ratio net says: ln of how much likelier the input is among benign ones than among negatives; none without
    /// such a net.
    pub ratio_raw: Option<i64>,
    /// Sum of log2(1 + z^2) of the standardized values with 16 fraction bits: how far they lie, each by itself, from where
    /// they use to; none of a flow whose first step standardizes no single values.
    pub marginals: Option<u32>,
    /// Exposure of the image; none for vectors.
    pub exposure: Option<Exposure>,
    /// What the file's tests say; none of a file without.
    pub combined: Option<Combined>,
    /// Whether a latent left its range.
    pub saturated: bool,
    /// Why the window is no input, if it is none: a channel is stuck or saturated.
    #[cfg(feature = "windows")]
    pub fault: Option<ChannelFault>,
}

impl Scores {
    /// The field, in builds without windows too.
    #[inline(always)]
    pub const fn fault(&self) -> Option<ChannelFault> {
        #[cfg(feature = "windows")]
        return self.fault;
        #[cfg(not(feature = "windows"))]
        None
    }

    /// The scores with that field, where the build has it.
    #[must_use]
    #[inline(always)]
    #[cfg_attr(not(feature = "windows"), expect(unused_mut, unused_variables))]
    pub const fn with_fault(mut self, fault: Option<ChannelFault>) -> Self {
        #[cfg(feature = "windows")]
        {
            self.fault = fault;
        }
        self
    }

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
            ScoreKind::Combined => self.combined.map(|combined| combined.score_raw),
        }
    }
}
