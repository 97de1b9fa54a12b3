//! What can be wrong with a data file, and where.
//!
//! One error type for every reader, so that the command line prints every bad file the same way:
//! `PATH: PLACE: what is wrong`, on one line. The problem is an enum for callers and tests; file
//! and place are kept apart from it because every problem can occur in every file.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::gzip::BytesFollow;
use flow_infer::front_end::FrameError;

use crate::files::{escape_controls, one_line};

/// A data file, or a directory of images, that cannot be used.
#[derive(Debug)]
pub struct DataError {
    /// The file at fault; in a directory of images the very image.
    pub path: PathBuf,
    /// The member of a `.npz` archive.
    pub member: Option<String>,
    /// Where in the file, when it is one place.
    pub position: Option<Position>,
    /// What is wrong there.
    pub problem: Problem,
}

/// A place within a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Offset from the start, counted after decompression.
    Byte(u64),
    /// A field of a text file; both count from one.
    Field {
        /// Line of the file, blank lines and header included.
        line: u64,
        /// Field within the line.
        field: u64,
    },
    /// One coordinate of one vector; both count from zero, as in the array.
    Coordinate {
        /// Index of the vector.
        vector: u64,
        /// Index within the vector.
        dim: u64,
    },
}

/// Size of one image: `channels` x `height` x `width`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// 1 for grey, 3 for RGB.
    pub channels: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
}

/// What is wrong with the content of a data file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system would not open or read it.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// There is no item in it.
    #[error("holds no items")]
    Empty,
    /// Fewer items than are needed.
    #[error("holds {found} items, {expected} are needed")]
    TooFew {
        /// Items needed.
        expected: usize,
        /// Items in the file.
        found: usize,
    },
    /// The gzip stream ends before its checksum.
    #[error("truncated gzip stream")]
    TruncatedGzip,
    /// The gzip or zip stream is damaged: what the decoder said.
    #[error("damaged compression: {0}")]
    CorruptCompression(String),
    /// Fewer bytes follow than the header promises.
    #[error("truncated: {expected} bytes should follow, {found} do")]
    Truncated {
        /// Bytes that should follow.
        expected: u64,
        /// Bytes that do.
        found: u64,
    },
    /// Bytes follow the last item.
    #[error("bytes follow the last item")]
    TrailingBytes,
    /// Bytes other than padding follow the gzip stream, which is whole.
    #[error("{}", BytesFollow)]
    BytesAfterGzip,
    /// The header claims more than a file of this length can hold even when compressed.
    #[error("claims {}, the file can hold at most {at_most}", claim(*.claimed))]
    SizeAbsurd {
        /// Bytes claimed; `None` when they exceed 64 bits.
        claimed: Option<u64>,
        /// Most bytes that the file can hold.
        at_most: u64,
    },
    /// A picture with more bytes of pixels than are decoded.
    #[error("takes {claimed} bytes as pixels, at most {at_most} are decoded: make it smaller")]
    TooLarge {
        /// Bytes that it would take.
        claimed: u64,
        /// Most that are decoded.
        at_most: u64,
    },
    /// An IDX file of labels where images were asked for.
    #[error("holds labels, not images")]
    LabelsAsImages,
    /// The first bytes belong to another format.
    #[error("starts with {found:02x?}, which is not {expected}")]
    WrongMagic {
        /// The first bytes.
        found: [u8; 4],
        /// The format asked for.
        expected: &'static str,
    },
    /// None of the formats that [`load`](super::load) knows.
    #[error(
        "neither IDX, NPY, NPZ, CSV nor an image that is read \
         (PNG, JPEG, BMP, TIFF, WebP, PGM, PPM)"
    )]
    UnknownFormat,
    /// Values of a type that cannot be used here.
    #[error("values of type {found}, expected {expected}")]
    WrongDtype {
        /// The type as the file writes it.
        found: String,
        /// Types that can be used.
        expected: &'static str,
    },
    /// An array of a shape that cannot be used here.
    #[error("array of shape {found:?}, expected {expected}")]
    WrongShape {
        /// The shape.
        found: Vec<usize>,
        /// Shapes that can be used.
        expected: &'static str,
    },
    /// A NaN or an infinite value, or one beyond the range of f32.
    #[error("{0} is not a finite f32")]
    NotFinite(f64),
    /// Text that is not a number.
    #[error("{}", no_number(.0))]
    NotANumber(String),
    /// A line with another number of fields than the lines before it.
    #[error("{found} fields, {expected} in the lines before")]
    RaggedRow {
        /// Fields of the lines before.
        expected: u64,
        /// Fields of this line.
        found: u64,
    },
    /// An image of another size than those before it.
    #[error("image of {found}, those before it are {expected}")]
    MixedSizes {
        /// Size of those before.
        expected: ImageSize,
        /// Size of this one.
        found: ImageSize,
    },
    /// An image of another size than the model reads.
    #[error("image of {found}, but the model reads images of {wanted}")]
    WrongSize {
        /// Size that the model reads.
        wanted: ImageSize,
        /// Size of this one.
        found: ImageSize,
    },
    /// A folder without pictures; what was passed over in it.
    #[error("holds no pictures{}", passed_over(.0))]
    NoPictures(String),
    /// An animation, or a document of several pages.
    #[error("holds several pictures (frames or pages); write each to a file")]
    SeveralFrames,
    /// A frame or a picture that the front end cannot reduce to the model's input.
    #[error("{0}")]
    Frame(FrameError),
    /// A picture with pixels that are not opaque: what lies behind them is unknown.
    #[error("has transparent pixels; flatten it first")]
    Transparent,
    /// Samples of more than 8 bits, or with a largest value other than 255.
    #[error("{0}, expected 8-bit samples: reduce it to 8 bits first")]
    WrongDepth(String),
    /// Several arrays, and none or several of them with a telling name.
    #[error("holds arrays {}: name one, {}", .0.join(", "), first_of(.0))]
    AmbiguousArrays(Vec<String>),
    /// An array was asked for in a file that holds no named arrays.
    #[error("no archive (.npz) that could hold an array {:?}", excerpt(.0.as_bytes()))]
    NoArrays(String),
    /// Columns were chosen, and the data are images.
    #[error("holds images, which have no columns to choose")]
    ColumnsOfImages,
    /// No array of this name: (the name, the arrays that there are).
    #[error("no array {:?}: it holds {}", excerpt(.0.as_bytes()), .1.join(", "))]
    NoSuchArray(String, Vec<String>),
    /// A whole number that f32 cannot hold.
    #[error("{0} is no f32: too many digits")]
    NotExact(String),
    /// A column without a name, counted from one: a row index, as pandas and R write it.
    #[error("a column without a name, as a row index has: {}", without_it(*.0))]
    UnnamedColumn(usize),
    /// A first line of numbers that count: a header, or the first values.
    #[error(
        "counts, as the header of unnamed columns does: \
         --header yes (names) or --header no (values)"
    )]
    HeaderUnclear,
    /// A column that was chosen twice, counted from one.
    #[error("column {0} is chosen twice")]
    ColumnTwice(usize),
    /// A table without this column.
    #[error(
        "no column {:?}: neither in the header nor a number from 1 to {columns}",
        excerpt(.wanted.as_bytes())
    )]
    NoSuchColumn {
        /// Name or number that was asked for.
        wanted: String,
        /// Columns that there are.
        columns: usize,
    },
    /// A table in which no row is wanted.
    #[error("no row is wanted; the labels are {}", excerpt(.0.join(", ").as_bytes()))]
    NoSuchLabel(Vec<String>),
    /// Anything else that violates the format: what the reader said.
    #[error("{0}")]
    Malformed(String),
}

/// The beginning of something quoted from a file, short enough for a message.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    const MAX_CHARS: usize = 60;
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into_owned(),
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", one_line(&self.path))?;
        if let Some(member) = &self.member {
            write!(f, "{}: ", escape_controls(member))?;
        }
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        // Decoders and file contents are quoted in some problems: not all of them on one line.
        f.write_str(&escape_controls(&self.problem.to_string()))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(offset) => write!(f, "byte {offset}"),
            Self::Field { line, field } => write!(f, "line {line}, field {field}"),
            Self::Coordinate { vector, dim } => write!(f, "vector {vector}, dimension {dim}"),
        }
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

fn first_of(arrays: &[String]) -> String {
    let first = arrays.first().map_or("NAME", String::as_str);
    format!("--array {first} or FILE.npz:{first}")
}

fn no_number(text: &str) -> String {
    match text {
        "" => "empty field".to_owned(),
        _ => format!("{text:?} is not a number"),
    }
}

fn passed_over(what: &str) -> String {
    match what {
        "" => String::new(),
        _ => format!(": {what}"),
    }
}

fn without_it(column: usize) -> &'static str {
    match column {
        1 => "--columns 2- leaves it out, --columns 1- keeps it",
        _ => "--columns says which are kept",
    }
}

fn claim(bytes: Option<u64>) -> String {
    match bytes {
        Some(bytes) => format!("{bytes} bytes"),
        None => "more than 2^64 bytes".to_owned(),
    }
}

// The message holds the cause, so the error has no source: a chain would say it twice.
impl std::error::Error for DataError {}
