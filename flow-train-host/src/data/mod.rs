//! Data sets: images and vectors, from the files that people have.
//!
//! One reader a file, each behind the same two types: bytes for images, f32 for vectors. What the
//! readers share is strictness. A gate's false-alarm rate is only as good as the data that it was
//! calibrated on, so nothing is guessed, dropped or resized: a file is either exactly what its
//! header says, or an error that names the file and the place.
//!
//! | content | reader | gives |
//! |---|---|---|
//! | IDX, plain or gzipped | [`idx`] | images |
//! | NPY, NPZ | [`npy`] | images from bytes, vectors from floats |
//! | directory of, or single PNG, JPEG, PGM, PPM | [`image_dir`] | images |
//! | CSV, plain or gzipped | [`csv`] | vectors |

pub mod csv;
mod error;
pub mod fetch;
pub mod idx;
pub mod image_dir;
mod images;
pub mod npy;
mod picture;
pub mod sample;
pub mod select;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod vectors;

use std::ops::Range;
use std::path::Path;

pub use self::error::{DataError, ImageSize, Position, Problem};
pub use self::images::Images;
pub use self::shape::ShapeMismatch;
pub use self::vectors::Vectors;

use self::npy::{NpyArray, NpyValues};
use self::source::Source;

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

    /// All items as one array: N x C x H x W bytes of images, N x D floats of vectors.
    ///
    /// # Errors
    /// [`ShapeMismatch`], never for a set that fits into memory.
    pub fn to_npy(&self) -> Result<NpyArray, ShapeMismatch> {
        let [c, h, w] = self.shape();
        match self {
            Self::Images(i) => {
                NpyArray::new(vec![i.len(), c, h, w], NpyValues::U8(i.pixels().to_vec()))
            }
            Self::Vectors(v) => {
                NpyArray::new(vec![v.len(), c], NpyValues::F32(v.values().to_vec()))
            }
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

/// Reads the data at `path`, whose format is told by its content, not by its name.
///
/// # Errors
/// [`DataError`], that of the reader or [`Problem::UnknownFormat`].
pub fn load(path: &Path) -> Result<Dataset, DataError> {
    if path.is_dir() {
        return image_dir::load(path).map(Dataset::Images);
    }
    read(Source::open(path)?)
}

/// As [`load`], from the content of a file; `name` is for the errors.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(name: &Path, content: Vec<u8>) -> Result<Dataset, DataError> {
    read(Source::from_bytes(name, content)?)
}

fn read(source: Source<'_>) -> Result<Dataset, DataError> {
    match source.prefix() {
        [] => Err(source.error(Problem::Empty)),
        prefix if prefix.starts_with(b"\x93NUMPY") => npy::read_dataset(source),
        prefix if prefix.starts_with(b"PK") => npy::npz::read(source),
        prefix if picture::is_picture(prefix) => image_dir::read_one(source).map(Dataset::Images),
        [0, 0, 0x08..=0x0e, ..] => idx::read_images(source).map(Dataset::Images),
        prefix if is_text(prefix) => csv::read(source).map(Dataset::Vectors),
        _ => Err(source.error(Problem::UnknownFormat)),
    }
}

/// Whether a file that starts so may be CSV: no control characters but white space.
fn is_text(prefix: &[u8]) -> bool {
    prefix
        .iter()
        .all(|&byte| byte >= b' ' || byte.is_ascii_whitespace())
}
