//! Writing files so that a reader never meets half of one.
//!
//! A run directory is read while training still writes to it, a `.flow` may be flashed by the next
//! command, and a disk may fill up in between. So every file is written under a temporary name in
//! the target's own directory (a rename is atomic only within one file system), flushed to the
//! disk, and renamed over the target.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
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

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Replaces the file at `path` by what `content` writes, or leaves it exactly as it was.
///
/// The directory must exist. A new file gets the permissions that the process's umask allows, as
/// with [`File::create`]. A `path` that is a symbolic link is replaced itself, not its target.
///
/// # Errors
/// [`WriteError`] when the directory, the disk or `content` fails; the temporary file is removed.
pub fn write_atomically(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    replace(path, content).map_err(|source| WriteError {
        path: path.to_path_buf(),
        source,
    })
}

fn replace(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let directory = directory_of(path);
    let temporary = temporary_in(directory)?;
    let mut writer = BufWriter::new(temporary);
    content(&mut writer)?;
    let temporary = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|failed| failed.error)?;
    sync_directory(directory)
}

/// `Path::parent` of a bare file name is the empty path, which no system call takes.
fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn temporary_in(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".flowgate-").suffix(".tmp");
    #[cfg(unix)]
    {
        // tempfile's own default, 0600, would survive the rename and hide the result from others.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

/// The rename itself is lost in a power cut unless the directory is on the disk too.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names_in(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn the_target_holds_what_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.bin");
        write_atomically(&path, |w| w.write_all(b"first")).unwrap();
        write_atomically(&path, |w| w.write_all(b"2nd")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"2nd");
        assert_eq!(names_in(directory.path()), ["a.bin"]);
    }

    #[test]
    fn a_failing_write_leaves_neither_target_nor_temporary() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.bin");
        let error = write_atomically(&path, |w| {
            w.write_all(&[7; 100_000])?; // more than a buffer, so the temporary file is not empty
            assert_eq!(
                names_in(directory.path()).len(),
                1,
                "the temporary file lies beside it"
            );
            Err(io::Error::other("out of ideas"))
        })
        .unwrap_err();
        assert_eq!(names_in(directory.path()), [""; 0]);
        assert_eq!(error.path, path);
        assert_eq!(
            error.to_string(),
            format!("{}: cannot be written: out of ideas", path.display())
        );
    }

    #[test]
    fn an_existing_target_survives_a_failed_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.bin");
        fs::write(&path, b"precious").unwrap();
        write_atomically(&path, |w| {
            w.write_all(b"half")?;
            Err(io::Error::other("stop"))
        })
        .unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        assert_eq!(names_in(directory.path()), ["a.bin"]);
    }

    #[test]
    fn a_panicking_write_leaves_nothing_either() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.bin");
        let result = std::panic::catch_unwind(|| {
            write_atomically(&path, |_| {
                std::panic::resume_unwind(Box::new("interrupted"))
            })
        });
        assert!(result.is_err());
        assert_eq!(names_in(directory.path()), [""; 0]);
    }

    #[test]
    fn a_missing_directory_is_an_error_naming_the_target() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("none/a.bin");
        let error = write_atomically(&path, |_| Ok(())).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::NotFound);
        assert_eq!(error.path, path);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_the_result_as_with_file_create() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        let (ours, plain) = (
            directory.path().join("ours"),
            directory.path().join("plain"),
        );
        write_atomically(&ours, |_| Ok(())).unwrap();
        File::create(&plain).unwrap();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn a_bare_name_lies_in_the_current_directory() {
        assert_eq!(directory_of(Path::new("a.bin")), Path::new("."));
        assert_eq!(directory_of(Path::new("d/a.bin")), Path::new("d"));
    }

    #[test]
    fn a_path_with_a_line_break_is_shown_on_one_line() {
        assert_eq!(
            one_line(Path::new("a\nb\t\u{1b}é")).to_string(),
            "a\\nb\\t\\u{1b}é"
        );
    }
}
