//! A case as files: what both sides read, so that they begin with the same bits.

use super::case::{Case, Numbers};
use anyhow::{Context, Result, bail};
use flow_train_host::data::npy::{NpyArray, NpyValues};
use flow_train_host::data::{self, Dataset};
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::model::Model;
use flow_train_host::model::store::MODEL_FILE;
use flow_train_host::train::TrainConfig;
use flow_train_host::train::bench::first_model;
use std::path::Path;

const CONFIG: &str = "config.json";
const OPTIMIZER: &str = "optimizer.json";
const INPUTS: &str = "inputs.npy";
const NOISE: &str = "noise.npy";

/// Writes a case into an existing directory.
pub(super) fn write(case: Case, directory: &Path) -> Result<()> {
    let (config, data) = (case.config()?, case.data()?);
    let model = off_zero(&first_model(&config, &data)?)?;
    model.save(&directory.join(MODEL_FILE))?;
    let json = |name: &str, text: String| {
        write_atomically(&directory.join(name), |w| writeln!(w, "{text}"))
    };
    json(CONFIG, serde_json::to_string_pretty(&config)?)?;
    json(OPTIMIZER, serde_json::to_string_pretty(&config.optimizer)?)?;
    data.to_npy()?.write(&directory.join(INPUTS))?;
    let (count, mut numbers) = (data.len(), Numbers(3));
    let noise: Vec<f32> = (0..count * data.dims()).map(|_| numbers.next()).collect();
    let noise = NpyArray::new(vec![count, data.dims()], NpyValues::F32(noise))?;
    Ok(noise.write(&directory.join(NOISE))?)
}

/// How far first values are moved, at most.
const OFF_ZERO: f32 = 0.02;

/// First values begin with a last layer of zeros, behind which every gradient is zero: nothing would be compared.
fn off_zero(model: &Model) -> Result<Model> {
    let mut numbers = Numbers(4);
    let mut tensors = model.tensors().clone();
    let trained = tensors
        .iter_mut()
        .filter(|(name, _)| !name.starts_with("input."));
    for (_, tensor) in trained {
        let values = tensor.values.iter_mut();
        values.for_each(|v| *v += OFF_ZERO * (2.0 * numbers.next() - 1.0));
    }
    Ok(Model::new(model.spec().clone(), tensors)?)
}

/// What a worker reads of a case.
pub(super) struct Written {
    pub(super) config: TrainConfig,
    pub(super) model: Model,
    pub(super) data: Dataset,
    pub(super) noise: Vec<f32>,
}

/// Reads a case back.
pub(super) fn read(directory: &Path) -> Result<Written> {
    let path = directory.join(CONFIG);
    let place = || one_line(&path).to_string();
    let json = std::fs::read_to_string(&path).with_context(place)?;
    let config = serde_json::from_str(&json).with_context(place)?;
    let path = directory.join(NOISE);
    let NpyValues::F32(noise) = NpyArray::load(&path)?.into_parts().1 else {
        bail!("{}: noise must be 32-bit floats", one_line(&path));
    };
    let data = data::load(&directory.join(INPUTS))?;
    if noise.len() != data.len() * data.dims() {
        bail!("{}: noise for other data", one_line(&path));
    }
    Ok(Written {
        config,
        model: Model::load(directory)?,
        data,
        noise,
    })
}
