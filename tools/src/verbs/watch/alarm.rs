//! When decisions become an alarm, on the command line.

use flow_infer::gate::{Debounce, Decision};

/// When there is an alarm.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct AlarmArgs {
    /// Raise an alarm when at least M of the last N frames (at most 32) were not accepted
    #[arg(long = "alarm", value_name = "M/N", value_parser = m_of_n, default_value = "3/5",
          help_heading = "Alarms")]
    debounce: MofN,
    /// Keep an alarm until so many frames in a row were accepted
    #[arg(
        long,
        value_name = "FRAMES",
        default_value_t = 10,
        help_heading = "Alarms"
    )]
    hold: u32,
    /// Give the drift alarm one frame in so many seconds; frames at once are too much alike
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds,
          help_heading = "Alarms")]
    drift_every: f64,
    /// End with exit code 1 if there was an alarm
    #[arg(long, help_heading = "Alarms")]
    pub(crate) fail_on_alarm: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MofN(Debounce);

/// An alarm that begins with m frames of n and ends after many in a row were accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alarm {
    debounce: Debounce,
    hold: u32,
    quiet: u32,
    on: bool,
}

impl AlarmArgs {
    /// An alarm that is off.
    pub(crate) fn alarm(&self) -> Alarm {
        Alarm {
            debounce: self.debounce.0,
            hold: self.hold,
            quiet: 0,
            on: false,
        }
    }

    pub(crate) fn drift_every(&self) -> f64 {
        self.drift_every
    }
}

impl Alarm {
    /// Takes a decision and says whether there is an alarm now.
    pub(crate) fn push(&mut self, decision: Decision) -> bool {
        let raised = self.debounce.push(decision);
        self.quiet = match decision {
            Decision::Accept => self.quiet.saturating_add(1),
            _ => 0,
        };
        let held = self.on && self.quiet < self.hold;
        self.on = raised || held;
        self.on
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }
}

fn m_of_n(text: &str) -> Result<MofN, String> {
    let numbers = text
        .split_once('/')
        .and_then(|(m, n)| Some((m.parse().ok()?, n.parse().ok()?)));
    let debounce = numbers.and_then(|(needed, window)| Debounce::new(needed, window));
    debounce
        .map(MofN)
        .ok_or_else(|| "expected M/N with M from 1 to N and N at most 32, as 3/5".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: Option<f64> = text.parse().ok();
    seconds
        .filter(|seconds| (0.0..=1e6).contains(seconds))
        .ok_or_else(|| "expected seconds, as 2 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_begins_with_m_of_n_and_ends_after_a_row_of_accepted_frames() {
        let mut alarm = Alarm {
            debounce: Debounce::new(2, 3).unwrap(),
            hold: 4,
            quiet: 0,
            on: false,
        };
        let frames = "aratrraaaaaaarxaaaraaaa";
        let states: String = frames
            .chars()
            .map(|frame| {
                let decision = match frame {
                    'r' | 't' => Decision::Reject,
                    'x' => Decision::Invalid,
                    _ => Decision::Accept,
                };
                if alarm.push(decision) { '!' } else { '.' }
            })
            .collect();
        assert_eq!(states, "...!!!!!!.....!!!!!!!!.");
    }

    #[test]
    fn arguments_are_m_of_n() {
        assert_eq!(m_of_n("3/5").unwrap().0, Debounce::new(3, 5).unwrap());
        for bad in ["", "3", "0/5", "6/5", "1/33", "a/b"] {
            assert!(m_of_n(bad).is_err(), "{bad}");
        }
    }
}
