//! The windows that a model is for.

use crate::front_end::windows::{Channel, Windows};

/// The windows that a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowShape<'m>(pub(super) Windows<'m>);

impl<'m> WindowShape<'m> {
    /// Values of a sample.
    pub fn channels(&self) -> usize {
        self.0.channels()
    }

    /// Samples of a window.
    pub fn samples(&self) -> usize {
        self.0.len()
    }

    /// Samples from one decision to the next.
    pub fn hop(&self) -> usize {
        self.0.hop()
    }

    /// Samples in a thousand seconds; zero where the training data did not say.
    pub fn rate_millihertz(&self) -> u32 {
        self.0.rate_millihertz()
    }

    /// Names of the channels, in the order of a sample's values.
    pub fn names(&self) -> impl Iterator<Item = &'m str> + use<'m> {
        self.0.names()
    }

    /// The sample of a measurement, in the unit of the training data: (value - offset) 2^exponent of the channel, rounded
    /// and held within 16 bits. `None` of a channel that is not there, or of a NaN.
    pub fn sample(&self, channel: usize, value: f32) -> Option<i16> {
        let Channel {
            exponent, offset, ..
        } = self.0.channel(channel)?;
        let scaled = libm::scalbnf(value - offset, exponent.into());
        (!scaled.is_nan()).then(|| libm::floorf(scaled + 0.5) as i16)
    }
}
