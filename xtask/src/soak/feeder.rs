//! The made camera: frames into a pipe, and now and then what cameras do wrong.

use super::scene::{FRAME_SIDE, Scene, Sight};
use crate::random::Random;
use std::io::{self, Write};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// Frames to a fault, on average.
const FAULT_EVERY: u64 = 150;
/// Frames for which a frozen camera shows one picture.
const FROZEN: u64 = 40;
/// How long nothing comes of a camera that is plugged in again.
const UNPLUGGED: Duration = Duration::from_millis(200);
/// A side of frames that are too small for the model.
const SMALL_SIDE: usize = 20;

/// What went into the pipe beside frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fed {
    /// Lines that must come of it.
    pub(super) lines: u64,
    /// Things that came in the place of a frame.
    pub(super) faults: u64,
    /// Times when nothing came for a while.
    pub(super) silences: u64,
}

/// A camera at the end of a pipe.
pub(super) struct Feeder<'d, W> {
    scene: Scene<'d>,
    faults: Random,
    out: W,
    /// Says what each line will be about, before the frame is there.
    coming: Sender<Sight>,
    fed: Fed,
}

impl<'d, W: Write> Feeder<'d, W> {
    pub(super) fn new(garments: &'d [Vec<u8>], seed: u64, out: W, coming: Sender<Sight>) -> Self {
        Self {
            scene: Scene::new(garments, seed),
            faults: Random(!seed),
            out,
            coming,
            fed: Fed::default(),
        }
    }

    /// Feeds until `lines` lines must come, and ends in the middle of a frame: the camera is unplugged.
    pub(super) fn run(mut self, lines: u64) -> io::Result<Fed> {
        self.header(FRAME_SIDE)?;
        while self.fed.lines < lines {
            match self.fed.lines > 100 && self.faults.one_in(FAULT_EVERY) {
                true => self.fault()?,
                false => self.see()?,
            }
        }
        let last = self.picture();
        self.begin(Sight::NoFrame)?;
        self.out.write_all(&last[..last.len() / 3])?;
        self.out.flush()?;
        Ok(self.fed)
    }

    /// A good frame.
    fn see(&mut self) -> io::Result<()> {
        let sight = Scene::sight(self.fed.lines);
        let picture = self.picture();
        self.frame(sight, &picture)
    }

    fn picture(&mut self) -> Vec<u8> {
        let at = self.fed.lines;
        self.scene.picture(Scene::sight(at), at)
    }

    fn fault(&mut self) -> io::Result<()> {
        match self.faults.below(6) {
            0 => self.frozen(),
            1 => self.torn(),
            2 => self.half(),
            3 => self.noise_between(),
            4 => self.other_size(),
            _ => self.unplugged(),
        }
    }

    fn frozen(&mut self) -> io::Result<()> {
        let picture = self.picture();
        (0..FROZEN).try_for_each(|_| self.frame(Sight::Frozen, &picture))
    }

    fn torn(&mut self) -> io::Result<()> {
        let (mut picture, other) = (self.picture(), self.picture());
        let middle = picture.len() / 2;
        picture[middle..].copy_from_slice(&other[middle..]);
        self.frame(Sight::Torn, &picture)
    }

    /// A frame of which the end is missing, and the one behind it: a pipe shows only then that it was too short.
    fn half(&mut self) -> io::Result<()> {
        let (first, second) = (self.picture(), self.picture());
        self.begin(Sight::Mixed)?;
        self.out.write_all(&first[..first.len() / 2])?;
        self.begin(Sight::NoFrame)?;
        self.out.write_all(&second)?;
        self.see()
    }

    fn noise_between(&mut self) -> io::Result<()> {
        self.announce(Sight::NoFrame);
        self.out
            .write_all(b"\x00\xff, and more that is no frame\n")?;
        self.see()
    }

    /// Frames of another size, and the right one again.
    fn other_size(&mut self) -> io::Result<()> {
        self.announce(Sight::NoFrame);
        self.header(SMALL_SIDE)?;
        self.begin(Sight::NoFrame)?;
        self.out.write_all(&[7; SMALL_SIDE * SMALL_SIDE])?;
        self.announce(Sight::NoFrame);
        self.header(FRAME_SIDE)?;
        self.see()
    }

    fn unplugged(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.fed.silences += 1;
        thread::sleep(UNPLUGGED);
        self.see()
    }

    fn frame(&mut self, sight: Sight, picture: &[u8]) -> io::Result<()> {
        self.begin(sight)?;
        self.out.write_all(picture)
    }

    fn begin(&mut self, sight: Sight) -> io::Result<()> {
        self.announce(sight);
        self.out.write_all(b"FRAME\n")
    }

    fn announce(&mut self, sight: Sight) {
        self.fed.lines += 1;
        self.fed.faults += u64::from(sight == Sight::NoFrame);
        // Who counts has left only where something went wrong already.
        let _ = self.coming.send(sight);
    }

    fn header(&mut self, side: usize) -> io::Result<()> {
        writeln!(self.out, "YUV4MPEG2 W{side} H{side} F30:1 Cmono")
    }
}
