//! Which arrays are data: bytes in three or four dimensions are images, numbers in two are vectors.

use super::{NpyArray, NpyValues};
use crate::data::error::{DataError, Position, Problem};
use crate::data::images::Images;
use crate::data::notice::{ColumnName, Noticed};
use crate::data::options::ReadOptions;
use crate::data::source::Source;
use crate::data::table;
use crate::data::vectors::Vectors;
use crate::data::{Dataset, Reading};

const IMAGE_SHAPES: &str = "(N, H, W) or (N, C, H, W) of bytes (u1), or (N, D)";
const VECTOR_SHAPE: &str = "(N, D), or bytes (u1) for images";

pub(in crate::data) fn read_dataset(
    mut source: Source<'_>,
    options: &ReadOptions,
) -> Result<Reading, DataError> {
    let array = NpyArray::read(&mut source)?;
    let (shape, values) = array.into_parts();
    match (values, shape.as_slice()) {
        (values, &[_, dims]) => vectors(&source, dims, values, options),
        (NpyValues::U8(pixels), _) => {
            if !options.columns.is_all() {
                return Err(source.error(Problem::ColumnsOfImages));
            }
            images(&source, &shape, pixels).map(|images| Reading::of_rows(Dataset::Images(images)))
        }
        _ => Err(source.error(Problem::WrongShape {
            found: shape,
            expected: VECTOR_SHAPE,
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

fn vectors(
    source: &Source<'_>,
    dims: usize,
    values: NpyValues,
    options: &ReadOptions,
) -> Result<Reading, DataError> {
    if values.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    let columns = options.columns.resolve(dims, None);
    let columns = columns.map_err(|problem| source.error(problem))?;
    let names = columns.iter().map(|&index| ColumnName {
        number: index + 1,
        name: None,
    });
    let names: Vec<ColumnName> = names.collect();
    let wanted = Wanted {
        source,
        dims,
        columns: &columns,
    };
    let (values, mut noticed) = wanted.floats(values, &names)?;
    wanted.finite(&values)?;
    let vectors = Vectors::new(columns.len(), values)
        .map_err(|mismatch| source.error(Problem::Malformed(mismatch.to_string())))?;
    noticed.extend(table::notices(&vectors, &names));
    Ok(Reading {
        columns: names,
        notices: source.notices(noticed),
        ..Reading::of_rows(Dataset::Vectors(vectors))
    })
}

/// The columns of an array that are wanted.
struct Wanted<'a> {
    source: &'a Source<'a>,
    dims: usize,
    columns: &'a [usize],
}

impl Wanted<'_> {
    fn floats(
        &self,
        values: NpyValues,
        names: &[ColumnName],
    ) -> Result<(Vec<f32>, Vec<Noticed>), DataError> {
        let exact = match values {
            NpyValues::F32(values) => self.of(values),
            NpyValues::F64(values) => return Ok(table::narrowed(&self.of(values), names)),
            NpyValues::U8(values) => self.of(values).into_iter().map(f32::from).collect(),
            NpyValues::I32(values) => self.exact(self.of(values).into_iter().map(i64::from))?,
            NpyValues::I64(values) => self.exact(self.of(values).into_iter())?,
        };
        Ok((exact, Vec::new()))
    }

    /// The wanted columns of all rows.
    fn of<T: Copy>(&self, values: Vec<T>) -> Vec<T> {
        let all = (0..self.dims).eq(self.columns.iter().copied());
        if all {
            return values;
        }
        let rows = values.chunks_exact(self.dims);
        rows.flat_map(|row| self.columns.iter().map(|&index| row[index]))
            .collect()
    }

    /// Integers as f32, which must hold them: an identifier that is rounded is another one.
    fn exact(&self, values: impl Iterator<Item = i64>) -> Result<Vec<f32>, DataError> {
        let narrow = |(index, value): (usize, i64)| {
            let narrow = value as f32;
            match i128::from(value) == narrow as i128 {
                true => Ok(narrow),
                false => Err(self.error_at(index, Problem::NotExact(value.to_string()))),
            }
        };
        values.enumerate().map(narrow).collect()
    }

    fn finite(&self, values: &[f32]) -> Result<(), DataError> {
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(self.error_at(index, Problem::NotFinite(values[index].into()))),
            None => Ok(()),
        }
    }

    /// An error at the value with this index among the wanted ones.
    fn error_at(&self, index: usize, problem: Problem) -> DataError {
        let width = self.columns.len();
        let (vector, dim) = ((index / width) as u64, self.columns[index % width] as u64);
        let position = Position::Coordinate { vector, dim };
        self.source.error_at(position, problem)
    }
}
