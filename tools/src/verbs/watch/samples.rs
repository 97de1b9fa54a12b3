//! `watch` of a sensor: a CSV line a sample in, a decision a window.
//!
//! One thread waits for lines, this one decides: an end that was asked for is seen though no line comes.

use super::decider::{Guard, Input, Seen, Stages, Verdict};
use super::page::{self, About, AboutGate, Hub, Sight};
use super::tally::{self, Counts, Tally};
use super::views::{self, File};
use super::{Args, PATIENCE, Watched, follow, json};
use crate::camera::SourceArgs;
use crate::failure;
use crate::inputs::with_advice;
use crate::json::versioned;
use crate::line::Line;
use crate::number;
use crate::output::Output;
use crate::traces::Traces;
use anyhow::{Context, Result, anyhow, bail};
use flow_infer::gate::Calibration;
use flow_infer::spec::units::nats_from_raw;
use flow_infer::{Assessment, Gate, Workspace};
use flow_train_host::data::recordings::{LiveSamples, LiveStep, RecordingOptions, Sample};
use flow_train_host::data::{ColumnChoice, DataError};
use flow_train_host::files::one_line;
use flow_train_host::windows::WindowSpec;
use serde::Serialize;
use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

/// Lines that wait to be decided about at most.
const WAITING: usize = 4096;
/// Places that are warned of; later ones are counted.
const WARNED_OF: u64 = 20;

/// Which columns of a recording are read.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct SampleArgs {
    /// Columns that are the model's channels, in its order: names, or numbers from 1; by default those of its names
    #[arg(
        long,
        value_name = "NAMES|NUMBERS",
        value_delimiter = ',',
        help_heading = "Samples of a sensor"
    )]
    channels: Vec<String>,
    /// Column of times; by default one whose name says so (t, time, timestamp_ms)
    #[arg(long, value_name = "NAME", help_heading = "Samples of a sensor")]
    time: Option<String>,
}

impl SampleArgs {
    /// Refuses what is for sensors where the model reads frames.
    pub(super) fn refuse(&self) -> Result<()> {
        match (self.channels.is_empty(), &self.time) {
            (true, None) => Ok(()),
            (false, _) => bail!("--channels: of a sensor, and the model reads frames"),
            (true, Some(_)) => bail!("--time: of a sensor, and the model reads frames"),
        }
    }
}

/// Something that came from the other thread.
enum Came {
    /// A line, and when it was whole.
    Step(LiveStep, Instant),
    Failed(DataError),
}

/// A window, or what came in its place, as one JSON object.
#[derive(Serialize)]
struct Object<'a> {
    /// Seconds from the first sample to the last one of the window.
    time: Option<f64>,
    #[serde(flatten)]
    line: &'a Line,
    /// Lines of its first and its last sample.
    lines: [u64; 2],
    /// The name of the channel that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    alarm: bool,
    drift: bool,
    /// How far the threshold has moved, in nats, where it follows the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_moved: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Decides about the samples of one stream.
struct Watch<'g> {
    gate: Gate<'g>,
    guard: Guard,
    calibration: Option<Calibration>,
    dims: usize,
    spec: Arc<WindowSpec>,
    /// What the stream is called.
    name: String,
    json: bool,
    /// The last samples and their lines, as many as a window has.
    samples: VecDeque<i16>,
    lines: VecDeque<u64>,
    /// Lines in a row that are no samples.
    run: usize,
    time: Option<f64>,
    tally: Tally,
    /// Places where something else came.
    faults: u64,
    /// Where viewers of the page look.
    hub: Option<Arc<Hub>>,
}

/// Follows the samples of a source until they end, or an end is asked for.
pub(super) fn watch(args: &Args, file: &File, asked: &AtomicBool, out: &mut Output) -> Result<()> {
    if let Some(flag) = args.only_for_frames() {
        bail!("{flag}: for frames, and the model reads windows of a sensor");
    }
    let path = one_line(&file.path).to_string();
    let model = flow_infer::Model::load(file.loaded.bytes()).with_context(|| path.clone())?;
    let artifact = file.loaded.artifact()?;
    let windows = artifact.windows().context("a model of windows")?;
    let spec = Arc::new(WindowSpec::of(&windows));
    let calibration = artifact.calibration();
    let name = name(&args.source);
    let hub = page::show(args.page.bind()?, || {
        let sight = Sight::Windows(Traces::of_stream(spec.clone()));
        let gate = AboutGate::of(&model, views::name(&file.path, None), sight);
        About::today(&name, vec![gate])
    })?;
    let mut workspace = Workspace::for_model(&model);
    let gate = Gate::new(model, &mut workspace).map_err(|why| anyhow!("{path}: {why}"))?;
    let mut watch = Watch {
        guard: Guard::new(calibration, &args.alarm)?,
        calibration: calibration.cloned(),
        dims: artifact.dims(),
        gate,
        name,
        json: args.json,
        samples: VecDeque::new(),
        lines: VecDeque::with_capacity(usize::from(spec.length)),
        run: 0,
        time: None,
        tally: Tally::new(1),
        faults: 0,
        spec: spec.clone(),
        hub,
    };
    let came = came(&args.source, &args.samples, spec);
    let end = follow(asked, out, |out| watch.step(&came, out))?;
    watch.report(out)?;
    args.outcome(Watched {
        end,
        name: &watch.name,
        alarms: watch.tally.alarms(),
        faults: watch.faults,
        unit: "sample",
    })
}

/// As recordings are called: by the name of their file.
fn name(source: &SourceArgs) -> String {
    let name = Path::new(source.path()).file_name();
    match (source.is_standard_input(), name) {
        (false, Some(name)) => name.to_string_lossy().into_owned(),
        _ => source.name(),
    }
}

/// The lines of a source, read by a thread of its own, which ends with them or with the process.
fn came(source: &SourceArgs, args: &SampleArgs, spec: Arc<WindowSpec>) -> Receiver<Came> {
    let options = RecordingOptions {
        channels: ColumnChoice(args.channels.clone()),
        time: args.time.clone(),
        rate_hertz: source.rate(),
        ..RecordingOptions::of_model(spec.as_ref().clone())
    };
    let path = source.path().to_owned();
    let stream = source.is_standard_input().then(|| source.name());
    let (sender, receiver) = sync_channel(WAITING);
    thread::spawn(move || {
        let opened = match &stream {
            Some(name) => {
                let stream = Box::new(BufReader::new(std::io::stdin()));
                LiveSamples::of_stream(Path::new(name), stream, &spec, &options)
            }
            None => LiveSamples::open(&path, &spec, &options),
        };
        let ended = opened.and_then(|mut samples| send(&mut samples, &sender));
        if let Err(error) = ended {
            // Nobody is left to tell where the other end is gone.
            let _ = sender.send(Came::Failed(error));
        }
    });
    receiver
}

fn send(samples: &mut LiveSamples<'_>, to: &SyncSender<Came>) -> Result<(), DataError> {
    while let Some(step) = samples.next()? {
        if to.send(Came::Step(step, Instant::now())).is_err() {
            break;
        }
    }
    Ok(())
}

impl Watch<'_> {
    /// Takes a line, if one comes; says whether there are no more.
    fn step(&mut self, came: &Receiver<Came>, out: &mut Output) -> Result<bool> {
        match came.recv_timeout(PATIENCE) {
            Ok(Came::Step(LiveStep::Sample(sample), whole)) => self.sample(&sample, whole, out)?,
            Ok(Came::Step(LiveStep::Fault { line, why }, _)) => self.no_sample(line, &why, out)?,
            Ok(Came::Step(..)) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Came::Failed(error)) => return Err(with_advice(error, true)),
            Err(RecvTimeoutError::Disconnected) => return Ok(true),
        }
        Ok(false)
    }

    fn sample(&mut self, sample: &Sample, whole: Instant, out: &mut Output) -> Result<()> {
        let taken = Instant::now();
        self.run = 0;
        self.time = sample.seconds;
        if let Some(gap) = &sample.gap {
            self.fault(sample.line, &format!("line {}: {gap}", sample.line), out)?;
        }
        if let Some(hub) = &self.hub {
            hub.heard();
        }
        if self.lines.len() == usize::from(self.spec.length) {
            self.lines.pop_front();
            self.samples.drain(..sample.values.len());
        }
        self.lines.push_back(sample.line);
        self.samples.extend(&sample.values);
        let Some(assessment) = self.gate.push(&sample.values)? else {
            return Ok(());
        };
        let stages = Stages {
            wait: taken.saturating_duration_since(whole),
            evaluate: taken.elapsed(),
            total: whole.elapsed(),
            ..Stages::default()
        };
        let ends = self.lines.front().zip(self.lines.back());
        let lines = ends.map_or([0; 2], |(&first, &last)| [first, last]);
        let window = Input::Window(self.samples.iter().copied().collect());
        self.decide(Some(&assessment), Ok(window), stages, lines, out)
    }

    /// A line that is no sample: the first of a row is told, and one a hop.
    fn no_sample(&mut self, line: u64, why: &str, out: &mut Output) -> Result<()> {
        let told = self.run.is_multiple_of(usize::from(self.spec.hop));
        self.run += 1;
        match told {
            true if self.run == 1 => self.fault(line, why, out),
            true => self.invalid(line, why, out),
            false => {
                self.warn(why);
                Ok(())
            }
        }
    }

    /// A place that no window reaches over.
    fn fault(&mut self, line: u64, why: &str, out: &mut Output) -> Result<()> {
        self.faults += 1;
        self.invalid(line, why, out)
    }

    fn invalid(&mut self, line: u64, why: &str, out: &mut Output) -> Result<()> {
        self.gate.restart_window();
        self.lines.clear();
        self.samples.clear();
        self.warn(why);
        self.decide(None, Err(why.to_owned()), Stages::default(), [line; 2], out)
    }

    fn warn(&self, why: &str) {
        if self.faults <= WARNED_OF {
            failure::warn(&format!("{}: {why}", self.name));
        }
    }

    /// Decides about a window, or what came in its place, counts it and tells it.
    fn decide(
        &mut self,
        assessed: Option<&Assessment>,
        input: Result<Input, String>,
        stages: Stages,
        lines: [u64; 2],
        out: &mut Output,
    ) -> Result<()> {
        let verdict = self.guard.judge(assessed, input, self.time);
        let seen = Seen {
            index: self.tally.frames,
            time: self.time.unwrap_or(0.0),
            verdicts: vec![verdict],
            stages,
            dropped: 0,
        };
        self.tally.push(&seen);
        if let Some(hub) = &self.hub {
            hub.push(&seen, 0, self.faults);
        }
        let [verdict] = seen.verdicts.as_slice() else {
            return Ok(());
        };
        self.tell(&seen, verdict, lines, out)
    }

    fn place(&self, [first, last]: [u64; 2]) -> String {
        let name = &self.name;
        match first == last {
            true => format!("{name}, line {first}"),
            false => format!("{name}, lines {first}-{last}"),
        }
    }

    fn tell(
        &self,
        seen: &Seen,
        verdict: &Verdict,
        lines: [u64; 2],
        out: &mut Output,
    ) -> Result<()> {
        let mut line = json::line(seen, verdict, self.calibration.as_ref(), self.dims);
        line.name = Some(self.place(lines));
        if self.json {
            let text = serde_json::to_string(&versioned(&self.object(&line, verdict, lines)));
            // Plain numbers, booleans and names always encode.
            writeln!(out, "{}", text.unwrap_or_default())?;
        } else if verdict.raised {
            self.tell_alarm(seen, verdict, &line, out)?;
        }
        // Who reads this waits for it.
        Ok(out.flush()?)
    }

    fn object<'a>(&'a self, line: &'a Line, verdict: &'a Verdict, lines: [u64; 2]) -> Object<'a> {
        let channel = line.fault.and_then(|fault| {
            let channel = self.spec.channels.get(usize::from(fault.channel))?;
            Some(channel.name.as_str())
        });
        Object {
            time: self.time.map(|time| (time * 1e6).round() / 1e6),
            line,
            lines,
            channel,
            alarm: verdict.alarm,
            drift: verdict.drift,
            threshold_moved: verdict.moved_raw.map(nats_from_raw),
            error: verdict.input.as_ref().err().map(String::as_str),
        }
    }

    fn tell_alarm(
        &self,
        seen: &Seen,
        verdict: &Verdict,
        line: &Line,
        out: &mut Output,
    ) -> Result<()> {
        let by = match (line.rejected_by, &verdict.input) {
            (Some(test), _) => Some(test.to_owned()),
            (None, Ok(_)) => verdict.fault(Some(&self.spec)),
            (None, Err(_)) => None,
        };
        let by = by.unwrap_or_else(|| "no samples".to_owned());
        let p = line.p_value.filter(|_| line.rejected_by.is_some());
        let p = p.map_or(String::new(), |p| format!(", p = {p}"));
        let place = line.name.as_deref().unwrap_or_default();
        let (time, index) = (seen.time, seen.index);
        writeln!(
            out,
            "{time:10.3} s  window {index}, {}: alarm, {by}{p}",
            one_line(Path::new(place))
        )?;
        Ok(())
    }

    /// The summary: on standard error where standard output is for machines.
    fn report(&self, out: &mut Output) -> Result<()> {
        let Counts {
            rejected,
            invalid,
            alarms,
            ..
        } = self.tally.views[0];
        let mut sentence = format!(
            "{} windows, {} faults: {} rejected, {} invalid, {} alarms",
            number::grouped(self.tally.inputs()),
            number::grouped(self.faults),
            number::grouped(rejected),
            number::grouped(invalid),
            number::grouped(alarms),
        );
        if let Some(moved) = self.guard.moved() {
            sentence += &format!("; {moved}");
        }
        if self.json {
            failure::note(&sentence);
            return Ok(());
        }
        let alpha_ppm = self.calibration.as_ref().map_or(0, |gate| gate.alpha_ppm);
        let promised = f64::from(alpha_ppm) / 1e6;
        writeln!(out, "{sentence}\n")?;
        let names = [self.name.clone()];
        Ok(tally::gates(&self.tally.views, &names, &[promised]).print(out)?)
    }
}

impl Args {
    /// A flag that was given and says nothing of a sensor.
    fn only_for_frames(&self) -> Option<&'static str> {
        let given = [
            (self.views.are_several(), "--region and --also"),
            (self.newest, "--newest"),
        ];
        let given = given.into_iter().find(|(given, _)| *given);
        given
            .map(|(_, flag)| flag)
            .or_else(|| self.source.of_frames())
    }
}
