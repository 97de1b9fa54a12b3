//! Random tensors of sensible size for any spec.

use crate::random::SplitMix64;
use flow_infer::spec::{FlowSpec, ScaleMap, StepSpec};
use flow_train_host::model::{
    Model, ModelError, Tensor,
    tensors::{TensorSpec, step_prefix, tensor_list},
};
use std::collections::BTreeMap;

/// What the last layer of a coupling with the scale map `exp` is multiplied with. Nothing bounds that map: at full size
/// a chain of such couplings on a linear conditioner leaves the range of f64.
const EXP_LAST_LAYER: f32 = 0.2;

/// A model of this architecture with random tensors: He-scaled weights, so that activations stay of order one through
/// any number of layers; last layers smaller, so that log_scale is of order a tenth and latents of twenty couplings
/// stay below thirty.
///
/// # Errors
/// If the spec is inconsistent.
pub fn random_model(spec: FlowSpec, random: &mut SplitMix64) -> Result<Model, ModelError> {
    spec.validate().map_err(ModelError::Spec)?;
    let mut tensors = BTreeMap::new();
    for wanted in tensor_list(&spec) {
        let tensor = tensor(&wanted, random);
        tensors.insert(wanted.name, tensor);
    }
    for placed in spec.steps() {
        if let StepSpec::Coupling(coupling) = placed.step
            && coupling.scale_map == ScaleMap::Exp
        {
            let prefix = step_prefix(placed.level, placed.index);
            for (_, tensor) in tensors
                .iter_mut()
                .filter(|(name, _)| name.starts_with(&prefix) && is_last_layer(name))
            {
                tensor.values.iter_mut().for_each(|v| *v *= EXP_LAST_LAYER);
            }
        }
    }
    Model::new(spec, tensors)
}

fn is_last_layer(name: &str) -> bool {
    let last = ["out_conv.", "out_layer.", "decoder.3."];
    last.iter().any(|layer| name.contains(layer))
}

fn tensor(wanted: &TensorSpec, random: &mut SplitMix64) -> Tensor {
    let count: usize = wanted.shape.iter().product();
    let (_, kind) = wanted.name.rsplit_once('.').unwrap_or_default();
    let mut fill = |f: &mut dyn FnMut(&mut SplitMix64) -> f64| -> Vec<f64> {
        (0..count).map(|_| f(random)).collect()
    };
    let values = match kind {
        "weights" if wanted.name.contains("conditioner") => {
            let deviation = weight_deviation(wanted);
            fill(&mut |r| deviation * r.normal())
        }
        "weights" => invertible(wanted.shape[0], random),
        "mean" if wanted.name == "input.mean" => fill(&mut |r| 2.0 * r.normal()),
        "whitening" => {
            let deviation = 1.0 / (wanted.shape[1] as f64).sqrt();
            fill(&mut |r| deviation * r.normal())
        }
        "deviation" => fill(&mut |r| (0.5 * r.normal()).exp()),
        "log_scale_bound" => fill(&mut |r| sign(r) * r.between(0.2, 0.6)),
        "gain" => fill(&mut |r| sign(r) * r.between(0.6, 1.4)),
        "variance" => fill(&mut |r| r.between(0.3, 2.0)),
        "shift" | "log_scale" | "offset" | "mean" | "bias" => fill(&mut |r| 0.2 * r.normal()),
        _ => panic!("no random values for a tensor named {}", wanted.name),
    };
    Tensor {
        shape: wanted.shape.clone(),
        values: values.into_iter().map(|v| v as f32).collect(),
    }
}

fn weight_deviation(wanted: &TensorSpec) -> f64 {
    let gain = match &wanted.name {
        name if is_last_layer(name) => 0.03,
        // The branch of a residual block adds to what is there already.
        name if name.contains("conv_b") => 0.5,
        _ => 2.0,
    };
    let input_first = wanted.name.contains("decoder") || wanted.name.contains("bottleneck.up");
    let fan_in = match (input_first, wanted.shape.as_slice()) {
        // A transposed convolution of stride 1 sums over every input channel and kernel position.
        (true, [input, _, h, w]) if wanted.name.contains("decoder") => input * h * w,
        (true, [input, ..]) => *input,
        (false, [_, rest @ ..]) => rest.iter().product(),
        (_, []) => 1,
    };
    (gain / fan_in as f64).sqrt()
}

/// A well-conditioned n x n matrix that is neither orthogonal nor symmetric: D (I - 2 u uᵀ) E (I - 2 v vᵀ) with unit
/// vectors u, v and diagonal D, E around 1.
fn invertible(n: usize, random: &mut SplitMix64) -> Vec<f64> {
    let [u, v] = [unit(n, random), unit(n, random)];
    let [d, e] = [(); 2].map(|()| {
        (0..n)
            .map(|_| (0.2 * random.normal()).exp())
            .collect::<Vec<_>>()
    });
    let reflect = |w: &[f64], i: usize, j: usize| f64::from(i == j) - 2.0 * w[i] * w[j];
    let mut matrix = Vec::with_capacity(n * n);
    for i in 0..n {
        for j in 0..n {
            let terms = (0..n).map(|k| d[i] * reflect(&u, i, k) * e[k] * reflect(&v, k, j));
            matrix.push(terms.sum());
        }
    }
    matrix
}

fn unit(n: usize, random: &mut SplitMix64) -> Vec<f64> {
    let v: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.into_iter().map(|x| x / length).collect()
}

fn sign(random: &mut SplitMix64) -> f64 {
    if random.below(2) == 0 { 1.0 } else { -1.0 }
}
