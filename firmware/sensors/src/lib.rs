//! Where a gate's inputs come from.
//!
//! A gate asks a [`Source`] for the next input, for a camera's next frame row by row, or for a sensor's next sample. Four
//! are worked out: the samples of an LIS3DH (feature `lis3dh`), which wait in its memory while a window is decided about; a
//! [`Window`] of an accelerometer's samples, for any driver of the `accelerometer` crate's traits; a [`Camera`] whose
//! rows come out of an `embedded_io::Read`, as of an SPI or a USB; and a [`DoubleBuffer`] that a camera interface's DMA
//! fills, with the set-up of an [`Ov7670`]. Another sensor implements the trait.

#![no_std]
#![forbid(unsafe_code)]

mod camera;
mod double_buffer;
#[cfg(feature = "lis3dh")]
mod lis3dh;
mod ov7670;
mod source;
mod window;

pub use camera::Camera;
pub use double_buffer::{Captured, DoubleBuffer, Interface};
#[cfg(feature = "lis3dh")]
pub use lis3dh::Lis3dhSamples;
pub use ov7670::{Ov7670, Ov7670Error};
pub use source::{NoSource, Source, SourceError};
pub use window::{AXES, Window};
