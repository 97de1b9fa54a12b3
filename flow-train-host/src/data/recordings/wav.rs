//! A recording of sound.

use super::files::Named;
use super::recording::Recording;
use super::{RecordingOptions, arrays};
use crate::data::error::{DataError, Problem};
use crate::data::source::Source;
use hound::{SampleFormat, WavReader};
use std::io::Cursor;

/// Integers come as they are, floats in units of full scale.
pub(super) fn recording(
    mut source: Source<'_>,
    file: &Named,
    own: &RecordingOptions,
) -> Result<Recording, DataError> {
    let content = source.rest()?;
    let malformed = |error: hound::Error| source.error(Problem::Malformed(error.to_string()));
    let mut reader = WavReader::new(Cursor::new(content)).map_err(malformed)?;
    let spec = reader.spec();
    let values: Result<Vec<f64>, _> = match spec.sample_format {
        SampleFormat::Int => reader.samples::<i32>().map(|s| s.map(f64::from)).collect(),
        SampleFormat::Float => reader.samples::<f32>().map(|s| s.map(f64::from)).collect(),
    };
    let values = values.map_err(malformed)?;
    let rate = Some(f64::from(spec.sample_rate));
    if let (Some(said), Some(found)) = (own.rate_hertz, rate)
        && (found / said - 1.0).abs() > super::RATE_TOLERANCE
    {
        let (found, said) = (super::hertz(found), super::hertz(said));
        let why = format!("has {found} samples a second, and --rate says {said}");
        return Err(source.error(Problem::Malformed(why)));
    }
    arrays::of_values(&source, file, own, spec.channels.into(), rate, &values)
}
