//! Whole rows on hosts: sixteen output channels of a row at a time, side by side in vectors.
//!
//! What every processor's kernel of rows has in common: which rows it takes, what a group of channels is computed from,
//! and how a row is cut into tiles of columns.

use super::pack::{CHANNELS, Packed};
use super::row::Row;
use crate::bytes;
use crate::plan::Activation;
use core::hint::black_box;
use core::marker::PhantomData;

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

/// A row that kernels of hosts may compute with weights that are laid out as in `P`: everything that it names is there.
pub(super) struct Checked<'r, P> {
    row: &'r Row<'r, i16>,
    packed: PhantomData<fn() -> P>,
}

impl<P> Clone for Checked<'_, P> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Checked<'_, P> {}

/// Rooms for weights.
pub(super) trait Room {
    /// Whether there is room for a group of the row, in the order that it wants.
    fn takes(row: &Row<'_, i16>) -> bool;
}

impl<U, const ROOM: usize, const FREE: usize> Room for Packed<U, ROOM, FREE> {
    fn takes(row: &Row<'_, i16>) -> bool {
        Self::takes(row)
    }
}

impl<'r, P: Room> Checked<'r, P> {
    /// The row, if it fits, has columns enough, and there is room for its weights.
    #[inline]
    pub(super) fn new(row: &'r Row<'_, i16>, target: &Target<'_>) -> Option<Self> {
        let fits = match target {
            Target::Activations(all) => row.fits_in(all.len()),
            Target::Sums(all) => row.sums_fit_in(all.len()),
        };
        let is_taken = fits && row.columns >= FEWEST_COLUMNS && P::takes(row);
        is_taken.then_some(Self {
            row,
            packed: PhantomData,
        })
    }

    /// The row.
    #[inline(always)]
    pub(super) fn row(&self) -> &'r Row<'r, i16> {
        self.row
    }
}

/// Pixels that have no channels but a group's, and what is added to them.
#[cfg(kernel = "x86_64")]
pub(super) struct WholePixels<'r, 't, const CHANNELS: usize> {
    pub(super) target: &'t mut [[i16; CHANNELS]],
    pub(super) residual: Option<&'r [[i16; CHANNELS]]>,
}

/// Sixteen output channels of a row, or the last ones of it.
pub(super) struct Group<'r, U> {
    row: &'r Row<'r, i16>,
    /// Laid out, all that a channel has.
    weights: &'r [U],
    /// First channel, and how many there are.
    first: usize,
    count: usize,
    pub(super) biases: [i32; CHANNELS],
    pub(super) multipliers: [i32; CHANNELS],
}

impl<'r, U> Group<'r, U> {
    /// Weights of a channel in a unit.
    const UNIT: usize = size_of::<U>() / CHANNELS;

    /// The row.
    #[inline(always)]
    pub(super) fn row(&self) -> &'r Row<'r, i16> {
        self.row
    }

    /// The weights, laid out.
    #[cfg(kernel = "x86_64")] // where some are transformed
    #[inline(always)]
    pub(super) fn weights(&self) -> &'r [U] {
        self.weights
    }

    /// The group that begins with channel `first`, if its weights are there.
    #[inline(always)]
    pub(super) fn new<P>(row: Checked<'r, P>, first: usize, weights: &'r [U]) -> Option<Self> {
        let row = row.row;
        let records = row.records.get(first * RECORD_BYTES..).unwrap_or(&[]);
        let records = records.as_chunks::<RECORD_BYTES>().0;
        let mut whole = [[0; RECORD_BYTES]; CHANNELS];
        let records = records.first_chunk::<CHANNELS>().unwrap_or_else(|| {
            for (to, from) in whole.iter_mut().zip(records) {
                *to = *from;
            }
            &whole
        });
        let has_weights = weights.len() >= row.row_bytes.div_ceil(Self::UNIT);
        has_weights.then(|| Self {
            row,
            weights,
            first,
            count: (row.pixel_len() - first).min(CHANNELS),
            biases: records.map(|[a, b, c, d, ..]| i32::from_le_bytes([a, b, c, d])),
            multipliers: records.map(|[.., a, b, c, d]| i32::from_le_bytes([a, b, c, d])),
        })
    }

    /// Each run's weights, and where its activations at column x begin: as many as a run has from there on, and from each
    /// of the next `COLUMNS - 1` steps on. No runs where the row has not as many columns.
    #[allow(unsafe_code)] // what a row was checked for once is not checked at every tile
    #[inline(always)]
    pub(super) fn runs<const COLUMNS: usize>(
        &self,
        x: usize,
    ) -> impl Iterator<Item = (&'r [U], *const i16)> {
        let Self { row, weights, .. } = *self;
        let has_columns = COLUMNS <= row.columns && x <= row.columns - COLUMNS;
        let runs = if has_columns { row.window.runs() } else { &[] };
        runs.iter().map(move |run| {
            let first = run.weights / Self::UNIT;
            let units = first..first + row.window.run_len() / Self::UNIT;
            // SAFETY: `Checked::new` has found every run within a row of weights, and `Group::new` as many units of weights
            // as a row fills.
            let weights = unsafe { weights.get_unchecked(units) };
            // SAFETY: `Checked::new` has found every run within the activations at every column, and x is one.
            let at = unsafe { row.activations.as_ptr().add(x * row.step + run.activations) };
            // Opaque, or the compiler multiplies x and the step anew at every unit of weights.
            (weights, black_box(at))
        })
    }

    /// The channels that there are of a column, of all of the row's.
    #[cfg(kernel = "aarch64")] // where columns are stored one at a time
    #[inline(always)]
    pub(super) fn of_column<'t, T>(&self, all: &'t mut [T], x: usize) -> &'t mut [T] {
        bytes::run_mut(all, x * self.row.pixel_len() + self.first, self.count)
    }

    /// The channels that there are of column x and each one behind it, of all of the row's.
    #[cfg(kernel = "x86_64")] // where a tile's columns are stored one after another
    #[inline(always)]
    pub(super) fn columns_from<'t, T>(
        &self,
        all: &'t mut [T],
        x: usize,
    ) -> impl Iterator<Item = &'t mut [T]> {
        let (pixel_len, count) = (self.row.pixel_len(), self.count);
        let from = all.get_mut(x * pixel_len + self.first..).unwrap_or(&mut []);
        let pixels = from.chunks_mut(pixel_len.max(1));
        pixels.map(move |pixel| pixel.get_mut(..count).unwrap_or(&mut []))
    }

    /// The columns from x on, and what is added to them, if these channels are all that a pixel has.
    #[cfg(kernel = "x86_64")] // as of `columns_from`
    #[inline(always)]
    pub(super) fn whole_pixels<'t, const CHANNELS: usize>(
        &self,
        all: &'t mut [i16],
        x: usize,
    ) -> Option<WholePixels<'r, 't, CHANNELS>> {
        if self.row.pixel_len() != CHANNELS {
            return None;
        }
        let residual = match self.row.residual {
            [] => None,
            all => Some(all.as_chunks().0.get(x..)?),
        };
        let target = all.as_chunks_mut().0.get_mut(x..)?;
        Some(WholePixels { target, residual })
    }

    /// Whether such a tile has all of its channels.
    #[inline(always)]
    pub(super) fn fits<C: Columns>(&self, _: C) -> bool {
        self.count <= C::CHANNELS
    }

    /// What is added to a column's outputs: as many, or nothing.
    #[inline(always)]
    pub(super) fn residual(&self, x: usize) -> &'r [i16] {
        if self.row.residual.is_empty() {
            return &[]; // known before the loop over columns
        }
        let place = x * self.row.pixel_len() + self.first;
        bytes::run(self.row.residual, place, self.count)
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
    match group.fits(narrow) {
        true => tiles(narrow, group, target),
        false => tiles(wide, group, target),
    }
}

/// Computes all columns of a group in such tiles.
#[inline(always)]
pub(super) fn tiles<C: Columns>(tile: C, group: &Group<'_, C::Unit>, target: &mut Target<'_>) {
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
    ($tile:ident $arguments:tt, $width:expr; $($columns:literal)*) => {
        match $width {
            $($columns => $tile::<$columns> $arguments,)*
            _ => (),
        }
    };
}
pub(super) use of_width;
