//! The activations in front of a batch norm, seen by the engine's observer.
//!
//! The engine knows no batch norm: lowering folds it into gains and weights. A norm of gain 1 over
//! variance 1 whose activation function is left out writes exactly what it reads, so that is what
//! is lowered, and the flow is cut after the coupling.

use super::{BatchNormError, Place};
use crate::data::Dataset;
use crate::evaluate::HeapScratch;
use crate::export::engine::FloatEngine;
use crate::export::lower::{LoweredFlow, LoweredLayer, LoweredStep, lower};
use crate::export::ranges::check_data;
use crate::model::{Model, Tensor};
use crate::moments::ChannelMoments;
use crate::parallel::try_map;
use flow_infer::engine::{F32, Noise, Observer, evaluate};
use flow_infer::plan::{Activation, Buffer, LayerKind, Step};
use flow_infer::spec::FlowSpec;
use std::collections::BTreeMap;

/// Added to a variance before its square root, as lowering does.
pub(super) const EPSILON: f64 = 1e-5;

/// Inputs whose sums are made by one thread: fixed, so that the result does not depend on the
/// number of threads.
const CHUNK: usize = 16;

/// A flow that writes what one batch norm reads.
pub(super) struct Probed {
    flow: LoweredFlow,
    layer: usize,
    channels: usize,
}

/// Lowers the flow up to the norm, which becomes the identity.
pub(super) fn probe_model(
    spec: &FlowSpec,
    tensors: &BTreeMap<String, Tensor>,
    place: &Place,
) -> Result<Probed, BatchNormError> {
    let mut tensors = tensors.clone();
    let mut channels = 0;
    for (part, value) in [
        ("gain", 1.0),
        ("offset", 0.0),
        ("mean", 0.0),
        ("variance", 1.0 - EPSILON),
    ] {
        if let Some(tensor) = tensors.get_mut(&format!("{}.{part}", place.name)) {
            channels = tensor.values.len();
            tensor.values.fill(value as f32);
        }
    }
    let model = Model::new(spec.clone(), tensors).map_err(BatchNormError::Model)?;
    let mut flow = lower(&model);
    flow.steps.truncate(place.step + 1);
    let layer = bare_layer(&mut flow, place).ok_or(BatchNormError::NoBatchNorm)?;
    Ok(Probed {
        flow,
        layer,
        channels,
    })
}

/// Finds the layer that applies the norm and takes its activation function away.
fn bare_layer(flow: &mut LoweredFlow, place: &Place) -> Option<usize> {
    let Some(LoweredStep::Coupling(coupling)) = flow.steps.get_mut(place.step) else {
        return None;
    };
    let mut layers = coupling.layers.iter_mut().enumerate();
    let (index, layer) = layers
        .by_ref()
        .filter(|(_, layer)| applies_norm(layer))
        .nth(place.index)?;
    layer.activation = Activation::Identity;
    Some(index)
}

/// A resnet's norms, and nothing else in it, are each followed by a relu: of the input, of maps,
/// and of a block's first convolution.
fn applies_norm(layer: &LoweredLayer) -> bool {
    layer.activation == Activation::Relu
        && matches!(
            layer.kind,
            LayerKind::Input { .. } | LayerKind::Map | LayerKind::Conv(_)
        )
}

/// Mean and variance, over the data, of what the norm reads.
pub(super) fn measure(
    probed: &Probed,
    place: &Place,
    data: &Dataset,
) -> Result<ChannelMoments, BatchNormError> {
    let engine = FloatEngine::new(&probed.flow)?;
    let buffer = target(engine.steps(), place.step, probed.layer);
    let buffer = buffer.ok_or(BatchNormError::NoBatchNorm)?;
    let artifact = engine.artifact()?;
    check_data(&artifact, data)?;
    let starts: Vec<usize> = (0..data.len()).step_by(CHUNK).collect();
    let part = |(): &mut (), part: usize| {
        let start = starts[part];
        let mut scratch = HeapScratch::<F32>::new(&artifact);
        let mut watch = Watch {
            at: (place.step, probed.layer),
            buffer,
            moments: ChannelMoments::new(probed.channels),
        };
        for index in start..(start + CHUNK).min(data.len()) {
            let input = data.flow_bytes(index);
            evaluate(
                &artifact,
                &input,
                Noise::default(),
                scratch.borrow(),
                &mut watch,
            )
            .map_err(|error| BatchNormError::Input { index, error })?;
        }
        Ok::<_, BatchNormError>(watch.moments)
    };
    let parts = try_map(starts.len(), || (), part)?;
    let none = ChannelMoments::new(probed.channels);
    Ok(parts.iter().fold(none, |all, part| all.join(part)))
}

fn target(steps: &[Step], step: usize, layer: usize) -> Option<Buffer> {
    let Some(Step::Coupling(coupling)) = steps.get(step) else {
        return None;
    };
    let target = coupling.layers.get(layer)?.target?;
    coupling.buffers.get(usize::from(target)).copied()
}

/// Adds up the rows of one layer.
struct Watch {
    at: (usize, usize),
    buffer: Buffer,
    moments: ChannelMoments,
}

impl Observer<F32> for Watch {
    fn row(&mut self, step: usize, layer: usize, _: usize, row: &[f32]) {
        if (step, layer) != self.at {
            return;
        }
        let pixels = row.chunks_exact(self.buffer.pixel_len());
        let inner = pixels.skip(usize::from(self.buffer.margin));
        for pixel in inner.take(usize::from(self.buffer.shape.width)) {
            self.moments.add_pixel(pixel);
        }
    }
}
