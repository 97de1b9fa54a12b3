//! The tasks of `embassy` on an emulated mps2-an386, with a made camera: every decision must be that of one go, and every
//! frame decided about or counted as lost.

#![no_std]
#![no_main]

use camera_tasks::scene::{self, Check};
use camera_tasks::{Feed, ROWS, Watch};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_semihosting::{debug, hprintln};
use embassy_executor::Spawner;
use embassy_futures::yield_now;
use panic_halt as _;

/// Frames to decide about.
const FRAMES: u32 = 40;
/// Instructions of a tick of the timer, where the emulator makes each last a nanosecond.
const INSTRUCTIONS: u32 = 40;
const TICKS: u32 = 0x00ff_ffff;

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let Some(mut chip) = cortex_m::Peripherals::take() else {
        return;
    };
    chip.SYST.set_clock_source(SystClkSource::Core);
    chip.SYST.set_reload(TICKS);
    chip.SYST.clear_current();
    chip.SYST.enable_counter();
    let Some(mut gate) = camera_tasks::gate() else {
        hprintln!("no gate");
        return debug::exit(debug::EXIT_FAILURE);
    };
    if let Ok(camera) = camera() {
        spawner.spawn(camera);
    }
    let (mut watch, mut check) = (Watch::default(), Check::default());
    let (mut rests, mut longest) = (0u32, 0u32);
    while check.decided < FRAMES {
        let mut resumed = None;
        let rest = async || {
            let now = SYST::get_current();
            if let Some(resumed) = resumed {
                longest = longest.max(u32::wrapping_sub(resumed, now) & TICKS);
            }
            // Here a product feeds its watchdog.
            rests += 1;
            yield_now().await;
            resumed = Some(SYST::get_current());
        };
        match watch.next(&mut gate, rest).await {
            Ok(said) => check.push(&mut gate, &said),
            Err(_) => check.wrong += 1,
        }
    }
    hprintln!(
        "{} decided, {} rejected, {} lost, {} wrong",
        check.decided,
        check.rejected,
        check.lost,
        check.wrong
    );
    hprintln!(
        "{} rests, at most {} instructions from one to the next",
        rests,
        longest * INSTRUCTIONS
    );
    let passed = check.passed() && rests > FRAMES;
    debug::exit(if passed {
        debug::EXIT_SUCCESS
    } else {
        debug::EXIT_FAILURE
    });
}

/// A row whenever the other task rests.
#[embassy_executor::task]
async fn camera() {
    let (mut feed, mut frame) = (Feed::new(), 0);
    loop {
        for y in 0..ROWS {
            // Once the camera loses rows.
            if frame == 3 && y == 50 {
                break;
            }
            feed.row(&scene::row(frame, y));
            yield_now().await;
        }
        feed.frame_ended();
        frame += 1;
    }
}
