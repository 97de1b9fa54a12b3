//! A running `flowgate watch` with a page, fed through a pipe.

use crate::{process, repo};
use anyhow::{Context, Result};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Builds the command, as it is installed or as tests use it.
pub(crate) fn build(dev: bool) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--quiet", "-p", "flowgate"])
        .current_dir(repo::root());
    if !dev {
        cargo.arg("--release");
    }
    process::run(&mut cargo)?;
    let folder = repo::target_folder(&repo::root())?;
    Ok(folder
        .join(if dev { "debug" } else { "release" })
        .join("flowgate"))
}

/// The process and what it says on standard error.
pub(crate) struct Watched {
    child: Child,
    said: Option<JoinHandle<Vec<String>>>,
    address: Receiver<String>,
}

impl Watched {
    /// Starts it; its input and its lines are handed out.
    pub(crate) fn start(program: &Path, args: &[&str]) -> Result<(Self, ChildStdin, ChildStdout)> {
        let mut child = Command::new(program)
            .arg("watch")
            .args(args)
            .args(["-", "--json", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        let error = child.stderr.take().context("no standard error")?;
        let (say, address) = mpsc::channel();
        let said = thread::spawn(move || {
            let mut lines = Vec::new();
            for line in BufReader::new(error).lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("page: http://") {
                    // Nobody may want to know.
                    let _ = say.send(address.trim_end_matches('/').to_owned());
                }
                lines.push(line);
            }
            lines
        });
        let said = Some(said);
        let watched = Self {
            child,
            said,
            address,
        };
        Ok((watched, input, output))
    }

    /// Where its page is, which it says after the first line of the stream.
    pub(crate) fn address(&self) -> Result<String> {
        let address = self.address.recv_timeout(Duration::from_secs(60));
        address.context("no page was announced")
    }

    /// KiB of resident memory.
    pub(crate) fn memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).with_context(|| path.clone())?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("{path} says no VmRSS"))
    }

    /// Time that its threads have run on a processor.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let folder = format!("/proc/{}/task", self.child.id());
        let mut nanoseconds = 0;
        for task in fs::read_dir(&folder).with_context(|| folder.clone())? {
            let path = task?.path().join("schedstat");
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let first = text.split_whitespace().next().and_then(|n| n.parse().ok());
            nanoseconds += first.unwrap_or(0u64);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Result<(ExitStatus, Vec<String>)> {
        let status = self.child.wait()?;
        let said = self.said.take().and_then(|said| said.join().ok());
        Ok((status, said.unwrap_or_default()))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It is over already, or something failed and nobody waits for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for a part of the page; what comes back is its head and the part.
pub(crate) fn get(address: &str, path: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    Ok(stream)
}
