//! The side of the driver: rows into a queue.

use crate::{ROW_BYTES, ROWS};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;

/// Rows that wait while a step is computed.
const WAITING: usize = 4;

/// A row on its way.
pub(crate) struct Row {
    /// Number of its frame.
    pub(crate) frame: u32,
    /// Its place in the frame.
    pub(crate) y: u16,
    pub(crate) bytes: [u8; ROW_BYTES],
}

pub(crate) static QUEUE: Channel<CriticalSectionRawMutex, Row, WAITING> = Channel::new();

/// Takes rows from a driver and never waits.
pub struct Feed {
    frame: u32,
    y: u16,
    /// Whether the rest of this frame is not taken any more.
    lost: bool,
}

impl Feed {
    /// Before the first frame.
    pub const fn new() -> Self {
        Self {
            frame: 0,
            y: 0,
            lost: false,
        }
    }

    /// Takes the next row.
    pub fn row(&mut self, bytes: &[u8; ROW_BYTES]) {
        let (frame, y) = (self.frame, self.y);
        let row = Row {
            frame,
            y,
            bytes: *bytes,
        };
        self.lost = self.lost || QUEUE.try_send(row).is_err();
        self.y += 1;
        if self.y == ROWS {
            self.end();
        }
    }

    /// Says that the camera has ended a frame: one of which rows are missing is lost.
    pub fn frame_ended(&mut self) {
        if self.y > 0 {
            self.end();
        }
    }

    fn end(&mut self) {
        (self.frame, self.y, self.lost) = (self.frame.wrapping_add(1), 0, false);
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::new()
    }
}
