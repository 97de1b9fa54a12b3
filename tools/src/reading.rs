//! How data is read, as arguments: what a file cannot say of itself.

use crate::frames::FrameArgs;
use crate::windows::WindowArgs;
use clap::{Args, ValueEnum};
use flow_infer::front_end::Reduction;
use flow_train_host::data::recordings::{Faulty, RecordingOptions};
use flow_train_host::data::{ColumnChoice, Header, ImageSize, ReadOptions};
use flow_train_host::front_end::FrontEnd;
use flow_train_host::windows::WindowSpec;

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
    #[command(flatten)]
    windows: WindowArgs,
    /// As a configuration has it, where nothing else is said.
    #[arg(skip)]
    kept: Option<Reduction>,
    /// The same of windows.
    #[arg(skip)]
    kept_windows: Option<WindowSpec>,
    /// Whether windows that are no input are left out.
    #[arg(skip)]
    leaves_faulty: bool,
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
            recordings: self.recordings(self.kept_windows.as_ref()),
        }
    }

    /// How recordings become windows, if that was said, or is known of a model.
    pub(crate) fn recordings(&self, known: Option<&WindowSpec>) -> Option<RecordingOptions> {
        let faulty = match self.leaves_faulty {
            true => Faulty::LeaveOut,
            false => Faulty::Keep,
        };
        self.windows.options(known, faulty)
    }

    /// Whether windows were asked for.
    pub(crate) fn asks_for_windows(&self) -> bool {
        self.windows.asks()
    }

    /// The same, without windows of which a gate would say that they are no input.
    pub(crate) fn without_faulty(&self) -> Self {
        Self {
            leaves_faulty: true,
            ..self.clone()
        }
    }

    /// The same, in the windows of others: those that this one asks for are of other data.
    pub(crate) fn keeping_windows(&self, kept: Option<&FrontEnd>) -> Self {
        Self {
            windows: self.windows.of_others(),
            ..self.or_front_end(kept)
        }
    }

    /// The same, recordings as a configuration has them unless it was said here.
    pub(crate) fn or_front_end(&self, kept: Option<&FrontEnd>) -> Self {
        Self {
            kept: kept.and_then(FrontEnd::reduction),
            kept_windows: kept.and_then(FrontEnd::windows).cloned(),
            ..self.clone()
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
}
