//! The samples that the repository carries are what SOURCES.md says, and can be made again.

use std::fs;
use std::path::PathBuf;

use super::{Files, error_naming};
use crate::data::fetch::{fetch_fashion_mnist, fetch_mnist, sha256_hex};
use crate::data::idx::{encode_images, load_images};
use crate::data::sample::{self, FASHION_MNIST_FILE, MNIST_FILE, SampleError, write_samples};
use crate::data::{Images, Problem};

fn committed(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data")).join(name)
}

fn content_sum(images: &Images) -> String {
    sha256_hex(&encode_images(images).unwrap())
}

#[test]
fn the_committed_samples_have_the_sums_of_sources_md() {
    let sources = fs::read_to_string(committed("SOURCES.md")).unwrap();
    for (name, len) in [
        (FASHION_MNIST_FILE, sample::FASHION_MNIST_LEN),
        (MNIST_FILE, sample::MNIST_LEN),
    ] {
        let images = load_images(&committed(name)).unwrap();
        assert_eq!(
            (images.len(), images.height(), images.width()),
            (len, 28, 28)
        );
        let file_sum = sha256_hex(&fs::read(committed(name)).unwrap());
        for part in [name, &file_sum, &content_sum(&images)] {
            assert!(sources.contains(part), "{name}: SOURCES.md lacks {part}");
        }
    }
}

/// A sample is the beginning of its source, so made from itself it is itself: this runs the whole
/// making without the full sets.
#[test]
fn the_committed_samples_are_reproduced() {
    let out = Files::new();
    let from = [committed(FASHION_MNIST_FILE), committed(MNIST_FILE)];
    let made = write_samples(&from[0], &from[1], out.path()).unwrap();
    for (made, from) in made.iter().zip(&from) {
        assert_eq!(load_images(made).unwrap(), load_images(from).unwrap());
        assert_eq!(made.file_name(), from.file_name());
    }
}

#[test]
fn too_small_a_set_gives_no_sample() {
    let out = Files::new();
    let small = committed(MNIST_FILE); // 500 images, where the other set has 1000
    let error = write_samples(&small, &small, out.path()).unwrap_err();
    let SampleError::Data(error) = error else {
        panic!("{error}")
    };
    let error = error_naming::<()>(&small, Err(error));
    assert!(matches!(
        error.problem,
        Problem::TooFew {
            expected: 1000,
            found: 500
        }
    ));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "needs Debian's and npm's registries: 36 MB"]
fn the_committed_samples_are_made_from_the_full_sets() {
    let (full, out) = (Files::new(), Files::new());
    let mut progress = |stage: &str| println!("{stage}");
    let fashion_mnist = fetch_fashion_mnist(full.path(), &mut progress).unwrap();
    let mnist = fetch_mnist(full.path(), &mut progress).unwrap();
    let made = write_samples(&fashion_mnist.files[2], &mnist.files[0], out.path()).unwrap();
    for path in made {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(
            load_images(&path).unwrap(),
            load_images(&committed(name)).unwrap(),
            "{name}"
        );
    }
}
