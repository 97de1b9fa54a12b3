//! Memory for whatever model the host gives, in buffers as large as the emulated machines allow.

use flow_infer::engine::{F16, F32, Fixed, Scratch};
use flow_infer::front_end::MAX_SIDE;
use flow_infer::kernel_trials::Trials;
use flow_infer::score::complexity::Coder;
use flowgate_app::Stop;
use static_cell::ConstStaticCell;

/// Largest model, in bytes.
const MODEL_BYTES: usize = 8 << 20;
/// Largest input, in bytes: 16 384 coordinates of four bytes.
const INPUT_BYTES: usize = 4 * LATENTS;
/// Most coordinates.
const LATENTS: usize = 16 * 1024;
/// Most activations; four bytes each in the float formats.
const ACTIVATIONS: usize = 256 * 1024;

/// Bytes of a frame's row, all planes together: the widest of red, green and blue.
const ROW_BYTES: usize = 3 * MAX_SIDE as usize;

/// Only one of the three is used in a run; memory is plenty here and a union would be unsafe.
type Memory<A> = ConstStaticCell<Scratch<A, LATENTS, ACTIVATIONS>>;

pub(crate) static MODEL: ConstStaticCell<[u8; MODEL_BYTES]> =
    ConstStaticCell::new([0; MODEL_BYTES]);
pub(crate) static INPUT: ConstStaticCell<[u8; INPUT_BYTES]> =
    ConstStaticCell::new([0; INPUT_BYTES]);
pub(crate) static ROW: ConstStaticCell<[u8; ROW_BYTES]> = ConstStaticCell::new([0; ROW_BYTES]);
pub(crate) static SUMS: ConstStaticCell<[u64; 2 * LATENTS]> =
    ConstStaticCell::new([0; 2 * LATENTS]);
/// A model's input, made of a frame.
pub(crate) static REDUCED: ConstStaticCell<[u8; LATENTS]> = ConstStaticCell::new([0; LATENTS]);
pub(crate) static CODER: ConstStaticCell<Coder> = ConstStaticCell::new(Coder::new());
pub(crate) static FIXED: Memory<Fixed> = ConstStaticCell::new(Scratch::new());
pub(crate) static SINGLE: Memory<F32> = ConstStaticCell::new(Scratch::new());
pub(crate) static HALF: Memory<F16> = ConstStaticCell::new(Scratch::new());

/// The same trials in every run.
pub(crate) static KERNEL_TRIALS: ConstStaticCell<Trials> =
    ConstStaticCell::new(Trials::new(0x5EED_0002));

/// Takes the memory; every static is taken once in a run.
pub(crate) fn take<T>(cell: &'static ConstStaticCell<T>) -> Result<&'static mut T, Stop> {
    cell.try_take().ok_or(Stop::ModelRefused)
}
