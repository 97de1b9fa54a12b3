//! A whole `.flow` file, byte by byte: the worked example of `documents/format.md`.
//!
//! A vector of two coordinates, an actnorm and a coupling, in 264 bytes that were written down from the document, not
//! by the exporter: whoever changes the meaning of a byte fails against them. Small enough to flip every bit.

/// What each run of bytes means, and the bytes.
pub const TINY_FLOW: &[(&str, &str)] = &[
    ("magic", "93 46 4c 57"),
    ("version 2", "02 00"),
    ("two sections", "02"),
    ("number format q8", "00"),
    ("total length", "08 01 00 00"),
    ("scratch: latents", "02 00 00 00"),
    ("scratch: activations", "04 00 00 00"),
    ("model version 7", "07 00 00 00"),
    ("reserved", "00 00 00 00 00 00 00 00"),
    (
        "section 1 (plan): offset, length",
        "01 00 00 00 40 00 00 00 44 00 00 00",
    ),
    (
        "section 2 (tensors): offset, length",
        "02 00 00 00 90 00 00 00 74 00 00 00",
    ),
    ("to a multiple of 16", "00 00 00 00 00 00 00 00"),
    ("input: vector of 2, records at 0", "01 02 00"),
    ("steps", "02"),
    ("constant", "e9 92 b8 1e"),
    ("no tables", "ff ff ff ff 0f ff ff ff ff 0f"),
    ("step: actnorm", "00"),
    (
        "view: image 2x1x1, no squeeze, 2 channels",
        "02 01 01 00 02",
    ),
    ("records at 32", "20"),
    ("step: coupling", "02"),
    ("view", "02 01 01 00 02"),
    ("mask: channel, first half kept", "01 00"),
    ("shift then scale, linear map, bounds at 112", "00 01 70"),
    (
        "one buffer: 1x1x1, margin 0, 1 row, at 0",
        "01 01 01 01 00 01 00",
    ),
    ("two layers", "02"),
    (
        "input, no pair: source 0, target 0, no residual, identity, no weights, record at 56",
        "00 00 00 01 00 00 00 ff ff ff ff 0f 38",
    ),
    (
        "conv 1x1, stride 1, no padding: source 0, the last layer, identity, weights at 64, records at 80",
        "01 01 01 01 00 00 00 00 00 40 50",
    ),
    ("to a multiple of 16", "00 00 00 00 00 00 00 00 00 00 00 00"),
    (
        "standardization: x0 has mean 1 and deviation 2, on a grid of 2^-10",
        "0a 00 00 00 00 04 00 00 00 00 00 40 11 00 00 00",
    ),
    (
        "x1 has mean -2 and deviation 1/3, on a grid of 2^-12",
        "0c 00 00 00 00 e0 ff ff 00 00 00 60 11 00 00 00",
    ),
    (
        "actnorm: channel 0 + 1/2, times 1",
        "00 00 80 00 00 00 00 40 00 00 00 00",
    ),
    (
        "channel 1 - 1/4, times 5/8",
        "00 00 c0 ff 00 00 00 50 ff ff ff ff",
    ),
    ("input: a = 4096 x + 16", "00 00 10 00 10 00 00 00"),
    (
        "weights: raw_scale 2 a, padded to four inputs",
        "02 00 00 00",
    ),
    ("shift -3 a", "fd 00 00 00"),
    ("two rows of padding", "00 00 00 00 00 00 00 00"),
    (
        "raw_scale: + 1000, times 2^10 of 2^-24",
        "e8 03 00 00 00 00 00 40",
    ),
    (
        "shift: - 2000, times 2^9 of 2^-24",
        "30 f8 ff ff 00 00 00 20",
    ),
    ("padding", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"),
    (
        "bound: 65536 / ln 2 grid steps, 8 fraction bits",
        "76 54 71 01",
    ),
    ("CRC-32 of all before", "6a c6 a1 39"),
];

/// An input of the tiny flow: 2 and -3/2.
pub const TINY_INPUT: [f32; 2] = [2.0, -1.5];

/// The file.
///
/// # Panics
/// If the table above holds something else than hexadecimal digits.
pub fn tiny_flow() -> Vec<u8> {
    let digits = TINY_FLOW.iter().flat_map(|(_, hex)| hex.split(' '));
    digits
        .map(|byte| u8::from_str_radix(byte, 16).expect("two hexadecimal digits"))
        .collect()
}

/// [`TINY_INPUT`] as the engine reads it.
pub fn tiny_input() -> Vec<u8> {
    TINY_INPUT.iter().flat_map(|x| x.to_le_bytes()).collect()
}
