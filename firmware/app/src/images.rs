//! The images compiled into the gate: something to decide on without a camera.

/// Bytes of one image.
pub(crate) const BYTES: usize = 28 * 28;

/// Garments first, then digits.
pub(crate) static ALL: [&[u8; BYTES]; 8] = [
    pixels(include_bytes!("../images/0-garment.pgm")),
    pixels(include_bytes!("../images/1-garment.pgm")),
    pixels(include_bytes!("../images/2-garment.pgm")),
    pixels(include_bytes!("../images/3-garment.pgm")),
    pixels(include_bytes!("../images/4-digit.pgm")),
    pixels(include_bytes!("../images/5-digit.pgm")),
    pixels(include_bytes!("../images/6-digit.pgm")),
    pixels(include_bytes!("../images/7-digit.pgm")),
];

/// A PGM file ends with its pixels.
const fn pixels(pgm: &[u8]) -> &[u8; BYTES] {
    match pgm.last_chunk() {
        Some(pixels) => pixels,
        None => panic!("an image is too short"),
    }
}
