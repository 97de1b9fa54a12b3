//! Each reader on files that are right, whose content is known, and on files that are wrong, whose
//! error is known. Every error is also checked to be one line that begins with the file.

mod csv;
mod damage;
mod fixtures;
mod formats;
mod idx;
mod image_dir;
mod npy;
mod npz;
mod pictures;
mod recordings;
mod reduce;
mod sample;
mod select;
mod tables;
mod y4m;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};

use super::{DataError, Dataset, Images, Vectors, load};

/// The files of one test, removed with it.
pub(in crate::data) struct Files(tempfile::TempDir);

impl Files {
    pub(in crate::data) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(in crate::data) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(in crate::data) fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

pub(in crate::data) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn images_of(content: &[u8]) -> Images {
    match load(&Files::new().write("file", content)).unwrap() {
        Dataset::Images(images) => images,
        Dataset::Vectors(_) => panic!("vectors instead of images"),
    }
}

fn vectors_of(content: &[u8]) -> Vectors {
    match load(&Files::new().write("file", content)).unwrap() {
        Dataset::Vectors(vectors) => vectors,
        Dataset::Images(_) => panic!("images instead of vectors"),
    }
}

/// The error of loading `content`, whose message is one line that names the file.
fn error_of(content: &[u8]) -> DataError {
    let files = Files::new();
    let path = files.write("some file", content);
    error_naming(&path, load(&path))
}

/// The error of a result, whose message is one line that begins with `path`.
fn error_naming<T>(path: &Path, result: Result<T, DataError>) -> DataError {
    let Err(error) = result else {
        panic!("{} was accepted", path.display())
    };
    assert_eq!(error.path, path);
    let message = error.to_string();
    let start = format!("{}: ", path.display());
    assert!(
        message.starts_with(&start) && message.len() > start.len(),
        "{message}"
    );
    assert!(!message.contains(char::is_control), "{message}");
    assert!(
        message.chars().count() < start.chars().count() + 150,
        "too long for one line: {message}"
    );
    error
}

/// What the message says after the file's name.
fn message_of(content: &[u8]) -> String {
    let error = error_of(content);
    let message = error.to_string();
    message[error.path.to_str().unwrap().len() + 2..].to_owned()
}
