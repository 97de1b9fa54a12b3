//! Whole rows of a convolution, group of channels by group.

use super::super::groups::{Checked, Group, Target, all_columns, tiles};
use super::super::pack::CHANNELS;
use super::avx2::Eights;
use super::fours::Fours;
use super::isa::{Avx2, Vnni};
use super::kept::PackedWeights;
use super::pack::{Pairs, fill};
use super::vnni::{Eight, Sixteen};
use super::winograd::Winograd;

/// Computes a row.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn with_vnni(
    isa: Vnni,
    row: Checked<'_, PackedWeights>,
    packed: &mut PackedWeights,
    mut target: Target<'_>,
) {
    let tiles = (Sixteen(isa), Eight(isa));
    groups(isa.avx2(), row, packed, |_, _, group| {
        all_columns(tiles, group, &mut target);
    });
}

/// Computes a row.
#[target_feature(enable = "avx2")]
pub(super) fn with_avx2(
    isa: Avx2,
    row: Checked<'_, PackedWeights>,
    packed: &mut PackedWeights,
    mut target: Target<'_>,
) {
    let eights = (Eights::<2>(isa), Eights::<1>(isa));
    let begun = match target {
        Target::Activations(_) => packed.winograd.begin(row.row()),
        Target::Sums(_) => None,
    };
    groups(isa, row, packed, |winograd, index, group| {
        let is_done =
            begun.is_some_and(|begun| winograd.group(isa, begun, index, group, &mut target));
        match is_done {
            true => (),
            false if group.fits(Fours(isa)) => tiles(Fours(isa), group, &mut target),
            false => all_columns(eights, group, &mut target),
        }
    });
}

/// Has every group of sixteen output channels computed.
#[inline(always)]
fn groups(
    isa: Avx2,
    row: Checked<'_, PackedWeights>,
    packed: &mut PackedWeights,
    mut compute: impl FnMut(&mut Winograd, usize, &Group<'_, Pairs>),
) {
    let PackedWeights { pairs, winograd } = packed;
    let channels = row.row().pixel_len();
    let place = pairs.place(row.row());
    for (index, first) in (0..channels).step_by(CHANNELS).enumerate() {
        let weights = pairs.group(row.row(), index, place, |to| fill(isa, row.row(), first, to));
        if let Some(group) = Group::new(row, first, weights) {
            compute(winograd, index, &group);
        }
    }
}
