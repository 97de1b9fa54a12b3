//! The committed counts, and whether new ones are worse.

use super::cases::Case;
use crate::{process, repo};
use anyhow::{Context, Result, bail};
use flowgate::date;
use std::fs;
use std::path::PathBuf;

/// Growth beyond which a count is a failure: other compilers schedule the same code a little
/// differently.
const TOLERANCE: f64 = 0.03;
const HEAD: &str = "case;board;multiplies;instructions";

/// One count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) case: String,
    pub(crate) board: String,
    pub(crate) multiplies: u64,
    pub(crate) instructions: u64,
}

impl Entry {
    pub(crate) fn per_multiply(&self) -> f64 {
        self.instructions as f64 / self.multiplies as f64
    }

    fn is_of(&self, other: &Self) -> bool {
        (&self.case, &self.board) == (&other.case, &other.board)
    }

    fn line(&self) -> String {
        let Self {
            case,
            board,
            multiplies,
            instructions,
        } = self;
        format!("{case};{board};{multiplies};{instructions}")
    }

    fn parse(line: &str) -> Result<Self> {
        let fields: Vec<&str> = line.split(';').collect();
        let &[case, board, multiplies, instructions] = fields.as_slice() else {
            bail!("`{line}` is not `{HEAD}`");
        };
        Ok(Self {
            case: case.to_owned(),
            board: board.to_owned(),
            multiplies: multiplies.parse()?,
            instructions: instructions.parse()?,
        })
    }
}

/// The committed counts.
pub(crate) struct Record(Vec<Entry>);

impl Record {
    fn path() -> PathBuf {
        repo::root().join("tools/records/instructions.csv")
    }

    /// The committed record; empty where there is none yet.
    ///
    /// # Errors
    /// It is malformed.
    pub(crate) fn load() -> Result<Self> {
        let path = Self::path();
        if !path.exists() {
            return Ok(Self(vec![]));
        }
        let text = fs::read_to_string(&path)?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && *line != HEAD);
        Ok(Self(lines.map(Entry::parse).collect::<Result<_>>()?))
    }

    /// The recorded count of the same case and board.
    pub(crate) fn find(&self, entry: &Entry) -> Option<&Entry> {
        self.0.iter().find(|recorded| recorded.is_of(entry))
    }

    /// What is worse than the record, or not in it.
    pub(crate) fn worse(&self, entry: &Entry) -> Option<String> {
        let Entry { case, board, .. } = entry;
        let Some(recorded) = self.find(entry) else {
            return Some(format!("{case} on {board} has no record; see --record"));
        };
        let (now, then) = (entry.per_multiply(), recorded.per_multiply());
        (now > then * (1.0 + TOLERANCE)).then(|| {
            format!("{case} on {board}: {now:.3} instructions a multiply instead of {then:.3}")
        })
    }

    /// The record with these counts in place of its own.
    pub(crate) fn with(mut self, counted: &[Entry]) -> Self {
        self.0
            .retain(|recorded| !counted.iter().any(|entry| entry.is_of(recorded)));
        self.0.extend_from_slice(counted);
        self
    }

    /// Writes the record, without cases that there are no more.
    ///
    /// # Errors
    /// It could not be written.
    pub(crate) fn save(mut self, cases: &[Case]) -> Result<()> {
        let place = |entry: &Entry| cases.iter().position(|case| case.name == entry.case);
        self.0.retain(|entry| place(entry).is_some());
        self.0
            .sort_by(|a, b| (place(a), &a.board).cmp(&(place(b), &b.board)));
        let mut text = format!("{}{HEAD}\n", origin("bench device")?);
        for entry in &self.0 {
            text += &entry.line();
            text += "\n";
        }
        let path = Self::path();
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("written: {}", path.display());
        Ok(())
    }
}

/// Comment lines that say when a record was made, and with what.
///
/// # Errors
/// A tool does not tell its version.
pub(super) fn origin(verb: &str) -> Result<String> {
    Ok(format!(
        "# cargo xtask {verb} --record, {}\n# {}, {}\n",
        date::today(),
        process::version("rustc")?,
        process::version("qemu-system-arm")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(case: &str, board: &str, instructions: u64) -> Entry {
        let (case, board) = (case.to_owned(), board.to_owned());
        Entry {
            case,
            board,
            multiplies: 1000,
            instructions,
        }
    }

    #[test]
    fn a_record_comes_back() {
        let entries = [
            entry("dense, 128 to 128", "m4", 1700),
            entry("a", "m3", 2500),
        ];
        let text = format!(
            "# by hand\n{HEAD}\n{}\n{}\n",
            entries[0].line(),
            entries[1].line()
        );
        assert_eq!(Record::parse(&text).unwrap().0, entries);
        assert!(Record::parse("a;m3;1000").is_err());
        assert!(Record::parse("a;m3;1000;many").is_err());
    }

    #[test]
    fn three_percent_are_allowed_and_no_more() {
        let record = Record(vec![entry("a", "m4", 1000), entry("a", "m3", 2000)]);
        let worse = |entry| record.worse(&entry).unwrap_or_default();
        assert_eq!(worse(entry("a", "m4", 1030)), "");
        assert_eq!(worse(entry("a", "m3", 100)), "");
        assert!(worse(entry("a", "m4", 1031)).contains("1.031"));
        assert!(worse(entry("a", "m0", 1)).contains("no record"));
    }

    #[test]
    fn new_counts_replace_old_ones() {
        let record = Record(vec![entry("a", "m4", 1000), entry("a", "m3", 2000)]);
        let record = record.with(&[entry("a", "m4", 900), entry("b", "m4", 5)]);
        assert_eq!(
            record.find(&entry("a", "m4", 0)),
            Some(&entry("a", "m4", 900))
        );
        assert_eq!(record.0.len(), 3);
    }
}
