//! `cargo xtask bench stream`: a fixed camera, built on its first frames, and what comes next.
//!
//! `video` reads and writes frames, `disturb` is what can happen to them, `live` shows them to `flowgate watch` at
//! their rate. The disturbances happen to whole frames, before they are averaged to inputs. None of them is known to `build`.

mod disturb;
mod live;
mod video;

use crate::{process, watched};
use anyhow::{Result, bail};
use clap::Args;
use disturb::{DISTURBANCES, Disturbance, WEAK};
use flowgate::table::Table;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use video::Video;

/// Of the frames to come, one in so many is disturbed: neighbours are alike, and files of whole frames are large.
const DISTURBED: usize = 4;
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
    /// Frames after them that count; without it all that there are.
    #[arg(long)]
    next: Option<usize>,
    /// Bound on the rate of false alarms.
    #[arg(long, default_value = "0.01")]
    alpha: String,
    /// Measure weaker disturbances, too.
    #[arg(long)]
    weak: bool,
    /// Show the frames to `flowgate watch` at their rate, too.
    #[arg(long)]
    live: bool,
    /// What else `flowgate build` is told.
    #[arg(last = true)]
    more: Vec<String>,
}

impl Stream {
    pub(crate) fn run(&self) -> Result<()> {
        let program = watched::build(true)?;
        let folder = tempfile::tempdir()?;
        self.cut(folder.path())?;
        let file = |name: &str| folder.path().join(format!("{name}.y4m"));
        let out = folder.path().join("gate");
        let build = ["build", "--alpha", &self.alpha, "--data"];
        process::run(
            Command::new(&program)
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
        let mut eval = Command::new(&program);
        eval.arg("eval").arg(out.join("gate.flow"));
        eval.arg("--in").arg(named("next"));
        for (name, _) in self.disturbances() {
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
        if self.live {
            let table = live::watched(&program, &out.join("gate.flow"), &file)?;
            print!("\n{}", table.markdown());
        }
        Ok(())
    }

    /// What happens to frames.
    fn disturbances(&self) -> impl Iterator<Item = &'static Disturbance> + use<> {
        let weak = if self.weak { WEAK.as_slice() } else { &[] };
        DISTURBANCES.iter().chain(weak)
    }

    /// Cuts the video into what is built on, what comes next, and disturbances of it.
    fn cut(&self, folder: &Path) -> Result<()> {
        let mut video = Video::open(&self.video)?;
        let file = |name: &str| video.like(&folder.join(format!("{name}.y4m")));
        let (mut first, mut next) = (file("first")?, file("next")?);
        let disturbed = self.disturbances().map(|(name, _)| file(name));
        let mut disturbed = disturbed.collect::<Result<Vec<File>>>()?;
        let mut number = 0;
        let end = self.next.map(|next| self.first.saturating_add(next));
        while let Some(frame) = video.next()?.filter(|_| end != Some(number)) {
            if number < self.first {
                video.write(&frame.luma, &mut first)?;
            } else {
                video.write(&frame.luma, &mut next)?;
                if (number - self.first).is_multiple_of(DISTURBED) {
                    for ((_, disturb), file) in self.disturbances().zip(&mut disturbed) {
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
