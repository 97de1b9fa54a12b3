//! A whole flow: the walk through its levels, and the log-probability that comes of it.

use super::{
    Array, Parameters, actnorm, coupling, input, invertible_linear, log_prior, squeeze, unsqueeze,
};
use flow_infer::spec::{FlowSpec, StepSpec};
use flow_train_host::model::Model;

/// What the flow says about one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The latent, image-shaped: every coordinate where its pixel is.
    pub z: Vec<f64>,
    /// ln |det dz/dv|, in nats: of the input (logit or standardization) and all steps.
    pub log_det: f64,
    /// The input's share of log_det.
    pub input_log_det: f64,
    /// The share of every step, in the order of [`FlowSpec::steps`].
    pub step_log_dets: Vec<f64>,
    /// ln of the density at v, in nats: log_prior(z) + log_det.
    pub log_prob_nats: f64,
}

/// The latents as the levels leave them.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// What each level but the last left behind by `factor_out`.
    pub finished: Vec<Array>,
    /// What the last level ended with.
    pub last: Array,
}

impl Parts {
    /// All values, level by level: the order in which the paper's reference code flattens its
    /// latents.
    pub fn joined(&self) -> Vec<f64> {
        let all = self.finished.iter().chain([&self.last]);
        all.flat_map(|part| part.values.iter().copied()).collect()
    }
}

/// The log-probability of the data v (see [`super::midpoint`]), with all that it is made of.
///
/// # Panics
/// If v has not as many coordinates as the model reads.
pub fn evaluate(model: &Model, data: &[f64]) -> Evaluated {
    let (first, input_log_det) = input::to_latent(model, data);
    let first = Array::new(model.spec().input.shape(), first);
    let mut step_log_dets = Vec::new();
    let parts = walk_to_latent(model.spec(), first, |level, index, step, h| {
        let parameters = Parameters::of_step(model, level, index);
        let (h, log_det) = step_to_latent(step, &parameters, &h);
        step_log_dets.push(log_det);
        h
    });
    let z = image_shaped(model.spec(), parts);
    let log_det = input_log_det + step_log_dets.iter().sum::<f64>();
    Evaluated {
        log_prob_nats: log_prior(&z) + log_det,
        z,
        log_det,
        input_log_det,
        step_log_dets,
    }
}

/// The latent z of the data v, image-shaped.
pub fn to_latent(model: &Model, data: &[f64]) -> Vec<f64> {
    evaluate(model, data).z
}

/// The data v of a latent z.
///
/// # Panics
/// If z has not as many coordinates as the model reads.
pub fn to_data(model: &Model, z: &[f64]) -> Vec<f64> {
    let spec = model.spec();
    let first = walk_to_data(spec, parts(spec, z), |level, index, step, h| {
        step_to_data(step, &Parameters::of_step(model, level, index), &h)
    });
    input::to_data(model, &first.values)
}

/// An image-shaped latent, taken apart as the levels left it: squeezed and split, nothing else.
pub fn parts(spec: &FlowSpec, z: &[f64]) -> Parts {
    let z = Array::new(spec.input.shape(), z.to_vec());
    walk_to_latent(spec, z, |_, _, step, h| match step {
        StepSpec::Squeeze => squeeze(&h),
        _ => h,
    })
}

/// The parts, put back where their pixels are.
fn image_shaped(spec: &FlowSpec, parts: Parts) -> Vec<f64> {
    let whole = walk_to_data(spec, parts, |_, _, step, h| match step {
        StepSpec::Squeeze => unsqueeze(&h),
        _ => h,
    });
    whole.values
}

fn step_to_latent(step: &StepSpec, parameters: &Parameters<'_>, x: &Array) -> (Array, f64) {
    match step {
        StepSpec::Squeeze => (squeeze(x), 0.0),
        StepSpec::Actnorm => actnorm::to_latent(parameters, x),
        StepSpec::InvertibleLinear => invertible_linear::to_latent(parameters, x),
        StepSpec::Coupling(spec) => coupling::to_latent(spec, parameters, x),
    }
}

fn step_to_data(step: &StepSpec, parameters: &Parameters<'_>, y: &Array) -> Array {
    match step {
        StepSpec::Squeeze => unsqueeze(y),
        StepSpec::Actnorm => actnorm::to_data(parameters, y),
        StepSpec::InvertibleLinear => invertible_linear::to_data(parameters, y),
        StepSpec::Coupling(spec) => coupling::to_data(spec, parameters, y),
    }
}

/// Every level's steps, then `factor_out`: the first half of the channels goes on, the second is
/// finished.
fn walk_to_latent(
    spec: &FlowSpec,
    first: Array,
    mut apply: impl FnMut(usize, usize, &StepSpec, Array) -> Array,
) -> Parts {
    let mut h = first;
    let mut finished = Vec::new();
    for (level, steps) in spec.levels.iter().enumerate() {
        if level > 0 {
            let half = h.channels / 2;
            finished.push(h.channels_from(half, h.channels - half));
            h = h.channels_from(0, half);
        }
        for (index, step) in steps.steps.iter().enumerate() {
            h = apply(level, index, step, h);
        }
    }
    Parts { finished, last: h }
}

/// The way back: every level's steps undone, last one first, then joined with what was finished
/// before it.
fn walk_to_data(
    spec: &FlowSpec,
    mut parts: Parts,
    mut undo: impl FnMut(usize, usize, &StepSpec, Array) -> Array,
) -> Array {
    let mut h = parts.last;
    for (level, steps) in spec.levels.iter().enumerate().rev() {
        for (index, step) in steps.steps.iter().enumerate().rev() {
            h = undo(level, index, step, h);
        }
        if let Some(finished) = (level > 0).then(|| parts.finished.pop()).flatten() {
            h = h.then_channels(&finished);
        }
    }
    h
}
