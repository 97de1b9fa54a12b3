//! Any model, from a file of the host.
//!
//! Model and scratch lie in RAM, in buffers as large as the emulated machines allow, so that
//! comparing another model with the host needs no other firmware.

use crate::board::Emulated;
use crate::files;
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, F16, F32, Fixed, Scratch, ScratchMut};
use flow_infer::plan::NumberFormat;
use flow_infer::score::complexity::Coder;
use flowgate_app::{Ran, Stop, serve};
use static_cell::ConstStaticCell;

/// Largest model, in bytes.
const MODEL_BYTES: usize = 8 << 20;
/// Largest input, in bytes: 16 384 coordinates of four bytes.
const INPUT_BYTES: usize = 4 * LATENTS;
/// Most coordinates.
const LATENTS: usize = 16 * 1024;
/// Most activations; four bytes each in the float formats.
const ACTIVATIONS: usize = 256 * 1024;

/// Only one of the three is used in a run; memory is plenty here and a union would be unsafe.
type Memory<A> = ConstStaticCell<Scratch<A, LATENTS, ACTIVATIONS>>;

static MODEL: ConstStaticCell<[u8; MODEL_BYTES]> = ConstStaticCell::new([0; MODEL_BYTES]);
static INPUT: ConstStaticCell<[u8; INPUT_BYTES]> = ConstStaticCell::new([0; INPUT_BYTES]);
static CODER: ConstStaticCell<Coder> = ConstStaticCell::new(Coder::new());
static FIXED: Memory<Fixed> = ConstStaticCell::new(Scratch::new());
static SINGLE: Memory<F32> = ConstStaticCell::new(Scratch::new());
static HALF: Memory<F16> = ConstStaticCell::new(Scratch::new());

/// Loads the host's model and answers the host's inputs.
pub(crate) fn run(board: &mut Emulated) -> Ran {
    load(board).unwrap_or_else(Ran::without_model)
}

fn load(board: &mut Emulated) -> Result<Ran, Stop> {
    let bytes = files::read_model(take(&MODEL)?)?;
    let artifact = Artifact::load(bytes).map_err(|error| {
        defmt::error!("model refused: {}", error);
        Stop::ModelRefused
    })?;
    match artifact.number_format() {
        NumberFormat::Q8 => serve(board, &artifact, take(&FIXED)?.borrow()),
        NumberFormat::F32 => serve(board, &artifact, take(&SINGLE)?.borrow()),
        NumberFormat::F16 => serve(board, &artifact, take(&HALF)?.borrow()),
    }
}

fn serve<A: Arithmetic>(
    board: &mut Emulated,
    artifact: &Artifact<'_>,
    scratch: ScratchMut<'_, A>,
) -> Result<Ran, Stop> {
    let mut detector = Detector::new(artifact, scratch, take(&CODER)?);
    serve::self_test(&mut detector)?;
    let input = take(&INPUT)?.get_mut(..artifact.input().byte_len());
    let input = input.ok_or(Stop::ModelRefused)?;
    Ok(serve::serve(board, &mut detector, input))
}

/// Takes the memory; every static is taken once in a run.
fn take<T>(cell: &'static ConstStaticCell<T>) -> Result<&'static mut T, Stop> {
    cell.try_take().ok_or(Stop::ModelRefused)
}
