//! When decisions become an alarm, on the command line.

use flow_infer::HoldAlarm;

/// When there is an alarm.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct AlarmArgs {
    /// Raise an alarm when at least M of the last N frames (at most 32) were not accepted, clear it when all were
    #[arg(long = "alarm", value_name = "M/N", value_parser = m_of_n, default_value = "3/5",
          help_heading = "Alarms")]
    of: MofN,
    /// Clear no alarm before it has stood for so many frames
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

/// An alarm that is off and has no hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MofN(HoldAlarm);

impl AlarmArgs {
    /// An alarm that is off.
    pub(crate) fn alarm(&self) -> HoldAlarm {
        self.of.0.with_hold(self.hold)
    }

    pub(crate) fn drift_every(&self) -> f64 {
        self.drift_every
    }
}

fn m_of_n(text: &str) -> Result<MofN, String> {
    let numbers = text
        .split_once('/')
        .and_then(|(m, n)| Some((m.parse().ok()?, n.parse().ok()?)));
    let alarm = numbers.and_then(|(raise, window)| HoldAlarm::new(raise, 0, window, 0));
    alarm
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
    fn arguments_are_m_of_n() {
        assert_eq!(
            m_of_n("3/5").unwrap().0,
            HoldAlarm::new(3, 0, 5, 0).unwrap()
        );
        for bad in ["", "3", "0/5", "6/5", "1/33", "a/b"] {
            assert!(m_of_n(bad).is_err(), "{bad}");
        }
    }
}
