//! Tables of the repository's records, as they stand there.

use anyhow::{Context, Result};
use flow_train_host::files::one_line;
use std::path::Path;

/// A table of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordTable {
    /// The file's name.
    pub(super) record: &'static str,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// The first table of a record whose head holds a word.
pub(super) fn table(folder: &Path, record: &'static str, word: &str) -> Result<RecordTable> {
    let path = folder.join(record);
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| format!("{}: cannot be read", one_line(&path)))?;
    let found = parse(&text, word);
    let (head, rows) = found.with_context(|| format!("{}: no table of {word}", one_line(&path)))?;
    Ok(RecordTable { record, head, rows })
}

type Parsed = (Vec<String>, Vec<Vec<String>>);

fn parse(text: &str, word: &str) -> Option<Parsed> {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &str| line.starts_with("|-") || line.starts_with("|:");
    let heads = lines
        .windows(2)
        .position(|pair| pair[0].starts_with('|') && pair[0].contains(word) && is_rule(pair[1]))?;
    let rows = lines[heads + 2..].iter();
    let rows = rows.take_while(|line| line.starts_with('|'));
    Some((cells(lines[heads]), rows.map(|line| cells(line)).collect()))
}

/// The cells of a line, without marks for bold text and code.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    let plain = |cell: &str| cell.trim().replace("**", "").replace('`', "");
    inner.split('|').map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_by_a_word_of_its_head() {
        let text = "a\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n\n| in | flow |\n|---|--:|\n| **g** | `3` |\n| h | 4 |\nend";
        let (head, rows) = parse(text, "flow").unwrap();
        assert_eq!(head, ["in", "flow"]);
        assert_eq!(rows, [["g", "3"], ["h", "4"]]);
        assert_eq!(parse(text, "none"), None);
    }
}
