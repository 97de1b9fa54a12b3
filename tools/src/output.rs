//! Standard output: buffered, and coloured only where somebody looks at it.
//!
//! A reader that has seen enough (`| head`) closes it. No work ends of that: what is printed after it is dropped, and
//! the end of the command decides what it means.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

/// Where results go.
#[derive(Debug)]
pub struct Output {
    stream: BufWriter<StdoutLock<'static>>,
    /// Whether colours may be used.
    pub colour: bool,
    closed: bool,
}

impl Output {
    /// Standard output, coloured on a terminal unless `NO_COLOR` is set.
    pub fn stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Self {
            stream: BufWriter::new(io::stdout().lock()),
            colour: io::stdout().is_terminal() && !unwanted,
            closed: false,
        }
    }

    /// Whether the reader went away before everything was printed.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn unless_closed<T>(&mut self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(otherwise)
            }
            done => done,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let written = self.stream.write(bytes);
        self.unless_closed(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let flushed = self.stream.flush();
        self.unless_closed(flushed, ())
    }
}
