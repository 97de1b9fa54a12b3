//! A made camera in the place of the camera interface, which pends the interrupt for each row as the interface does.

use camera_tasks::scene::{self, Check};
use camera_tasks::{Feed, ROW_BYTES, ROWS, Said};
use core::cell::Cell;
use cortex_m::interrupt::Mutex;
use cortex_m_semihosting::{debug, hprintln};
use embassy_futures::yield_now;
use flow_infer::{FrameError, Gate};
use stm32f4::stm32f407::{DCMI, DMA2, Interrupt, RCC};

/// Frames to decide about.
const FRAMES: u32 = 40;

/// The row that is there, and whether a frame has ended with it.
static ROW: Mutex<Cell<Option<([u8; ROW_BYTES], bool)>>> = Mutex::new(Cell::new(None));

/// The place of the camera interface.
pub struct Camera;

impl Camera {
    pub fn new(_: DCMI, _: DMA2, _: &RCC) -> Self {
        Self
    }

    /// Hands the row that is there on, and the end of a frame.
    pub fn take(&mut self, feed: &mut Feed) {
        if let Some((row, ended)) = cortex_m::interrupt::free(|key| ROW.borrow(key).take()) {
            feed.row(&row);
            if ended {
                feed.frame_ended();
            }
        }
    }
}

/// Holds what is said against one go.
#[derive(Default)]
pub struct Audit(Check);

impl Audit {
    pub fn push(&mut self, gate: &mut Gate<'_>, said: &Result<Said, FrameError>) {
        let Self(check) = self;
        match said {
            Ok(said) => check.push(gate, said),
            Err(_) => check.wrong += 1,
        }
        if check.decided + check.wrong >= FRAMES {
            hprintln!(
                "{} decided, {} rejected, {} lost, {} wrong",
                check.decided,
                check.rejected,
                check.lost,
                check.wrong
            );
            end(check.passed());
        }
    }
}

/// Ends the emulator.
pub fn end(passed: bool) {
    debug::exit(if passed {
        debug::EXIT_SUCCESS
    } else {
        debug::EXIT_FAILURE
    });
}

/// A row whenever the deciding task rests.
pub async fn show() {
    let mut frame = 0;
    loop {
        // Once the camera loses rows.
        let rows = if frame == 3 { 50 } else { ROWS };
        for y in 0..rows {
            let made = (scene::row(frame, y), y + 1 == rows);
            cortex_m::interrupt::free(|key| ROW.borrow(key).set(Some(made)));
            rtic::export::NVIC::pend(Interrupt::DMA2_STREAM1);
            yield_now().await;
        }
        frame += 1;
    }
}
