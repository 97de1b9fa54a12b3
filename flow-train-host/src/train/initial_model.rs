//! The model that a run begins with, for training it elsewhere.

use super::config::TrainConfig;
use super::directory;
use super::error::TrainError;
use super::run::prepare;
use crate::data::Dataset;
use crate::model::Model;
use std::path::Path;

/// The weights that [`run`](super::run()) would begin with in this directory, which must not hold a
/// run yet. Writes nothing.
///
/// # Errors
/// Those with which the run would not begin.
pub fn initial_model(
    config: &TrainConfig,
    data: &Dataset,
    directory: &Path,
) -> Result<Model, TrainError> {
    let (network, split) = prepare(config, data)?;
    if config.negative_threshold_nats.is_some() {
        return Err(TrainError::Config(
            "negative training is possible here only: leave out negative_threshold_nats",
        ));
    }
    directory::must_be_free(directory)?;
    let first = network.initial(config.seed, data, &split.train);
    Ok(Model::new(config.spec.clone(), network.tensors(&first))?.with_front_end(config.front_end))
}
