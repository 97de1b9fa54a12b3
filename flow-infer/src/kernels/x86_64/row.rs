//! Whole rows of a convolution, group of channels by group.

use super::super::groups::{Checked, Columns, Group, Target, all_columns};
use super::super::pack::CHANNELS;
use super::avx2::Eights;
use super::isa::{Avx2, Vnni};
use super::pack::{PackedWeights, Pairs, fill};
use super::vnni::{Eight, Sixteen};

/// Computes a row.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn with_vnni(
    isa: Vnni,
    row: Checked<'_, PackedWeights>,
    packed: &mut PackedWeights,
    target: Target<'_>,
) {
    let tiles = (Sixteen(isa), Eight(isa));
    groups(isa.avx2(), tiles, row, packed, target);
}

/// Computes a row.
#[target_feature(enable = "avx2")]
pub(super) fn with_avx2(
    isa: Avx2,
    row: Checked<'_, PackedWeights>,
    packed: &mut PackedWeights,
    target: Target<'_>,
) {
    groups(isa, (Eights::<2>(isa), Eights::<1>(isa)), row, packed, target);
}

/// Computes the row, sixteen output channels at a time, the last eight or fewer in vectors of half the width.
#[inline(always)]
fn groups(
    isa: Avx2,
    tiles: (impl Columns<Unit = Pairs>, impl Columns<Unit = Pairs>),
    row: Checked<'_, PackedWeights>,
    packed: &mut PackedWeights,
    mut target: Target<'_>,
) {
    let channels = row.row().pixel_len();
    let place = packed.place(row.row());
    for (index, first) in (0..channels).step_by(CHANNELS).enumerate() {
        let weights = packed.group(row.row(), index, place, |to| fill(isa, row.row(), first, to));
        if let Some(group) = Group::new(row, first, weights) {
            all_columns(tiles, &group, &mut target);
        }
    }
}
