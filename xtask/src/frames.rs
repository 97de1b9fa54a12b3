//! Frames of every pixel format on every emulated board: the same bits as on the host, from the unreduced frame on.
//!
//! Boards get a frame row by row, the host gets it whole.

use crate::bench::models::frames_flow;
use crate::boards::{self, Board, Program};
use crate::inputs::Inputs;
use crate::side_by_side::side_by_side;
use crate::{CheckFailed, compare, comparison, gate, repo, session};
use anyhow::{Context, Result, bail, ensure};
use flow_infer::artifact::Artifact;
use flow_infer::front_end::{Frame, FrameSpec, FrontEnd, PixelFormat, Reduction, Region, YuvRange};
use flow_infer::spec::Shape;
use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::fs;

/// Where the random bytes of the frames begin.
const SEED: u64 = 0x5EED_0015;
/// Columns and rows of small frames; what a mosaic's cells leave over is not read.
const SMALL: [u16; 2] = [37, 29];
const SMALL_MOSAIC: [u16; 2] = [38, 30];
/// Columns and rows of a camera's frames.
const LARGE: [u16; 2] = [642, 480];

/// What was compared.
pub(crate) struct Checked {
    frames: usize,
    formats: usize,
    models: usize,
}

impl Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            frames,
            formats,
            models,
        } = self;
        write!(
            f,
            "{frames} frames in {formats} pixel formats, {models} front ends and a gate of one's own"
        )
    }
}

/// Runs models that differ in their front ends on frames of every format, by a program that loads any model and by a
/// gate that carries a model of one's own.
///
/// # Errors
/// A model could not be made or run, or a bit differs.
pub(crate) fn check(boards: &[Board]) -> Result<Checked> {
    println!("seed of the frames: {SEED:#x}");
    compare::build(boards)?;
    let mut frames = 0;
    let reductions = reductions();
    for reduction in &reductions {
        let inputs = inputs(reduction)?;
        frames += inputs.len();
        let model = frames_flow(*reduction)?.bytes;
        let comparisons = compare::compare_built(boards, &model, &inputs)?;
        comparison::verdict(&comparisons)
            .map_err(|error| CheckFailed(format!("{reduction:?}: {error}")))?;
    }
    let path = repo::frames_model();
    let model = fs::read(&path)?;
    let artifact = Artifact::load(&model).context("the model is refused")?;
    let Some(FrontEnd::Frames(reduction)) = artifact.front_end() else {
        bail!("{}: no front end", path.display());
    };
    let inputs = inputs(reduction)?;
    let own = |board: &Board| board.clone().with_model(path.clone());
    // One build at a time, before any board is waited for.
    for board in boards {
        session::build(&own(board), Program::Gate)?;
    }
    side_by_side(boards, |board| {
        gate::check_own(&own(board), &model, &inputs)
    })?;
    // Of a chip for each target it is enough to link: it then fits and cannot panic.
    let mut linked = BTreeSet::new();
    for board in boards::all()? {
        if board.emulator.is_none() && linked.insert(board.target.clone()) {
            session::build(&own(&board), Program::Gate)?;
        }
    }
    let read = formats(&reductions);
    ensure!(
        read == PixelFormat::ALL.len(),
        "regions of {read} formats only are read"
    );
    Ok(Checked {
        frames,
        formats: read,
        models: reductions.len(),
    })
}

/// Formats of which some front end reads a region.
fn formats(reductions: &[Reduction]) -> usize {
    let reads = |reduction: &Reduction, spec: &FrameSpec| {
        reduction.region.is_some() && reduction.region_of(spec).is_ok()
    };
    let is_read = |format: &PixelFormat| {
        let specs = specs(*format);
        reductions
            .iter()
            .any(|reduction| specs.iter().any(|spec| reads(reduction, spec)))
    };
    PixelFormat::ALL.into_iter().filter(is_read).count()
}

/// Grey and colour, each of the whole frame and of regions that begin at odd places.
fn reductions() -> Vec<Reduction> {
    let regions = [
        None,
        Some(Region {
            x: 3,
            y: 5,
            width: 22,
            height: 18,
        }),
        Some(Region {
            x: 1,
            y: 1,
            width: 33,
            height: 27,
        }),
    ];
    let outputs = [Shape::new(1, 8, 10), Shape::new(3, 8, 8)];
    let of = |output| {
        regions.map(|region| Reduction {
            region,
            ..Reduction::to(output)
        })
    };
    outputs.into_iter().flat_map(of).collect()
}

/// Frames of every format that a reduction takes, with random bytes.
fn inputs(reduction: &Reduction) -> Result<Inputs> {
    let mut random = Random(SEED);
    let fits = |spec: &FrameSpec| reduction.region_of(spec).is_ok();
    let specs = PixelFormat::ALL.into_iter().flat_map(specs).filter(fits);
    let frames: Vec<_> = specs
        .map(|spec| (spec, random.bytes(spec.byte_len() as usize)))
        .collect();
    let frames: Result<Vec<_>, _> = frames
        .iter()
        .map(|(spec, bytes)| Frame::new(*spec, bytes))
        .collect();
    Inputs::of_frames(reduction, &frames?)
}

/// Small and large frames of a format, in each range that it has.
fn specs(format: PixelFormat) -> Vec<FrameSpec> {
    let small = match format.is_mosaic() {
        true => SMALL_MOSAIC,
        false => SMALL,
    };
    let of_size = |[width, height]: [u16; 2]| FrameSpec::new(format, width, height);
    let mut specs = vec![of_size(small), of_size(LARGE)];
    if format.is_yuv() {
        specs.push(of_size(small).with_range(YuvRange::Limited));
    }
    specs
}

/// SplitMix64: bytes that look like no picture, always the same ones.
struct Random(u64);

impl Random {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z ^ (z >> 31)).to_le_bytes()
        };
        let mut bytes: Vec<u8> = (0..count.div_ceil(8)).flat_map(|_| next()).collect();
        bytes.truncate(count);
        bytes
    }
}
