//! What the items of a set are called, so that a score can be found again in the data.

use std::fmt;
use std::ops::Range;

/// Names of the items, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemNames {
    /// Rows of an array, counted from zero.
    Rows(Range<usize>),
    /// Lines of a text file, counted from one.
    Lines(Vec<u64>),
    /// Files, as paths within the folder that was read.
    Files(Vec<String>),
}

/// The name of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemName<'n> {
    /// `row 7`.
    Row(usize),
    /// `line 8`.
    Line(u64),
    /// `cat/1.png`.
    File(&'n str),
}

impl ItemNames {
    /// Name of item `index`; beyond the items there is no name but its row.
    pub fn get(&self, index: usize) -> ItemName<'_> {
        let found = match self {
            Self::Rows(rows) => rows.clone().nth(index).map(ItemName::Row),
            Self::Lines(lines) => lines.get(index).copied().map(ItemName::Line),
            Self::Files(files) => files.get(index).map(|name| ItemName::File(name)),
        };
        found.unwrap_or(ItemName::Row(index))
    }

    /// The names of the items of `range`, as far as there are any.
    pub fn take(&self, range: Range<usize>) -> Self {
        fn cut<T: Clone>(all: &[T], range: Range<usize>) -> Vec<T> {
            let end = range.end.min(all.len());
            all[range.start.min(end)..end].to_vec()
        }
        match self {
            Self::Rows(rows) => {
                let at = |index: usize| rows.start.saturating_add(index).min(rows.end);
                Self::Rows(at(range.start)..at(range.end))
            }
            Self::Lines(lines) => Self::Lines(cut(lines, range)),
            Self::Files(files) => Self::Files(cut(files, range)),
        }
    }
}

impl fmt::Display for ItemName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(index) => write!(f, "row {index}"),
            Self::Line(number) => write!(f, "line {number}"),
            Self::File(name) => f.write_str(name),
        }
    }
}
