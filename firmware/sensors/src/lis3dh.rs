//! Samples of an LIS3DH, one by one.

use crate::{Source, SourceError};
use accelerometer::RawAccelerometer;
use core::fmt::Debug;
use lis3dh::{DataRate, FifoMode, Lis3dh, Lis3dhCore};

/// Samples at the chip's own pace. While a window is decided about they wait in its memory, which holds 32.
pub struct Lis3dhSamples<Core> {
    chip: Lis3dh<Core>,
    /// Whether it was said that samples were lost in front of those in the chip's memory.
    said_lost: bool,
}

impl<Core> Lis3dhSamples<Core>
where
    Core: Lis3dhCore,
    Core::BusError: Debug,
    Core::PinError: Debug,
{
    /// Lets the chip take so many samples a second, as many as the model's recordings have.
    ///
    /// # Errors
    /// [`SourceError::Device`] where it does not answer.
    pub fn new(mut chip: Lis3dh<Core>, rate: DataRate) -> Result<Self, SourceError> {
        chip.set_datarate(rate).map_err(|_| SourceError::Device)?;
        let enabled = chip.enable_fifo(FifoMode::Stream, 0);
        enabled.map_err(|_| SourceError::Device)?;
        Ok(Self {
            chip,
            said_lost: false,
        })
    }

    /// Waits for a sample and says whether others in front of it were lost.
    fn wait(&mut self) -> Result<bool, SourceError> {
        loop {
            let status = self.chip.get_fifo_status();
            let status = status.map_err(|_| SourceError::Device)?;
            if !status.empty {
                return Ok(status.overrun);
            }
        }
    }
}

impl<Core> Source for Lis3dhSamples<Core>
where
    Core: Lis3dhCore,
    Core::BusError: Debug,
    Core::PinError: Debug,
{
    /// x, y and z, or those in front that a model has.
    fn sample(&mut self, values: &mut [i16]) -> Result<(), SourceError> {
        let lost = self.wait()?;
        if lost && !self.said_lost {
            self.said_lost = true;
            return Err(SourceError::SamplesLost);
        }
        self.said_lost = false;
        let sample = self.chip.accel_raw().map_err(|_| SourceError::Device)?;
        let axes = [sample.x, sample.y, sample.z];
        if values.len() > axes.len() {
            return Err(SourceError::OtherInput);
        }
        for (value, axis) in values.iter_mut().zip(axes) {
            *value = axis;
        }
        Ok(())
    }
}
