//! The narrow waist of a host's kernels: what they ask of an instruction set, and the proof that it is there.

use super::affine::{Affine, Coordinates, Rewritten};
#[cfg(float_rows)]
use super::floats::{PackedFloats, Read};
use super::groups::{Checked, Target};
use super::read::{Kept, Reading};
#[cfg(float_rows)]
use super::row::Row;
use super::tile::Tile;
use crate::plan::LANES;

/// An instruction set. A value is the proof that this processor has it: types that implement this have private fields,
/// and only [`detect`](Self::detect) makes one.
pub(super) trait Isa: Copy {
    /// The kernel's name.
    const NAME: &'static str;

    /// Weights as it multiplies them.
    type PackedWeights;

    /// The proof, if this processor has the instructions. Under the feature `std` it is asked, else the target decides.
    fn detect() -> Option<Self>;

    /// Four output channels of one pixel or two; see [`super::portable`].
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]);

    /// Computes a row.
    fn row(
        self,
        row: Checked<'_, Self::PackedWeights>,
        packed: &mut Self::PackedWeights,
        target: Target<'_>,
    );

    /// Reads a row's coordinates and says that it has; never where there is nothing to gain.
    #[inline(always)]
    fn read(self, _: &Reading, _: &mut Kept<'_, i32, i16>) -> bool {
        false
    }

    /// Rewrites a row's coordinates, up to one that would leave its range; none where there is nothing to gain.
    #[inline(always)]
    fn rewrite(self, _: &Affine<'_>, _: &mut Coordinates<'_, i32, i32>) -> Rewritten {
        Rewritten::default()
    }

    /// Computes a row that [`super::floats::takes`], as [`super::float_row`] does.
    #[cfg(float_rows)]
    fn float_row<const BYTES: usize>(
        self,
        row: &Row<'_, f32>,
        packed: &mut PackedFloats,
        read: Read<BYTES>,
        emit: impl FnMut(usize, &[f32]),
    );
}
