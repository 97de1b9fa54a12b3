//! x86-64: AVX2, and AVX-512 with VNNI.
//!
//! `dot` multiplies along a window, for dense layers and single pixels; `row` computes whole rows of a convolution with
//! channels side by side in a vector, from weights that `pack` has laid out for it; `floats` does so in floats. Under the feature `std` the
//! processor is asked (the standard library remembers the answer), else the target decides.

mod avx2;
mod dot;
#[cfg(float_rows)]
mod floats;
mod pack;
mod row;
mod vnni;

use super::portable;
use super::row::Row;
use super::tile::Tile;
use crate::plan::LANES;
use core::array;
#[cfg(feature = "std")]
use core::sync::atomic::{AtomicU8, Ordering};
use dot::{with_avx2, with_vnni};
#[cfg(float_rows)]
pub use floats::float_row;
#[cfg(all(float_rows, test))]
pub(super) use floats::float_row_with;
pub use pack::PackedWeights;
use row::Target;

/// Four output channels of one pixel; see [`portable::single`].
#[inline]
pub fn single(tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    single_with(Extension::chosen(), tile, sums);
}

/// Four output channels of two pixels; see [`portable::pair`].
#[inline]
pub fn pair(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    pair_with(Extension::chosen(), tile, sums);
}

fn single_with(extension: Extension, tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    match extension {
        // SAFETY: the extension is there.
        Extension::Vnni => unsafe { with_vnni(tile, [0], array::from_mut(sums)) },
        // SAFETY: the extension is there.
        Extension::Avx2 => unsafe { with_avx2(tile, [0], array::from_mut(sums)) },
        Extension::None => portable::single(tile, sums),
    }
}

fn pair_with(extension: Extension, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    let places = [0, tile.distance()];
    match extension {
        // SAFETY: the extension is there.
        Extension::Vnni => unsafe { with_vnni(tile, places, sums) },
        // SAFETY: the extension is there.
        Extension::Avx2 => unsafe { with_avx2(tile, places, sums) },
        Extension::None => portable::pair(tile, sums),
    }
}

/// Computes a whole row of a convolution, if it has columns enough; see [`Row`].
#[inline]
pub fn row(row: &mut Row<'_, i16>, packed: &mut PackedWeights) -> bool {
    row_with(Extension::chosen(), row, packed, Target::Activations)
}

/// The sums of a whole row, pixel by pixel, with biases and not requantized; false where [`row`] would be, or where
/// there is too little room.
#[inline]
pub fn sums(row: &mut Row<'_, i16>, packed: &mut PackedWeights, sums: &mut [i32]) -> bool {
    sums_with(Extension::chosen(), row, packed, sums)
}

fn sums_with(
    extension: Extension,
    row: &mut Row<'_, i16>,
    packed: &mut PackedWeights,
    sums: &mut [i32],
) -> bool {
    let room = row.columns.checked_mul(row.pixel_len());
    room.is_some_and(|room| room <= sums.len())
        && row_with(extension, row, packed, Target::Sums(sums.as_mut_ptr()))
}

/// Any pointer to sums must have room for those of every column.
fn row_with(
    extension: Extension,
    row: &mut Row<'_, i16>,
    packed: &mut PackedWeights,
    target: Target,
) -> bool {
    if !row::takes(row, target) {
        return false;
    }
    match extension {
        // SAFETY: the extension is there, the row is one that it takes, and there is room for sums.
        Extension::Vnni => unsafe { row::with_vnni(row, packed, target) },
        // SAFETY: likewise.
        Extension::Avx2 => unsafe { row::with_avx2(row, packed, target) },
        Extension::None => return false,
    }
    true
}

/// What this processor has; a value exists only where that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    Vnni,
    Avx2,
    None,
}

/// Values of the choice; any other: none was made yet.
#[cfg(feature = "std")]
const VNNI: u8 = 3;
#[cfg(feature = "std")]
const AVX2: u8 = 2;
#[cfg(feature = "std")]
const NONE: u8 = 1;

macro_rules! has {
    ($($feature:tt),*) => {{
        #[cfg(feature = "std")]
        let has = $(std::is_x86_feature_detected!($feature))&&*;
        #[cfg(not(feature = "std"))]
        let has = $(cfg!(target_feature = $feature))&&*;
        has
    }};
}

#[cfg(feature = "std")]
static CHOSEN: AtomicU8 = AtomicU8::new(0);

impl Extension {
    /// The one that computes: the best there is, unless another one was chosen.
    #[inline]
    fn chosen() -> Self {
        #[cfg(feature = "std")]
        match CHOSEN.load(Ordering::Relaxed) {
            VNNI => return Self::Vnni,
            AVX2 => return Self::Avx2,
            NONE => return Self::None,
            _ => Self::best().choose(),
        }
        Self::best()
    }

    /// Only values that exist come here, so only such are ever read back.
    #[cfg(feature = "std")]
    fn choose(self) {
        let number = match self {
            Self::Vnni => VNNI,
            Self::Avx2 => AVX2,
            Self::None => NONE,
        };
        CHOSEN.store(number, Ordering::Relaxed);
    }

    #[inline]
    fn best() -> Self {
        if Self::has_vnni() {
            Self::Vnni
        } else if has!("avx2") {
            Self::Avx2
        } else {
            Self::None
        }
    }

    #[inline]
    fn has_vnni() -> bool {
        has!("avx2", "avx512f", "avx512bw", "avx512vl", "avx512vnni")
    }
}

/// Every extension that this processor has, best first, and the portable kernel.
#[cfg(any(feature = "std", test))]
pub(super) fn extensions() -> impl Iterator<Item = (&'static str, Extension)> {
    let vnni = Extension::has_vnni().then_some(("vnni", Extension::Vnni));
    let avx2 = has!("avx2").then_some(("avx2", Extension::Avx2));
    let others = vnni.into_iter().chain(avx2);
    others.chain([("portable", Extension::None)])
}

/// Names of the kernels that this processor can run, best first.
#[cfg(feature = "std")]
pub fn names() -> impl Iterator<Item = &'static str> {
    extensions().map(|(name, _)| name)
}

/// Has the kernel of this name compute from now on, in all threads; false where there is none.
#[cfg(feature = "std")]
pub fn choose(name: &str) -> bool {
    let found = extensions().find(|(other, _)| *other == name);
    found.map(|(_, extension)| extension.choose()).is_some()
}

/// A kernel for each extension that this processor has.
#[cfg(test)]
pub(super) fn available() -> std::vec::Vec<super::tests::Kernel> {
    let kernel = |(name, extension)| super::tests::Kernel {
        name,
        single: std::boxed::Box::new(move |tile, sums| single_with(extension, tile, sums)),
        pair: std::boxed::Box::new(move |tile, sums| pair_with(extension, tile, sums)),
    };
    extensions().map(kernel).collect()
}

/// A kernel of rows for each extension that this processor has.
#[cfg(test)]
pub(super) fn available_rows() -> std::vec::Vec<super::row_tests::Kernel> {
    let kernel = |(name, extension)| super::row_tests::Kernel {
        name,
        row: std::boxed::Box::new(move |row, packed| {
            row_with(extension, row, packed, Target::Activations)
        }),
        sums: std::boxed::Box::new(move |row, packed, sums| {
            sums_with(extension, row, packed, sums)
        }),
    };
    extensions().map(kernel).collect()
}
