//! An STM32F407 with a camera on its DCMI, on RTIC: an interrupt takes rows, a task below it decides and feeds the watchdog.
//!
//! With the feature `emulated` the rows are made by a task, and what is decided is checked.

#![no_std]
#![no_main]

#[cfg(not(feature = "emulated"))]
#[path = "../chip/dcmi.rs"]
mod camera;
#[cfg(feature = "emulated")]
#[path = "../chip/made.rs"]
mod camera;

use panic_halt as _;

#[rtic::app(device = stm32f4::stm32f407, peripherals = true, dispatchers = [USART1])]
mod app {
    use super::camera::{self, Camera};
    use camera_tasks::{Feed, Watch};
    use embassy_futures::yield_now;
    use flow_infer::Gate;
    use stm32f4::stm32f407::{GPIOC, IWDG};

    #[shared]
    struct Shared {}

    #[local]
    struct Local {
        camera: Camera,
        feed: Feed,
        gate: Option<Gate<'static>>,
        /// Bit 13 is the decision.
        pins: GPIOC,
        watchdog: IWDG,
    }

    #[init]
    fn init(cx: init::Context) -> (Shared, Local) {
        let chip = cx.device;
        chip.RCC.ahb1enr().modify(|_, w| w.gpiocen().set_bit());
        chip.GPIOC.moder().modify(|_, w| w.moder13().output());
        // Half a second without being fed.
        chip.IWDG.kr().write(|w| w.key().start());
        let camera = Camera::new(chip.DCMI, chip.DMA2, &chip.RCC);
        // Both are spawned once.
        let _ = decide::spawn();
        let _ = show::spawn();
        let local = Local {
            camera,
            feed: Feed::new(),
            gate: camera_tasks::gate(),
            pins: chip.GPIOC,
            watchdog: chip.IWDG,
        };
        (Shared {}, local)
    }

    /// A row is there, or a frame has ended.
    #[task(binds = DMA2_STREAM1, priority = 2, local = [camera, feed])]
    fn row(cx: row::Context) {
        cx.local.camera.take(cx.local.feed);
    }

    #[task(priority = 1, local = [gate, pins, watchdog])]
    async fn decide(cx: decide::Context) {
        let (watchdog, pins) = (cx.local.watchdog, cx.local.pins);
        let Some(gate) = cx.local.gate else {
            return camera::end(false);
        };
        let (mut watch, mut audit) = (Watch::default(), camera::Audit::default());
        loop {
            let rest = async || {
                watchdog.kr().write(|w| w.key().feed());
                yield_now().await;
            };
            let said = watch.next(gate, rest).await;
            audit.push(gate, &said);
            let accepted = said.is_ok_and(|said| said.assessment.decision.accepted());
            pins.bsrr().write(|w| match accepted {
                true => w.bs13().set_bit(),
                false => w.br13().set_bit(),
            });
        }
    }

    /// What else there is to do while frames are decided about; the made camera is such a task.
    #[task(priority = 1)]
    async fn show(_: show::Context) {
        camera::show().await;
    }
}
