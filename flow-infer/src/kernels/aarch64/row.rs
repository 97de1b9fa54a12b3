//! Whole rows of a convolution, as on x86-64: sixteen output channels side by side, several pixels at a time.

use super::super::groups::{Checked, Columns, Group, Target, all_columns};
use super::super::pack::CHANNELS;
use super::isa::Sdot;
use super::neon::ByLane;
use super::pack::{PackedWeights, Quads, fill};
use super::sdot::{ByQuad, add_offset};

/// Computes a row.
pub(super) fn with_sdot(
    isa: Sdot,
    row: Checked<'_, PackedWeights>,
    packed: &mut PackedWeights,
    target: Target<'_>,
) {
    let tiles = (ByQuad::<4>(isa), ByQuad::<2>(isa));
    groups(tiles, row, packed, target, |group| add_offset(isa, group));
}

/// Computes a row.
pub(super) fn with_neon(row: Checked<'_, PackedWeights>, packed: &mut PackedWeights, target: Target<'_>) {
    groups((ByLane::<4>, ByLane::<2>), row, packed, target, |_| ());
}

/// Computes the row, sixteen output channels at a time, the last eight or fewer in tiles of half the width.
#[inline(always)]
fn groups(
    tiles: (impl Columns<Unit = Quads>, impl Columns<Unit = Quads>),
    row: Checked<'_, PackedWeights>,
    packed: &mut PackedWeights,
    mut target: Target<'_>,
    prepare: impl Fn(&mut Group<'_, Quads>),
) {
    let channels = row.row().pixel_len();
    let place = packed.place(row.row());
    for (index, first) in (0..channels).step_by(CHANNELS).enumerate() {
        let weights = packed.group(row.row(), index, place, |to| fill(row.row(), first, to));
        if let Some(mut group) = Group::new(row, first, weights) {
            prepare(&mut group);
            all_columns(tiles, &group, &mut target);
        }
    }
}
