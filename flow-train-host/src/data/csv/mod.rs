//! CSV: one vector a line, every field a number.
//!
//! Quotes are those of RFC 4180. The separator is a comma, semicolon, tab or blanks (what
//! `numpy.savetxt` writes), whichever parts the first lines into the same number of fields. The
//! first line is a header if none of its fields is a number and one is not empty; the user may say
//! otherwise. Blank lines are passed over. What is no measurement is refused where it shows: text,
//! a column without a name (the row index that pandas and R write), a first line that counts.

mod header;
mod records;

use std::path::Path;

use super::columns::ColumnChoice;
use super::error::{DataError, Position, Problem, excerpt};
use super::items::ItemNames;
use super::notice::ColumnName;
use super::options::{Header, ReadOptions};
use super::source::Source;
use super::table::{self, Course};
use super::vectors::Vectors;
use super::{Dataset, Reading};

pub(super) use self::header::names;
pub(super) use self::records::{Record, Records};

/// Reads a CSV file of numbers, gzipped or not.
///
/// # Errors
/// [`DataError`] with line and field: text or an empty field, NaN, infinity or a value beyond f32,
/// a line with more or fewer fields than the first, a column without a name; or no vectors at all.
pub fn load(path: &Path) -> Result<Vectors, DataError> {
    match read(Source::open(path)?, &ReadOptions::default())?.dataset {
        Dataset::Vectors(vectors) => Ok(vectors),
        Dataset::Images(_) => unreachable!("a table holds vectors"),
    }
}

/// Everything read, before it is looked at.
struct Rows {
    columns: Vec<ColumnName>,
    values: Vec<f64>,
    lines: Vec<u64>,
    blocks: Vec<String>,
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, DataError> {
    let mut records = Records::new(source);
    let Some(first) = records.next()? else {
        return Err(records.source.error(Problem::Empty));
    };
    let named = match options.header {
        Header::Yes => true,
        Header::No => false,
        Header::Auto => records.is_header(&first.fields),
    };
    let names = named.then(|| header::names(&first.fields));
    let at_first = |(field, problem): (usize, Problem)| {
        let (line, field) = (first.number, field as u64 + 1);
        let position = Position::Field { line, field };
        records.source.error_at(position, problem)
    };
    if let Some(names) = names.as_deref().filter(|_| options.columns.is_all()) {
        header::all_named(names).map_err(at_first)?;
    }
    let chosen = options
        .columns
        .resolve(first.fields.len(), names.as_deref());
    let mut chosen = chosen.map_err(|problem| records.source.error(problem))?;
    let block = match &options.block_column {
        None => None,
        Some(column) => {
            let column = ColumnChoice(vec![column.clone()]);
            let found = column.resolve(first.fields.len(), names.as_deref());
            let found = found.map_err(|problem| records.source.error(problem))?;
            chosen.retain(|index| Some(index) != found.first());
            found.first().copied()
        }
    };
    let name_of = |&index: &usize| ColumnName {
        number: index + 1,
        name: names.as_ref().map(|names| names[index].clone()),
    };
    if options.header == Header::Auto && !named {
        header::no_index_above(&first.fields).map_err(at_first)?;
    }
    let mut rows = Rows {
        columns: chosen.iter().map(name_of).collect(),
        values: Vec::new(),
        lines: Vec::new(),
        blocks: Vec::new(),
    };
    let mut next = match named {
        true => records.next()?,
        false => Some(first.clone()),
    };
    while let Some(record) = next {
        rows.push(&record, &chosen)
            .map_err(|(position, problem)| records.source.error_at(position, problem))?;
        let block = block.map(|index| String::from_utf8_lossy(&record.fields[index]).into_owned());
        rows.blocks.extend(block);
        next = records.next()?;
    }
    rows.check(&first, options, named)
        .map_err(|(position, problem)| records.source.error_at(position, problem))?;
    rows.into_reading(&records.source)
}

impl Rows {
    fn push(&mut self, record: &Record, chosen: &[usize]) -> Result<(), (Position, Problem)> {
        for &index in chosen {
            let value = finite(&record.fields[index]);
            self.values
                .push(value.map_err(|problem| (record.position(index), problem))?);
        }
        self.lines.push(record.number);
        Ok(())
    }

    /// Refuses what nobody named and is no measurement: a header of numbers, a row index.
    fn check(
        &self,
        first: &Record,
        options: &ReadOptions,
        named: bool,
    ) -> Result<(), (Position, Problem)> {
        if named || self.values.is_empty() {
            return Ok(());
        }
        let width = self.columns.len();
        if options.header == Header::Auto && header::is_of_numbers(&self.values, width) {
            return Err((first.position(0), Problem::HeaderUnclear));
        }
        let column = self.values.iter().step_by(width);
        let starts = matches!(self.values[0], 0.0 | 1.0) && width > 1;
        let counts = starts && table::course(column.copied()) == Course::Counts;
        match counts && options.columns.is_all() {
            true => Err((first.position(0), Problem::UnnamedColumn(1))),
            false => Ok(()),
        }
    }

    fn into_reading(self, source: &Source<'_>) -> Result<Reading, DataError> {
        if self.values.is_empty() {
            return Err(source.error(Problem::Empty));
        }
        let (narrow, mut noticed) = table::narrowed(&self.values, &self.columns);
        let vectors = Vectors::new(self.columns.len(), narrow)
            .map_err(|mismatch| source.error(Problem::Malformed(mismatch.to_string())))?;
        noticed.extend(table::notices(&vectors, &self.columns));
        Ok(Reading {
            dataset: Dataset::Vectors(vectors),
            items: ItemNames::Lines(self.lines),
            columns: self.columns,
            blocks: self.blocks,
            notices: source.notices(noticed),
        })
    }
}

fn parse(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// The number that a field holds, within the range of f32.
pub(super) fn finite(field: &[u8]) -> Result<f64, Problem> {
    match parse(field) {
        Some(value) if (value as f32).is_finite() => Ok(value),
        Some(value) => Err(Problem::NotFinite(value)),
        None => Err(Problem::NotANumber(excerpt(field))),
    }
}
