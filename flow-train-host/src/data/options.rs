//! What the user says about a file that its content cannot tell.

use flow_infer::front_end::Reduction;

use super::columns::ColumnChoice;
use super::error::ImageSize;
use super::recording_options::RecordingOptions;

/// How data is read. The default guesses nothing that it cannot see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadOptions {
    /// Array of an archive that holds several.
    pub array: Option<String>,
    /// Whether a table's first line holds names.
    pub header: Header,
    /// Columns of vectors that are kept, in this order; all where nothing is said.
    pub columns: ColumnChoice,
    /// Column of a table that says to which block (user, site, day) a line belongs, of any text; it is no measurement.
    pub block_column: Option<String>,
    /// Size that every picture of a folder must have: that of the model. Without it, the first
    /// picture's.
    pub size: Option<ImageSize>,
    /// How pictures and frames of any size become inputs; without it, they stay as they are.
    pub reduction: Option<Reduction>,
    /// How recordings become windows; without it, a table's lines are vectors.
    pub recordings: Option<RecordingOptions>,
}

/// Whether the first line of a table holds the names of its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// It does if no field of it is a number, and one is not empty.
    #[default]
    Auto,
    /// It does, whatever it holds.
    Yes,
    /// It holds values.
    No,
}
