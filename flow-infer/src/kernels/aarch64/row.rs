//! Whole rows of a convolution, as on x86-64: sixteen output channels side by side, several pixels at a time.

use super::super::groups::{Columns, Group, Target, all_columns, fits};
use super::super::pack::CHANNELS;
use super::super::row::Row;
use super::neon::Neon;
use super::pack::{PackedWeights, quads};
use super::sdot::{Sdot, add_offset};

/// Whether the row can be computed: it has columns enough, everything that it names is there, and there is room for its
/// weights.
pub(super) fn takes(row: &Row<'_, i16>, target: Target) -> bool {
    fits(row, target) && PackedWeights::takes(row, 0)
}

/// Computes a row.
///
/// # Safety
/// The processor must have the dot product instructions, the row must be one that [`takes`], and there must be room for
/// all sums.
pub(super) unsafe fn with_sdot(row: &mut Row<'_, i16>, packed: &mut PackedWeights, target: Target) {
    // SAFETY: the caller vouches for all of it; the group's weights are laid out when it is made.
    unsafe {
        groups::<Sdot<4>, Sdot<2>>(row, packed, target, |group| add_offset(group));
    }
}

/// Computes a row.
///
/// # Safety
/// The row must be one that [`takes`], and there must be room for all sums.
pub(super) unsafe fn with_neon(row: &mut Row<'_, i16>, packed: &mut PackedWeights, target: Target) {
    // SAFETY: the caller vouches for it, and every aarch64 processor has NEON.
    unsafe { groups::<Neon<4>, Neon<2>>(row, packed, target, |_| ()) }
}

/// Computes the row, sixteen output channels at a time, the last eight or fewer in tiles of half the width.
///
/// # Safety
/// As of [`all_columns`], for a row that is taken.
#[inline(always)]
unsafe fn groups<Wide: Columns, Narrow: Columns>(
    row: &mut Row<'_, i16>,
    packed: &mut PackedWeights,
    target: Target,
    prepare: impl Fn(&mut Group<'_>),
) {
    let activations = row.target.as_mut_ptr();
    let place = packed.place(row);
    for (index, first) in (0..row.pixel_len()).step_by(CHANNELS).enumerate() {
        let weights = packed.group(row, index, place, |to| {
            for (unit, quad) in quads(row, first).enumerate() {
                // SAFETY: there is room for all quads of a group.
                unsafe { to.add(unit).write(quad) };
            }
        });
        let mut group = Group::new(row, first, weights, activations, target);
        prepare(&mut group);
        // SAFETY: the weights are those of the group's channels; the caller vouches for the rest.
        unsafe { all_columns::<Wide, Narrow>(&group) };
    }
}
