//! What can be wrong with a pickle and with a tensor.

use super::dtype::Dtype;
use super::text::one_line;
use std::fmt;

/// Most values that a pickle may build; a checkpoint of the paper's largest flow builds 60 thousand.
pub const MAX_VALUES: usize = 1 << 20;

/// Most axes of a tensor; a flow's have four.
pub(super) const MAX_AXES: usize = 8;

/// What is wrong with a pickle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PickleFault {
    /// The bytes end before the program does.
    Truncated,
    /// An instruction that no checkpoint needs.
    Opcode(u8),
    /// A pickle protocol after the fifth.
    Protocol(u8),
    /// An instruction finds too few values, or others than it takes.
    Operands(&'static str),
    /// A memo entry that was never written.
    Memo(u32),
    /// Text that is not UTF-8.
    Text,
    /// More values than [`MAX_VALUES`].
    TooManyValues,
    /// A name that serves to run programs.
    Global(String),
}

impl fmt::Display for PickleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the file ends here, in the middle of the pickle"),
            Self::Opcode(code) => {
                write!(f, "instruction 0x{code:02x} is not one of a checkpoint's")
            }
            Self::Protocol(version) => write!(f, "pickle protocol {version} is unknown"),
            Self::Operands(name) => write!(f, "{name} does not find the values that it takes"),
            Self::Memo(index) => write!(f, "memo entry {index} was never written"),
            Self::Text => f.write_str("text that is not UTF-8"),
            Self::TooManyValues => write!(f, "more than {MAX_VALUES} values"),
            Self::Global(name) => write!(
                f,
                "asks for {}, which a checkpoint does not need; nothing was run",
                one_line(name)
            ),
        }
    }
}

/// Why a value of the state dict is no readable tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TensorFault {
    /// Something else than a tensor.
    NotATensor,
    /// Something else than a list of indices.
    NotIndices,
    /// Something else than a list of truth values.
    NotAMask,
    /// Something else than one gain of weight norm, or one for each output.
    NotAGain,
    /// The tensor refers to something else than a whole storage.
    NotAStorage,
    /// No storage of this key.
    MissingStorage(String),
    /// The storage has another number of bytes than its elements need.
    StorageSize {
        /// Number of elements that the pickle claims.
        elements: u64,
        /// Their type.
        dtype: Dtype,
        /// Bytes that are there.
        bytes: u64,
    },
    /// Different numbers of sizes and strides, or too many.
    Axes(usize, usize),
    /// Elements outside of the storage.
    Outside {
        /// Number of elements of the storage.
        elements: u64,
    },
    /// All tensors together claim more elements than the file has bytes.
    TooLarge,
}

impl fmt::Display for TensorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotATensor => f.write_str("is not a tensor"),
            Self::NotAMask => f.write_str("is not a list of truth values"),
            Self::NotAGain => f.write_str("is not weight norm's gain of each output"),
            Self::NotIndices => f.write_str("is not a list of indices"),
            Self::NotAStorage => f.write_str("does not refer to a whole storage"),
            Self::MissingStorage(key) => {
                let key = one_line(key);
                write!(f, "storage {key} is missing")
            }
            Self::StorageSize {
                elements,
                dtype,
                bytes,
            } => write!(
                f,
                "its storage should hold {elements} elements of {dtype}, but has {bytes} bytes"
            ),
            Self::Axes(sizes, strides) => write!(
                f,
                "{sizes} sizes and {strides} strides; at most {MAX_AXES} of each are read"
            ),
            Self::Outside { elements } => {
                write!(f, "reaches outside of its storage of {elements} elements")
            }
            Self::TooLarge => {
                f.write_str("the tensors claim more elements than the file has bytes")
            }
        }
    }
}
