//! A y4m video, which has a name of its own until it is whole.

use crate::camera::whole::Whole;
use anyhow::{Context, Result, bail};
use flow_infer::front_end::FrameSpec;
use flow_train_host::files::{check_writable, one_line};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

const FRAME: &[u8] = b"FRAME\n";

/// A video that is being written.
pub(super) struct Video {
    path: PathBuf,
    /// Frames a second, where they are known.
    pub(super) rate: Option<f64>,
    /// The file, from its first frame on.
    open: Option<Open>,
}

struct Open {
    file: NamedTempFile,
    spec: FrameSpec,
    /// Bytes up to the end of the last whole frame.
    whole: u64,
    frames: u64,
}

impl Video {
    /// Asks whether it has a place.
    pub(super) fn new(path: &Path) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            bail!(
                "{}: is there already, and is not written over",
                one_line(path)
            );
        }
        check_writable(path)?;
        Ok(Self {
            path: path.to_owned(),
            rate: None,
            open: None,
        })
    }

    /// A frame as it stands in the video; none where it is of another kind than those before.
    pub(super) fn entry(&self, whole: &Whole) -> Result<Option<Vec<u8>>> {
        let spec = whole.spec();
        if self.open.as_ref().is_some_and(|open| open.spec != spec) {
            return Ok(None);
        }
        let (Some(planar), Some(header)) = (whole.planar(), whole.y4m_header(self.rate)) else {
            bail!(
                "{}: a video holds no {}; --out DIR keeps pictures",
                one_line(&self.path),
                spec.format
            );
        };
        let header = match self.open {
            Some(_) => String::new(),
            None => header,
        };
        Ok(Some([header.as_bytes(), FRAME, &planar].concat()))
    }

    /// Writes a frame and says which it is.
    pub(super) fn write(&mut self, whole: &Whole, entry: &[u8]) -> Result<String> {
        let place = || format!("{}: cannot be written", one_line(&self.path));
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(Open {
                file: temporary(&self.path).with_context(place)?,
                spec: whole.spec(),
                whole: 0,
                frames: 0,
            }),
        };
        open.file.write_all(entry).with_context(place)?;
        open.whole += entry.len() as u64;
        open.frames += 1;
        Ok((open.frames - 1).to_string())
    }

    /// Gives it its name; a frame of which a part was written is cut off.
    pub(super) fn finish(&mut self) -> Result<()> {
        let Some(open) = self.open.take().filter(|open| open.frames > 0) else {
            return Ok(());
        };
        let place = || format!("{}: cannot be written", one_line(&self.path));
        open.file
            .as_file()
            .set_len(open.whole)
            .with_context(place)?;
        open.file.as_file().sync_all().with_context(place)?;
        let kept = open.file.persist_noclobber(&self.path);
        kept.map_err(|error| error.error).with_context(place)?;
        Ok(())
    }
}

/// A file beside `path` that goes away unless it is given that name; with the permissions that the umask allows.
pub(super) fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".flowgate-capture-");
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(mode);
    builder.tempfile_in(directory)
}
