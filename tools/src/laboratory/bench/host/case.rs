//! A model to time, and the files from which both sides work.
//!
//! A `.flow` holds integers, which the other sides cannot read. They get the same architecture with
//! float weights made here; so that it means something that they are slower, these weights are
//! quantized as well, and our engine must find nearly the same log-likelihoods with them.

use super::super::case::{Numbers, images};
use crate::model::{Loaded, spec_section};
use anyhow::{Context, Result, bail};
use flow_infer::plan::NumberFormat;
use flow_infer::spec::{FlowSpec, InputSpec, Shape};
use flow_train_host::data::npy::{NpyArray, NpyValues};
use flow_train_host::data::{Dataset, Images};
use flow_train_host::export;
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::model::Model;
use flow_train_host::model::store::MODEL_FILE;
use flow_train_host::train::TrainConfig;
use flow_train_host::train::bench::first_model;
use std::path::Path;

/// Images of a batch.
pub(super) const BATCH: usize = 64;
/// The batch, the model that is timed, and those made for comparison: one with floats, and its
/// quantized twin.
pub(super) const IMAGES: &str = "images.npy";
pub(super) const TIMED: &str = "timed.flow";
pub(super) const FLOAT: &str = "float.flow";
pub(super) const COMPARED: &str = "compared.flow";

/// A quantized model of images.
pub(in super::super) struct Case {
    /// The model file's name without the ending.
    pub(in super::super) name: String,
    pub(super) bytes: Vec<u8>,
    spec: FlowSpec,
}

impl Case {
    /// Reads a model.
    pub(in super::super) fn open(path: &Path) -> Result<Self> {
        let loaded = Loaded::open_flow(path)?;
        let artifact = loaded.artifact()?;
        if artifact.number_format() != NumberFormat::Q8 {
            bail!(
                "{}: a float model; the quantized engine is timed",
                one_line(path)
            );
        }
        let spec = spec_section(&artifact);
        let spec = spec.with_context(|| format!("{}: says no architecture", one_line(path)))?;
        let InputSpec::Image { shape, .. } = spec.input else {
            bail!("{}: a model of vectors; images are timed", one_line(path));
        };
        if shape != Shape::new(1, 28, 28) {
            bail!("{}: the images made here are grey, 28 x 28", one_line(path));
        }
        let name = path.file_stem().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            bytes: loaded.bytes().to_vec(),
            spec,
        })
    }

    /// Number of coordinates.
    pub(super) fn dims(&self) -> usize {
        self.spec.input.shape().len()
    }

    /// Writes what our sides read into an existing directory.
    pub(in super::super) fn write(&self, directory: &Path) -> Result<()> {
        let pixels = NpyValues::U8(images(BATCH)?.pixels().to_vec());
        NpyArray::new(vec![BATCH, 1, 28, 28], pixels)?.write(&directory.join(IMAGES))?;
        write_atomically(&directory.join(TIMED), |w| w.write_all(&self.bytes))?;
        let float = export::floating(&self.model(&images(BATCH)?)?, false)?.to_bytes()?;
        write_atomically(&directory.join(FLOAT), |w| w.write_all(&float))?;
        Ok(())
    }

    /// Writes what the other sides read, and our twin of it.
    pub(super) fn write_for_others(&self, directory: &Path) -> Result<()> {
        let images = images(BATCH)?;
        let model = self.model(&images)?;
        model.save(&directory.join(MODEL_FILE))?;
        let twin = export::quantized(&model, &Dataset::Images(images), &|| ())?.to_bytes()?;
        write_atomically(&directory.join(COMPARED), |w| w.write_all(&twin))?;
        Ok(())
    }

    /// First weights as training would choose them, and small ones where it would begin with zeros,
    /// so that every layer shows in the result. With twice as large ones latents leave the range of
    /// integers.
    fn model(&self, images: &Images) -> Result<Model> {
        let config = TrainConfig::new(self.spec.clone());
        let model = first_model(&config, &Dataset::Images(images.clone()))?;
        let mut numbers = Numbers(5);
        let mut tensors = model.tensors().clone();
        for tensor in tensors.values_mut() {
            if tensor.values.iter().all(|&value| value == 0.0) {
                tensor.values.fill_with(|| 0.03 * (numbers.next() - 0.5));
            }
        }
        Ok(Model::new(self.spec.clone(), tensors)?)
    }
}
