//! A threshold that follows slow change, so that the long-run rate keeps its promise.
//!
//! Adaptive conformal inference (Gibbs and Candes 2021) on the score's own scale: after each input the threshold moves by
//! step (alpha - rejected), a little up after each accepted input and a lot down after a rejected one. However the inputs
//! change, over N inputs the rate is then within (2 reach + step) / (N step) of alpha as long as the threshold is not at its
//! bounds: nothing is assumed of them, and nothing is promised of a single one.
//!
//! What follows everything follows a foreign scene as well. So the threshold rests while an alarm speaks, and goes back to
//! where it was before the inputs that raised it; and it never moves further than `reach` from the calibrated one.

use super::{Calibration, Decision};

const MILLION: i64 = 1_000_000;
/// Greatest reach, in raw units: 2^18 nats. Millionths of it fit 63 bits.
const MOST: i64 = 1 << 42;

/// A gate's threshold on the move.
///
/// ```
/// use flow_infer::{AdaptiveThreshold, Decision, HoldAlarm};
///
/// // Steps of a tenth of a nat a rejection, at most twenty nats from a calibrated threshold of -40.
/// const NAT: i64 = 1 << 24;
/// let mut threshold = AdaptiveThreshold::new(-40 * NAT, 10_000, NAT / 10, 20 * NAT).unwrap();
/// let mut alarm = HoldAlarm::new(3, 0, 5, 30).unwrap();
/// for score_raw in [-10 * NAT, -41 * NAT, -12 * NAT] {
///     let decision = threshold.decide(score_raw);
///     threshold.follow(decision, alarm.push(decision));
/// }
/// assert_eq!(threshold.seen(), 3);
/// assert_eq!(threshold.rejected(), 1);
/// assert!(threshold.moved_raw() < 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveThreshold {
    base_raw: i64,
    alpha_ppm: i64,
    step_raw: i64,
    reach_raw: i64,
    /// Millionths of a raw unit from the base.
    offset: i64,
    /// The offset before the last rejections.
    settled: i64,
    seen: u32,
    rejected: u32,
    frozen: u32,
}

impl AdaptiveThreshold {
    /// A threshold that begins at `base_raw`, for a false-alarm rate, with a step a rejection and a bound on how far it may
    /// move, both in units of 2^-24 nats. `None` where the rate is no rate, the step is not positive or greater than the
    /// reach, or the reach is beyond 2^18 nats.
    pub const fn new(base_raw: i64, alpha_ppm: u32, step_raw: i64, reach_raw: i64) -> Option<Self> {
        let is_rate = 0 < alpha_ppm && (alpha_ppm as i64) < MILLION;
        if !is_rate || step_raw <= 0 || step_raw > reach_raw || reach_raw > MOST {
            return None;
        }
        Some(Self {
            base_raw,
            alpha_ppm: alpha_ppm as i64,
            step_raw,
            reach_raw,
            offset: 0,
            settled: 0,
            seen: 0,
            rejected: 0,
            frozen: 0,
        })
    }

    /// The threshold of a calibrated gate: it moves at most as far as the calibration scores spread between their lowest
    /// and their median, in steps of a 64th of that.
    pub fn of(gate: &Calibration) -> Option<Self> {
        let quantiles = gate.quantiles_raw.as_slice();
        let median = quantiles.get(quantiles.len() / 2)?;
        let spread = median.checked_sub(*quantiles.first()?)?.min(MOST);
        Self::new(
            gate.threshold_raw,
            gate.alpha_ppm,
            (spread / 64).max(1),
            spread,
        )
    }

    /// Accepts scores at or above the threshold.
    pub const fn decide(&self, score_raw: i64) -> Decision {
        match score_raw < self.threshold_raw() {
            true => Decision::Reject,
            false => Decision::Accept,
        }
    }

    /// Learns from a decision, unless an alarm speaks. An invalid input says nothing.
    pub const fn follow(&mut self, decision: Decision, alarm: bool) {
        self.seen = self.seen.saturating_add(1);
        if alarm {
            self.frozen = self.frozen.saturating_add(1);
            self.offset = self.settled;
            return;
        }
        let bound = self.reach_raw * MILLION;
        match decision {
            Decision::Accept => {
                let offset = self.offset + self.step_raw * self.alpha_ppm;
                self.offset = if offset < bound { offset } else { bound };
                self.settled = self.offset;
            }
            Decision::Reject => {
                self.rejected = self.rejected.saturating_add(1);
                let offset = self.offset - self.step_raw * (MILLION - self.alpha_ppm);
                self.offset = if offset > -bound { offset } else { -bound };
            }
            Decision::Invalid => {}
        }
    }

    /// Scores below it are rejected now.
    pub const fn threshold_raw(&self) -> i64 {
        self.base_raw.saturating_add(self.moved_raw())
    }

    /// How far it has moved from the calibrated one; below zero it accepts more.
    pub const fn moved_raw(&self) -> i64 {
        self.offset / MILLION
    }

    /// Whether it would go further if it might: the calibration is no longer that of these inputs.
    pub const fn is_at_bound(&self) -> bool {
        self.offset.abs() == self.reach_raw * MILLION
    }

    /// Inputs so far.
    pub const fn seen(&self) -> u32 {
        self.seen
    }

    /// Of those that it learned from, how many were rejected.
    pub const fn rejected(&self) -> u32 {
        self.rejected
    }

    /// Inputs that an alarm kept it from learning of.
    pub const fn frozen(&self) -> u32 {
        self.frozen
    }

    /// Goes back to the calibrated threshold and forgets.
    pub const fn reset(&mut self) {
        (self.offset, self.settled) = (0, 0);
        (self.seen, self.rejected, self.frozen) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::HoldAlarm;
    use crate::gate::simulation::Random;
    use std::println;

    const NAT: i64 = 1 << 24;
    /// The 1 % quantile of a normal score with a deviation of one nat.
    const BASE: i64 = (-2.326 * NAT as f64) as i64;

    fn fresh() -> AdaptiveThreshold {
        AdaptiveThreshold::new(BASE, 10_000, NAT / 10, 8 * NAT).unwrap()
    }

    #[test]
    fn slow_drift_of_a_million_inputs_keeps_the_rate() {
        let seed = 0x5EED_0ADA;
        println!("seed {seed:#x}");
        let mut random = Random(seed);
        let (mut moving, mut alarm) = (fresh(), HoldAlarm::new(4, 0, 5, 50).unwrap());
        let mut plain = 0;
        const INPUTS: i64 = 1_000_000;
        for i in 0..INPUTS {
            // Four deviations down and up again.
            let drift = 4.0 * (1.0 - (2 * i - INPUTS).abs() as f64 / INPUTS as f64);
            let score = ((random.normal() - drift) * NAT as f64) as i64;
            plain += i64::from(score < BASE);
            let decision = moving.decide(score);
            moving.follow(decision, alarm.push(decision));
        }
        let rate = f64::from(moving.rejected()) / f64::from(moving.seen());
        println!(
            "slow drift: {rate} rejected, promised 0.01; {} without adaptation; {} frozen",
            plain as f64 / INPUTS as f64,
            moving.frozen()
        );
        assert!((rate / 0.01 - 1.0).abs() < 0.1, "{rate}");
        assert!(plain > INPUTS / 3);
        assert!(!moving.is_at_bound());
    }

    #[test]
    fn a_foreign_scene_does_not_move_it() {
        let mut random = Random(0x5EED_0ADB);
        let (mut moving, mut alarm) = (fresh(), HoldAlarm::new(3, 0, 5, 20).unwrap());
        let mut push = |score: f64| {
            let decision = moving.decide((score * NAT as f64) as i64);
            moving.follow(decision, alarm.push(decision));
            moving
        };
        for _ in 0..5000 {
            push(random.normal());
        }
        let before = push(0.0).threshold_raw();
        for _ in 0..100_000 {
            push(random.normal() - 5.0);
        }
        let after = push(-5.0);
        // A score that is foreign and yet accepted is the only thing that it learns from.
        assert!(after.threshold_raw() >= before - NAT / 10, "{after:?}");
        assert!(after.frozen() > 99_000, "{after:?}");
    }

    #[test]
    fn it_never_leaves_its_reach() {
        let mut moving = fresh();
        for _ in 0..1000 {
            moving.follow(Decision::Reject, false);
        }
        assert_eq!(moving.moved_raw(), -8 * NAT);
        assert!(moving.is_at_bound());
        for _ in 0..100_000 {
            moving.follow(Decision::Accept, false);
        }
        assert_eq!(moving.moved_raw(), 8 * NAT);
        moving.follow(Decision::Invalid, false);
        moving.reset();
        assert_eq!(moving, fresh());
        assert_eq!(AdaptiveThreshold::new(0, 10_000, 0, NAT), None);
        assert_eq!(AdaptiveThreshold::new(0, 0, 1, NAT), None);
        assert_eq!(AdaptiveThreshold::new(0, 10_000, 2, 1), None);
        assert_eq!(AdaptiveThreshold::new(0, 10_000, 1, i64::MAX), None);
    }
}
