//! A directory of image files as one set of images.
//!
//! Subfolders are read too (one folder a class, as `ImageFolder` has it), and an image is called by
//! its path within the directory. The order is that of the paths, folder by folder, with numbers
//! compared as numbers: `2.png` before `10.png`, `cat/2.png` before `dog/1.png`; so image i is the
//! same file everywhere. Whatever is not read is counted and named: other files, hidden ones,
//! links to nothing.
//!
//! All images must have one size and one number of channels, unless a model's front end reduces
//! them: a flow has one input shape, and resizing is not for a reader to choose. A grey image among colours is one of three equal
//! channels, and a colour image without colours is grey where the others are.

mod listing;

use std::path::Path;

use rayon::prelude::*;

pub(super) use self::listing::Listing;
use super::error::{DataError, ImageSize, Problem};
use super::images::Images;
use super::items::ItemNames;
use super::notice::Notice;
use super::options::ReadOptions;
use super::picture::{self, Picture};
use super::reduce;
use super::source::{Source, fail};
use super::{Dataset, Reading};

/// Pictures decoded at once, over all cores; it bounds the memory beside the result.
const BATCH: usize = 256;

/// Reads every image file in `directory` and the folders within.
///
/// # Errors
/// [`DataError`] naming the first image, in the order of names, that cannot be decoded or differs
/// in size; or the directory, when it holds none.
pub fn load(directory: &Path) -> Result<Images, DataError> {
    Folder::read(directory, &ReadOptions::default()).map(|folder| folder.images)
}

pub(super) fn read(directory: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
    refuse_columns(directory, options)?;
    let folder = Folder::read(directory, options)?;
    Ok(Reading {
        dataset: Dataset::Images(folder.images),
        items: ItemNames::Files(folder.names),
        columns: Vec::new(),
        blocks: Vec::new(),
        notices: folder.notices,
    })
}

/// A single image file as a set of one.
pub(super) fn read_one(source: Source<'_>, options: &ReadOptions) -> Result<Reading, DataError> {
    let path = source.path().to_path_buf();
    refuse_columns(&path, options)?;
    let mut set = Set::new(options.size);
    set.append(&path, reduced(source, options)?)?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy().into_owned();
    Ok(Reading {
        dataset: Dataset::Images(set.into_images(&path)?),
        items: ItemNames::Files(vec![name]),
        columns: Vec::new(),
        blocks: Vec::new(),
        notices: Vec::new(),
    })
}

fn refuse_columns(path: &Path, options: &ReadOptions) -> Result<(), DataError> {
    match options.columns.is_all() {
        true => Ok(()),
        false => Err(fail(path, Problem::ColumnsOfImages)),
    }
}

/// A picture, as an input if there is a reduction.
fn reduced(source: Source<'_>, options: &ReadOptions) -> Result<Picture, DataError> {
    let path = source.path().to_path_buf();
    let picture = picture::read(source)?;
    match &options.reduction {
        None => Ok(picture),
        Some(reduction) => {
            reduce::picture(reduction, &picture).map_err(|problem| fail(&path, problem))
        }
    }
}

/// What a directory holds.
struct Folder {
    images: Images,
    names: Vec<String>,
    notices: Vec<Notice>,
}

impl Folder {
    fn read(directory: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let listing = Listing::of(directory)?;
        if listing.pictures.is_empty() {
            let passed_over = listing.passed_over().map(|what| what.to_string());
            let passed_over = passed_over.collect::<Vec<_>>().join("; ");
            return Err(fail(directory, Problem::NoPictures(passed_over)));
        }
        let mut set = Set::new(options.size);
        for batch in listing.pictures.chunks(BATCH) {
            let pictures: Vec<_> = batch
                .par_iter()
                .map(|name| reduced(Source::open(&directory.join(name))?, options))
                .collect();
            for (name, picture) in batch.iter().zip(pictures) {
                set.append(&directory.join(name), picture?)?;
            }
        }
        let notices = listing.passed_over().map(|what| Notice {
            path: directory.to_owned(),
            what,
        });
        Ok(Self {
            images: set.into_images(directory)?,
            notices: notices.collect(),
            names: listing.names(),
        })
    }
}

/// Pictures of one size, as they come in.
struct Set {
    /// The size that the model reads.
    wanted: Option<ImageSize>,
    size: Option<ImageSize>,
    pixels: Vec<u8>,
}

impl Set {
    fn new(wanted: Option<ImageSize>) -> Self {
        Self {
            wanted,
            size: wanted,
            pixels: Vec::new(),
        }
    }

    fn append(&mut self, path: &Path, picture: Picture) -> Result<(), DataError> {
        let found = picture.size;
        let size = *self.size.get_or_insert(found);
        let fitting = picture
            .with_channels(size.channels)
            .filter(|picture| picture.size == size);
        let Some(picture) = fitting else {
            let problem = match self.wanted {
                Some(wanted) => Problem::WrongSize { wanted, found },
                None => Problem::MixedSizes {
                    expected: size,
                    found,
                },
            };
            return Err(fail(path, problem));
        };
        self.pixels.extend(picture.pixels);
        Ok(())
    }

    fn into_images(self, path: &Path) -> Result<Images, DataError> {
        let size = self.size.ok_or_else(|| fail(path, Problem::Empty))?;
        let [channels, height, width] =
            [size.channels, size.height, size.width].map(|n| n as usize);
        Images::new(channels, height, width, self.pixels)
            .map_err(|mismatch| fail(path, Problem::Malformed(mismatch.to_string())))
    }
}
