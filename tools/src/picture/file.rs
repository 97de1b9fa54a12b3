//! PNG files, and how a page holds them.

use super::raster::Raster;
use anyhow::Result;

/// A picture as the bytes of a PNG.
pub(crate) fn png_of(raster: &Raster) -> Result<Vec<u8>> {
    let size = (raster.width(), raster.height());
    encode(size, png::ColorType::Rgb, &raster.bytes())
}

/// Samples of 8 bits as the bytes of a PNG.
///
/// # Errors
/// Of a picture without pixels, or of another number of samples than its size says.
pub(crate) fn encode(
    (width, height): (usize, usize),
    colour: png::ColorType,
    samples: &[u8],
) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(samples)?;
    writer.finish()?;
    Ok(file)
}

/// A PNG within a page.
pub(crate) fn data_uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", base64(png))
}

/// An SVG within a page, as a picture of its own.
pub(crate) fn svg_uri(svg: &[u8]) -> String {
    format!("data:image/svg+xml;base64,{}", base64(svg))
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = (word >> (18 - 6 * digit)) as usize & 63;
            let known = digit <= chunk.len();
            text.push(if known {
                char::from(DIGITS[value])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        let known = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in known {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_picture_comes_back_from_its_file() {
        let raster = Raster::from_fn(3, 2, |x, y| [x as u8, y as u8, 7]);
        let file = png_of(&raster).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        assert_eq!((info.width, info.height), (3, 2));
        assert_eq!(samples, raster.bytes());
        assert!(encode((2, 2), png::ColorType::Grayscale, &[0; 3]).is_err());
    }
}
