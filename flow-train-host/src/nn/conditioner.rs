//! What every conditioner can do.

use super::kernels::{Cpu, Finish};
use super::patches::Patches;
use super::{Conv, Grid, Map, Scratch, Ticket, Weights};

/// A conditioner: raw outputs from the kept part, and gradients back.
pub(crate) trait Conditioner: Send + Sync {
    /// Maps that hold what [`gradient`](Self::gradient) needs of [`forward`](Self::forward).
    fn tape(&self, grid: Grid) -> Vec<Map>;

    /// Computes `out` (raw_scale, then shift, of every changed channel) from the kept part.
    fn forward(
        &self,
        context: PassContext<'_>,
        input: &Map,
        tape: &mut [Map],
        out: &mut Map,
        scratch: &mut Scratch,
    );

    /// Adds the parameters' gradients and overwrites `input_gradient`, if it is wanted, given that
    /// of `out`.
    fn gradient(
        &self,
        context: PassContext<'_>,
        saved: SavedActivations<'_>,
        grad_input: Option<&mut Map>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    );

    /// All convolutions and dense layers, in the order of computation; the output layer is the
    /// last.
    fn layers(&self) -> Vec<Layer<'_>>;
}

/// A layer of a conditioner.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    /// The layer.
    pub(crate) conv: &'a Conv,
    /// What it reads.
    pub(crate) source: LayerInput,
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

/// What a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayerInput {
    /// The conditioner's input: the kept part.
    Kept,
    /// This map of the tape.
    Tape(usize),
}

/// What every pass of a network computes with.
#[derive(Clone, Copy)]
pub(crate) struct PassContext<'a> {
    /// Instruction set.
    pub(crate) cpu: Cpu,
    /// Parameters.
    pub(crate) weights: &'a Weights,
}

/// What a gradient pass reads: what the pass to latent has left, and the gradient of its output.
#[derive(Clone, Copy)]
pub(crate) struct SavedActivations<'a> {
    /// What it read.
    pub(crate) input: &'a Map,
    /// The tape that the pass has filled.
    pub(crate) tape: &'a [Map],
    /// Gradient of its output.
    pub(crate) grad_output: &'a Map,
}
