//! PNG, BMP, TIFF and WebP, by the decoders of the `image` crate.
//!
//! Palettes and small depths are expanded to 8 bits, which loses nothing. Orientation tags are
//! applied.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use image::error::ImageError;
use image::{ColorType, DynamicImage, ImageDecoder, Limits};

use super::{MOST_BYTES, Picture, bounded, tiff_pages, upright};
use crate::data::error::{ImageSize, Problem};
use crate::data::source::DEFLATE_MAX_RATIO;

pub(super) fn png(content: &[u8]) -> Result<Picture, Problem> {
    let decoder = PngDecoder::with_limits(Cursor::new(content), limits());
    let decoder = decoder.map_err(|error| problem("PNG", error))?;
    if decoder.is_apng().map_err(|error| problem("PNG", error))? {
        return Err(Problem::SeveralFrames);
    }
    let at_most = (content.len() as u64).saturating_mul(DEFLATE_MAX_RATIO);
    decode("PNG", decoder, at_most)
}

pub(super) fn bmp(content: &[u8]) -> Result<Picture, Problem> {
    let decoder = BmpDecoder::new(Cursor::new(content));
    let decoder = decoder.map_err(|error| problem("BMP", error))?;
    decode("BMP", decoder, u64::MAX).map(Picture::grey_if_it_is)
}

pub(super) fn tiff(content: &[u8]) -> Result<Picture, Problem> {
    if tiff_pages::are_several(content) {
        return Err(Problem::SeveralFrames);
    }
    let decoder = TiffDecoder::new(Cursor::new(content));
    decode(
        "TIFF",
        decoder.map_err(|error| problem("TIFF", error))?,
        u64::MAX,
    )
}

pub(super) fn webp(content: &[u8]) -> Result<Picture, Problem> {
    let decoder = WebPDecoder::new(Cursor::new(content));
    let decoder = decoder.map_err(|error| problem("WebP", error))?;
    if decoder.has_animation() {
        return Err(Problem::SeveralFrames);
    }
    decode("WebP", decoder, u64::MAX).map(Picture::grey_if_it_is)
}

pub(super) fn png_size(content: &[u8]) -> Result<ImageSize, Problem> {
    size(
        "PNG",
        PngDecoder::with_limits(Cursor::new(content), limits()),
    )
}

pub(super) fn bmp_size(content: &[u8]) -> Result<ImageSize, Problem> {
    size("BMP", BmpDecoder::new(Cursor::new(content)))
}

pub(super) fn tiff_size(content: &[u8]) -> Result<ImageSize, Problem> {
    size("TIFF", TiffDecoder::new(Cursor::new(content)))
}

pub(super) fn webp_size(content: &[u8]) -> Result<ImageSize, Problem> {
    size("WebP", WebPDecoder::new(Cursor::new(content)))
}

fn size(
    format: &'static str,
    decoder: Result<impl ImageDecoder, ImageError>,
) -> Result<ImageSize, Problem> {
    let problem = |error| problem(format, error);
    let mut decoder = decoder.map_err(problem)?;
    let (width, height) = decoder.dimensions();
    let found = ImageSize {
        channels: if decoder.color_type().has_color() {
            3
        } else {
            1
        },
        height,
        width,
    };
    Ok(upright(found, decoder.orientation().map_err(problem)?))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    limits
}

fn decode(
    format: &'static str,
    mut decoder: impl ImageDecoder,
    at_most: u64,
) -> Result<Picture, Problem> {
    use ColorType::{L8, La8, Rgb8, Rgba8};
    let problem = |error| problem(format, error);
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Problem::Empty);
    }
    let color = decoder.color_type();
    if !matches!(color, L8 | La8 | Rgb8 | Rgba8) {
        let bits = color.bits_per_pixel() / u16::from(color.channel_count());
        return Err(Problem::WrongDepth(format!("{bits}-bit samples")));
    }
    let claimed = decoder.total_bytes();
    if claimed > at_most {
        let claimed = Some(claimed);
        return Err(Problem::SizeAbsurd { claimed, at_most });
    }
    bounded(claimed)?;
    decoder.set_limits(limits()).map_err(problem)?;
    let orientation = decoder.orientation().map_err(problem)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(problem)?;
    picture.apply_orientation(orientation);
    Picture::from_image(picture)
}

fn problem(format: &'static str, error: ImageError) -> Problem {
    match error {
        ImageError::Limits(_) => Problem::TooLarge {
            claimed: MOST_BYTES + 1,
            at_most: MOST_BYTES,
        },
        error => Problem::Malformed(format!("damaged {format}: {error}")),
    }
}
