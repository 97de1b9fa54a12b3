//! What is counted.
//!
//! A layer is counted inside the engine as a flow runs it, by difference: a conditioner with one such layer more costs
//! the layer, with its rows, rings, schedule and requantization, and nothing else.

use super::counter::Counter;
use super::machine::Machine;
use super::models::{Subject, image_flow, vector_flow};
use crate::inputs::Inputs;
use crate::repo;
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::plan::Step;
use flow_infer::spec::{ConditionerSpec, Norm};
use flow_train_host::data;
use flowgate::cost::layer_cost;
use std::fs;

/// A convolution of the size that peers are counted with.
pub(crate) const CONVOLUTION: &str = "convolution 3x3, 16 to 16, 28x28";
/// A dense layer of the size that peers are counted with.
pub(crate) const DENSE: &str = "dense, 128 to 128";

/// One figure: the whole of a flow, or what it costs more than a smaller one.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Nominal multiplies: padding is multiplied, whole lanes and masked pixels do not count.
    pub(crate) multiplies: u64,
    flow: Subject,
    without: Option<Subject>,
}

/// Every case.
///
/// # Errors
/// A model could not be made or read.
pub(crate) fn all() -> Result<Vec<Case>> {
    let convnet = |layers| {
        let channels = 16;
        image_flow(28, 1, ConditionerSpec::Convnet { channels, layers })
    };
    let mlp = |layers| {
        let hidden = 128;
        vector_flow(16, ConditionerSpec::Mlp { hidden, layers })
    };
    let resnets = |couplings| image_flow(28, couplings, resnet(16));
    let autoencoders = |couplings| image_flow(28, couplings, autoencoder());
    let small_autoencoders = |couplings| image_flow(14, couplings, autoencoder());
    Ok(vec![
        Case::difference(CONVOLUTION, convnet(3)?, convnet(2)?)?,
        Case::difference(DENSE, mlp(2)?, mlp(1)?)?,
        Case::difference(
            "coupling, resnet of 16 channels, 28x28",
            resnets(2)?,
            resnets(1)?,
        )?,
        Case::difference(
            "coupling, autoencoder of 8 to 16 channels, 28x28",
            autoencoders(2)?,
            autoencoders(1)?,
        )?,
        Case::difference(
            "coupling, autoencoder of 8 to 16 channels, 14x14",
            small_autoencoders(2)?,
            small_autoencoders(1)?,
        )?,
        Case::whole("fashion-tiny", committed(0)?)?,
        Case::whole("fashion-bottleneck", committed(1)?)?,
    ])
}

/// A resnet of two blocks.
pub(super) fn resnet(channels: u16) -> ConditionerSpec {
    ConditionerSpec::Resnet {
        channels,
        blocks: 2,
        skip: false,
        norm: Norm::None,
        bottleneck: 0,
    }
}

/// Bottleneck conditioners as `fashion-bottleneck` has them.
fn autoencoder() -> ConditionerSpec {
    ConditionerSpec::Autoencoder {
        channels: [8, 8, 12, 16],
        latent: 10,
    }
}

fn committed(index: usize) -> Result<Subject> {
    let model = &repo::committed_models()[index];
    let [garments, _] = repo::samples();
    Ok(Subject {
        bytes: fs::read(model).with_context(|| model.display().to_string())?,
        data: data::load(&garments)?.take(0..1),
    })
}

impl Case {
    fn whole(name: &'static str, flow: Subject) -> Result<Self> {
        Ok(Self {
            name,
            multiplies: multiplies(&flow)?,
            flow,
            without: None,
        })
    }

    fn difference(name: &'static str, flow: Subject, without: Subject) -> Result<Self> {
        Ok(Self {
            name,
            multiplies: multiplies(&flow)? - multiplies(&without)?,
            flow,
            without: Some(without),
        })
    }

    /// Instructions on a machine.
    ///
    /// # Errors
    /// As [`Counter::count`].
    pub(crate) fn count(&self, counter: &Counter, machine: &Machine) -> Result<u64> {
        let count = |subject: &Subject| instructions(subject, counter, machine);
        let less = self.without.as_ref().map_or(Ok(0), count)?;
        Ok(count(&self.flow)?.saturating_sub(less))
    }
}

/// Instructions of one evaluation on a machine.
///
/// # Errors
/// As [`Counter::count`].
pub(super) fn instructions(flow: &Subject, counter: &Counter, machine: &Machine) -> Result<u64> {
    let inputs = Inputs::of(&flow.data.take(0..1));
    let counts = counter.count(machine, &flow.bytes, &inputs)?;
    counts.first().copied().context("nothing was counted")
}

/// Nominal multiplies of the conditioners.
///
/// # Errors
/// The model does not load.
pub(super) fn multiplies(flow: &Subject) -> Result<u64> {
    let artifact = Artifact::load(&flow.bytes).context("the model is refused")?;
    let mut sum = 0;
    for step in artifact.steps() {
        if let Step::Coupling(coupling) = step? {
            let layers = 0..coupling.layers.len();
            sum += layers
                .map(|index| layer_cost(&coupling, index).1)
                .sum::<u64>();
        }
    }
    Ok(sum)
}
