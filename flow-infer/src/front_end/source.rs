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
        let run = |cell, count| self.run(plane, span.cell + cell, count);
        span.weighted(parts, |cell| run(cell, 1), run) * self.factor
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
        let row = Row {
            column: u32::from(region.x),
            grey,
            limited,
        };
        let luma_plane = row.bytes(0, 0, 0, 1);
        let list = match format {
            PixelFormat::Grey8 => {
                let factor = ONE;
                [
                    Some(Source {
                        factor,
                        ..luma_plane
                    }),
                    None,
                    None,
                ]
            }
            PixelFormat::Rgb888 => row.colours([0, 1, 2].map(|first| row.bytes(0, first, 0, 3))),
            PixelFormat::Bgr888 => row.colours([2, 1, 0].map(|first| row.bytes(0, first, 0, 3))),
            PixelFormat::Rgb565 => row.colours(row.packed(false)),
            PixelFormat::Rgb565be => row.colours(row.packed(true)),
            PixelFormat::Yuyv => row.luma_and_chroma([
                row.bytes(0, 0, 0, 2),
                row.bytes(0, 1, 1, 4),
                row.bytes(0, 3, 1, 4),
            ]),
            PixelFormat::Uyvy => row.luma_and_chroma([
                row.bytes(0, 1, 0, 2),
                row.bytes(0, 0, 1, 4),
                row.bytes(0, 2, 1, 4),
            ]),
            PixelFormat::Nv12 => {
                let chroma = [0, 1].map(|first| row.bytes(1, first, 1, 2));
                row.luma_and_chroma([luma_plane, chroma[0], chroma[1]])
            }
            PixelFormat::I420 | PixelFormat::I422 => {
                let chroma = [1, 2].map(|plane| row.bytes(plane, 0, 1, 1));
                row.luma_and_chroma([luma_plane, chroma[0], chroma[1]])
            }
            PixelFormat::I444 => {
                let chroma = [1, 2].map(|plane| row.bytes(plane, 0, 0, 1));
                row.luma_and_chroma([luma_plane, chroma[0], chroma[1]])
            }
            PixelFormat::Rggb8 | PixelFormat::Bggr8 | PixelFormat::Grbg8 | PixelFormat::Gbrg8 => {
                row.mosaic(format, y)
            }
        };
        Self { list }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.list.iter().flatten()
    }
}

/// What the sources of a row have in common.
#[derive(Clone, Copy)]
struct Row {
    column: u32,
    /// One sum of luma is wanted, not three of colours.
    grey: bool,
    /// Y of limited range.
    limited: bool,
}

impl Row {
    /// Bytes of a plane, from the first on.
    #[inline(always)]
    fn bytes(self, plane: usize, first: u32, shift: u32, pitch: u32) -> Source {
        Source {
            plane,
            first,
            column: self.column,
            shift,
            pitch,
            depth: Depth::Byte,
            sum: 0,
            factor: 1,
        }
    }

    /// Red, green and blue of 5, 6 and 5 bits.
    #[inline(always)]
    fn packed(self, big_endian: bool) -> [Source; 3] {
        [(11, 5), (5, 6), (0, 5)].map(|(low, count)| Source {
            depth: Depth::Bits {
                low,
                count,
                big_endian,
            },
            ..self.bytes(0, 0, 0, 2)
        })
    }

    /// Red, green and blue of one pixel: one sum of luma, or three.
    #[inline(always)]
    fn colours(self, [red, green, blue]: [Source; 3]) -> [Option<Source>; 3] {
        let [of_red, of_green, of_blue] = LUMA;
        let to = |source: Source, luma, sum| {
            let (sum, factor) = if self.grey { (0, luma) } else { (sum, ONE) };
            Some(Source {
                sum,
                factor,
                ..source
            })
        };
        [
            to(red, of_red, 0),
            to(green, of_green, 1),
            to(blue, of_blue, 2),
        ]
    }

    /// Y alone, or Y, Cb and Cr.
    #[inline(always)]
    fn luma_and_chroma(self, [y, cb, cr]: [Source; 3]) -> [Option<Source>; 3] {
        if self.grey {
            let factor = if self.limited { LIMITED_LUMA } else { ONE };
            return [Some(Source { factor, ..y }), None, None];
        }
        [y, Source { sum: 1, ..cb }, Source { sum: 2, ..cr }].map(Some)
    }

    /// The two samples of each cell that lie in row `y`. Green has two in a cell, each counts half.
    #[inline(always)]
    fn mosaic(self, format: PixelFormat, y: u32) -> [Option<Source>; 3] {
        let sample = |x: u32| {
            let (sum, factor) = match format.mosaic_colour(x, y) {
                MosaicColour::Red => (0, ONE),
                MosaicColour::Green => (1, ONE / 2),
                MosaicColour::Blue => (2, ONE),
            };
            let factor = match LUMA.get(sum) {
                Some(luma) if self.grey => luma * factor / ONE,
                _ => factor,
            };
            Source {
                column: 0,
                sum: if self.grey { 0 } else { sum },
                factor,
                ..self.bytes(0, x, 0, 2)
            }
        };
        [
            Some(sample(self.column)),
            Some(sample(self.column + 1)),
            None,
        ]
    }
}
