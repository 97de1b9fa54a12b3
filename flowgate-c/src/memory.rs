//! The caller's memory: how much of it, and what lies where.
//!
//! ```text
//! state | coder | latents (i32) | activations (i16) | last window (bytes)
//! ```
//!
//! Each part begins at a multiple of 16, the alignment that is asked of the whole.

use crate::gate::State;
use crate::status::Status;
use core::ffi::c_void;
use flow_infer::Model;
use flow_infer::engine::ScratchMut;
use flow_infer::interface::{BorrowedMemory, FrameMemory};
use flow_infer::score::complexity::Coder;

/// `FLOWGATE_ALIGNMENT` of the header.
pub(crate) const ALIGNMENT: usize = 16;
const _: () = assert!(align_of::<State>() <= ALIGNMENT && align_of::<Coder>() <= ALIGNMENT);

/// `flowgate_needs` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Needs {
    /// Bytes of memory.
    pub memory: usize,
    /// Values of one input.
    pub input_len: usize,
}

/// Offsets of the parts.
pub(crate) struct Layout {
    coder: usize,
    latents: usize,
    latent_count: usize,
    activations: usize,
    activation_count: usize,
    window: usize,
    window_len: usize,
    /// Bytes of everything.
    pub(crate) len: usize,
}

impl Layout {
    /// What a model needs; `None` where it is more than this machine can address.
    pub(crate) fn of(model: &Model<'_>) -> Option<Self> {
        let need = model.artifact().scratch_need();
        let latent_count = usize::try_from(need.latents).ok()?;
        let activation_count = usize::try_from(need.activations).ok()?;
        let coder = after(0, size_of::<State>())?;
        let latents = after(coder, size_of::<Coder>())?;
        let activations = after(latents, latent_count.checked_mul(size_of::<i32>())?)?;
        let window = after(activations, activation_count.checked_mul(size_of::<i16>())?)?;
        let window_len = model
            .artifact()
            .windows()
            .map_or(0, |windows| windows.byte_len());
        let len = after(window, window_len)?;
        Some(Self {
            coder,
            latents,
            latent_count,
            activations,
            activation_count,
            window,
            window_len,
            len,
        })
    }

    /// Clears the memory behind the state and lends it.
    ///
    /// # Safety
    /// `memory` is aligned to [`ALIGNMENT`], `len` bytes of it can be written, and nothing else touches those behind
    /// the state for as long as what comes back is used.
    pub(crate) unsafe fn lend(
        &self,
        memory: *mut u8,
    ) -> (BorrowedMemory<'static>, FrameMemory<'static>) {
        // SAFETY: all parts lie within `len` bytes of the memory, aligned for their types, and do not overlap; zeros
        // are integers.
        unsafe {
            let coder = memory.add(self.coder).cast::<Coder>();
            coder.write(Coder::new());
            let latents = memory.add(self.latents).cast::<i32>();
            latents.write_bytes(0, self.latent_count);
            let activations = memory.add(self.activations).cast::<i16>();
            activations.write_bytes(0, self.activation_count);
            let window = memory.add(self.window);
            window.write_bytes(0, self.window_len);
            let lent = BorrowedMemory {
                scratch: ScratchMut {
                    latents: core::slice::from_raw_parts_mut(latents, self.latent_count),
                    activations: core::slice::from_raw_parts_mut(
                        activations,
                        self.activation_count,
                    ),
                },
                coder: &mut *coder,
            };
            let frames = FrameMemory {
                sums: &mut [],
                input: core::slice::from_raw_parts_mut(window, self.window_len),
            };
            (lent, frames)
        }
    }
}

/// Where the next part begins; `None` beyond what can be addressed.
fn after(offset: usize, len: usize) -> Option<usize> {
    let end = offset
        .checked_add(len)?
        .checked_next_multiple_of(ALIGNMENT)?;
    (end <= isize::MAX as usize).then_some(end)
}

/// Foreign bytes as a slice.
///
/// # Safety
/// `start` is null, or so many bytes that can be read and do not change while they are used.
pub(crate) unsafe fn bytes<'b>(start: *const c_void, len: usize) -> Result<&'b [u8], Status> {
    // SAFETY: bytes are aligned anywhere; the rest is the caller's promise.
    unsafe { slice(start.cast(), len) }
}

/// Foreign values as a slice.
///
/// # Safety
/// `start` is null or misaligned, or so many values that can be read and do not change while they are used.
pub(crate) unsafe fn slice<'b, T>(start: *const T, len: usize) -> Result<&'b [T], Status> {
    if start.is_null() {
        return Err(Status::NullPointer);
    }
    if !start.is_aligned() {
        return Err(Status::Misaligned);
    }
    if len > isize::MAX as usize / size_of::<T>() {
        return Err(Status::InputLength);
    }
    // SAFETY: not null, aligned, no longer than an object can be; the rest is the caller's promise.
    Ok(unsafe { core::slice::from_raw_parts(start, len) })
}
