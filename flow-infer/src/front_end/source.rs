//! Where the samples of a row lie, and what each adds to which sum.

use super::format::{MosaicColour, PixelFormat};
use super::frame::MAX_PLANES;
use super::reduction::Region;
use super::span::Span;

/// BT.601 luma of red, green and blue, in 256ths.
const LUMA: [u32; 3] = [77, 150, 29];
/// Factors of direct sums add up to this; sums that are converted behind have a factor of one.
pub(super) const ONE: u32 = 256;
/// Y of limited range spans 219 steps of 255: 255/219 in 256ths.
pub(super) const LIMITED_LUMA: u32 = 298;

/// Samples of one kind in the rows of a plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    plane: usize,
    /// Byte of the sample of cell 0.
    first: u32,
    /// Column of cell 0, counted in pixels that may share a sample.
    column: u32,
    /// Pixels that share a sample, as a power of two.
    shift: u32,
    /// Bytes from one sample to the next.
    pitch: u32,
    depth: Depth,
    /// Which sum it adds to, and how many times.
    pub(super) sum: usize,
    pub(super) factor: u32,
}

/// How a sample is read.
#[derive(Clone, Copy, Debug)]
enum Depth {
    Byte,
    /// Some bits of two bytes, widened to eight by repeating the highest.
    Bits {
        low: u32,
        count: u32,
        big_endian: bool,
    },
}

impl Source {
    /// Weighted sum of a span of a row.
    pub(super) fn sum_of(&self, row: &[&[u8]; MAX_PLANES], span: Span, parts: u32) -> u32 {
        let plane = row.get(self.plane).copied().unwrap_or(&[]);
        let whole = span.cell + u32::from(span.head > 0);
        let mut sum = 0;
        if span.head > 0 {
            sum += span.head * self.run(plane, span.cell, 1);
        }
        sum += parts * self.run(plane, whole, span.whole);
        if span.tail > 0 {
            sum += span.tail * self.run(plane, whole + span.whole, 1);
        }
        sum * self.factor
    }

    /// Sum of the samples of `count` cells.
    fn run(&self, plane: &[u8], cell: u32, count: u32) -> u32 {
        let begin = self.column + cell;
        let place = |x: u32| (self.first + (x >> self.shift) * self.pitch) as usize;
        let byte = |place: usize| u32::from(plane.get(place).copied().unwrap_or(0));
        let cells = begin..begin + count;
        match self.depth {
            Depth::Byte if WIDE && self.shift == 0 => {
                let bytes = plane.get(place(begin)..).unwrap_or(&[]);
                sum_of_every(self.pitch as usize, bytes, count as usize)
            }
            Depth::Byte => cells.map(|x| byte(place(x))).sum(),
            Depth::Bits {
                low,
                count,
                big_endian,
            } => {
                let sample = |x| {
                    let (a, b) = (byte(place(x)), byte(place(x) + 1));
                    let word = if big_endian { a << 8 | b } else { b << 8 | a };
                    let value = word >> low & ((1 << count) - 1);
                    value << (8 - count) | value >> (2 * count - 8)
                };
                cells.map(sample).sum()
            }
        }
    }
}

/// Whether eight bytes are read at once. Of a frame of 640 x 480 pixels of YUYV that leaves a quarter of the time.
const WIDE: bool = cfg!(target_pointer_width = "64");
const WORD: usize = size_of::<u64>();

/// Sum of `count` bytes, `pitch` apart from the first one on.
fn sum_of_every(pitch: usize, bytes: &[u8], count: usize) -> u32 {
    let each = |bytes: &[u8], count| {
        let bytes = bytes.iter().step_by(pitch).take(count);
        bytes.map(|&byte| u32::from(byte)).sum::<u32>()
    };
    if !matches!(pitch, 1 | 2 | 4) {
        return each(bytes, count);
    }
    let words = bytes.as_chunks::<WORD>().0;
    let words = words.get(..count * pitch / WORD).unwrap_or(words);
    let rest = bytes.get(words.len() * WORD..).unwrap_or(&[]);
    let summed = words.len() * (WORD / pitch);
    let blocks = words
        .chunks(LANE_SUMS)
        .map(|words| sum_of_words(pitch, words));
    blocks.sum::<u32>() + each(rest, count - summed)
}

/// Words of which a lane of 16 bits holds the sum of two bytes each.
const LANE_SUMS: usize = 128;

/// Sum of every, every second or every fourth byte of at most [`LANE_SUMS`] words.
fn sum_of_words(pitch: usize, words: &[[u8; WORD]]) -> u32 {
    const BYTES: u64 = 0x00FF_00FF_00FF_00FF;
    const FOURTH: u64 = 0x0000_00FF_0000_00FF;
    let mask = if pitch == 4 { FOURTH } else { BYTES };
    let lanes = words.iter().fold(0u64, |lanes, &word| {
        let word = u64::from_le_bytes(word);
        let odd = if pitch == 1 { word >> 8 & BYTES } else { 0 };
        lanes + (word & mask) + odd
    });
    (0..4)
        .map(|lane| (lanes >> (16 * lane)) as u32 & 0xFFFF)
        .sum()
}

/// The sources of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources {
    list: [Option<Source>; 3],
}

impl Sources {
    /// The sources of row `y` of a frame.
    pub(super) fn of_row(
        format: PixelFormat,
        limited: bool,
        grey: bool,
        region: Region,
        y: u32,
    ) -> Self {
        let column = u32::from(region.x);
        let byte = |plane, first, shift, pitch, sum, factor| Source {
            plane,
            first,
            column,
            shift,
            pitch,
            depth: Depth::Byte,
            sum,
            factor,
        };
        // Red, green and blue of one pixel: one sum of luma, or three.
        let rgb = |source: [Source; 3]| {
            let [red, green, blue] = source;
            let [of_red, of_green, of_blue] = LUMA;
            let to = |source: Source, luma, sum| match grey {
                true => Source {
                    sum: 0,
                    factor: luma,
                    ..source
                },
                false => Source {
                    sum,
                    factor: ONE,
                    ..source
                },
            };
            [
                to(red, of_red, 0),
                to(green, of_green, 1),
                to(blue, of_blue, 2),
            ]
            .map(Some)
        };
        // Y alone, or Y, Cb and Cr.
        let luma_factor = if limited { LIMITED_LUMA } else { ONE };
        let yuv = |y: Source, cb: Source, cr: Source| match grey {
            true => [
                Some(Source {
                    factor: luma_factor,
                    ..y
                }),
                None,
                None,
            ],
            false => [y, cb, cr].map(Some),
        };
        let luma_plane = byte(0, 0, 0, 1, 0, 1);
        let list = match format {
            PixelFormat::Grey8 => [
                Some(Source {
                    factor: ONE,
                    ..luma_plane
                }),
                None,
                None,
            ],
            PixelFormat::Rgb888 => rgb([0, 1, 2].map(|first| byte(0, first, 0, 3, 0, 0))),
            PixelFormat::Bgr888 => rgb([2, 1, 0].map(|first| byte(0, first, 0, 3, 0, 0))),
            PixelFormat::Rgb565 | PixelFormat::Rgb565be => {
                let big_endian = matches!(format, PixelFormat::Rgb565be);
                rgb([(11, 5), (5, 6), (0, 5)].map(|(low, count)| Source {
                    depth: Depth::Bits {
                        low,
                        count,
                        big_endian,
                    },
                    ..byte(0, 0, 0, 2, 0, 0)
                }))
            }
            PixelFormat::Yuyv => yuv(
                byte(0, 0, 0, 2, 0, 1),
                byte(0, 1, 1, 4, 1, 1),
                byte(0, 3, 1, 4, 2, 1),
            ),
            PixelFormat::Uyvy => yuv(
                byte(0, 1, 0, 2, 0, 1),
                byte(0, 0, 1, 4, 1, 1),
                byte(0, 2, 1, 4, 2, 1),
            ),
            PixelFormat::Nv12 => yuv(luma_plane, byte(1, 0, 1, 2, 1, 1), byte(1, 1, 1, 2, 2, 1)),
            PixelFormat::I420 | PixelFormat::I422 => {
                yuv(luma_plane, byte(1, 0, 1, 1, 1, 1), byte(2, 0, 1, 1, 2, 1))
            }
            PixelFormat::I444 => yuv(luma_plane, byte(1, 0, 0, 1, 1, 1), byte(2, 0, 0, 1, 2, 1)),
            PixelFormat::Rggb8 | PixelFormat::Bggr8 | PixelFormat::Grbg8 | PixelFormat::Gbrg8 => {
                // Two samples of each cell lie in this row. Green has two in a cell, each counts half.
                let sample = |x: u32| {
                    let (sum, factor) = match format.mosaic_colour(x, y) {
                        MosaicColour::Red => (0, ONE),
                        MosaicColour::Green => (1, ONE / 2),
                        MosaicColour::Blue => (2, ONE),
                    };
                    let factor = match LUMA.get(sum) {
                        Some(luma) if grey => luma * factor / ONE,
                        _ => factor,
                    };
                    let sum = if grey { 0 } else { sum };
                    Source {
                        column: 0,
                        ..byte(0, x, 0, 2, sum, factor)
                    }
                };
                [Some(sample(column)), Some(sample(column + 1)), None]
            }
        };
        Self { list }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.list.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn words_and_bytes_give_the_same_sum() {
        let bytes: Vec<u8> = (0..9000u32)
            .map(|i| (i.wrapping_mul(2654435761) >> 24) as u8 | 0x80)
            .collect();
        for pitch in 1..=4 {
            for (first, count) in [
                (0, 0),
                (1, 1),
                (3, 7),
                (0, 8),
                (2, 9),
                (5, 23),
                (1, 2000),
                (0, 2249),
            ] {
                let bytes = &bytes[first..];
                let plain: u32 = (0..count).map(|i| u32::from(bytes[i * pitch])).sum();
                assert_eq!(
                    sum_of_every(pitch, bytes, count),
                    plain,
                    "{pitch} {first} {count}"
                );
            }
        }
        // The greatest sum of a block of words.
        assert_eq!(sum_of_every(1, &[255; 1024], 1024), 255 * 1024);
        assert_eq!(sum_of_every(2, &[255; 2047], 1024), 255 * 1024);
    }
}
