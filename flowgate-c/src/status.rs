//! What a call says, as a number and as a sentence.

use core::ffi::{CStr, c_char, c_void};
use flow_infer::{InputError, LoadError, Model, OpenError};

/// `flowgate_status` of the header, value by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// A pointer is null.
    NullPointer = 1,
    /// A pointer is not aligned.
    Misaligned = 2,
    /// Less memory than the model needs.
    MemoryTooSmall = 3,
    /// Model and memory overlap.
    Overlap = 4,
    /// Not made by `flowgate_open`, or written over.
    NotAGate = 5,
    /// Not a sound `.flow` file.
    ModelRefused = 6,
    /// A model in floats.
    NumberFormat = 7,
    /// No threshold.
    NotCalibrated = 8,
    /// A golden vector is not reproduced.
    SelfTestFailed = 9,
    /// An input of another length or kind.
    InputLength = 10,
    /// NaN or infinity.
    InputNotFinite = 11,
    /// Scores before the first decision.
    NothingDecided = 12,
    /// A sample was taken, and no window is due yet.
    Pending = 13,
    /// A model that is for no windows.
    NoWindows = 14,
    /// A sample of another number of channels, or a channel that is not there.
    Channels = 15,
}

impl Status {
    /// Every status, by its number.
    pub const ALL: [Self; 16] = [
        Self::Ok,
        Self::NullPointer,
        Self::Misaligned,
        Self::MemoryTooSmall,
        Self::Overlap,
        Self::NotAGate,
        Self::ModelRefused,
        Self::NumberFormat,
        Self::NotCalibrated,
        Self::SelfTestFailed,
        Self::InputLength,
        Self::InputNotFinite,
        Self::NothingDecided,
        Self::Pending,
        Self::NoWindows,
        Self::Channels,
    ];

    const fn text(self) -> &'static CStr {
        match self {
            Self::Ok => c"done",
            Self::NullPointer => c"a pointer is null",
            Self::Misaligned => c"a pointer is not aligned",
            Self::MemoryTooSmall => c"the memory is smaller than the model needs",
            Self::Overlap => c"the model and the memory overlap",
            Self::NotAGate => c"no gate was opened in this memory, or it was written over",
            Self::ModelRefused => c"the bytes are not a sound .flow file",
            Self::NumberFormat => c"the model is in floats: export it with --format q8",
            Self::NotCalibrated => c"the model has no threshold: flowgate calibrate",
            Self::SelfTestFailed => c"a golden vector does not give the recorded bits",
            Self::InputLength => c"the input has another length or kind than the model reads",
            Self::InputNotFinite => c"the input holds a NaN or an infinity",
            Self::NothingDecided => c"no input was decided on yet",
            Self::Pending => c"the sample was taken, and no window is due yet",
            Self::NoWindows => c"the model is for no windows of samples",
            Self::Channels => c"the sample has another number of channels than the model reads",
        }
    }
}

impl From<OpenError> for Status {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NumberFormat => Self::NumberFormat,
            OpenError::NotCalibrated => Self::NotCalibrated,
            OpenError::Workspace { .. } => Self::MemoryTooSmall,
            OpenError::SelfTest(_) => Self::SelfTestFailed,
            _ => Self::ModelRefused,
        }
    }
}

impl From<InputError> for Status {
    fn from(error: InputError) -> Self {
        match error {
            InputError::NotFinite => Self::InputNotFinite,
            _ => Self::InputLength,
        }
    }
}

/// A sentence about a status.
///
/// The number is taken as C gives it: one that is no status has a sentence too.
#[unsafe(no_mangle)]
pub extern "C" fn flowgate_status_text(status: u32) -> *const c_char {
    let known = usize::try_from(status)
        .ok()
        .and_then(|index| Status::ALL.get(index));
    known
        .map_or(c"not a status of flowgate", |status| status.text())
        .as_ptr()
}

/// Why a model is refused.
///
/// # Safety
/// `model` is null, or so many bytes that can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_model_error(model: *const c_void, len: usize) -> *const c_char {
    // SAFETY: the caller's promise is the one that `bytes` asks for.
    let text = match unsafe { crate::memory::bytes(model, len) } {
        Err(status) => status.text(),
        Ok(bytes) => match Model::load(bytes) {
            Ok(_) => c"sound",
            Err(error) => load_error(error),
        },
    };
    text.as_ptr()
}

fn load_error(error: LoadError) -> &'static CStr {
    match error {
        LoadError::Magic => c"not a .flow file",
        LoadError::Version(_) => c"a format version that this build does not read",
        LoadError::Length => c"truncated or padded: the length differs from what the header says",
        LoadError::Checksum => c"damaged: the checksum does not match",
        LoadError::NumberFormat => c"an unknown number format",
        LoadError::SectionTable => c"the section table is malformed",
        LoadError::MissingSection => c"the plan or the tensors are missing",
        LoadError::Plan(_) => c"the plan is malformed, or needs a part that this build leaves out",
        LoadError::Scratch => c"the header's scratch sizes are not those of the plan",
        LoadError::Calibration => c"the calibration is malformed",
        LoadError::Golden => c"the golden vectors do not fit the input",
        LoadError::Signature => c"the signature does not cover the file",
        _ => c"not a sound .flow file",
    }
}
