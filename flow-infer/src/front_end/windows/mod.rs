//! From a sensor's samples to the model's input: windows, and what is measured in them.
//!
//! A sensor delivers samples, each of a few channels; a [`Ring`] keeps the last window of them, takes one sample at a
//! time and says when a window is due. A window is never copied: its features are computed where the model reads
//! them, one at a time from the ring, so a gate needs no memory for them. All of it is integers and the bits are the
//! same everywhere; [`Windows`] is the file's description, read in place.

mod dft;
mod features;
mod folded;
mod log2;
mod ring;
mod samples;
mod sine;
mod spec;
#[cfg(test)]
mod tests;

pub use ring::Ring;
pub use samples::Samples;
pub use spec::{
    CHANNEL_LEN, Channel, FEATURE_LEN, Feature, HEAD_LEN, KIND, MAX_CHANNELS, MAX_SAMPLES,
    MAX_VALUES, Windows,
};
