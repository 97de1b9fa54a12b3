//! `flowgate bench watch`: what a camera costs, of `flowgate watch` and of the same pipeline in Python.
//!
//! `frames` the camera, `pipeline` a process that decides about it, on one core.

mod frames;
mod pipeline;
mod report;

use super::host::{self, Case};
use super::machine::{self, Temporary};
use super::python;
use crate::output::Output;
use crate::python::Package;
use crate::table::Table;
use crate::{date, place, progress, provenance, scripts};
use anyhow::Result;
use clap::ValueEnum;
use flow_train_host::files::{one_line, write_atomically};
use frames::{Frames, HEIGHT, WIDTH};
use pipeline::{Pipeline, Run};
use report::Side;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCRIPT: scripts::Script = (
    "camera_opencv.py",
    include_str!("../../../../bench/camera_opencv.py"),
);
const OPENCV: Package = Package {
    import: "cv2",
    name: "opencv-python-headless",
};
/// From one turn to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// Time the way from a camera's frame to a decision, alone or in turns with OpenCV and ONNX Runtime
#[derive(clap::Args)]
#[command(
    after_help = "Frames of 640 x 480 pixels of YUYV through a pipe at their rate, each process on one core. The other side \
    computes the log-likelihood alone, of the same architecture with weights made for the purpose; this one \
    the code length, all tests, the decision and its line as well.\n\n\
    Example:\n  flowgate bench watch firmware/models/fashion-bottleneck.flow --against python --cameras 30 --record records/watch.md"
)]
pub(super) struct Args {
    /// A calibrated model of images of 28 x 28
    #[arg(value_name = "MODEL.flow")]
    model: PathBuf,
    /// The other side
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Turns of every side
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Length of a turn
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// So many cameras at once, too, each with a process, on all cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    cameras: Option<u16>,
    /// Python environment of the other side; made or completed with pip
    #[arg(long, value_name = "DIR", default_value = "target/bench/venv")]
    venv: PathBuf,
    /// Write date, machine, versions and the tables to this file
    #[arg(long, value_name = "FILE.md")]
    record: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Against {
    /// OpenCV and ONNX Runtime
    Python,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        if let Some(path) = &self.record {
            place::file(path, &[&self.model], out)?;
        }
        let case = Case::open(&self.model)?;
        let place = Temporary::new()?;
        let directory = &place.0;
        let frames = Frames::new();
        let mut pipelines = vec![Pipeline::ours(&self.model)?];
        if let Some(Against::Python) = self.against {
            pipelines.push(self.python(&case, directory)?);
        }
        let turns = pipelines.len() * usize::from(self.rounds);
        let bar = progress::bar(turns, &case.name);
        let mut sides: Vec<Side> = pipelines.iter().map(Side::new).collect();
        for _ in 0..self.rounds {
            for (pipeline, side) in pipelines.iter().zip(&mut sides) {
                std::thread::sleep(PAUSE);
                let run = Run::paced(pipeline, &frames, Duration::from_secs(self.seconds))?;
                side.push(run);
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        let rates = pipelines.iter().map(|p| pipeline::fastest(p, &frames));
        for (side, rate) in sides.iter_mut().zip(rates) {
            side.fastest = rate?;
        }
        let mut tables = report::tables(&sides);
        tables.extend(self.together(&frames)?);
        for table in &tables {
            table.print(out)?;
            writeln!(out)?;
        }
        if let Some(path) = &self.record {
            let text = self.header(&case, &sides);
            write_atomically(path, |w| {
                write!(w, "{text}")?;
                let mut tables = tables.iter();
                tables.try_for_each(|table| write!(w, "\n{}", table.markdown()))
            })?;
            writeln!(out, "written: {}", one_line(path))?;
        }
        Ok(())
    }

    /// Several cameras, for as long as all turns of one.
    fn together(&self, frames: &Frames) -> Result<Option<Table>> {
        let Some(cameras) = self.cameras else {
            return Ok(None);
        };
        let pipeline = Pipeline::ours(&self.model)?.newest();
        let long = Duration::from_secs(self.seconds) * u32::from(self.rounds);
        let bar = progress::bar(1, "cameras");
        let runs = Run::together(&pipeline, frames, cameras, long)?;
        bar.finish_and_clear();
        Ok(Some(report::together(&runs)))
    }

    fn python(&self, case: &Case, directory: &Path) -> Result<Pipeline> {
        let interpreter = python::environment(&self.venv, &["onnx", "onnxruntime"])?;
        crate::python::environment(&self.venv, &[OPENCV])?;
        case.write(directory)?;
        host::to_onnx(case, &interpreter, directory)?;
        let script = scripts::write(directory, &[SCRIPT])?;
        Ok(Pipeline::python(&interpreter, &script, directory))
    }

    fn header(&self, case: &Case, sides: &[Side]) -> String {
        let libraries: Vec<&str> = sides.iter().map(|side| side.library.as_str()).collect();
        format!(
            "# A camera\n\nWritten by `flowgate bench watch` on {}: {} {}; {}; {} cores; {}, {} rounds of turns of {} s.\n\
            Frames of {WIDTH} x {HEIGHT} pixels of YUYV through a pipe, {} a second, each process on one core (several cameras: on all). The other \
            side ({}) computes the log-likelihood alone; this one the code length, all tests, the decision and a line \
            of JSON as well. Shares are processor time; latencies count what other work the machine had, too.\n",
            date::today(),
            provenance::tool(),
            provenance::commit(),
            machine::processor(),
            machine::cores(),
            case.name,
            self.rounds,
            self.seconds,
            frames::RATE,
            libraries.get(1).unwrap_or(&"none"),
        )
    }
}
