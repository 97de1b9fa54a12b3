//! A running `flowgate watch` with viewers of its page.

use anyhow::{Context, Result};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// From one look at the metrics to the next.
const LOOK: Duration = Duration::from_millis(500);

/// The process, what it says on standard error, and who looks at its page.
pub(super) struct Watched {
    child: Child,
    said: JoinHandle<Vec<String>>,
}

impl Watched {
    /// Starts it; its input and its lines are handed out.
    pub(super) fn start(program: &Path, model: &Path) -> Result<(Self, ChildStdin, ChildStdout)> {
        let mut child = Command::new(program)
            .arg("watch")
            .arg(model)
            .args(["-", "--json", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        let error = child.stderr.take().context("no standard error")?;
        let said = thread::spawn(move || {
            let mut lines = Vec::new();
            for line in BufReader::new(error).lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("page: http://") {
                    look_at(address.trim_end_matches('/'));
                }
                lines.push(line);
            }
            lines
        });
        Ok((Self { child, said }, input, output))
    }

    /// KiB of resident memory.
    pub(super) fn memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).with_context(|| path.clone())?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("{path} says no VmRSS"))
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> Result<(ExitStatus, Vec<String>)> {
        let status = self.child.wait()?;
        Ok((status, self.said.join().unwrap_or_default()))
    }
}

/// A viewer who reads events, and one who asks for the metrics again and again, until the page is gone.
fn look_at(address: &str) {
    let (viewer, scraper) = (address.to_owned(), address.to_owned());
    thread::spawn(move || {
        let mut stream = get(&viewer, "/events")?;
        std::io::copy(&mut stream, &mut std::io::sink())
    });
    thread::spawn(move || -> std::io::Result<()> {
        loop {
            get(&scraper, "/metrics")?.read_to_end(&mut Vec::new())?;
            thread::sleep(LOOK);
        }
    });
}

fn get(address: &str, path: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    Ok(stream)
}
