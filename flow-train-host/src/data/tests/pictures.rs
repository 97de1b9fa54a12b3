//! Image files: each format against known pixels, and cut, damaged and lying ones.

use super::fixtures::{self, bytes};
use super::{error_of, images_of};
use crate::data::{Images, Problem};

/// A PNG of 8-bit or other samples.
fn png(
    width: u32,
    height: u32,
    color: png::ColorType,
    depth: png::BitDepth,
    data: &[u8],
) -> Vec<u8> {
    let mut content = Vec::new();
    let mut encoder = png::Encoder::new(&mut content, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(data)
        .unwrap();
    content
}

pub(super) fn grey_png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    png(
        width,
        height,
        png::ColorType::Grayscale,
        png::BitDepth::Eight,
        pixels,
    )
}

pub(super) fn size(images: &Images) -> [usize; 3] {
    [images.channels(), images.height(), images.width()]
}

/// The largest difference of two pictures; decoders of JPEG may round differently.
fn largest_difference(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn png_grey_and_rgb_become_planes() {
    let grey = images_of(&grey_png(3, 2, &[1, 2, 3, 4, 5, 6]));
    assert_eq!(
        (size(&grey), grey.pixels()),
        ([1, 2, 3], &[1, 2, 3, 4, 5, 6][..])
    );
    let rgb = png(
        2,
        1,
        png::ColorType::Rgb,
        png::BitDepth::Eight,
        &[1, 2, 3, 4, 5, 6],
    );
    let rgb = images_of(&rgb);
    assert_eq!(
        (size(&rgb), rgb.pixels()),
        ([3, 1, 2], &[1, 4, 2, 5, 3, 6][..])
    );
}

#[test]
fn png_palettes_and_small_depths_are_expanded() {
    let palette = images_of(&bytes(fixtures::PNG_PALETTE));
    assert_eq!(size(&palette), [3, 2, 3]);
    assert_eq!(palette.get(0)[..6], [10, 40, 70, 70, 40, 10], "red");
    assert_eq!(palette.get(0)[12..], [30, 60, 90, 90, 60, 30], "blue");
    let bits = png(
        8,
        1,
        png::ColorType::Grayscale,
        png::BitDepth::One,
        &[0b1010_0110],
    );
    assert_eq!(images_of(&bits).pixels(), [255, 0, 255, 0, 0, 255, 255, 0]);
}

#[test]
fn png_alpha_is_dropped_where_opaque_and_refused_where_not() {
    let rgba = |alpha| {
        png(
            1,
            1,
            png::ColorType::Rgba,
            png::BitDepth::Eight,
            &[9, 8, 7, alpha],
        )
    };
    assert_eq!(images_of(&rgba(255)).pixels(), [9, 8, 7]);
    assert!(matches!(error_of(&rgba(254)).problem, Problem::Transparent));
    let grey = png(
        1,
        1,
        png::ColorType::GrayscaleAlpha,
        png::BitDepth::Eight,
        &[9, 255],
    );
    assert_eq!(
        (size(&images_of(&grey)), images_of(&grey).pixels()),
        ([1, 1, 1], &[9][..])
    );
}

#[test]
fn png_of_16_bits_is_refused() {
    let deep = png(
        1,
        1,
        png::ColorType::Grayscale,
        png::BitDepth::Sixteen,
        &[1, 2],
    );
    assert!(matches!(error_of(&deep).problem, Problem::WrongDepth(_)));
}

#[test]
fn a_cut_or_damaged_png_is_refused() {
    let whole = grey_png(
        20,
        20,
        &std::array::from_fn::<u8, 400, _>(|i| (i * i) as u8),
    );
    // Behind the image data there is only the empty last chunk of 12 bytes.
    for len in 8..whole.len() - 12 {
        let error = error_of(&whole[..len]);
        assert!(
            matches!(error.problem, Problem::Malformed(_)),
            "{len}: {error}"
        );
    }
    let mut damaged = whole.clone();
    damaged[60] ^= 0xff;
    assert!(matches!(error_of(&damaged).problem, Problem::Malformed(_)));
}

#[test]
fn a_png_that_claims_more_than_it_holds_is_not_allocated_for() {
    let mut claim = grey_png(1, 1, &[0]);
    claim[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]); // 2^16 x 2^16
    let header_crc = crc32(&claim[12..29]);
    claim[29..33].copy_from_slice(&header_crc.to_be_bytes());
    let error = error_of(&claim);
    assert!(
        matches!(error.problem, Problem::SizeAbsurd { .. }),
        "{error}"
    );
}

fn crc32(data: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    crc.sum()
}

#[test]
fn jpeg_grey_is_decoded_as_libjpeg_does() {
    #[rustfmt::skip]
    let libjpeg = [
          0,  11,  20,  30,  41,  50,  60,  70,
         20,  30,  40,  49,  60,  70,  79,  90,
         41,  51,  61,  70,  81,  91, 101, 111,
         60,  70,  80,  89, 101, 110, 120, 130,
         80,  91, 100, 110, 121, 130, 140, 150,
         99, 110, 119, 129, 140, 150, 159, 169,
        121, 131, 141, 150, 161, 171, 180, 191,
        140, 150, 160, 169, 181, 190, 200, 210,
    ];
    for fixture in [fixtures::JPEG_GREY, fixtures::JPEG_PROGRESSIVE] {
        let images = images_of(&bytes(fixture));
        assert_eq!(size(&images), [1, 8, 8]);
        // ITU-T T.83 lets two decoders differ by one in the transform.
        assert!(
            largest_difference(images.get(0), &libjpeg) <= 1,
            "{:?}",
            images.get(0)
        );
    }
}

#[test]
fn jpeg_colour_becomes_planes() {
    let images = images_of(&bytes(fixtures::JPEG_RGB));
    assert_eq!(size(&images), [3, 8, 16]);
    let at = |x: usize| [0, 1, 2].map(|channel| images.get(0)[channel * 128 + x]);
    // libjpeg's first and last pixel; between them the subsampled chroma is interpolated.
    assert!(
        largest_difference(&at(0), &[200, 30, 39]) <= 2,
        "{:?}",
        at(0)
    );
    assert!(
        largest_difference(&at(15), &[20, 60, 220]) <= 2,
        "{:?}",
        at(15)
    );
}

#[test]
fn jpeg_of_printing_colours_is_refused() {
    let error = error_of(&bytes(fixtures::JPEG_CMYK));
    assert!(
        error.to_string().ends_with("expected grey or RGB"),
        "{error}"
    );
}

#[test]
fn a_cut_jpeg_is_refused() {
    for fixture in [
        fixtures::JPEG_GREY,
        fixtures::JPEG_PROGRESSIVE,
        fixtures::JPEG_RGB,
    ] {
        let whole = bytes(fixture);
        for len in 3..whole.len() {
            let error = error_of(&whole[..len]);
            assert!(
                matches!(error.problem, Problem::Malformed(_)),
                "{len}: {error}"
            );
        }
    }
}

#[test]
fn a_jpeg_that_claims_more_than_it_holds_is_not_allocated_for() {
    let mut claim = bytes(fixtures::JPEG_GREY);
    let frame = claim
        .windows(2)
        .position(|two| two == [0xff, 0xc0])
        .unwrap();
    claim[frame + 5..frame + 9].copy_from_slice(&[0x3f, 0xff, 0x3f, 0xff]);
    let error = error_of(&claim);
    assert!(
        matches!(error.problem, Problem::SizeAbsurd { .. }),
        "{error}"
    );
}

#[test]
fn pgm_and_ppm_are_read() {
    let pgm = images_of(b"P5\n# a comment\n3 2 # another\n255\n\x00\x01\x02\x03\x04\x0a");
    assert_eq!(
        (size(&pgm), pgm.pixels()),
        ([1, 2, 3], &[0, 1, 2, 3, 4, 10][..])
    );
    let ppm = images_of(b"P6 2 1 255 \x01\x02\x03\x04\x05\x06");
    assert_eq!(
        (size(&ppm), ppm.pixels()),
        ([3, 1, 2], &[1, 4, 2, 5, 3, 6][..])
    );
}

#[test]
fn plain_pgm_and_ppm_are_read() {
    let pgm = images_of(b"P2\n# a comment\n3 2\n255\n0 1 2\n3  4\n255\n");
    assert_eq!(
        (size(&pgm), pgm.pixels()),
        ([1, 2, 3], &[0, 1, 2, 3, 4, 255][..])
    );
    let ppm = images_of(b"P3 2 1 255 1 2 3 4 5 6");
    assert_eq!(
        (size(&ppm), ppm.pixels()),
        ([3, 1, 2], &[1, 4, 2, 5, 3, 6][..])
    );
    let high = error_of(b"P2 1 1 255\n256\n").problem;
    assert!(matches!(high, Problem::Malformed(_)));
    let short = error_of(b"P2 2 1 255\n1\n").problem;
    assert!(matches!(short, Problem::Truncated { .. }));
}

/// A picture as the encoders of the `image` crate write it.
fn encoded(format: image::ImageFormat, picture: &image::DynamicImage) -> Vec<u8> {
    let mut content = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut content, format).unwrap();
    content.into_inner()
}

const FORMATS: [image::ImageFormat; 3] = [
    image::ImageFormat::Bmp,
    image::ImageFormat::Tiff,
    image::ImageFormat::WebP,
];

#[test]
fn bmp_tiff_and_webp_are_read_as_they_were_written() {
    let rgb = image::RgbImage::from_fn(5, 3, |x, y| image::Rgb([40 * x as u8, 80 * y as u8, 9]));
    let grey = image::RgbImage::from_fn(5, 3, |x, y| image::Rgb([(40 * x + y) as u8; 3]));
    for format in FORMATS {
        let images = images_of(&encoded(format, &rgb.clone().into()));
        assert_eq!(size(&images), [3, 3, 5], "{format:?}");
        for (x, y, pixel) in rgb.enumerate_pixels() {
            let at = (y * 5 + x) as usize;
            let found = [0, 15, 30].map(|plane| images.pixels()[plane + at]);
            assert_eq!(found, pixel.0, "{format:?}");
        }
    }
    // Neither has a grey of its own that all programs write.
    for format in [image::ImageFormat::Bmp, image::ImageFormat::WebP] {
        let images = images_of(&encoded(format, &grey.clone().into()));
        assert_eq!(size(&images), [1, 3, 5], "{format:?}");
        assert_eq!(images.pixels()[6], 41);
    }
}

#[test]
fn cut_bmp_tiff_and_webp_are_refused() {
    let noise = |x, y| image::Rgb([(x * 83 + y * 59) as u8, (x * y * 31) as u8, (x * x) as u8]);
    let picture = image::DynamicImage::from(image::RgbImage::from_fn(9, 7, noise));
    for format in FORMATS {
        let whole = encoded(format, &picture);
        for len in 13..whole.len() - 1 {
            let files = super::Files::new();
            let cut = crate::data::load(&files.write("cut", &whole[..len]));
            assert!(cut.is_err(), "{format:?}: {len} of {}", whole.len());
        }
    }
}

#[test]
fn deep_transparent_and_several_pictures_are_refused() {
    let deep = image::DynamicImage::from(image::ImageBuffer::from_pixel(2, 2, image::Luma([1u16])));
    let problem = error_of(&encoded(image::ImageFormat::Tiff, &deep)).problem;
    assert!(matches!(problem, Problem::WrongDepth(_)), "{problem}");
    let glass = image::RgbaImage::from_pixel(2, 2, image::Rgba([1, 2, 3, 4]));
    for format in [image::ImageFormat::Tiff, image::ImageFormat::WebP] {
        let problem = error_of(&encoded(format, &glass.clone().into())).problem;
        assert!(
            matches!(problem, Problem::Transparent),
            "{format:?}: {problem}"
        );
    }
    // A second page: the first directory's end leads to it.
    let grey = image::GrayImage::from_pixel(2, 2, image::Luma([7]));
    let mut pages = encoded(image::ImageFormat::Tiff, &grey.into());
    let directory = u32::from_le_bytes(pages[4..8].try_into().unwrap()) as usize;
    let entries = usize::from(u16::from_le_bytes([pages[directory], pages[directory + 1]]));
    pages[directory + 2 + 12 * entries] = 8;
    let problem = error_of(&pages).problem;
    assert!(matches!(problem, Problem::SeveralFrames), "{problem}");
}

#[test]
fn an_orientation_tag_is_applied() {
    // SOI, then APP1 with a TIFF of one entry: orientation (0x0112) 6, turn clockwise.
    let exif = "ffe1002245786966000049492a00080000000100120103000100000006000000\
                00000000";
    let whole = bytes(fixtures::JPEG_RGB);
    let tagged = [&whole[..2], &bytes(exif), &whole[2..]].concat();
    let (lying, upright) = (images_of(&whole), images_of(&tagged));
    assert_eq!((size(&lying), size(&upright)), ([3, 8, 16], [3, 16, 8]));
    for (y, x) in (0..8).flat_map(|y| (0..16).map(move |x| (y, x))) {
        // The left edge comes to the top, the bottom to the left.
        assert_eq!(lying.get(0)[y * 16 + x], upright.get(0)[x * 8 + 7 - y]);
    }
}

#[test]
fn pgm_errors_are_typed() {
    let truncated = error_of(b"P5 2 2 255\n\x00\x01\x02").problem;
    assert!(matches!(
        truncated,
        Problem::Truncated {
            expected: 4,
            found: 3
        }
    ));
    let problem = error_of(b"P5 2 2 255\n\x00\x01\x02\x03\x04").problem;
    assert!(matches!(problem, Problem::TrailingBytes));
    assert!(matches!(error_of(b"P5 0 2 255\n").problem, Problem::Empty));
    let deep = error_of(b"P5 1 1 65535\n\x00\x01").problem;
    assert!(matches!(deep, Problem::WrongDepth(_)));
    let absurd = error_of(b"P6 4294967295 4294967295 255\n").problem;
    assert!(matches!(absurd, Problem::SizeAbsurd { claimed: None, .. }));
    for header in [
        "P5",
        "P5 2",
        "P5 2 x 255\n",
        "P5 2 2 255",
        "P5 -1 2 255\n",
        "P5 # 2 2 255\n",
    ] {
        let error = error_of(header.as_bytes());
        assert!(
            matches!(error.problem, Problem::Malformed(_)),
            "{header}: {error}"
        );
    }
}
