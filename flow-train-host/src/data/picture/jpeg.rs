//! JPEG: decoded by scalar code only, so every host sees the same pixels, and strictly.
//!
//! The decoder is the one of the `image` crate, which would take a file that ends early for a
//! whole one.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::{Picture, bounded, upright};
use crate::data::error::{ImageSize, Problem};

/// More bytes of pixels than one byte of file can become: a block of 64 samples costs at least one
/// bit, and with 4x4 subsampling 18 blocks make 3072 bytes.
const MAX_RATIO: u64 = 2048;

/// The upright size, of the headers alone.
pub(super) fn size(content: &[u8]) -> Result<ImageSize, Problem> {
    let (decoder, size, _) = opened(content)?;
    Ok(upright(size, orientation(&decoder)))
}

type Decoder<'c> = JpegDecoder<ZCursor<&'c [u8]>>;

fn opened(content: &[u8]) -> Result<(Decoder<'_>, ImageSize, ColorSpace), Problem> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(content), options());
    decoder.decode_headers().map_err(problem)?;
    let (channels, colours) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (1u32, ColorSpace::Luma),
        Some(ColorSpace::YCbCr | ColorSpace::RGB) => (3, ColorSpace::RGB),
        other => {
            let why = format!("JPEG in {other:?}, expected grey or RGB");
            return Err(Problem::Malformed(why));
        }
    };
    let info = decoder
        .info()
        .ok_or_else(|| Problem::Malformed("JPEG without a size".to_owned()))?;
    let size = ImageSize {
        channels,
        height: info.height.into(),
        width: info.width.into(),
    };
    Ok((decoder, size, colours))
}

fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_use_unsafe(false)
}

fn orientation(decoder: &Decoder<'_>) -> Orientation {
    let tag = decoder.exif();
    let orientation = tag.and_then(|exif| Orientation::from_exif_chunk(exif));
    orientation.unwrap_or(Orientation::NoTransforms)
}

pub(super) fn decode(content: &[u8]) -> Result<Picture, Problem> {
    let (mut decoder, size, colours) = opened(content)?;
    decoder.set_options(options().jpeg_set_out_colorspace(colours));
    let ImageSize {
        channels,
        height,
        width,
    } = size;
    let claimed = u64::from(height) * u64::from(width) * u64::from(channels);
    let at_most = (content.len() as u64).saturating_mul(MAX_RATIO);
    if claimed > at_most {
        return Err(Problem::SizeAbsurd {
            claimed: Some(claimed),
            at_most,
        });
    }
    bounded(claimed)?;
    let samples = decoder.decode().map_err(problem)?;
    if !reaches_end(content) {
        return Err(Problem::Malformed("truncated JPEG".to_owned()));
    }
    let image = match channels {
        1 => GrayImage::from_raw(width, height, samples).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, samples).map(DynamicImage::from),
    };
    let mut image =
        image.ok_or_else(|| Problem::Malformed("damaged JPEG: too short".to_owned()))?;
    image.apply_orientation(orientation(&decoder));
    Picture::from_image(image)
}

/// Whether the end marker is there: the decoder, even when strict, takes the bits that it lacks at
/// the very end for zeros.
fn reaches_end(content: &[u8]) -> bool {
    const END: u8 = 0xd9;
    const WITHOUT_SEGMENT: [u8; 9] = [0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7];
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff);
    let mut rest = content.get(2..).unwrap_or_default();
    while let Some(at) = rest.windows(2).position(is_marker) {
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        if marker == END {
            return true;
        }
        if !WITHOUT_SEGMENT.contains(&marker) {
            let Some(length) = rest.first_chunk() else {
                return false;
            };
            let length = usize::from(u16::from_be_bytes(*length));
            rest = rest.get(length..).unwrap_or_default();
        }
    }
    false
}

fn problem(error: DecodeErrors) -> Problem {
    Problem::Malformed(format!("damaged JPEG: {error}"))
}
