//! What the sides of a comparison say to each other: commands on standard input, one a line, and answers, a line of JSON
//! each; `tools/bench/*.py` speak the same.

use crate::output::Output;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::io::Write;

/// What a side says before its first turn.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Greeting {
    /// The library that computes, with its version; empty for this project.
    #[serde(default)]
    pub(super) library: String,
    /// Threads that it computes with.
    pub(super) threads: usize,
}

/// What a turn gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    /// Milliseconds of everything that was timed.
    pub(super) ms: Vec<f64>,
    /// Loss before every step, of every evaluation, or of every image: nats per item.
    pub(super) loss_nats: Vec<f64>,
    /// Most memory that the process has held so far, in KiB; 0 where the system does not say.
    pub(super) peak_kib: u64,
}

/// File that a side leaves its gradient in, in the directory of the case, for whoever asked.
pub(super) const GRADIENT: &str = "gradient.safetensors";

/// A command: what to do, how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Optimizer steps.
    Step(usize),
    /// Evaluations of the batch.
    Eval(usize),
    /// The gradient at the first weights, to be left in [`GRADIENT`].
    Gradient,
    /// Losses of the first images.
    Score(usize),
    /// Single images.
    One(usize),
    /// Batches of all images.
    Many(usize),
}

impl std::fmt::Display for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Step(count) => write!(f, "step {count}"),
            Self::Eval(count) => write!(f, "eval {count}"),
            Self::Gradient => write!(f, "gradient"),
            Self::Score(count) => write!(f, "score {count}"),
            Self::One(count) => write!(f, "one {count}"),
            Self::Many(count) => write!(f, "many {count}"),
        }
    }
}

impl Ask {
    /// Reads a line.
    pub(super) fn parse(line: &str) -> Result<Self> {
        let count = |text: &str| text.parse().context("a command ends with a number");
        if line.trim() == "gradient" {
            return Ok(Self::Gradient);
        }
        match line.trim().split_once(' ') {
            Some(("step", n)) => Ok(Self::Step(count(n)?)),
            Some(("eval", n)) => Ok(Self::Eval(count(n)?)),
            Some(("score", n)) => Ok(Self::Score(count(n)?)),
            Some(("one", n)) => Ok(Self::One(count(n)?)),
            Some(("many", n)) => Ok(Self::Many(count(n)?)),
            _ => bail!("standard input: `{line}` is no verb with its number"),
        }
    }
}

/// Says something as a line of JSON.
pub(super) fn answer(out: &mut Output, what: &impl Serialize) -> Result<()> {
    writeln!(out, "{}", serde_json::to_string(what)?)?;
    Ok(out.flush()?)
}

/// Most memory that this process has held; Linux only.
pub(super) fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_they_are_written() {
        let asks = [
            Ask::Step(3),
            Ask::Eval(10),
            Ask::Gradient,
            Ask::Score(1),
            Ask::One(7),
            Ask::Many(2),
        ];
        for ask in asks {
            assert_eq!(Ask::parse(&ask.to_string()).unwrap(), ask);
        }
        for bad in ["", "step", "step x", "walk 3"] {
            assert!(Ask::parse(bad).is_err(), "{bad}");
        }
    }
}
