//! The side of the task: rows into frames, frames into decisions.

use crate::feed::QUEUE;
use crate::{ROWS, SPEC};
use core::task::Poll;
use flow_infer::{Assessment, FrameError, Gate};

/// What is said of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its number.
    pub frame: u32,
    /// Frames that were lost since the one before.
    pub lost: u32,
    /// The decision, and the numbers behind it.
    pub assessment: Assessment,
}

/// Remembers which frame is next.
#[derive(Debug, Default)]
pub struct Watch {
    next: u32,
}

impl Watch {
    /// Waits for a whole frame and decides about it; `rest` is called after each step, so that a watchdog is fed and
    /// other tasks run.
    ///
    /// # Errors
    /// [`FrameError`]: the model is not for such frames.
    pub async fn next(
        &mut self,
        gate: &mut Gate<'_>,
        mut rest: impl AsyncFnMut(),
    ) -> Result<Said, FrameError> {
        let mut input = gate.frame(SPEC)?;
        // Frame and row that have to come; a frame begins with its first row only.
        let mut wanted = (0, ROWS);
        while wanted.1 < ROWS || input.missing() > 0 {
            let row = QUEUE.receive().await;
            if row.y == 0 {
                input.restart();
                wanted = (row.frame, 0);
            }
            if (row.frame, row.y) == wanted {
                input.push_row(&[&row.bytes])?;
                wanted.1 += 1;
            } else {
                // Rows are missing: the rest belongs to no frame.
                input.restart();
                wanted.1 = ROWS;
            }
        }
        let mut evaluation = input.begin()?;
        let assessment = loop {
            match evaluation.poll(1) {
                Poll::Ready(assessment) => break assessment,
                Poll::Pending => rest().await,
            }
        };
        let frame = wanted.0;
        let lost = frame.wrapping_sub(self.next);
        self.next = frame.wrapping_add(1);
        Ok(Said {
            frame,
            lost,
            assessment,
        })
    }
}
