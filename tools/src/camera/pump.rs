//! The thread that waits for frames and reduces them: what goes on from it is a few hundred bytes a frame.

use super::inputs::{Inputs, InputsOfFrame};
use super::slot::Slot;
use super::whole::Whole;
use super::{Camera, Step};
use crate::failure;
use anyhow::Result;
use flow_infer::front_end::{FrameError, FrameSpec, Reduction};
use flow_train_host::data::reduce::Reducer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a device that went away is left alone before it is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long at most before somebody sees that an end was asked for.
const NAP: Duration = Duration::from_millis(100);

/// A frame as the models read it, or what came in its place.
#[derive(Debug)]
pub(crate) struct Reduced {
    /// Its number in the stream, from 0.
    pub(crate) index: u64,
    /// Seconds since the first frame.
    pub(crate) time: f64,
    /// The input of every view, or why there is none.
    pub(crate) inputs: Vec<Result<Box<[u8]>, String>>,
    /// The frame itself, where it is wanted.
    pub(crate) whole: Option<Whole>,
    /// From its first byte to its last.
    pub(crate) read: Duration,
    /// From its last byte to the inputs.
    pub(crate) reduce: Duration,
    /// When its last byte was there.
    pub(crate) complete: Instant,
}

/// What the threads tell each other beside frames.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// An end was asked for.
    pub(crate) stop: AtomicBool,
    /// Things that came in the place of a frame.
    pub(crate) faults: AtomicU64,
    /// Frames that the driver lost.
    pub(crate) lost: AtomicU64,
}

impl Signals {
    /// Frames that the driver lost, and faults.
    pub(crate) fn counted(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.lost), count(&self.faults))
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Reads a camera and reduces its frames.
pub(crate) struct Pump {
    camera: Box<dyn Camera>,
    reducers: Vec<Reducer>,
    signals: Arc<Signals>,
    /// From one frame to the next, where the source says it.
    interval: Option<Duration>,
    /// Whether a file is played no faster than that.
    paced: bool,
    /// Whether frames themselves are handed on as well.
    whole: bool,
    started: Option<Instant>,
    /// What the last frame was like.
    spec: Option<FrameSpec>,
    index: u64,
    /// The last warning, which is not said twice.
    said: String,
}

impl Pump {
    pub(crate) fn new(
        camera: Box<dyn Camera>,
        reductions: &[Reduction],
        paced: bool,
        signals: Arc<Signals>,
    ) -> Result<Self, FrameError> {
        let reducers = reductions.iter().map(Reducer::new);
        Ok(Self {
            reducers: reducers.collect::<Result<_, _>>()?,
            whole: false,
            interval: camera.interval().filter(|_| !camera.is_live()),
            paced,
            camera,
            signals,
            started: None,
            spec: None,
            index: 0,
            said: String::new(),
        })
    }

    /// Hands frames themselves on beside their inputs.
    pub(crate) fn with_frames(self) -> Self {
        Self {
            whole: true,
            ..self
        }
    }

    /// Hands every frame on until there are no more, or none are wanted. The slot is closed whatever happens.
    pub(crate) fn run(mut self, slot: &Slot<Reduced>) -> Result<()> {
        let ended = self.pump(slot);
        slot.close();
        ended
    }

    fn pump(&mut self, slot: &Slot<Reduced>) -> Result<()> {
        while !self.signals.stopped() {
            self.keep_pace();
            let (step, frame) = self.step()?;
            let reduced = match (step, frame) {
                (Step::End, _) => break,
                (Step::Idle, _) | (Step::Frame, None) => continue,
                (Step::Gone(why), _) => {
                    self.bring_back(&why);
                    continue;
                }
                (Step::Fault(what), _) => self.fault(what),
                (Step::Frame, Some(frame)) => self.frame(frame)?,
            };
            if !slot.put(reduced) {
                break;
            }
        }
        Ok(())
    }

    /// One step of the camera, with the frame reduced as it comes.
    fn step(&mut self) -> Result<(Step, Option<InputsOfFrame>)> {
        let mut inputs = Inputs::new(&mut self.reducers, self.whole);
        let step = self.camera.step(&mut inputs)?;
        Ok((step, inputs.found))
    }

    /// The next number in the stream, and its time.
    fn number(&mut self, complete: Instant) -> (u64, f64) {
        let started = *self.started.get_or_insert(complete);
        let index = self.index;
        self.index += 1;
        let since = complete.saturating_duration_since(started).as_secs_f64();
        let time = self
            .interval
            .map_or(since, |every| index as f64 * every.as_secs_f64());
        (index, time)
    }

    fn frame(&mut self, frame: InputsOfFrame) -> Result<Reduced> {
        let InputsOfFrame {
            inputs,
            whole,
            spec,
            arrival,
            reduce,
        } = frame;
        self.signals.lost.fetch_add(arrival.lost, Ordering::Relaxed);
        let wrong = inputs.iter().find_map(|input| input.as_ref().err());
        if let Some(error) = wrong {
            let size = format!("{}x{} {}", spec.width, spec.height, spec.format);
            let what = format!("frames of {size}: {error}");
            if self.spec.is_none() {
                anyhow::bail!("{}: {what}", self.camera.name());
            }
            self.signals.faults.fetch_add(1, Ordering::Relaxed);
            self.warn(&what);
        } else {
            self.said.clear();
        }
        self.spec = Some(spec);
        let (index, time) = self.number(arrival.complete);
        let text = |error: FrameError| error.to_string();
        Ok(Reduced {
            index,
            time,
            inputs: inputs.into_iter().map(|i| i.map_err(text)).collect(),
            whole,
            read: arrival.complete.saturating_duration_since(arrival.began),
            reduce,
            complete: arrival.complete,
        })
    }

    /// What stands for something that is no frame.
    fn fault(&mut self, what: String) -> Reduced {
        self.signals.faults.fetch_add(1, Ordering::Relaxed);
        self.warn(&what);
        let complete = Instant::now();
        let (index, time) = self.number(complete);
        Reduced {
            index,
            time,
            inputs: self.reducers.iter().map(|_| Err(what.clone())).collect(),
            whole: None,
            read: Duration::ZERO,
            reduce: Duration::ZERO,
            complete,
        }
    }

    fn warn(&mut self, what: &str) {
        if self.said != what {
            failure::warn(&format!("{}: {what}", self.camera.name()));
            what.clone_into(&mut self.said);
        }
    }

    /// Opens a device again and again until it is there or an end is asked for.
    fn bring_back(&mut self, why: &str) {
        let name = self.camera.name().to_owned();
        failure::warn(&format!("{name}: {why}; waiting for it to come back"));
        while !self.signals.stopped() {
            sleep(RETRY, &self.signals);
            if self.camera.reopen().is_ok() {
                failure::warn(&format!("{name}: it is back"));
                return;
            }
        }
    }

    /// Waits until the next frame of a file is due.
    fn keep_pace(&self) {
        if let (true, Some(every), Some(started)) = (self.paced, self.interval, self.started) {
            let due = every.saturating_mul(u32::try_from(self.index).unwrap_or(u32::MAX));
            sleep(due.saturating_sub(started.elapsed()), &self.signals);
        }
    }
}

/// Sleeps, unless an end is asked for.
fn sleep(long: Duration, signals: &Signals) {
    let end = Instant::now() + long;
    while !signals.stopped() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(NAP));
    }
}

#[cfg(test)]
mod tests {
    use super::super::slot::{Policy, Taken};
    use super::super::{Arrival, Sink};
    use super::*;
    use flow_infer::front_end::{Frame, PixelFormat};
    use flow_infer::spec::Shape;

    /// A device that goes away behind its second frame, comes back when it is asked for the second time, and loses
    /// three frames.
    struct Loose {
        steps: u64,
        reopened: u64,
    }

    impl Camera for Loose {
        fn step(&mut self, sink: &mut dyn Sink) -> Result<Step> {
            self.steps += 1;
            match self.steps {
                3 => return Ok(Step::Gone("the device went away: unplugged".to_owned())),
                4 => {
                    return Ok(Step::Fault(
                        "the driver marked a frame as broken".to_owned(),
                    ));
                }
                7 => return Ok(Step::End),
                _ => {}
            }
            assert!(self.steps < 3 || self.reopened == 2, "it is not there");
            let now = Instant::now();
            let arrival = Arrival {
                began: now,
                complete: now,
                lost: if self.steps == 5 { 3 } else { 0 },
            };
            let spec = FrameSpec::new(PixelFormat::Grey8, 2, 2);
            sink.frame(&Frame::new(spec, &[self.steps as u8; 4])?, arrival);
            Ok(Step::Frame)
        }

        fn name(&self) -> &str {
            "loose"
        }

        fn is_live(&self) -> bool {
            true
        }

        fn interval(&self) -> Option<Duration> {
            None
        }

        fn reopen(&mut self) -> Result<()> {
            self.reopened += 1;
            match self.reopened {
                1 => anyhow::bail!("not there yet"),
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn a_device_that_went_away_is_waited_for_and_what_was_lost_is_counted() {
        let camera = Loose {
            steps: 0,
            reopened: 0,
        };
        let signals = Arc::new(Signals::default());
        let whole = Reduction::to(Shape::new(1, 2, 2));
        let pump = Pump::new(Box::new(camera), &[whole], false, Arc::clone(&signals)).unwrap();
        let slot = Slot::new(Policy::Every);
        let mut found = Vec::new();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| pump.with_frames().run(&slot));
            loop {
                match slot.take(NAP) {
                    Taken::Next(frame, 0) => {
                        assert_eq!(frame.whole.is_some(), frame.inputs[0].is_ok());
                        found.push((frame.index, frame.inputs[0].as_ref().ok().map(|i| i[0])));
                    }
                    Taken::Next(..) => panic!("no frame gives way"),
                    Taken::Nothing => {}
                    Taken::Closed => break,
                }
            }
            reader.join().unwrap().unwrap();
        });
        let wanted = [
            (0, Some(1)),
            (1, Some(2)),
            (2, None),
            (3, Some(5)),
            (4, Some(6)),
        ];
        assert_eq!(found, wanted);
        assert_eq!(signals.counted(), (3, 1));
    }
}
