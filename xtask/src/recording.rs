//! One recording everywhere: `flowgate watch`, the library's example, the library fed row by row, and an emulated board
//! fed row by row decide the same, to the bit.

use crate::boards;
use crate::inputs::Inputs;
use crate::{CheckFailed, gate, process, repo, watched};
use anyhow::{Context, Result, bail};
use flow_infer::front_end::{
    Frame, FrameReader, FrameSpec, FrontEnd, PixelFormat, Reduction, YuvRange,
};
use flow_infer::plan::PlannedInput;
use flow_infer::{Decision, Gate, Model, Workspace};
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

/// Where the noise of the frames begins.
const SEED: u64 = 0x5EED_0017;
const FRAMES: usize = 24;
/// Boards that get the recording.
const BOARDS: [&str; 2] = ["m4", "riscv"];

/// What is said of a frame: the deciding score and the decision.
type Said = (i64, Decision);

/// A recording of YUYV, as a camera writes it.
struct Recording {
    spec: FrameSpec,
    bytes: Vec<u8>,
}

/// Compares all of them on a gate for frames and on the committed gate.
///
/// # Errors
/// A program failed, or a bit differs.
pub(crate) fn check() -> Result<()> {
    println!("seed of the frames: {SEED:#x}");
    let program = watched::build(true)?;
    let example = build_example()?;
    for (path, [width, height]) in [
        (repo::frames_model(), [40, 24]),
        (repo::device_model(), [56, 84]),
    ] {
        let recording = Recording::new(width, height);
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("frames.yuyv");
        fs::write(&file, &recording.bytes)?;
        let watch = by_watch(&program, &path, &file, &recording.spec)?;
        same(
            "the example",
            &watch,
            &by_example(&example, &path, &file, &recording.spec)?,
        )?;
        let bytes = fs::read(&path)?;
        same(
            "the library row by row",
            &watch,
            &by_rows(&bytes, &recording)?,
        )?;
        let rejected = watch
            .iter()
            .filter(|said| said.1 == Decision::Reject)
            .count();
        let boards = match by_boards(&path, &bytes, &recording, &watch)? {
            0 => String::new(),
            boards => format!(", {boards} boards row by row"),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!(
            "{name}: {FRAMES} frames, {rejected} rejected; watch, the example, the library row by row{boards}: 0 differing bits"
        );
    }
    Ok(())
}

impl Recording {
    /// Ramps, some of them noisy, then noise alone.
    fn new(width: u16, height: u16) -> Self {
        let spec = FrameSpec::new(PixelFormat::Yuyv, width, height).with_range(YuvRange::Full);
        let mut state = SEED;
        let mut random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as usize
        };
        let row = 2 * usize::from(width);
        let mut bytes = Vec::new();
        for frame in 0..FRAMES {
            for at in 0..row * usize::from(height) {
                let ramp = 90 + at % row * 60 / row;
                bytes.push(match (frame % 4, at % 2) {
                    (0 | 1, 1) => 128,
                    (0, _) => ramp as u8,
                    (1 | 2, _) => (ramp + random() % 16) as u8,
                    _ => random() as u8,
                });
            }
        }
        Self { spec, bytes }
    }

    fn frames(&self) -> Result<Vec<Frame<'_>>> {
        let frames = self.bytes.chunks_exact(self.spec.byte_len() as usize);
        let frames = frames.map(|bytes| Ok(Frame::new(self.spec, bytes)?));
        frames.collect()
    }
}

fn same(who: &str, wanted: &[Said], found: &[Said]) -> Result<()> {
    let differing = wanted.iter().zip(found).position(|(a, b)| a != b);
    match differing {
        Some(index) => Err(CheckFailed(format!(
            "frame {index}: watch says {:?}, {who} says {:?}",
            wanted[index], found[index]
        ))
        .into()),
        None if wanted.len() != found.len() => {
            let (wanted, found) = (wanted.len(), found.len());
            Err(CheckFailed(format!("{who}: {found} frames of {wanted}")).into())
        }
        None => Ok(()),
    }
}

fn by_watch(program: &Path, model: &Path, file: &Path, spec: &FrameSpec) -> Result<Vec<Said>> {
    let size = format!("{}x{}", spec.width, spec.height);
    let mut command = Command::new(program);
    command.arg("watch").arg(model).arg(file);
    command.args(["--format", "yuyv", "--size", &size, "--json"]);
    let lines = process::stdout(&mut command)?;
    let said = |line: &str| -> Result<Said> {
        let value: Value = serde_json::from_str(line)?;
        let score = value["score_raw"].as_i64().context("no score")?;
        let decision = serde_json::from_value(value["decision"].clone());
        Ok((score, decision.with_context(|| line.to_owned())?))
    };
    lines.lines().map(said).collect()
}

fn build_example() -> Result<std::path::PathBuf> {
    let mut cargo = process::cargo();
    cargo.args([
        "build",
        "--quiet",
        "-p",
        "flow-infer",
        "--example",
        "camera",
    ]);
    process::run(cargo.current_dir(repo::root()))?;
    let folder = repo::target_folder(&repo::root())?;
    Ok(folder.join("debug/examples/camera"))
}

/// Of `INDEX SCORE DECISION ...`.
fn by_example(program: &Path, model: &Path, file: &Path, spec: &FrameSpec) -> Result<Vec<Said>> {
    let mut command = Command::new(program);
    let sides = [spec.width, spec.height].map(|side| side.to_string());
    command.arg(model).args(sides).stdin(File::open(file)?);
    let output = command.output().context("the example")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = |line: &str| -> Option<Said> {
        let mut words = line.split(' ').skip(1);
        let score = words.next()?.parse().ok()?;
        let decision = match words.next()? {
            "Accept" => Decision::Accept,
            "Reject" => Decision::Reject,
            _ => Decision::Invalid,
        };
        Some((score, decision))
    };
    let said = text
        .lines()
        .map(|line| said(line).with_context(|| line.to_owned()));
    said.collect()
}

/// The library with rows as a driver has them: of a model for frames by the gate itself.
fn by_rows(bytes: &[u8], recording: &Recording) -> Result<Vec<Said>> {
    let model = Model::load(bytes)?;
    let front_end = model.artifact().front_end().copied();
    let reduction = match (front_end, model.artifact().input()) {
        (Some(FrontEnd::Frames(reduction)), _) => reduction,
        (_, PlannedInput::Image { shape, .. }) => Reduction::to(*shape),
        _ => bail!("a model of vectors"),
    };
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace)?;
    let mut sums = vec![0; reduction.accumulators()];
    let mut input = vec![0; reduction.output.len()];
    let mut one = |frame: &Frame<'_>| -> Result<Said> {
        let rows = (0..recording.spec.rows()).map(|y| frame.row(y)[0]);
        let assessed = match front_end {
            Some(_) => {
                let mut input = gate.frame(recording.spec)?;
                rows.into_iter()
                    .try_for_each(|row| input.push_row(&[row]))?;
                input.assess()?
            }
            None => {
                let mut reader =
                    FrameReader::new(&reduction, recording.spec, &mut sums, &mut input)?;
                rows.into_iter()
                    .try_for_each(|row| reader.push_row(&[row]))?;
                gate.assess(reader.input()?)?
            }
        };
        Ok((assessed.score_raw, assessed.decision))
    };
    recording.frames()?.iter().map(&mut one).collect()
}

/// Boards that carry the model and get the rows; how many there were, which is none for a model without a front end.
fn by_boards(path: &Path, bytes: &[u8], recording: &Recording, wanted: &[Said]) -> Result<usize> {
    let model = Model::load(bytes)?;
    let Some(FrontEnd::Frames(reduction)) = model.artifact().front_end() else {
        return Ok(0);
    };
    let inputs = Inputs::of_frames(reduction, &recording.frames()?)?;
    for name in BOARDS {
        let board = boards::find(name)?.with_model(path.to_owned());
        let run = gate::check_own(&board, bytes, &inputs)?;
        let said = run.answers.iter().map(|answer| {
            let score = answer.score_raw.context("no score")?;
            Ok((score, answer.decision.context("no decision")?))
        });
        same(name, wanted, &said.collect::<Result<Vec<_>>>()?)?;
    }
    Ok(BOARDS.len())
}
