//! The small image files that the repository carries, made from the full sets.
//!
//! Tests and examples need real images without a download. Both samples are the beginning of a
//! file that [`fetch`](super::fetch) gives, which makes them reproducible by anyone and leaves
//! nothing to choose; the digits are interleaved by class there, so their beginning is balanced.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::{DataError, Problem};
use super::idx;
use super::source::fail;
use crate::files::WriteError;

/// File name of the first [`FASHION_MNIST_LEN`] test images of FashionMNIST.
pub const FASHION_MNIST_FILE: &str = "fashion-mnist-sample-images.idx3.gz";
/// Images in it.
pub const FASHION_MNIST_LEN: usize = 1000;
/// File name of the first [`MNIST_LEN`] digits, 50 of each class.
pub const MNIST_FILE: &str = "mnist-sample-images.idx3.gz";
/// Images in it.
pub const MNIST_LEN: usize = 500;

/// A sample that could not be made.
#[derive(Debug)]
pub enum SampleError {
    /// A full set cannot be read.
    Data(DataError),
    /// A sample cannot be written.
    Write(WriteError),
}

impl fmt::Display for SampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SampleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Data(error) => error.source(),
            Self::Write(error) => error.source(),
        }
    }
}

/// Writes both samples into the directory `out`: the beginning of `fashion_mnist` (FashionMNIST's
/// `t10k-images-idx3-ubyte.gz`) and of `mnist` (`mnist-images-idx3-ubyte.gz`), as they were
/// fetched.
///
/// # Errors
/// [`SampleError`] when a set cannot be read or is too small, or a sample cannot be written.
pub fn write_samples(
    fashion_mnist: &Path,
    mnist: &Path,
    out: &Path,
) -> Result<[PathBuf; 2], SampleError> {
    let paths = [out.join(FASHION_MNIST_FILE), out.join(MNIST_FILE)];
    write_beginning(fashion_mnist, FASHION_MNIST_LEN, &paths[0])?;
    write_beginning(mnist, MNIST_LEN, &paths[1])?;
    Ok(paths)
}

fn write_beginning(from: &Path, len: usize, to: &Path) -> Result<(), SampleError> {
    let images = idx::load_images(from).map_err(SampleError::Data)?;
    if images.len() < len {
        let (expected, found) = (len, images.len());
        let problem = Problem::TooFew { expected, found };
        return Err(SampleError::Data(fail(from, problem)));
    }
    idx::write_images(to, &images.take(0..len)).map_err(SampleError::Write)
}
