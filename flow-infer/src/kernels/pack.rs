//! Weights of sixteen output channels, side by side: what one broadcast unit of activations is multiplied with.
//!
//! A file holds each channel's weights one after another, as dot products want them. Laying them out anew costs less
//! than adding up sums across vectors at every pixel; once a row it still was an eighth of an image's time. So a layer's
//! weights are laid out when its first row is computed and kept until the coupling is done, as long as there is room.

use super::places::{Place, Places};
use super::row::Row;
use core::mem::MaybeUninit;

/// Output channels of a group.
pub(super) const CHANNELS: usize = 16;

/// Bytes that there is room for: 160 KiB of stack, of which a host has megabytes. Without a host, 18 KiB.
pub(super) const ROOM_BYTES: usize = if cfg!(feature = "std") {
    5 << 15
} else {
    9 << 11
};
/// Bytes that stay free for layers that are not kept; a group of more is not computed by rows.
pub(super) const FREE_BYTES: usize = if cfg!(feature = "std") {
    1 << 15
} else {
    9 << 10
};

/// A coupling's weights as rows are multiplied with them: units of `BYTES`, a few weights of every channel of a group.
#[derive(Debug)]
pub struct Packed<const BYTES: usize, const ROOM: usize, const FREE: usize> {
    places: Places<ROOM, FREE>,
    /// Units, each written before it is read.
    room: Room<BYTES, ROOM>,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Room<const BYTES: usize, const ROOM: usize>([MaybeUninit<[u8; BYTES]>; ROOM]);

impl<const BYTES: usize, const ROOM: usize, const FREE: usize> Default
    for Packed<BYTES, ROOM, FREE>
{
    #[inline(always)]
    fn default() -> Self {
        Self {
            places: Places::new(),
            room: Room([MaybeUninit::uninit(); ROOM]),
        }
    }
}

impl<const BYTES: usize, const ROOM: usize, const FREE: usize> Packed<BYTES, ROOM, FREE> {
    /// Weights of a channel in a unit.
    const UNIT: usize = BYTES / CHANNELS;

    /// Units of a group of a row's channels.
    fn group_units(row: &Row<'_, i16>) -> usize {
        row.row_bytes.div_ceil(Self::UNIT)
    }

    /// Whether there is room for a group of the row and `more` units behind it, and its runs begin with units.
    pub(super) fn takes(row: &Row<'_, i16>, more: usize) -> bool {
        let odd = row
            .window
            .runs()
            .iter()
            .fold(0, |odd, run| odd | run.weights);
        odd % Self::UNIT == 0 && Self::group_units(row) + more <= FREE
    }

    /// Where the row's weights lie.
    #[inline(always)]
    pub(super) fn place(&mut self, row: &Row<'_, i16>) -> Place {
        let groups = row.pixel_len().div_ceil(CHANNELS);
        self.places.of(row.layer, groups * Self::group_units(row))
    }

    /// The weights of a group, unit after unit; unless they lie there already, `fill` is called with where they are to be
    /// laid out, which has room for the group and as many units more as the row was taken with.
    #[inline(always)]
    pub(super) fn group(
        &mut self,
        row: &Row<'_, i16>,
        group: usize,
        place: Place,
        fill: impl FnOnce(*mut [u8; BYTES]),
    ) -> *const u8 {
        let (begin, is_new) = match place {
            Place::Kept(begin) => (begin + group * Self::group_units(row), false),
            Place::New(begin) => (begin + group * Self::group_units(row), true),
            Place::Passing(begin) => (begin, true),
        };
        let room = self.room.0.as_mut_ptr().wrapping_add(begin);
        if is_new {
            // All groups of what is kept lie in front of what stays free, which has room for a group of any row that is
            // taken.
            fill(room.cast());
        }
        room.cast_const().cast()
    }
}
