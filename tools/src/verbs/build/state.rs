//! Which stages are done, and what they were made from.

use anyhow::{Context, Result, bail};
use flow_train_host::data::fetch::sha256_hex;
use flow_train_host::files::{one_line, write_atomically};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const FILE: &str = "build.json";

/// Everything that results depend on, as a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn of(parts: &[&str]) -> Self {
        let text = parts.join("\n");
        Self(sha256_hex(
            format!("{} {text}", env!("CARGO_PKG_VERSION")).as_bytes(),
        ))
    }

    /// The key of what is made from this and more.
    pub(super) fn then(&self, parts: &[&str]) -> Self {
        let text = [&[self.0.as_str()][..], parts].concat();
        Self::of(&text)
    }

    /// As text.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Its beginning, for names.
    pub(super) fn short(&self) -> &str {
        &self.0[..8]
    }
}

/// The stages of a directory.
pub(super) struct State {
    path: PathBuf,
    done: BTreeMap<String, String>,
}

impl State {
    /// The state of a directory, which may be new unless a build is to be resumed.
    pub(super) fn open(directory: &Path, resume: bool) -> Result<Self> {
        let path = directory.join(FILE);
        let place = || one_line(&path).to_string();
        let done = match path.exists() {
            true => {
                let json = std::fs::read_to_string(&path).with_context(place)?;
                serde_json::from_str(&json).with_context(place)?
            }
            false if resume => bail!("{}: no build to go on with", one_line(directory)),
            false => BTreeMap::new(),
        };
        Ok(Self { path, done })
    }

    pub(super) fn is_done(&self, stage: &str, key: &Key) -> bool {
        self.done.get(stage) == Some(&key.0)
    }

    pub(super) fn done(&mut self, stage: &str, key: &Key) -> Result<()> {
        self.done.insert(stage.to_owned(), key.0.clone());
        let json = serde_json::to_string_pretty(&self.done)?;
        Ok(write_atomically(&self.path, |w| writeln!(w, "{json}"))?)
    }
}

/// The key of a file's content; none where there is no such file.
pub(super) fn content(path: &Path) -> Result<Option<Key>> {
    match path.exists() {
        false => Ok(None),
        true => {
            let bytes = std::fs::read(path).with_context(|| one_line(path).to_string())?;
            Ok(Some(Key(sha256_hex(&bytes))))
        }
    }
}

/// Names, sizes and times of all files of a path: what changes when they do.
pub(super) fn listing(path: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(next) = open.pop() {
        let place = || one_line(&next).to_string();
        let about = std::fs::metadata(&next).with_context(place)?;
        if about.is_dir() {
            for entry in std::fs::read_dir(&next).with_context(place)? {
                let entry = entry.with_context(place)?.path();
                // What cannot be looked at, such as a link to nothing, is for the reader to name.
                if entry.exists() {
                    open.push(entry);
                }
            }
            continue;
        }
        let time = about
            .modified()
            .ok()
            .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
        let nanoseconds = time.map_or(0, |t| t.as_nanos());
        files.push(format!("{} {} {nanoseconds}", next.display(), about.len()));
    }
    files.sort();
    Ok(files.join("\n"))
}
