//! Whether the first line of a table is a header, and of which kind.

use super::parse;
use crate::data::error::Problem;

/// Columns from which on a first line that goes up in equal steps is no chance.
const COLUMNS_THAT_COUNT: usize = 4;

/// Whether a first line is a header: no field of it is a number, and one is not empty.
pub(super) fn is_header(fields: &[Vec<u8>]) -> bool {
    let blank = fields.iter().all(Vec::is_empty);
    !blank && fields.iter().all(|field| parse(field).is_none())
}

/// The names in a header.
pub(in crate::data) fn names(fields: &[Vec<u8>]) -> Vec<String> {
    let name = |field: &Vec<u8>| String::from_utf8_lossy(field).into_owned();
    fields.iter().map(name).collect()
}

/// Refuses a column without a name beside columns that have one; also pandas' name for it.
pub(super) fn all_named(names: &[String]) -> Result<(), (usize, Problem)> {
    let unnamed = |name: &String| {
        let of_pandas = name.strip_prefix("Unnamed: ");
        name.is_empty() || of_pandas.is_some_and(|rest| rest.parse::<u32>().is_ok())
    };
    match names.iter().position(unnamed) {
        Some(at) if !names.iter().all(String::is_empty) => {
            Err((at, Problem::UnnamedColumn(at + 1)))
        }
        _ => Ok(()),
    }
}

/// Refuses a first line of numbers but for its first field, which is empty: numbered columns, and
/// an index before them.
pub(super) fn no_index_above(fields: &[Vec<u8>]) -> Result<(), (usize, Problem)> {
    match fields {
        [first, rest @ ..] if first.is_empty() && !rest.is_empty() => {
            match rest.iter().all(|field| parse(field).is_some()) {
                true => Err((0, Problem::HeaderUnclear)),
                false => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Whether the first of `values`' rows counts, as the header of unnamed columns or of wavelengths
/// does, and no other row does.
pub(super) fn is_of_numbers(values: &[f64], width: usize) -> bool {
    let (first, rest) = values.split_at(width.min(values.len()));
    let counts_from_zero = first.iter().enumerate().all(|(i, &v)| v == i as f64);
    if rest.is_empty() || width < 2 {
        return false;
    }
    match (counts_from_zero, width >= COLUMNS_THAT_COUNT) {
        (true, false) => rest.iter().any(|value| value.fract() != 0.0),
        (_, true) => in_equal_steps(first) && !rest.chunks_exact(width).any(in_equal_steps),
        (false, false) => false,
    }
}

/// Whether neighbours differ by the same, but for the rounding of decimals.
fn in_equal_steps(row: &[f64]) -> bool {
    let step = row[1] - row[0];
    let largest = row.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let same = |pair: &[f64]| (pair[1] - pair[0] - step).abs() <= 1e-9 * largest;
    step != 0.0 && row.windows(2).all(same)
}
