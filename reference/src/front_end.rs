//! From a frame to the model's input, in f64: every pixel in red, green and blue, then means over rectangles.

use flow_infer::front_end::{FrameSpec, PixelFormat, Reduction, Region, YuvRange};

/// The input before it is rounded, channel by channel, row by row; held within 0 to 255.
pub fn reduce(reduction: &Reduction, frame: &FrameSpec, bytes: &[u8]) -> Vec<f64> {
    let region = reduction.region.unwrap_or(Region::whole(frame));
    let picture = Picture {
        frame,
        region,
        bytes,
    };
    let shape = reduction.output;
    let (rows, columns) = (usize::from(shape.height), usize::from(shape.width));
    let mut input = Vec::new();
    for channel in 0..usize::from(shape.channels) {
        for i in 0..rows {
            for j in 0..columns {
                let y = [i, i + 1].map(|i| (i * usize::from(region.height)) as f64 / rows as f64);
                let x = [j, j + 1].map(|j| (j * usize::from(region.width)) as f64 / columns as f64);
                // Conversion is linear, so it is that of the mean; only then is it held.
                let mean = picture.mean(x, y);
                let pixel = match frame.format.is_yuv() {
                    true => to_rgb(mean, frame.range),
                    false => mean,
                };
                let value = match (shape.channels, frame.format.is_yuv()) {
                    (1, true) => luma_of_yuv(mean[0], frame.range),
                    (1, false) => luma(pixel),
                    _ => pixel[channel],
                };
                input.push(value.clamp(0.0, 255.0));
            }
        }
    }
    input
}

/// BT.601 luma with the integer weights of `documents/conventions.md`.
fn luma([r, g, b]: [f64; 3]) -> f64 {
    (77.0 * r + 150.0 * g + 29.0 * b) / 256.0
}

fn luma_of_yuv(y: f64, range: YuvRange) -> f64 {
    match range {
        YuvRange::Full => y,
        YuvRange::Limited => 298.0 * (y - 16.0) / 256.0,
    }
}

fn to_rgb([y, cb, cr]: [f64; 3], range: YuvRange) -> [f64; 3] {
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    let y = luma_of_yuv(y, range);
    match range {
        YuvRange::Full => [
            y + 359.0 * cr / 256.0,
            y - (88.0 * cb + 183.0 * cr) / 256.0,
            y + 454.0 * cb / 256.0,
        ],
        YuvRange::Limited => [
            y + 409.0 * cr / 256.0,
            y - (100.0 * cb + 208.0 * cr) / 256.0,
            y + 516.0 * cb / 256.0,
        ],
    }
}

struct Picture<'f> {
    frame: &'f FrameSpec,
    region: Region,
    bytes: &'f [u8],
}

impl Picture<'_> {
    /// Mean over a rectangle of the region.
    fn mean(&self, [left, right]: [f64; 2], [top, bottom]: [f64; 2]) -> [f64; 3] {
        let mut sum = [0.0; 3];
        for y in top.floor() as usize..bottom.ceil() as usize {
            for x in left.floor() as usize..right.ceil() as usize {
                let overlap = |from: f64, to: f64, at: usize| {
                    (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0)
                };
                let area = overlap(left, right, x) * overlap(top, bottom, y);
                let pixel = self.pixel(x, y);
                (0..3).for_each(|k| sum[k] += area * pixel[k]);
            }
        }
        sum.map(|s| s / ((right - left) * (bottom - top)))
    }

    /// Red, green and blue, or Y, Cb and Cr, of a pixel of the region.
    fn pixel(&self, x: usize, y: usize) -> [f64; 3] {
        use PixelFormat as F;
        let (rx, ry) = (usize::from(self.region.x), usize::from(self.region.y));
        let (fx, fy) = (rx + x, ry + y);
        let stride = self.frame.stride as usize;
        let height = usize::from(self.frame.height);
        let luma_plane = stride * height;
        let at = |place: usize| f64::from(self.bytes[place]);
        let packed =
            |offsets: [usize; 3], pitch: usize| offsets.map(|o| at(fy * stride + fx * pitch + o));
        let pair = |y0: usize, cb: usize, cr: usize| {
            let row = fy * stride;
            let pair = row + fx / 2 * 4;
            [at(row + 2 * fx + y0), at(pair + cb), at(pair + cr)]
        };
        let wide = |a: u8, b: u8| {
            let word = u32::from(a) << 8 | u32::from(b);
            let (r, g, b) = (word >> 11, word >> 5 & 63, word & 31);
            [r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2].map(f64::from)
        };
        let place = fy * stride + fx;
        match self.frame.format {
            F::Grey8 => [at(place); 3],
            F::Rgb888 => packed([0, 1, 2], 3),
            F::Bgr888 => packed([2, 1, 0], 3),
            F::Rgb565 => wide(self.bytes[place + fx + 1], self.bytes[place + fx]),
            F::Rgb565be => wide(self.bytes[place + fx], self.bytes[place + fx + 1]),
            F::Yuyv => pair(0, 1, 3),
            F::Uyvy => pair(1, 0, 2),
            F::Nv12 => {
                let chroma = luma_plane + fy / 2 * (stride + stride % 2) + fx / 2 * 2;
                [at(place), at(chroma), at(chroma + 1)]
            }
            F::I420 => {
                let (stride, rows) = (stride.div_ceil(2), height.div_ceil(2));
                let chroma = luma_plane + fy / 2 * stride + fx / 2;
                [at(place), at(chroma), at(chroma + stride * rows)]
            }
            F::I422 => {
                let stride = stride.div_ceil(2);
                let chroma = luma_plane + fy * stride + fx / 2;
                [at(place), at(chroma), at(chroma + stride * height)]
            }
            F::I444 => [
                at(place),
                at(place + luma_plane),
                at(place + 2 * luma_plane),
            ],
            F::Rggb8 => self.mosaic(rx + x / 2 * 2, ry + y / 2 * 2, [0, 0]),
            F::Bggr8 => self.mosaic(rx + x / 2 * 2, ry + y / 2 * 2, [1, 1]),
            F::Grbg8 => self.mosaic(rx + x / 2 * 2, ry + y / 2 * 2, [1, 0]),
            F::Gbrg8 => self.mosaic(rx + x / 2 * 2, ry + y / 2 * 2, [0, 1]),
            other => unimplemented!("{other}"),
        }
    }

    /// The colours of the four samples from (x, y) on, where red lies at odd or even columns and rows.
    fn mosaic(&self, x: usize, y: usize, red: [usize; 2]) -> [f64; 3] {
        let (mut sum, mut count) = ([0.0; 3], [0.0; 3]);
        for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
            let colour = usize::from(x % 2 != red[0]) + usize::from(y % 2 != red[1]);
            sum[colour] += f64::from(self.bytes[y * self.frame.stride as usize + x]);
            count[colour] += 1.0;
        }
        [0, 1, 2].map(|k| sum[k] / count[k])
    }
}
