//! PGM and PPM, binary (P5 and P6: what frame grabbers and `ffmpeg` write) and plain (P2 and P3).
//!
//! Three numbers as text (width, height, largest sample), comments allowed between them, then the
//! samples: bytes behind one byte of white space, or numbers as text. Only 255 as the largest
//! sample: another would need a choice of how to scale.

use super::Picture;
use crate::data::error::{ImageSize, Problem};

/// Whether a file that starts so is a PGM or PPM, and no table whose first column is called P5.
pub(super) fn is_pnm(prefix: &[u8]) -> bool {
    let [b'P', b'2' | b'3' | b'5' | b'6', rest @ ..] = prefix else {
        return false;
    };
    match rest {
        [] => true,
        [first, ..] if !first.is_ascii_whitespace() => false,
        _ => rest
            .trim_ascii_start()
            .first()
            .is_none_or(|next| !next.is_ascii_alphabetic() && *next != b'"'),
    }
}

/// The size, of the header alone.
pub(super) fn size(content: &[u8]) -> Result<ImageSize, Problem> {
    header(content).map(|(size, _)| size)
}

/// Size, and what follows the header.
fn header(content: &[u8]) -> Result<(ImageSize, &[u8]), Problem> {
    let channels = match content[1] {
        b'2' | b'5' => 1,
        _ => 3,
    };
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
    let size = ImageSize {
        channels,
        height,
        width,
    };
    Ok((size, samples))
}

pub(super) fn decode(content: &[u8]) -> Result<Picture, Problem> {
    let (size, samples) = header(content)?;
    let is_plain = matches!(content[1], b'2' | b'3');
    let plain;
    let samples = match is_plain {
        true => {
            plain = plain_samples(samples)?;
            &plain
        }
        false => samples,
    };
    let found = samples.len() as u64;
    // Below 2^64 but for the factor of three.
    match (u64::from(size.width) * u64::from(size.height)).checked_mul(size.channels.into()) {
        Some(expected) if expected == found => Ok(Picture::from_interleaved(size, samples)),
        Some(expected) if expected > found => Err(Problem::Truncated { expected, found }),
        Some(_) => Err(Problem::TrailingBytes),
        claimed => Err(Problem::SizeAbsurd {
            claimed,
            at_most: found,
        }),
    }
}

/// Samples as text.
fn plain_samples(text: &[u8]) -> Result<Vec<u8>, Problem> {
    let sample = |word: &[u8]| std::str::from_utf8(word).ok()?.parse().ok();
    let words = text.split(u8::is_ascii_whitespace);
    let samples = words.filter(|word| !word.is_empty()).map(sample);
    let samples: Option<Vec<u8>> = samples.collect();
    samples.ok_or_else(|| Problem::Malformed("a sample is no number from 0 to 255".to_owned()))
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
