//! Data sets: images and vectors, from the files that people have.
//!
//! One reader a file, each behind the same two types: bytes for images, f32 for vectors. What the
//! readers share is strictness. A gate's false-alarm rate is only as good as the data that it was
//! calibrated on, so nothing is guessed, dropped or resized: a file is either exactly what its
//! header says, or an error that names the file and the place. What can be used but should be known
//! comes as a [`Notice`].
//!
//! | content | reader | gives |
//! |---|---|---|
//! | IDX, plain or gzipped | [`idx`] | images |
//! | NPY, NPZ | [`npy`] | images from bytes in 3 or 4 dimensions, vectors from numbers in 2 |
//! | directory of, or single PNG, JPEG, BMP, TIFF, WebP, PGM, PPM | [`image_dir`] | images |
//! | YUV4MPEG2 (y4m), plain or gzipped | [`y4m`] | images, one a frame |
//! | CSV, plain or gzipped | [`csv`] | vectors |
//! | CSV, NPY, WAV, or a folder of such, where windows are asked for | [`recordings`] | vectors of features, and their windows |

pub mod camera;
mod columns;
pub mod csv;
mod element;
mod error;
pub mod fetch;
mod gzip;
pub mod idx;
pub mod image_dir;
mod images;
mod items;
mod notice;
pub mod npy;
mod options;
pub mod picture;
mod recording_options;
pub mod recordings;
pub mod reduce;
pub mod sample;
pub mod select;
mod shape;
mod source;
pub mod survey;
mod table;
#[cfg(test)]
mod tests;
mod vectors;
pub mod y4m;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use self::columns::ColumnChoice;
pub use self::error::{DataError, ImageSize, Position, Problem};
pub use self::images::Images;
pub use self::items::{ItemName, ItemNames};
pub use self::notice::{ColumnName, Notice, Noticed};
pub use self::options::{Header, ReadOptions};
pub use self::shape::ShapeMismatch;
pub use self::vectors::{Vectors, WindowSet};

use self::npy::{NpyArray, NpyValues};
use self::source::{Source, fail};

/// What a flow is trained, calibrated and evaluated on.
#[derive(Debug, Clone, PartialEq)]
pub enum Dataset {
    /// 8-bit images.
    Images(Images),
    /// Feature vectors.
    Vectors(Vectors),
}

impl Dataset {
    /// Number of images or vectors N.
    pub fn len(&self) -> usize {
        match self {
            Self::Images(images) => images.len(),
            Self::Vectors(vectors) => vectors.len(),
        }
    }

    /// Whether there is no item; never of a loaded set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// D, the values of one item.
    pub fn dims(&self) -> usize {
        match self {
            Self::Images(images) => images.dims(),
            Self::Vectors(vectors) => vectors.dims(),
        }
    }

    /// C x H x W of one item; a vector is an image of D channels and one pixel.
    pub fn shape(&self) -> [usize; 3] {
        match self {
            Self::Images(images) => [images.channels(), images.height(), images.width()],
            Self::Vectors(vectors) => [vectors.dims(), 1, 1],
        }
    }

    /// The windows that the vectors were measured in, where they were measured in such.
    pub fn windows(&self) -> Option<&WindowSet> {
        match self {
            Self::Images(_) => None,
            Self::Vectors(vectors) => vectors.windows(),
        }
    }

    /// All items as one array: N x C x H x W bytes of images, N x D floats of vectors; of windows, N x samples x channels
    /// integers.
    ///
    /// # Errors
    /// [`ShapeMismatch`], never for a set that fits into memory.
    pub fn to_npy(&self) -> Result<NpyArray, ShapeMismatch> {
        let [c, h, w] = self.shape();
        match self {
            Self::Images(i) => {
                NpyArray::new(vec![i.len(), c, h, w], NpyValues::U8(i.pixels().to_vec()))
            }
            Self::Vectors(v) => match v.windows() {
                None => NpyArray::new(vec![v.len(), c], NpyValues::F32(v.values().to_vec())),
                Some(windows) => {
                    let samples = windows.samples().iter().map(|&s| s.into());
                    let [length, channels] = windows.shape();
                    let shape = vec![v.len(), length, channels];
                    NpyArray::new(shape, NpyValues::I32(samples.collect()))
                }
            },
        }
    }

    /// The items at these indices, which are all below the number of items.
    ///
    /// # Panics
    /// On an index that is not.
    pub fn pick(&self, indices: &[usize]) -> Self {
        match self {
            Self::Images(images) => Self::Images(images.pick(indices)),
            Self::Vectors(vectors) => Self::Vectors(vectors.pick(indices)),
        }
    }

    /// All items of several sets, one after another.
    ///
    /// # Errors
    /// [`ShapeMismatch`] of no sets, and of sets whose items differ in kind or shape.
    pub fn joined(sets: &[Self]) -> Result<Self, ShapeMismatch> {
        let none = ShapeMismatch {
            item_len: 0,
            values: 0,
        };
        let first = sets.first().ok_or(none)?;
        let [c, h, w] = first.shape();
        let differs = |set: &&Self| !set.is_like(first);
        if let Some(other) = sets.iter().find(differs) {
            return Err(ShapeMismatch {
                item_len: first.dims(),
                values: other.dims(),
            });
        }
        let images = sets.iter().filter_map(Self::images);
        let vectors = sets.iter().filter_map(Self::vectors);
        Ok(match first {
            Self::Images(_) => {
                let pixels = images.flat_map(Images::pixels).copied();
                Self::Images(Images::new(c, h, w, pixels.collect())?)
            }
            Self::Vectors(first) => Self::Vectors(first.joined(vectors)),
        })
    }

    /// Whether items of both have one kind and one shape, and windows are measured alike.
    fn is_like(&self, other: &Self) -> bool {
        let spec = |set: &Self| set.windows().map(|windows| windows.spec().clone());
        let is_image = |set: &Self| matches!(set, Self::Images(_));
        is_image(self) == is_image(other)
            && self.shape() == other.shape()
            && spec(self) == spec(other)
    }

    fn images(&self) -> Option<&Images> {
        match self {
            Self::Images(images) => Some(images),
            Self::Vectors(_) => None,
        }
    }

    fn vectors(&self) -> Option<&Vectors> {
        match self {
            Self::Images(_) => None,
            Self::Vectors(vectors) => Some(vectors),
        }
    }

    /// The items of `range`, as far as there are any.
    pub fn take(&self, range: Range<usize>) -> Self {
        match self {
            Self::Images(images) => Self::Images(images.take(range)),
            Self::Vectors(vectors) => Self::Vectors(vectors.take(range)),
        }
    }
}

/// A data set with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The items.
    pub dataset: Dataset,
    /// What they are called.
    pub items: ItemNames,
    /// The columns of vectors, as the file has them; none of images.
    pub columns: Vec<ColumnName>,
    /// What the column of blocks says of each item; none where there is no such column.
    pub blocks: Vec<String>,
    /// What its owner should know.
    pub notices: Vec<Notice>,
}

impl Reading {
    /// Items without other names than their rows.
    fn of_rows(dataset: Dataset) -> Self {
        Self {
            items: ItemNames::Rows(0..dataset.len()),
            dataset,
            columns: Vec::new(),
            blocks: Vec::new(),
            notices: Vec::new(),
        }
    }
}

/// Reads the data at `path` as [`read`] does with default options, without its names and notices.
///
/// # Errors
/// As [`read`].
pub fn load(path: &Path) -> Result<Dataset, DataError> {
    read(path, &ReadOptions::default()).map(|reading| reading.dataset)
}

/// As [`load`], from the content of a file; `name` is for the errors.
///
/// # Errors
/// As [`read`].
pub fn load_bytes(name: &Path, content: Vec<u8>) -> Result<Dataset, DataError> {
    let source = Source::from_bytes(name, content)?;
    read_source(source, &ReadOptions::default()).map(|reading| reading.dataset)
}

/// Reads the data at `path`, whose format is told by its content, not by its name. An array of an
/// archive may be named behind it: `data.npz:x_train`.
///
/// # Errors
/// [`DataError`], that of the reader or [`Problem::UnknownFormat`].
pub fn read(path: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
    if let Some(own) = &options.recordings {
        return recordings::read(path, options, own);
    }
    if path.is_dir() {
        return match &options.array {
            Some(array) => Err(fail(path, Problem::NoArrays(array.clone()))),
            None => image_dir::read(path, options),
        };
    }
    match with_array(path).filter(|_| options.array.is_none() && !path.exists()) {
        Some((file, array)) => {
            let options = ReadOptions {
                array: Some(array),
                ..options.clone()
            };
            read_source(Source::open(&file)?, &options)
        }
        None => read_source(Source::open(path)?, options),
    }
}

/// The file and the name of an array, where `path` is of that form and there is such a file.
fn with_array(path: &Path) -> Option<(PathBuf, String)> {
    let (file, array) = path.to_str()?.rsplit_once(':')?;
    let is_file = !array.is_empty() && Path::new(file).is_file();
    is_file.then(|| (PathBuf::from(file), array.to_owned()))
}

fn read_source(source: Source<'_>, options: &ReadOptions) -> Result<Reading, DataError> {
    let path = source.path().to_owned();
    let reading = read_arrays(source, options)?;
    match (reading.dataset, &options.reduction) {
        (Dataset::Images(images), Some(reduction)) => {
            let images = reduce::images(reduction, images).map_err(|why| fail(&path, why))?;
            Ok(Reading {
                dataset: Dataset::Images(images),
                ..reading
            })
        }
        (dataset, _) => Ok(Reading { dataset, ..reading }),
    }
}

/// Pictures and frames come reduced, arrays as they are.
fn read_arrays(source: Source<'_>, options: &ReadOptions) -> Result<Reading, DataError> {
    let is_archive = source.prefix().starts_with(b"PK");
    if let Some(array) = options.array.as_ref().filter(|_| !is_archive) {
        return Err(source.error(Problem::NoArrays(array.clone())));
    }
    match source.prefix() {
        [] => Err(source.error(Problem::Empty)),
        prefix if prefix.starts_with(b"\x93NUMPY") => npy::read_dataset(source, options),
        prefix if prefix.starts_with(b"PK") => npy::npz::read(source, options),
        prefix if picture::is_picture(prefix) => image_dir::read_one(source, options),
        y4m::MAGIC => y4m::read(source, options.reduction.as_ref())
            .map(|images| Reading::of_rows(Dataset::Images(images))),
        [0, 0, 0x08..=0x0e, ..] if !options.columns.is_all() => {
            Err(source.error(Problem::ColumnsOfImages))
        }
        [0, 0, 0x08..=0x0e, ..] => {
            idx::read_images(source).map(|images| Reading::of_rows(Dataset::Images(images)))
        }
        prefix if is_text(prefix) => csv::read(source, options),
        _ => Err(source.error(Problem::UnknownFormat)),
    }
}

/// Whether a file that starts so may be CSV: no control characters but white space.
fn is_text(prefix: &[u8]) -> bool {
    prefix
        .iter()
        .all(|&byte| byte >= b' ' || byte.is_ascii_whitespace())
}
