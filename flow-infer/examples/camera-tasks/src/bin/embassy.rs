//! An nRF52840 with a camera on its SPI bus, on Embassy: one task takes rows, one decides and feeds the watchdog.

#![no_std]
#![no_main]

use camera_tasks::{Feed, ROW_BYTES, ROWS, Watch};
use embassy_executor::Spawner;
use embassy_futures::yield_now;
use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pull};
use embassy_nrf::spim::{self, Spim};
use embassy_nrf::wdt::{self, Watchdog};
use embassy_nrf::{bind_interrupts, peripherals};
use panic_halt as _;

bind_interrupts!(struct Interrupts {
    SPIM3 => spim::InterruptHandler<peripherals::SPI3>;
});

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let chip = embassy_nrf::init(Default::default());
    let frames = Input::new(chip.P0_11, Pull::Down);
    let bus = Spim::new(
        chip.SPI3,
        Interrupts,
        chip.P0_19,
        chip.P0_20,
        chip.P0_21,
        spim::Config::default(),
    );
    // The decision.
    let mut pin = Output::new(chip.P0_13, Level::Low, OutputDrive::Standard);
    let watchdog = Watchdog::try_new(chip.WDT, wdt::Config::default());
    let (Ok((_, [mut watchdog])), Some(mut gate)) = (watchdog, camera_tasks::gate()) else {
        return;
    };
    if let Ok(camera) = camera(bus, frames) {
        spawner.spawn(camera);
    }
    let mut watch = Watch::default();
    loop {
        let rest = async || {
            watchdog.pet();
            yield_now().await;
        };
        let said = watch.next(&mut gate, rest).await;
        let accepted = said.is_ok_and(|said| said.assessment.decision.accepted());
        pin.set_level(accepted.into());
    }
}

/// Rows by DMA, as long as the camera says that a frame is there.
#[embassy_executor::task]
async fn camera(mut bus: Spim<'static>, mut frames: Input<'static>) {
    let (mut feed, mut row) = (Feed::new(), [0; ROW_BYTES]);
    loop {
        frames.wait_for_rising_edge().await;
        for _ in 0..ROWS {
            if frames.is_low() || bus.read(&mut row).await.is_err() {
                break;
            }
            feed.row(&row);
        }
        feed.frame_ended();
    }
}
