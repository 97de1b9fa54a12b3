//! Kernels of hosts, of which a processor may have several: the best one computes, unless another one was chosen.
//!
//! Under the feature `std` the processor is asked, else the target decides.

#[cfg(kernel = "aarch64")]
use super::aarch64 as processor;
#[cfg(float_rows)]
use super::floats::{PackedFloats, Read};
use super::groups::Target;
use super::row::Row;
use super::tile::Tile;
#[cfg(kernel = "x86_64")]
use super::x86_64 as processor;
use crate::plan::LANES;
#[cfg(feature = "std")]
use core::sync::atomic::{AtomicUsize, Ordering};
#[cfg(float_rows)]
pub(super) use processor::float_row_with;
use processor::{Extension, PackedWeights, pair_with, row_with, single_with};

/// Four output channels of one pixel; see [`super::portable::single`].
#[inline]
pub fn single(tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    single_with(chosen(), tile, sums);
}

/// Four output channels of two pixels; see [`super::portable::pair`].
#[inline]
pub fn pair(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    pair_with(chosen(), tile, sums);
}

/// Computes a whole row of a convolution, if it has columns enough; see [`Row`].
#[inline]
pub fn row(row: &mut Row<'_, i16>, packed: &mut PackedWeights) -> bool {
    row_with(chosen(), row, packed, Target::Activations)
}

/// The sums of a whole row, pixel by pixel, with biases and not requantized; false where [`row`] would be, or where
/// there is too little room.
#[inline]
pub fn sums(row: &mut Row<'_, i16>, packed: &mut PackedWeights, sums: &mut [i32]) -> bool {
    sums_with(chosen(), row, packed, sums)
}

fn sums_with(
    extension: Extension,
    row: &mut Row<'_, i16>,
    packed: &mut PackedWeights,
    sums: &mut [i32],
) -> bool {
    Target::sums(row, sums).is_some_and(|target| row_with(extension, row, packed, target))
}

/// Computes a row in floats, if there is room for its weights: `emit` gets the sums of up to sixteen channels of a pixel
/// and their place among the row's outputs.
#[cfg(float_rows)]
#[inline]
pub fn float_row<const BYTES: usize>(
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    emit: impl FnMut(usize, &[f32]),
) -> bool {
    float_row_with(chosen(), row, packed, read, emit)
}

/// Place among [`Extension::ALL`] of the one that computes; beyond them: none was chosen yet.
#[cfg(feature = "std")]
static CHOSEN: AtomicUsize = AtomicUsize::new(usize::MAX);

/// The extension that computes.
#[inline]
fn chosen() -> Extension {
    #[cfg(feature = "std")]
    match Extension::ALL.get(CHOSEN.load(Ordering::Relaxed)) {
        Some(&(_, extension)) => return extension,
        None => choose_at(best()),
    }
    let best = Extension::ALL.get(best());
    best.map_or(Extension::None, |&(_, extension)| extension)
}

/// Place of the best that there is.
#[inline]
fn best() -> usize {
    let here = Extension::ALL.iter().position(|(_, e)| e.is_here());
    here.unwrap_or(usize::MAX)
}

/// Only places of what is here come in, so only such are ever read back.
#[cfg(feature = "std")]
fn choose_at(place: usize) {
    CHOSEN.store(place, Ordering::Relaxed);
}

/// All extensions that this processor has, best first, with their names.
#[cfg(any(feature = "std", test))]
pub(super) fn here() -> impl Iterator<Item = (&'static str, Extension)> {
    Extension::ALL.into_iter().filter(|(_, e)| e.is_here())
}

/// Names of the kernels that this processor can run, best first.
#[cfg(feature = "std")]
pub fn names() -> impl Iterator<Item = &'static str> {
    here().map(|(name, _)| name)
}

/// Has the kernel of this name compute from now on, in all threads; false where there is none.
#[cfg(feature = "std")]
pub fn choose(name: &str) -> bool {
    let mut all = Extension::ALL.iter();
    let place = all.position(|(other, e)| *other == name && e.is_here());
    place.map(choose_at).is_some()
}

/// A kernel for each extension that this processor has.
#[cfg(test)]
pub(super) fn available() -> std::vec::Vec<super::tests::Kernel> {
    let kernel = |(name, extension)| super::tests::Kernel {
        name,
        single: std::boxed::Box::new(move |tile, sums| single_with(extension, tile, sums)),
        pair: std::boxed::Box::new(move |tile, sums| pair_with(extension, tile, sums)),
    };
    here().map(kernel).collect()
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
    here().map(kernel).collect()
}
