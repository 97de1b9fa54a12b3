//! A threshold from benign inputs of the very place where a device stands.
//!
//! Split conformal as at the factory, with n inputs of the site: the threshold is the k-th lowest of their scores,
//! k = floor(alpha (n + 1)), so a benign input to come of the same site is rejected with probability at most alpha. Below
//! 1 / alpha - 1 inputs there is no such k, and the factory's threshold stays. Only the N lowest scores are kept: where k is
//! beyond them, the N-th is taken, which rejects less.
//!
//! Whoever calibrates says that what the device sees is benign. It may not be, so the threshold stays within `reach` of
//! the factory's, scores further below that are refused, and both are said.

use super::{Assessment, Gate};
use crate::artifact::{CHECKSUM_LEN, checksum};
use crate::gate::{Decision, conformal_rank};

/// What bytes of a saved calibration begin with; the last one is the version.
const MAGIC: [u8; 4] = *b"FGS\x01";
/// Magic, checksum of the model, inputs, scores kept.
const HEAD: usize = 16;
const SCORE: usize = size_of::<i64>();
const MILLION: u64 = 1_000_000;

/// Why a site's calibration does not do what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SiteError {
    /// An input that scores further below the factory's threshold than the site's may move, or that the model cannot
    /// follow: not benign.
    TooFar,
    /// Bytes that are no saved calibration, of another size, or damaged.
    Damaged,
    /// A calibration of another model.
    OtherModel,
    /// Memory that is too small for the bytes.
    Memory,
}

impl core::fmt::Display for SiteError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TooFar => "the input is too far from the factory's benign ones",
            Self::Damaged => "no saved calibration, or a damaged one",
            Self::OtherModel => "a calibration of another model",
            Self::Memory => "too little memory for the saved calibration",
        })
    }
}

impl core::error::Error for SiteError {}

/// A calibration on the site, of the N lowest benign scores there: N scores of 8 bytes.
///
/// N = 8 suffices for 799 inputs at a rate of 1 %, and stays honest beyond. [`SiteCalibration::save`] gives bytes for a
/// page of flash, [`SiteCalibration::restore`] takes them back after a power loss, if the model is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteCalibration<const N: usize> {
    model: u32,
    alpha_ppm: u32,
    factory_raw: i64,
    reach_raw: i64,
    /// Inputs learned from.
    samples: u32,
    /// The lowest scores, ascending; beyond the samples the greatest number.
    lowest: [i64; N],
}

impl<const N: usize> SiteCalibration<N> {
    /// Bytes that [`save`](Self::save) writes.
    pub const BYTES: usize = HEAD + SCORE * N + CHECKSUM_LEN;

    /// An empty calibration, whose threshold may move `reach_raw` units of 2^-24 nats from the factory's. `None` for a file
    /// without calibration, a negative reach, or N of zero.
    pub fn new(gate: &Gate<'_>, reach_raw: i64) -> Option<Self> {
        let factory = gate.artifact().calibration()?;
        if reach_raw < 0 || N == 0 {
            return None;
        }
        Some(Self {
            model: hash(gate),
            alpha_ppm: factory.alpha_ppm,
            factory_raw: factory.threshold_raw,
            reach_raw,
            samples: 0,
            lowest: [i64::MAX; N],
        })
    }

    /// Learns from an input that is known to be benign.
    ///
    /// # Errors
    /// [`SiteError::TooFar`]; the input is then not learned from.
    pub fn learn(&mut self, assessment: &Assessment) -> Result<(), SiteError> {
        let score = assessment.score_raw;
        let far = score < self.factory_raw.saturating_sub(self.reach_raw);
        if far || assessment.scores.saturated || assessment.decision == Decision::Invalid {
            return Err(SiteError::TooFar);
        }
        self.samples = self.samples.saturating_add(1);
        let mut carried = score;
        for kept in &mut self.lowest {
            if carried < *kept {
                core::mem::swap(kept, &mut carried);
            }
        }
        Ok(())
    }

    /// Inputs learned from.
    pub const fn samples(&self) -> u32 {
        self.samples
    }

    /// Inputs that are still missing before the site's threshold replaces the factory's.
    pub const fn missing(&self) -> u32 {
        let needed = 1_000_000u32.div_ceil(self.alpha_ppm) - 1;
        needed.saturating_sub(self.samples)
    }

    /// Scores below it are rejected.
    pub fn threshold_raw(&self) -> i64 {
        let own = self.own_threshold().unwrap_or(self.factory_raw);
        own.clamp(
            self.factory_raw.saturating_sub(self.reach_raw),
            self.factory_raw.saturating_add(self.reach_raw),
        )
    }

    /// Whether the site's own threshold is further from the factory's than it may go: above, the rate is kept and power is
    /// given away.
    pub fn is_at_bound(&self) -> bool {
        self.own_threshold()
            .is_some_and(|own| own != self.threshold_raw())
    }

    /// The decision of an assessed input at the site's threshold.
    pub fn decide(&self, assessment: &Assessment) -> Decision {
        match assessment.decision {
            Decision::Invalid => Decision::Invalid,
            _ if assessment.scores.saturated => Decision::Reject,
            _ if assessment.score_raw < self.threshold_raw() => Decision::Reject,
            _ => Decision::Accept,
        }
    }

    /// The conformal p-value of a score among the site's inputs in parts per million, never too small: one million above
    /// the scores that are kept.
    pub fn p_value_ppm(&self, score_raw: i64) -> u32 {
        let kept = N.min(self.samples as usize);
        let below = self.lowest.iter().take(kept).filter(|&&s| s <= score_raw);
        let below = below.count() as u64;
        if below == kept as u64 {
            return MILLION as u32;
        }
        ((1 + below) * MILLION).div_ceil(u64::from(self.samples) + 1) as u32
    }

    /// Goes back to the factory's threshold.
    pub fn reset(&mut self) {
        (self.samples, self.lowest) = (0, [i64::MAX; N]);
    }

    /// Writes the calibration for a place that outlives a power loss, and returns the bytes written.
    ///
    /// # Errors
    /// [`SiteError::Memory`] where `memory` has less than [`Self::BYTES`].
    pub fn save<'m>(&self, memory: &'m mut [u8]) -> Result<&'m [u8], SiteError> {
        let bytes = memory.get_mut(..Self::BYTES).ok_or(SiteError::Memory)?;
        let count = u32::try_from(N).unwrap_or(u32::MAX);
        let words = [u32::from_le_bytes(MAGIC), self.model, self.samples, count];
        let (head, rest) = bytes.split_at_mut_checked(HEAD).ok_or(SiteError::Memory)?;
        for (place, word) in head.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        for (place, score) in rest.chunks_exact_mut(SCORE).zip(self.lowest) {
            place.copy_from_slice(&score.to_le_bytes());
        }
        if let Some((body, sum)) = bytes.split_last_chunk_mut::<CHECKSUM_LEN>() {
            *sum = checksum(body).to_le_bytes();
        }
        Ok(bytes)
    }

    /// Reads a saved calibration back, of the same model and with the reach that holds now.
    ///
    /// # Errors
    /// [`SiteError::Damaged`], [`SiteError::OtherModel`]; the calibration is then as it was.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), SiteError> {
        let (body, sum) = bytes
            .split_last_chunk::<CHECKSUM_LEN>()
            .ok_or(SiteError::Damaged)?;
        let (head, scores) = body.split_at_checked(HEAD).ok_or(SiteError::Damaged)?;
        let mut words = [0; HEAD / 4];
        for (word, place) in words.iter_mut().zip(head.chunks_exact(4)) {
            *word = u32::from_le_bytes(place.first_chunk().copied().unwrap_or_default());
        }
        let [magic, model, samples, count] = words;
        let whole = bytes.len() == Self::BYTES
            && magic == u32::from_le_bytes(MAGIC)
            && count as usize == N
            && checksum(body) == u32::from_le_bytes(*sum);
        if !whole {
            return Err(SiteError::Damaged);
        }
        if model != self.model {
            return Err(SiteError::OtherModel);
        }
        for (kept, place) in self.lowest.iter_mut().zip(scores.chunks_exact(SCORE)) {
            *kept = i64::from_le_bytes(place.first_chunk().copied().unwrap_or_default());
        }
        self.samples = samples;
        Ok(())
    }

    /// The site's threshold, if the inputs suffice for the rate.
    fn own_threshold(&self) -> Option<i64> {
        let rank = conformal_rank(self.alpha_ppm, self.samples)? as usize;
        self.lowest.get(rank.min(N) - 1).copied()
    }
}

/// The checksum over the model's bytes.
fn hash(gate: &Gate<'_>) -> u32 {
    let bytes = gate.artifact().bytes();
    let last = bytes.split_last_chunk::<CHECKSUM_LEN>();
    last.map_or(0, |(_, sum)| u32::from_le_bytes(*sum))
}
