//! The committed gate on an emulated board: what a product's firmware does, checked from outside.

use crate::boards::{Board, Program};
use crate::inputs::Inputs;
use crate::session::{self, Run};
use crate::size::Sizes;
use crate::{CheckFailed, comparison, host, log, repo};
use anyhow::Result;
use flowgate_stream::{Answer, Summary};

/// RAM of the smallest part that the device model is made for.
const RAM_LIMIT: u64 = 64 * 1024;
/// What the log says once the golden vectors gave the recorded bits, and how many there were.
const SELF_TEST_PASSED: &str = "self-test passed: ";

/// Runs the gate on `inputs` and checks answers, memory and log.
///
/// # Errors
/// A bit differs from the host's, a limit is passed, or the log does not tell of the self-test.
pub(crate) fn check(board: &Board, model: &[u8], inputs: &Inputs) -> Result<Run> {
    let mut all = Inputs::load(&repo::compiled_in_images(), None)?;
    all.append(inputs)?;
    checked(
        board,
        model,
        inputs,
        &host::answers(model, &all)?,
        RAM_LIMIT,
    )
}

/// The same of a gate with another model, which has no compiled-in images; its memory is for the linker to check.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_own(board: &Board, model: &[u8], inputs: &Inputs) -> Result<Run> {
    let answers = match inputs.len() {
        0 => vec![],
        _ => host::answers(model, inputs)?,
    };
    checked(board, model, inputs, &answers, u64::MAX)
}

fn checked(
    board: &Board,
    model: &[u8],
    inputs: &Inputs,
    answers: &[Answer],
    ram_limit: u64,
) -> Result<Run> {
    let elf = session::build(board, Program::Gate)?;
    let run = session::run(board, Program::Gate, model, inputs, &|_| ())?;
    let bits = comparison::differing_bits(answers, &run.answers);
    let sizes = Sizes::of(&elf)?;
    let stack = u64::from(run.summary.stack_bytes);
    let ram = sizes.ram + stack;
    let log = log::decode(&elf, &run.log)?;
    let complaint = if bits != 0 {
        format!("differs from the host in {bits} bits")
    } else if ram > ram_limit {
        format!("used {ram} bytes of RAM for statics and stack, more than {ram_limit}")
    } else if sizes.stack.is_some_and(|reserved| stack > reserved) {
        format!("used {stack} bytes of stack, more than the linker reserves")
    } else if golden_vectors(&log).unwrap_or(0) == 0 {
        format!("tested itself with no golden vector; its log:\n{log}")
    } else {
        return Ok(run);
    };
    Err(CheckFailed(format!("the gate on board {} {complaint}", board.name)).into())
}

/// What a run of the gate used and did, in one line.
pub(crate) fn describe(board: &Board, run: &Run) -> String {
    let Summary {
        answers,
        stack_bytes,
        scratch_bytes,
        pin_changes,
    } = run.summary;
    format!(
        "{}: {answers} answers, {pin_changes} pin changes, {stack_bytes} B of stack, \
         {scratch_bytes} B of scratch",
        board.name
    )
}

/// The number of golden vectors that the log tells of.
fn golden_vectors(log: &str) -> Option<u32> {
    let (_, rest) = log.split_once(SELF_TEST_PASSED)?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::golden_vectors;

    #[test]
    fn the_log_tells_how_many_vectors_were_tested() {
        assert_eq!(
            golden_vectors("INFO self-test passed: 4 golden vectors\n"),
            Some(4)
        );
        assert_eq!(golden_vectors("ERROR self-test failed"), None);
    }
}
