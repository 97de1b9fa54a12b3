//! Standard output: buffered, and coloured only where somebody looks at it.
//!
//! A reader that has seen enough (`| head`) closes it. No work ends of that: what is printed after it is dropped, and
//! the end of the command decides what it means.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

/// Where results go.
pub struct Output {
    stream: BufWriter<Box<dyn Write>>,
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
            stream: BufWriter::new(Box::new(io::stdout().lock())),
            colour: io::stdout().is_terminal() && !unwanted,
            closed: false,
        }
    }

    /// What nobody needs to read.
    pub(crate) fn nowhere() -> Self {
        Self {
            stream: BufWriter::new(Box::new(io::sink())),
            colour: false,
            closed: false,
        }
    }

    /// Makes room for a result that goes to standard output itself (`--out /dev/stdout`): what else there is to say is
    /// said on standard error then.
    pub(crate) fn make_room(&mut self, result: &Path) {
        if is_stdout(result) {
            self.stream = BufWriter::new(Box::new(io::stderr()));
            self.colour = false;
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

/// Whether a path is what standard output goes to.
#[cfg(unix)]
fn is_stdout(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = |path: &Path| std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()));
    let out = file(Path::new("/dev/stdout"));
    out.is_some() && out == file(path)
}

#[cfg(not(unix))]
fn is_stdout(_: &Path) -> bool {
    false
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.closed;
        f.debug_struct("Output").field("closed", &closed).finish()
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
