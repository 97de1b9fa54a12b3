//! A directory of PNG pictures, which appear one by one and as a whole.

use crate::camera::whole::Whole;
use crate::picture::file::encode;
use crate::place;
use anyhow::{Context, Result, bail};
use flow_train_host::files::one_line;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

const PREFIX: &str = "frame-";
const SUFFIX: &str = ".png";

/// A directory with the number of its next picture.
pub(super) struct Pictures {
    directory: PathBuf,
    next: u64,
}

impl Pictures {
    /// Makes a directory, or goes on behind the pictures that are in it.
    pub(super) fn new(directory: &Path) -> Result<Self> {
        let name = || one_line(directory).to_string();
        if directory.is_file() {
            bail!("{}: a file; the name of a video ends in .y4m", name());
        }
        place::directory(directory)?;
        fs::create_dir_all(directory).with_context(name)?;
        let mut next = 0;
        for entry in fs::read_dir(directory).with_context(name)? {
            let found = entry.with_context(name)?.file_name();
            let number = found.to_str().and_then(number);
            next = number.map_or(next, |number| next.max(number.saturating_add(1)));
        }
        let directory = directory.to_owned();
        Ok(Self { directory, next })
    }

    /// A frame as a file.
    pub(super) fn entry(&self, whole: &Whole) -> Result<Vec<u8>> {
        let (colour, samples) = whole.samples()?;
        let size = (whole.spec().width.into(), whole.spec().height.into());
        encode(size, colour, &samples)
    }

    /// Writes a file and says its name.
    pub(super) fn write(&mut self, entry: &[u8]) -> Result<String> {
        let name = format!("{PREFIX}{:08}{SUFFIX}", self.next);
        let path = self.directory.join(&name);
        let place = || format!("{}: cannot be written", one_line(&path));
        let mut file = super::video::temporary(&path).with_context(place)?;
        file.write_all(entry).with_context(place)?;
        let kept = file.persist_noclobber(&path);
        kept.map_err(|error| error.error).with_context(place)?;
        self.next += 1;
        Ok(name)
    }
}

/// The number in a picture's name.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    digits.parse().ok()
}
