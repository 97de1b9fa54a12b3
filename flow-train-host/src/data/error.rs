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
    /// Where in the file, when one place is to blame.
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
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system would not open or read it.
    Io(io::Error),
    /// There is no item in it.
    Empty,
    /// Fewer items than are needed.
    TooFew {
        /// Items needed.
        expected: usize,
        /// Items in the file.
        found: usize,
    },
    /// The gzip stream ends before its checksum.
    TruncatedGzip,
    /// The gzip or zip stream is damaged: what the decoder said.
    CorruptCompression(String),
    /// Fewer bytes follow than the header promises.
    Truncated {
        /// Bytes that should follow.
        expected: u64,
        /// Bytes that do.
        found: u64,
    },
    /// Bytes follow the last item.
    TrailingBytes,
    /// Bytes other than padding follow the gzip stream, which is whole.
    BytesAfterGzip,
    /// The header claims more than a file of this length can hold even when compressed.
    SizeAbsurd {
        /// Bytes claimed; `None` when they exceed 64 bits.
        claimed: Option<u64>,
        /// Most bytes that the file can hold.
        at_most: u64,
    },
    /// A picture with more bytes of pixels than are decoded.
    TooLarge {
        /// Bytes that it would take.
        claimed: u64,
        /// Most that are decoded.
        at_most: u64,
    },
    /// An IDX file of labels where images were asked for.
    LabelsAsImages,
    /// The first bytes belong to another format.
    WrongMagic {
        /// The first bytes.
        found: [u8; 4],
        /// The format asked for.
        expected: &'static str,
    },
    /// None of the formats that [`load`](super::load) knows.
    UnknownFormat,
    /// Values of a type that cannot be used here.
    WrongDtype {
        /// The type as the file writes it.
        found: String,
        /// Types that can be used.
        expected: &'static str,
    },
    /// An array of a shape that cannot be used here.
    WrongShape {
        /// The shape.
        found: Vec<usize>,
        /// Shapes that can be used.
        expected: &'static str,
    },
    /// A NaN or an infinite value, or one beyond the range of f32.
    NotFinite(f64),
    /// Text that is not a number.
    NotANumber(String),
    /// A line with another number of fields than the lines before it.
    RaggedRow {
        /// Fields of the lines before.
        expected: u64,
        /// Fields of this line.
        found: u64,
    },
    /// An image of another size than those before it.
    MixedSizes {
        /// Size of those before.
        expected: ImageSize,
        /// Size of this one.
        found: ImageSize,
    },
    /// An image of another size than the model reads.
    WrongSize {
        /// Size that the model reads.
        wanted: ImageSize,
        /// Size of this one.
        found: ImageSize,
    },
    /// A folder without pictures; what was passed over in it.
    NoPictures(String),
    /// An animation, or a document of several pages.
    SeveralFrames,
    /// A frame or a picture that the front end cannot reduce to the model's input.
    Frame(FrameError),
    /// A picture with pixels that are not opaque: what lies behind them is unknown.
    Transparent,
    /// Samples of more than 8 bits, or with a largest value other than 255.
    WrongDepth(String),
    /// Several arrays, and none or several of them with a telling name.
    AmbiguousArrays(Vec<String>),
    /// An array was asked for in a file that holds no named arrays.
    NoArrays(String),
    /// Columns were chosen, and the data are images.
    ColumnsOfImages,
    /// No array of this name: (the name, the arrays that there are).
    NoSuchArray(String, Vec<String>),
    /// A whole number that f32 cannot hold.
    NotExact(String),
    /// A column without a name, counted from one: a row index, as pandas and R write it.
    UnnamedColumn(usize),
    /// A first line of numbers that count: a header, or the first values.
    HeaderUnclear,
    /// A column that was chosen twice, counted from one.
    ColumnTwice(usize),
    /// A table without this column.
    NoSuchColumn {
        /// Name or number that was asked for.
        wanted: String,
        /// Columns that there are.
        columns: usize,
    },
    /// A table in which no row is wanted.
    NoSuchLabel(Vec<String>),
    /// Anything else that violates the format: what the reader said.
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

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::Empty => f.write_str("holds no items"),
            Self::TooFew { expected, found } => {
                write!(f, "holds {found} items, {expected} are needed")
            }
            Self::TruncatedGzip => f.write_str("truncated gzip stream"),
            Self::CorruptCompression(why) => write!(f, "damaged compression: {why}"),
            Self::Truncated { expected, found } => {
                write!(f, "truncated: {expected} bytes should follow, {found} do")
            }
            Self::BytesAfterGzip => BytesFollow.fmt(f),
            Self::TrailingBytes => f.write_str("bytes follow the last item"),
            Self::SizeAbsurd { claimed, at_most } => fmt_absurd(f, *claimed, *at_most),
            Self::TooLarge { claimed, at_most } => write!(
                f,
                "takes {claimed} bytes as pixels, at most {at_most} are decoded: make it smaller"
            ),
            Self::LabelsAsImages => f.write_str("holds labels, not images"),
            Self::WrongMagic { found, expected } => {
                write!(f, "starts with {found:02x?}, which is not {expected}")
            }
            Self::UnknownFormat => f.write_str("neither IDX, NPY, NPZ, CSV nor an image that is read (PNG, JPEG, BMP, TIFF, WebP, PGM, PPM)"),
            Self::WrongDtype { found, expected } => {
                write!(f, "values of type {found}, expected {expected}")
            }
            Self::WrongShape { found, expected } => {
                write!(f, "array of shape {found:?}, expected {expected}")
            }
            Self::NotFinite(value) => write!(f, "{value} is not a finite f32"),
            Self::NotANumber(text) if text.is_empty() => f.write_str("empty field"),
            Self::NotANumber(text) => write!(f, "{text:?} is not a number"),
            Self::RaggedRow { expected, found } => {
                write!(f, "{found} fields, {expected} in the lines before")
            }
            Self::MixedSizes { expected, found } => {
                write!(f, "image of {found}, those before it are {expected}")
            }
            Self::WrongSize { wanted, found } => {
                write!(f, "image of {found}, but the model reads images of {wanted}")
            }
            Self::NoPictures(passed_over) if passed_over.is_empty() => {
                f.write_str("holds no pictures")
            }
            Self::NoPictures(passed_over) => write!(f, "holds no pictures: {passed_over}"),
            Self::SeveralFrames => {
                f.write_str("holds several pictures (frames or pages); write each to a file")
            }
            Self::Frame(error) => write!(f, "{error}"),
            Self::Transparent => f.write_str("has transparent pixels; flatten it first"),
            Self::WrongDepth(found) => write!(f, "{found}, expected 8-bit samples: reduce it to 8 bits first"),
            Self::AmbiguousArrays(names) => write!(
                f,
                "holds arrays {}: name one, --array {} or FILE.npz:{}",
                names.join(", "),
                names[0],
                names[0]
            ),
            Self::NoSuchArray(wanted, names) => write!(
                f,
                "no array {:?}: it holds {}",
                excerpt(wanted.as_bytes()),
                names.join(", ")
            ),
            Self::NoArrays(wanted) => write!(
                f,
                "no archive (.npz) that could hold an array {:?}",
                excerpt(wanted.as_bytes())
            ),
            Self::ColumnsOfImages => f.write_str("holds images, which have no columns to choose"),
            Self::NotExact(value) => write!(f, "{value} is no f32: too many digits"),
            Self::UnnamedColumn(number) => {
                f.write_str("a column without a name, as a row index has: ")?;
                match number {
                    1 => f.write_str("--columns 2- leaves it out, --columns 1- keeps it"),
                    _ => f.write_str("--columns says which are kept"),
                }
            }
            Self::HeaderUnclear => f.write_str(
                "counts, as the header of unnamed columns does: --header yes (names) or --header no (values)",
            ),
            Self::ColumnTwice(number) => write!(f, "column {number} is chosen twice"),
            Self::NoSuchColumn { wanted, columns } => write!(
                f,
                "no column {:?}: neither in the header nor a number from 1 to {columns}",
                excerpt(wanted.as_bytes())
            ),
            Self::NoSuchLabel(labels) => {
                let labels = excerpt(labels.join(", ").as_bytes());
                write!(f, "no row is wanted; the labels are {labels}")
            }
            Self::Malformed(why) => f.write_str(why),
        }
    }
}

fn fmt_absurd(f: &mut fmt::Formatter<'_>, claimed: Option<u64>, at_most: u64) -> fmt::Result {
    match claimed {
        Some(bytes) => write!(
            f,
            "claims {bytes} bytes, the file can hold at most {at_most}"
        ),
        None => write!(
            f,
            "claims more than 2^64 bytes, the file can hold at most {at_most}"
        ),
    }
}

// The message holds the cause, so the error has no source: a chain would say it twice.
impl std::error::Error for DataError {}
