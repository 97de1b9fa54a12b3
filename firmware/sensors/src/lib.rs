//! Where a gate's inputs come from.
//!
//! A gate asks a [`Source`] for the next input, or for a camera's next frame row by row. Two are worked out: a
//! [`Window`] of an accelerometer's samples, for any driver of the `accelerometer` crate's traits, and a [`Camera`]
//! whose rows come out of an `embedded_io::Read`, as what a DMA of a camera interface, an SPI or a USB leaves behind
//! can be read. Another sensor implements the trait.

#![no_std]
#![forbid(unsafe_code)]

mod camera;
mod source;
mod window;

pub use camera::Camera;
pub use source::{NoSource, Source, SourceError};
pub use window::{AXES, Window};
