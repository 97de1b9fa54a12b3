//! The rows of a labelled table that have one label: one class in, another out.
//!
//! The reader of [`csv`](super::csv) refuses text and would take a numeric label for a measurement. Here the label
//! column is named, decides which rows are kept, and is left out of them.

use super::csv::{Record, Records};
use super::error::{DataError, Position, Problem};
use super::source::Source;
use super::vectors::Vectors;
use crate::files::{WriteError, write_atomically};
use std::collections::BTreeMap;
use std::path::Path;

/// Which rows and columns of a table are wanted. A column is named by the header, or by its number counted from one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The column of labels.
    pub column: String,
    /// Labels of the rows that are kept; both numbers (1 and 1.0) and texts are compared as what they are.
    pub equals: Vec<String>,
    /// Keeps the rows of all other labels instead.
    pub others: bool,
    /// Further columns to leave out.
    pub without: Vec<String>,
}

/// What was selected.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// Names of the columns that are left, where the table has a header.
    pub names: Option<Vec<String>>,
    /// The rows.
    pub vectors: Vectors,
    /// Rows of every label in the table, kept or not.
    pub labels: BTreeMap<String, usize>,
}

/// Reads the rows that are wanted.
///
/// # Errors
/// [`DataError`]: a column that is not there, no row with the label, and those of [`csv::load`](super::csv::load).
pub fn select(path: &Path, selection: &Selection) -> Result<Selected, DataError> {
    let mut lines = Records::new(Source::open(path)?);
    let mut columns: Option<Columns> = None;
    let (mut names, mut labels, mut values) = (None, BTreeMap::new(), Vec::new());
    while let Some(line) = lines.next()? {
        let is_first = columns.is_none();
        let columns = match &mut columns {
            Some(columns) => columns,
            none => {
                let has_names = lines.is_header(&line.fields);
                let found = Columns::find(selection, &line, has_names);
                none.insert(found.map_err(|problem| lines.source.error(problem))?)
            }
        };
        if is_first && lines.is_header(&line.fields) {
            let left = columns.left(&line.fields);
            names = Some(left.map(|(_, name)| text(name)).collect());
            continue;
        }
        let label = text(&line.fields[columns.label]);
        if selection.keeps(&label) {
            append(&mut values, columns, &line)
                .map_err(|(position, problem)| lines.source.error_at(position, problem))?;
        }
        *labels.entry(label).or_insert(0) += 1;
    }
    let width = columns.map_or(0, |columns| columns.left.len());
    let vectors = match Vectors::new(width, values) {
        Ok(vectors) if !vectors.is_empty() => Ok(vectors),
        _ if labels.is_empty() => Err(Problem::Empty),
        Ok(_) => Err(Problem::NoSuchLabel(labels.keys().cloned().collect())),
        Err(mismatch) => Err(Problem::Malformed(mismatch.to_string())),
    };
    Ok(Selected {
        names,
        vectors: vectors.map_err(|problem| lines.source.error(problem))?,
        labels,
    })
}

/// Adds the numbers of a line, or says which of its fields is none.
fn append(
    values: &mut Vec<f32>,
    columns: &Columns,
    line: &Record,
) -> Result<(), (Position, Problem)> {
    for (index, field) in columns.left(&line.fields) {
        let value = super::csv::finite(field).map_err(|problem| (line.position(index), problem))?;
        values.push(value as f32);
    }
    Ok(())
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

impl Selection {
    fn keeps(&self, label: &str) -> bool {
        let number = |text: &str| text.parse::<f64>().ok();
        let same = |wanted: &String| {
            wanted == label || number(wanted).is_some_and(|n| number(label) == Some(n))
        };
        self.equals.iter().any(same) != self.others
    }
}

/// Which fields of a line are what.
struct Columns {
    label: usize,
    left: Vec<usize>,
}

impl Columns {
    /// Looks for the columns in a table's first line.
    fn find(selection: &Selection, first: &Record, has_names: bool) -> Result<Self, Problem> {
        let width = first.fields.len();
        let place = |wanted: &String| {
            let mut names = first.fields.iter();
            let by_name = names.position(|name| has_names && name == wanted.as_bytes());
            let by_number = || wanted.parse::<usize>().ok()?.checked_sub(1);
            let index = by_name.or_else(by_number).filter(|&index| index < width);
            index.ok_or_else(|| Problem::NoSuchColumn {
                wanted: wanted.clone(),
                columns: width,
            })
        };
        let label = place(&selection.column)?;
        let mut out = vec![label];
        for name in &selection.without {
            out.push(place(name)?);
        }
        let left = (0..width).filter(|index| !out.contains(index)).collect();
        Ok(Self { label, left })
    }

    /// The fields that are left, with their index in the line.
    fn left<'f>(&'f self, fields: &'f [Vec<u8>]) -> impl Iterator<Item = (usize, &'f Vec<u8>)> {
        self.left.iter().map(|&index| (index, &fields[index]))
    }
}

impl Selected {
    /// Writes the rows as CSV, numbers with as many digits as bring back the same f32.
    ///
    /// # Errors
    /// [`WriteError`]; the file at `path` is then as it was.
    pub fn write_csv(&self, path: &Path) -> Result<(), WriteError> {
        write_atomically(path, |writer| {
            if let Some(names) = &self.names {
                let quoted = names.iter().map(|name| format!("\"{name}\""));
                writeln!(writer, "{}", quoted.collect::<Vec<_>>().join(","))?;
            }
            for row in self.vectors.iter() {
                let fields: Vec<String> = row.iter().map(f32::to_string).collect();
                writeln!(writer, "{}", fields.join(","))?;
            }
            Ok(())
        })
    }
}
