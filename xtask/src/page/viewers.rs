//! Viewers of a page who cost what a browser costs, without being one.

use crate::watched::get;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the page gets its pictures.
const PICTURES: Duration = Duration::from_millis(500);

/// People who look.
pub(super) struct Viewers {
    stop: Arc<AtomicBool>,
    running: Vec<JoinHandle<u64>>,
}

/// How many events they saw.
pub(super) struct SeenEvents {
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Viewers {
    pub(super) fn open(address: &str, count: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let one = |_| {
            let (address, stop) = (address.to_owned(), Arc::clone(&stop));
            thread::spawn(move || look(&address, &stop))
        };
        let running = (0..count).map(one).collect();
        Self { stop, running }
    }

    pub(super) fn close(self) -> SeenEvents {
        self.stop.store(true, Ordering::Relaxed);
        let events = self.running.into_iter().map(|one| one.join().unwrap_or(0));
        let events: Vec<u64> = events.collect();
        SeenEvents {
            least: events.iter().copied().min().unwrap_or(0),
            most: events.iter().copied().max().unwrap_or(0),
        }
    }
}

/// Reads events and gets pictures; returns how many events came.
fn look(address: &str, stop: &AtomicBool) -> u64 {
    let Ok(stream) = get(address, "/events") else {
        return 0;
    };
    let (mut count, mut last) = (0, Instant::now());
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        count += u64::from(line.starts_with("data: "));
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if last.elapsed() >= PICTURES {
            last = Instant::now();
            for path in ["/frame/0.png", "/heat/0.png"] {
                // A picture that does not come is one less to pay for, and the page shows the old one.
                let _ = get(address, path).and_then(|mut s| s.read_to_end(&mut Vec::new()));
            }
        }
    }
    count
}
