//! Where the samples of a row lie, and what each adds to which sum.

use super::format::{MosaicColour, PixelFormat};
use super::frame::MAX_PLANES;
use super::reduction::Region;
use super::span::Span;
use super::words;

/// Whether eight bytes are read at once: a frame of 640 x 480 pixels of YUYV takes 0.17 ms, 0.30 byte by byte.
const WIDE: bool = cfg!(target_pointer_width = "64");
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
        if WIDE
            && self.shift == 0
            && let Depth::Byte = self.depth
        {
            let first = self.first + (self.column + span.cell) * self.pitch;
            let bytes = plane.get(first as usize..).unwrap_or(&[]);
            return words::weighted_sum(self.pitch, bytes, span, parts) * self.factor;
        }
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
            Depth::Byte if WIDE && self.shift == 1 && count > 0 => {
                // Two cells share a sample; of the first and of the last one there may be one cell only.
                let whole = begin.div_ceil(2)..(begin + count) / 2;
                let bytes = plane.get(place(2 * whole.start)..).unwrap_or(&[]);
                let ends = [begin, begin + count].map(|x| (x % 2) * byte(place(x)));
                2 * words::sum(self.pitch, bytes, whole.len()) + ends[0] + ends[1]
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
