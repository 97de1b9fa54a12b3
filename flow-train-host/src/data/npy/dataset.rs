//! Which arrays are data: bytes in three or four dimensions are images, floats in two are vectors.

use super::{NpyArray, NpyValues};
use crate::data::Dataset;
use crate::data::error::{DataError, Position, Problem};
use crate::data::images::Images;
use crate::data::source::Source;
use crate::data::vectors::Vectors;

const IMAGE_SHAPES: &str = "(N, H, W) or (N, C, H, W) for bytes";
const VECTOR_SHAPE: &str = "(N, D) for floats";

pub(in crate::data) fn read_dataset(mut source: Source<'_>) -> Result<Dataset, DataError> {
    let array = NpyArray::read(&mut source)?;
    let dtype = array.values().descr();
    let (shape, values) = array.into_parts();
    match values {
        NpyValues::U8(pixels) => images(&source, &shape, pixels).map(Dataset::Images),
        NpyValues::F32(values) => vectors(&source, &shape, values).map(Dataset::Vectors),
        NpyValues::F64(values) => {
            let narrowed = values.iter().map(|&value| value as f32).collect();
            vectors(&source, &shape, narrowed).map(Dataset::Vectors)
        }
        NpyValues::I32(_) | NpyValues::I64(_) => Err(source.error(Problem::WrongDtype {
            found: dtype.to_owned(),
            expected: "u1 for images, f4 or f8 for vectors",
        })),
    }
}

fn images(source: &Source<'_>, shape: &[usize], pixels: Vec<u8>) -> Result<Images, DataError> {
    let wrong_shape = |expected| {
        source.error(Problem::WrongShape {
            found: shape.to_vec(),
            expected,
        })
    };
    let [channels, height, width] = match *shape {
        [_, height, width] => [1, height, width],
        // Nobody has strips of 3 columns in dozens of channels, but many have the channels last.
        [_, rows, columns, 1 | 3 | 4] if rows > 4 && columns > 4 => {
            return Err(wrong_shape(
                "(N, C, H, W): the channels come before the rows",
            ));
        }
        [_, channels, height, width] => [channels, height, width],
        _ => return Err(wrong_shape(IMAGE_SHAPES)),
    };
    if pixels.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    Images::new(channels, height, width, pixels).map_err(|_| wrong_shape(IMAGE_SHAPES))
}

fn vectors(source: &Source<'_>, shape: &[usize], values: Vec<f32>) -> Result<Vectors, DataError> {
    let wrong_shape = || {
        source.error(Problem::WrongShape {
            found: shape.to_vec(),
            expected: VECTOR_SHAPE,
        })
    };
    let [_, dims] = *shape else {
        return Err(wrong_shape());
    };
    if values.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let (vector, dim) = ((index / dims) as u64, (index % dims) as u64);
        let problem = Problem::NotFinite(values[index].into());
        return Err(source.error_at(Position::Coordinate { vector, dim }, problem));
    }
    Vectors::new(dims, values).map_err(|_| wrong_shape())
}
