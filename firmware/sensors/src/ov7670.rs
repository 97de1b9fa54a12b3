//! An OV7670 camera: what has to be written to it before it sends frames.

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use flow_infer::front_end::{FrameSpec, PixelFormat, YuvRange};

/// Its address on the bus, which OmniVision calls SCCB.
const ADDRESS: u8 = 0x21;
/// Of its registers, the one that says what the chip is, and what it says.
const PRODUCT: u8 = 0x0A;
const OV7670: u8 = 0x76;
/// The register that resets all of them, and the bit that does.
const COM7: u8 = 0x12;
const RESET: u8 = 0x80;
/// A reset takes a millisecond; exposure and white balance then settle.
const RESET_MS: u32 = 2;
const SETTLING_MS: u32 = 300;

/// 320 x 240 in YUYV of full range, by the datasheet's registers: a pixel's clock is half the camera's, and half of the
/// rows and columns are left out.
const QVGA: [(u8, u8); 17] = [
    (COM7, 0x10), // QVGA, YUV
    (0x11, 0x01), // CLKRC: half the clock
    (0x3A, 0x04), // TSLB: Y before U
    (0x3D, 0xC0), // COM13: gamma, saturation; U before V
    (0x40, 0xC0), // COM15: 0 to 255
    (0x0C, 0x04), // COM3: scaling
    (0x3E, 0x19), // COM14: scaled clock, half of it
    (0x70, 0x3A), // SCALING_XSC: no scaling but
    (0x71, 0x35), // SCALING_YSC: leaving out
    (0x72, 0x11), // SCALING_DCWCTR: every other one
    (0x73, 0xF1), // SCALING_PCLK_DIV: half the clock
    (0x17, 0x15), // HSTART: column 168
    (0x18, 0x03), // HSTOP: column 24
    (0x32, 0x80), // HREF: their lower bits
    (0x19, 0x03), // VSTRT: row 12
    (0x1A, 0x7B), // VSTOP: row 492
    (0x03, 0x00), // VREF: their lower bits
];

/// The camera, sending frames.
#[derive(Clone, Copy, Debug)]
pub struct Ov7670(());

/// Why there is no camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ov7670Error<E> {
    /// The bus failed, or nothing answers.
    Bus(E),
    /// It is another chip, which calls itself so.
    OtherChip(u8),
}

impl<E> From<E> for Ov7670Error<E> {
    fn from(error: E) -> Self {
        Self::Bus(error)
    }
}

impl Ov7670 {
    /// Its frames: one that its DMA takes has so many bytes a row.
    pub const FRAME: FrameSpec =
        FrameSpec::new(PixelFormat::Yuyv, 320, 240).with_range(YuvRange::Full);
    /// Bytes of a row.
    pub const ROW_BYTES: usize = 2 * 320;

    /// Looks for the camera and sets it up; its clock must run already.
    ///
    /// # Errors
    /// It is not there, or the bus failed.
    pub fn new<I: I2c>(
        bus: &mut I,
        delay: &mut impl DelayNs,
    ) -> Result<Self, Ov7670Error<I::Error>> {
        let mut product = [0];
        // Its bus knows no repeated start.
        bus.write(ADDRESS, &[PRODUCT])?;
        bus.read(ADDRESS, &mut product)?;
        if product != [OV7670] {
            return Err(Ov7670Error::OtherChip(product[0]));
        }
        bus.write(ADDRESS, &[COM7, RESET])?;
        delay.delay_ms(RESET_MS);
        for (register, value) in QVGA {
            bus.write(ADDRESS, &[register, value])?;
        }
        delay.delay_ms(SETTLING_MS);
        Ok(Self(()))
    }
}
