//! `--blocks`: which inputs belong together.

use crate::failure;
use crate::inputs::Named;
use anyhow::{Context, Result, bail};
use flow_train_host::calibrate::{Blocks, CalibrateError};
use flow_train_host::data::ItemName;
use flow_train_host::files::one_line;
use std::path::Path;

/// What makes blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BlockChoice {
    /// So many stretches of the inputs in their order.
    Stretches(usize),
    /// The folders within the data.
    Folders,
    /// A column of a table, or the recordings that windows are cut from.
    Column(String),
}

/// A number, `folders`, or the name of a column.
pub(crate) fn choice(text: &str) -> Result<BlockChoice, String> {
    match (text, text.parse()) {
        ("", _) => Err("expected a number, `folders` or the name of a column".to_owned()),
        ("folders", _) => Ok(BlockChoice::Folders),
        (_, Ok(0 | 1)) => Err("there are two blocks at least".to_owned()),
        (_, Ok(count)) => Ok(BlockChoice::Stretches(count)),
        (column, Err(_)) => Ok(BlockChoice::Column(column.to_owned())),
    }
}

impl BlockChoice {
    /// The column to be read, if it is one.
    pub(crate) fn column(&self) -> Option<&str> {
        match self {
            Self::Column(column) => Some(column),
            Self::Stretches(_) | Self::Folders => None,
        }
    }

    /// The blocks of data.
    pub(crate) fn of(&self, path: &Path, data: &Named) -> Result<Blocks> {
        let place = || one_line(path).to_string();
        let blocks = match self {
            Self::Stretches(count) => Blocks::stretches(data.data.len(), *count),
            Self::Column(column) if data.blocks.is_empty() => bail!(
                "{}: no table, so it has no column {column:?}: blocks are a number of stretches, `folders`, or `recordings` of windows",
                place()
            ),
            Self::Column(_) => Blocks::named(data.blocks.iter().map(String::as_str)),
            Self::Folders => {
                let folder = |index| match data.items.get(index) {
                    ItemName::File(name) => Some(name.rsplit_once('/').map_or("", |(f, _)| f)),
                    ItemName::Row(_) | ItemName::Line(_) => None,
                };
                let folders: Option<Vec<&str>> = (0..data.data.len()).map(folder).collect();
                let folders = folders.with_context(|| format!("{}: no folder", place()))?;
                Blocks::named(folders)
            }
        };
        let found = blocks.map_err(|error| match error {
            CalibrateError::TooFewBlocks { .. } => {
                anyhow::anyhow!("all inputs are one block; it takes two or more")
            }
            error => error.into(),
        });
        let found = found.with_context(place)?;
        let short = (0..found.count()).find(|&block| found.members(block).len() < 2);
        if let Some(block) = short {
            failure::warn(&format!(
                "{}: block {:?} has one input: a promise of blocks is one of blocks as long as those given",
                place(),
                found.names()[block]
            ));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_folders_and_columns() {
        assert_eq!(choice("5"), Ok(BlockChoice::Stretches(5)));
        assert_eq!(choice("folders"), Ok(BlockChoice::Folders));
        assert_eq!(choice("user"), Ok(BlockChoice::Column("user".to_owned())));
        assert!(choice("1").is_err());
        assert!(choice("").is_err());
    }
}
