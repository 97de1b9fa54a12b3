//! What viewers see, of a size that does not grow with the stream.

use super::super::decider::{Input, Seen, Verdict};
use super::super::tally::{Counts, Tally};
use super::about::{About, AboutGate};
use super::sight::{Picture, Sight, Unit};
use flow_infer::gate::Decision;
use flow_infer::spec::units::nats_from_raw;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Inputs whose scores are kept.
const POINTS: usize = 600;
/// Alarms that are kept.
const ALARMS: usize = 24;
/// Most points of one event, so that a fast file does not flood a viewer.
const POINTS_AN_EVENT: usize = 200;

/// How long a picture serves all viewers: they ask twice a second, and a heat map is an evaluation of its own.
const SHOWN: Duration = Duration::from_millis(400);

/// An input's scores.
#[derive(Clone, Debug, Serialize)]
struct Point {
    index: u64,
    time: f64,
    gates: Vec<PointOfGate>,
}

#[derive(Clone, Debug, Serialize)]
struct PointOfGate {
    score: Option<f64>,
    decision: Decision,
    alarm: bool,
    /// Why there was nothing to judge.
    fault: Option<String>,
}

/// An alarm that began.
#[derive(Clone, Debug, Serialize)]
struct AlarmShot {
    id: u64,
    index: u64,
    time: f64,
    gate: usize,
    p_value: Option<f64>,
    /// Why there was nothing to judge.
    fault: Option<String>,
    /// Whether there is a picture.
    seen: bool,
    #[serde(skip)]
    input: Option<Input>,
}

/// What an event carries.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    windows: Option<u64>,
    dropped: u64,
    lost: u64,
    faults: u64,
    /// Inputs a second, over the kept ones.
    rate: Option<f64>,
    gates: Vec<Counts>,
    shares: Vec<Option<f64>>,
    latency_ms: Vec<(&'static str, f64, f64, f64)>,
    points: Vec<&'a Point>,
    alarms: Vec<&'a AlarmShot>,
}

struct State {
    tally: Tally,
    lost: u64,
    faults: u64,
    points: VecDeque<(Instant, Point)>,
    alarms: VecDeque<AlarmShot>,
    begun: u64,
    inputs: Vec<Option<Input>>,
    sights: Vec<Sight>,
    last: Option<Instant>,
}

/// The input that viewers are shown.
struct Shown {
    since: Instant,
    input: Input,
    /// Where it is odd, once somebody has asked.
    heat: Option<Picture>,
}

/// Where the thread that decides leaves what it saw, and viewers find it.
pub(crate) struct Hub {
    about: About,
    state: Mutex<State>,
    /// Of each gate.
    shown: Mutex<Vec<Option<Shown>>>,
}

impl Hub {
    pub(crate) fn new(about: About) -> Self {
        let gates = about.gates.len();
        let state = State {
            tally: Tally::new(gates),
            lost: 0,
            faults: 0,
            points: VecDeque::new(),
            alarms: VecDeque::new(),
            begun: 0,
            inputs: vec![None; gates],
            sights: about.gates.iter().map(|gate| gate.sight.clone()).collect(),
            last: None,
        };
        let shown = (0..gates).map(|_| None).collect();
        Self {
            about,
            state: Mutex::new(state),
            shown: Mutex::new(shown),
        }
    }

    /// Leaves that the source is well, though nothing is due.
    pub(crate) fn heard(&self) {
        self.lock().last = Some(Instant::now());
    }

    /// Leaves an input.
    pub(crate) fn push(&self, seen: &Seen, lost: u64, faults: u64) {
        let now = Instant::now();
        let mut state = self.lock();
        state.tally.push(seen);
        (state.lost, state.faults, state.last) = (lost, faults, Some(now));
        let verdicts = seen.verdicts.iter().zip(&self.about.gates);
        let gates = verdicts.map(|(verdict, gate)| PointOfGate {
            score: verdict.score_raw.map(nats_from_raw),
            decision: verdict.decision,
            alarm: verdict.alarm,
            fault: verdict.fault(gate.sight.windows()),
        });
        let point = Point {
            index: seen.index,
            time: seen.time,
            gates: gates.collect(),
        };
        keep(&mut state.points, (now, point), POINTS);
        for (gate, verdict) in seen.verdicts.iter().enumerate() {
            if verdict.raised {
                let shot = self.shot(seen, gate, verdict, state.begun);
                state.begun += 1;
                keep(&mut state.alarms, shot, ALARMS);
            }
            if let Ok(input) = &verdict.input {
                state.sights[gate].follow(input);
                state.inputs[gate] = Some(input.clone());
            }
        }
    }

    fn shot(&self, seen: &Seen, gate: usize, verdict: &Verdict, id: u64) -> AlarmShot {
        let sight = self.gates().get(gate).map(|gate| &gate.sight);
        let input = verdict.input.as_ref().ok().cloned();
        AlarmShot {
            id,
            index: seen.index,
            time: seen.time,
            gate,
            p_value: verdict.p_value_ppm.map(|ppm| f64::from(ppm) / 1e6),
            fault: verdict.fault(sight.and_then(Sight::windows)),
            seen: input.is_some(),
            input,
        }
    }

    /// What stays the same, as JSON.
    pub(super) fn about(&self) -> String {
        serde_json::to_string(&self.about).unwrap_or_default()
    }

    pub(super) fn gates(&self) -> &[AboutGate] {
        &self.about.gates
    }

    /// What is decided about.
    pub(super) fn unit(&self) -> Unit {
        self.about.unit
    }

    /// What there is since input `from`, as JSON with the input to ask from next; none if nothing came.
    pub(super) fn since(&self, from: u64) -> Option<(String, u64)> {
        let state = self.lock();
        let (_, last) = state.points.back()?;
        if last.index < from {
            return None;
        }
        let fresh = state.points.iter().map(|(_, point)| point);
        let fresh: Vec<&Point> = fresh.filter(|point| point.index >= from).collect();
        let skipped = fresh.len().saturating_sub(POINTS_AN_EVENT);
        let millis = |d: Duration| d.as_secs_f64() * 1e3;
        let unit = self.unit();
        let count = |of| (unit == of).then(|| unit.counted(&state.tally));
        let stages = unit.stages(&state.tally).into_iter().map(|(name, l)| {
            let [half, most, worst] = [l.quantile(0.5), l.quantile(0.99), l.worst()].map(millis);
            (name, half, most, worst)
        });
        let event = Event {
            frames: count(Unit::Frame),
            windows: count(Unit::Window),
            dropped: state.tally.dropped,
            lost: state.lost,
            faults: state.faults,
            rate: rate(&state.points),
            gates: state.tally.views.clone(),
            shares: state
                .tally
                .views
                .iter()
                .map(Counts::rejected_share)
                .collect(),
            latency_ms: stages.collect(),
            points: fresh.into_iter().skip(skipped).collect(),
            alarms: state.alarms.iter().collect(),
        };
        let next = last.index + 1;
        Some((serde_json::to_string(&event).unwrap_or_default(), next))
    }

    /// The last input as a gate's model sees it; at most [`SHOWN`] behind.
    pub(super) fn picture(&self, gate: usize) -> Option<Picture> {
        let input = self.shown(gate, |shown| Some(shown.input.clone()))?;
        self.lock().sights.get(gate)?.picture(&input)
    }

    /// Where that input is odd.
    pub(super) fn heat(&self, gate: usize) -> Option<Picture> {
        let sight = &self.gates().get(gate)?.sight;
        self.shown(gate, |shown| {
            if shown.heat.is_none() {
                shown.heat = sight.heat(&shown.input);
            }
            shown.heat.clone()
        })
    }

    /// The input that viewers are shown; the last one where that is too old.
    fn shown<T>(&self, gate: usize, show: impl FnOnce(&mut Shown) -> Option<T>) -> Option<T> {
        let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = all.get_mut(gate)?;
        if shown
            .as_ref()
            .is_none_or(|shown| shown.since.elapsed() > SHOWN)
        {
            let input = self.lock().inputs.get(gate)?.clone()?;
            *shown = Some(Shown {
                since: Instant::now(),
                input,
                heat: None,
            });
        }
        show(shown.as_mut()?)
    }

    /// The input with which an alarm began.
    pub(super) fn alarm(&self, id: u64) -> Option<Picture> {
        let state = self.lock();
        let shot = state.alarms.iter().find(|shot| shot.id == id)?;
        state.sights.get(shot.gate)?.picture(shot.input.as_ref()?)
    }

    /// What is counted, of one moment.
    pub(super) fn counted(&self) -> (Tally, u64, u64) {
        let state = self.lock();
        (state.tally.clone(), state.lost, state.faults)
    }

    /// How long the source may be silent.
    pub(super) fn patience(&self) -> Duration {
        let all = self.gates().iter().map(|gate| gate.sight.patience());
        all.max().unwrap_or_default()
    }

    /// How long ago the source was heard of last.
    pub(super) fn silence(&self) -> Option<Duration> {
        self.lock().last.map(|last| last.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(item);
}

fn rate(points: &VecDeque<(Instant, Point)>) -> Option<f64> {
    let (first, last) = (points.front()?.0, points.back()?.0);
    let seconds = last.saturating_duration_since(first).as_secs_f64();
    (seconds > 0.0).then(|| (points.len() - 1) as f64 / seconds)
}
