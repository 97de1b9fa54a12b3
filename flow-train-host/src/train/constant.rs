//! Columns of the training vectors in which nothing happens.

use super::input;
use crate::data::Vectors;

/// A column that counts as constant: its deviation is no more than rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstantColumn {
    /// Index of the column, from zero.
    pub column: usize,
    /// The deviation that is taken instead: an input that differs by it lies one deviation away.
    pub taken: f64,
}

/// The constant columns of these vectors.
pub fn constant_columns(vectors: &Vectors) -> Vec<ConstantColumn> {
    let moments = input::moments(vectors.iter(), vectors.dims());
    let columns = moments.iter().enumerate();
    let constant = columns.filter(|(_, moments)| moments.is_constant());
    let found = constant.map(|(column, moments)| ConstantColumn {
        column,
        taken: moments.smallest(),
    });
    found.collect()
}
