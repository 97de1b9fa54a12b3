//! From inputs to decisions, alarms and drift, one after another.

use super::alarm::{Alarm, AlarmArgs};
use super::views::View;
use crate::camera::pump::Reduced;
use anyhow::Result;
use flow_infer::gate::{Calibration, Decision};
use flow_infer::score::Scores;
use flow_infer::{Assessment, DriftAlarm, Gates};
use flow_train_host::windows::WindowSpec;
use std::time::{Duration, Instant};

/// Benign inputs to a false drift alarm, on average.
const DRIFT_AVERAGE: u32 = 1_000_000;

/// What a model saw.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// A frame, reduced.
    Frame(Box<[u8]>),
    /// The samples of a window, those of one moment together.
    Window(Box<[i16]>),
}

/// What a view says of a frame, or of a window.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) decision: Decision,
    /// None where there was no input.
    pub(crate) scores: Option<Scores>,
    /// The deciding score.
    pub(crate) score_raw: Option<i64>,
    pub(crate) p_value_ppm: Option<u32>,
    /// Whether there is an alarm.
    pub(crate) alarm: bool,
    /// Whether it began with this input.
    pub(crate) raised: bool,
    /// How far from the gate's the threshold was, where it follows the stream.
    pub(crate) moved_raw: Option<i64>,
    pub(crate) drift: bool,
    /// What the model saw, or why there was nothing.
    pub(crate) input: Result<Input, String>,
}

impl Verdict {
    /// Why there was nothing to judge; of a channel of these windows that is stuck or saturated, its name.
    pub(crate) fn fault(&self, windows: Option<&WindowSpec>) -> Option<String> {
        let of_channel = || {
            let fault = self.scores?.fault()?;
            let channel = windows?.channels.get(usize::from(fault.channel))?;
            Some(format!("{} is {}", channel.name, fault.kind.name()))
        };
        let error = self.input.as_ref().err().cloned();
        error.or_else(of_channel)
    }
}

/// How long the stages of a frame took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stages {
    /// From its first byte to its last.
    pub(crate) read: Duration,
    /// From its last byte to the models' inputs.
    pub(crate) reduce: Duration,
    /// Until the thread that decides took it.
    pub(crate) wait: Duration,
    /// From the inputs to the decisions.
    pub(crate) evaluate: Duration,
    /// From its last byte to the decisions.
    pub(crate) total: Duration,
}

/// A frame or a window that was decided about.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) index: u64,
    pub(crate) time: f64,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) stages: Stages,
    /// Frames that gave way to this one.
    pub(crate) dropped: u64,
}

/// Decides about frames.
pub(crate) struct Decider<'m> {
    gates: Gates<'m>,
    views: Vec<Looking>,
}

/// A view's model, and what is remembered of it.
struct Looking {
    model: usize,
    guard: Guard,
}

/// What turns assessments into verdicts, one after another.
pub(super) struct Guard {
    alarm: Alarm,
    drift: Option<DriftAlarm>,
    /// When the next input is one for the drift alarm.
    due: f64,
    /// Seconds from one such input to the next.
    every: f64,
}

impl<'m> Decider<'m> {
    pub(crate) fn new(gates: Gates<'m>, views: &[View], args: &AlarmArgs) -> Result<Self> {
        let models = gates.models();
        let looking = |view: &View| {
            Ok(Looking {
                model: view.model,
                guard: Guard::new(calibration(models, view.model), args)?,
            })
        };
        let views = views.iter().map(looking).collect::<Result<_>>()?;
        Ok(Self { gates, views })
    }

    /// What the threshold of a view has done, where it follows the stream.
    pub(super) fn moved(&self, view: usize) -> Option<String> {
        self.views.get(view)?.guard.moved()
    }

    /// The calibration of a view's model.
    pub(crate) fn calibration(&self, view: usize) -> Option<&'m Calibration> {
        calibration(self.gates.models(), self.views.get(view)?.model)
    }

    /// Decides about a frame.
    pub(crate) fn decide(&mut self, frame: Reduced, dropped: u64) -> Seen {
        let taken = Instant::now();
        let (gates, time) = (&mut self.gates, frame.time);
        let inputs = self.views.iter_mut().zip(frame.inputs);
        let verdicts = inputs.map(|(view, input)| view.decide(gates, input, time));
        let verdicts = verdicts.collect();
        let ready = frame.complete + frame.reduce;
        let stages = Stages {
            read: frame.read,
            reduce: frame.reduce,
            wait: taken.saturating_duration_since(ready),
            evaluate: taken.elapsed(),
            total: frame.complete.elapsed(),
        };
        Seen {
            index: frame.index,
            time,
            verdicts,
            stages,
            dropped,
        }
    }
}

impl Looking {
    fn decide(
        &mut self,
        gates: &mut Gates<'_>,
        input: Result<Box<[u8]>, String>,
        time: f64,
    ) -> Verdict {
        let assessed = input.as_deref().ok();
        let assessed = assessed.and_then(|bytes| gates.assess(self.model, bytes)?.ok());
        let input = input.map(Input::Frame);
        self.guard.judge(assessed.as_ref(), input, Some(time))
    }
}

impl Guard {
    pub(super) fn new(calibration: Option<&Calibration>, args: &AlarmArgs) -> Result<Self> {
        Ok(Self {
            alarm: args.alarm(calibration)?,
            drift: calibration.and_then(|gate| DriftAlarm::new(gate, DRIFT_AVERAGE)),
            due: 0.0,
            every: args.drift_every(),
        })
    }

    /// What the threshold has done, where it follows the stream.
    pub(super) fn moved(&self) -> Option<String> {
        self.alarm.sentence()
    }

    /// The verdict on an input that came at a time, if there is a clock.
    pub(super) fn judge(
        &mut self,
        assessed: Option<&Assessment>,
        input: Result<Input, String>,
        time: Option<f64>,
    ) -> Verdict {
        let ruling = self.alarm.rule(assessed.map(Into::into));
        if let Some(assessed) = assessed {
            self.watch_drift(assessed.score_raw, time);
        }
        Verdict {
            decision: ruling.decision,
            scores: assessed.map(|a| a.scores),
            score_raw: assessed.map(|a| a.score_raw),
            p_value_ppm: assessed.and_then(|a| a.p_value_ppm),
            alarm: ruling.alarm,
            raised: ruling.raised,
            moved_raw: ruling.moved_raw,
            drift: self.drift.as_ref().is_some_and(DriftAlarm::alarm),
            input,
        }
    }

    /// Inputs that follow each other at once look alike: the drift alarm takes one from time to time, and all without a
    /// clock.
    fn watch_drift(&mut self, score_raw: i64, time: Option<f64>) {
        let is_due = time.is_none_or(|time| time >= self.due);
        if let Some(drift) = self.drift.as_mut().filter(|_| is_due) {
            drift.push(score_raw);
            self.due = time.map_or(self.due, |time| time + self.every);
        }
    }
}

fn calibration<'m>(models: &'m [flow_infer::Model<'m>], model: usize) -> Option<&'m Calibration> {
    models.get(model)?.artifact().calibration()
}
