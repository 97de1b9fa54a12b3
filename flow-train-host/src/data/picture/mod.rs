//! One image file (PNG, JPEG, BMP, TIFF, WebP, PGM or PPM) as 8-bit planes.
//!
//! What a camera pipeline would have handed over is what counts: 8-bit grey or RGB, upright. So
//! orientation tags are applied, palettes expanded, and nothing is guessed: pixels that are not
//! opaque are refused (what lies behind them is unknown; an alpha channel that is opaque throughout
//! is dropped), and so are samples of 16 bits (which 8 of them?), CMYK, and files of several
//! pictures. Colour profiles are ignored, as the raw sensor has none.

mod jpeg;
mod pnm;
mod raster;
mod tiff_pages;

use std::path::Path;

use image::DynamicImage;
use image::metadata::Orientation;

use super::error::{DataError, ImageSize, Problem};
use super::source::Source;

/// One decoded image, C x H x W.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its size.
    pub size: ImageSize,
    /// Its samples, channel by channel, row by row.
    pub pixels: Vec<u8>,
}

/// Most bytes of pixels that are decoded: those of 89 million colour pixels.
const MOST_BYTES: u64 = 256 << 20;

/// Gives something of a file's content.
type Of<T> = fn(&[u8]) -> Result<T, Problem>;

/// How a format is read.
struct Format {
    decode: Of<Picture>,
    /// The upright size, of the headers alone.
    size: Of<ImageSize>,
}

const PNG: Format = Format {
    decode: raster::png,
    size: raster::png_size,
};
const JPEG: Format = Format {
    decode: jpeg::decode,
    size: jpeg::size,
};
const BMP: Format = Format {
    decode: raster::bmp,
    size: raster::bmp_size,
};
const TIFF: Format = Format {
    decode: raster::tiff,
    size: raster::tiff_size,
};
const WEBP: Format = Format {
    decode: raster::webp,
    size: raster::webp_size,
};
const PNM: Format = Format {
    decode: pnm::decode,
    size: pnm::size,
};

fn format_of(content: &[u8]) -> Option<Format> {
    match content {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(PNG),
        [0xff, 0xd8, 0xff, ..] => Some(JPEG),
        // The size of a BMP's file comes next, and a header of zeros behind it.
        [b'B', b'M', _, _, _, _, 0, 0, ..] => Some(BMP),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(TIFF),
        [b'R', b'I', b'F', b'F', ..] => Some(WEBP),
        _ if pnm::is_pnm(content) => Some(PNM),
        _ => None,
    }
}

/// Whether a file that starts so is a picture.
pub(super) fn is_picture(prefix: &[u8]) -> bool {
    format_of(prefix).is_some()
}

/// Decodes an image file, whatever its name says.
///
/// # Errors
/// [`DataError`]: no picture of a format that is read, a damaged one, or one of samples that are
/// not 8-bit grey or RGB.
pub fn load(path: &Path) -> Result<Picture, DataError> {
    read(Source::open(path)?)
}

pub(super) fn read(source: Source<'_>) -> Result<Picture, DataError> {
    by_format(source, |format| format.decode)
}

/// The size of an upright picture, as its headers have it.
pub(super) fn size(source: Source<'_>) -> Result<ImageSize, DataError> {
    by_format(source, |format| format.size)
}

fn by_format<T>(mut source: Source<'_>, of: fn(Format) -> Of<T>) -> Result<T, DataError> {
    let content = source.rest()?;
    if content.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    let Some(format) = format_of(&content) else {
        let mut found = [0; 4];
        found
            .iter_mut()
            .zip(&content)
            .for_each(|(to, &from)| *to = from);
        let expected = "a PNG, JPEG, BMP, TIFF, WebP, PGM or PPM image";
        return Err(source.error(Problem::WrongMagic { found, expected }));
    };
    of(format)(&content).map_err(|problem| source.error(problem))
}

/// Refuses what no memory should be asked for.
fn bounded(claimed: u64) -> Result<(), Problem> {
    match claimed > MOST_BYTES {
        true => Err(Problem::TooLarge {
            claimed,
            at_most: MOST_BYTES,
        }),
        false => Ok(()),
    }
}

/// A size after an orientation tag was applied.
fn upright(size: ImageSize, orientation: Orientation) -> ImageSize {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    match orientation {
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => ImageSize {
            height: size.width,
            width: size.height,
            ..size
        },
        _ => size,
    }
}

impl Picture {
    /// From samples that lie pixel by pixel, as every file format has them.
    fn from_interleaved(size: ImageSize, samples: &[u8]) -> Self {
        let channels = size.channels as usize;
        let plane = |channel| samples.iter().skip(channel).step_by(channels).copied();
        let pixels = match channels {
            1 => samples.to_vec(),
            _ => (0..channels).flat_map(plane).collect(),
        };
        Self { size, pixels }
    }

    /// From 8-bit samples; alpha must be opaque.
    fn from_image(image: DynamicImage) -> Result<Self, Problem> {
        let (width, height) = (image.width(), image.height());
        let size = |channels| ImageSize {
            channels,
            height,
            width,
        };
        match image {
            DynamicImage::ImageLuma8(i) => Ok(Self::from_interleaved(size(1), i.as_raw())),
            DynamicImage::ImageRgb8(i) => Ok(Self::from_interleaved(size(3), i.as_raw())),
            DynamicImage::ImageLumaA8(i) => {
                Ok(Self::from_interleaved(size(1), &without_alpha(&i, 1)?))
            }
            DynamicImage::ImageRgba8(i) => {
                Ok(Self::from_interleaved(size(3), &without_alpha(&i, 3)?))
            }
            other => Err(Problem::WrongDepth(format!("samples {:?}", other.color()))),
        }
    }

    /// A picture without colours as grey: of formats that cannot say so.
    fn grey_if_it_is(self) -> Self {
        match self.size.channels {
            3 => self.clone().with_channels(1).unwrap_or(self),
            _ => self,
        }
    }

    /// The picture with so many channels, if that changes nothing: grey is red, green and blue
    /// alike.
    pub(super) fn with_channels(self, wanted: u32) -> Option<Self> {
        let size = ImageSize {
            channels: wanted,
            ..self.size
        };
        let plane = self.size.height as usize * self.size.width as usize;
        match (self.size.channels, wanted) {
            (found, wanted) if found == wanted => Some(self),
            (1, 3) => Some(Self {
                size,
                pixels: self.pixels.repeat(3),
            }),
            (3, 1) => {
                let grey = self.pixels.get(..plane)?;
                let same = self.pixels.chunks_exact(plane).all(|other| other == grey);
                same.then(|| Self {
                    size,
                    pixels: grey.to_vec(),
                })
            }
            _ => None,
        }
    }
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
