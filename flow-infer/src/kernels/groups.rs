//! Whole rows on hosts: sixteen output channels of a row at a time, side by side in vectors.
//!
//! What every processor's kernel of rows has in common: which rows it takes, what a group of channels is computed from,
//! and how a row is cut into tiles of columns.

use super::PackedWeights;
use super::pack::CHANNELS;
use super::row::Row;
use crate::bytes::{run, run_mut};
use crate::plan::Activation;

/// Columns from which on laying out the weights is worth its while.
const FEWEST_COLUMNS: usize = 2;
/// Bytes of an output channel's record.
const RECORD_BYTES: usize = 8;

/// Where a row's sums go, pixel by pixel.
#[derive(Debug)]
pub(super) enum Target<'t> {
    /// Requantized.
    Activations(&'t mut [i16]),
    /// As they are.
    Sums(&'t mut [i32]),
}

/// Whether the row has columns enough, everything that it names is there, and there is room for its weights. Kernels
/// rely on it for their results, never for their safety.
#[inline]
pub(super) fn takes(row: &Row<'_, i16>, target: &Target<'_>) -> bool {
    let fits = match target {
        Target::Activations(all) => row.fits_in(all.len()),
        Target::Sums(all) => row.sums_fit_in(all.len()),
    };
    fits && row.columns >= FEWEST_COLUMNS && PackedWeights::takes(row)
}

/// Sixteen output channels of a row, or the last ones of it.
pub(super) struct Group<'r, U> {
    pub(super) row: &'r Row<'r, i16>,
    /// Laid out, all that a channel has.
    pub(super) weights: &'r [U],
    /// First channel, and how many there are.
    first: usize,
    count: usize,
    pub(super) biases: [i32; CHANNELS],
    pub(super) multipliers: [i32; CHANNELS],
}

impl<'r, U> Group<'r, U> {
    /// The group that begins with channel `first`.
    #[inline(always)]
    pub(super) fn new(row: &'r Row<'_, i16>, first: usize, weights: &'r [U]) -> Self {
        let records = row.records.get(first * RECORD_BYTES..).unwrap_or(&[]);
        let records = records.as_chunks::<RECORD_BYTES>().0;
        let mut whole = [[0; RECORD_BYTES]; CHANNELS];
        let records = records.first_chunk::<CHANNELS>().unwrap_or_else(|| {
            for (to, from) in whole.iter_mut().zip(records) {
                *to = *from;
            }
            &whole
        });
        Self {
            row,
            weights,
            first,
            count: (row.pixel_len() - first).min(CHANNELS),
            biases: records.map(|[a, b, c, d, ..]| i32::from_le_bytes([a, b, c, d])),
            multipliers: records.map(|[.., a, b, c, d]| i32::from_le_bytes([a, b, c, d])),
        }
    }

    /// The channels that there are of a column, of all of the row's.
    #[inline(always)]
    pub(super) fn of_column<'t, T>(&self, all: &'t mut [T], x: usize) -> &'t mut [T] {
        run_mut(all, x * self.row.pixel_len() + self.first, self.count)
    }

    /// What is added to a column's outputs: as many, or nothing.
    #[inline(always)]
    pub(super) fn residual(&self, x: usize) -> &'r [i16] {
        let place = x * self.row.pixel_len() + self.first;
        run(self.row.residual, place, self.count)
    }

    /// Least value before the residual is added.
    #[inline(always)]
    pub(super) fn least(&self) -> i32 {
        match self.row.activation {
            Activation::Relu => 0,
            _ => -GREATEST - 1,
        }
    }
}

/// Scaled sums are held to 17 bits, as is -1 of the least of them.
pub(super) const GREATEST: i32 = 0xFFFF;
/// Leaky relu: 0.01 with this many fraction bits. A hundredth, rounded, is below a positive value and above a negative
/// one, so the greater of the two is the result.
pub(super) const LEAK: i32 = 10486;
pub(super) const LEAK_BITS: u32 = 20;

/// A tile of a processor's kernel. A value is the proof that the processor has what it needs.
pub(super) trait Columns: Copy {
    /// What weights are laid out in.
    type Unit;
    /// Output channels that it computes.
    const CHANNELS: usize;
    /// Columns that there are registers for.
    const MOST_COLUMNS: usize;

    /// Computes columns x to x + width, at most as many as there are registers for.
    fn columns(
        self,
        group: &Group<'_, Self::Unit>,
        target: &mut Target<'_>,
        x: usize,
        width: usize,
    );
}

/// Computes all columns of a group in tiles of the same width, of which the last may overlap the one before; of eight
/// channels or fewer with the narrow tile.
#[inline(always)]
pub(super) fn all_columns<Wide: Columns, Narrow: Columns<Unit = Wide::Unit>>(
    (wide, narrow): (Wide, Narrow),
    group: &Group<'_, Wide::Unit>,
    target: &mut Target<'_>,
) {
    match group.count <= Narrow::CHANNELS {
        true => tiles(narrow, group, target),
        false => tiles(wide, group, target),
    }
}

#[inline(always)]
fn tiles<C: Columns>(tile: C, group: &Group<'_, C::Unit>, target: &mut Target<'_>) {
    let columns = group.row.columns;
    let tiles = columns.div_ceil(C::MOST_COLUMNS);
    let width = columns.div_ceil(tiles.max(1));
    for index in 0..tiles {
        let x = (index * width).min(columns - width);
        tile.columns(group, target, x, width);
    }
}

/// One of these widths, each a function of its own.
macro_rules! of_width {
    ($tile:ident($tile_type:expr, $group:expr, $target:expr, $x:expr), $width:expr; $($columns:literal)*) => {
        match $width {
            $($columns => $tile::<_, $columns>($tile_type, $group, $target, $x),)*
            _ => (),
        }
    };
}
pub(super) use of_width;
