//! What a gate says of an input.

use crate::artifact::Artifact;
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

impl Assessment {
    /// What the model's gate says of these scores.
    #[inline(never)] // inlined into every caller it would be 140 bytes more on a Cortex-M4
    pub(super) fn of(artifact: &Artifact<'_>, scores: Scores) -> Self {
        let calibration = artifact.calibration();
        debug_assert!(calibration.is_some_and(|c| c.score_raw(&scores).is_some()));
        Self {
            decision: calibration.map_or(Decision::Invalid, |c| c.decide(&scores)),
            score_raw: calibration
                .and_then(|c| c.score_raw(&scores))
                .unwrap_or(i64::MIN),
            p_value_ppm: artifact.p_value_ppm(&scores),
            scores,
        }
    }
}
