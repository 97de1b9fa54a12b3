//! The values of an array: five types are kept, narrower ones are read as one of them.

use std::io::{self, Write};

use half::f16;

use crate::data::error::{DataError, Problem, excerpt};
use crate::data::source::Source;

/// Types that can be read, as a message lists them.
const EXPECTED: &str = "integers of 1 to 8 bytes (i1 to i8, u1 to u8) or floats (f2, f4, f8)";

/// The values of an array, in the type that the file has; i1, i2 and u2 as i4, u4 and u8 as i8,
/// f2 as f4.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // each variant is its type
pub enum NpyValues {
    U8(Vec<u8>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl NpyValues {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type as the header writes it.
    pub(super) fn descr(&self) -> &'static str {
        match self {
            Self::U8(_) => "|u1",
            Self::I32(_) => "<i4",
            Self::I64(_) => "<i8",
            Self::F32(_) => "<f4",
            Self::F64(_) => "<f8",
        }
    }

    /// The values rearranged, from the first index running fastest to the last doing so.
    pub(super) fn into_c_order(self, shape: &[usize]) -> Self {
        match self {
            Self::U8(values) => Self::U8(c_order(&values, shape)),
            Self::I32(values) => Self::I32(c_order(&values, shape)),
            Self::I64(values) => Self::I64(c_order(&values, shape)),
            Self::F32(values) => Self::F32(c_order(&values, shape)),
            Self::F64(values) => Self::F64(c_order(&values, shape)),
        }
    }

    pub(super) fn write_to(&self, writer: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::U8(values) => writer.write_all(values),
            Self::I32(values) => write_each(writer, values, i32::to_le_bytes),
            Self::I64(values) => write_each(writer, values, i64::to_le_bytes),
            Self::F32(values) => write_each(writer, values, f32::to_le_bytes),
            Self::F64(values) => write_each(writer, values, f64::to_le_bytes),
        }
    }

    /// Reads `count` values of the type that the header calls `descr`.
    pub(super) fn read(
        source: &mut Source<'_>,
        descr: &str,
        count: Option<u64>,
    ) -> Result<Self, DataError> {
        let (order, dtype) = descr.split_at_checked(1).unwrap_or(("", descr));
        let big_endian = order == ">";
        match (order, dtype) {
            ("|" | "<" | ">" | "=", "u1") => source.bytes(count).map(Self::U8),
            ("|" | "<" | ">" | "=", "i1") => {
                let bytes = source.bytes(count)?;
                let signed = |byte| i32::from(i8::from_le_bytes([byte]));
                Ok(Self::I32(bytes.into_iter().map(signed).collect()))
            }
            ("<" | ">", "i2") => widened(source.values::<i16>(count, big_endian), Self::I32),
            ("<" | ">", "u2") => widened(source.values::<u16>(count, big_endian), Self::I32),
            ("<" | ">", "u4") => widened(source.values::<u32>(count, big_endian), Self::I64),
            ("<" | ">", "u8") => {
                let values = source.values::<u64>(count, big_endian)?;
                let signed = |value: u64| match i64::try_from(value) {
                    Ok(value) => Ok(value),
                    Err(_) => Err(source.error(Problem::NotExact(value.to_string()))),
                };
                let values: Result<_, _> = values.into_iter().map(signed).collect();
                values.map(Self::I64)
            }
            ("<" | ">", "f2") => widened(source.values::<f16>(count, big_endian), Self::F32),
            ("<" | ">", "i4") => source.values(count, big_endian).map(Self::I32),
            ("<" | ">", "i8") => source.values(count, big_endian).map(Self::I64),
            ("<" | ">", "f4") => source.values(count, big_endian).map(Self::F32),
            ("<" | ">", "f8") => source.values(count, big_endian).map(Self::F64),
            _ => {
                let found = excerpt(descr.as_bytes());
                Err(source.error(Problem::WrongDtype {
                    found,
                    expected: EXPECTED,
                }))
            }
        }
    }
}

/// Values of a narrow type as those of a wider one, which holds all of them.
fn widened<T: Into<W>, W>(
    values: Result<Vec<T>, DataError>,
    as_values: fn(Vec<W>) -> NpyValues,
) -> Result<NpyValues, DataError> {
    let wide = |values: Vec<T>| values.into_iter().map(Into::into).collect();
    values.map(wide).map(as_values)
}

fn write_each<T: Copy, const N: usize>(
    writer: &mut dyn Write,
    values: &[T],
    bytes: fn(T) -> [u8; N],
) -> io::Result<()> {
    values
        .iter()
        .try_for_each(|&value| writer.write_all(&bytes(value)))
}

/// `values` with the first index running fastest, rearranged so that the last does.
fn c_order<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut index = vec![0; shape.len()];
    let mut offset = 0;
    let mut rearranged = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        rearranged.push(values[offset]);
        let mut stride = values.len();
        for (place, &dim) in index.iter_mut().zip(shape).rev() {
            stride /= dim;
            *place += 1;
            offset += stride;
            if *place < dim {
                break;
            }
            offset -= stride * dim;
            *place = 0;
        }
    }
    rearranged
}
