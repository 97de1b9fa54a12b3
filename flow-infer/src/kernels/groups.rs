//! Whole rows on hosts: sixteen output channels of a row at a time, side by side in vectors.
//!
//! What every processor's kernel of rows has in common: which rows it takes, what a group of channels is computed from,
//! and how a row is cut into tiles of columns.

use super::pack::CHANNELS;
use super::row::Row;
use crate::plan::Activation;

/// Columns from which on laying out the weights is worth its while.
const FEWEST_COLUMNS: usize = 2;
/// Bytes of an output channel's record.
const RECORD_BYTES: usize = 8;

/// Where a row's sums go.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Requantized, into the row's own target.
    Activations,
    /// As they are, pixel by pixel.
    Sums(*mut i32),
}

impl Target {
    /// The place for the sums of a row, if there is room for all of them.
    pub(super) fn sums(row: &Row<'_, i16>, sums: &mut [i32]) -> Option<Self> {
        let room = row.columns.checked_mul(row.pixel_len())?;
        (room <= sums.len()).then_some(Self::Sums(sums.as_mut_ptr()))
    }
}

/// Whether the row has columns enough and everything that it names is there.
pub(super) fn fits(row: &Row<'_, i16>, target: Target) -> bool {
    let fits = match target {
        Target::Activations => row.fits(),
        Target::Sums(_) => row.integers_fit(),
    };
    fits && row.columns >= FEWEST_COLUMNS
}

/// Sixteen output channels of a row, or the last ones of it.
pub(super) struct Group<'r> {
    pub(super) row: &'r Row<'r, i16>,
    /// Laid out, all that a channel has.
    pub(super) weights: *const u8,
    /// First channel, and how many there are.
    first: usize,
    pub(super) count: usize,
    pub(super) biases: [i32; CHANNELS],
    pub(super) multipliers: [i32; CHANNELS],
    /// The row's target.
    pub(super) activations: *mut i16,
    pub(super) target: Target,
}

impl<'r> Group<'r> {
    /// The group that begins with channel `first`, its outputs requantized going to `activations`.
    #[inline(always)]
    pub(super) fn new(
        row: &'r Row<'_, i16>,
        first: usize,
        weights: *const u8,
        activations: *mut i16,
        target: Target,
    ) -> Self {
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
            activations,
            target,
        }
    }

    /// The place of a column's outputs in the target.
    #[inline(always)]
    pub(super) fn place(&self, x: usize) -> usize {
        x * self.row.pixel_len() + self.first
    }

    /// What is added to a column's outputs, if anything is.
    #[inline(always)]
    pub(super) fn residual(&self, x: usize) -> Option<*const i16> {
        let all = self.row.residual;
        (!all.is_empty()).then(|| all.as_ptr().wrapping_add(self.place(x)))
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

/// A tile of a processor's kernel.
pub(super) trait Columns {
    /// Output channels that it computes.
    const CHANNELS: usize;
    /// Columns that there are registers for.
    const MOST_COLUMNS: usize;

    /// Computes columns x to x + width, at most as many as there are registers for.
    ///
    /// # Safety
    /// The processor must have what the tile needs, the row must fit and have these columns, and there must be room for
    /// their outputs.
    unsafe fn columns(group: &Group<'_>, x: usize, width: usize);
}

/// Computes all columns of a group in tiles of the same width, of which the last may overlap the one before; of eight
/// channels or fewer with the narrow tile.
///
/// # Safety
/// As of [`Columns::columns`], for all columns.
#[inline(always)]
pub(super) unsafe fn all_columns<Wide: Columns, Narrow: Columns>(group: &Group<'_>) {
    // SAFETY: the caller vouches for it.
    unsafe {
        match group.count <= Narrow::CHANNELS {
            true => tiles::<Narrow>(group),
            false => tiles::<Wide>(group),
        }
    }
}

/// # Safety
/// As of [`Columns::columns`], for all columns.
#[inline(always)]
unsafe fn tiles<C: Columns>(group: &Group<'_>) {
    let columns = group.row.columns;
    let tiles = columns.div_ceil(C::MOST_COLUMNS);
    let width = columns.div_ceil(tiles);
    for tile in 0..tiles {
        let x = (tile * width).min(columns - width);
        // SAFETY: these columns are there; the caller vouches for the rest.
        unsafe { C::columns(group, x, width) };
    }
}

/// One of these widths, each a function of its own.
macro_rules! of_width {
    ($tile:ident($group:expr, $x:expr), $width:expr; $($columns:literal)*) => {
        match $width {
            $($columns => $tile::<Self, $columns>($group, $x),)*
            _ => (),
        }
    };
}
pub(super) use of_width;
