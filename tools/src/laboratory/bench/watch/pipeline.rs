//! A process that gets frames and says a line about each.

use super::super::machine;
use super::frames::{Frames, HEIGHT, RATE, WIDTH};
use anyhow::{Context, Result, bail};
use flow_train_host::files::one_line;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Frames before anything is measured.
const WARM_UP: usize = 30;
/// Frames that are decided about as fast as it goes.
const FLOOD: usize = 300;

/// How a process is started.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) name: &'static str,
    program: PathBuf,
    args: Vec<String>,
    /// Whether it says its library in a line of its own.
    greets: bool,
}

/// What a process did.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) library: String,
    /// Processor time over time.
    pub(super) share: f64,
    /// Microseconds from a frame's last byte to the decision, in ascending order.
    pub(super) latencies: Vec<u64>,
    pub(super) peak_kib: u64,
    /// Frames that were skipped.
    pub(super) dropped: u64,
}

impl Pipeline {
    /// This program's `watch`.
    pub(super) fn ours(model: &Path) -> Result<Self> {
        let size = format!("{WIDTH}x{HEIGHT}");
        let model = model.to_string_lossy().into_owned();
        let args = [
            "watch", &model, "-", "--format", "yuyv", "--size", &size, "--json",
        ];
        Ok(Self {
            name: "flowgate watch",
            program: std::env::current_exe().context("this program")?,
            args: args.map(str::to_owned).to_vec(),
            greets: false,
        })
    }

    /// A script that is told where the flow is.
    pub(super) fn python(interpreter: &Path, script: &Path, directory: &Path) -> Self {
        let paths = [script, directory].map(|path| path.to_string_lossy().into_owned());
        let sides = [WIDTH, HEIGHT].map(|side| side.to_string());
        Self {
            name: "OpenCV and ONNX Runtime",
            program: interpreter.to_owned(),
            args: paths.into_iter().chain(sides).collect(),
            greets: true,
        }
    }

    /// The newest frame where they come too fast, on any core.
    pub(super) fn newest(mut self) -> Self {
        self.args.push("--newest".to_owned());
        self
    }

    /// On one core, the last.
    fn start(&self) -> Result<Started> {
        let core = (machine::cores() - 1).to_string();
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &core]).arg(&self.program);
        let context = "taskset, which keeps a process on one core";
        self.spawn(command).context(context)
    }

    /// On any core.
    fn start_anywhere(&self) -> Result<Started> {
        self.spawn(Command::new(&self.program))
    }

    fn spawn(&self, mut command: Command) -> Result<Started> {
        let mut child = command
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = child.stdin.take().context("no pipe")?;
        let lines = BufReader::new(child.stdout.take().context("no pipe")?);
        let mut started = Started {
            child,
            pipe,
            lines,
            library: String::new(),
        };
        if self.greets {
            let library = started.line()?["library"].as_str().map(str::to_owned);
            started.library = library.unwrap_or_default();
        }
        Ok(started)
    }
}

impl Run {
    /// Frames at their rate for a while, on one core.
    pub(super) fn paced(pipeline: &Pipeline, frames: &Frames, long: Duration) -> Result<Self> {
        let mut started = pipeline.start()?;
        started.warm_up(frames)?;
        started.paced(pipeline.name, frames, Instant::now(), long)
    }

    /// Frames of several cameras, whose rates are the same and whose frames come one after the other, on all cores.
    pub(super) fn together(
        pipeline: &Pipeline,
        frames: &Frames,
        cameras: u16,
        long: Duration,
    ) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for _ in 0..cameras {
            let mut started = pipeline.start_anywhere()?;
            started.warm_up(frames)?;
            all.push(started);
        }
        let begin = Instant::now() + Duration::from_millis(100);
        let apart = Duration::from_secs(1) / RATE / u32::from(cameras);
        std::thread::scope(|scope| {
            let starts = (0..).map(|camera: u32| begin + apart * camera);
            let threads: Vec<_> = all
                .into_iter()
                .zip(starts)
                .map(|(started, start)| {
                    scope.spawn(move || started.paced(pipeline.name, frames, start, long))
                })
                .collect();
            let ends = threads.into_iter().map(|thread| thread.join());
            ends.map(|end| end.unwrap_or_else(|_| bail!("a feeder is gone")))
                .collect()
        })
    }
}

/// Frames a second of a core where the camera is never waited for.
pub(super) fn fastest(pipeline: &Pipeline, frames: &Frames) -> Result<f64> {
    let mut started = pipeline.start()?;
    started.warm_up(frames)?;
    let used = started.processor_time()?;
    let Started {
        child,
        mut pipe,
        lines,
        ..
    } = started;
    let reader = std::thread::spawn(move || {
        let lines = lines.lines().map_while(Result::ok);
        lines.take(FLOOD).count()
    });
    frames.flood(&mut pipe, FLOOD).context(pipeline.name)?;
    let decided = reader.join().unwrap_or(0);
    let took = processor_time(child.id())? - used;
    drop(pipe);
    end(child)?;
    Ok(decided as f64 / took.as_secs_f64())
}

struct Started {
    child: Child,
    pipe: ChildStdin,
    lines: BufReader<ChildStdout>,
    library: String,
}

impl Started {
    fn warm_up(&mut self, frames: &Frames) -> Result<()> {
        for _ in 0..WARM_UP {
            frames.flood(&mut self.pipe, 1)?;
            self.pipe.flush()?;
            self.line()?;
        }
        Ok(())
    }

    /// Frames at their rate from a moment on.
    fn paced(
        self,
        name: &'static str,
        frames: &Frames,
        start: Instant,
        long: Duration,
    ) -> Result<Run> {
        std::thread::sleep(start.saturating_duration_since(Instant::now()));
        let (used, began) = (self.processor_time()?, Instant::now());
        let Self {
            child,
            mut pipe,
            lines,
            library,
        } = self;
        let reader = std::thread::spawn(move || decisions(lines));
        frames.pace(&mut pipe, start, long).context(name)?;
        let id = child.id();
        let share = (processor_time(id)? - used).as_secs_f64() / began.elapsed().as_secs_f64();
        let peak_kib = peak_kib(id)?;
        drop(pipe);
        end(child)?;
        let read = reader.join().unwrap_or_else(|_| bail!("a reader is gone"));
        let (latencies, dropped) = read?;
        Ok(Run {
            library,
            share,
            latencies,
            peak_kib,
            dropped,
        })
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        if line.is_empty() {
            bail!("it has stopped without an answer");
        }
        serde_json::from_str(&line).with_context(|| line.trim().to_owned())
    }

    fn processor_time(&self) -> Result<Duration> {
        processor_time(self.child.id())
    }
}

/// Reads to the end: latencies in ascending order, and how many frames were skipped.
fn decisions(lines: BufReader<ChildStdout>) -> Result<(Vec<u64>, u64)> {
    let mut latencies = Vec::new();
    let mut dropped = 0;
    for line in lines.lines() {
        let line: Value = serde_json::from_str(&line?)?;
        let latency = line["latency_us"]["total"].as_u64();
        latencies.push(latency.context("a line without a latency")?);
        dropped = line["dropped"].as_u64().unwrap_or(0);
    }
    latencies.sort_unstable();
    Ok((latencies, dropped))
}

fn end(mut child: Child) -> Result<()> {
    let status = child.wait()?;
    match status.success() {
        true => Ok(()),
        false => bail!("{status}"),
    }
}

/// Time that the threads of a process have run.
fn processor_time(id: u32) -> Result<Duration> {
    let folder = PathBuf::from(format!("/proc/{id}/task"));
    let mut nanoseconds = 0;
    for task in fs::read_dir(&folder).with_context(|| one_line(&folder).to_string())? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().and_then(|n| n.parse().ok());
        nanoseconds += first.unwrap_or(0u64);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Most memory that a process has held.
fn peak_kib(id: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.context("no VmHWM")
}
