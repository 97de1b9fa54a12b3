//! The camera interface of an STM32F407: rows by DMA into two buffers in turn.

use camera_tasks::{Feed, ROW_BYTES, Said};
use flow_infer::{FrameError, Gate};
use stm32f4::stm32f407::{DCMI, DMA2, RCC};

const WORDS: usize = ROW_BYTES / 4;

/// Where rows arrive.
static mut BUFFERS: [[u32; WORDS]; 2] = [[0; WORDS]; 2];

/// The interface and its stream of DMA.
pub struct Camera {
    interface: DCMI,
    dma: DMA2,
}

impl Camera {
    /// Starts to capture; pins and the camera's own registers are for the board's code.
    pub fn new(interface: DCMI, dma: DMA2, clocks: &RCC) -> Self {
        clocks.ahb1enr().modify(|_, w| w.dma2en().set_bit());
        clocks.ahb2enr().modify(|_, w| w.dcmien().set_bit());
        let stream = dma.st(1);
        let place = |index: usize| {
            (&raw const BUFFERS)
                .cast::<[u32; WORDS]>()
                .wrapping_add(index)
        };
        // SAFETY: addresses of the interface's data and of two buffers that nothing else writes.
        unsafe {
            stream
                .par()
                .write(|w| w.bits(interface.dr().as_ptr() as u32));
            stream.m0ar().write(|w| w.bits(place(0) as u32));
            stream.m1ar().write(|w| w.bits(place(1) as u32));
        }
        stream.ndtr().write(|w| w.ndt().set(WORDS as u16));
        stream.cr().write(|w| {
            let w = w.chsel().set(1).msize().bits32().psize().bits32();
            w.minc()
                .set_bit()
                .circ()
                .set_bit()
                .dbm()
                .set_bit()
                .tcie()
                .set_bit()
                .en()
                .set_bit()
        });
        interface
            .cr()
            .write(|w| w.enable().set_bit().capture().set_bit());
        Self { interface, dma }
    }

    /// Hands the row that is there on, and the end of a frame.
    pub fn take(&mut self, feed: &mut Feed) {
        self.dma.lifcr().write(|w| w.ctcif1().clear());
        let done = usize::from(!self.dma.st(1).cr().read().ct().bit());
        // SAFETY: the stream fills the other buffer until the next row is whole.
        let row = unsafe {
            (&raw const BUFFERS)
                .cast::<[u8; ROW_BYTES]>()
                .add(done)
                .read_volatile()
        };
        feed.row(&row);
        if self.interface.ris().read().frame_ris().bit() {
            self.interface.icr().write(|w| w.frame_isc().set_bit());
            feed.frame_ended();
        }
    }
}

/// Nothing is checked in a product.
#[derive(Default)]
pub struct Audit;

impl Audit {
    pub fn push(&mut self, _: &mut Gate<'_>, _: &Result<Said, FrameError>) {}
}

/// A product without a gate has nothing to do.
pub fn end(_: bool) {}

/// Nothing else is to be done here.
pub async fn show() {}
