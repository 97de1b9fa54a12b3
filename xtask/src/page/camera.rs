//! A made camera in front of a watch: garments, until somebody holds something else before it.

use std::io::{self, Write};
use std::process::ChildStdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Frames a second.
pub(super) const RATE: u32 = 30;

/// A camera that runs until it is dropped.
pub(super) struct Camera {
    disturbed: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl Camera {
    /// Shows garments, one after the other.
    pub(super) fn start(mut pipe: ChildStdin, garments: Vec<Vec<u8>>) -> Self {
        let (disturbed, stop) = (Arc::default(), Arc::default());
        let flags: (Arc<AtomicBool>, Arc<AtomicBool>) = (Arc::clone(&disturbed), Arc::clone(&stop));
        let running = thread::spawn(move || {
            let (disturbed, stop) = flags;
            writeln!(pipe, "YUV4MPEG2 W28 H28 F{RATE}:1 Cmono")?;
            let strange = [0xa5; 28 * 28];
            let every = Duration::from_secs(1) / RATE;
            let mut due = Instant::now();
            for garment in garments.iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let frame = match disturbed.load(Ordering::Relaxed) {
                    true => &strange[..],
                    false => garment,
                };
                pipe.write_all(b"FRAME\n")?;
                pipe.write_all(frame)?;
                pipe.flush()?;
                due += every;
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            Ok(())
        });
        Self {
            disturbed,
            stop,
            running: Some(running),
        }
    }

    /// Holds something else before it, or takes it away.
    pub(super) fn disturb(&self, disturbed: bool) {
        self.disturbed.store(disturbed, Ordering::Relaxed);
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A watch that has ended takes no frames, which is no news.
        let _ = self.running.take().map(JoinHandle::join);
    }
}
