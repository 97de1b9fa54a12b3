//! One side of a comparison: a process that takes steps when told to, so that sides can take turns.
//!
//! Commands come in on standard input, `step N` or `eval N`, answers go out as one line of JSON each, both here and in
//! `tools/bench/train_torch.py`. A process a side, because memory can only be told apart between processes.

use super::files;
use crate::output::Output;
use anyhow::{Context, Result, bail};
use flow_train_host::train::bench::{self, Given, Trainer};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

/// What a side says before its first turn.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Greeting {
    /// PyTorch's version.
    #[serde(default)]
    pub(super) torch: String,
    /// Threads that it computes with.
    pub(super) threads: usize,
}

/// What a turn gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    /// Milliseconds of every step or evaluation.
    pub(super) ms: Vec<f64>,
    /// Loss before every step, or of every evaluation: nats per item.
    pub(super) loss_nats: Vec<f64>,
    /// Most memory that the process has held so far, in KiB; 0 where the system does not say.
    pub(super) peak_kib: u64,
}

/// A command: what to do, how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Step(usize),
    Eval(usize),
}

impl std::fmt::Display for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step(count) => write!(f, "step {count}"),
            Self::Eval(count) => write!(f, "eval {count}"),
        }
    }
}

fn parse(line: &str) -> Result<Ask> {
    let count = |text: &str| text.parse().context("a command ends with a number");
    match line.trim().split_once(' ') {
        Some(("step", n)) => Ok(Ask::Step(count(n)?)),
        Some(("eval", n)) => Ok(Ask::Eval(count(n)?)),
        _ => bail!("standard input: a command is `step N` or `eval N`"),
    }
}

/// Serves commands until standard input ends.
pub(super) fn serve(directory: &Path, threads: usize, out: &mut Output) -> Result<()> {
    let written = files::read(directory)?;
    let given = Given {
        config: &written.config,
        model: written.model,
        data: &written.data,
        noise: &written.noise,
        threads,
    };
    let served = bench::with_trainer(given, |trainer| {
        let (torch, threads) = (String::new(), trainer.threads());
        answer(out, &Greeting { torch, threads })?;
        for line in std::io::stdin().lock().lines() {
            answer(out, &turn(trainer, parse(&line?)?))?;
        }
        Ok(())
    });
    served?
}

fn answer(out: &mut Output, what: &impl Serialize) -> Result<()> {
    writeln!(out, "{}", serde_json::to_string(what)?)?;
    Ok(out.flush()?)
}

fn turn(trainer: &mut Trainer<'_>, ask: Ask) -> Turn {
    let mut turn = Turn::default();
    let count = match ask {
        Ask::Step(count) | Ask::Eval(count) => count,
    };
    for _ in 0..count {
        let start = Instant::now();
        let loss = match ask {
            Ask::Step(_) => trainer.step(),
            Ask::Eval(_) => {
                let all = trainer.log_prob();
                -all.iter().sum::<f64>() / all.len() as f64
            }
        };
        turn.ms.push(1e3 * start.elapsed().as_secs_f64());
        turn.loss_nats.push(loss);
    }
    turn.peak_kib = peak_kib().unwrap_or(0);
    turn
}

/// Most memory that this process has held; Linux only.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_they_are_written() {
        for ask in [Ask::Step(3), Ask::Eval(10)] {
            assert_eq!(parse(&ask.to_string()).unwrap(), ask);
        }
        for bad in ["", "step", "step x", "walk 3"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
