//! The committed gate on an emulated board: what a product's firmware does, checked from outside.

use crate::boards::{Board, Program};
use crate::inputs::Inputs;
use crate::session::{self, Run};
use crate::{CheckFailed, board, compare, host, repo};
use anyhow::Result;
use flowgate_stream::Summary;

/// Deepest use of the stack that the firmware may reach.
const STACK_LIMIT: u32 = 8 * 1024;
/// Scratch that leaves room for the stack on a part with 64 KiB of RAM.
const SCRATCH_LIMIT: u32 = 48 * 1024;
/// What the log says once the golden vectors gave the recorded bits.
const SELF_TEST_PASSED: &str = "self-test passed";

/// Runs the gate on `inputs` and checks answers, memory and log.
///
/// # Errors
/// A bit differs from the host's, a limit is passed, or the log does not tell of the self-test.
pub(crate) fn check(board: &Board, model: &[u8], inputs: &Inputs) -> Result<Run> {
    let elf = session::build(board, Program::Gate)?;
    let run = session::run(board, Program::Gate, model, inputs, &mut |_| ())?;
    let mut all = Inputs::load(&repo::compiled_in_images(), None)?;
    all.append(inputs)?;
    let bits = compare::differing_bits(&host::answers(model, &all)?, &run.answers);
    let Summary {
        stack_bytes,
        scratch_bytes,
        ..
    } = run.summary;
    let log = board::decode_log(&elf, &run.log)?;
    let complaint = if bits != 0 {
        format!("differs from the host in {bits} bits")
    } else if stack_bytes > STACK_LIMIT {
        format!("used {stack_bytes} bytes of stack, more than {STACK_LIMIT}")
    } else if scratch_bytes > SCRATCH_LIMIT {
        format!("needs {scratch_bytes} bytes of scratch, more than {SCRATCH_LIMIT}")
    } else if !log.contains(SELF_TEST_PASSED) {
        format!("does not tell `{SELF_TEST_PASSED}` in its log:\n{log}")
    } else {
        return Ok(run);
    };
    Err(CheckFailed(format!("the gate on board {} {complaint}", board.name)).into())
}
