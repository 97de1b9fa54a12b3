//! The model that a run begins with, for training it elsewhere.

use super::config::TrainConfig;
use super::error::TrainError;
use super::ratio;
use super::run::prepare;
use crate::data::Dataset;
use crate::model::Model;

/// The weights that [`run`](super::run()) and [`train_ratio`](super::train_ratio) would begin with.
///
/// # Errors
/// Those with which the run would not begin.
pub fn initial_model(config: &TrainConfig, data: &Dataset) -> Result<Model, TrainError> {
    let (network, split) = prepare(config, data)?;
    if config.negative_threshold_nats.is_some() {
        return Err(TrainError::Config(
            "negative training is possible here only: leave out negative_threshold_nats",
        ));
    }
    let first = network.initial((config.seed, config.sensor.as_ref()), data, &split.train);
    let first = Model::new(config.spec.clone(), network.tensors(&first))?;
    let ratio = match data {
        Dataset::Images(images) => ratio::initial(config, &images.pick(&split.train))?,
        Dataset::Vectors(_) => None,
    };
    Ok(first
        .with_front_end(config.front_end.clone())
        .with_ratio(ratio))
}
