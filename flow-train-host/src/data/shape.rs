//! The one invariant of every table of values here: whole items, nothing left over.

use std::fmt;

/// Values that do not divide into items of the stated shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// Values of one item; zero where a dimension is zero.
    pub item_len: usize,
    /// Values given.
    pub values: usize,
}

impl fmt::Display for ShapeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item_len, values } = self;
        write!(f, "{values} values do not divide into items of {item_len}")
    }
}

impl std::error::Error for ShapeMismatch {}

/// `dims` multiplied, if that is a length of items, of which `values` holds a whole number.
pub(super) fn item_len(dims: &[usize], values: usize) -> Result<usize, ShapeMismatch> {
    let product = dims
        .iter()
        .try_fold(1usize, |product, &dim| product.checked_mul(dim));
    match product {
        Some(item_len) if item_len > 0 && values.is_multiple_of(item_len) => Ok(item_len),
        product => Err(ShapeMismatch {
            item_len: product.unwrap_or(usize::MAX),
            values,
        }),
    }
}

/// `range` cut to the items there are, as places of values.
pub(super) fn value_range(
    range: std::ops::Range<usize>,
    len: usize,
    item_len: usize,
) -> std::ops::Range<usize> {
    let end = range.end.min(len);
    let start = range.start.min(end);
    start * item_len..end * item_len
}
