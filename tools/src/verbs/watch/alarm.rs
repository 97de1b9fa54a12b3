//! From decisions to an alarm, by a threshold that may follow the stream.

use crate::number;
use anyhow::{Context, Result};
use flow_infer::gate::Calibration;
use flow_infer::spec::units::nats_from_raw;
use flow_infer::{AdaptiveThreshold, Assessment, Decision, HoldAlarm};

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
    /// Have the threshold follow slow change, so that in the long run no more is rejected than was promised; it rests
    /// while there is an alarm
    #[arg(long, help_heading = "Alarms")]
    adapt: bool,
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

/// The alarm of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alarm {
    hold: HoldAlarm,
    /// The threshold, where it follows the stream.
    threshold: Option<AdaptiveThreshold>,
}

/// What the gate says of an input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assessed {
    decision: Decision,
    score_raw: i64,
    saturated: bool,
}

impl From<&Assessment> for Assessed {
    fn from(assessed: &Assessment) -> Self {
        Self {
            decision: assessed.decision,
            score_raw: assessed.score_raw,
            saturated: assessed.scores.saturated,
        }
    }
}

/// What becomes of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ruling {
    pub(crate) decision: Decision,
    /// Whether there is an alarm.
    pub(crate) alarm: bool,
    /// Whether it began with this input.
    pub(crate) raised: bool,
    /// How far from the gate's the threshold was that decided, where it follows the stream.
    pub(crate) moved_raw: Option<i64>,
}

impl Alarm {
    /// Decides about an input; none is invalid.
    pub(crate) fn rule(&mut self, assessed: Option<Assessed>) -> Ruling {
        let decision = match (assessed, &self.threshold) {
            (None, _) => Decision::Invalid,
            // What lies beyond the model's numbers is no matter of a threshold.
            (Some(assessed), Some(threshold))
                if assessed.decision != Decision::Invalid && !assessed.saturated =>
            {
                threshold.decide(assessed.score_raw)
            }
            (Some(assessed), _) => assessed.decision,
        };
        let moved_raw = self.threshold.as_ref().map(AdaptiveThreshold::moved_raw);
        let before = self.hold.alarm();
        let alarm = self.hold.push(decision);
        if let Some(threshold) = &mut self.threshold {
            threshold.follow(decision, alarm);
        }
        Ruling {
            decision,
            alarm,
            raised: alarm && !before,
            moved_raw,
        }
    }

    /// What the threshold has done, where it follows the stream.
    pub(crate) fn sentence(&self) -> Option<String> {
        let threshold = self.threshold?;
        let nats = nats_from_raw(threshold.moved_raw());
        let learned = threshold.seen().saturating_sub(threshold.frozen());
        let end = if threshold.is_at_bound() {
            "; it would go further if it might: calibrate again"
        } else {
            ""
        };
        Some(format!(
            "threshold moved by {nats:.2} nats, of {} inputs that it learned from {} were rejected, it rested for {}{end}",
            number::grouped(learned.into()),
            number::grouped(threshold.rejected().into()),
            number::grouped(threshold.frozen().into()),
        ))
    }
}

impl AlarmArgs {
    /// An alarm that is off, over a gate.
    pub(crate) fn alarm(&self, gate: Option<&Calibration>) -> Result<Alarm> {
        let threshold = match self.adapt {
            true => Some(gate.and_then(AdaptiveThreshold::of).context(
                "--adapt: the gate keeps no calibration scores that say how far it may move",
            )?),
            false => None,
        };
        Ok(Alarm {
            hold: self.of.0.with_hold(self.hold),
            threshold,
        })
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

    fn assessed(score_raw: i64, saturated: bool) -> Option<Assessed> {
        let rejected = saturated || score_raw < -ONE;
        Some(Assessed {
            decision: if rejected {
                Decision::Reject
            } else {
                Decision::Accept
            },
            score_raw,
            saturated,
        })
    }

    const ONE: i64 = 1 << 24;

    #[test]
    fn a_threshold_follows_rejections_that_come_alone_and_no_alarm() {
        let mut alarm = Alarm {
            hold: HoldAlarm::new(3, 0, 5, 0).unwrap(),
            threshold: AdaptiveThreshold::new(-ONE, 10_000, ONE / 2, 8 * ONE),
        };
        // One in ten lies two nats too low: the threshold goes down until it is accepted.
        let (mut early, mut late) = (0, 0);
        for i in 0..1001 {
            let odd = i % 10 == 9;
            let ruling = alarm.rule(assessed(if odd { -3 * ONE } else { 0 }, false));
            let rejected = ruling.decision == Decision::Reject;
            let count = if i < 500 { &mut early } else { &mut late };
            *count += u32::from(rejected);
        }
        assert!(early >= 4 && late <= 10, "{early} {late}");
        let before = alarm.threshold.unwrap().moved_raw();
        assert!(before < -ONE, "{before}");
        for _ in 0..100 {
            assert_eq!(
                alarm.rule(assessed(-90 * ONE, false)).decision,
                Decision::Reject
            );
        }
        // The first two came before the alarm, which takes what they moved back.
        assert_eq!(alarm.threshold.unwrap().moved_raw(), before);
        // No threshold accepts what lies beyond the model's numbers, nor what is no input.
        assert_eq!(alarm.rule(assessed(0, true)).decision, Decision::Reject);
        assert_eq!(alarm.rule(None).decision, Decision::Invalid);
    }

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
