//! `flowgate capture`: frames of a camera, kept to calibrate with or to look at.

mod keeper;
mod pictures;
mod video;

use crate::camera::pump::{Pump, Reduced, Signals};
use crate::camera::slot::{Policy, Slot, Taken};
use crate::camera::{self, SourceArgs};
use crate::output::Output;
use crate::verbs::watch::views::{self, ViewArgs};
use crate::{failure, frames, interrupt, json, number};
use anyhow::{Context, Result, anyhow, bail};
use flow_infer::front_end::Region;
use flow_infer::gate::Decision;
use flow_infer::{Gates, Workspace};
use keeper::{Keeper, Outcome};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long at most before an end that was asked for is seen.
const PATIENCE: Duration = Duration::from_millis(100);

/// Keep frames of a camera or a video, to calibrate with or to look at
#[derive(clap::Args)]
#[command(
    after_help = "A video FILE.y4m holds frames of Y, Cb and Cr or grey bit by bit, pictures in DIR hold them as red, green \
    and blue or grey; `calibrate` takes both. A video appears under its name when it is whole, pictures one by one.\n\n\
    Exit code: 0 when the frames are kept, at the end of the source or when asked to end (SIGINT, SIGTERM), \
    2 if the source, the model or the place cannot be used, or if something that was no frame came.\n\n\
    Examples:\n  flowgate capture /dev/video0 --out benign.y4m --count 2000 --every 30\n  \
    flowgate capture line.y4m --out odd --strange gate.flow --most-bytes 200M"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// A video that is made, or a directory for PNG pictures; nothing that is there is written over
    #[arg(long, value_name = "FILE.y4m|DIR")]
    out: PathBuf,
    /// Keep so many frames
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Look at one frame of N only: frames that follow each other at once are too much alike to calibrate with
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// End before more than so many bytes are written, as 500M or 2G
    #[arg(long, value_name = "BYTES", default_value = "1G", value_parser = number::size)]
    most_bytes: u64,
    /// Keep only frames that this gate does not accept
    #[arg(long, value_name = "MODEL.flow")]
    strange: Option<PathBuf>,
    /// The part of a frame that the gate looks at
    #[arg(long, value_name = "X,Y,W,H", requires = "strange", value_parser = frames::region)]
    region: Option<Region>,
    /// Print one JSON object for each frame that is kept, and the summary on standard error
    #[arg(long)]
    json: bool,
}

/// A frame that was kept.
#[derive(Serialize)]
struct Kept<'a> {
    /// Its number in the stream, from 0.
    index: u64,
    time: f64,
    /// The picture, or the frame of the video.
    kept: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_raw: Option<i64>,
}

/// Why no more frames are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// As many as were wanted, as much as was allowed, or an end was asked for.
    Enough,
    OfSource,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let view = self.strange.as_deref();
        let view = view.map(|model| ViewArgs::one(model, self.region));
        let files = view.as_ref().map_or(Ok(Vec::new()), ViewArgs::files)?;
        let models = views::models(&files)?;
        let looks = view.as_ref().map(|view| view.views(&files, &models));
        let looks = looks.transpose()?.unwrap_or_default();
        let mut workspace = Workspace::for_models(&models);
        let gates = views::gates(&files, &models, &mut workspace)?;
        let asked = interrupt::flag();
        let keeper = Keeper::new(&self.out, self.most_bytes)?;
        let camera = camera::open(&self.source)?;
        let policy = match camera.is_live() {
            true => Policy::Newest,
            false => Policy::Every,
        };
        let signals = Arc::new(Signals::default());
        let slot = Arc::new(Slot::new(policy));
        let mut capture = Capture {
            args: self,
            gates: view.map(|_| gates),
            keeper: keeper.at_rate(camera.interval(), self.every),
            dropped: 0,
            seen: 0,
        };
        let reductions: Vec<_> = looks.iter().map(|look| look.reduction).collect();
        let paced = self.source.rate().is_some();
        let pump = Pump::new(camera, &reductions, paced, Arc::clone(&signals));
        let pump = pump.context("--region")?.with_frames();
        let reader = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || pump.run(&slot))
        };
        let end = capture.follow(&slot, &asked, out);
        signals.stop.store(true, Ordering::Relaxed);
        slot.close();
        // What was kept stays, whatever ended the rest.
        let finished = capture.keeper.finish();
        let end = end?;
        finished?;
        capture.report(&signals, out)?;
        if end == End::Enough {
            // Another read might wait for its sender for ever: it ends with the process.
            return Ok(());
        }
        let ended = reader.join();
        ended.unwrap_or_else(|_| Err(anyhow!("the thread that reads frames is gone")))?;
        match signals.counted().1 {
            0 => Ok(()),
            faults => bail!(
                "{}: in {faults} places something else came where a frame should be",
                self.source.name()
            ),
        }
    }
}

/// What happens to frames on this side of the queue.
struct Capture<'a> {
    args: &'a Args,
    gates: Option<Gates<'a>>,
    keeper: Keeper,
    seen: u64,
    /// Frames that gave way to newer ones.
    dropped: u64,
}

impl Capture<'_> {
    fn follow(
        &mut self,
        slot: &Slot<Reduced>,
        asked: &AtomicBool,
        out: &mut Output,
    ) -> Result<End> {
        while self.keeper.count() < self.args.count {
            if asked.load(Ordering::Relaxed) || out.is_closed() {
                return Ok(End::Enough);
            }
            match slot.take(PATIENCE) {
                Taken::Next(frame, dropped) => {
                    self.seen += 1;
                    self.dropped += dropped;
                    if !self.frame(&frame, out)? {
                        return Ok(End::Enough);
                    }
                }
                Taken::Nothing => {}
                Taken::Closed => return Ok(End::OfSource),
            }
        }
        Ok(End::Enough)
    }

    /// Keeps a frame if it is one to be kept; false where there is no more room.
    fn frame(&mut self, frame: &Reduced, out: &mut Output) -> Result<bool> {
        let due = frame.index.is_multiple_of(self.args.every);
        let Some(whole) = frame.whole.as_ref().filter(|_| due) else {
            return Ok(true);
        };
        let (decision, score_raw) = match self.assess(frame) {
            Some((Decision::Accept, _)) => return Ok(true),
            Some((decision, score)) => (Some(decision), score),
            None => (None, None),
        };
        let kept = match self.keeper.keep(whole)? {
            Outcome::Kept(name) => name,
            Outcome::Misfit => return Ok(true),
            Outcome::Full => {
                let most = number::bytes(self.args.most_bytes);
                failure::note(&format!("--most-bytes: the next frame would pass {most}"));
                return Ok(false);
            }
        };
        if self.args.json {
            let (index, time) = (frame.index, (frame.time * 1e6).round() / 1e6);
            let line = Kept {
                index,
                time,
                kept: &kept,
                decision,
                score_raw,
            };
            json::print(&line, out)?;
            out.flush()?;
        }
        Ok(true)
    }

    /// What the gate says, where there is one.
    fn assess(&mut self, frame: &Reduced) -> Option<(Decision, Option<i64>)> {
        let gates = self.gates.as_mut()?;
        let input = frame.inputs.first().and_then(|input| input.as_deref().ok());
        let assessed = input.and_then(|input| gates.assess(0, input)?.ok());
        Some(assessed.map_or((Decision::Invalid, None), |a| {
            (a.decision, Some(a.score_raw))
        }))
    }

    fn report(&self, signals: &Signals, out: &mut Output) -> Result<()> {
        let (lost, faults) = signals.counted();
        let sentence = format!(
            "{} of {} frames kept, {} in {}; {} dropped, {} lost, {} faults",
            number::grouped(self.keeper.count()),
            number::grouped(self.seen),
            number::bytes(self.keeper.bytes()),
            flow_train_host::files::one_line(&self.args.out),
            number::grouped(self.dropped),
            number::grouped(lost),
            number::grouped(faults),
        );
        match self.args.json {
            true => failure::note(&sentence),
            false => writeln!(out, "{sentence}")?,
        }
        Ok(())
    }
}
