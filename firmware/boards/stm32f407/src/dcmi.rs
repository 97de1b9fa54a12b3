//! The camera interface: rows by DMA into two places by turns, one frame at a time.
//!
//! Each whole row is counted by an interrupt, so that none is missed while the gate computes.
#![allow(unsafe_code)]

use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m::asm;
use cortex_m::peripheral::NVIC;
use flowgate_chip::sensors::{Captured, Ov7670};
use stm32f4xx_hal::pac::{self, DCMI, DMA2, interrupt};

const WORDS: usize = Ov7670::ROW_BYTES / size_of::<u32>();
/// Polls before a DMA that does not stop is given up.
const PATIENCE: u32 = 10_000;
/// What the last word takes from the interface to memory and its interrupt, generously.
const DRAIN_CYCLES: u32 = 100;

/// Where rows arrive; atomics, because the DMA changes them behind the compiler's back.
static PLACES: [[AtomicU32; WORDS]; 2] = [const { [const { AtomicU32::new(0) }; WORDS] }; 2];
/// Rows that are whole.
static ROWS: AtomicU32 = AtomicU32::new(0);
/// Whether the DMA could not store something.
static FAILED: AtomicU32 = AtomicU32::new(0);

/// The interface and its stream of DMA.
pub(crate) struct Interface {
    camera: DCMI,
    dma: DMA2,
}

impl Interface {
    /// Takes both, whose clocks run.
    pub(crate) fn new(camera: DCMI, dma: DMA2) -> Self {
        // SAFETY: the handler below shares atomics only.
        unsafe { NVIC::unmask(pac::Interrupt::DMA2_STREAM1) };
        Self { camera, dma }
    }

    fn stop(&self) {
        self.camera.cr().reset();
        let stream = self.dma.st(1);
        stream.cr().modify(|_, w| w.en().disabled());
        let stopped = (0..PATIENCE).any(|_| stream.cr().read().en().is_disabled());
        FAILED.store(u32::from(!stopped), Ordering::Relaxed);
        clear(&self.dma);
    }

    /// Points the DMA at the beginning of the first place.
    fn aim(&self) {
        let stream = self.dma.st(1);
        let address = |place: &'static [AtomicU32; WORDS]| place.as_ptr() as u32;
        let [first, second] = &PLACES;
        // SAFETY: the addresses of the interface's data, and of two places that nothing else writes.
        unsafe {
            stream
                .par()
                .write(|w| w.bits(self.camera.dr().as_ptr() as u32));
            stream.m0ar().write(|w| w.bits(address(first)));
            stream.m1ar().write(|w| w.bits(address(second)));
            stream.ndtr().write(|w| w.bits(WORDS as u32));
        }
        stream.cr().write(|w| {
            w.chsel().set(1).pl().very_high();
            w.msize().bits32().psize().bits32().minc().incremented();
            w.circ().enabled().dbm().enabled();
            w.tcie().enabled().teie().enabled()
        });
        stream.cr().modify(|_, w| w.en().enabled());
    }
}

impl flowgate_chip::sensors::Interface for Interface {
    fn start(&mut self) {
        self.stop();
        ROWS.store(0, Ordering::Relaxed);
        self.aim();
        self.camera.icr().write(|w| {
            w.frame_isc().clear().ovr_isc().clear().err_isc().clear();
            w.vsync_isc().clear().line_isc().clear()
        });
        // Eight bits; data are valid while HREF is high and VSYNC low, at the rising edge of PCLK.
        let settings = self.camera.cr();
        settings.write(|w| {
            w.cm().snapshot().pckpol().rising_edge();
            w.hspol().active_low().vspol().active_high();
            w.enable().enabled()
        });
        settings.modify(|_, w| w.capture().set_bit());
    }

    fn captured(&mut self) -> Captured {
        let flags = self.camera.ris().read();
        let ended = flags.frame_ris().bit();
        if ended {
            asm::delay(DRAIN_CYCLES);
        }
        let failed = FAILED.load(Ordering::Relaxed) != 0;
        let left = self.dma.st(1).ndtr().read().bits();
        Captured {
            rows: ROWS.load(Ordering::Acquire),
            begun: left != WORDS as u32,
            ended,
            overrun: failed || flags.ovr_ris().bit(),
        }
    }

    fn copy(&self, second: bool, row: &mut [u8]) {
        let [first, other] = &PLACES;
        let place = if second { other } else { first };
        let (words, _) = row.as_chunks_mut();
        for (bytes, word) in words.iter_mut().zip(place) {
            *bytes = word.load(Ordering::Relaxed).to_le_bytes();
        }
    }
}

fn clear(dma: &DMA2) {
    dma.lifcr().write(|w| {
        w.ctcif1().clear().chtif1().clear().cteif1().clear();
        w.cdmeif1().clear().cfeif1().clear()
    });
}

/// A row is whole, or could not be stored.
#[interrupt]
fn DMA2_STREAM1() {
    // SAFETY: reads flags, and clears those of this stream, which `stop` clears only while the stream is off.
    let dma = unsafe { DMA2::steal() };
    let flags = dma.lisr().read();
    if flags.teif1().bit() {
        FAILED.store(1, Ordering::Relaxed);
    }
    if flags.tcif1().bit() {
        ROWS.fetch_add(1, Ordering::Release);
    }
    clear(&dma);
}
