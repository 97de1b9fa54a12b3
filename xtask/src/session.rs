//! One run of an emulated board: files in, emulator, files out.

use crate::CheckFailed;
use crate::boards::{self, Board, Program};
use crate::inputs::Inputs;
use crate::{process, setup};
use anyhow::{Context, Result, bail};
use flow_infer::gate::Decision;
use flowgate_stream::{ANSWERS_FILE, Answer, INPUTS_FILE, MODEL_FILE, Summary, exit};
use std::ffi::CStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A board that answers nothing for this long is stuck. The slowest one answers an input of the
/// largest known model in seconds.
const STALL: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(50);

/// What came back from a board.
pub(crate) struct Run {
    /// One answer per input, after those that the `gate` program gives to its compiled-in images.
    pub(crate) answers: Vec<Answer>,
    /// Stack, scratch and pin over the whole run.
    pub(crate) summary: Summary,
    /// The board's log, as defmt frames.
    pub(crate) log: Vec<u8>,
    /// Wall time of the emulator.
    pub(crate) took: Duration,
}

/// Builds `program` for `board`, installing what that needs.
///
/// # Errors
/// A tool is missing, or the build failed.
pub(crate) fn build(board: &Board, program: Program) -> Result<PathBuf> {
    setup::targets([board.target.as_str()].into_iter())?;
    setup::programs(board.emulator.as_deref().into_iter())?;
    process::run(&mut board.cargo_of("build", program))?;
    board.elf(program)
}

/// A folder of its own with what a board reads; it is gone when it is dropped.
///
/// # Errors
/// It could not be written.
pub(crate) fn folder(board: &Board, model: &[u8], inputs: &Inputs) -> Result<TempDir> {
    // Below the firmware's folder: cargo finds the firmware's configuration from there.
    let parent = boards::target_folder()?.join("runs");
    fs::create_dir_all(&parent).with_context(|| parent.display().to_string())?;
    let folder = tempfile::Builder::new()
        .prefix(&board.name)
        .tempdir_in(&parent)?;
    write(folder.path(), MODEL_FILE, model)?;
    write(folder.path(), INPUTS_FILE, &inputs.to_stream()?)?;
    Ok(folder)
}

/// Runs an already built `program` on `inputs`, telling `progress` the number of answers so far.
///
/// # Errors
/// The board refused the model or the inputs, stopped half-way, or drove the pin otherwise than
/// its own decisions say.
pub(crate) fn run(
    board: &Board,
    program: Program,
    model: &[u8],
    inputs: &Inputs,
    progress: &dyn Fn(u64),
) -> Result<Run> {
    let folder = folder(board, model, inputs)?;
    let folder = folder.path();

    let log = folder.join("log.defmt");
    let mut command = board.cargo_run(program);
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(File::create(&log)?);
    let began = Instant::now();
    let child = command
        .spawn()
        .with_context(|| format!("cannot start `{}`", process::line(&command)))?;
    let status = wait(child, &folder.join(name(ANSWERS_FILE)), progress)?;
    let took = began.elapsed();
    check_status(board, status)?;

    let (answers, summary) = parse(&fs::read(folder.join(name(ANSWERS_FILE)))?)
        .with_context(|| format!("board {}: malformed answers", board.name))?;
    check_pin(&answers, &summary).with_context(|| format!("board {}", board.name))?;
    Ok(Run {
        answers,
        summary,
        log: fs::read(log)?,
        took,
    })
}

/// A host file's name.
pub(crate) fn name(file: &CStr) -> &str {
    file.to_str().unwrap_or_default()
}

fn write(folder: &Path, file: &CStr, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name(file));
    fs::write(&path, bytes).with_context(|| path.display().to_string())
}

/// Waits for the emulator as long as its answers grow.
fn wait(mut child: Child, answers: &Path, progress: &dyn Fn(u64)) -> Result<ExitStatus> {
    let (mut seen, mut moved) = (0, Instant::now());
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let bytes = fs::metadata(answers).map_or(0, |file| file.len());
        if bytes > seen {
            (seen, moved) = (bytes, Instant::now());
            progress(bytes / Answer::BYTES as u64);
        }
        if moved.elapsed() > STALL {
            child.kill()?;
            bail!(CheckFailed(format!(
                "the board gave no answer for {} s",
                STALL.as_secs()
            )));
        }
        std::thread::sleep(POLL);
    }
}

/// Turns the program's exit code into what was wrong.
///
/// # Errors
/// The program did not end as it should.
pub(crate) fn check_status(board: &Board, status: ExitStatus) -> Result<()> {
    let cause = match status.code() {
        Some(exit::DONE) => return Ok(()),
        Some(exit::MODEL_REFUSED) => "refused the model",
        Some(exit::SELF_TEST_FAILED) => "failed the model's self-test",
        Some(exit::KERNEL_DIFFERS) => "multiplies otherwise than the portable kernel",
        Some(exit::HOST_FILES) => "could not read or write the host's files",
        Some(exit::INPUT_SIZE) => "got inputs of another size than the model's",
        Some(exit::PANICKED) => "panicked",
        _ => "ended unexpectedly",
    };
    Err(CheckFailed(format!("board {} {cause} ({status})", board.name)).into())
}

/// Splits the answers file; a run that stopped half-way has no summary.
fn parse(mut bytes: &[u8]) -> Result<(Vec<Answer>, Summary)> {
    let mut answers = vec![];
    while bytes.len() > Summary::BYTES {
        let (answer, rest) = bytes.split_first_chunk().context("half an answer")?;
        answers.push(Answer::from_bytes(*answer).context("an unknown decision")?);
        bytes = rest;
    }
    let summary = bytes
        .try_into()
        .ok()
        .and_then(Summary::from_bytes)
        .context("no summary")?;
    if usize::try_from(summary.answers)? != answers.len() {
        bail!(
            "{} answers where the summary says {}",
            answers.len(),
            summary.answers
        );
    }
    Ok((answers, summary))
}

/// The pin, low at reset, must be high exactly after each accepted input.
fn check_pin(answers: &[Answer], summary: &Summary) -> Result<()> {
    let (mut level, mut changes) = (false, 0);
    for (index, answer) in answers.iter().enumerate() {
        let high = answer.decision == Some(Decision::Accept);
        if answer.pin_high != high {
            bail!(CheckFailed(format!(
                "answer {index}: pin high is {}, decision {:?}",
                answer.pin_high, answer.decision
            )));
        }
        changes += u32::from(level != high);
        level = high;
    }
    if changes != summary.pin_changes {
        bail!(CheckFailed(format!(
            "pin changed {} times instead of {changes}",
            summary.pin_changes
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(decision: Decision, pin_high: bool) -> Answer {
        Answer {
            scores: None,
            score_raw: Some(-2),
            p_value_ppm: None,
            decision: Some(decision),
            pin_high,
        }
    }

    fn file(answers: &[Answer], summary: Summary) -> Vec<u8> {
        let mut bytes: Vec<u8> = answers
            .iter()
            .flat_map(|answer| answer.to_bytes())
            .collect();
        bytes.extend(summary.to_bytes());
        bytes
    }

    #[test]
    fn answers_and_summary_come_back() {
        let answers = [
            answer(Decision::Accept, true),
            answer(Decision::Reject, false),
        ];
        let summary = Summary {
            answers: 2,
            pin_changes: 2,
            ..Summary::default()
        };
        let parsed = parse(&file(&answers, summary)).unwrap();
        assert_eq!(parsed, (answers.to_vec(), summary));
        assert!(check_pin(&parsed.0, &parsed.1).is_ok());
    }

    #[test]
    fn a_run_that_stopped_half_way_is_refused() {
        let answers = [answer(Decision::Reject, false); 3];
        let whole = file(
            &answers,
            Summary {
                answers: 3,
                ..Summary::default()
            },
        );
        assert!(parse(&whole).is_ok());
        for bytes in 0..whole.len() {
            assert!(
                parse(&whole[..bytes]).is_err(),
                "{bytes} of {} bytes",
                whole.len()
            );
        }
        assert!(
            parse(&file(
                &answers,
                Summary {
                    answers: 4,
                    ..Summary::default()
                }
            ))
            .is_err()
        );
    }

    #[test]
    fn a_pin_that_disagrees_is_refused() {
        let summary = Summary {
            answers: 1,
            pin_changes: 1,
            ..Summary::default()
        };
        assert!(check_pin(&[answer(Decision::Accept, true)], &summary).is_ok());
        assert!(check_pin(&[answer(Decision::Accept, false)], &summary).is_err());
        assert!(check_pin(&[answer(Decision::Reject, false)], &summary).is_err());
        assert!(check_pin(&[answer(Decision::Invalid, true)], &summary).is_err());
    }
}
