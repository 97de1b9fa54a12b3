//! The gate with the committed model in flash: the program of a product.
//!
//! The model's bytes are part of the program, so its scratch is a constant that the compiler knows
//! and a chip with too little memory for it does not link.

use crate::{Board, Ran, Stop, deliberate, images, serve};
use core::hint::black_box;
use flow_infer::artifact::{Artifact, scratch_need};
use flow_infer::detector::Detector;
use flow_infer::engine::{Fixed, Scratch};
use flow_infer::score::complexity::Coder;
use static_cell::ConstStaticCell;

const BYTES: &[u8] = include_bytes!("../../models/fashion-tiny.flow");
const LATENTS: usize = scratch_need(BYTES).latents as usize;
const ACTIVATIONS: usize = scratch_need(BYTES).activations as usize;

static MODEL: &[u8] = BYTES;
static SCRATCH: ConstStaticCell<Scratch<Fixed, LATENTS, ACTIVATIONS>> =
    ConstStaticCell::new(Scratch::new());
static CODER: ConstStaticCell<Coder> = ConstStaticCell::new(Coder::new());

/// Loads and tests the model, answers the compiled-in images, then whatever `board` fetches.
pub fn run<B: Board>(board: &mut B) -> Ran {
    start(board).unwrap_or_else(Ran::without_model)
}

fn start<B: Board>(board: &mut B) -> Result<Ran, Stop> {
    // Hidden from the optimizer, which would otherwise prove things of this one model: size and
    // panic-freedom shall hold for the next model as well.
    let artifact = Artifact::load(black_box(MODEL)).map_err(|error| {
        defmt::error!("model refused: {}", error);
        Stop::ModelRefused
    })?;
    deliberate::panic_if_asked(artifact.dims());
    // The cells are full: nothing else in the program takes them.
    let scratch = SCRATCH.try_take().ok_or(Stop::ModelRefused)?;
    let coder = CODER.try_take().ok_or(Stop::ModelRefused)?;
    let mut detector = Detector::new(&artifact, scratch.borrow(), coder);
    serve::self_test(&mut detector)?;
    for image in images::ALL {
        serve::answer(board, &mut detector, image)?;
    }
    let mut input = [0; images::BYTES];
    Ok(serve::serve(board, &mut detector, &mut input))
}
