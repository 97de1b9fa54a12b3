//! The tests by name, and the statistic that each looks at.

use super::super::Scores;
use serde::{Deserialize, Serialize};

/// A test: one statistic of an input, whose tail probability on benign data a table of the file knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum TestKind {
    /// log_prob, for images and windows together with the code length: too unlikely for an image of this complexity.
    Likelihood = 0,
    /// log_prob + code length; images and windows only.
    Complexity = 1,
    /// log_prob from both sides: too likely is foreign too.
    Typicality = 2,
    /// Half the sum of the latents' squares, for images and windows together with the code length: whether the latent looks like
    /// a draw of the prior.
    GoodnessOfFit = 3,
    /// Code length from both sides; images and windows only.
    CodeLength = 4,
    /// Sum of the bytes from both sides: exposure; images only.
    Brightness = 5,
    /// The greatest byte: contrast that is missing; images only.
    Highlights = 6,
    /// The least byte from both sides: a black level that is not the benign one; images only.
    Shadows = 7,
    /// The logit of the ratio net: what it has learned to tell from benign images; images only.
    Ratio = 8,
    /// Density of the input's values, each by itself and with heavy tails: how many of them are out of place, not how far;
    /// flows whose first step standardizes every value.
    Marginals = 9,
}

impl TestKind {
    /// Every test, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::Likelihood,
        Self::Complexity,
        Self::Typicality,
        Self::GoodnessOfFit,
        Self::CodeLength,
        Self::Brightness,
        Self::Highlights,
        Self::Shadows,
        Self::Ratio,
        Self::Marginals,
    ];

    /// The name, as in `score --json` and `calibrate --tests`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::Complexity => "complexity",
            Self::Typicality => "typicality",
            Self::GoodnessOfFit => "goodness_of_fit",
            Self::CodeLength => "code_length",
            Self::Brightness => "brightness",
            Self::Highlights => "highlights",
            Self::Shadows => "shadows",
            Self::Ratio => "ratio",
            Self::Marginals => "marginals",
        }
    }

    /// The code in the file.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The bit of its code.
    pub(crate) const fn bit(self) -> u16 {
        1 << self.code()
    }

    /// The bits of those that [only bytes have](Self::is_of_bytes).
    pub(crate) const OF_BYTES: u16 = {
        let (mut bits, mut index) = (0, 0);
        while index < Self::ALL.len() {
            let kind = Self::ALL[index];
            if kind.is_of_bytes() {
                bits |= kind.bit();
            }
            index += 1;
        }
        bits
    };

    /// The test with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Whether inputs need bytes or a code length for it, which a vector has not.
    pub const fn is_of_images(self) -> bool {
        !matches!(
            self,
            Self::Likelihood | Self::Typicality | Self::GoodnessOfFit | Self::Marginals
        )
    }

    /// Whether only bytes have the statistic: windows have a code length, and no exposure.
    pub const fn is_of_bytes(self) -> bool {
        matches!(
            self,
            Self::Brightness | Self::Highlights | Self::Shadows | Self::Ratio
        )
    }

    /// The statistic of an input, in the units of the file's tables: 2^-8 nats, 2^-16 nats of the ratio, 2^-15 octaves of marginals, or bytes; `None`
    /// where it has none.
    pub fn statistic(self, scores: &Scores) -> Option<i32> {
        Some(match self {
            Self::Likelihood | Self::Typicality => units(scores.log_prob_raw),
            Self::Complexity => units(scores.log_prob_raw.saturating_add(scores.code_length_raw?)),
            Self::GoodnessOfFit => units(scores.squares_raw),
            Self::CodeLength => units(scores.code_length_raw?),
            Self::Brightness => i32::try_from(scores.exposure?.sum).unwrap_or(i32::MAX),
            Self::Highlights => i32::from(scores.exposure?.greatest),
            Self::Shadows => i32::from(scores.exposure?.least),
            // Logits of benign images lie within a few nats of each other.
            Self::Ratio => held(scores.ratio_raw? >> 8),
            Self::Marginals => -((scores.marginals? >> 1) as i32),
        })
    }
}

/// From 24 fraction bits to 8, rounded down and held within 32 bits.
pub(super) const fn units(raw: i64) -> i32 {
    held(raw >> 16)
}

/// The nearest number of 32 bits.
#[inline(never)]
const fn held(units: i64) -> i32 {
    if units > i32::MAX as i64 {
        i32::MAX
    } else if units < i32::MIN as i64 {
        i32::MIN
    } else {
        units as i32
    }
}
