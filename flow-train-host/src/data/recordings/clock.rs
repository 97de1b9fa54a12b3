//! What a column of times says: the rate, where samples are missing, and whether the clock can be trusted.

/// A step beyond this many usual ones is a gap.
const GAP: f64 = 1.5;
/// A step that differs from the usual one by more than this share of it is jitter, where so many do.
const JITTER: f64 = 0.2;
const JITTERING: f64 = 0.05;
/// Share of equal neighbours from which on a clock counts as coarse.
const COARSE: f64 = 0.01;

/// How a clock goes: the step from sample to sample, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    step: f64,
    /// A tick of a clock that gives several samples one time; else zero.
    slack: f64,
    /// Seconds in its unit.
    pub(super) unit: f64,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Taken {
    Usual,
    /// Longer or shorter, and no gap.
    Uneven,
    /// Samples are missing for so many seconds.
    Gap(f64),
    /// The clock stands still or goes back.
    Jump,
}

impl Pace {
    /// Samples a second.
    pub(super) fn rate(&self) -> f64 {
        1.0 / (self.step * self.unit)
    }

    pub(super) fn taken(&self, step: f64) -> Taken {
        let is_coarse = self.slack > 0.0;
        if step < 0.0 || (step == 0.0 && !is_coarse) {
            Taken::Jump
        } else if step > GAP * self.step + self.slack {
            Taken::Gap((step - self.step) * self.unit)
        } else if (step - self.step).abs() > JITTER * self.step + self.slack {
            Taken::Uneven
        } else {
            Taken::Usual
        }
    }
}

/// What a clock says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clock {
    pub(super) pace: Pace,
    /// Samples a second.
    pub(super) rate: f64,
    /// Samples in front of which some are missing, with the seconds that are.
    pub(super) gaps: Vec<(usize, f64)>,
    /// Samples that are no later than the one before.
    pub(super) jumps: Vec<usize>,
    /// Share of steps that differ from the usual one, if they are many.
    pub(super) jitter: Option<f64>,
}

/// Names of columns that are clocks.
pub(super) fn is_clock(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "t",
        "ts",
        "time",
        "timestamp",
        "seconds",
        "millis",
        "micros",
        "elapsed",
    ];
    let name = name.trim().to_lowercase();
    let stem = name.split(['_', ' ', '(', '[']).next().unwrap_or("");
    NAMES.contains(&stem)
}

impl Clock {
    /// Reads the times of a column of this name; `rate` is the rate that was said.
    pub(super) fn of(times: &[f64], name: &str, rate: Option<f64>) -> Result<Self, String> {
        let steps: Vec<f64> = times.windows(2).map(|two| two[1] - two[0]).collect();
        let mut forward: Vec<f64> = steps.iter().copied().filter(|&s| s > 0.0).collect();
        if forward.is_empty() {
            return Err(format!("the clock {name:?} stands still"));
        }
        forward.sort_unstable_by(f64::total_cmp);
        let equal = steps.iter().filter(|&&s| s == 0.0).count();
        let is_coarse = equal as f64 > COARSE * steps.len() as f64;
        let (step, slack) = match is_coarse {
            // Several samples have one time: the mean step, and a tick more is no gap.
            true => (mean_step(&steps), forward[0]),
            false => (forward[forward.len() / 2], 0.0),
        };
        let unit = unit(name, times[0], step, rate)?;
        let pace = Pace { step, slack, unit };
        let mut clock = Self {
            pace,
            rate: pace.rate(),
            gaps: Vec::new(),
            jumps: Vec::new(),
            jitter: None,
        };
        let (mut uneven, mut even) = (0, Vec::new());
        for (index, &taken) in steps.iter().enumerate() {
            match pace.taken(taken) {
                Taken::Usual => even.push(taken),
                Taken::Uneven => uneven += 1,
                Taken::Gap(seconds) => clock.gaps.push((index + 1, seconds)),
                Taken::Jump => clock.jumps.push(index + 1),
            }
        }
        if uneven == 0 && !is_coarse && !even.is_empty() {
            // Times are rounded, and the middle step with them; their sum is not.
            clock.rate = even.len() as f64 / (even.iter().sum::<f64>() * unit);
        }
        let share = uneven as f64 / steps.len() as f64;
        clock.jitter = (share > JITTERING).then_some(share);
        Ok(clock)
    }
}

/// The mean of the steps that are no gap and no jump, whatever those are: half of all, the middle ones, and equal times.
fn mean_step(steps: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = steps.iter().copied().filter(|&s| s >= 0.0).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let kept = &sorted[..(sorted.len() * 99).div_ceil(100)];
    kept.iter().sum::<f64>() / kept.len() as f64
}

/// Seconds in a unit of the clock.
fn unit(name: &str, first: f64, step: f64, rate: Option<f64>) -> Result<f64, String> {
    const UNITS: [f64; 4] = [1.0, 1e-3, 1e-6, 1e-9];
    let lower = name.trim().to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    let says = |names: &[&str]| words.iter().any(|word| names.contains(word));
    if says(&["ns", "nanos", "nanoseconds"]) {
        return Ok(1e-9);
    }
    if says(&["us", "micros", "microseconds"]) {
        return Ok(1e-6);
    }
    if says(&["ms", "millis", "milliseconds"]) {
        return Ok(1e-3);
    }
    if says(&["s", "sec", "seconds"]) {
        return Ok(1.0);
    }
    if let Some(rate) = rate {
        let off = |unit: &f64| (step * unit * rate).ln().abs();
        let nearest = UNITS.into_iter().min_by(|a, b| off(a).total_cmp(&off(b)));
        return Ok(nearest.unwrap_or(1.0));
    }
    // Seconds since 1970 are 1e9 and more now.
    for (least, unit) in [(1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0)] {
        if first >= least {
            return Ok(unit);
        }
    }
    match step < 1.0 {
        true => Ok(1.0),
        false => Err(format!(
            "the unit of the clock {name:?} cannot be told from its steps of {step}: --rate says how many samples a \
             second there are"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_50_hertz(count: usize) -> Vec<f64> {
        (0..count).map(|i| 0.02 * i as f64).collect()
    }

    #[test]
    fn a_steady_clock_has_a_rate_and_no_gap() {
        let clock = Clock::of(&at_50_hertz(200), "time", None).unwrap();
        assert!((clock.rate - 50.0).abs() < 1e-6);
        assert!(clock.gaps.is_empty() && clock.jumps.is_empty() && clock.jitter.is_none());
    }

    #[test]
    fn rounded_times_still_tell_the_rate() {
        let rounded = |i: i32| (f64::from(i) / 360.0 * 1e5).round() / 1e5;
        let times: Vec<f64> = (0..3600).map(rounded).collect();
        let clock = Clock::of(&times, "time_s", None).unwrap();
        assert!((clock.rate - 360.0).abs() < 0.01, "{}", clock.rate);
    }

    #[test]
    fn gaps_and_jumps_have_places() {
        let mut times = at_50_hertz(200);
        times[100..].iter_mut().for_each(|t| *t += 1.0);
        times[150..].iter_mut().for_each(|t| *t -= 30.0);
        times[180] = times[179];
        let clock = Clock::of(&times, "t", None).unwrap();
        assert_eq!(
            clock.gaps.len(),
            2,
            "a second, and the step behind the time that stood still"
        );
        assert_eq!(clock.gaps[0].0, 100);
        assert!((clock.gaps[0].1 - 1.0).abs() < 1e-6);
        assert_eq!(clock.jumps, [150, 180]);
    }

    #[test]
    fn units_are_told_by_name_size_or_rate() {
        let times: Vec<f64> = (0..50).map(|i| f64::from(20 * i)).collect();
        let rate = |name, times: &[f64], rate| Clock::of(times, name, rate).map(|c| c.rate.round());
        assert_eq!(rate("time_ms", &times, None), Ok(50.0));
        assert_eq!(rate("Time (us)", &times, None), Ok(50_000.0));
        assert_eq!(rate("time", &times, Some(49.0)), Ok(50.0));
        assert!(rate("time", &times, None).unwrap_err().contains("--rate"));
        let epoch: Vec<f64> = times.iter().map(|t| 1.7e12 + t).collect();
        assert_eq!(rate("timestamp", &epoch, None), Ok(50.0));
        assert!(
            rate("t", &[5.0; 9], None)
                .unwrap_err()
                .contains("stands still")
        );
    }

    #[test]
    fn a_coarse_clock_of_whole_milliseconds_has_no_gaps() {
        let times: Vec<f64> = (0..900).map(|i| (f64::from(i) / 3.0).floor()).collect();
        let clock = Clock::of(&times, "t_ms", None).unwrap();
        assert!((clock.rate / 3000.0 - 1.0).abs() < 0.05, "{}", clock.rate);
        assert!(clock.gaps.is_empty() && clock.jumps.is_empty());
    }

    #[test]
    fn jitter_is_a_share() {
        let step = |i: usize| if i.is_multiple_of(4) { 0.026 } else { 0.018 };
        let mut now = 0.0;
        let times: Vec<f64> = (0..400)
            .map(|i| {
                now += step(i);
                now
            })
            .collect();
        let jitter = Clock::of(&times, "t", None).unwrap().jitter.unwrap();
        assert!((jitter - 0.25).abs() < 0.01, "{jitter}");
    }

    #[test]
    fn clocks_are_known_by_their_names() {
        assert!(
            ["t", "Time", "timestamp_ms", "time (s)", "elapsed [s]"]
                .map(is_clock)
                .iter()
                .all(|&c| c)
        );
        assert!(
            !["ax", "temperature", "tx", "user"]
                .map(is_clock)
                .iter()
                .any(|&c| c)
        );
    }
}
