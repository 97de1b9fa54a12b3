//! Where two cores exchange what they computed of the same input.
//!
//! Only loads and stores are needed, which every core has: v6-M has no compare and swap. Each half counts the rounds in
//! which it has put something; whoever has put waits for the other's count. Rooms alternate, so nobody overwrites what
//! the other still reads.

use super::InputError;
use super::fixed::FixedLogDet;
use crate::spec::{Half, View};
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

/// Words of a half's log_det.
const LOG_DET: usize = 3;

/// Two rooms that two cores share.
#[derive(Debug)]
pub struct Rendezvous<'m> {
    rooms: [&'m [AtomicI32]; 2],
    /// How often each half has put something into a room.
    rounds: [AtomicU32; 2],
    /// Whether a half has refused an input: the other must not wait for it.
    refused: AtomicBool,
}

impl<'m> Rendezvous<'m> {
    /// Words that a room needs for a flow of so many coordinates.
    pub const fn room_len(dims: usize) -> usize {
        dims + 2 * LOG_DET
    }

    /// A rendezvous in two rooms of [`room_len`](Self::room_len) words. It serves one input after another.
    pub const fn new(rooms: [&'m [AtomicI32]; 2]) -> Self {
        Self {
            rooms,
            rounds: [const { AtomicU32::new(0) }; 2],
            refused: AtomicBool::new(false),
        }
    }

    pub(super) fn refuse(&self) {
        self.refused.store(true, Ordering::Release);
    }

    /// Puts something into this round's room, and gives the room when the other half has put as well. It stays as it is
    /// until this half puts again.
    fn meet(
        &self,
        half: Half,
        put: impl FnOnce(&[AtomicI32]),
    ) -> Result<&'m [AtomicI32], InputError> {
        let [first, second] = &self.rounds;
        let (own, other) = match half {
            Half::First => (first, second),
            Half::Second => (second, first),
        };
        let round = own.load(Ordering::Relaxed).wrapping_add(1);
        let [even, odd] = self.rooms;
        let room = if round & 1 == 0 { even } else { odd };
        put(room);
        own.store(round, Ordering::Release);
        let mut patience = PATIENCE;
        while (other.load(Ordering::Acquire).wrapping_sub(round) as i32) < 0 {
            if self.refused.load(Ordering::Acquire) {
                return Err(InputError::Rendezvous);
            }
            patience = wait(patience);
        }
        Ok(room)
    }

    /// Gives the latents of the own half's rows for those of the other's.
    pub(super) fn exchange(
        &self,
        half: Half,
        view: View,
        latents: &mut [i32],
    ) -> Result<(), InputError> {
        let room = self.meet(half, |room| {
            for run in runs(view, half) {
                let latents = latents.get(run.clone()).unwrap_or(&[]);
                for (to, &from) in room.get(run).unwrap_or(&[]).iter().zip(latents) {
                    to.store(from, Ordering::Relaxed);
                }
            }
        })?;
        for run in runs(view, half.other()) {
            let latents = latents.get_mut(run.clone()).unwrap_or_default();
            let room = room.get(run).ok_or(InputError::Rendezvous)?;
            for (to, from) in latents.iter_mut().zip(room) {
                *to = from.load(Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Gives what the own half's couplings add to log_det for what the other's add.
    pub(super) fn log_det(&self, half: Half, own: &FixedLogDet) -> Result<FixedLogDet, InputError> {
        let room = self.meet(half, |room| {
            for (to, from) in log_det_of(room, half).iter().zip(own.coupled()) {
                to.store(from, Ordering::Relaxed);
            }
        })?;
        let theirs = log_det_of(room, half.other()).first_chunk::<LOG_DET>();
        let theirs = theirs.ok_or(InputError::Rendezvous)?;
        Ok(FixedLogDet::of_coupled(
            theirs.each_ref().map(|word| word.load(Ordering::Relaxed)),
        ))
    }
}

/// The words of a half's log_det, at the end of a room.
fn log_det_of(room: &[AtomicI32], half: Half) -> &[AtomicI32] {
    let words = room.last_chunk::<{ 2 * LOG_DET }>();
    let (first, second) = words.map_or(Default::default(), |words| words.split_at(LOG_DET));
    match half {
        Half::First => first,
        Half::Second => second,
    }
}

/// Places in an image-shaped latent of a half's rows of a view, channel by channel.
fn runs(view: View, half: Half) -> impl Iterator<Item = Range<usize>> {
    let (image, height) = (view.image(), usize::from(view.shape().height));
    let width = usize::from(image.width);
    let row_len = width << view.squeezes();
    let (start, count) = (half.start(height), half.count(height));
    (0..usize::from(image.channels)).map(move |channel| {
        let plane = channel * usize::from(image.height) * width;
        plane + start * row_len..plane + (start + count) * row_len
    })
}

/// Rounds of waiting before a host's thread lets others run: a few times what a coupling's half takes.
const PATIENCE: u32 = 1 << 16;

/// Waits for a moment; returns the patience that is left.
fn wait(patience: u32) -> u32 {
    core::hint::spin_loop();
    #[cfg(feature = "std")]
    if patience == 0 {
        std::thread::yield_now();
    }
    patience.saturating_sub(1)
}
