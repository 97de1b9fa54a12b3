//! What a path to be written to stands for.

use super::one_line;
use std::fs::{self, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Most links that are followed, as on Linux.
const MOST_LINKS: usize = 40;

/// Where bytes go, symbolic links followed.
#[derive(Debug)]
pub(super) enum Target {
    /// A file that is not there yet; its directory is.
    New(PathBuf),
    /// A regular file.
    File(PathBuf, Metadata),
    /// A pipe or a character device.
    Stream,
}

impl Target {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(Self::File(followed(path)?, metadata)),
            Ok(metadata) => into(metadata.file_type()).map(|()| Self::Stream),
            Err(error) if error.kind() == ErrorKind::NotFound => new(followed(path)?),
            Err(error) => Err(error),
        }
    }
}

/// Whether bytes may be written into what is no regular file.
fn into(kind: FileType) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() || kind.is_char_device() {
            return Ok(());
        }
        if kind.is_block_device() {
            return Err(refused("is a disk, which is left alone"));
        }
        if kind.is_socket() {
            return Err(refused("is a socket"));
        }
    }
    match kind.is_dir() {
        true => Err(io::Error::new(
            ErrorKind::IsADirectory,
            "is a directory, not a file",
        )),
        false => Err(refused("is no file")),
    }
}

fn new(path: PathBuf) -> io::Result<Target> {
    let named = path.as_os_str().as_encoded_bytes();
    if path.file_name().is_none() || named.ends_with(b"/") {
        return Err(refused("is no name of a file"));
    }
    let directory = directory_of(&path);
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => Ok(Target::New(path)),
        Ok(_) => Err(not_a_directory(directory)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(io::Error::new(
            ErrorKind::NotFound,
            format!("{}: no such directory", one_line(directory)),
        )),
        Err(error) => Err(error),
    }
}

/// The end of a chain of symbolic links, whether it is there or not.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut end = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        // What another process, or a shell for this one, has open under a number: to replace the
        // file would leave the number with the old one, and to write into it would mix both.
        if end.starts_with("/proc") {
            return Err(refused("is an open file; name the file itself"));
        }
        match fs::read_link(&end) {
            Ok(next) => end = directory_of(&end).join(next),
            Err(_) => return Ok(end),
        }
    }
    Err(refused("has too many symbolic links"))
}

pub(super) fn check_file(path: &Path) -> io::Result<()> {
    match Target::of(path)? {
        Target::New(path) => check_room(directory_of(&path)),
        Target::File(path, _) => OpenOptions::new().write(true).open(path).map(drop),
        Target::Stream => Ok(()),
    }
}

pub(super) fn check_directory(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => check_room(path),
        Ok(_) => Err(refused("is not a directory")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(refused("is a link to nothing"));
            }
            let above = path.ancestors().skip(1).map(directory_or_here);
            let there = above.map(|p| (p, fs::metadata(p)));
            match there.into_iter().find_map(|(p, m)| Some((p, m.ok()?))) {
                Some((there, metadata)) if metadata.is_dir() => check_room(there),
                Some((there, _)) => Err(not_a_directory(there)),
                None => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Whether a file can be made in a directory: one without a name, where the system has such.
fn check_room(directory: &Path) -> io::Result<()> {
    let made = tempfile::tempfile_in(directory);
    // tempfile puts its own path into the message, which says nothing to who did not choose it.
    made.map(drop).map_err(|error| match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::from(error.kind()),
    })
}

/// `Path::parent` of a bare file name is the empty path, which no system call takes.
pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent().map_or(Path::new("."), directory_or_here)
}

fn directory_or_here(path: &Path) -> &Path {
    match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    }
}

fn not_a_directory(path: &Path) -> io::Error {
    let text = format!("{}: not a directory", one_line(path));
    io::Error::new(ErrorKind::NotADirectory, text)
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}
