//! What the bootloader wants to know of a program before it starts it.
//!
//! The structure is ESP-IDF's `esp_app_desc_t`; the crate that has it brings the HAL's configuration along.
#![allow(unsafe_code)]

/// How a description begins.
const MAGIC: u32 = 0xABCD_5432;
/// log2 of the pages of flash.
const PAGE_BITS: u8 = 16;

#[repr(C)]
struct Description {
    magic: u32,
    secure_version: u32,
    reserved: [u32; 2],
    version: [u8; 32],
    project: [u8; 32],
    time: [u8; 16],
    date: [u8; 16],
    framework: [u8; 32],
    /// Filled by the tool that makes the image.
    sha256: [u8; 32],
    least_revision: u16,
    most_revision: u16,
    page_bits: u8,
    reserved_bytes: [u8; 3],
    reserved_words: [u32; 18],
}

const _: () = assert!(size_of::<Description>() == 256);

// SAFETY: memory.x has this section, in front of all other constants, and nothing else for it; nothing else in the
// program is called so.
#[unsafe(link_section = ".flash.appdesc")]
#[unsafe(export_name = "esp_app_desc")]
#[used]
static DESCRIPTION: Description = Description {
    magic: MAGIC,
    secure_version: 0,
    reserved: [0; 2],
    version: text(env!("CARGO_PKG_VERSION")),
    project: text(env!("CARGO_PKG_NAME")),
    time: text(""),
    date: text(""),
    framework: text("none"),
    sha256: [0; 32],
    least_revision: 0,
    most_revision: u16::MAX,
    page_bits: PAGE_BITS,
    reserved_bytes: [0; 3],
    reserved_words: [0; 18],
};

/// A text that ends with a zero.
const fn text<const N: usize>(text: &str) -> [u8; N] {
    let (text, mut bytes) = (text.as_bytes(), [0; N]);
    let mut i = 0;
    while i < text.len() && i + 1 < N {
        bytes[i] = text[i];
        i += 1;
    }
    bytes
}
