//! The demo's data: the full sets where they can be fetched, else the committed samples.

use super::Flowgate;
use crate::repo;
use anyhow::Result;
use flow_train_host::data::idx;
use std::path::{Path, PathBuf};

/// Where the demo's images are.
pub(super) struct Data {
    /// Clothes to train on.
    pub(super) train: PathBuf,
    /// Passes over them: a few minutes on two cores.
    pub(super) epochs: u32,
    /// Clothes to calibrate on, after [`Data::held_out_skip`] that were trained on.
    pub(super) held_out: PathBuf,
    /// Images of `held_out` to leave out.
    pub(super) held_out_skip: u32,
    /// Clothes to evaluate on.
    pub(super) test: PathBuf,
    /// Digits.
    pub(super) foreign: PathBuf,
}

impl Data {
    /// Fetches both sets, and falls back to the committed sample of each.
    pub(super) fn get(flowgate: &Flowgate, folder: &Path) -> Result<Self> {
        let [fashion_sample, mnist_sample] = repo::samples();
        let mnist = folder.join("mnist");
        let foreign = match fetch(flowgate, "mnist", &mnist) {
            true => mnist.join("mnist-images-idx3-ubyte.gz"),
            false => mnist_sample,
        };
        let fashion = folder.join("fashion-mnist");
        match fetch(flowgate, "fashion-mnist", &fashion) {
            true => Ok(Self::full(&fashion, foreign)),
            false => Self::cut(&fashion_sample, folder, foreign),
        }
    }

    /// The last 5,000 of the 60,000 training images are not trained on: by default a run keeps them to
    /// validate, and so they can calibrate.
    fn full(folder: &Path, foreign: PathBuf) -> Self {
        let train = folder.join("train-images-idx3-ubyte.gz");
        Self {
            held_out: train.clone(),
            held_out_skip: 55_000,
            train,
            epochs: 2,
            test: folder.join("t10k-images-idx3-ubyte.gz"),
            foreign,
        }
    }

    /// Cuts the sample of 1,000 images into three parts that share no image.
    fn cut(sample: &Path, folder: &Path, foreign: PathBuf) -> Result<Self> {
        let images = idx::load_images(sample)?;
        let part = |name: &str, range| -> Result<PathBuf> {
            let path = folder.join(name);
            idx::write_images(&path, &images.take(range))?;
            Ok(path)
        };
        Ok(Self {
            train: part("train.idx3.gz", 0..550)?,
            epochs: 40,
            // Enough for a threshold at 1 % and for the tables of the combined score.
            held_out: part("held-out.idx3.gz", 550..800)?,
            held_out_skip: 0,
            test: part("test.idx3.gz", 800..1000)?,
            foreign,
        })
    }
}

/// Whether the set is there now.
fn fetch(flowgate: &Flowgate, name: &str, to: &Path) -> bool {
    let fetched = flowgate.run(&["data", "fetch", name], &[("--out", to.as_os_str())]);
    if fetched.is_err() {
        println!("{name} cannot be fetched here: the committed sample serves instead");
    }
    fetched.is_ok()
}
