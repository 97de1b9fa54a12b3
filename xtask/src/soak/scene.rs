//! What stands in front of the made camera: a line of garments by day and night, in rain, with people walking by.

use crate::random::Random;
use std::f64::consts::TAU;

/// A side of the images, and of the part of a frame that becomes one pixel of the model.
pub(super) const SIDE: usize = 28;
const SCALE: usize = 2;
/// A side of a frame.
pub(super) const FRAME_SIDE: usize = SIDE * SCALE;

/// What a frame shows, for who knows what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Sight {
    /// What the gate was calibrated for.
    Day,
    Night,
    Rain,
    People,
    /// The picture of before, again.
    Frozen,
    /// The upper part of one picture with the lower part of another.
    Torn,
    /// Bytes of two frames, of which each is incomplete.
    Mixed,
    /// No frame at all.
    NoFrame,
}

impl Sight {
    pub(super) const ALL: [Self; 8] = [
        Self::Day,
        Self::Night,
        Self::Rain,
        Self::People,
        Self::Frozen,
        Self::Torn,
        Self::Mixed,
        Self::NoFrame,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Night => "night",
            Self::Rain => "rain",
            Self::People => "people",
            Self::Frozen => "frozen",
            Self::Torn => "torn",
            Self::Mixed => "halves of two frames",
            Self::NoFrame => "no frame",
        }
    }
}

/// Frames of a day, of which one is 2,400 frames long.
pub(super) struct Scene<'d> {
    garments: &'d [Vec<u8>],
    pub(super) random: Random,
}

/// Frames of a day, and where its parts begin.
const DAY: u64 = 2400;
const RAIN: u64 = 1200;
const PEOPLE: u64 = 1500;
const NIGHT: u64 = 1700;

impl<'d> Scene<'d> {
    pub(super) fn new(garments: &'d [Vec<u8>], seed: u64) -> Self {
        let random = Random(seed);
        Self { garments, random }
    }

    /// What there is to see at a time.
    pub(super) fn sight(frame: u64) -> Sight {
        match frame % DAY {
            0..RAIN => Sight::Day,
            RAIN..PEOPLE => Sight::Rain,
            PEOPLE..NIGHT => Sight::People,
            _ => Sight::Night,
        }
    }

    /// The picture of a time.
    pub(super) fn picture(&mut self, sight: Sight, frame: u64) -> Vec<u8> {
        let choice = self.random.below(self.garments.len() as u64) as usize;
        let mut picture = enlarged(&self.garments[choice]);
        match sight {
            Sight::Night => self.darken(&mut picture),
            Sight::Rain => self.rain(&mut picture),
            Sight::People => person(&mut picture, frame),
            _ => {}
        }
        picture
    }

    /// Less light, and with it more noise.
    fn darken(&mut self, picture: &mut [u8]) {
        for pixel in picture {
            let noise = self.random.below(17);
            *pixel = (u64::from(*pixel) / 4 + noise) as u8;
        }
    }

    fn rain(&mut self, picture: &mut [u8]) {
        for _ in 0..20 {
            let [x, y, length] = [FRAME_SIDE, FRAME_SIDE, 12].map(|n| self.random.below(n as u64));
            for step in 0..=length {
                let (x, y) = (x + step / 3, y + step);
                let at = (y * FRAME_SIDE as u64 + x) as usize;
                let inside = x < FRAME_SIDE as u64;
                if let Some(pixel) = picture.get_mut(at).filter(|_| inside) {
                    *pixel = pixel.saturating_add(110);
                }
            }
        }
    }
}

/// Somebody who walks from left to right and swings.
fn person(picture: &mut [u8], frame: u64) {
    let step = frame % 100;
    let middle = step as f64 / 100.0 * FRAME_SIDE as f64;
    let top = 10.0 + 2.0 * (step as f64 / 10.0 * TAU).sin();
    for (y, row) in picture.chunks_mut(FRAME_SIDE).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let (dx, dy) = (x as f64 - middle, y as f64 - top);
            let is_head = dx * dx + dy * dy < 25.0;
            let is_body = dy >= 5.0 && dx.abs() < 8.0;
            if is_head || is_body {
                *pixel = if is_head { 170 } else { 90 };
            }
        }
    }
}

/// Every pixel as a square, so that its average is the pixel.
fn enlarged(image: &[u8]) -> Vec<u8> {
    let place = |at: usize| at / FRAME_SIDE / SCALE * SIDE + at % FRAME_SIDE / SCALE;
    (0..FRAME_SIDE * FRAME_SIDE)
        .map(|at| image[place(at)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_day_a_garment_is_what_its_averages_say() {
        let garment: Vec<u8> = (0..SIDE * SIDE).map(|at| (at % 251) as u8).collect();
        let mut scene = Scene::new(std::slice::from_ref(&garment), 1);
        let picture = scene.picture(Sight::Day, 0);
        for (at, &pixel) in garment.iter().enumerate() {
            let (x, y) = (at % SIDE * SCALE, at / SIDE * SCALE);
            let square = [(0, 0), (0, 1), (1, 0), (1, 1)];
            let square = square.map(|(dx, dy)| picture[(y + dy) * FRAME_SIDE + x + dx]);
            assert_eq!(square, [pixel; 4]);
        }
        for sight in [Sight::Night, Sight::Rain, Sight::People] {
            assert_ne!(scene.picture(sight, 50), picture, "{}", sight.name());
        }
    }

    #[test]
    fn a_day_has_all_its_parts() {
        let count = |sight| (0..DAY).filter(|&at| Scene::sight(at) == sight).count();
        let parts = [Sight::Day, Sight::Rain, Sight::People, Sight::Night].map(count);
        assert_eq!(parts, [1200, 300, 200, 700]);
    }
}
