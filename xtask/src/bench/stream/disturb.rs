//! What can happen to a camera, done to whole frames.

use super::video::Frame;

/// Black of luma in video.
const BLACK: u8 = 16;
/// A blur is this wide, in input pixels of a sixteenth of the width.
const BLUR: f64 = 1.5;

pub(super) type Disturbance = (&'static str, fn(&Frame) -> Vec<u8>);

pub(super) const DISTURBANCES: [Disturbance; 8] = [
    ("black", |frame| vec![BLACK; frame.luma.len()]),
    ("dark", |frame| frame.lit(0.3)),
    ("blurred", |frame| frame.blurred(BLUR)),
    ("moved", |frame| frame.moved(8)),
    ("mirrored", |frame| {
        frame.from(|y, x| [y, frame.width - 1 - x])
    }),
    ("upside_down", |frame| {
        frame.from(|y, x| [frame.height - 1 - y, x])
    }),
    ("half_covered", |frame| frame.covered(frame.height)),
    ("grey", |frame| vec![128; frame.luma.len()]),
];

/// The same to a lesser degree: how little a gate still sees.
pub(super) const WEAK: [Disturbance; 10] = [
    ("light_80", |frame| frame.lit(0.8)),
    ("light_130", |frame| frame.lit(1.3)),
    ("half_contrast", |frame| {
        frame.each(|y| (f64::from(y) - 128.0) / 2.0 + 128.0)
    }),
    ("blurred_half_pixel", |frame| frame.blurred(0.5)),
    ("moved_16th", |frame| frame.moved(16)),
    ("moved_32nd", |frame| frame.moved(32)),
    ("turned_5_degrees", |frame| {
        let (sin, cos) = 5f64.to_radians().sin_cos();
        frame.about_middle(|y, x| [cos * y - sin * x, sin * y + cos * x])
    }),
    ("nearer_by_a_tenth", |frame| {
        frame.about_middle(|y, x| [y / 1.1, x / 1.1])
    }),
    ("nearer_by_a_fifth", |frame| {
        frame.about_middle(|y, x| [y / 1.2, x / 1.2])
    }),
    ("quarter_covered", |frame| frame.covered(frame.height / 2)),
];

impl Frame {
    fn each(&self, of: impl Fn(u8) -> f64) -> Vec<u8> {
        self.luma.iter().map(|&y| of(y).round() as u8).collect()
    }

    /// So much of the light.
    fn lit(&self, share: f64) -> Vec<u8> {
        let black = f64::from(BLACK);
        self.each(|y| black + share * (f64::from(y) - black).max(0.0))
    }

    /// Down and to the right by one part in so many; the edge goes on beyond itself.
    fn moved(&self, part: usize) -> Vec<u8> {
        let by = [self.height / part, self.width / part];
        self.from(|y, x| [y.saturating_sub(by[0]), x.saturating_sub(by[1])])
    }

    /// The left half of so many rows behind something dark.
    fn covered(&self, rows: usize) -> Vec<u8> {
        let mut covered = self.luma.clone();
        let rows = covered.chunks_exact_mut(self.width).take(rows);
        rows.for_each(|row| row[..self.width / 2].fill(40));
        covered
    }

    /// Every pixel from the nearest place that a map about the middle gives.
    fn about_middle(&self, map: impl Fn(f64, f64) -> [f64; 2]) -> Vec<u8> {
        let middle = [self.height, self.width].map(|side| (side as f64 - 1.0) / 2.0);
        self.from(|y, x| {
            let [dy, dx] = map(y as f64 - middle[0], x as f64 - middle[1]);
            // A conversion from float holds what lies beyond an edge.
            let nearest = |at: f64, side: usize| (at.round() as usize).min(side - 1);
            [
                nearest(middle[0] + dy, self.height),
                nearest(middle[1] + dx, self.width),
            ]
        })
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

    /// Three box blurs, about a normal one of so many input pixels.
    fn blurred(&self, input_pixels: f64) -> Vec<u8> {
        let deviation = input_pixels * self.width as f64 / 16.0;
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
