//! Quads of weights of sixteen output channels: of each channel four weights, channel after channel.
//!
//! As they are they serve the dot product instructions; read by fours (`ld4`) they come apart into the weights that one
//! activation is multiplied with.

use super::super::pack::{CHANNELS, FREE_BYTES, Packed, ROOM_BYTES};
use super::super::row::Row;
use core::array;

/// Weights of a channel in a quad.
pub(super) const QUAD: usize = 4;
/// Bytes of a quad: four weights of every channel.
pub(super) const QUAD_BYTES: usize = QUAD * CHANNELS;

/// A coupling's weights as rows are multiplied with them.
pub type PackedWeights = Packed<QUAD_BYTES, { ROOM_BYTES / QUAD_BYTES }, { FREE_BYTES / QUAD_BYTES }>;

/// Lays out the weights of the group that begins with channel `first`: quads, to be written one after the other. Channels
/// that are missing have zeros, and so have weights behind a channel's last.
pub(super) fn quads(row: &Row<'_, i16>, first: usize) -> impl Iterator<Item = [u8; QUAD_BYTES]> {
    let row_bytes = row.row_bytes;
    let channels: [&[u8]; CHANNELS] = array::from_fn(|channel| {
        let begin = (first + channel) * row_bytes;
        let is_here = first + channel < row.pixel_len();
        let weights = is_here.then(|| row.weights.get(begin..begin + row_bytes));
        weights.flatten().unwrap_or(&[])
    });
    (0..row_bytes).step_by(QUAD).map(move |k| {
        let mut quad = [0; QUAD_BYTES];
        for (to, weights) in quad.chunks_exact_mut(QUAD).zip(channels) {
            let from = weights.get(k..).unwrap_or(&[]);
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
        quad
    })
}
