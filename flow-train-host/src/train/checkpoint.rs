//! The state of a run between two steps, as a file.
//!
//! A safetensors file of the flat vectors with the counters as JSON in its metadata. Order and
//! noise are functions of seed, epoch and item, so no generator has a state. Sums of floats are
//! kept as bits: a decimal that is off by the last place would already break "the same bits as an
//! uninterrupted run" in the log.

use super::error::TrainError;
use super::network::Network;
use super::optimizer::Optimizer;
use super::progress::EpochRecord;
use crate::files::write_atomically;
use crate::model::store::{f32_bytes, f32_values};
use crate::nn::Numbers;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

const METADATA_KEY: &str = "flowgate.checkpoint";

/// Counters of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Epoch in progress, counted from 0.
    pub(crate) epoch: u64,
    /// Steps done in it.
    pub(crate) step: u64,
    /// Optimizer steps since the start.
    pub(crate) optimizer_steps: u64,
    /// Bits of the f64 sum of log_prob_nats over this epoch's items so far.
    #[serde(alias = "log_prob_bits")]
    pub(crate) log_prob_f64_bits: u64,
    /// Bits of the f64 best validation bits per dim.
    #[serde(alias = "best_bits")]
    pub(crate) best_f64_bits: Option<u64>,
    /// Fingerprint of the training data.
    pub(crate) data_fingerprint: u64,
    /// The epochs so far.
    pub(crate) records: Vec<EpochRecord>,
}

/// A run between two steps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) parameters: Numbers,
    pub(crate) optimizer: Optimizer,
    pub(crate) counters: Counters,
}

impl State {
    /// Replaces the checkpoint at `path`.
    pub(crate) fn save(&self, network: &Network, path: &Path) -> Result<(), TrainError> {
        let vectors = [
            ("parameters", &self.parameters),
            ("mean", &self.optimizer.mean),
            ("square", &self.optimizer.square),
            ("ema", &self.optimizer.ema),
        ];
        let broken = |e: String| TrainError::File(path.to_owned(), e);
        let len = network.layout().flat;
        let bytes = vectors.map(|(name, values)| (name, f32_bytes(&network.flatten(values))));
        let mut views = Vec::new();
        for (name, bytes) in &bytes {
            let view = TensorView::new(Dtype::F32, vec![len], bytes);
            views.push((*name, view.map_err(|e| broken(e.to_string()))?));
        }
        let json = serde_json::to_string(&self.counters).map_err(|e| broken(e.to_string()))?;
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), json)]);
        let file = safetensors::serialize(views, Some(metadata));
        let file = file.map_err(|e| broken(e.to_string()))?;
        write_atomically(path, |w| w.write_all(&file))?;
        Ok(())
    }

    /// Reads a checkpoint of a flow.
    pub(crate) fn load(network: &Network, path: &Path) -> Result<Self, TrainError> {
        let broken = |e: String| TrainError::File(path.to_owned(), e);
        let bytes = std::fs::read(path).map_err(|e| broken(e.to_string()))?;
        let no_checkpoint = |e: String| broken(format!("not a checkpoint: {e}"));
        let (_, header) =
            SafeTensors::read_metadata(&bytes).map_err(|e| no_checkpoint(e.to_string()))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| no_checkpoint(e.to_string()))?;
        let json = header.metadata().as_ref().and_then(|m| m.get(METADATA_KEY));
        let json = json.ok_or_else(|| no_checkpoint("it has no counters".to_owned()))?;
        let counters: Counters =
            serde_json::from_str(json).map_err(|e| no_checkpoint(e.to_string()))?;
        let vector = |name: &str| {
            let view = file
                .tensor(name)
                .map_err(|e| no_checkpoint(e.to_string()))?;
            if view.dtype() != Dtype::F32 || view.shape() != [network.layout().flat] {
                return Err(broken(format!("its {name} belong to another flow")));
            }
            Ok(network.block(&f32_values(view.data())))
        };
        // Checkpoints of version 0.1 call it `average`.
        let ema = match file.names().contains(&"average") {
            true => "average",
            false => "ema",
        };
        Ok(Self {
            parameters: vector("parameters")?,
            optimizer: Optimizer {
                mean: vector("mean")?,
                square: vector("square")?,
                ema: vector(ema)?,
                steps: counters.optimizer_steps,
            },
            counters,
        })
    }
}
