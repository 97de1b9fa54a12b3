//! The processes that take turns.

use super::protocol::{Ask, Greeting, Turn};
use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// An interpreter with the libraries that a script needs, and the script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Python<'a> {
    pub(super) interpreter: &'a Path,
    pub(super) script: &'a Path,
}

/// A process that waits for its turn; `S` says whose.
pub(super) struct Peer<S> {
    pub(super) side: S,
    pub(super) greeting: Greeting,
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl<S: Copy + Display> Peer<S> {
    /// This program again, in the hidden role of a verb of `bench`, told where the case lies, and more.
    pub(super) fn ours(
        side: S,
        verb: &str,
        directory: &Path,
        threads: usize,
        more: &[&str],
    ) -> Result<Self> {
        let program = std::env::current_exe().context("this program")?;
        let mut command = Command::new(program);
        command.args(["bench", verb, "--serve"]);
        command.arg(directory).args(more);
        command.args(["--threads", &threads.to_string()]);
        // What runs in the pool of all threads, not in one of its own.
        command.env("RAYON_NUM_THREADS", threads.to_string());
        Self::start(side, command)
    }

    /// A script, told where the case lies, and more.
    pub(super) fn python(
        side: S,
        python: Python<'_>,
        directory: &Path,
        more: &[&str],
    ) -> Result<Self> {
        let mut command = Command::new(python.interpreter);
        command.arg(python.script).arg(directory).args(more);
        Self::start(side, command)
    }

    fn start(side: S, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| side.to_string())?;
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
        writeln!(asks, "{ask}").with_context(|| self.side.to_string())?;
        self.read()
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!("{} has stopped without an answer", self.side);
        }
        serde_json::from_str(&line).with_context(|| format!("{}: {line}", self.side))
    }
}

impl<S> Drop for Peer<S> {
    fn drop(&mut self) {
        // The end of its input is its end; a process in trouble is not waited for.
        drop(self.asks.take());
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.wait();
        }
    }
}
