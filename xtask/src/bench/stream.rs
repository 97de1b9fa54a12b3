//! `cargo xtask bench stream`: a fixed camera, built on its first frames, and what comes next.
//!
//! The disturbances happen to whole frames, before they are averaged to inputs. None of them is known to `build`.

use crate::{process, repo};
use anyhow::{Context, Result, bail};
use clap::Args;
use flowgate::table::Table;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of the frames to come, one in so many is disturbed: neighbours are alike, and files of whole frames are large.
const DISTURBED: usize = 4;
/// Black of luma in video.
const BLACK: u8 = 16;
/// A blur is this wide, in input pixels of a sixteenth of the width.
const BLUR: f64 = 1.5;

/// Build a gate of the first frames of a video with all defaults, and measure it on those that come next, whole and
/// disturbed.
///
/// Example: cargo xtask bench stream vtest.y4m
#[derive(Args)]
pub(crate) struct Stream {
    /// A video of 4:2:0 as y4m.
    video: PathBuf,
    /// Frames that the gate is built on.
    #[arg(long, default_value_t = 500)]
    first: usize,
    /// Bound on the rate of false alarms.
    #[arg(long, default_value = "0.01")]
    alpha: String,
    /// What else `flowgate build` is told.
    #[arg(last = true)]
    more: Vec<String>,
}

/// Luma of a frame.
struct Frame {
    width: usize,
    height: usize,
    luma: Vec<u8>,
}

type Disturbance = (&'static str, fn(&Frame) -> Vec<u8>);

const DISTURBANCES: [Disturbance; 8] = [
    ("black", |frame| vec![BLACK; frame.luma.len()]),
    ("dark", |frame| {
        frame.each(|y| BLACK + (3 * u16::from(y.saturating_sub(BLACK)) / 10) as u8)
    }),
    ("blurred", Frame::blurred),
    ("moved", |frame| {
        let by = [frame.height / 8, frame.width / 8];
        frame.from(|y, x| [y.saturating_sub(by[0]), x.saturating_sub(by[1])])
    }),
    ("mirrored", |frame| {
        frame.from(|y, x| [y, frame.width - 1 - x])
    }),
    ("upside_down", |frame| {
        frame.from(|y, x| [frame.height - 1 - y, x])
    }),
    ("half_covered", |frame| {
        let mut covered = frame.luma.clone();
        let rows = covered.chunks_exact_mut(frame.width);
        rows.for_each(|row| row[..frame.width / 2].fill(40));
        covered
    }),
    ("grey", |frame| vec![128; frame.luma.len()]),
];

impl Frame {
    fn each(&self, of: impl Fn(u8) -> u8) -> Vec<u8> {
        self.luma.iter().map(|&y| of(y)).collect()
    }

    /// Every pixel from the place that a map of row and column gives.
    fn from(&self, map: impl Fn(usize, usize) -> [usize; 2]) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(self.luma.len());
        for y in 0..self.height {
            let place = |x| map(y, x);
            pixels.extend(
                (0..self.width)
                    .map(place)
                    .map(|[y, x]| self.luma[y * self.width + x]),
            );
        }
        pixels
    }

    /// Three box blurs, about a normal one.
    fn blurred(&self) -> Vec<u8> {
        let deviation = BLUR * self.width as f64 / 16.0;
        let radius = (((4.0 * deviation * deviation + 1.0).sqrt() - 1.0) / 2.0).round() as usize;
        let mut light: Vec<f32> = self.luma.iter().map(|&y| y.into()).collect();
        for _ in 0..3 {
            along(
                &mut light,
                (self.height, self.width),
                (self.width, 1),
                radius,
            );
            along(
                &mut light,
                (self.width, self.height),
                (1, self.width),
                radius,
            );
        }
        light.into_iter().map(|y| y.round() as u8).collect()
    }
}

/// Running means of lines of pixels; the edge goes on beyond itself.
fn along(
    light: &mut [f32],
    (lines, length): (usize, usize),
    (line_step, step): (usize, usize),
    radius: usize,
) {
    let mut line = vec![0.0; length];
    for number in 0..lines {
        let at = |i: usize| number * line_step + i * step;
        line.iter_mut()
            .enumerate()
            .for_each(|(i, value)| *value = light[at(i)]);
        let clamped = |i: isize| line[i.clamp(0, length as isize - 1) as usize];
        let reach = radius as isize;
        let mut sum: f32 = (-reach..=reach).map(clamped).sum();
        for i in 0..length {
            light[at(i)] = sum / (2 * radius + 1) as f32;
            sum += clamped(i as isize + reach + 1) - clamped(i as isize - reach);
        }
    }
}

/// A video of 4:2:0, frame by frame.
struct Video {
    stream: BufReader<File>,
    header: String,
    width: usize,
    height: usize,
}

impl Video {
    fn open(path: &Path) -> Result<Self> {
        let place = || path.display().to_string();
        let mut stream = BufReader::new(File::open(path).with_context(place)?);
        let mut header = String::new();
        stream.read_line(&mut header).with_context(place)?;
        let field = |name: char| {
            let mut fields = header.split_whitespace().skip(1);
            fields.find_map(|field| field.strip_prefix(name).map(str::to_owned))
        };
        let side = |name| field(name).and_then(|n| n.parse().ok());
        let (Some(width), Some(height)) = (side('W'), side('H')) else {
            bail!("{}: no y4m", place());
        };
        if field('C').is_some_and(|chroma| !chroma.starts_with("420")) {
            bail!("{}: not 4:2:0", place());
        }
        Ok(Self {
            stream,
            header,
            width,
            height,
        })
    }

    fn next(&mut self) -> Result<Option<Frame>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let luma = self.width * self.height;
        let mut pixels = vec![0; luma + 2 * self.width.div_ceil(2) * self.height.div_ceil(2)];
        self.stream.read_exact(&mut pixels)?;
        pixels.truncate(luma);
        Ok(Some(Frame {
            width: self.width,
            height: self.height,
            luma: pixels,
        }))
    }

    /// A video like this one, to be filled with luma.
    fn like(&self, path: &Path) -> Result<File> {
        let mut file = File::create(path)?;
        file.write_all(self.header.as_bytes())?;
        Ok(file)
    }

    fn write(&self, luma: &[u8], file: &mut File) -> Result<()> {
        let chroma = vec![128; 2 * self.width.div_ceil(2) * self.height.div_ceil(2)];
        file.write_all(&[b"FRAME\n", luma, &chroma].concat())?;
        Ok(())
    }
}

impl Stream {
    pub(crate) fn run(&self) -> Result<()> {
        process::run(
            process::cargo()
                .args(["build", "--quiet", "-p", "flowgate"])
                .current_dir(repo::root()),
        )?;
        let folder = tempfile::tempdir()?;
        self.cut(folder.path())?;
        let file = |name: &str| folder.path().join(format!("{name}.y4m"));
        let out = folder.path().join("gate");
        let build = ["build", "--alpha", &self.alpha, "--data"];
        process::run(
            flowgate()
                .args(build)
                .arg(file("first"))
                .args(&self.more)
                .arg("--out")
                .arg(&out),
        )?;
        let named = |name: &str| {
            let mut named = std::ffi::OsString::from(format!("{name}="));
            named.push(file(name));
            named
        };
        let mut eval = flowgate();
        eval.arg("eval").arg(out.join("gate.flow"));
        eval.arg("--in").arg(named("next"));
        for (name, _) in DISTURBANCES {
            eval.arg("--ood").arg(named(name));
        }
        let report = folder.path().join("report");
        process::run(eval.arg("--report").arg(&report))?;
        let mut table = Table::new(["frames", "how many", "rejected", "AUROC against next"]);
        rows(
            &results(&out.join("report"))?,
            "first, held out",
            &mut table,
        );
        rows(&results(&report)?, "next", &mut table);
        print!("{}", table.markdown());
        Ok(())
    }

    /// Cuts the video into what is built on, what comes next, and disturbances of it.
    fn cut(&self, folder: &Path) -> Result<()> {
        let mut video = Video::open(&self.video)?;
        let file = |name: &str| video.like(&folder.join(format!("{name}.y4m")));
        let (mut first, mut next) = (file("first")?, file("next")?);
        let disturbed = DISTURBANCES.map(|(name, _)| file(name));
        let mut disturbed = disturbed.into_iter().collect::<Result<Vec<File>>>()?;
        let mut number = 0;
        while let Some(frame) = video.next()? {
            if number < self.first {
                video.write(&frame.luma, &mut first)?;
            } else {
                video.write(&frame.luma, &mut next)?;
                if (number - self.first).is_multiple_of(DISTURBED) {
                    for ((_, disturb), file) in DISTURBANCES.iter().zip(&mut disturbed) {
                        video.write(&disturb(&frame), file)?;
                    }
                }
            }
            number += 1;
        }
        if number <= self.first {
            bail!("{}: has {number} frames", self.video.display());
        }
        Ok(())
    }
}

fn flowgate() -> Command {
    Command::new(repo::root().join("target/debug/flowgate"))
}

fn results(report: &Path) -> Result<Value> {
    let results = std::fs::read(report.join("results.json"))?;
    Ok(serde_json::from_slice(&results)?)
}

/// What is rejected of own frames, under this name, and of foreign ones.
fn rows(results: &Value, own: &str, table: &mut Table) {
    let scores = results["scores"].as_array();
    let decides = &results["gate"]["score"];
    let score = scores.and_then(|all| all.iter().find(|s| s["name"] == *decides));
    let mut row = |name: &str, set: &Value, auroc: Option<f64>| {
        let share = 100.0 * set["rejected_share"].as_f64().unwrap_or(f64::NAN);
        table.row([
            name.to_owned(),
            set["count"].to_string(),
            format!("{share:.1} %"),
            auroc.map_or(String::new(), |auroc| format!("{auroc:.4}")),
        ]);
    };
    row(own, &results["in"], None);
    for set in results["ood"].as_array().into_iter().flatten() {
        let name = set["name"].as_str().unwrap_or_default();
        let auroc = score.and_then(|s| s["separation"][name]["auroc"].as_f64());
        row(name, set, auroc);
    }
}
