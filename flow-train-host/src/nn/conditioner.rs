//! What every conditioner can do.
//!
//! A pass keeps what its gradient needs in fields of its own, under their names: nothing else can
//! take them for those of another network.

use super::kernels::{Cpu, Finish};
use super::patches::Patches;
use super::{Conv, Grid, Map, Scratch, Ticket, Weights};

/// A conditioner: raw outputs from the kept part, and gradients back.
pub(crate) trait Conditioner: Send + Sync {
    /// Room for passes through it at this size.
    fn pass(&self, grid: Grid) -> Box<dyn ConditionerPass + '_>;

    /// All convolutions and dense layers, in the order of computation; the output layer is the
    /// last.
    fn layers(&self) -> Vec<Layer<'_>>;
}

/// Passes through one conditioner, one after another: forward, then back.
pub(crate) trait ConditionerPass: Send {
    /// Computes `out` (raw_scale, then shift, of every changed channel) from the kept part.
    fn forward(
        &mut self,
        context: PassContext<'_>,
        input: &Map,
        out: &mut Map,
        scratch: &mut Scratch,
    );

    /// Adds the parameters' gradients of the last [`forward`](Self::forward) and overwrites
    /// `grad_input`, if it is wanted.
    fn gradient(
        &self,
        context: PassContext<'_>,
        backward: Backward<'_>,
        grad_input: Option<&mut Map>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    );

    /// What each of the conditioner's layers has read in the last forward pass of this input, in
    /// the order of [`Conditioner::layers`].
    fn read_by_layers<'a>(&'a self, input: &'a Map) -> Vec<&'a Map>;
}

/// A layer of a conditioner.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    /// The layer.
    pub(crate) conv: &'a Conv,
    /// Standard deviation that its output should have before training.
    pub(crate) initial_std: f32,
    /// Of a convolution over patches.
    pub(crate) patches: Option<PatchSide<'a>>,
}

/// Which side of a layer is patches.
#[derive(Clone, Copy)]
pub(crate) enum PatchSide<'a> {
    /// It reads them.
    Input(&'a Patches),
    /// A transposed convolution: its outputs are added up.
    Output(&'a Patches),
}

impl Layer<'_> {
    /// What the layer makes of what it reads, before any activation.
    pub(crate) fn output(&self, context: PassContext<'_>, read: &Map) -> Map {
        let gathered;
        let read = match self.patches {
            Some(PatchSide::Input(patches)) => {
                let mut map = Map::new(Patches::channels(read.channels()), patches.inner());
                patches.gather(read, &mut map);
                gathered = map;
                &gathered
            }
            _ => read,
        };
        let mut out = Map::new(self.conv.outputs(), read.grid());
        let (cpu, weights) = (context.cpu, context.weights);
        self.conv
            .forward(cpu, weights, read, &mut out, Finish::Store);
        let Some(PatchSide::Output(patches)) = self.patches else {
            return out;
        };
        let bias = self.conv.shared_bias_of(weights);
        let mut sum = Map::new(bias.len(), patches.outer());
        patches.spread(&out, bias, &mut sum);
        sum
    }
}

/// What every pass of a network computes with.
#[derive(Clone, Copy)]
pub(crate) struct PassContext<'a> {
    /// Instruction set.
    pub(crate) cpu: Cpu,
    /// Parameters.
    pub(crate) weights: &'a Weights,
}

/// Both ends of a gradient pass.
#[derive(Clone, Copy)]
pub(crate) struct Backward<'a> {
    /// What the forward pass read.
    pub(crate) input: &'a Map,
    /// Gradient of its output.
    pub(crate) grad_output: &'a Map,
}
