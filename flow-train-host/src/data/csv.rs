//! CSV: one vector a line, every field a number.
//!
//! Read by hand, because what matters is that a bad field is named by line and column, and because
//! fields that are all numbers need none of the format's finer points. The separator is a comma,
//! semicolon or tab, whichever of them comes first in that order in the first line; fields may be
//! quoted. The first line is a header if none of its fields is a number. Blank lines are passed
//! over. A text column is an error, never dropped: a class label must not become data unnoticed.

use std::path::Path;

use super::error::{DataError, Position, Problem, excerpt};
use super::source::Source;
use super::vectors::Vectors;

const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a CSV file of numbers, gzipped or not.
///
/// # Errors
/// [`DataError`] with line and field: text or an empty field, NaN, infinity or a value beyond f32,
/// a line with more or fewer fields than the first; or no vectors at all.
pub fn load(path: &Path) -> Result<Vectors, DataError> {
    read(Source::open(path)?)
}

pub(super) fn read(mut source: Source<'_>) -> Result<Vectors, DataError> {
    let mut table = Table::default();
    let mut line = Vec::new();
    while source.line(&mut line)? {
        table.line += 1;
        let text = match table.line {
            1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line),
            _ => &line,
        };
        if text.trim_ascii().is_empty() {
            continue;
        }
        if let Err((field, problem)) = table.push(text) {
            let position = Position::Field {
                line: table.line,
                field,
            };
            return Err(source.error_at(position, problem));
        }
    }
    if table.values.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    Vectors::new(table.width, table.values)
        .map_err(|mismatch| source.error(Problem::Malformed(mismatch.to_string())))
}

/// The lines so far.
#[derive(Default)]
struct Table {
    line: u64,
    separator: u8,
    /// Fields of a line; zero before the first.
    width: usize,
    values: Vec<f32>,
}

impl Table {
    /// Adds one line that is not blank, or says which field is wrong, counted from one.
    fn push(&mut self, text: &[u8]) -> Result<(), (u64, Problem)> {
        let first = self.width == 0;
        if first {
            let used = SEPARATORS
                .into_iter()
                .find(|separator| text.contains(separator));
            self.separator = used.unwrap_or(SEPARATORS[0]);
        }
        let fields = split(text, self.separator);
        if first {
            self.width = fields.len();
            if fields.iter().all(|field| parse(field).is_none()) {
                return Ok(());
            }
        }
        if fields.len() != self.width {
            let (expected, found) = (self.width as u64, fields.len() as u64);
            return Err((found.min(expected), Problem::RaggedRow { expected, found }));
        }
        for (index, field) in fields.iter().enumerate() {
            let value = finite(field).map_err(|problem| (index as u64 + 1, problem))?;
            self.values.push(value);
        }
        Ok(())
    }
}

/// The fields of a line without their quotes; a separator within quotes does not separate.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut quoted = false;
    let fields = text.split(|&byte| {
        quoted ^= byte == b'"';
        byte == separator && !quoted
    });
    fields.map(without_quotes).collect()
}

fn without_quotes(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    match field {
        [b'"', inner @ .., b'"'] => inner.trim_ascii(),
        _ => field,
    }
}

fn parse(field: &[u8]) -> Option<f32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn finite(field: &[u8]) -> Result<f32, Problem> {
    match parse(field) {
        Some(value) if value.is_finite() => Ok(value),
        Some(value) => Err(Problem::NotFinite(value.into())),
        None => Err(Problem::NotANumber(excerpt(field))),
    }
}
