//! Recordings and windows in NPY arrays.

use super::RecordingOptions;
use super::files::Named;
use super::recording::{Recording, stretches};
use crate::data::error::{DataError, Position, Problem};
use crate::data::npy::{NpyArray, NpyValues};
use crate::data::options::ReadOptions;
use crate::data::source::Source;
use crate::windows::WindowSpec;
use std::path::Path;

const SHAPE: &str = "(samples, channels), or (samples,) of one channel";

/// An array of windows of a model, each as its file has it: integers of the shape (windows, samples, channels). None
/// where the file is no such array.
pub(super) fn windows(
    path: &Path,
    spec: &WindowSpec,
    options: &ReadOptions,
) -> Result<Option<Vec<i16>>, DataError> {
    let mut source = Source::open(path)?;
    if !source.prefix().starts_with(b"\x93NUMPY") || options.array.is_some() {
        return Ok(None);
    }
    let (shape, values) = NpyArray::read(&mut source)?.into_parts();
    let (wanted, channels) = (usize::from(spec.length), spec.channels.len());
    match (shape.as_slice(), values) {
        (&[_, length, width], NpyValues::I32(values)) => {
            if (length, width) != (wanted, channels) {
                return Err(source.error(Problem::Malformed(format!(
                    "windows of {length} samples x {width} channels, and the model reads {wanted} x {channels}"
                ))));
            }
            let narrow = values.iter().map(|&value| i16::try_from(value).ok());
            match narrow.collect::<Option<Vec<i16>>>() {
                Some(samples) if !samples.is_empty() => Ok(Some(samples)),
                Some(_) => Err(source.error(Problem::Empty)),
                None => Err(source.error(Problem::Malformed(
                    "samples of windows have 16 bits".to_owned(),
                ))),
            }
        }
        _ => Ok(None),
    }
}

pub(super) fn recording(
    mut source: Source<'_>,
    file: &Named,
    own: &RecordingOptions,
) -> Result<Recording, DataError> {
    let (shape, values) = NpyArray::read(&mut source)?.into_parts();
    let width = match *shape.as_slice() {
        [_] => 1,
        [_, width] if width > 0 => width,
        _ => {
            return Err(source.error(Problem::WrongShape {
                found: shape,
                expected: SHAPE,
            }));
        }
    };
    let all = match values {
        NpyValues::U8(values) => floats(values),
        NpyValues::I32(values) => floats(values),
        NpyValues::I64(values) => values.into_iter().map(|v| v as f64).collect(),
        NpyValues::F32(values) => floats(values),
        NpyValues::F64(values) => values,
    };
    of_values(&source, file, own, width, own.rate_hertz, &all)
}

fn floats<T: Into<f64>>(values: Vec<T>) -> Vec<f64> {
    values.into_iter().map(Into::into).collect()
}

/// A recording without a clock, of `width` columns.
pub(super) fn of_values(
    source: &Source<'_>,
    file: &Named,
    own: &RecordingOptions,
    width: usize,
    rate: Option<f64>,
    all: &[f64],
) -> Result<Recording, DataError> {
    if let Some(at) = all.iter().position(|value| !value.is_finite()) {
        let (vector, dim) = ((at / width) as u64, (at % width) as u64);
        let position = Position::Coordinate { vector, dim };
        return Err(source.error_at(position, Problem::NotFinite(all[at])));
    }
    if all.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    let numbers: Vec<String> = (1..=width).map(|number| number.to_string()).collect();
    let mut chosen = own.wanted_channels().resolve(width, Some(&numbers));
    // A model that was trained on a table calls its channels otherwise: as many are the same ones.
    if let (super::WindowChoice::Known(spec), Err(_)) = (&own.windows, &chosen)
        && own.channels.is_all()
        && spec.channels.len() == width
    {
        chosen = Ok((0..width).collect());
    }
    let chosen = chosen.map_err(|problem| source.error(problem))?;
    let names = match &own.windows {
        super::WindowChoice::Known(spec) if spec.channels.len() == chosen.len() => {
            spec.channels.iter().map(|c| c.name.clone()).collect()
        }
        _ => chosen.iter().map(|index| numbers[*index].clone()).collect(),
    };
    let rows = all.chunks_exact(width);
    let values = rows
        .flat_map(|row| chosen.iter().map(|&index| row[index]))
        .collect();
    Ok(Recording {
        path: file.path.clone(),
        name: file.name.clone(),
        names,
        rate,
        values,
        lines: Vec::new(),
        stretches: stretches(all.len() / width, Vec::new(), |_| file.block.clone()),
        notices: Vec::new(),
    })
}
