//! Kernels of hosts, of which a processor may have several: the best one computes, unless another one was chosen.

#[cfg(kernel = "aarch64")]
use super::aarch64 as processor;
use super::affine::{Affine, Coordinates, Rewritten};
#[cfg(float_rows)]
use super::floats::{self, PackedFloats, Read};
use super::groups::{Checked, Target};
use super::isa::Isa;
use super::portable;
use super::read::{Kept, Reading};
use super::row::Row;
use super::tile::Tile;
#[cfg(kernel = "x86_64")]
use super::x86_64 as processor;
use crate::plan::LANES;
use core::array;
#[cfg(feature = "std")]
use core::sync::atomic::{AtomicUsize, Ordering};
use heapless::Vec;
use processor::{Basic, Best, PackedWeights};
#[cfg(feature = "std")]
use std::sync::OnceLock;

/// Four output channels of one pixel; see [`portable::single`].
#[inline]
pub(crate) fn single(tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    chosen().dot(tile, array::from_mut(sums));
}

/// Four output channels of two pixels; see [`portable::pair`].
#[inline]
pub(crate) fn pair(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    chosen().dot(tile, sums);
}

/// Computes a whole row of a convolution, if it has columns enough; see [`Row`].
#[inline]
pub(crate) fn row(row: &mut Row<'_, i16>, packed: &mut PackedWeights) -> bool {
    chosen().activations(row, packed)
}

/// The sums of a whole row, pixel by pixel, with biases and not requantized; false where [`row`] would be, or where
/// there is too little room.
#[inline]
pub(crate) fn sums(row: &mut Row<'_, i16>, packed: &mut PackedWeights, sums: &mut [i32]) -> bool {
    chosen().sums(row, packed, sums)
}

/// Reads a row's coordinates and says that it has; never where there is nothing to gain.
#[inline]
pub(crate) fn read(reading: &Reading, row: &mut Kept<'_, i32, i16>) -> bool {
    chosen().read(reading, row)
}

/// Rewrites a row's coordinates, up to one that would leave its range; none where there is nothing to gain.
#[inline]
pub(crate) fn rewrite(affine: &Affine<'_>, row: &mut Coordinates<'_, i32, i32>) -> Rewritten {
    chosen().rewrite(affine, row)
}

/// Computes a row in floats, if there is room for its weights: `emit` gets the sums of up to sixteen channels of a pixel
/// and their place among the row's outputs.
#[cfg(float_rows)]
#[inline]
pub(crate) fn float_row<const BYTES: usize>(
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    emit: impl FnMut(usize, &[f32]),
) -> bool {
    chosen().float_row(row, packed, read, emit)
}

/// What computes: instructions that this processor has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extension {
    Best(Best),
    Basic(Basic),
    Portable,
}

impl Extension {
    /// All that this processor has, best first; never empty.
    pub(super) fn all() -> Vec<Self, 3> {
        let best = Best::detect().map(Self::Best);
        let basic = Basic::detect().map(Self::Basic);
        let all = [best, basic, Some(Self::Portable)];
        all.into_iter().flatten().collect()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Best(_) => Best::NAME,
            Self::Basic(_) => Basic::NAME,
            Self::Portable => "portable",
        }
    }

    #[inline(always)]
    pub(super) fn dot<const PIXELS: usize>(
        self,
        tile: &Tile<'_, i16>,
        sums: &mut [[i32; LANES]; PIXELS],
    ) {
        match self {
            Self::Best(isa) => isa.dot(tile, sums),
            Self::Basic(isa) => isa.dot(tile, sums),
            Self::Portable => portable::dot(tile, sums),
        }
    }

    #[inline(always)]
    pub(super) fn activations(self, row: &mut Row<'_, i16>, packed: &mut PackedWeights) -> bool {
        let target = Target::Activations(&mut *row.target);
        let inputs = Row {
            target: &mut [],
            ..*row
        };
        self.row(&inputs, packed, target)
    }

    #[inline(always)]
    pub(super) fn sums(
        self,
        row: &Row<'_, i16>,
        packed: &mut PackedWeights,
        sums: &mut [i32],
    ) -> bool {
        self.row(row, packed, Target::Sums(sums))
    }

    #[inline(always)]
    fn row(self, row: &Row<'_, i16>, packed: &mut PackedWeights, target: Target<'_>) -> bool {
        let Some(row) = Checked::<PackedWeights>::new(row, &target) else {
            return false;
        };
        match self {
            Self::Best(isa) => isa.row(row, packed, target),
            Self::Basic(isa) => isa.row(row, packed, target),
            Self::Portable => return false,
        }
        true
    }

    #[inline(always)]
    pub(super) fn read(self, reading: &Reading, row: &mut Kept<'_, i32, i16>) -> bool {
        match self {
            Self::Best(isa) => isa.read(reading, row),
            Self::Basic(isa) => isa.read(reading, row),
            Self::Portable => false,
        }
    }

    #[inline(always)]
    pub(super) fn rewrite(
        self,
        affine: &Affine<'_>,
        row: &mut Coordinates<'_, i32, i32>,
    ) -> Rewritten {
        match self {
            Self::Best(isa) => isa.rewrite(affine, row),
            Self::Basic(isa) => isa.rewrite(affine, row),
            Self::Portable => Rewritten::default(),
        }
    }

    #[cfg(float_rows)]
    #[inline(always)]
    pub(super) fn float_row<const BYTES: usize>(
        self,
        row: &Row<'_, f32>,
        packed: &mut PackedFloats,
        read: Read<BYTES>,
        emit: impl FnMut(usize, &[f32]),
    ) -> bool {
        if !floats::takes(row, BYTES) {
            return false;
        }
        match self {
            Self::Best(isa) => isa.float_row(row, packed, read, emit),
            Self::Basic(isa) => isa.float_row(row, packed, read, emit),
            Self::Portable => floats::groups::<2, BYTES>(row, packed, read, emit),
        }
        true
    }
}

/// All that this processor has, best first; it is asked once.
#[cfg(feature = "std")]
#[inline]
fn here() -> &'static [Extension] {
    static HERE: OnceLock<Vec<Extension, 3>> = OnceLock::new();
    HERE.get_or_init(Extension::all)
}

/// Place among what is [`here`] of the one that computes: the best, until another one is chosen.
#[cfg(feature = "std")]
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// What computes.
#[cfg(feature = "std")]
#[inline]
fn chosen() -> Extension {
    let chosen = here().get(CHOSEN.load(Ordering::Relaxed));
    chosen.map_or(Extension::Portable, |&extension| extension)
}

/// What computes: the best that the target has.
#[cfg(not(feature = "std"))]
#[inline]
fn chosen() -> Extension {
    let best = Best::detect().map(Extension::Best);
    best.or_else(|| Basic::detect().map(Extension::Basic))
        .unwrap_or(Extension::Portable)
}

/// Names of the kernels that this processor can run, best first.
#[cfg(feature = "std")]
pub fn names() -> impl Iterator<Item = &'static str> {
    here().iter().map(|extension| extension.name())
}

/// Has the kernel of this name compute from now on, in all threads; false where there is none.
#[cfg(feature = "std")]
pub fn choose(name: &str) -> bool {
    let place = names().position(|other| other == name);
    place
        .map(|place| CHOSEN.store(place, Ordering::Relaxed))
        .is_some()
}
