//! Checks that every table of vectors goes through on its way into f32.
//!
//! A gate is only as good as the measurements that it was made of. A row index makes one that
//! rejects whatever comes later; a value that f32 cannot hold is another value.

use super::notice::{ColumnName, Noticed};
use super::vectors::Vectors;

/// Rows from which on a column that counts is no chance.
const ROWS_THAT_COUNT: usize = 8;
/// Rows from which on a column that only grows is no chance: one in 20! of random ones does.
const ROWS_THAT_GROW: usize = 20;
/// A rounding error beyond this share of a column's deviation is a change of the data.
const ROUNDING_SHARE: f64 = 0.01;

/// How a column goes on from row to row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// By one whole number, always the same.
    Counts,
    /// Upwards.
    Grows,
    /// As measurements do.
    Varies,
}

/// The course of a column.
pub(super) fn course(column: impl Iterator<Item = f64> + Clone) -> Course {
    let mut steps = column
        .clone()
        .zip(column.clone().skip(1))
        .map(|(a, b)| b - a);
    let Some(first) = steps.next() else {
        return Course::Varies;
    };
    let counts = first != 0.0 && first.fract() == 0.0;
    let (mut same, mut rows) = (counts, 2);
    for step in steps {
        same &= step == first;
        if !same && (step <= 0.0 || first <= 0.0) {
            return Course::Varies;
        }
        rows += 1;
    }
    match (same, first > 0.0) {
        (true, _) if rows >= ROWS_THAT_COUNT => Course::Counts,
        (_, true) if rows >= ROWS_THAT_GROW => Course::Grows,
        _ => Course::Varies,
    }
}

/// What can be noticed in vectors whose columns are called `names`.
pub(super) fn notices(vectors: &Vectors, columns: &[ColumnName]) -> Vec<Noticed> {
    let dims = vectors.dims();
    let of_column = |(index, name): (usize, &ColumnName)| {
        let values = vectors.values().iter().skip(index).step_by(dims);
        match course(values.map(|&value| value.into())) {
            Course::Counts => Some(Noticed::Counts(name.clone())),
            Course::Grows => Some(Noticed::Grows(name.clone())),
            Course::Varies => None,
        }
    };
    columns.iter().enumerate().filter_map(of_column).collect()
}

/// `values` as f32, and which columns lost something of weight.
pub(super) fn narrowed(values: &[f64], columns: &[ColumnName]) -> (Vec<f32>, Vec<Noticed>) {
    let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let dims = columns.len().max(1);
    let rounded = columns.iter().enumerate().filter_map(|(index, column)| {
        let pairs = values.iter().zip(&narrow).skip(index).step_by(dims);
        rounding(pairs.map(|(&wide, &narrow)| (wide, narrow)), column)
    });
    let rounded = rounded.collect();
    (narrow, rounded)
}

/// Whether a column's values changed by more than a share of its deviation.
fn rounding(
    pairs: impl Iterator<Item = (f64, f32)> + Clone,
    column: &ColumnName,
) -> Option<Noticed> {
    let error = |(wide, narrow): (f64, f32)| (wide - f64::from(narrow)).abs();
    let largest = pairs.clone().map(error).fold(0.0, f64::max);
    if largest == 0.0 {
        return None;
    }
    let mut neighbours = pairs.clone().zip(pairs.clone().skip(1));
    // A column of one decimal has no deviation to compare with: it is rounded as all are.
    let is_constant = neighbours.all(|(a, b)| a.0 == b.0);
    let count = pairs.clone().count() as f64;
    let mean = pairs.clone().map(|(wide, _)| wide / count).sum::<f64>();
    let variance = pairs.clone().map(|(wide, _)| (wide - mean).powi(2) / count);
    let least = ROUNDING_SHARE * variance.sum::<f64>().sqrt();
    // A whole number that changes is a count, a time or a name, not a reading.
    let is_lost = |pair: &(f64, f32)| {
        let error = error(*pair);
        error > 0.0 && (pair.0.fract() == 0.0 || !is_constant && error > least)
    };
    let mut lost = pairs.filter(is_lost);
    let (example, narrow) = lost.next()?;
    Some(Noticed::Rounded {
        column: column.clone(),
        count: 1 + lost.count(),
        example: example.to_string(),
        rounded: f64::from(narrow).to_string(),
    })
}
