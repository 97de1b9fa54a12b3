//! NumPy's `.npy`: any array of the types used here, read and written.
//!
//! The lower of two floors. An [`NpyArray`] is whatever the file holds (noise for a comparison,
//! golden vectors, images); `dataset.rs` decides what of it can be data. All integers and floats are
//! read, narrow ones as wider ones. Both byte orders and both index orders are read, since NumPy writes either without being asked (a transposed array
//! is saved in Fortran order); little-endian C order is written.

mod dataset;
mod header;
pub(super) mod npz;
mod values;

use std::io::{self, Write};
use std::path::Path;

use self::header::Header;
use super::error::DataError;
use super::shape::ShapeMismatch;
use super::source::Source;
use crate::files::{WriteError, write_atomically};

pub(super) use self::dataset::read_dataset;
pub use self::values::NpyValues;

const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// An array: its shape and its values in C order (the last index runs fastest).
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray {
    shape: Vec<usize>,
    values: NpyValues,
}

impl NpyArray {
    /// An array of `shape` holding `values` in C order. A shape without dimensions has one value.
    ///
    /// # Errors
    /// [`ShapeMismatch`] when the shape holds another number of values.
    pub fn new(shape: Vec<usize>, values: NpyValues) -> Result<Self, ShapeMismatch> {
        let count = shape
            .iter()
            .try_fold(1usize, |product, &dim| product.checked_mul(dim));
        match count {
            Some(count) if count == values.len() => Ok(Self { shape, values }),
            count => {
                let item_len = count.unwrap_or(usize::MAX);
                Err(ShapeMismatch {
                    item_len,
                    values: values.len(),
                })
            }
        }
    }

    /// Reads a `.npy` file, versions 1 to 3, gzipped or not. NaN and infinity are let through.
    ///
    /// # Errors
    /// [`DataError`]: another format or type, a damaged header, truncation, trailing bytes, or a
    /// header beyond the file's length.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        Self::read(&mut Source::open(path)?)
    }

    pub(super) fn read(source: &mut Source<'_>) -> Result<Self, DataError> {
        let Header {
            descr,
            fortran_order,
            shape,
        } = Header::read(source)?;
        let mut dims = shape.iter();
        let count = dims.try_fold(1u64, |product, &dim| product.checked_mul(dim as u64));
        let values = NpyValues::read(source, &descr, count)?;
        source.expect_end()?;
        let values = match fortran_order {
            true => values.into_c_order(&shape),
            false => values,
        };
        Ok(Self { shape, values })
    }

    /// The dimensions.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values in C order.
    pub fn values(&self) -> &NpyValues {
        &self.values
    }

    /// Shape and values, for taking the values without a copy.
    pub fn into_parts(self) -> (Vec<usize>, NpyValues) {
        (self.shape, self.values)
    }

    /// Writes the array as `.npy`, version 1, little-endian.
    ///
    /// # Errors
    /// [`WriteError`]; the file at `path` is then as it was.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        write_atomically(path, |writer| self.write_to(writer))
    }

    /// Writes the bytes of a `.npy` file to `writer`.
    ///
    /// # Errors
    /// Those of `writer`.
    pub fn write_to(&self, writer: &mut dyn Write) -> io::Result<()> {
        writer.write_all(&header::encode(self.values.descr(), &self.shape))?;
        self.values.write_to(writer)
    }
}
