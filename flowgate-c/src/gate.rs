//! Opening a gate in the caller's memory, and deciding with it.

use crate::memory::{self, ALIGNMENT, Layout, Needs};
use crate::status::Status;
use core::ffi::c_void;
use flow_infer::{Assessment, Gate, Input, Model};

/// What stands at the beginning of the memory of an open gate.
///
/// The seal is a number mixed with the address, so that memory that holds something else, or was copied elsewhere, is
/// not taken for a gate. It comes first: whoever writes over a gate begins there.
#[derive(Debug)]
#[repr(C)]
pub struct State {
    seal: usize,
    pub(crate) gate: Gate<'static>,
    input_len: usize,
    pub(crate) last: Option<Assessment>,
}

const SEAL: usize = 0x93_46_4C_57;

/// `flowgate_decision` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Decision {
    /// Unlike the data that the model was built for.
    Reject = 0,
    /// Like it.
    Accept = 1,
    /// No input at all: a channel of the sensor is not in order.
    Invalid = 2,
}

impl From<flow_infer::Decision> for Decision {
    fn from(decision: flow_infer::Decision) -> Self {
        match decision {
            flow_infer::Decision::Accept => Self::Accept,
            flow_infer::Decision::Reject => Self::Reject,
            flow_infer::Decision::Invalid => Self::Invalid,
        }
    }
}

/// `flowgate_scores` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Scores {
    /// log_prob of the flow.
    pub log_prob_raw: i64,
    /// Code length, or zero.
    pub code_length_raw: i64,
    /// The score that decides.
    pub score_raw: i64,
    /// Whether a latent left its range.
    pub saturated: u8,
}

/// Memory and input of a model.
///
/// # Safety
/// `model` is null, or so many bytes that can be read; `needs` is null, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_need(
    model: *const c_void,
    model_len: usize,
    needs: *mut Needs,
) -> Status {
    // SAFETY: the caller's promises are those that `bytes` and `store` ask for.
    status(unsafe {
        memory::bytes(model, model_len).and_then(|bytes| {
            let (model, layout) = load(bytes)?;
            let found = Needs {
                memory: layout.len,
                input_len: model.input().elements(),
            };
            store(needs, found)
        })
    })
}

fn load(bytes: &[u8]) -> Result<(Model<'_>, Layout), Status> {
    let model = Model::load(bytes).map_err(|_| Status::ModelRefused)?;
    let layout = Layout::of(&model).ok_or(Status::ModelRefused)?;
    Ok((model, layout))
}

/// Loads a model into memory.
///
/// # Safety
/// `memory` is null, or so many bytes that nothing else touches while the gate is used; `model` is null, or so many
/// bytes that do not change while the gate is used; `gate` is null, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_open(
    memory: *mut c_void,
    memory_len: usize,
    model: *const c_void,
    model_len: usize,
    gate: *mut *mut State,
) -> Status {
    // SAFETY: the caller's promises are those of `open` and `store`.
    status(unsafe {
        if gate.is_null() {
            return Status::NullPointer;
        }
        open(memory.cast(), memory_len, model, model_len).and_then(|state| store(gate, state))
    })
}

/// # Safety
/// As of [`flowgate_open`].
unsafe fn open(
    memory: *mut u8,
    memory_len: usize,
    model: *const c_void,
    model_len: usize,
) -> Result<*mut State, Status> {
    if memory.is_null() {
        return Err(Status::NullPointer);
    }
    if !memory.addr().is_multiple_of(ALIGNMENT) {
        return Err(Status::Misaligned);
    }
    // SAFETY: so many bytes that can be read, as the caller of `flowgate_open` says.
    let bytes: &'static [u8] = unsafe { memory::bytes(model, model_len)? };
    if overlap((memory.addr(), memory_len), (model.addr(), model_len)) {
        return Err(Status::Overlap);
    }
    let (model, layout) = load(bytes)?;
    if memory_len < layout.len {
        return Err(Status::MemoryTooSmall);
    }
    let input_len = model.input().elements();
    // SAFETY: aligned and long enough, as just checked; nothing else touches it, as the caller says. `Gate` borrows
    // what lies behind the state, and the state is written by its own pointer only.
    unsafe {
        let lent = layout.lend(memory);
        let state = memory.cast::<State>();
        (&raw mut (*state).seal).write(0);
        let gate = Gate::in_memory(model, lent)?;
        state.write(State {
            seal: SEAL ^ memory.addr(),
            gate,
            input_len,
            last: None,
        });
        Ok(state)
    }
}

/// Whether two stretches of memory, each an address and a length, share a byte.
fn overlap(one: (usize, usize), other: (usize, usize)) -> bool {
    let end = |(start, len): (usize, usize)| start.saturating_add(len);
    one.0 < end(other) && other.0 < end(one)
}

/// Decides on an image's bytes.
///
/// # Safety
/// `gate` is null, or memory that `flowgate_open` was given; `input` is null, or so many values; `decision` is null, or
/// can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_decide(
    gate: *mut State,
    input: *const u8,
    len: usize,
    decision: *mut Decision,
) -> Status {
    // SAFETY: the caller's promises are those of `decide`.
    status(unsafe { decide(gate, input, len, decision) })
}

/// Decides on a vector of measurements.
///
/// # Safety
/// As of [`flowgate_decide`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_decide_f32(
    gate: *mut State,
    input: *const f32,
    len: usize,
    decision: *mut Decision,
) -> Status {
    // SAFETY: the caller's promises are those of `decide`.
    status(unsafe { decide(gate, input, len, decision) })
}

/// Decides on a vector of samples.
///
/// # Safety
/// As of [`flowgate_decide`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_decide_i16(
    gate: *mut State,
    input: *const i16,
    len: usize,
    decision: *mut Decision,
) -> Status {
    // SAFETY: the caller's promises are those of `decide`.
    status(unsafe { decide(gate, input, len, decision) })
}

/// # Safety
/// As of [`flowgate_decide`].
unsafe fn decide<T>(
    gate: *mut State,
    input: *const T,
    len: usize,
    decision: *mut Decision,
) -> Result<(), Status>
where
    [T]: Input,
{
    // SAFETY: the caller's promises are those that `opened`, `slice` and `store` ask for.
    unsafe {
        let state = opened(gate)?;
        if decision.is_null() {
            return Err(Status::NullPointer);
        }
        // Before anything is read: a length that is wrong may be one that is not there.
        if len != state.input_len {
            return Err(Status::InputLength);
        }
        let assessment = state.gate.assess(memory::slice(input, len)?)?;
        state.last = Some(assessment);
        store(decision, assessment.decision.into())
    }
}

/// All scores of the last decided input.
///
/// # Safety
/// `gate` is null, or memory that `flowgate_open` was given; `scores` is null, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_last_scores(gate: *const State, scores: *mut Scores) -> Status {
    // SAFETY: the caller's promises are those that `opened` and `store` ask for.
    status(unsafe {
        opened(gate.cast_mut()).and_then(|state| {
            let last = state.last.ok_or(Status::NothingDecided)?;
            let found = Scores {
                log_prob_raw: last.scores.log_prob_raw,
                code_length_raw: last.scores.code_length_raw.unwrap_or(0),
                score_raw: last.score_raw,
                saturated: u8::from(last.scores.saturated),
            };
            store(scores, found)
        })
    })
}

/// Reproduces the golden vectors again.
///
/// # Safety
/// `gate` is null, or memory that `flowgate_open` was given; `vectors` is null, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowgate_self_test(gate: *mut State, vectors: *mut u32) -> Status {
    // SAFETY: the caller's promises are those that `opened` and `store` ask for.
    status(unsafe {
        opened(gate).and_then(|state| {
            let tested = state.gate.self_test().map_err(|_| Status::SelfTestFailed)?;
            if vectors.is_null() {
                return Ok(());
            }
            store(vectors, tested)
        })
    })
}

/// The state behind a pointer that claims to be a gate.
///
/// # Safety
/// `gate` is null, or points to memory that `flowgate_open` was given, which nothing else uses now.
pub(crate) unsafe fn opened<'g>(gate: *mut State) -> Result<&'g mut State, Status> {
    if gate.is_null() {
        return Err(Status::NullPointer);
    }
    if !gate.addr().is_multiple_of(ALIGNMENT) {
        return Err(Status::Misaligned);
    }
    // SAFETY: aligned, and memory that can be read; the seal is read alone, because the rest may be anything.
    let seal = unsafe { (&raw const (*gate).seal).read() };
    if seal != SEAL ^ gate.addr() {
        return Err(Status::NotAGate);
    }
    // SAFETY: only `flowgate_open` writes this seal at this address, with the state behind it.
    Ok(unsafe { &mut *gate })
}

/// # Safety
/// `place` is null, or can be written.
pub(crate) unsafe fn store<T>(place: *mut T, value: T) -> Result<(), Status> {
    if place.is_null() {
        return Err(Status::NullPointer);
    }
    if !place.is_aligned() {
        return Err(Status::Misaligned);
    }
    // SAFETY: not null, aligned, and can be written, as the caller says.
    unsafe { place.write(value) };
    Ok(())
}

pub(crate) fn status(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(Status::Ok)
}
