//! Literal frames with literal inputs, and every error.

use super::{Frame, FrameError, FrameReader, FrameSpec, PixelFormat, Reduction, Region, YuvRange};
use crate::spec::Shape;
use std::vec;
use std::vec::Vec;

fn reduce(reduction: Reduction, spec: FrameSpec, bytes: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut sums = vec![u64::MAX; reduction.accumulators()];
    let mut input = vec![7; reduction.output.len()];
    let mut reader = FrameReader::new(&reduction, spec, &mut sums, &mut input)?;
    reader.push_frame(&Frame::new(spec, bytes)?)?;
    reader.input().map(<[u8]>::to_vec)
}

fn grey(format: PixelFormat, width: u16, height: u16, bytes: &[u8]) -> Vec<u8> {
    let reduction = Reduction::to(Shape::new(1, 1, 1));
    reduce(reduction, FrameSpec::new(format, width, height), bytes).unwrap()
}

fn colour(format: PixelFormat, width: u16, height: u16, bytes: &[u8]) -> Vec<u8> {
    let reduction = Reduction::to(Shape::new(3, 1, 1));
    reduce(reduction, FrameSpec::new(format, width, height), bytes).unwrap()
}

#[test]
fn means_are_rounded_to_the_nearest_byte_halves_up() {
    assert_eq!(grey(PixelFormat::Grey8, 2, 2, &[10, 20, 30, 41]), [25]);
    assert_eq!(grey(PixelFormat::Grey8, 2, 2, &[10, 20, 30, 43]), [26]);
    assert_eq!(grey(PixelFormat::Grey8, 2, 1, &[0, 1]), [1]);
    assert_eq!(grey(PixelFormat::Grey8, 3, 1, &[255; 3]), [255]);
}

#[test]
fn a_pixel_on_an_edge_counts_for_both_sides() {
    let two = Reduction::to(Shape::new(1, 1, 2));
    let row = FrameSpec::new(PixelFormat::Grey8, 3, 1);
    // (2 0 + 1 90) / 3 and (1 90 + 2 180) / 3.
    assert_eq!(reduce(two, row, &[0, 90, 180]).unwrap(), [30, 150]);
    let two = Reduction::to(Shape::new(1, 2, 1));
    let column = FrameSpec::new(PixelFormat::Grey8, 1, 3);
    assert_eq!(reduce(two, column, &[0, 90, 180]).unwrap(), [30, 150]);
    let three = Reduction::to(Shape::new(1, 1, 3));
    let row = FrameSpec::new(PixelFormat::Grey8, 5, 1);
    // Spans of 5/3 pixels: 3 + 2, 1 + 3 + 1, 2 + 3 thirds.
    let wanted = [(3 * 10 + 2 * 20), (20 + 3 * 40 + 80), (2 * 80 + 3 * 160)];
    let found = reduce(three, row, &[10, 20, 40, 80, 160]).unwrap();
    assert_eq!(found, wanted.map(|sum: i32| ((sum + 2) / 5) as u8));
}

#[test]
fn a_frame_of_the_inputs_size_stays_as_it_is() {
    let bytes: Vec<u8> = (0..12).map(|i| i * 21).collect();
    let same = Reduction::to(Shape::new(1, 3, 4));
    let frame = FrameSpec::new(PixelFormat::Grey8, 4, 3);
    assert_eq!(reduce(same, frame, &bytes).unwrap(), bytes);
}

#[test]
fn luma_has_the_weights_of_bt_601() {
    for (pixel, luma) in [([255, 0, 0], 77), ([0, 255, 0], 149), ([0, 0, 255], 29)] {
        let [r, g, b]: [u8; 3] = pixel;
        assert_eq!(grey(PixelFormat::Rgb888, 1, 1, &[r, g, b]), [luma]);
        assert_eq!(grey(PixelFormat::Bgr888, 1, 1, &[b, g, r]), [luma]);
    }
    assert_eq!(grey(PixelFormat::Rgb888, 1, 1, &[255; 3]), [255]);
    assert_eq!(colour(PixelFormat::Grey8, 2, 1, &[10, 13]), [12, 12, 12]);
    assert_eq!(colour(PixelFormat::Rgb888, 1, 1, &[1, 2, 3]), [1, 2, 3]);
    assert_eq!(colour(PixelFormat::Bgr888, 1, 1, &[3, 2, 1]), [1, 2, 3]);
}

#[test]
fn five_and_six_bits_widen_to_eight() {
    for (word, pixel) in [
        (0xF800u16, [255, 0, 0]),
        (0x07E0, [0, 255, 0]),
        (0x001F, [0, 0, 255]),
        (0x8410, [132, 130, 132]),
        (0x0841, [8, 8, 8]),
    ] {
        assert_eq!(
            colour(PixelFormat::Rgb565, 1, 1, &word.to_le_bytes()),
            pixel
        );
        assert_eq!(
            colour(PixelFormat::Rgb565be, 1, 1, &word.to_be_bytes()),
            pixel
        );
    }
    assert_eq!(grey(PixelFormat::Rgb565, 1, 1, &[0x00, 0xF8]), [77]);
}

/// Two pixels of Y = 90 and 110 with Cb = 128, Cr = 228: 100 + 359 100/256, 100 - 183 100/256, 100.
#[test]
fn chroma_becomes_colour() {
    let wanted = [240, 29, 100];
    let (y, cb, cr) = ([90, 110], 128, 228);
    for (format, bytes) in [
        (PixelFormat::Yuyv, vec![y[0], cb, y[1], cr]),
        (PixelFormat::Uyvy, vec![cb, y[0], cr, y[1]]),
        (PixelFormat::Nv12, vec![y[0], y[1], cb, cr]),
        (PixelFormat::I420, vec![y[0], y[1], cb, cr]),
        (PixelFormat::I422, vec![y[0], y[1], cb, cr]),
        (PixelFormat::I444, vec![y[0], y[1], cb, cb, cr, cr]),
    ] {
        assert_eq!(colour(format, 2, 1, &bytes), wanted, "{format}");
        assert_eq!(grey(format, 2, 1, &bytes), [100], "{format}");
    }
    // Out of range is held: 255 + 1.4 127, 0 - 1.77 128.
    assert_eq!(
        colour(PixelFormat::I444, 1, 1, &[255, 128, 255]),
        [255, 164, 255]
    );
    assert_eq!(colour(PixelFormat::I444, 1, 1, &[0, 0, 128]), [0, 44, 0]);
}

#[test]
fn video_has_a_range_of_its_own() {
    let limited = FrameSpec::new(PixelFormat::I444, 1, 1).with_range(YuvRange::Limited);
    for (yuv, rgb) in [
        ([16, 128, 128], [0, 0, 0]),
        ([235, 128, 128], [255, 255, 255]),
        // BT.601 red, in the bytes of video.
        ([81, 90, 240], [255, 0, 0]),
        ([0, 128, 128], [0, 0, 0]),
    ] {
        let three = Reduction::to(Shape::new(3, 1, 1));
        assert_eq!(reduce(three, limited, &yuv).unwrap(), rgb);
    }
    let one = Reduction::to(Shape::new(1, 1, 1));
    // 298 (126 - 16) / 256 = 128.05.
    assert_eq!(reduce(one, limited, &[126, 1, 2]).unwrap(), [128]);
    assert_eq!(reduce(one, limited, &[255, 1, 2]).unwrap(), [255]);
}

#[test]
fn a_cell_of_a_mosaic_is_one_pixel() {
    let (r, g, h, b) = (200, 100, 50, 10);
    for (format, bytes) in [
        (PixelFormat::Rggb8, [r, g, h, b]),
        (PixelFormat::Bggr8, [b, g, h, r]),
        (PixelFormat::Grbg8, [g, r, b, h]),
        (PixelFormat::Gbrg8, [g, b, r, h]),
    ] {
        assert_eq!(colour(format, 2, 2, &bytes), [200, 75, 10], "{format}");
        // (77 200 + 75 (100 + 50) + 29 10) / 256 = 105.2.
        assert_eq!(grey(format, 2, 2, &bytes), [105], "{format}");
    }
}

/// Wherever a region begins, the colours are those of the scene.
#[test]
fn regions_begin_anywhere_in_a_mosaic() {
    let orders = [
        (PixelFormat::Rggb8, [[0, 1], [1, 2]]),
        (PixelFormat::Bggr8, [[2, 1], [1, 0]]),
        (PixelFormat::Grbg8, [[1, 0], [2, 1]]),
        (PixelFormat::Gbrg8, [[1, 2], [0, 1]]),
    ];
    let scene = [180, 90, 20];
    for (format, order) in orders {
        let sample = |i: usize| scene[order[i / 6 % 2][i % 6 % 2]];
        let bytes: Vec<u8> = (0..36).map(sample).collect();
        for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let region = Region {
                x,
                y,
                width: 4,
                height: 4,
            };
            let reduction = Reduction {
                region: Some(region),
                ..Reduction::to(Shape::new(3, 1, 2))
            };
            let found = reduce(reduction, FrameSpec::new(format, 6, 6), &bytes);
            assert_eq!(
                found.unwrap(),
                [180, 180, 90, 90, 20, 20],
                "{format} {x} {y}"
            );
        }
    }
}

#[test]
fn regions_and_strides_pass_over_what_is_outside() {
    let mut bytes = vec![255; 8 * 5];
    for (y, row) in bytes.chunks_exact_mut(8).enumerate().take(4).skip(1) {
        row[3..6].fill(10 * y as u8);
    }
    let region = Region {
        x: 3,
        y: 1,
        width: 3,
        height: 3,
    };
    let reduction = Reduction {
        region: Some(region),
        ..Reduction::to(Shape::new(1, 3, 1))
    };
    let frame = FrameSpec::new(PixelFormat::Grey8, 7, 5).with_stride(8);
    assert_eq!(reduce(reduction, frame, &bytes).unwrap(), [10, 20, 30]);
}

#[test]
fn chroma_of_odd_places_belongs_to_its_pixel() {
    // Five columns, three rows: chroma cells are cut at the frame's edge and at the region's.
    let y = [100; 15];
    let (cb, cr) = ([128; 6], [128, 128, 228, 128, 128, 28]);
    let bytes = [&y[..], &cb, &cr].concat();
    let frame = FrameSpec::new(PixelFormat::I420, 5, 3);
    assert_eq!(frame.byte_len(), 27);
    let of = |x, y| Reduction {
        region: Some(Region {
            x,
            y,
            width: 1,
            height: 1,
        }),
        ..Reduction::to(Shape::new(3, 1, 1))
    };
    assert_eq!(reduce(of(3, 1), frame, &bytes).unwrap(), [100, 100, 100]);
    assert_eq!(reduce(of(4, 1), frame, &bytes).unwrap(), [240, 29, 100]);
    assert_eq!(reduce(of(4, 2), frame, &bytes).unwrap(), [0, 171, 100]);
}

#[test]
fn chroma_of_spans_without_a_whole_pixel_is_that_of_their_ends() {
    // Four pixels become three: the second has two thirds of two of them.
    for (x, width) in [(0, 4), (1, 4), (2, 4), (1, 5)] {
        let reduction = Reduction {
            region: Some(Region {
                x,
                y: 0,
                width,
                height: 1,
            }),
            ..Reduction::to(Shape::new(3, 1, 3))
        };
        let bytes = [[100, 128, 100, 228]; 3].concat();
        let frame = FrameSpec::new(PixelFormat::Yuyv, 6, 1);
        let found = reduce(reduction, frame, &bytes).unwrap();
        assert_eq!(
            found,
            [240, 240, 240, 29, 29, 29, 100, 100, 100],
            "{x} {width}"
        );
    }
}

#[test]
fn rows_come_one_by_one() {
    let reduction = Reduction::to(Shape::new(1, 1, 1));
    let (mut sums, mut input) = ([0; 2], [0; 1]);
    let frame = FrameSpec::new(PixelFormat::Grey8, 2, 2);
    let mut reader = FrameReader::new(&reduction, frame, &mut sums, &mut input).unwrap();
    reader.push_row(&[&[1, 2]]).unwrap();
    assert_eq!(reader.input(), Err(FrameError::Unfinished { missing: 1 }));
    let error = reader.push_row(&[&[3]]).unwrap_err();
    assert_eq!(
        error,
        FrameError::Row {
            needed: 2,
            found: 1
        }
    );
    assert_eq!(reader.push_row(&[]), Err(FrameError::Planes { needed: 1 }));
    reader.push_row(&[&[3, 6, 99]]).unwrap();
    assert_eq!(reader.input(), Ok(&[3][..]));
    assert_eq!(reader.push_row(&[&[0, 0]]), Err(FrameError::Excess));
    reader.restart();
    reader.push_row(&[&[8, 8]]).unwrap();
    reader.push_row(&[&[8, 8]]).unwrap();
    assert_eq!(reader.input(), Ok(&[8][..]));
}

#[test]
fn what_is_no_frame_is_refused() {
    let two = Reduction::to(Shape::new(1, 2, 2));
    let frame = |width, height| FrameSpec::new(PixelFormat::Grey8, width, height);
    assert_eq!(reduce(two, frame(0, 4), &[]), Err(FrameError::Size));
    assert_eq!(reduce(two, frame(4, 32_768), &[]), Err(FrameError::Size));
    let narrow = frame(4, 4).with_stride(3);
    assert_eq!(
        reduce(two, narrow, &[0; 16]),
        Err(FrameError::Stride { least: 4 })
    );
    let truncated = FrameError::Truncated {
        needed: 16,
        found: 15,
    };
    assert_eq!(reduce(two, frame(4, 4), &[0; 15]), Err(truncated));
    assert_eq!(reduce(two, frame(4, 1), &[0; 4]), Err(FrameError::Enlarges));
    let region = |x, width| Reduction {
        region: Some(Region {
            x,
            y: 0,
            width,
            height: 2,
        }),
        ..two
    };
    assert_eq!(
        reduce(region(3, 2), frame(4, 4), &[0; 16]),
        Err(FrameError::Region)
    );
    assert_eq!(
        reduce(region(u16::MAX, 2), frame(4, 4), &[0; 16]),
        Err(FrameError::Region)
    );
    assert_eq!(
        reduce(region(0, 0), frame(4, 4), &[0; 16]),
        Err(FrameError::Region)
    );
    let mosaic = FrameSpec::new(PixelFormat::Rggb8, 4, 2);
    assert_eq!(reduce(two, mosaic, &[0; 8]), Err(FrameError::Mosaic));
    let mosaic = FrameSpec::new(PixelFormat::Rggb8, 5, 4);
    assert_eq!(reduce(two, mosaic, &[0; 20]), Err(FrameError::Mosaic));
    let only = Reduction {
        frame: Some(frame(4, 4)),
        ..two
    };
    assert_eq!(
        reduce(only, frame(4, 5), &[0; 20]),
        Err(FrameError::OtherFrame)
    );
    assert!(reduce(only, frame(4, 4).with_stride(5), &[0; 20]).is_ok());
    for shape in [
        Shape::new(2, 2, 2),
        Shape::new(1, 0, 2),
        Shape::new(3, 200, 200),
    ] {
        let error = Reduction::to(shape).check().unwrap_err();
        assert_eq!(error, FrameError::Output);
    }
    let (mut sums, mut input) = ([0; 3], [0; 4]);
    let error = FrameReader::new(&two, frame(4, 4), &mut sums, &mut input).unwrap_err();
    assert_eq!(error, FrameError::Memory);
}

/// The largest frame with the largest factor: no sum may pass its bits.
#[test]
fn the_largest_frame_overflows_nothing() {
    let side = super::MAX_SIDE as u16;
    let frame = FrameSpec::new(PixelFormat::I444, side, 3).with_range(YuvRange::Limited);
    let row = vec![255; usize::from(side)];
    for (channels, wanted) in [(1, vec![255]), (3, vec![255, 125, 255])] {
        let reduction = Reduction::to(Shape::new(channels, 1, 1));
        let mut sums = vec![0; reduction.accumulators()];
        let mut input = vec![0; reduction.output.len()];
        let mut reader = FrameReader::new(&reduction, frame, &mut sums, &mut input).unwrap();
        while reader.missing() > 0 {
            reader.push_row(&[&row, &row, &row]).unwrap();
        }
        assert_eq!(reader.input().unwrap(), wanted);
    }
}

#[test]
fn names_are_those_of_the_formats() {
    for format in PixelFormat::ALL {
        assert_eq!(PixelFormat::from_name(format.name()), Some(format));
    }
    assert_eq!(PixelFormat::from_name("rgb"), None);
}
