//! Bytes into a target.

use super::target::{Target, directory_of};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Seek, Write};
use std::path::Path;
use tempfile::NamedTempFile;

pub(super) fn write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match Target::of(path)? {
        Target::New(path) => {
            let temporary = filled(&path, content)?;
            temporary.persist(&path).map_err(|failed| failed.error)?;
            sync_directory(directory_of(&path))
        }
        Target::File(path, metadata) => replace(&path, &metadata, content),
        Target::Stream => {
            // Nothing of a content that fails half-way is sent.
            let bytes = buffered(content)?;
            OpenOptions::new().write(true).open(path)?.write_all(&bytes)
        }
    }
}

fn replace(
    path: &Path,
    metadata: &Metadata,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // A rename asks nothing of the file it replaces: that it is writable is asked here.
    OpenOptions::new().write(true).open(path)?;
    let temporary = match temporary_in(directory_of(path)) {
        Ok(temporary) => fill(temporary, content)?,
        Err(error) if is_closed_directory(&error) => return overwrite(path, &buffered(content)?),
        Err(error) => return Err(error),
    };
    if keep_mode_and_owner(temporary.as_file(), metadata).is_err() {
        return overwrite(path, &fs::read(temporary.path())?);
    }
    match temporary.persist(path) {
        Ok(_) => sync_directory(directory_of(path)),
        // A file that is mounted by itself, as containers have them.
        Err(failed) if failed.error.kind() == ErrorKind::ResourceBusy => {
            overwrite(path, &fs::read(failed.file.path())?)
        }
        Err(failed) => Err(failed.error),
    }
}

/// A directory in which no file can be made, though one in it may be writable.
fn is_closed_directory(error: &io::Error) -> bool {
    let kinds = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
    kinds.contains(&error.kind())
}

fn buffered(content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content(&mut bytes)?;
    Ok(bytes)
}

/// Writes into the file itself, which gets its old content back where that fails.
fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let old = fs::read(path)?;
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut put = |bytes: &[u8]| {
        file.rewind()?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()
    };
    let written = put(bytes);
    if written.is_err() {
        // The first failure is the one to tell.
        let _ = put(&old);
    }
    written
}

/// A temporary file with the content, beside `path`.
fn filled(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    fill(temporary_in(directory_of(path))?, content)
}

fn fill(
    temporary: NamedTempFile,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let mut writer = BufWriter::new(temporary);
    content(&mut writer)?;
    let temporary = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

fn temporary_in(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // Opened here: tempfile's own way makes a file of mode 0600, which would survive the rename and
    // hide the result from others, and puts the temporary name into its errors.
    builder
        .prefix(".flowgate-")
        .suffix(".tmp")
        .make_in(directory, |path| File::create_new(path))
}

/// The mode and the owner of the file that is replaced.
#[cfg(unix)]
fn keep_mode_and_owner(file: &File, replaced: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (replaced.uid(), replaced.gid()) {
        fchown(file, Some(replaced.uid()), Some(replaced.gid()))?;
    }
    file.set_permissions(replaced.permissions())
}

#[cfg(not(unix))]
fn keep_mode_and_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
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
