//! A made camera: frames of YUYV at their rate.

use super::super::case::Numbers;
use std::io::{self, Write};
use std::time::{Duration, Instant};

pub(super) const WIDTH: usize = 640;
pub(super) const HEIGHT: usize = 480;
/// Frames a second.
pub(super) const RATE: u32 = 30;
/// Frames that differ.
const DIFFERENT: usize = 8;

/// A few frames that come again and again.
pub(super) struct Frames(Vec<Vec<u8>>);

impl Frames {
    /// Bright blobs with noise.
    pub(super) fn new() -> Self {
        let mut numbers = Numbers(3);
        let frame = |_| {
            let [x0, y0] = [WIDTH, HEIGHT].map(|side| side as f32 * (0.3 + 0.4 * numbers.next()));
            let mut bytes = Vec::with_capacity(2 * WIDTH * HEIGHT);
            for at in 0..WIDTH * HEIGHT {
                let (x, y) = ((at % WIDTH) as f32 - x0, (at / WIDTH) as f32 - y0);
                let blob = 200.0 * (-(x * x + y * y) / 20_000.0).exp();
                bytes.extend([(blob + 20.0 * numbers.next()) as u8, 128]);
            }
            bytes
        };
        Self((0..DIFFERENT).map(frame).collect())
    }

    /// Writes so many frames as fast as they are taken.
    pub(super) fn flood(&self, pipe: &mut impl Write, count: usize) -> io::Result<()> {
        let mut frames = self.0.iter().cycle().take(count);
        frames.try_for_each(|frame| pipe.write_all(frame))
    }

    /// Writes frames at their rate from a moment on.
    pub(super) fn pace(
        &self,
        pipe: &mut impl Write,
        start: Instant,
        long: Duration,
    ) -> io::Result<()> {
        let every = Duration::from_secs(1) / RATE;
        let mut due = start;
        let end = due + long;
        for frame in self.0.iter().cycle() {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if due >= end {
                break;
            }
            pipe.write_all(frame)?;
            due += every;
        }
        Ok(())
    }
}
