//! Quads of weights of sixteen output channels: of each channel four weights, channel after channel.
//!
//! As they are they serve the dot product instructions; read by fours (`ld4`) they come apart into the weights that one
//! activation is multiplied with.

use super::super::pack::{CHANNELS, FREE_BYTES, Packed, ROOM_BYTES};
use super::super::row::Row;
use crate::plan::LANES;
use core::array;
use heapless::Vec;

/// Weights of a channel in a quad.
pub(super) const QUAD: usize = 4;
const QUAD_BYTES: usize = QUAD * CHANNELS;
/// Bytes of a vector: a quad's weights of four channels.
pub(super) const VECTOR: usize = QUAD * LANES;

/// Four weights of every channel, in a line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Quads(pub(super) [[u8; VECTOR]; CHANNELS / LANES]);

const ROOM: usize = ROOM_BYTES / QUAD_BYTES;

/// A coupling's weights as rows are multiplied with them.
pub(crate) type PackedWeights = Packed<Quads, ROOM, { FREE_BYTES / QUAD_BYTES }>;

/// Lays out the weights of the group that begins with channel `first`. Channels that are missing have zeros, and so have
/// weights behind a channel's last.
pub(super) fn fill(row: &Row<'_, i16>, first: usize, to: &mut Vec<Quads, ROOM>) {
    let row_bytes = row.row_bytes;
    let channels: [&[u8]; CHANNELS] = array::from_fn(|channel| {
        let begin = (first + channel) * row_bytes;
        let is_here = first + channel < row.pixel_len();
        let weights = is_here.then(|| row.weights.get(begin..begin + row_bytes));
        weights.flatten().unwrap_or(&[])
    });
    for k in (0..row_bytes).step_by(QUAD) {
        let mut quads = Quads([[0; VECTOR]; CHANNELS / LANES]);
        let slots = quads.0.as_flattened_mut().as_chunks_mut::<QUAD>().0;
        for (to, weights) in slots.iter_mut().zip(channels) {
            let from = weights.get(k..).unwrap_or(&[]);
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
        if to.push(quads).is_err() {
            return;
        }
    }
}
