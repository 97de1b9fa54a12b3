//! One image file (PNG, JPEG, PGM or PPM) as 8-bit planes.
//!
//! What a camera pipeline would have handed over is what counts: 8-bit grey or RGB. So nothing is
//! guessed: pixels that are not opaque are refused (what lies behind them is unknown; an alpha
//! channel that is opaque throughout is dropped), and so are 16-bit samples and CMYK. Orientation
//! tags and colour profiles are ignored, as the raw sensor has neither.

mod jpeg;
mod png;
mod pnm;

use super::error::{DataError, ImageSize, Problem};
use super::source::Source;

/// One decoded image, C x H x W.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) size: ImageSize,
    pub(super) pixels: Vec<u8>,
}

type Decoder = fn(&[u8]) -> Result<Picture, Problem>;

const DECODERS: [(&[u8], Decoder); 4] = [
    (b"\x89PNG\r\n\x1a\n", png::decode),
    (b"\xff\xd8\xff", jpeg::decode),
    (b"P5", pnm::decode),
    (b"P6", pnm::decode),
];

fn decoder_for(content: &[u8]) -> Option<Decoder> {
    let known = DECODERS
        .iter()
        .find(|(magic, _)| content.starts_with(magic));
    known.map(|&(_, decode)| decode)
}

/// Whether a file that starts so is a picture.
pub(super) fn is_picture(prefix: &[u8]) -> bool {
    decoder_for(prefix).is_some()
}

/// Decodes an image file, whatever its name says.
pub(super) fn read(mut source: Source<'_>) -> Result<Picture, DataError> {
    let content = source.rest()?;
    if content.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    let Some(decode) = decoder_for(&content) else {
        let mut found = [0; 4];
        found
            .iter_mut()
            .zip(&content)
            .for_each(|(to, &from)| *to = from);
        let expected = "a PNG, JPEG, PGM or PPM image";
        return Err(source.error(Problem::WrongMagic { found, expected }));
    };
    decode(&content).map_err(|problem| source.error(problem))
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
}
