//! Standard output: buffered, and coloured only where somebody looks at it.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

/// Where results go.
#[derive(Debug)]
pub struct Output {
    stream: BufWriter<StdoutLock<'static>>,
    /// Whether colours may be used.
    pub colour: bool,
}

impl Output {
    /// Standard output, coloured on a terminal unless `NO_COLOR` is set.
    pub fn stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Self {
            stream: BufWriter::new(io::stdout().lock()),
            colour: io::stdout().is_terminal() && !unwanted,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
