//! What the board says about one input.

use crate::take;
use flow_infer::artifact::Artifact;
use flow_infer::engine::InputError;
use flow_infer::gate::Decision;
use flow_infer::score::combined::{Combined, TestKind};
use flow_infer::score::window::{ChannelFault, FaultKind};
use flow_infer::score::{Exposure, Scores};

/// One answer: the scores, the gate's decision, and the pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was computed; `None` where the bytes are no input for the model (NaN, infinity).
    pub scores: Option<Scores>,
    /// The deciding score; `None` without scores, or where the model has no gate.
    pub score_raw: Option<i64>,
    /// The conformal p-value of the deciding score, parts per million; `None` where the file has no p-values.
    pub p_value_ppm: Option<u32>,
    /// The gate's decision; `None` where the model has no gate.
    pub decision: Option<Decision>,
    /// The level read back from the decision pin after the decision.
    pub pin_high: bool,
}

/// Bits of the flags.
mod flag {
    pub(super) const SCORES: u16 = 1;
    pub(super) const CODE_LENGTH: u16 = 2;
    pub(super) const SCORE: u16 = 4;
    pub(super) const SATURATED: u16 = 8;
    pub(super) const PIN_HIGH: u16 = 16;
    pub(super) const EXPOSURE: u16 = 32;
    pub(super) const COMBINED: u16 = 64;
    pub(super) const P_VALUE: u16 = 128;
    pub(super) const RATIO: u16 = 256;
    pub(super) const FAULT: u16 = 512;
    /// What is wrong: saturated, else stuck.
    pub(super) const FAULT_SATURATED: u16 = 1024;
    /// The channel at fault.
    pub(super) const CHANNEL_SHIFT: u16 = 11;
    pub(super) const CHANNEL: u16 = 0xF << CHANNEL_SHIFT;
    pub(super) const MARGINALS: u16 = 1 << 15;
}

/// The flags of a fault.
fn fault_flags(scores: &Scores) -> u16 {
    let Some(ChannelFault { channel, kind }) = scores.fault() else {
        return 0;
    };
    let kind = match kind {
        FaultKind::Stuck => 0,
        FaultKind::Saturated => flag::FAULT_SATURATED,
    };
    let channel = (u16::from(channel) << flag::CHANNEL_SHIFT) & flag::CHANNEL;
    flag::FAULT | kind | channel
}

/// The fault of flags.
fn fault_from(flags: u16) -> Option<ChannelFault> {
    (flags & flag::FAULT != 0).then_some(ChannelFault {
        channel: ((flags & flag::CHANNEL) >> flag::CHANNEL_SHIFT) as u8,
        kind: match flags & flag::FAULT_SATURATED {
            0 => FaultKind::Stuck,
            _ => FaultKind::Saturated,
        },
    })
}

impl Answer {
    /// Bytes of one encoded answer.
    pub const BYTES: usize = 3 + WORDS_BYTES + EXPOSURE_BYTES + 4 + COMBINED_BYTES + 4;

    /// What follows from an evaluation, before anything is done about it: the pin is low.
    #[must_use]
    pub fn new(artifact: &Artifact<'_>, evaluated: Result<Scores, InputError>) -> Self {
        let scores = evaluated.ok();
        let gate = artifact.calibration();
        Self {
            scores,
            p_value_ppm: scores.and_then(|scores| artifact.p_value_ppm(&scores)),
            score_raw: gate.and_then(|gate| gate.score_raw(scores.as_ref()?)),
            decision: gate.map(|gate| match &scores {
                Some(scores) => gate.decide(scores),
                None => Decision::Invalid,
            }),
            pin_high: false,
        }
    }

    /// `decision, flags, log_prob_raw, code_length_raw, squares_raw, ratio_raw, score_raw`, exposure, `marginals`, combined score
    /// and p-value;
    /// what is absent is zero.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let scores = self.scores.unwrap_or_default();
        let flag = |set: bool, bit: u16| if set { bit } else { 0 };
        let flags = flag(self.scores.is_some(), flag::SCORES)
            | flag(scores.code_length_raw.is_some(), flag::CODE_LENGTH)
            | flag(self.score_raw.is_some(), flag::SCORE)
            | flag(scores.saturated, flag::SATURATED)
            | flag(self.pin_high, flag::PIN_HIGH)
            | flag(scores.exposure.is_some(), flag::EXPOSURE)
            | flag(scores.combined.is_some(), flag::COMBINED)
            | flag(self.p_value_ppm.is_some(), flag::P_VALUE)
            | flag(scores.ratio_raw.is_some(), flag::RATIO)
            | flag(scores.marginals.is_some(), flag::MARGINALS)
            | fault_flags(&scores);
        // Places that the compiler knows: each is a store or two on a board.
        let mut bytes = [0; Self::BYTES];
        put(&mut bytes, 0, [decision_code(self.decision)]);
        put(&mut bytes, 1, flags.to_le_bytes());
        put(&mut bytes, 3, scores.log_prob_raw.to_le_bytes());
        put(
            &mut bytes,
            11,
            scores.code_length_raw.unwrap_or(0).to_le_bytes(),
        );
        put(&mut bytes, 19, scores.squares_raw.to_le_bytes());
        put(&mut bytes, 27, scores.ratio_raw.unwrap_or(0).to_le_bytes());
        put(&mut bytes, 35, self.score_raw.unwrap_or(0).to_le_bytes());
        put(
            &mut bytes,
            43,
            exposure_bytes(scores.exposure.unwrap_or_default()),
        );
        put(&mut bytes, 49, scores.marginals.unwrap_or(0).to_le_bytes());
        if let Some(found) = scores.combined {
            put(&mut bytes, 53, combined_bytes(found));
        }
        let p_value = self.p_value_ppm.unwrap_or(0);
        put(&mut bytes, Self::BYTES - 4, p_value.to_le_bytes());
        bytes
    }

    /// `None` where a byte is none that [`Answer::to_bytes`] writes.
    #[must_use]
    #[allow(
        clippy::needless_update,
        reason = "a fault is a field of builds with windows only"
    )]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let mut rest = bytes.as_slice();
        let [decision] = take(&mut rest)?;
        let flags = u16::from_le_bytes(take(&mut rest)?);
        let mut raw = || take(&mut rest).map(i64::from_le_bytes);
        let (log_prob_raw, code_length_raw) = (raw()?, raw()?);
        let (squares_raw, ratio_raw, score_raw) = (raw()?, raw()?, raw()?);
        let exposure = exposure_from(take(&mut rest)?);
        let marginals = u32::from_le_bytes(take(&mut rest)?);
        let combined = combined_from(take(&mut rest)?);
        let p_value_ppm = u32::from_le_bytes(take(&mut rest)?);
        let has = |bit| flags & bit != 0;
        let answer = Self {
            scores: has(flag::SCORES).then_some(Scores {
                log_prob_raw,
                code_length_raw: has(flag::CODE_LENGTH).then_some(code_length_raw),
                squares_raw,
                ratio_raw: has(flag::RATIO).then_some(ratio_raw),
                marginals: has(flag::MARGINALS).then_some(marginals),
                exposure: has(flag::EXPOSURE).then_some(exposure),
                combined: match has(flag::COMBINED) {
                    true => Some(combined?),
                    false => None,
                },
                saturated: has(flag::SATURATED),
                ..Scores::default().with_fault(fault_from(flags))
            }),
            score_raw: has(flag::SCORE).then_some(score_raw),
            decision: decision_from(decision)?,
            p_value_ppm: has(flag::P_VALUE).then_some(p_value_ppm),
            pin_high: has(flag::PIN_HIGH),
        };
        (answer.to_bytes() == bytes).then_some(answer)
    }
}

/// Copies to a place within the bytes; beyond them nothing is written.
#[inline(always)]
fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..at + N) {
        place.copy_from_slice(&value);
    }
}

/// Five numbers of 64 bits.
const WORDS_BYTES: usize = 40;
const EXPOSURE_BYTES: usize = 6;
const TESTS: usize = TestKind::ALL.len();
const COMBINED_BYTES: usize = 11 + 4 * TESTS;

fn exposure_bytes(exposure: Exposure) -> [u8; EXPOSURE_BYTES] {
    let [a, b, c, d] = exposure.sum.to_le_bytes();
    [a, b, c, d, exposure.greatest, exposure.least]
}

fn exposure_from([a, b, c, d, greatest, least]: [u8; EXPOSURE_BYTES]) -> Exposure {
    Exposure {
        sum: u32::from_le_bytes([a, b, c, d]),
        greatest,
        least,
    }
}

/// `score_raw, smallest, tests`, then the logarithms of all tests.
fn combined_bytes(combined: Combined) -> [u8; COMBINED_BYTES] {
    let mut bytes = [0; COMBINED_BYTES];
    put(&mut bytes, 0, combined.score_raw.to_le_bytes());
    put(&mut bytes, 8, [combined.smallest.code()]);
    put(&mut bytes, 9, combined.tests.to_le_bytes());
    for (place, tail) in bytes[11..].chunks_exact_mut(4).zip(combined.log_tails) {
        place.copy_from_slice(&tail.to_le_bytes());
    }
    bytes
}

fn combined_from(bytes: [u8; COMBINED_BYTES]) -> Option<Combined> {
    let mut rest = bytes.as_slice();
    let score_raw = i64::from_le_bytes(take(&mut rest)?);
    let [smallest] = take(&mut rest)?;
    let tests = u16::from_le_bytes(take(&mut rest)?);
    let mut log_tails = [0; TESTS];
    for tail in &mut log_tails {
        *tail = i32::from_le_bytes(take(&mut rest)?);
    }
    Some(Combined {
        score_raw,
        smallest: TestKind::from_code(smallest)?,
        log_tails,
        tests,
    })
}

fn decision_code(decision: Option<Decision>) -> u8 {
    match decision {
        None => 0,
        Some(Decision::Accept) => 1,
        Some(Decision::Reject) => 2,
        Some(Decision::Invalid) => 3,
    }
}

fn decision_from(code: u8) -> Option<Option<Decision>> {
    Some(match code {
        0 => None,
        1 => Some(Decision::Accept),
        2 => Some(Decision::Reject),
        3 => Some(Decision::Invalid),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: Answer = Answer {
        scores: Some(Scores {
            log_prob_raw: -1,
            code_length_raw: Some(2),
            squares_raw: 3,
            ratio_raw: Some(4),
            marginals: Some(5),
            exposure: Some(Exposure {
                sum: 0x0403_0201,
                greatest: 5,
                least: 6,
            }),
            combined: Some(Combined {
                score_raw: -2,
                smallest: TestKind::Shadows,
                log_tails: [1, 0, 0, 0, 0, 0, 0, 0, -1, 0],
                tests: 0x101,
            }),
            saturated: true,
            fault: Some(ChannelFault {
                channel: 5,
                kind: FaultKind::Saturated,
            }),
        }),
        p_value_ppm: Some(0x0102_0304),
        score_raw: Some(0x0102_0304_0506_0708),
        decision: Some(Decision::Reject),
        pin_high: true,
    };

    #[test]
    fn answer_bytes_are_literal() {
        let mut expected = [0; Answer::BYTES];
        expected[..3].copy_from_slice(&[2, 255, 0xAF]);
        expected[3..11].copy_from_slice(&[255; 8]);
        expected[11] = 2;
        expected[19] = 3;
        expected[27] = 4;
        expected[35..43].copy_from_slice(&[8, 7, 6, 5, 4, 3, 2, 1]);
        expected[43..49].copy_from_slice(&[1, 2, 3, 4, 5, 6]);
        expected[49] = 5;
        expected[53..61].copy_from_slice(&[254, 255, 255, 255, 255, 255, 255, 255]);
        expected[61..65].copy_from_slice(&[7, 1, 1, 1]);
        expected[96..100].copy_from_slice(&[255; 4]);
        expected[104..].copy_from_slice(&[4, 3, 2, 1]);
        assert_eq!(ANSWER.to_bytes(), expected);
        assert_eq!(Answer::from_bytes(expected), Some(ANSWER));
    }

    #[test]
    fn absent_parts_come_back_absent() {
        let empty = Answer {
            scores: None,
            score_raw: None,
            p_value_ppm: None,
            decision: None,
            pin_high: false,
        };
        assert_eq!(empty.to_bytes(), [0; Answer::BYTES]);
        assert_eq!(Answer::from_bytes(empty.to_bytes()), Some(empty));
    }

    #[test]
    fn bytes_that_nothing_writes_are_refused() {
        let with = |index: usize, value| {
            let mut bytes = ANSWER.to_bytes();
            bytes[index] = value;
            Answer::from_bytes(bytes)
        };
        assert_eq!(with(0, 4), None, "decision");
        assert_eq!(with(1, 254), None, "log_prob without its flag");
        assert_eq!(with(1, 127), None, "p-value without its flag");
        assert_eq!(with(2, 0), None, "ratio without its flag");
        assert_eq!(with(61, 10), None, "unknown test");
    }
}
