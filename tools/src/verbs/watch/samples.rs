//! `watch` of a sensor: a CSV line a sample in, a decision a window.
//!
//! One thread waits for lines, this one decides: an end that was asked for is seen though no line comes.

use super::alarm::{Alarm, Ruling};
use super::decider::DRIFT_AVERAGE;
use super::tally::{self, Counts};
use super::views::File;
use super::{Args, PATIENCE, Watched, follow};
use crate::camera::SourceArgs;
use crate::failure;
use crate::inputs::with_advice;
use crate::json::versioned;
use crate::line::Line;
use crate::number;
use crate::output::Output;
use anyhow::{Context, Result, anyhow, bail};
use flow_infer::gate::Calibration;
use flow_infer::spec::units::nats_from_raw;
use flow_infer::{Assessment, DriftAlarm, Gate, Workspace};
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
    Step(LiveStep),
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
    calibration: Option<Calibration>,
    dims: usize,
    spec: Arc<WindowSpec>,
    /// What the stream is called.
    name: String,
    alarm: Alarm,
    drift: Option<DriftAlarm>,
    /// When the next window is one for the drift alarm, and seconds from one to the next.
    due: f64,
    every: f64,
    json: bool,
    /// Windows decided about, and what came in their place.
    index: usize,
    windows: u64,
    /// Lines of the last samples, as many as a window has.
    lines: VecDeque<u64>,
    /// Lines in a row that are no samples.
    run: usize,
    time: Option<f64>,
    counts: Counts,
    /// Places where something else came.
    faults: u64,
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
    let mut workspace = Workspace::for_model(&model);
    let gate = Gate::new(model, &mut workspace).map_err(|why| anyhow!("{path}: {why}"))?;
    let calibration = artifact.calibration();
    let mut watch = Watch {
        alarm: args.alarm.alarm(calibration)?,
        drift: gate.drift_alarm(DRIFT_AVERAGE),
        due: 0.0,
        every: args.alarm.drift_every(),
        calibration: calibration.cloned(),
        dims: artifact.dims(),
        gate,
        name: name(&args.source),
        json: args.json,
        index: 0,
        windows: 0,
        lines: VecDeque::with_capacity(usize::from(spec.length)),
        run: 0,
        time: None,
        counts: Counts::default(),
        faults: 0,
        spec: spec.clone(),
    };
    let came = came(&args.source, &args.samples, spec);
    let end = follow(asked, out, |out| watch.step(&came, out))?;
    watch.report(out)?;
    args.outcome(Watched {
        end,
        name: &watch.name,
        alarms: watch.counts.alarms,
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
        if to.send(Came::Step(step)).is_err() {
            break;
        }
    }
    Ok(())
}

impl Watch<'_> {
    /// Takes a line, if one comes; says whether there are no more.
    fn step(&mut self, came: &Receiver<Came>, out: &mut Output) -> Result<bool> {
        match came.recv_timeout(PATIENCE) {
            Ok(Came::Step(LiveStep::Sample(sample))) => self.sample(&sample, out)?,
            Ok(Came::Step(LiveStep::Fault { line, why })) => self.no_sample(line, &why, out)?,
            Ok(Came::Step(_)) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Came::Failed(error)) => return Err(with_advice(error, true)),
            Err(RecvTimeoutError::Disconnected) => return Ok(true),
        }
        Ok(false)
    }

    fn sample(&mut self, sample: &Sample, out: &mut Output) -> Result<()> {
        self.run = 0;
        self.time = sample.seconds;
        if let Some(gap) = &sample.gap {
            self.fault(sample.line, &format!("line {}: {gap}", sample.line), out)?;
        }
        if self.lines.len() == usize::from(self.spec.length) {
            self.lines.pop_front();
        }
        self.lines.push_back(sample.line);
        match self.gate.push(&sample.values)? {
            Some(assessment) => self.decided(&assessment, out),
            None => Ok(()),
        }
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
        self.warn(why);
        let gate = self.calibration.as_ref();
        let mut object = Line::new(self.index, None, gate, self.dims, true);
        object.name = Some(self.place([line; 2]));
        let ruling = self.decide(None);
        self.tell(&object, [line; 2], Some(why), ruling, out)
    }

    fn warn(&self, why: &str) {
        if self.faults <= WARNED_OF {
            failure::warn(&format!("{}: {why}", self.name));
        }
    }

    fn decided(&mut self, assessment: &Assessment, out: &mut Output) -> Result<()> {
        self.windows += 1;
        let ends = self.lines.front().zip(self.lines.back());
        let lines = ends.map_or([0; 2], |(&first, &last)| [first, last]);
        let index = self.index;
        let ruling = self.decide(Some(assessment));
        let (scores, gate) = (Some(&assessment.scores), self.calibration.as_ref());
        let mut line = Line::new(index, scores, gate, self.dims, true)
            .with_decision(ruling.decision, gate, scores)
            .with_p_value(assessment.p_value_ppm);
        line.name = Some(self.place(lines));
        if let Some(drift) = self.drift.as_mut() {
            let now = self.time.unwrap_or(self.due);
            if now >= self.due {
                drift.push(assessment.score_raw);
                self.due = now + self.time.map_or(0.0, |_| self.every);
            }
        }
        self.tell(&line, lines, None, ruling, out)
    }

    /// Decides and counts.
    fn decide(&mut self, assessed: Option<&Assessment>) -> Ruling {
        let ruling = self.alarm.rule(assessed.map(Into::into));
        self.counts.add(ruling.decision);
        self.counts.alarms += u64::from(ruling.raised);
        self.counts.alarm = ruling.alarm;
        self.index += 1;
        ruling
    }

    fn place(&self, [first, last]: [u64; 2]) -> String {
        let name = &self.name;
        match first == last {
            true => format!("{name}, line {first}"),
            false => format!("{name}, lines {first}-{last}"),
        }
    }

    fn tell(
        &mut self,
        line: &Line,
        lines: [u64; 2],
        error: Option<&str>,
        ruling: Ruling,
        out: &mut Output,
    ) -> Result<()> {
        self.counts.drift = self.drift.as_ref().is_some_and(DriftAlarm::alarm);
        let channel = line.fault.and_then(|fault| {
            let channel = self.spec.channels.get(usize::from(fault.channel))?;
            Some(channel.name.as_str())
        });
        if self.json {
            let object = Object {
                time: self.time.map(|time| (time * 1e6).round() / 1e6),
                line,
                lines,
                channel,
                alarm: self.counts.alarm,
                drift: self.counts.drift,
                threshold_moved: ruling.moved_raw.map(nats_from_raw),
                error,
            };
            // Plain numbers, booleans and names always encode.
            let text = serde_json::to_string(&versioned(&object)).unwrap_or_default();
            writeln!(out, "{text}")?;
        } else if ruling.raised {
            let by = match (line.rejected_by, line.fault, channel) {
                (Some(test), ..) => test.to_owned(),
                (None, Some(fault), Some(channel)) => format!("{channel} is {}", fault.kind),
                _ => "no samples".to_owned(),
            };
            let p = line.p_value.filter(|_| line.rejected_by.is_some());
            let p = p.map_or(String::new(), |p| format!(", p = {p}"));
            let time = self.time.unwrap_or(0.0);
            let place = line.name.as_deref().unwrap_or_default();
            writeln!(
                out,
                "{time:10.3} s  window {}, {}: alarm, {by}{p}",
                line.index,
                one_line(Path::new(place))
            )?;
        }
        // Who reads this waits for it.
        Ok(out.flush()?)
    }

    /// The summary: on standard error where standard output is for machines.
    fn report(&self, out: &mut Output) -> Result<()> {
        let Counts {
            rejected,
            invalid,
            alarms,
            ..
        } = self.counts;
        let mut sentence = format!(
            "{} windows, {} faults: {} rejected, {} invalid, {} alarms",
            number::grouped(self.windows),
            number::grouped(self.faults),
            number::grouped(rejected),
            number::grouped(invalid),
            number::grouped(alarms),
        );
        if let Some(moved) = self.alarm.sentence() {
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
        Ok(tally::gates(&[self.counts], &names, &[promised]).print(out)?)
    }
}

impl Args {
    /// A flag that was given and says nothing of a sensor.
    fn only_for_frames(&self) -> Option<&'static str> {
        let given = [
            (self.views.are_several(), "--region and --also"),
            (self.page.is_asked_for(), "--listen"),
            (self.newest, "--newest"),
        ];
        let given = given.into_iter().find(|(given, _)| *given);
        given
            .map(|(_, flag)| flag)
            .or_else(|| self.source.of_frames())
    }
}
