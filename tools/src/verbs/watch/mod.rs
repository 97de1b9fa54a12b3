//! `flowgate watch`: a camera in, a decision a frame; or a sensor in, a decision a window ([`samples`]).
//!
//! One thread waits for frames and reduces them (`camera::pump`), this one decides ([`decider`]); between them lies a queue
//! of a few (`camera::slot`), so that memory does not grow with the stream.

mod alarm;
mod decider;
mod json;
mod latency;
mod page;
mod samples;
mod tally;
pub(super) mod views;

use crate::camera::pump::{Pump, Reduced, Signals};
use crate::camera::slot::{Policy, Slot, Taken};
use crate::camera::{self, SourceArgs};
use crate::failure::{self, CheckFailed};
use crate::interrupt;
use crate::output::Output;
use alarm::AlarmArgs;
use anyhow::{Context, Result, anyhow, bail};
use decider::{Decider, Seen};
use flow_infer::{Model, Workspace};
use page::{About, AboutGate, Hub, PageArgs, Sight};
use samples::SampleArgs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tally::Tally;
use views::{File, View, ViewArgs};

/// How long at most before an end that was asked for is seen.
const PATIENCE: Duration = Duration::from_millis(100);

/// Decide about every frame of a camera or a video, or every window of a sensor
#[derive(clap::Args)]
#[command(
    after_help = "Exit code: 0 at the end of the source or when asked to end (SIGINT, SIGTERM), 1 with \
    --fail-on-alarm if there was an alarm, 2 if the source, the model or the address cannot be used, \
    or if something that was no frame and no sample came before the end.\n\n\
    Examples:\n  flowgate watch gate.flow line.y4m --json\n  \
    ffmpeg -i rtsp://camera/stream -f yuv4mpegpipe -pix_fmt yuv420p - | flowgate watch gate.flow - --newest\n  \
    stdbuf -oL read-accelerometer | flowgate watch motion.flow - --json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    views: ViewArgs,
    #[command(flatten)]
    source: SourceArgs,
    /// Skip to the newest frame when frames come too fast, and count the others: the default for devices
    #[arg(long, conflicts_with = "every")]
    newest: bool,
    /// Have the source wait when frames come too fast: the default for files and standard input
    #[arg(long)]
    every: bool,
    #[command(flatten)]
    alarm: AlarmArgs,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    samples: SampleArgs,
    /// Print one JSON object a line, and the summary on standard error
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let files = self.views.files()?;
        let models = views::models(&files)?;
        if let [model] = models.as_slice()
            && model.artifact().windows().is_some()
        {
            return samples::watch(self, &files[0], &interrupt::flag(), out);
        }
        self.samples.refuse()?;
        let looks = self.views.views(&files, &models)?;
        let mut workspace = Workspace::for_models(&models);
        let gates = views::gates(&files, &models, &mut workspace)?;
        let decider = Decider::new(gates, &looks, &self.alarm)?;
        let page = self.page.bind()?;
        let asked = interrupt::flag();
        let camera = camera::open(&self.source)?;
        let policy = self.policy(camera.is_live());
        let name = camera.name().to_owned();
        let signals = Arc::new(Signals::default());
        let paced = self.source.rate().is_some();
        let reductions: Vec<_> = looks.iter().map(|view| view.reduction).collect();
        let pump = Pump::new(camera, &reductions, paced, Arc::clone(&signals));
        let pump = pump.context("--region")?;
        let slot = Arc::new(Slot::new(policy));
        let hub = page::show(page, || about(&name, &looks, &files, &models))?;
        let mut watch = Watch {
            tally: Tally::new(looks.len()),
            decider,
            views: &looks,
            json: self.json,
            signals: &signals,
            hub,
        };
        let reader = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || pump.run(&slot))
        };
        let end = follow(&asked, out, |out| watch.step(&slot, out))?;
        signals.stop.store(true, Ordering::Relaxed);
        slot.close();
        watch.report(out)?;
        if end == End::OfSource {
            // Another read might wait for its sender for ever: it ends with the process.
            join(reader)?;
        }
        self.outcome(Watched {
            end,
            name: &name,
            alarms: watch.tally.alarms(),
            faults: signals.counted().1,
            unit: "frame",
        })
    }

    fn policy(&self, is_live: bool) -> Policy {
        match (self.newest, self.every) {
            (false, false) if is_live => Policy::Newest,
            (newest, _) if newest => Policy::Newest,
            _ => Policy::Every,
        }
    }

    /// How the command ends after this.
    fn outcome(&self, watched: Watched<'_>) -> Result<()> {
        let Watched {
            end,
            name,
            alarms,
            faults,
            unit,
        } = watched;
        if self.alarm.fail_on_alarm && alarms > 0 {
            return Err(CheckFailed(format!("{name}: {alarms} alarms")).into());
        }
        if end == End::OfSource && faults > 0 {
            bail!("{name}: in {faults} places something else came where a {unit} should be");
        }
        Ok(())
    }
}

/// What was seen of a source.
struct Watched<'a> {
    end: End,
    name: &'a str,
    alarms: u64,
    /// Places where something else came.
    faults: u64,
    /// What should have come.
    unit: &'static str,
}

/// Takes steps, each of which waits for [`PATIENCE`] at most and says whether the source has ended, until one says so, an
/// end is asked for, or nobody reads the results.
fn follow(
    asked: &AtomicBool,
    out: &mut Output,
    mut step: impl FnMut(&mut Output) -> Result<bool>,
) -> Result<End> {
    while !asked.load(Ordering::Relaxed) && !out.is_closed() {
        if step(out)? {
            return Ok(End::OfSource);
        }
    }
    Ok(End::AskedFor)
}

/// Why frames are no longer looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    OfSource,
    AskedFor,
}

/// What happens to frames on this side of the queue.
struct Watch<'a> {
    decider: Decider<'a>,
    views: &'a [View],
    tally: Tally,
    json: bool,
    signals: &'a Signals,
    /// Where viewers of the page look.
    hub: Option<Arc<Hub>>,
}

impl Watch<'_> {
    /// Decides about a frame, if one comes; says whether there are no more.
    fn step(&mut self, slot: &Slot<Reduced>, out: &mut Output) -> Result<bool> {
        match slot.take(PATIENCE) {
            Taken::Next(frame, dropped) => {
                let seen = self.decider.decide(frame, dropped);
                self.tally.push(&seen);
                if let Some(hub) = &self.hub {
                    let (lost, faults) = self.signals.counted();
                    hub.push(&seen, lost, faults);
                }
                self.tell(&seen, out)?;
                Ok(false)
            }
            Taken::Nothing => Ok(false),
            Taken::Closed => Ok(true),
        }
    }

    fn tell(&self, seen: &Seen, out: &mut Output) -> Result<()> {
        match self.json {
            true => writeln!(out, "{}", json::object(seen, &self.decider, self.views))?,
            false => self.tell_alarms(seen, out)?,
        }
        // Who reads this waits for it.
        Ok(out.flush()?)
    }

    /// A line where an alarm begins.
    fn tell_alarms(&self, seen: &Seen, out: &mut Output) -> Result<()> {
        for (place, (verdict, view)) in seen.verdicts.iter().zip(self.views).enumerate() {
            if verdict.raised {
                let gate = self.decider.calibration(place);
                let line = json::line(seen, verdict, gate, view.reduction.output.len());
                let by = line.rejected_by.unwrap_or("no valid frame");
                let p = line.p_value.map_or(String::new(), |p| format!(", p = {p}"));
                let (index, time) = (seen.index, seen.time);
                writeln!(
                    out,
                    "{time:10.3} s  frame {index}  {}: alarm, {by}{p}",
                    view.name
                )?;
            }
        }
        Ok(())
    }

    /// The summary: on standard error where standard output is for machines.
    fn report(&self, out: &mut Output) -> Result<()> {
        let (lost, faults) = self.signals.counted();
        let mut sentence = self.tally.sentence(lost, faults);
        for (place, view) in self.views.iter().enumerate() {
            if let Some(moved) = self.decider.moved(place) {
                sentence += &format!("; {}: {moved}", view.name);
            }
        }
        if self.json {
            failure::note(&sentence);
            return Ok(());
        }
        let promised = |place| {
            let gate = self.decider.calibration(place);
            gate.map_or(0.0, |gate| f64::from(gate.alpha_ppm) / 1e6)
        };
        let promised: Vec<f64> = (0..self.views.len()).map(promised).collect();
        let names: Vec<String> = self.views.iter().map(|view| view.name.clone()).collect();
        writeln!(out, "{sentence}\n")?;
        self.tally.print(&names, &promised, out)
    }
}

fn join(reader: JoinHandle<Result<()>>) -> Result<()> {
    let ended = reader.join();
    ended.unwrap_or_else(|_| Err(anyhow!("the thread that reads frames is gone")))
}

/// What the page says of the source and the models.
fn about(source: &str, views: &[View], files: &[File], models: &[Model<'_>]) -> About {
    let gate = |view: &View| {
        let sight = Sight::Frames {
            shape: view.reduction.output,
            file: files[view.model].loaded.bytes().to_vec(),
        };
        AboutGate::of(&models[view.model], view.name.clone(), sight)
    };
    About::today(source, views.iter().map(gate).collect())
}
