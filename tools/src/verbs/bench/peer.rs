//! The processes that take turns.

use super::worker::{Ask, Greeting, Turn};
use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Whose process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// This project's trainer.
    Ours,
    /// PyTorch with its usual memory layout.
    Nchw,
    /// PyTorch with channels innermost.
    ChannelsLast,
}

impl Side {
    /// Its name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "flowgate",
            Self::Nchw => "PyTorch, NCHW",
            Self::ChannelsLast => "PyTorch, channels_last",
        }
    }
}

/// The interpreter that has PyTorch, and the script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Torch<'a> {
    pub(super) python: &'a Path,
    pub(super) script: &'a Path,
}

/// A process that waits for its turn.
pub(super) struct Peer {
    pub(super) side: Side,
    pub(super) greeting: Greeting,
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// This program again, in its hidden role.
    pub(super) fn ours(directory: &Path, threads: usize) -> Result<Self> {
        let program = std::env::current_exe().context("this program")?;
        let mut command = Command::new(program);
        command.args(["bench", "train", "--serve"]).arg(directory);
        command.args(["--threads", &threads.to_string()]);
        Self::start(Side::Ours, command)
    }

    /// PyTorch in one of its layouts, threads at its default policy.
    pub(super) fn torch(
        side: Side,
        torch: Torch<'_>,
        directory: &Path,
        threads: usize,
    ) -> Result<Self> {
        let layout = match side {
            Side::ChannelsLast => "channels_last",
            _ => "nchw",
        };
        let mut command = Command::new(torch.python);
        command.arg(torch.script).arg(directory);
        command.args(["--layout", layout, "--threads", &threads.to_string()]);
        Self::start(side, command)
    }

    fn start(side: Side, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| side.name())?;
        let (asks, answers) = (child.stdin.take(), child.stdout.take());
        let mut peer = Self {
            side,
            greeting: Greeting::default(),
            child,
            asks,
            answers: BufReader::new(answers.context("no pipe")?),
        };
        peer.greeting = peer.read()?;
        Ok(peer)
    }

    /// Has it take a turn.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<Turn> {
        let asks = self.asks.as_mut().context("no pipe")?;
        writeln!(asks, "{ask}").with_context(|| self.side.name())?;
        self.read()
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!("{} has stopped without an answer", self.side.name());
        }
        serde_json::from_str(&line).with_context(|| format!("{}: {line}", self.side.name()))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input is its end; a process in trouble is not waited for.
        drop(self.asks.take());
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.wait();
        }
    }
}
