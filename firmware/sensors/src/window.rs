//! A stretch of an accelerometer's samples as an input.

use crate::{Source, SourceError};
use accelerometer::RawAccelerometer;
use accelerometer::vector::I16x3;
use embedded_hal::delay::DelayNs;

/// Values of a sample: x, y and z.
pub const AXES: usize = 3;

/// Windows of raw samples, one behind the other: x, y and z of the first sample, of the second, and so on, as many as
/// the model reads.
#[derive(Debug)]
pub struct Window<A, D> {
    accelerometer: A,
    delay: D,
    interval_us: u32,
}

impl<A: RawAccelerometer<I16x3>, D: DelayNs> Window<A, D> {
    /// Samples `interval_us` apart, the time that reading takes not counted.
    pub fn new(accelerometer: A, delay: D, interval_us: u32) -> Self {
        Self {
            accelerometer,
            delay,
            interval_us,
        }
    }
}

impl<A: RawAccelerometer<I16x3>, D: DelayNs> Source for Window<A, D> {
    fn next(&mut self, input: &mut [u8]) -> Result<(), SourceError> {
        let (values, rest) = input.as_chunks_mut::<{ size_of::<f32>() }>();
        let (samples, other) = values.as_chunks_mut::<AXES>();
        if !(rest.is_empty() && other.is_empty()) {
            return Err(SourceError::OtherInput);
        }
        for place in samples {
            self.delay.delay_us(self.interval_us);
            let sample = self.accelerometer.accel_raw();
            let sample = sample.map_err(|_| SourceError::Device)?;
            *place = [sample.x, sample.y, sample.z].map(|value| f32::from(value).to_le_bytes());
        }
        Ok(())
    }
}
