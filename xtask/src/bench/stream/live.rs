//! The frames before `flowgate watch`, at their rate: how long until it says that something is wrong, and how long
//! until it is content again.

use super::disturb::DISTURBANCES;
use super::video::{Frame, Video};
use anyhow::{Context, Result, anyhow, bail};
use flow_train_host::metrics::nearest_rank;
use flowgate::table::Table;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How many disturbed frames in a row, and how many whole ones after them.
const DISTURBED: usize = 20;
const WHOLE: usize = 40;

/// A stretch of frames of one kind.
struct Scene {
    name: &'static str,
    disturbed: bool,
    frames: Vec<Vec<u8>>,
}

/// What was said about a frame.
struct Said {
    rejected: bool,
    alarm: bool,
    dropped: u64,
    /// Milliseconds from the last byte to the decision.
    latency: f64,
}

/// All that comes next, then each disturbance, with whole frames after it.
pub(super) fn watched(
    program: &Path,
    gate: &Path,
    file: &impl Fn(&str) -> PathBuf,
) -> Result<Table> {
    let video = Video::open(&file("next"))?;
    let every = Duration::from_secs_f64(1.0 / video.rate()?);
    let scenes = scenes(file)?;
    let mut child = Command::new(program)
        .arg("watch")
        .arg(gate)
        .args(["-", "--json", "--newest"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let pipe = child.stdin.take().context("no pipe")?;
    let lines = child.stdout.take().context("no pipe")?;
    let reader = std::thread::spawn(move || read(lines));
    feed(pipe, &video, &scenes, every)?;
    let said = reader.join().map_err(|_| anyhow!("the reader is gone"))??;
    let status = child.wait()?;
    if !status.success() {
        bail!("flowgate watch: {status}");
    }
    table(&scenes, &said)
}

fn scenes(file: &impl Fn(&str) -> PathBuf) -> Result<Vec<Scene>> {
    let all = |name: &str| -> Result<Vec<Vec<u8>>> {
        let mut video = Video::open(&file(name))?;
        let frames = std::iter::from_fn(|| video.next().transpose());
        frames
            .map(|frame| frame.map(|Frame { luma, .. }| luma))
            .collect()
    };
    let next = all("next")?;
    let after: Vec<Vec<u8>> = next.iter().take(WHOLE).cloned().collect();
    let mut scenes = vec![Scene {
        name: "next",
        disturbed: false,
        frames: next,
    }];
    for (name, _) in DISTURBANCES {
        let mut frames = all(name)?;
        frames.truncate(DISTURBED);
        scenes.push(Scene {
            name,
            disturbed: true,
            frames,
        });
        scenes.push(Scene {
            name: "whole again",
            disturbed: false,
            frames: after.clone(),
        });
    }
    Ok(scenes)
}

fn feed(mut pipe: ChildStdin, video: &Video, scenes: &[Scene], every: Duration) -> Result<()> {
    pipe.write_all(video.header.as_bytes())?;
    let mut due = Instant::now();
    for frame in scenes.iter().flat_map(|scene| &scene.frames) {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        video.write(frame, &mut pipe)?;
        due += every;
    }
    Ok(())
}

fn read(lines: ChildStdout) -> Result<Vec<Said>> {
    let one = |line: std::io::Result<String>| -> Result<Said> {
        let line: Value = serde_json::from_str(&line?)?;
        let latency = line["latency_us"]["total"].as_f64();
        Ok(Said {
            rejected: line["decision"] != "accept",
            alarm: line["alarm"] == true,
            dropped: line["dropped"].as_u64().unwrap_or(0),
            latency: latency.context("a line without a latency")? / 1e3,
        })
    };
    BufReader::new(lines).lines().map(one).collect()
}

fn table(scenes: &[Scene], said: &[Said]) -> Result<Table> {
    let dropped = said.last().map_or(0, |last| last.dropped);
    let shown: usize = scenes.iter().map(|scene| scene.frames.len()).sum();
    if dropped > 0 || said.len() != shown {
        bail!(
            "{} of {shown} frames were decided, {dropped} skipped",
            said.len()
        );
    }
    let mut table = Table::new([
        "live",
        "frames",
        "rejected",
        "alarms begun",
        "frames until the alarm",
        "frames until it ends",
        "99 %, ms",
    ])
    .left(1);
    let mut rest = said;
    let mut alarm = false;
    for scene in scenes {
        let (these, later) = rest.split_at(scene.frames.len());
        rest = later;
        let rejected = these.iter().filter(|said| said.rejected).count();
        let before = std::iter::once(alarm).chain(these.iter().map(|said| said.alarm));
        let begun = before
            .zip(these)
            .filter(|(before, said)| !before && said.alarm);
        let until = |alarm| match these.iter().position(|said| said.alarm == alarm) {
            Some(at) => (at + 1).to_string(),
            None => "never".to_owned(),
        };
        let (raised, ended) = match (scene.disturbed, alarm) {
            (true, _) => (until(true), String::new()),
            (false, true) => (String::new(), until(false)),
            (false, false) => (String::new(), String::new()),
        };
        let mut latencies: Vec<f64> = these.iter().map(|said| said.latency).collect();
        latencies.sort_by(f64::total_cmp);
        table.row([
            scene.name.to_owned(),
            these.len().to_string(),
            format!(
                "{:.1} %",
                100.0 * rejected as f64 / these.len().max(1) as f64
            ),
            begun.count().to_string(),
            raised,
            ended,
            nearest_rank(&latencies, 0.99).map_or(String::new(), |ms| format!("{ms:.2}")),
        ]);
        alarm = these.last().map_or(alarm, |said| said.alarm);
    }
    Ok(table)
}
