//! A row of a coupling's coordinates at once, in integers: from the sums of the last layer to new latents.
//!
//! One at a time a coordinate took 150 instructions of a host, a twelfth of an image's time in `fashion-bottleneck`.

use crate::plan::TABLE_ENTRIES;
use crate::spec::AffineForm;

/// Bits that a multiplier of a last layer shifts by; its results are latents, not 16-bit activations.
pub(crate) const OUTPUT_SHIFT: u32 = 20;
/// Grid steps beyond which log_scale is held: factors of 2^16.
pub(crate) const GRID_LIMIT: i32 = (1 << 20) - 1;

/// A coupling's map at one channel.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(kernel = "x86_64"), allow(dead_code))] // elsewhere nothing reads it
pub(crate) struct Affine<'t> {
    /// Multipliers of the sums of raw_scale and of shift.
    pub(crate) multipliers: [i32; 2],
    /// What a cubic of raw_scale is interpolated in; none where raw_scale is taken as it is.
    pub(crate) table: Option<&'t [u8; 4 * TABLE_ENTRIES]>,
    /// Grid steps of log_scale in the table's unit.
    pub(crate) bound: i32,
    /// Powers of two: 2^(i/256) and 2^(i/65536).
    pub(crate) mantissas: [&'static [i32; 256]; 2],
    /// Order of shift and scale.
    pub(crate) form: AffineForm,
}

/// A channel's coordinates in a row, and the sums that they are rewritten with.
#[derive(Debug)]
pub struct Coordinates<'r, L, S> {
    /// Latents, from the first coordinate on.
    pub latents: &'r mut [L],
    /// Distance of two neighbouring coordinates in the latents.
    pub stride: usize,
    /// Sums with biases, from the first raw_scale on; the shift's lies behind it.
    pub sums: &'r [S],
    /// Sums of a pixel.
    pub pixel_len: usize,
    /// How many coordinates there are.
    pub count: usize,
}

/// How many of the first coordinates are rewritten, and their log_scale in grid steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) count: usize,
    pub(crate) steps: i64,
}
