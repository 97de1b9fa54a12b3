//! Evidence over a sequence: an alarm that benign inputs raise with a stated probability in all of a device's life.
//!
//! A wager on conformal p-values: of one's capital a part is kept and parts are set on "p is at most a quarter, a
//! sixteenth, a 64th, a 256th", each paid by the inverse of the probability that benign inputs have for it. On benign inputs
//! no wager gains on average, so the capital is a nonnegative supermartingale, and it ever reaches L times its beginning
//! with probability at most 1/L (Ville 1939; Vovk's conformal test martingales). Nobody knows when a change begins, so a
//! share 1 / (t (t + 1)) of the capital begins to play at each input t: all shares together are one, and waiting costs the
//! logarithm of t, not the alarm's promise. Half of every share plays boldly, half with an eighth of it.
//!
//! The probabilities are those of a given calibration, not of calibrations on average: what n scores leave to them by
//! Chernoff's inequality, wrong for one calibration in a hundred. Levels that n scores tell nothing of are not wagered on.
//! Against [`DriftAlarm`](crate::drift::DriftAlarm): that one promises a mean time between false alarms and sees both ends of the
//! score; this one promises a probability, and reads p-values. Inputs must be as independent as they were when calibrated.

/// Levels are 4^-1, 4^-2, ...
const LEVELS: usize = 4;
/// Fraction bits of gains.
const BITS: u32 = 16;
const ONE: u64 = 1 << BITS;
/// Fraction bits of capital.
const CAPITAL_BITS: u32 = 40;
/// 2 ln(100 levels), rounded up.
const TWO_LN: u64 = 14;
const MILLION: u64 = 1_000_000;
/// Wagers, and the logarithm of the parts of capital that each sets on all levels together: a half, an eighth.
const STAKES: [u32; 2] = [1, 3];

/// Watches the p-values of a gate ([`Assessment::p_value_ppm`](crate::Assessment::p_value_ppm)).
///
/// ```
/// use flow_infer::SequenceAlarm;
///
/// // A gate calibrated on 5,000 inputs; benign inputs raise the alarm with probability 0.001 at most, ever.
/// let mut alarm = SequenceAlarm::new(5_000, 1_000).expect("enough inputs");
/// let after = (1..100).find(|_| alarm.push(2_000));
/// assert_eq!(after, Some(4), "of inputs each of which is odd");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceAlarm {
    /// Inputs so far, and one.
    time: u32,
    capital: [u64; STAKES.len()],
    limit: u64,
    /// Gains by the number of levels that a p-value is at or below.
    gains: [[u64; LEVELS + 1]; STAKES.len()],
}

impl SequenceAlarm {
    /// An alarm that benign inputs ever raise with probability at most `level_ppm` / 10^6, of a gate calibrated on so many
    /// inputs. `None` where those are too few to wager on any level (230 are enough for the first), and for a
    /// probability of zero or one.
    pub fn new(samples: u32, level_ppm: u32) -> Option<Self> {
        if level_ppm == 0 || u64::from(level_ppm) >= MILLION {
            return None;
        }
        let mut pays = [0; LEVELS];
        for (level, pay) in pays.iter_mut().enumerate() {
            *pay = payment(2 * (level as u32 + 1), samples.into()).unwrap_or(0);
        }
        if pays.first() == Some(&0) {
            return None;
        }
        let limit = (MILLION << CAPITAL_BITS).div_ceil(level_ppm.into());
        let mut gains = [[0; LEVELS + 1]; STAKES.len()];
        for (gains, stake) in gains.iter_mut().zip(STAKES) {
            let each = (ONE >> stake) / LEVELS as u64;
            // What cannot be wagered is kept.
            let idle = pays.iter().filter(|&&pay| pay == 0).count() as u64;
            let mut gain = ONE - (ONE >> stake) + idle * each;
            let mut pays = pays.iter();
            for slot in gains {
                *slot = gain;
                gain += (each * pays.next().copied().unwrap_or(0)) >> BITS;
            }
        }
        Some(Self {
            time: 1,
            capital: [0; STAKES.len()],
            limit,
            gains,
        })
    }

    /// Takes the p-value of the next input, in parts per million, and says whether there is an alarm now. It stays until
    /// [`reset`](Self::reset).
    pub fn push(&mut self, p_value_ppm: u32) -> bool {
        if self.alarm() {
            return true;
        }
        let p = u64::from(p_value_ppm);
        let levels = (1..=LEVELS as u32).filter(|level| p << (2 * level) <= MILLION);
        let reached = levels.count();
        let time = u64::from(self.time);
        let begins = (1 << CAPITAL_BITS) / (time * (time + 1));
        for (capital, gains) in self.capital.iter_mut().zip(&self.gains) {
            let gain = gains.get(reached).copied().unwrap_or(0);
            let wagered = (*capital + begins / STAKES.len() as u64).min(self.limit);
            // Rounded down; beyond the limit nothing need be exact.
            let whole = (wagered >> BITS).saturating_mul(gain);
            let rest = ((wagered & (ONE - 1)) * gain) >> BITS;
            *capital = whole.saturating_add(rest).min(self.limit);
        }
        self.time = self.time.saturating_add(1);
        self.alarm()
    }

    /// Whether there is an alarm.
    pub fn alarm(&self) -> bool {
        self.capital.iter().sum::<u64>() >= self.limit
    }

    /// Begins anew: a promise of its own, for what is to come.
    pub fn reset(&mut self) {
        (self.time, self.capital) = (1, [0; STAKES.len()]);
    }
}

/// The inverse, with 16 fraction bits and rounded down, of the greatest probability x that n calibration scores leave to a
/// p-value of at most u = 2^-`log`; `None` where that is no wager.
///
/// The p-value is that small where a score is below the r-th lowest of n, r = u (n + 1) rounded down. Of an event with
/// probability x fewer than (1 - e) n x cases in n have probability exp(-e^2 n x / 2) at most, so (1 - e) n x <= r but for
/// one case in a hundred over all levels, with e^2 = 2 ln(100 levels) / (n x) and n x >= r.
fn payment(log: u32, samples: u64) -> Option<u64> {
    let rank = (samples + 1) >> log;
    let squared = (TWO_LN << (2 * BITS)).checked_div(rank)?;
    let rest = ONE.checked_sub(squared.isqrt() + 1)?;
    // 1 / x = (1 - e) n / r.
    let payment = (rest * samples).checked_div(rank)?;
    (payment > 2 * ONE).then_some(payment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::simulation::Random;
    use std::println;

    /// p-values of a calibration of n scores, themselves drawn, of benign inputs shifted by so many deviations.
    struct Stream {
        sorted: std::vec::Vec<f64>,
        random: Random,
    }

    impl Stream {
        fn new(seed: u64, samples: usize) -> Self {
            let mut random = Random(seed);
            let mut sorted: std::vec::Vec<f64> = (0..samples).map(|_| random.normal()).collect();
            sorted.sort_by(f64::total_cmp);
            Self { sorted, random }
        }

        fn p_value(&mut self, shift: f64) -> u32 {
            let score = self.random.normal() - shift;
            let below = self.sorted.partition_point(|&s| s <= score) as u64;
            ((1 + below) * MILLION).div_ceil(self.sorted.len() as u64 + 1) as u32
        }
    }

    #[test]
    fn no_wager_gains_on_benign_inputs() {
        // With the very probabilities that were paid for, the mean of the gain is one at most.
        for samples in [250, 1_000, 10_000, 1_000_000] {
            let alarm = SequenceAlarm::new(samples, 1000).unwrap();
            let pays: std::vec::Vec<f64> = (1..=LEVELS as u32)
                .map(|level| payment(2 * level, samples.into()).map_or(0.0, |p| p as f64 / 65536.0))
                .collect();
            let at_most = |level: usize| match pays.get(level) {
                Some(&pay) if pay > 0.0 => 1.0 / pay,
                _ => 0.0,
            };
            for gains in alarm.gains {
                let mut mean = gains[0] as f64;
                for level in 0..LEVELS {
                    mean += (gains[level + 1] - gains[level]) as f64 * at_most(level);
                }
                let mean = mean / ONE as f64;
                assert!(mean <= 1.0 && mean > 0.99, "{samples}: {mean}");
            }
        }
        assert_eq!(SequenceAlarm::new(50, 1000), None);
        assert_eq!(SequenceAlarm::new(5000, 0), None);
        assert_eq!(SequenceAlarm::new(5000, 1_000_000), None);
    }

    #[test]
    fn benign_inputs_raise_it_as_rarely_as_ville_says() {
        let seed = 0x5EED_0B1D;
        println!("seed {seed:#x}");
        // 1,000 lives of 1,000 inputs, a calibration of its own each: at 0.1, a hundred may raise it.
        let lives = (0..1000).filter(|life| {
            let mut stream = Stream::new(seed + life, 2000);
            let mut alarm = SequenceAlarm::new(2000, 100_000).unwrap();
            (0..1000).any(|_| alarm.push(stream.p_value(0.0)))
        });
        let lives = lives.count();
        println!("benign: {lives} of 1,000 lives with an alarm, 100 promised at most");
        assert!(lives <= 100, "{lives}");
        // A million inputs of one life.
        let mut stream = Stream::new(seed, 2000);
        let mut alarm = SequenceAlarm::new(2000, 1000).unwrap();
        assert!(!(0..1_000_000).any(|_| alarm.push(stream.p_value(0.0))));
    }

    #[test]
    fn changes_are_noticed_soon() {
        let seed = 0x5EED_0B1E;
        println!("seed {seed:#x}");
        // After 10,000 benign inputs: mean delay over 50 lives, at one false alarm in 1,000 lives.
        for (shift, most) in [(1.0, 200), (2.0, 45), (4.0, 25)] {
            let delays = (0..50).map(|life| {
                let mut stream = Stream::new(seed + life, 2000);
                let mut alarm = SequenceAlarm::new(2000, 1000).unwrap();
                assert!(!(0..10_000).any(|_| alarm.push(stream.p_value(0.0))));
                let after = (1..100_000).find(|_| alarm.push(stream.p_value(shift)));
                after.expect("an alarm")
            });
            let mean = delays.sum::<u32>() / 50;
            println!("scores lower by {shift} deviations: an alarm after {mean} inputs on average");
            assert!(mean <= most, "{shift}: {mean}");
        }
    }

    #[test]
    fn it_stays_and_begins_anew() {
        let mut alarm = SequenceAlarm::new(5000, 1000).unwrap();
        while !alarm.push(100) {}
        assert!(alarm.push(1_000_000));
        alarm.reset();
        assert_eq!(alarm, SequenceAlarm::new(5000, 1000).unwrap());
        assert_eq!(size_of::<SequenceAlarm>(), 112);
    }
}
