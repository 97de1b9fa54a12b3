//! What lies between a sensor and the model's input: [`windows`] of samples, and, below, frames.
//!
//! From a camera's frame to the model's input: pixel format, region, exact area averaging, luma or RGB.
//!
//! A model reads 28 x 28 grey bytes; a camera delivers 640 x 480 in a format of its own. The front end is what lies
//! between: a [`Reduction`] says which [`Region`] of a frame becomes which input, a [`FrameReader`] takes the frame row
//! by row, as a camera or a DMA delivers it, and keeps two rows of sums of the model's width. The same code reduces the
//! pictures that a model is trained on, so training, host and board see the same bytes.
//!
//! Everything is exact until one last rounding. With a region of W x H pixels and an input of w x h, input pixel (i, j)
//! is the mean over the rectangle [jW/w, (j+1)W/w) x [iH/h, (i+1)H/h): multiplied by w and h the edges are integers, so
//! every frame pixel has an integer weight and the weights of one input pixel sum to W H. Luma and the conversion from
//! YCbCr are linear, and are applied to the sums. The quotient is rounded to the nearest byte, halves up.

mod error;
mod format;
mod frame;
mod output;
mod reader;
mod reduction;
mod source;
mod span;
#[cfg(test)]
mod tests;
pub mod windows;
mod words;

pub use error::FrameError;
pub use format::{MAX_SIDE, PixelFormat, YuvRange};
pub use frame::{Frame, FrameSpec};
pub use reader::FrameReader;
pub use reduction::{FrontEnd, Reduction, Region};
