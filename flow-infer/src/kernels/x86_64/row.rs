//! Whole rows of a convolution: sixteen output channels side by side in a vector, several pixels at a time.
//!
//! A pair of activations is broadcast and multiplied with a pair of weights of every channel, so sums need not be added
//! up across a vector, and the sums of a pixel are requantized, activated, joined with the residual and stored as they
//! stand. Dot products and scalar requantization took three times as long for an image of `fashion-tiny`.

use super::super::row::Row;
use super::avx2::Avx2;
use super::pack::{CHANNELS, PAIR_BYTES, PackedWeights};
use super::vnni::{Eight, Sixteen};
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

/// Whether the row can be computed: it has columns enough, everything that it names is there, and there is room for its
/// weights.
pub(super) fn takes(row: &Row<'_, i16>, target: Target) -> bool {
    let fits = match target {
        Target::Activations => row.fits(),
        Target::Sums(_) => row.integers_fit(),
    };
    fits && row.columns >= FEWEST_COLUMNS && PackedWeights::takes(row)
}

/// Computes a row.
///
/// # Safety
/// The processor must have the features, the row must be one that [`takes`], and there must be room for all sums.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn with_vnni(row: &mut Row<'_, i16>, packed: &mut PackedWeights, target: Target) {
    // SAFETY: these are the features that the operations need.
    unsafe { groups::<Sixteen, Eight>(row, packed, target) }
}

/// Computes a row.
///
/// # Safety
/// The processor must have the feature, the row must be one that [`takes`], and there must be room for all sums.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn with_avx2(row: &mut Row<'_, i16>, packed: &mut PackedWeights, target: Target) {
    // SAFETY: this is the feature that the operations need.
    unsafe { groups::<Avx2<2>, Avx2<1>>(row, packed, target) }
}

/// Computes the row, sixteen output channels at a time, the last eight or fewer in vectors of half the width.
///
/// # Safety
/// The processor must have what the operations need; the rest as above.
#[inline(always)]
unsafe fn groups<Wide: Operations, Narrow: Operations>(
    row: &mut Row<'_, i16>,
    packed: &mut PackedWeights,
    target: Target,
) {
    let activations = row.target.as_mut_ptr();
    let channels = row.pixel_len();
    let place = packed.place(row);
    for (index, first) in (0..channels).step_by(CHANNELS).enumerate() {
        let count = (channels - first).min(CHANNELS);
        // SAFETY: the row fits and is taken, and has the group and the place; every operation's processor has AVX2.
        let weights = unsafe { packed.group(row, index, place) };
        let records = row.records.get(first * RECORD_BYTES..).unwrap_or(&[]);
        let group = Group::new(row, weights, (first, count, records), activations, target);
        // SAFETY: the weights are those of the group's channels; the caller vouches for the rest.
        unsafe {
            match count <= Narrow::CHANNELS {
                true => columns::<Narrow>(&group),
                false => columns::<Wide>(&group),
            }
        }
    }
}

/// Computes all columns in tiles of the same width, of which the last may overlap the one before.
///
/// # Safety
/// The processor must have what the operations need, the row must fit, and there must be room for its outputs.
#[inline(always)]
unsafe fn columns<O: Operations>(group: &Group<'_>) {
    let columns = group.row.columns;
    let tiles = columns.div_ceil(O::MOST_COLUMNS);
    let width = columns.div_ceil(tiles);
    for tile in 0..tiles {
        let x = (tile * width).min(columns - width);
        // SAFETY: these columns are there; the caller vouches for the rest.
        unsafe { O::columns(group, x, width) };
    }
}

/// Sixteen output channels of a row, or the last ones of it.
pub(super) struct Group<'r> {
    pub(super) row: &'r Row<'r, i16>,
    /// Laid out, all that a channel has.
    weights: *const u8,
    /// First channel, and how many there are.
    first: usize,
    pub(super) count: usize,
    pub(super) biases: [i32; CHANNELS],
    pub(super) multipliers: [i32; CHANNELS],
    /// The row's target.
    pub(super) activations: *mut i16,
    target: Target,
}

impl<'r> Group<'r> {
    #[inline(always)]
    fn new(
        row: &'r Row<'_, i16>,
        weights: *const u8,
        (first, count, records): (usize, usize, &[u8]),
        activations: *mut i16,
        target: Target,
    ) -> Self {
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
            count,
            biases: records.map(|[a, b, c, d, ..]| i32::from_le_bytes([a, b, c, d])),
            multipliers: records.map(|[.., a, b, c, d]| i32::from_le_bytes([a, b, c, d])),
            activations,
            target,
        }
    }

    /// A bit for each channel that there is.
    #[inline(always)]
    pub(super) fn here(&self) -> u16 {
        u16::MAX >> (CHANNELS - self.count)
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

/// What differs between the extensions. Everything here is unsafe: the processor must have the extension, and what is
/// read and written must be there.
pub(super) trait Operations {
    /// Output channels of a vector.
    const CHANNELS: usize;
    /// Columns that there are registers for.
    const MOST_COLUMNS: usize;
    /// Sums of so many channels.
    type Sums: Copy;
    /// Two weights of each channel, 16 bits wide.
    type Weights: Copy;

    unsafe fn load(values: &[i32; CHANNELS]) -> Self::Sums;
    unsafe fn weights(from: *const u8) -> Self::Weights;
    /// Adds a pair of activations times each channel's pair of weights.
    unsafe fn multiply_add(
        sums: Self::Sums,
        weights: Self::Weights,
        pair: *const i16,
    ) -> Self::Sums;
    /// Stores the sums of a column.
    unsafe fn store(sums: Self::Sums, group: &Group<'_>, to: *mut i32);
    /// Requantizes, activates, adds the residual and stores column x.
    unsafe fn finish(sums: Self::Sums, group: &Group<'_>, x: usize);
    /// Computes columns x to x + width, at most as many as there are registers for.
    unsafe fn columns(group: &Group<'_>, x: usize, width: usize);
}

/// Computes columns x to x + COLUMNS.
///
/// # Safety
/// The processor must have what the operations need; the row fits and has these columns.
#[inline(always)]
pub(super) unsafe fn tile<O: Operations, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    let Row {
        window,
        activations,
        step,
        ..
    } = *group.row;
    // SAFETY: a row that fits has the window's activations at every column, and its runs' weights begin with pairs.
    unsafe {
        let mut sums = [O::load(&group.biases); COLUMNS];
        for run in window.runs() {
            let mut weights = group.weights.add(run.weights * CHANNELS);
            let mut at = activations.as_ptr().add(x * step + run.activations);
            let end = at.add(window.run_len());
            while at < end {
                let pair = O::weights(weights);
                for (column, sums) in sums.iter_mut().enumerate() {
                    *sums = O::multiply_add(*sums, pair, at.add(column * step));
                }
                weights = weights.add(PAIR_BYTES);
                at = at.add(2);
            }
        }
        for (column, sums) in sums.into_iter().enumerate() {
            match group.target {
                Target::Activations => O::finish(sums, group, x + column),
                Target::Sums(to) => O::store(sums, group, to.add(group.place(x + column))),
            }
        }
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
