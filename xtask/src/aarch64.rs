//! A host of another architecture, under QEMU's emulation of a process: the engine's tests, its
//! kernels against this host's, and what they cost.

use crate::comparison::{self, Comparison};
use crate::inputs::Inputs;
use crate::setup::{self, AARCH64_EMULATOR, AARCH64_TARGET};
use crate::{host, process, repo};
use anyhow::{Context, Result};
use flow_infer::gate::Decision;
use flow_infer::score::combined::{Combined, TestKind};
use flow_infer::score::{Exposure, Scores};
use flowgate_stream::Answer;
use std::fs;
use std::iter::once;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use tempfile::TempDir;

/// The kernels of such a processor, best first.
pub(crate) const KERNELS: [&str; 3] = ["sdot", "neon", "portable"];

/// Lints the engine for it, runs its tests there, and compares every kernel on every committed
/// model with this host.
///
/// # Errors
/// Something that they need cannot be installed, a test fails, or a bit differs.
pub(crate) fn check(inputs: &Inputs) -> Result<()> {
    install()?;
    process::run(cargo("clippy").args(["--all-targets", "--", "-D", "warnings"]))?;
    process::run(cargo("test").args(["--lib", "--tests"]))?;
    for path in repo::committed_models() {
        let comparisons = compare(&fs::read(&path)?, inputs)?;
        println!("{}", path.display());
        let table = comparison::tabulate(&comparisons, inputs.len());
        table.print(&mut flowgate::output::Output::stdout())?;
        comparison::verdict(&comparisons)?;
    }
    Ok(())
}

/// Every kernel's answers beside this host's, the kernels side by side.
///
/// # Errors
/// The program cannot be built or run, or does not answer every input.
pub(crate) fn compare(model: &[u8], inputs: &Inputs) -> Result<Vec<Comparison>> {
    let expected = host::answers(model, inputs)?;
    let program = build("score")?;
    let of_kernel = |kernel: &str| -> Result<Comparison> {
        let began = Instant::now();
        let folder = folder(model, inputs)?;
        let mut command = Command::new(AARCH64_EMULATOR);
        command.arg(&program).args(arguments(&folder, kernel));
        let text = process::stdout(&mut command)?;
        let answers: Result<Vec<Answer>> = text.lines().map(answer).collect();
        Ok(Comparison {
            name: format!("aarch64, {kernel}"),
            differing_bits: comparison::differing_bits(&expected, &answers?),
            memory: None,
            took: began.elapsed(),
        })
    };
    std::thread::scope(|scope| {
        let of_kernel = &of_kernel;
        let threads = KERNELS.map(|kernel| scope.spawn(move || of_kernel(kernel)));
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|comparison| comparison.expect("no panic in a run"))
            .collect()
    })
}

/// Builds one of flow-infer's examples; its path.
///
/// # Errors
/// Something that it needs cannot be installed, or it does not build.
pub(crate) fn build(example: &str) -> Result<PathBuf> {
    install()?;
    process::run(cargo("build").args(["--release", "--example", example]))?;
    let folder = repo::target_folder(&repo::root())?.join(AARCH64_TARGET);
    Ok(folder.join("release/examples").join(example))
}

/// A folder with what an example reads; it is gone when it is dropped.
///
/// # Errors
/// It could not be written.
pub(crate) fn folder(model: &[u8], inputs: &Inputs) -> Result<TempDir> {
    let folder = TempDir::new()?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).with_context(|| path.display().to_string())
    };
    write(MODEL, model)?;
    write(
        INPUTS,
        &inputs.iter().flatten().copied().collect::<Vec<u8>>(),
    )?;
    Ok(folder)
}

const MODEL: &str = "model.flow";
const INPUTS: &str = "inputs.bin";

/// What an example is told.
pub(crate) fn arguments(folder: &TempDir, kernel: &str) -> [PathBuf; 3] {
    let file = |name: &str| folder.path().join(name);
    [file(MODEL), file(INPUTS), Path::new(kernel).to_owned()]
}

fn install() -> Result<()> {
    setup::targets(once(AARCH64_TARGET))?;
    setup::programs(once(AARCH64_EMULATOR))
}

fn cargo(verb: &str) -> Command {
    let mut command = process::cargo();
    command
        .args([verb, "-p", "flow-infer", "--quiet", "--features", "std"])
        .args(["--target", AARCH64_TARGET])
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER",
            AARCH64_EMULATOR,
        )
        .current_dir(repo::root());
    command
}

/// A line of the example `score`.
fn answer(line: &str) -> Result<Answer> {
    let read = |line: &str| -> Option<Answer> {
        let mut words = line.split(' ');
        let log_prob_raw = words.next()?.parse().ok()?;
        let mut number = || match words.next()? {
            "-" => Some(None),
            word => word.parse().ok().map(Some),
        };
        let (code_length_raw, squares_raw) = (number()?, number()??);
        let (ratio_raw, marginals) = (number()?, number()?);
        let (score_raw, p_value) = (number()?, number()?);
        let decision = match words.next()? {
            "-" => None,
            "accept" => Some(Decision::Accept),
            "reject" => Some(Decision::Reject),
            "invalid" => Some(Decision::Invalid),
            _ => return None,
        };
        let saturated = match words.next()? {
            "saturated" => true,
            "-" => false,
            _ => return None,
        };
        let scores = Scores {
            log_prob_raw,
            code_length_raw,
            squares_raw,
            ratio_raw,
            marginals: match marginals {
                Some(octaves) => Some(octaves.try_into().ok()?),
                None => None,
            },
            exposure: match numbers(words.next()?)? {
                Some(numbers) => Some(exposure(numbers)?),
                None => None,
            },
            combined: match numbers(words.next()?)? {
                Some(numbers) => Some(combined(numbers)?),
                None => None,
            },
            saturated,
            ..Scores::default()
        };
        Some(Answer {
            scores: Some(scores),
            score_raw,
            p_value_ppm: match p_value {
                Some(ppm) => Some(ppm.try_into().ok()?),
                None => None,
            },
            decision,
            pin_high: decision == Some(Decision::Accept),
        })
    };
    read(line).with_context(|| format!("`{line}` is no line of scores"))
}

/// Numbers between commas; a dash is none.
fn numbers(word: &str) -> Option<Option<Vec<i64>>> {
    match word {
        "-" => Some(None),
        word => {
            let numbers = word.split(',').map(|number| number.parse().ok());
            numbers.collect::<Option<Vec<i64>>>().map(Some)
        }
    }
}

fn exposure(numbers: Vec<i64>) -> Option<Exposure> {
    let [sum, greatest, least] = numbers.try_into().ok()?;
    Some(Exposure {
        sum: sum.try_into().ok()?,
        greatest: greatest.try_into().ok()?,
        least: least.try_into().ok()?,
    })
}

fn combined(numbers: Vec<i64>) -> Option<Combined> {
    let ([score_raw, smallest, tests], tails) = numbers.split_first_chunk()?;
    let tails = tails.iter().map(|&tail| i32::try_from(tail).ok());
    Some(Combined {
        score_raw: *score_raw,
        smallest: TestKind::from_code(u8::try_from(*smallest).ok()?)?,
        tests: u16::try_from(*tests).ok()?,
        log_tails: tails.collect::<Option<Vec<i32>>>()?.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        let line = "-5 7 9 11 13 - 42 accept saturated 3,2,1 -8,6,65,1,0,0,0,0,0,-4,0,0,0";
        let found = answer(line).unwrap();
        let scores = found.scores.unwrap();
        assert_eq!((scores.squares_raw, found.p_value_ppm), (9, Some(42)));
        assert_eq!(scores.ratio_raw, Some(11));
        assert_eq!(scores.marginals, Some(13));
        assert_eq!(
            scores.exposure.map(|e| (e.sum, e.greatest, e.least)),
            Some((3, 2, 1))
        );
        let combined = scores.combined.unwrap();
        assert_eq!(
            (combined.smallest, combined.score_raw),
            (TestKind::Highlights, -8)
        );
        assert_eq!(combined.log_tails[6], -4);
        assert_eq!((scores.log_prob_raw, scores.code_length_raw), (-5, Some(7)));
        assert!(scores.saturated && found.pin_high && found.score_raw.is_none());
        assert_eq!(answer("1 - 2 - - 3 - - - - -").unwrap().decision, None);
        for bad in [
            "",
            "1 2 3",
            "1 2 3 - - 4 5 perhaps - - -",
            "x 2 3 - - 4 5 accept - - -",
            "1 2 3 - - 4 5 accept - 1,2 -",
        ] {
            assert!(answer(bad).is_err(), "{bad}");
        }
    }
}
