//! The bytes in front: every offset of the `.flow` format's header, once.
//!
//! `documents/format.md` is the description; this file is its only implementation, for reading at compile time
//! (`const`), for loading, and for writing.

use crate::plan::{NumberFormat, ScratchNeed};

/// First bytes of every `.flow` file; the non-ASCII byte keeps text tools away.
pub const MAGIC: [u8; 4] = *b"\x93FLW";
/// The version this crate reads and writes.
pub const FORMAT_VERSION: u16 = 2;
/// Length of the fixed part of the header.
pub const HEADER_LEN: usize = 32;
/// Length of one entry of the section table.
pub const SECTION_ENTRY_LEN: usize = 12;
/// Length of the checksum at the end.
pub const CHECKSUM_LEN: usize = 4;
/// Length of an ed25519 public key.
pub const PUBLIC_KEY_LEN: usize = 32;
/// Length of an ed25519 signature.
pub const SIGNATURE_LEN: usize = 64;
/// Sections start at multiples of this.
pub const SECTION_ALIGNMENT: usize = 16;

/// Places of the header's fields.
pub mod field {
    use core::ops::Range;
    /// [`super::MAGIC`].
    pub const MAGIC: Range<usize> = 0..4;
    /// u16, format version.
    pub const VERSION: Range<usize> = 4..6;
    /// u8, number of sections.
    pub const SECTIONS: usize = 6;
    /// u8, number format: 0 q8, 1 f32, 2 f16.
    pub const NUMBER_FORMAT: usize = 7;
    /// u32, length of the whole file, checksum included.
    pub const TOTAL_LEN: Range<usize> = 8..12;
    /// u32, latents of scratch.
    pub const SCRATCH_LATENTS: Range<usize> = 12..16;
    /// u32, activations of scratch.
    pub const SCRATCH_ACTIVATIONS: Range<usize> = 16..20;
    /// u32, version of the model, counted up by whoever ships it; guards against roll-back.
    pub const MODEL_VERSION: Range<usize> = 20..24;
    /// Zero.
    pub const RESERVED: Range<usize> = 24..32;
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Section {
    /// The plan, postcard.
    Plan = 1,
    /// Tensors, little-endian.
    Tensors = 2,
    /// The spec, postcard.
    Spec = 3,
    /// The gate's calibration, postcard.
    Gate = 4,
    /// Golden vectors for the self-test.
    Golden = 5,
    /// Where the model comes from, postcard.
    Provenance = 6,
    /// ed25519 signature over everything in front of it.
    Signature = 7,
    /// What turns a frame into the input, postcard.
    FrontEnd = 10,
    /// The tests of the combined score.
    Tests = 8,
    /// Conformal p-values of the deciding score.
    PValues = 9,
    /// What the golden vectors' combined scores must be.
    GoldenCombined = 11,
}

impl NumberFormat {
    /// The format's code in the header.
    pub const fn code(self) -> u8 {
        match self {
            Self::Q8 => 0,
            Self::F32 => 1,
            Self::F16 => 2,
        }
    }

    /// The format with this code.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Q8),
            1 => Some(Self::F32),
            2 => Some(Self::F16),
            _ => None,
        }
    }
}

pub(super) const fn word_at(bytes: &[u8], start: usize) -> u32 {
    u32::from_le_bytes([
        bytes[start],
        bytes[start + 1],
        bytes[start + 2],
        bytes[start + 3],
    ])
}

/// Scratch that an included `.flow` file needs, for sizing a static at compile time.
///
/// # Panics
/// At compile time, where the bytes are no `.flow` file of this version. Use it in `const` items only; at run time
/// [`super::Artifact::scratch_need`] tells the same after all checks.
pub const fn scratch_need(bytes: &[u8]) -> ScratchNeed {
    assert!(
        bytes.len() >= HEADER_LEN,
        "not a .flow file: shorter than its header"
    );
    let magic = bytes[0] == MAGIC[0]
        && bytes[1] == MAGIC[1]
        && bytes[2] == MAGIC[2]
        && bytes[3] == MAGIC[3];
    assert!(magic, "not a .flow file: wrong magic");
    assert!(
        u16::from_le_bytes([bytes[4], bytes[5]]) == FORMAT_VERSION,
        "the .flow file has another format version than this crate reads"
    );
    ScratchNeed {
        latents: word_at(bytes, field::SCRATCH_LATENTS.start),
        activations: word_at(bytes, field::SCRATCH_ACTIVATIONS.start),
    }
}
