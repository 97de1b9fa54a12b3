//! How data is read, as arguments: what a file cannot say of itself.

use crate::frames::FrameArgs;
use clap::{Args, ValueEnum};
use flow_infer::front_end::Reduction;
use flow_train_host::data::{ColumnChoice, Header, ImageSize, ReadOptions};

/// How data is read.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Reading {
    /// Columns of a table to read, in this order: names, numbers from 1 and ranges (2-5, 7-), parted by commas
    #[arg(long, value_name = "NAMES|RANGES", help_heading = "Reading data")]
    columns: Vec<String>,
    /// Whether a table's first line holds names; by default if no field of it is a number
    #[arg(
        long,
        value_name = "WHETHER",
        default_value = "auto",
        help_heading = "Reading data"
    )]
    header: Whether,
    /// Array of a .npz that holds several; a path FILE.npz:NAME says the same
    #[arg(long, value_name = "NAME", help_heading = "Reading data")]
    array: Option<String>,
    #[command(flatten)]
    frames: FrameArgs,
    /// As a configuration has it, where nothing else is said.
    #[arg(skip)]
    kept: Option<Reduction>,
    /// As `--blocks` says it.
    #[arg(skip)]
    block_column: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Whether {
    #[default]
    Auto,
    Yes,
    No,
}

impl Reading {
    /// The options of the readers; pictures must have this size, if any is wanted.
    pub(crate) fn options(&self, size: Option<ImageSize>) -> ReadOptions {
        ReadOptions {
            array: self.array.clone(),
            header: match self.header {
                Whether::Auto => Header::Auto,
                Whether::Yes => Header::Yes,
                Whether::No => Header::No,
            },
            columns: ColumnChoice(self.columns.clone()),
            block_column: self.block_column.clone(),
            size,
            reduction: self.reduction(),
        }
    }

    /// How pictures of any size become inputs, if that was said.
    pub(crate) fn reduction(&self) -> Option<Reduction> {
        self.frames.reduction().or(self.kept)
    }

    /// The same, with a column of a table that says what belongs together.
    pub(crate) fn with_block_column(&self, column: Option<&str>) -> Self {
        Self {
            block_column: column.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The same, pictures as a configuration has them unless it was said here.
    pub(crate) fn or_kept(&self, kept: Option<Reduction>) -> Self {
        Self {
            kept,
            ..self.clone()
        }
    }
}
