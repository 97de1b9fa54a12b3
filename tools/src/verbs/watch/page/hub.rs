//! What viewers see, of a size that does not grow with the stream.

use super::super::decider::Seen;
use super::super::tally::{Counts, Tally};
use crate::picture::file::encode;
use flow_infer::artifact::Artifact;
use flow_infer::gate::Decision;
use flow_infer::spec::Shape;
use flow_infer::spec::units::nats_from_raw;
use flow_train_host::heat::heat;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Frames whose scores are kept.
const POINTS: usize = 600;
/// Alarms that are kept.
const ALARMS: usize = 24;
/// Most points of one event, so that a fast file does not flood a viewer.
const POINTS_AN_EVENT: usize = 200;

/// How long a picture serves all viewers: they ask twice a second, and a heat map is an evaluation of its own.
const SHOWN: Duration = Duration::from_millis(400);

/// What stays the same.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct About {
    pub(crate) source: String,
    pub(crate) started: String,
    pub(crate) gates: Vec<AboutGate>,
}

/// What is known of a gate.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AboutGate {
    pub(crate) name: String,
    pub(crate) score: &'static str,
    pub(crate) threshold: f64,
    /// The rate of false alarms that its calibration promises not to pass.
    pub(crate) promised: f64,
    pub(crate) version: u32,
    pub(crate) tool: String,
    pub(crate) commit: String,
    pub(crate) data: String,
    pub(crate) history: Vec<String>,
    #[serde(skip)]
    pub(crate) shape: Shape,
    /// The file, for heat maps.
    #[serde(skip)]
    pub(crate) file: Vec<u8>,
}

/// A frame's scores.
#[derive(Clone, Debug, Serialize)]
struct Point {
    index: u64,
    time: f64,
    gates: Vec<PointOfGate>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct PointOfGate {
    score: Option<f64>,
    decision: Decision,
    alarm: bool,
}

/// An alarm that began.
#[derive(Clone, Debug, Serialize)]
struct AlarmShot {
    id: u64,
    index: u64,
    time: f64,
    gate: usize,
    p_value: Option<f64>,
    #[serde(skip)]
    input: Option<Box<[u8]>>,
}

/// What an event carries.
#[derive(Serialize)]
struct Event<'a> {
    frames: u64,
    dropped: u64,
    lost: u64,
    faults: u64,
    /// Frames a second, over the kept ones.
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
    inputs: Vec<Option<Box<[u8]>>>,
    last: Option<Instant>,
}

/// The frame that viewers are shown.
struct Shown {
    since: Instant,
    input: Box<[u8]>,
    /// Where it is odd, once somebody has asked.
    heat: Option<Vec<u8>>,
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
            last: None,
        };
        let shown = (0..gates).map(|_| None).collect();
        Self {
            about,
            state: Mutex::new(state),
            shown: Mutex::new(shown),
        }
    }

    /// Leaves a frame.
    pub(crate) fn push(&self, seen: &Seen, lost: u64, faults: u64) {
        let now = Instant::now();
        let mut state = self.lock();
        state.tally.push(seen);
        (state.lost, state.faults, state.last) = (lost, faults, Some(now));
        let gates = seen.verdicts.iter().map(|verdict| PointOfGate {
            score: verdict.score_raw.map(nats_from_raw),
            decision: verdict.decision,
            alarm: verdict.alarm,
        });
        let point = Point {
            index: seen.index,
            time: seen.time,
            gates: gates.collect(),
        };
        keep(&mut state.points, (now, point), POINTS);
        for (gate, verdict) in seen.verdicts.iter().enumerate() {
            let input = verdict.input.as_ref().ok().cloned();
            if verdict.raised {
                let shot = AlarmShot {
                    id: state.begun,
                    index: seen.index,
                    time: seen.time,
                    gate,
                    p_value: verdict.p_value_ppm.map(|ppm| f64::from(ppm) / 1e6),
                    input: input.clone(),
                };
                state.begun += 1;
                keep(&mut state.alarms, shot, ALARMS);
            }
            if input.is_some() {
                state.inputs[gate] = input;
            }
        }
    }

    /// What stays the same, as JSON.
    pub(super) fn about(&self) -> String {
        serde_json::to_string(&self.about).unwrap_or_default()
    }

    pub(super) fn gates(&self) -> &[AboutGate] {
        &self.about.gates
    }

    /// What there is since frame `from`, as JSON with the frame to ask from next; none if nothing came.
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
        let stages = state.tally.stages().map(|(name, l)| {
            let [half, most, worst] = [l.quantile(0.5), l.quantile(0.99), l.worst()].map(millis);
            (name, half, most, worst)
        });
        let event = Event {
            frames: state.tally.frames,
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
            latency_ms: stages.to_vec(),
            points: fresh.into_iter().skip(skipped).collect(),
            alarms: state.alarms.iter().collect(),
        };
        let next = last.index + 1;
        Some((serde_json::to_string(&event).unwrap_or_default(), next))
    }

    /// The last frame as a gate's model sees it, as PNG; at most [`SHOWN`] behind.
    pub(super) fn frame(&self, gate: usize) -> Option<Vec<u8>> {
        let shape = self.gates().get(gate)?.shape;
        self.shown(gate, |shown| png(shape, &shown.input))
    }

    /// Where that frame is odd, as PNG: the redder the odder, the bluer the more usual.
    pub(super) fn heat(&self, gate: usize) -> Option<Vec<u8>> {
        let file = &self.gates().get(gate)?.file;
        self.shown(gate, |shown| {
            if shown.heat.is_none() {
                shown.heat = heat_png(file, &shown.input);
            }
            shown.heat.clone()
        })
    }

    /// The frame that viewers are shown; the last one where that is too old.
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

    /// The frame with which an alarm began, as PNG.
    pub(super) fn alarm(&self, id: u64) -> Option<Vec<u8>> {
        let (gate, input) = {
            let state = self.lock();
            let shot = state.alarms.iter().find(|shot| shot.id == id)?;
            (shot.gate, shot.input.clone()?)
        };
        png(self.gates().get(gate)?.shape, &input)
    }

    /// What is counted, of one moment.
    pub(super) fn counted(&self) -> (Tally, u64, u64) {
        let state = self.lock();
        (state.tally.clone(), state.lost, state.faults)
    }

    /// How long ago the last frame was.
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

/// Where an input is odd, as a picture.
fn heat_png(file: &[u8], input: &[u8]) -> Option<Vec<u8>> {
    let artifact = Artifact::load(file).ok()?;
    let map = heat(&artifact, input).ok()?;
    let most = map.nats.iter().fold(1.0f32, |most, v| most.max(v.abs()));
    let pixel = |&nats: &f32| {
        let pale = (255.0 * (1.0 - nats.abs() / most)) as u8;
        match nats > 0.0 {
            true => [255, pale, pale],
            false => [pale, pale, 255],
        }
    };
    let pixels: Vec<u8> = map.nats.iter().flat_map(pixel).collect();
    encode((map.width, map.height), png::ColorType::Rgb, &pixels).ok()
}

/// An input as a picture: its planes interleaved.
fn png(shape: Shape, input: &[u8]) -> Option<Vec<u8>> {
    let (height, width) = (usize::from(shape.height), usize::from(shape.width));
    let plane = height * width;
    let colour = match shape.channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    };
    let channels = usize::from(shape.channels);
    let at = |place: usize| (0..channels).filter_map(move |c| input.get(c * plane + place));
    let samples: Vec<u8> = (0..plane).flat_map(at).copied().collect();
    encode((width, height), colour, &samples).ok()
}
