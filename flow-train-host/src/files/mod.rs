//! Writing results so that nothing of the user's is lost and no reader meets half of one.
//!
//! A run directory is read while training still writes to it, a `.flow` may be flashed by the next
//! command, and a disk may fill up in between. So a regular file is written under a temporary name
//! in its own directory (a rename is atomic only within one file system), flushed to the disk, and
//! renamed over the target. What cannot be replaced so is written in place: a file that is mounted
//! by itself, one of another owner; and what is no file, a pipe or a character device, is written
//! into. `check_writable` and `check_directory` say before long work whether its result has a place.

mod target;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file could not be written; the target is as it was before.
#[derive(Debug)]
pub struct WriteError {
    /// The file that was to be written, not the temporary one.
    pub path: PathBuf,
    /// What the operating system, or the code producing the content, said.
    pub source: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, source } = self;
        write!(f, "{}: cannot be written: {source}", one_line(path))
    }
}

// No `source`: the message has the cause already, and who prints a chain would say it twice.
impl std::error::Error for WriteError {}

/// Replaces the file at `path` by what `content` writes, or leaves it exactly as it was.
///
/// The directory must exist. A new file gets the permissions that the process's umask allows, as
/// with [`std::fs::File::create`]; one that exists keeps its mode and its owner, and must be
/// writable itself. A symbolic link is followed and stays. A pipe or a character device is written
/// into when the whole content is there.
///
/// # Errors
/// [`WriteError`] when the directory, the disk or `content` fails; the temporary file is removed.
pub fn write_atomically(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    write::write(path, content).map_err(because(path))
}

/// Whether [`write_atomically`] can write to `path` as things stand; leaves no trace.
///
/// # Errors
/// [`WriteError`], as [`write_atomically`] would give it.
pub fn check_writable(path: &Path) -> Result<(), WriteError> {
    target::check_file(path).map_err(because(path))
}

/// Whether files can be written into the directory `path`, which may have to be made; leaves no
/// trace.
///
/// # Errors
/// [`WriteError`] naming the directory.
pub fn check_directory(path: &Path) -> Result<(), WriteError> {
    target::check_directory(path).map_err(because(path))
}

fn because(path: &Path) -> impl Fn(io::Error) -> WriteError {
    let path = path.to_path_buf();
    move |source| WriteError {
        path: path.clone(),
        source,
    }
}

/// A path for a message of one line: a file name may hold line breaks, an error message may not.
pub fn one_line(path: &Path) -> impl fmt::Display {
    escape_controls(&path.to_string_lossy())
}

/// `text` with its control characters written as Rust escapes.
pub(crate) fn escape_controls(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().collect(),
        false => String::from(c),
    };
    text.chars().map(escape).collect()
}
