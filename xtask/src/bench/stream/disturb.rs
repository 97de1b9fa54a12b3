//! What can happen to a camera, done to whole frames.

use super::video::Frame;

/// Black of luma in video.
const BLACK: u8 = 16;
/// A blur is this wide, in input pixels of a sixteenth of the width.
const BLUR: f64 = 1.5;

pub(super) type Disturbance = (&'static str, fn(&Frame) -> Vec<u8>);

pub(super) const DISTURBANCES: [Disturbance; 8] = [
    ("black", |frame| vec![BLACK; frame.luma.len()]),
    ("dark", |frame| {
        frame.each(|y| BLACK + (3 * u16::from(y.saturating_sub(BLACK)) / 10) as u8)
    }),
    ("blurred", Frame::blurred),
    ("moved", |frame| {
        let by = [frame.height / 8, frame.width / 8];
        frame.from(|y, x| [y.saturating_sub(by[0]), x.saturating_sub(by[1])])
    }),
    ("mirrored", |frame| {
        frame.from(|y, x| [y, frame.width - 1 - x])
    }),
    ("upside_down", |frame| {
        frame.from(|y, x| [frame.height - 1 - y, x])
    }),
    ("half_covered", |frame| {
        let mut covered = frame.luma.clone();
        let rows = covered.chunks_exact_mut(frame.width);
        rows.for_each(|row| row[..frame.width / 2].fill(40));
        covered
    }),
    ("grey", |frame| vec![128; frame.luma.len()]),
];

impl Frame {
    fn each(&self, of: impl Fn(u8) -> u8) -> Vec<u8> {
        self.luma.iter().map(|&y| of(y)).collect()
    }

    /// Every pixel from the place that a map of row and column gives.
    fn from(&self, map: impl Fn(usize, usize) -> [usize; 2]) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(self.luma.len());
        for y in 0..self.height {
            let place = |x| map(y, x);
            pixels.extend(
                (0..self.width)
                    .map(place)
                    .map(|[y, x]| self.luma[y * self.width + x]),
            );
        }
        pixels
    }

    /// Three box blurs, about a normal one.
    fn blurred(&self) -> Vec<u8> {
        let deviation = BLUR * self.width as f64 / 16.0;
        let radius = (((4.0 * deviation * deviation + 1.0).sqrt() - 1.0) / 2.0).round() as usize;
        let mut light: Vec<f32> = self.luma.iter().map(|&y| y.into()).collect();
        for _ in 0..3 {
            along(
                &mut light,
                (self.height, self.width),
                (self.width, 1),
                radius,
            );
            along(
                &mut light,
                (self.width, self.height),
                (1, self.width),
                radius,
            );
        }
        light.into_iter().map(|y| y.round() as u8).collect()
    }
}

/// Running means of lines of pixels; the edge goes on beyond itself.
fn along(
    light: &mut [f32],
    (lines, length): (usize, usize),
    (line_step, step): (usize, usize),
    radius: usize,
) {
    let mut line = vec![0.0; length];
    for number in 0..lines {
        let at = |i: usize| number * line_step + i * step;
        line.iter_mut()
            .enumerate()
            .for_each(|(i, value)| *value = light[at(i)]);
        let clamped = |i: isize| line[i.clamp(0, length as isize - 1) as usize];
        let reach = radius as isize;
        let mut sum: f32 = (-reach..=reach).map(clamped).sum();
        for i in 0..length {
            light[at(i)] = sum / (2 * radius + 1) as f32;
            sum += clamped(i as isize + reach + 1) - clamped(i as isize - reach);
        }
    }
}
