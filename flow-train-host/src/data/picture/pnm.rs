//! PGM and PPM, binary (P5 and P6): what frame grabbers and `ffmpeg` write.
//!
//! Three numbers as text (width, height, largest sample), comments allowed between them, one byte
//! of white space, then the samples. Only 255 as the largest sample: another would need a choice
//! of how to scale.

use super::Picture;
use crate::data::error::{ImageSize, Problem};

pub(super) fn decode(content: &[u8]) -> Result<Picture, Problem> {
    let channels = if content.starts_with(b"P5") { 1 } else { 3 };
    let mut rest = &content[2..];
    let damaged = || Problem::Malformed("damaged PGM or PPM header".to_owned());
    let width = number(&mut rest).ok_or_else(damaged)?;
    let height = number(&mut rest).ok_or_else(damaged)?;
    let largest = number(&mut rest).ok_or_else(damaged)?;
    let [b' ' | b'\t' | b'\r' | b'\n', samples @ ..] = rest else {
        return Err(damaged());
    };
    if largest != 255 {
        return Err(Problem::WrongDepth(format!("largest sample {largest}")));
    }
    if width == 0 || height == 0 {
        return Err(Problem::Empty);
    }
    let found = samples.len() as u64;
    // Below 2^64 but for the factor of three.
    match (u64::from(width) * u64::from(height)).checked_mul(channels.into()) {
        Some(expected) if expected == found => Ok(Picture::from_interleaved(
            ImageSize {
                channels,
                height,
                width,
            },
            samples,
        )),
        Some(expected) if expected > found => Err(Problem::Truncated { expected, found }),
        Some(_) => Err(Problem::TrailingBytes),
        claimed => Err(Problem::SizeAbsurd {
            claimed,
            at_most: found,
        }),
    }
}

/// The next number, after white space and comments.
fn number(rest: &mut &[u8]) -> Option<u32> {
    loop {
        *rest = rest.trim_ascii_start();
        match rest {
            [b'#', comment @ ..] => {
                let end = comment.iter().position(|&byte| byte == b'\n')?;
                *rest = &comment[end..];
            }
            _ => break,
        }
    }
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, after) = rest.split_at(end);
    *rest = after;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
