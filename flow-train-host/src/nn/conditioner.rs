//! What every conditioner can do, and which network a spec names.

use super::autoencoder::Autoencoder;
use super::chain::Chain;
use super::highway::Highway;
use super::kernels::{Cpu, Finish, images_that_pay};
use super::patches::Patches;
use super::resnet::Resnet;
use super::{Conv, Grid, Map, Registry, Scratch, Turn, Weights};
use flow_infer::spec::{ConditionerSpec, Norm};

/// Most images that a worker computes together: every one takes its own activations, of every layer.
const MOST_IMAGES: usize = 4;

/// A conditioner: raw outputs from the kept part, and gradients back.
pub(crate) trait Conditioner: Send + Sync {
    /// Maps that hold what [`gradient`](Self::gradient) needs of [`forward`](Self::forward).
    fn tape(&self, grid: Grid) -> Vec<Map>;

    /// Computes `out` (raw_scale, then shift, of every changed channel) from the kept part.
    fn forward(
        &self,
        with: With<'_>,
        input: &Map,
        tape: &mut [Map],
        out: &mut Map,
        scratch: &mut Scratch,
    );

    /// Adds the parameters' gradients and overwrites `input_gradient`, if it is wanted, given that of `out`.
    fn gradient(
        &self,
        with: With<'_>,
        passed: Passed<'_>,
        input_gradient: Option<&mut Map>,
        turn: &mut Turn<'_, '_>,
        scratch: &mut Scratch,
    );

    /// All convolutions and dense layers, in the order of computation; the output layer is the last.
    fn layers(&self) -> Vec<Layer<'_>>;
}

/// A layer of a conditioner.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    /// The layer.
    pub(crate) conv: &'a Conv,
    /// What it reads.
    pub(crate) source: Source,
    /// Standard deviation that its output should have before training.
    pub(crate) deviation: f32,
    /// Of a convolution over patches.
    pub(crate) patches: Option<Through<'a>>,
}

/// Which side of a layer is patches.
#[derive(Clone, Copy)]
pub(crate) enum Through<'a> {
    /// It reads them.
    Read(&'a Patches),
    /// A transposed convolution: its outputs are added up.
    Written(&'a Patches),
}

impl Layer<'_> {
    /// What the layer makes of what it reads, before any activation.
    pub(crate) fn output(&self, with: With<'_>, read: &Map) -> Map {
        let gathered;
        let read = match self.patches {
            Some(Through::Read(patches)) => {
                let mut map = Map::new(Patches::channels(read.channels()), patches.inner());
                patches.gather(read, &mut map);
                gathered = map;
                &gathered
            }
            _ => read,
        };
        let mut out = Map::new(self.conv.outputs(), read.grid());
        let (cpu, weights) = (with.cpu, with.weights);
        self.conv
            .forward(cpu, weights, read, &mut out, Finish::Store);
        let Some(Through::Written(patches)) = self.patches else {
            return out;
        };
        let bias = self.conv.shared_bias_of(weights);
        let mut sum = Map::new(bias.len(), patches.outer());
        patches.spread(&out, bias, &mut sum);
        sum
    }
}

/// What a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The conditioner's input.
    Input,
    /// This map of the tape.
    Tape(usize),
}

/// What all passes read.
#[derive(Clone, Copy)]
pub(crate) struct With<'a> {
    /// Instruction set.
    pub(crate) cpu: Cpu,
    /// Parameters.
    pub(crate) weights: &'a Weights,
}

/// What a gradient pass reads of the pass to latent.
#[derive(Clone, Copy)]
pub(crate) struct Passed<'a> {
    /// What it read.
    pub(crate) input: &'a Map,
    /// The tape that the pass has filled.
    pub(crate) tape: &'a [Map],
    /// Gradient of its output.
    pub(crate) out_gradient: &'a Map,
}

/// A network that this trainer cannot train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untrainable(pub &'static str);

/// Images that are best computed together, given a view's size: as many as fill the kernels.
pub(crate) fn images_together(spec: &ConditionerSpec, grid: Grid) -> usize {
    match *spec {
        // Dense layers over whole images have one column an image.
        ConditionerSpec::Autoencoder { .. } => MOST_IMAGES,
        ConditionerSpec::Resnet { bottleneck, .. } if bottleneck > 0 => MOST_IMAGES,
        ConditionerSpec::Resnet { channels, .. }
        | ConditionerSpec::Highway { channels, .. }
        | ConditionerSpec::Convnet { channels, .. }
        | ConditionerSpec::GlowConvnet { channels } => {
            images_that_pay(grid, channels.into()).min(MOST_IMAGES)
        }
        ConditionerSpec::Mlp { .. } => 1,
    }
}

/// Builds the network of a spec: `kept` input channels, `out` output channels, at the size of `grid`.
pub(crate) fn build(
    spec: &ConditionerSpec,
    registry: &mut Registry,
    at: &str,
    [kept, out]: [usize; 2],
    grid: Grid,
) -> Result<Box<dyn Conditioner>, Untrainable> {
    match *spec {
        ConditionerSpec::Resnet {
            norm: Norm::Batch, ..
        } => Err(Untrainable("batch norm inside a conditioner")),
        ConditionerSpec::Resnet {
            channels,
            blocks,
            skip,
            bottleneck,
            ..
        } => {
            let channels = [kept, channels.into(), out];
            let mut resnet = Resnet::new(registry, at, channels, blocks.into(), skip);
            if bottleneck > 0 {
                resnet.narrow(registry, at, grid, bottleneck.into());
            }
            Ok(Box::new(resnet))
        }
        ConditionerSpec::Mlp { hidden, layers } => {
            let channels = [kept, hidden.into(), out];
            Ok(Box::new(Chain::mlp(registry, at, channels, layers.into())))
        }
        ConditionerSpec::Highway { channels, layers } => {
            let channels = [kept, channels.into(), out];
            Ok(Box::new(Highway::new(
                registry,
                at,
                channels,
                layers.into(),
            )))
        }
        ConditionerSpec::Convnet { channels, layers } => {
            let channels = [kept, channels.into(), out];
            Ok(Box::new(Chain::convnet(
                registry,
                at,
                channels,
                layers.into(),
            )))
        }
        ConditionerSpec::GlowConvnet { channels } => {
            let channels = [kept, channels.into(), out];
            Ok(Box::new(Chain::glow_convnet(registry, at, channels)))
        }
        ConditionerSpec::Autoencoder { channels, latent } => {
            let channels = channels.map(usize::from);
            let built =
                Autoencoder::new(registry, at, [kept, out], (channels, latent.into()), grid);
            match built {
                Some(built) => Ok(Box::new(built)),
                None => Err(Untrainable("an autoencoder at this size")),
            }
        }
    }
}
