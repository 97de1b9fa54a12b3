//! Weights of sixteen output channels, side by side: what one broadcast unit of activations is multiplied with.
//!
//! A file holds each channel's weights one after another, as dot products want them. Laying them out anew costs less
//! than adding up sums across vectors at every pixel; once a row it still was an eighth of an image's time. So a layer's
//! weights are laid out when its first row is computed and kept until the coupling is done, as long as there is room.

use super::places::{Place, Places, Source};
use super::row::Row;
use crate::bytes;
use heapless::Vec;

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

/// A coupling's weights as rows are multiplied with them: units `U`, a few weights of every channel of a group.
#[derive(Debug)]
#[cfg_attr(kernel = "x86_64", allow(unreachable_pub))] // elsewhere it is a type of the engine
pub struct Packed<U, const ROOM: usize, const FREE: usize> {
    places: Places<ROOM, FREE>,
    units: Vec<U, ROOM>,
}

impl<U, const ROOM: usize, const FREE: usize> Default for Packed<U, ROOM, FREE> {
    #[inline(always)]
    fn default() -> Self {
        Self {
            places: Places::new(),
            units: Vec::new(),
        }
    }
}

impl<U, const ROOM: usize, const FREE: usize> Packed<U, ROOM, FREE> {
    /// Weights of a channel in a unit.
    const UNIT: usize = size_of::<U>() / CHANNELS;

    /// Units of a group of a row's channels.
    fn group_units(row: &Row<'_, i16>) -> usize {
        row.row_bytes.div_ceil(Self::UNIT)
    }

    /// Whether there is room for a group of the row, and its runs begin with units.
    pub(super) fn takes(row: &Row<'_, i16>) -> bool {
        let odd = row
            .window
            .runs()
            .iter()
            .fold(0, |odd, run| odd | run.weights);
        odd % Self::UNIT == 0 && Self::group_units(row) <= FREE
    }

    /// Where the row's weights lie.
    #[inline(always)]
    pub(super) fn place(&mut self, row: &Row<'_, i16>) -> Place {
        let groups = row.pixel_len().div_ceil(CHANNELS);
        let entries = groups.saturating_mul(Self::group_units(row));
        self.places.of(Source::of(row), entries)
    }

    /// The weights of a group, unit after unit; unless they lie there already, `fill` adds them to what it is given.
    /// Fewer than the group has, if it adds fewer.
    #[inline(always)]
    pub(super) fn group(
        &mut self,
        row: &Row<'_, i16>,
        group: usize,
        place: Place,
        fill: impl FnOnce(&mut Vec<U, ROOM>),
    ) -> &[U] {
        let units = Self::group_units(row);
        let begin = match place {
            Place::Kept(begin) | Place::New(begin) => begin + group * units,
            Place::Passing(begin) => begin,
        };
        if !matches!(place, Place::Kept(_)) {
            self.units.truncate(begin);
            fill(&mut self.units);
            if let Some(pixel) = row.mirrored {
                let filled = self.units.get_mut(begin..).unwrap_or(&mut []);
                let run_len = row.window.run_len();
                mirror(filled, run_len / Self::UNIT, pixel / Self::UNIT);
            }
        }
        bytes::run(&self.units, begin, units)
    }
}

/// Reverses the order of pixels in every run of so many units.
fn mirror<U>(units: &mut [U], run: usize, pixel: usize) {
    for run in units.chunks_mut(run.max(1)) {
        run.reverse();
        run.chunks_mut(pixel.max(1)).for_each(<[U]>::reverse);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tile::{Run, Window};
    use super::*;
    use crate::plan::{Activation, LANES};
    use std::vec;

    /// Room for sixteen units of one weight, of which four stay free.
    type Small = Packed<[u8; CHANNELS], 16, 4>;

    /// The groups of a row of so many blocks, units filled with `mark` and their index; `None` where they lay there.
    fn groups(
        packed: &mut Small,
        weights: &[u8],
        blocks: usize,
        mark: u8,
    ) -> vec::Vec<vec::Vec<u8>> {
        let runs = [Run::default()];
        let window = Window::new(&runs, 0);
        let row = Row {
            y: 0,
            window: &window,
            weights,
            row_bytes: weights.len() / (blocks * LANES),
            mirrored: None,
            half_empty: false,
            records: &[],
            blocks,
            activations: &[],
            step: 0,
            columns: 0,
            activation: Activation::Identity,
            residual: &[],
            target: &mut [],
        };
        let units = row.row_bytes;
        let place = packed.place(&row);
        let group = |group: usize| {
            let filled = packed.group(&row, group, place, |to| {
                for unit in 0..units {
                    to.push([mark + (group * units + unit) as u8; CHANNELS])
                        .unwrap();
                }
            });
            filled.iter().map(|unit| unit[0]).collect()
        };
        (0..blocks.div_ceil(CHANNELS / LANES)).map(group).collect()
    }

    #[test]
    fn groups_are_filled_once_where_there_is_room_and_every_time_where_not() {
        let mut packed = Small::default();
        let (kept, passing, smaller) = (vec![0; 32 * 4], vec![0; 48 * 3], vec![0; 16 * 3]);
        assert_eq!(
            groups(&mut packed, &kept, 8, 10),
            [[10, 11, 12, 13], [14, 15, 16, 17]]
        );
        let three = |mark: u8| [0, 1, 2].map(|g| [0, 1, 2].map(|u| mark + 3 * g + u));
        assert_eq!(groups(&mut packed, &passing, 12, 20), three(20));
        assert_eq!(groups(&mut packed, &passing, 12, 40), three(40));
        assert_eq!(groups(&mut packed, &smaller, 4, 60), [[60, 61, 62]]);
        assert_eq!(groups(&mut packed, &smaller, 4, 70), [[60, 61, 62]]);
        assert_eq!(
            groups(&mut packed, &kept, 8, 80),
            [[10, 11, 12, 13], [14, 15, 16, 17]]
        );
        // The same bytes in rows of another length.
        assert_eq!(groups(&mut packed, &kept, 16, 90).len(), 4);
        assert_eq!(groups(&mut packed, &kept, 16, 90)[3], [96, 97]);
    }

    #[test]
    fn a_group_that_was_not_filled_is_empty() {
        let mut packed = Small::default();
        let weights = [0; 64];
        let runs = [Run::default()];
        let window = Window::new(&runs, 0);
        let row = Row {
            y: 0,
            window: &window,
            weights: &weights,
            row_bytes: 4,
            mirrored: None,
            half_empty: false,
            records: &[],
            blocks: 4,
            activations: &[],
            step: 0,
            columns: 0,
            activation: Activation::Identity,
            residual: &[],
            target: &mut [],
        };
        let place = packed.place(&row);
        assert_eq!(place, Place::New(0));
        let half = |to: &mut Vec<[u8; CHANNELS], 16>| drop(to.resize(2, [0; CHANNELS]));
        assert!(packed.group(&row, 0, place, half).is_empty());
        assert!(packed.group(&row, 1, Place::Kept(0), |_| ()).is_empty());
        assert!(
            packed
                .group(&row, usize::MAX / 8, Place::Kept(4), |_| ())
                .is_empty()
        );
    }
}
