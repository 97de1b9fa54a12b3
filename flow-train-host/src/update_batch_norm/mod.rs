//! Batch norm's statistics, re-estimated on data (PyTorch's `update_bn`).
//!
//! A checkpoint's running mean and variance average the last few batches of its training, while the
//! weights still moved. In evaluation mode they are nobody's: an activation that the variance does
//! not know is divided by too little, passes ten couplings, and one image costs 10^9 nats. Here a
//! statistic is the mean and variance over all of the given data, at the final weights, norm after
//! norm in the order of the flow: each sees the activations that the new numbers of those before it
//! give.
//!
//! There is no forward pass here. The float engine runs the flow up to the norm's coupling while
//! `probe` looks on: a pass over the data for each norm, so a few hundred images are plenty and 64
//! do for a large model.

mod error;
mod probe;

pub use error::BatchNormError;

use crate::data::Dataset;
use crate::model::tensors::step_prefix;
use crate::model::{Model, Tensor};
use flow_infer::spec::{ConditionerSpec, FlowSpec, Norm, PlacedStep, StepSpec};
use std::collections::BTreeMap;

/// What became of one batch norm.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdatedNorm {
    /// Its name in the model, without a part.
    pub name: String,
    /// Furthest that a channel's mean moved, in standard deviations of the new statistics.
    pub largest_shift: f64,
    /// Smallest and largest ratio of a channel's new variance to the old one.
    pub variance_ratio: [f64; 2],
}

/// A batch norm of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// Its name in the model, without a part.
    name: String,
    /// Index of its coupling among the steps that the engine runs.
    step: usize,
    /// Its number among the norms of its conditioner.
    index: usize,
}

/// How many passes over the data it takes: one for each batch norm.
pub fn passes(spec: &FlowSpec) -> usize {
    places(spec).len()
}

/// Replaces mean and variance of every batch norm by those of the activations that `data` has
/// there, every pixel of every input counted once (the population's variance). Images are read at
/// the middle of their bytes. `finished` is called after each norm.
///
/// # Errors
/// [`BatchNormError`]: a model without batch norm, data that it does not read, or activations that
/// are not finite.
pub fn update_batch_norm(
    model: &Model,
    data: &Dataset,
    finished: &dyn Fn(),
) -> Result<(Model, Vec<UpdatedNorm>), BatchNormError> {
    let spec = model.spec();
    let mut tensors = model.tensors().clone();
    let mut changes = Vec::new();
    for place in places(spec) {
        let probed = probe::probe_model(spec, &tensors, &place)?;
        let moments = probe::measure(&probed, &place, data)?;
        let (mean, variance) = moments.mean_and_variance();
        if !mean.iter().chain(&variance).all(|v| v.is_finite()) {
            return Err(BatchNormError::NotFinite(place.name));
        }
        changes.push(change(&place.name, &tensors, &mean, &variance));
        set(&mut tensors, &format!("{}.mean", place.name), mean);
        set(&mut tensors, &format!("{}.variance", place.name), variance);
        finished();
    }
    if changes.is_empty() {
        return Err(BatchNormError::NoBatchNorm);
    }
    let new = Model::new(spec.clone(), tensors).map_err(BatchNormError::Model)?;
    let model = new.with_front_end(model.front_end().cloned());
    Ok((model, changes))
}

fn set(tensors: &mut BTreeMap<String, Tensor>, name: &str, values: Vec<f32>) {
    if let Some(tensor) = tensors.get_mut(name) {
        tensor.values = values;
    }
}

fn change(
    name: &str,
    tensors: &BTreeMap<String, Tensor>,
    mean: &[f32],
    variance: &[f32],
) -> UpdatedNorm {
    let old = |part: &str| tensors[&format!("{name}.{part}")].values.iter();
    let guarded = |v: f32| f64::from(v) + probe::EPSILON;
    let moved = old("mean").zip(mean).zip(variance);
    let shifts = moved.map(|((old, new), &v)| f64::from(new - old).abs() / guarded(v).sqrt());
    let pairs = old("variance").zip(variance);
    let ratios = pairs.map(|(&old, &new)| guarded(new) / guarded(old));
    UpdatedNorm {
        name: name.to_owned(),
        largest_shift: shifts.fold(0.0, f64::max),
        variance_ratio: [
            ratios.clone().fold(f64::INFINITY, f64::min),
            ratios.fold(0.0, f64::max),
        ],
    }
}

/// The batch norms in the order in which activations meet them.
fn places(spec: &FlowSpec) -> Vec<Place> {
    let steps = spec.steps().filter(|s| s.step != StepSpec::Squeeze);
    steps
        .enumerate()
        .flat_map(|(step, placed)| {
            let names = norms_of(&placed).into_iter().enumerate();
            names.map(move |(index, name)| Place { name, step, index })
        })
        .collect()
}

fn norms_of(placed: &PlacedStep) -> Vec<String> {
    let StepSpec::Coupling(coupling) = &placed.step else {
        return Vec::new();
    };
    let ConditionerSpec::Resnet {
        norm: Norm::Batch,
        blocks,
        ..
    } = coupling.conditioner
    else {
        return Vec::new();
    };
    let at = format!("{}conditioner.", step_prefix(placed.level, placed.index));
    let mut names = vec![format!("{at}in_norm")];
    for k in 0..blocks {
        names.extend(["a", "b"].map(|part| format!("{at}blocks.{k}.norm_{part}")));
    }
    names.push(format!("{at}out_norm"));
    names
}
