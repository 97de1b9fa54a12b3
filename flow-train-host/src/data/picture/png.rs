//! PNG: palettes and small depths are expanded to 8 bits, which loses nothing.

use std::io::{Cursor, ErrorKind};

use png::{BitDepth, ColorType, DecodingError, Transformations};

use super::Picture;
use crate::data::error::{ImageSize, Problem};
use crate::data::source::DEFLATE_MAX_RATIO;

pub(super) fn decode(content: &[u8]) -> Result<Picture, Problem> {
    let mut decoder = png::Decoder::new(Cursor::new(content));
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(problem)?;
    let info = reader.info();
    let (width, height) = info.size();
    if info.bit_depth == BitDepth::Sixteen {
        return Err(Problem::WrongDepth("16-bit samples".to_owned()));
    }
    let claimed = u64::from(height).checked_mul(info.raw_row_length() as u64);
    let at_most = (content.len() as u64).saturating_mul(DEFLATE_MAX_RATIO);
    if claimed.is_none_or(|claimed| claimed > at_most) {
        return Err(Problem::SizeAbsurd { claimed, at_most });
    }
    let len = reader.output_buffer_size();
    let mut samples = vec![0; len.ok_or(Problem::SizeAbsurd { claimed, at_most })?];
    let frame = reader.next_frame(&mut samples).map_err(problem)?;
    if (frame.width, frame.height) != (width, height) {
        return Err(Problem::Malformed(
            "PNG animation whose first frame is partial".to_owned(),
        ));
    }
    let (channels, with_alpha) = match frame.color_type {
        ColorType::Grayscale => (1, false),
        ColorType::GrayscaleAlpha => (1, true),
        ColorType::Rgb | ColorType::Indexed => (3, false),
        ColorType::Rgba => (3, true),
    };
    if with_alpha {
        samples = without_alpha(&samples, channels as usize)?;
    }
    Ok(Picture::from_interleaved(
        ImageSize {
            channels,
            height,
            width,
        },
        &samples,
    ))
}

fn without_alpha(samples: &[u8], channels: usize) -> Result<Vec<u8>, Problem> {
    let pixels = samples.chunks_exact(channels + 1);
    if pixels.clone().any(|pixel| pixel[channels] != u8::MAX) {
        return Err(Problem::Transparent);
    }
    Ok(pixels
        .flat_map(|pixel| &pixel[..channels])
        .copied()
        .collect())
}

fn problem(error: DecodingError) -> Problem {
    match error {
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Problem::Malformed("truncated PNG".to_owned())
        }
        error => Problem::Malformed(format!("damaged PNG: {error}")),
    }
}
