//! A directory of image files as one set of images.
//!
//! Files count by their extension (`.png`, `.jpg`, `.jpeg`, `.pgm`, `.ppm`; not those that start
//! with a dot), in the order of their names' bytes, so that image i is the same file everywhere;
//! `2.png` comes after `10.png`, as for `ls`. Subdirectories and other files are passed over. All
//! images must have one size and one number of channels: a flow has one input shape, and resizing
//! is not for a reader to choose.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::{DataError, Problem};
use super::images::Images;
use super::picture::{self, Picture};
use super::source::{Source, fail};

const EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "pgm", "ppm"];

/// Pictures decoded at once, over all cores; it bounds the memory beside the result.
const BATCH: usize = 256;

/// Reads every image file directly in `directory`.
///
/// # Errors
/// [`DataError`] naming the first image, in the order of names, that cannot be decoded or differs
/// in size; or the directory, when it holds none.
pub fn load(directory: &Path) -> Result<Images, DataError> {
    let paths = image_files(directory).map_err(|error| fail(directory, Problem::Io(error)))?;
    let mut set: Option<Picture> = None;
    for batch in paths.chunks(BATCH) {
        let pictures: Vec<_> = batch
            .par_iter()
            .map(|path| picture::read(Source::open(path)?))
            .collect();
        for (path, picture) in batch.iter().zip(pictures) {
            append(&mut set, path, picture?)?;
        }
    }
    to_images(directory, set)
}

/// A single image file as a set of one.
pub(super) fn read_one(source: Source<'_>) -> Result<Images, DataError> {
    let path = source.path().to_path_buf();
    to_images(&path, Some(picture::read(source)?))
}

fn image_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if is_image_name(&path) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_image_name(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = path
        .extension()
        .map(|extension| extension.to_ascii_lowercase());
    let known =
        extension.is_some_and(|extension| EXTENSIONS.iter().any(|&known| extension == known));
    known && !hidden
}

fn append(set: &mut Option<Picture>, path: &Path, picture: Picture) -> Result<(), DataError> {
    match set {
        None => *set = Some(picture),
        Some(set) if set.size == picture.size => set.pixels.extend(picture.pixels),
        Some(set) => {
            let (expected, found) = (set.size, picture.size);
            return Err(fail(path, Problem::MixedSizes { expected, found }));
        }
    }
    Ok(())
}

fn to_images(path: &Path, set: Option<Picture>) -> Result<Images, DataError> {
    let Picture { size, pixels } = set.ok_or_else(|| fail(path, Problem::Empty))?;
    let [channels, height, width] = [size.channels, size.height, size.width].map(|n| n as usize);
    Images::new(channels, height, width, pixels)
        .map_err(|mismatch| fail(path, Problem::Malformed(mismatch.to_string())))
}
