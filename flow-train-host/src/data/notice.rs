//! What a reader noticed: the data can be used, and its owner should know.

use std::fmt;
use std::path::PathBuf;

use super::error::excerpt;
use crate::files::{escape_controls, one_line};

/// Something noticed in a file or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The file or folder.
    pub path: PathBuf,
    /// What was noticed.
    pub what: Noticed,
}

/// What was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Noticed {
    /// A column counts: a row index is no measurement.
    Counts(ColumnName),
    /// A column only grows, as time does.
    Grows(ColumnName),
    /// Values of a column do not fit f32, and were rounded by more than a hundredth of the
    /// column's deviation.
    Rounded {
        /// The column.
        column: ColumnName,
        /// Values that changed.
        count: usize,
        /// One of them, as the file has it.
        example: String,
        /// What became of it.
        rounded: String,
    },
    /// Of a recording: gaps, a clock that jumps, windows that were left out.
    Recording(String),
    /// What was found and is in order: the rate of a recording.
    Remark(String),
    /// Files of a folder that were not read.
    PassedOver {
        /// What they are: `files that are no pictures`.
        what: &'static str,
        /// How many.
        count: usize,
        /// The first few of them.
        names: Vec<String>,
    },
}

/// A column as a message names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnName {
    /// Counted from one.
    pub number: usize,
    /// Its name in the header, if it has one.
    pub name: Option<String>,
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}", self.number)?;
        match &self.name {
            Some(name) => write!(f, " ({:?})", excerpt(name.as_bytes())),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what.to_string();
        write!(f, "{}: {}", one_line(&self.path), escape_controls(&what))
    }
}

impl fmt::Display for Noticed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counts(column) => write!(
                f,
                "{column} counts from row to row: an index is no measurement; --columns leaves it out"
            ),
            Self::Grows(column) => write!(
                f,
                "{column} only grows from row to row: a time is no measurement; --columns leaves it out"
            ),
            Self::Rounded {
                column,
                count,
                example,
                rounded,
            } => write!(
                f,
                "{column}: {count} values do not fit f32: {example} became {rounded}; subtract the column's offset first"
            ),
            Self::Recording(what) | Self::Remark(what) => f.write_str(what),
            Self::PassedOver { what, count, names } => {
                write!(f, "{count} {what} passed over: {}", names.join(", "))?;
                match count.saturating_sub(names.len()) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
        }
    }
}
