//! An alarm for slow change: many inputs that are each acceptable, but together no longer like the calibration data.
//!
//! A camera ages, a lens fogs up, the line makes another product: the gate rejects some more inputs than it promised,
//! and nobody counts. Here eight wagers do, each that the deciding score falls below a sixteenth, an eighth, a quarter or
//! a half of the calibration scores (or above as many) more often than it should. A wager pays the likelihood ratio
//! q / p of an event that it expected with probability q and that benign data show with at most p, (1 - q) / (1 - p)
//! otherwise: on benign data it gains nothing on average, whatever q was. So with R <- (R + 1) gain of each wager
//! (Shiryaev and Roberts), the sum of the eight R grows by at most 8 an input on average, and an alarm at 8 N comes
//! after N benign inputs or more on average (Doob; Shin, Ramdas, Rinaldo 2022, "E-detectors").
//!
//! p is what the stored quantiles bound with n calibration scores: Chernoff's inequality, for all eight together wrong
//! in one calibration of a hundred. Integers only; 264 bytes of state, 2.6 KB of code on a Cortex-M4 that uses it. Of digits
//! among garments (`fashion-tiny`) one in ten is noticed after 563 inputs, digits alone after 23. Inputs must be as independent as they were when
//! calibrated: of a film take one frame every few seconds.

use crate::gate::{Calibration, QUANTILES};

/// Sixteenths of the calibration scores that a wager is about, from either end.
const SIXTEENTHS: [usize; 4] = [1, 2, 4, 8];
const WAGERS: usize = 2 * SIXTEENTHS.len();
/// Fraction bits of probabilities and gains, and of evidence: products of both fit 64 bits.
const BITS: u32 = 16;
const ONE: u32 = 1 << BITS;
const EVIDENCE_BITS: u32 = 8;
/// Inputs over which a wager's expectation is averaged, as a power of two.
const MEMORY: u32 = 7;
/// 2 ln(100 wagers), rounded up: see [`bound`].
const TWO_LN: u64 = 14;

/// Watches a gate's deciding score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftAlarm {
    wagers: [Wager; WAGERS],
    /// Evidence at which there is an alarm.
    limit: u64,
}

/// A wager on scores at one end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wager {
    /// Scores below it are the event; for upper wagers those that are not.
    edge: i64,
    upper: bool,
    /// The greatest probability that benign data give the event.
    benign: u32,
    /// The probability that it is expected to have now.
    expected: u32,
    evidence: u64,
}

impl DriftAlarm {
    /// An alarm that benign inputs, independent of each other, raise after `inputs` of them or more on average. `None`
    /// for a gate calibrated on too few scores (500 are enough), on scores of which many are the same, or of a file
    /// without quantiles, and for an average of zero.
    pub fn new(gate: &Calibration, inputs: u32) -> Option<Self> {
        let quantiles: &[i64; QUANTILES] = gate.quantiles_raw.as_slice().try_into().ok()?;
        let distinct = quantiles.is_sorted_by(|a, b| a < b);
        if inputs == 0 || !distinct {
            return None;
        }
        let mut wagers = [Wager::default(); WAGERS];
        let (lower, upper) = wagers.split_at_mut(SIXTEENTHS.len());
        for ((low, high), sixteenths) in lower.iter_mut().zip(upper).zip(SIXTEENTHS) {
            let benign = bound(sixteenths as u64, u64::from(gate.samples))?;
            let wager = |edge: usize, upper| {
                Some(Wager {
                    edge: *quantiles.get(edge)?,
                    upper,
                    benign,
                    expected: benign,
                    evidence: 0,
                })
            };
            *low = wager(sixteenths, false)?;
            *high = wager(QUANTILES - 1 - sixteenths, true)?;
        }
        Some(Self {
            wagers,
            limit: (WAGERS as u64 * u64::from(inputs)) << EVIDENCE_BITS,
        })
    }

    /// Takes the deciding score of the next input (`Calibration::score_raw`) and says whether there is an alarm now. It stays
    /// until [`reset`](Self::reset).
    pub fn push(&mut self, score_raw: i64) -> bool {
        if !self.alarm() {
            for wager in &mut self.wagers {
                wager.push(score_raw, self.limit);
            }
        }
        self.alarm()
    }

    /// Whether there is an alarm.
    pub fn alarm(&self) -> bool {
        let evidence = self.wagers.iter().map(|wager| wager.evidence);
        evidence.sum::<u64>() >= self.limit
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        for wager in &mut self.wagers {
            wager.expected = wager.benign;
            wager.evidence = 0;
        }
    }
}

impl Wager {
    fn push(&mut self, score_raw: i64, limit: u64) {
        let happened = (score_raw < self.edge) != self.upper;
        // Against a probability that benign data may have, the wager rests.
        let expected = self.expected.max(self.benign);
        let gain = match happened {
            true => (expected << BITS).checked_div(self.benign),
            false => ((ONE - expected) << BITS).checked_div(ONE - self.benign),
        };
        let wagered = self.evidence + (1 << EVIDENCE_BITS);
        let gained = (wagered * u64::from(gain.unwrap_or(0))) >> BITS;
        self.evidence = gained.min(limit);
        self.expected -= self.expected >> MEMORY;
        if happened {
            self.expected += ONE >> MEMORY;
        }
    }
}

/// The greatest probability, with 16 fraction bits, that n calibration scores leave to the event of falling outside of
/// `sixteenths` of them; `None` where that is everything.
///
/// Of an event with probability x, fewer than (1 - e) n x cases in n have probability exp(-e^2 n x / 2) at most. The
/// edge says that there are at most (n + 8) s / 16 of them (ranks are rounded), so x (1 - e) <= (1 + 8 / n) s / 16 but for
/// one case in 100 wagers where e^2 = 2 ln(100 wagers) / (n s / 16).
fn bound(sixteenths: u64, samples: u64) -> Option<u32> {
    let one = u64::from(ONE);
    let squared = (TWO_LN << (2 * BITS + 4)).checked_div(sixteenths * samples)?;
    let rest = one.checked_sub(squared.isqrt() + 1)?;
    let share = (one / 16 * sixteenths * (samples + 8)).checked_div(samples)?;
    let bound = (share << BITS).checked_div(rest)? + 1;
    u32::try_from(bound)
        .ok()
        .filter(|&bound| bound < ONE / 16 * 15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::ScoreKind;
    use std::println;

    /// Calibrated on 0, 1, ..., samples - 1, in units of 16.
    fn gate(samples: u32) -> Calibration {
        let quantiles = (0..QUANTILES as i64).map(|i| i * i64::from(samples - 1));
        Calibration {
            score: ScoreKind::Likelihood,
            alpha_ppm: 10_000,
            samples,
            threshold_raw: 0,
            typical_raw: 0,
            quantiles_raw: quantiles.collect(),
        }
    }

    /// Benign scores of that gate.
    struct Benign(u64);

    impl Benign {
        fn next(&mut self, samples: u32) -> i64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((self.0 >> 33) % u64::from(16 * samples)) as i64
        }
    }

    #[test]
    fn bounds_are_those_of_chernoff() {
        for (sixteenths, samples) in [(1u32, 5000u32), (8, 5000), (2, 700), (4, 1_000_000)] {
            let share = f64::from(sixteenths) / 16.0;
            let (two_ln, n) = (2.0 * libm::log(100.0 * 8.0), f64::from(samples));
            let e = libm::sqrt(two_ln / (n * share));
            let wanted = share * (1.0 + 8.0 / n) / (1.0 - e);
            let found = bound(u64::from(sixteenths), u64::from(samples)).unwrap();
            let found = f64::from(found) / f64::from(ONE);
            assert!(
                (wanted..1.03 * wanted).contains(&found),
                "{found}, {wanted}"
            );
        }
        assert_eq!(bound(1, 200), None);
        assert_eq!(bound(8, 0), None);
    }

    #[test]
    fn no_wager_gains_on_data_as_bad_as_benign_ones_may_be() {
        let mut scores = Benign(3);
        let mut alarm = DriftAlarm::new(&gate(2000), 1000).unwrap();
        for _ in 0..5000 {
            // Hard times, so that expectations are far from what is benign.
            alarm.push(scores.next(2000) / 3);
            for wager in alarm.wagers {
                let after = |score| {
                    let mut wager = wager;
                    wager.push(score, u64::MAX >> 20);
                    u128::from(wager.evidence)
                };
                let (event, other) = match wager.upper {
                    false => (wager.edge - 1, wager.edge),
                    true => (wager.edge, wager.edge - 1),
                };
                let [happens, not] = [wager.benign, ONE - wager.benign].map(u128::from);
                let mean = happens * after(event) + not * after(other);
                let most = u128::from(wager.evidence + (1 << EVIDENCE_BITS)) << BITS;
                assert!(mean <= most, "{wager:?}: {mean} > {most}");
            }
            if alarm.alarm() {
                alarm.reset();
            }
        }
    }

    #[test]
    fn benign_inputs_rarely_raise_it() {
        let seed = 0x5EED_0009;
        println!("seed {seed:#x}");
        let mut scores = Benign(seed);
        let mut alarm = DriftAlarm::new(&gate(5000), 1000).unwrap();
        let mut alarms = 0;
        for _ in 0..200_000 {
            if alarm.push(scores.next(5000)) {
                alarms += 1;
                alarm.reset();
            }
        }
        assert!(alarms <= 200, "{alarms} alarms in 200 times the average");
    }

    #[test]
    fn a_tenth_of_foreign_inputs_raises_it() {
        let mut scores = Benign(17);
        // Foreign ones far below, or far above as a blank image's.
        for foreign in [-1, i64::MAX] {
            let mut alarm = DriftAlarm::new(&gate(5000), 100_000).unwrap();
            let after = (1..2000).find(|i| {
                let benign = scores.next(5000);
                alarm.push(if i % 10 == 0 { foreign } else { benign })
            });
            let after = after.expect("an alarm");
            assert!((20..1500).contains(&after), "after {after}");
            assert!(alarm.push(scores.next(5000)), "it stays");
        }
        let mut alarm = DriftAlarm::new(&gate(5000), 100_000).unwrap();
        let after = (1..100).find(|_| alarm.push(-1)).expect("an alarm");
        assert!((5..30).contains(&after), "after {after}");
    }

    #[test]
    fn gates_that_say_too_little_are_refused() {
        assert!(DriftAlarm::new(&gate(500), 1000).is_some());
        assert_eq!(size_of::<DriftAlarm>(), 264);
        assert_eq!(DriftAlarm::new(&gate(100), 1000), None);
        assert_eq!(DriftAlarm::new(&gate(5000), 0), None);
        let mut same = gate(5000);
        same.quantiles_raw[3] = same.quantiles_raw[4];
        assert_eq!(DriftAlarm::new(&same, 1000), None);
        same.quantiles_raw.clear();
        assert_eq!(DriftAlarm::new(&same, 1000), None);
    }
}
