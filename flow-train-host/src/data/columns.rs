//! Which columns of a table are wanted.

use std::ops::Range;

use super::error::Problem;

/// A choice of columns: by name, by number counted from one, or by a range of numbers.
///
/// Each text is one whole name, or a list parted by commas of names, numbers (`3`) and ranges
/// (`2-5`, `7-`). A name goes before a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnChoice(pub Vec<String>);

impl ColumnChoice {
    /// Whether nothing is said, and all columns are wanted.
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Indices of the chosen columns among `width`, in the order of the choice.
    pub(super) fn resolve(
        &self,
        width: usize,
        names: Option<&[String]>,
    ) -> Result<Vec<usize>, Problem> {
        if self.is_all() {
            return Ok((0..width).collect());
        }
        let mut chosen = Vec::new();
        for text in &self.0 {
            if let Some(index) = by_name(text, names) {
                chosen.push(index);
                continue;
            }
            for item in text.split(',').map(str::trim) {
                match by_name(item, names) {
                    Some(index) => chosen.push(index),
                    None => chosen.extend(by_number(item, width)?),
                }
            }
        }
        let twice = (1..chosen.len()).find(|&at| chosen[..at].contains(&chosen[at]));
        match twice {
            Some(at) => Err(Problem::ColumnTwice(chosen[at] + 1)),
            None => Ok(chosen),
        }
    }
}

fn by_name(text: &str, names: Option<&[String]>) -> Option<usize> {
    names?
        .iter()
        .position(|name| !text.is_empty() && name == text)
}

fn by_number(item: &str, width: usize) -> Result<Range<usize>, Problem> {
    let range = match item.split_once('-') {
        None => item.parse().ok().map(|number: usize| (number, number)),
        Some((first, "")) => first.parse().ok().map(|first| (first, width)),
        Some((first, last)) => first.parse().ok().zip(last.parse().ok()),
    };
    match range {
        Some((first @ 1.., last)) if first <= last && last <= width => Ok(first - 1..last),
        _ => Err(Problem::NoSuchColumn {
            wanted: item.to_owned(),
            columns: width,
        }),
    }
}
