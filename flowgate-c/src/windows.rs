//! A sensor's samples, one at a time, and the decision about each window of them.

use crate::gate::{Decision, State, opened, status, store};
use crate::memory;
use crate::status::Status;
use core::ffi::c_void;
use flow_infer::{Model, WindowError};

/// `flowgate_window` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct WindowShape {
    /// Values of a sample.
    pub channels: usize,
    /// Samples of a window.
    pub samples: usize,
    /// Samples from one decision to the next.
    pub hop: usize,
    /// Samples in a thousand seconds, or zero.
    pub rate_millihertz: u32,
}

/// `flowgate_fault_kind` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum FaultKind {
    /// Every channel is in order.
    None = 0,
    /// A channel stood still.
    Stuck = 1,
    /// A channel was at its ends.
    Saturated = 2,
}

/// `flowgate_fault` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// With which channel.
    pub channel: u32,
}

impl From<WindowError> for Status {
    fn from(error: WindowError) -> Self {
        match error {
            WindowError::Channels { .. } => Self::Channels,
            _ => Self::NoWindows,
        }
    }
}

/// The windows of a model.
///
/// # Safety
/// `model` is null, or so many bytes that can be read; `shape` is null, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_windows(
    model: *const c_void,
    model_len: usize,
    shape: *mut WindowShape,
) -> Status {
    // SAFETY: the caller's promises are those that `bytes` and `store` ask for.
    status(unsafe {
        memory::bytes(model, model_len).and_then(|bytes| {
            let model = Model::load(bytes).map_err(|_| Status::ModelRefused)?;
            let windows = model.windows().ok_or(Status::NoWindows)?;
            let found = WindowShape {
                channels: windows.channels(),
                samples: windows.samples(),
                hop: windows.hop(),
                rate_millihertz: windows.rate_millihertz(),
            };
            store(shape, found)
        })
    })
}

/// Takes a sample, and decides where a window is due.
///
/// # Safety
/// `gate` is null, or memory that `flowgate_open` was given; `sample` is null, or so many values; `decision` is null, or
/// can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_push(
    gate: *mut State,
    sample: *const i16,
    channels: usize,
    decision: *mut Decision,
) -> Status {
    // SAFETY: the caller's promises are those of `push`.
    status(unsafe { push(gate, sample, channels, decision) })
}

/// # Safety
/// As of [`flowgate_push`].
unsafe fn push(
    gate: *mut State,
    sample: *const i16,
    channels: usize,
    decision: *mut Decision,
) -> Result<(), Status> {
    // SAFETY: the caller's promises are those that `opened`, `slice` and `store` ask for.
    unsafe {
        let state = opened(gate)?;
        if decision.is_null() {
            return Err(Status::NullPointer);
        }
        // Before anything is read: a length that is wrong may be one that is not there.
        let windows = state.gate.windows().ok_or(Status::NoWindows)?;
        if channels != windows.channels() {
            return Err(Status::Channels);
        }
        let assessment = state.gate.push(memory::slice(sample, channels)?)?;
        let assessment = assessment.ok_or(Status::Pending)?;
        state.last = Some(assessment);
        store(decision, assessment.decision.into())
    }
}

/// Forgets the samples that have come.
///
/// # Safety
/// `gate` is null, or memory that `flowgate_open` was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_restart_window(gate: *mut State) -> Status {
    // SAFETY: the caller's promise is the one of `opened`.
    status(unsafe { opened(gate).map(|state| state.gate.restart_window()) })
}

/// The sample of a measurement.
///
/// # Safety
/// `gate` is null, or memory that `flowgate_open` was given; `sample` is null, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_sample(
    gate: *const State,
    channel: usize,
    value: f32,
    sample: *mut i16,
) -> Status {
    // SAFETY: the caller's promises are those that `opened` and `store` ask for.
    status(unsafe {
        opened(gate.cast_mut()).and_then(|state| {
            let windows = state.gate.windows().ok_or(Status::NoWindows)?;
            if value.is_nan() {
                return Err(Status::InputNotFinite);
            }
            let found = windows.sample(channel, value).ok_or(Status::Channels)?;
            store(sample, found)
        })
    })
}

/// What was wrong with the sensor in the last window.
///
/// # Safety
/// `gate` is null, or memory that `flowgate_open` was given; `fault` is null, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_last_fault(gate: *const State, fault: *mut Fault) -> Status {
    // SAFETY: the caller's promises are those that `opened` and `store` ask for.
    status(unsafe {
        opened(gate.cast_mut()).and_then(|state| {
            let last = state.last.ok_or(Status::NothingDecided)?;
            let none = Fault {
                kind: FaultKind::None,
                channel: 0,
            };
            let found = last.scores.fault.map_or(none, |fault| Fault {
                kind: match fault.kind {
                    flow_infer::FaultKind::Stuck => FaultKind::Stuck,
                    flow_infer::FaultKind::Saturated => FaultKind::Saturated,
                },
                channel: fault.channel.into(),
            });
            store(fault, found)
        })
    })
}
