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

pub(super) fn read(source: Source<'_>) -> Result<Vectors, DataError> {
    let mut lines = Lines::new(source);
    let (mut width, mut values) = (0, Vec::new());
    while let Some(line) = lines.next()? {
        width = line.fields.len();
        if line.is_header {
            continue;
        }
        for (index, field) in line.fields.iter().enumerate() {
            let value = finite(field).map_err(|problem| {
                let (line, field) = (line.number, index as u64 + 1);
                let position = Position::Field { line, field };
                lines.source.error_at(position, problem)
            })?;
            values.push(value);
        }
    }
    if values.is_empty() {
        return Err(lines.source.error(Problem::Empty));
    }
    Vectors::new(width, values)
        .map_err(|mismatch| lines.source.error(Problem::Malformed(mismatch.to_string())))
}

/// A line that is not blank.
pub(super) struct Line {
    /// Counted from one, blank lines included.
    pub(super) number: u64,
    /// The fields without their quotes, as many as in every other line.
    pub(super) fields: Vec<Vec<u8>>,
    /// Whether they are names: the first line, and no number in it.
    pub(super) is_header: bool,
}

/// The lines of a file, one after the other.
pub(super) struct Lines<'s> {
    pub(super) source: Source<'s>,
    number: u64,
    separator: u8,
    /// Fields of a line; zero before the first.
    width: usize,
    buffer: Vec<u8>,
}

impl<'s> Lines<'s> {
    pub(super) fn new(source: Source<'s>) -> Self {
        Self {
            source,
            number: 0,
            separator: SEPARATORS[0],
            width: 0,
            buffer: Vec::new(),
        }
    }

    /// The next line that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<Line>, DataError> {
        while self.source.line(&mut self.buffer)? {
            self.number += 1;
            let text = match self.number {
                1 => self.buffer.strip_prefix(BYTE_ORDER_MARK),
                _ => None,
            };
            let text = text.unwrap_or(&self.buffer);
            if text.trim_ascii().is_empty() {
                continue;
            }
            let first = self.width == 0;
            if first {
                let used = SEPARATORS.into_iter().find(|byte| text.contains(byte));
                self.separator = used.unwrap_or(SEPARATORS[0]);
            }
            let fields = split(text, self.separator);
            if first {
                self.width = fields.len();
            }
            let (expected, found) = (self.width as u64, fields.len() as u64);
            if found != expected {
                let (line, field) = (self.number, found.min(expected));
                let problem = Problem::RaggedRow { expected, found };
                let position = Position::Field { line, field };
                return Err(self.source.error_at(position, problem));
            }
            let is_header = first && fields.iter().all(|field| parse(field).is_none());
            let fields = fields.into_iter().map(<[u8]>::to_vec).collect();
            let number = self.number;
            return Ok(Some(Line {
                number,
                fields,
                is_header,
            }));
        }
        Ok(None)
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

/// The number that a field holds.
pub(super) fn finite(field: &[u8]) -> Result<f32, Problem> {
    match parse(field) {
        Some(value) if value.is_finite() => Ok(value),
        Some(value) => Err(Problem::NotFinite(value.into())),
        None => Err(Problem::NotANumber(excerpt(field))),
    }
}
