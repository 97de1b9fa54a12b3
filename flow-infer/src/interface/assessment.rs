//! What a gate says of an input.

use crate::gate::Decision;
use crate::score::Scores;

/// What a gate says of an input, with the numbers behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Assessment {
    /// The decision.
    pub decision: Decision,
    /// The deciding score, higher for inputs more like the model's data, in units of 2^-24 nats: what a
    /// [`DriftAlarm`](crate::DriftAlarm) takes.
    pub score_raw: i64,
    /// Of a million benign inputs at most so many look as strange (conformal, so never too small); none of a file
    /// without p-values.
    pub p_value_ppm: Option<u32>,
    /// All scores; [`Scores::combined`] says which test found the input strangest.
    pub scores: Scores,
}
