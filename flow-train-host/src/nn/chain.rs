//! Conditioners that are one layer after another: `mlp`, `glow_convnet` and the linear `convnet`.

use super::conditioner::{Backward, Conditioner, ConditionerPass, Layer, PassContext};
use super::kernels::Finish;
use super::{Conv, Grid, Map, Registry, Scratch, Ticket};

/// A conditioner of one layer after another.
pub(crate) struct Chain {
    /// Channels between layers.
    hidden: usize,
    /// relu after every layer but the last.
    rectified: bool,
    layers: Vec<Conv>,
}

impl Chain {
    /// Dense, relu, `layers` times (dense, relu), dense; with [kept, hidden, output] channels.
    pub(crate) fn mlp(
        registry: &mut Registry,
        at: &str,
        [kept, hidden, out]: [usize; 3],
        layers: usize,
    ) -> Self {
        let mut dense = |name: &str, inputs, outputs| {
            Conv::dense(registry, &format!("{at}{name}"), inputs, outputs)
        };
        let mut all = vec![dense("in_layer", kept, hidden)];
        all.extend((0..layers).map(|k| dense(&format!("layers.{k}"), hidden, hidden)));
        all.push(dense("out_layer", hidden, out));
        Self {
            hidden,
            rectified: true,
            layers: all,
        }
    }

    /// conv 3x3, relu, conv 1x1, relu, conv 3x3.
    pub(crate) fn glow_convnet(
        registry: &mut Registry,
        at: &str,
        [kept, hidden, out]: [usize; 3],
    ) -> Self {
        let mut conv = |name: &str, inputs, outputs, side| {
            Conv::new(registry, &format!("{at}{name}"), inputs, outputs, side)
        };
        Self {
            hidden,
            rectified: true,
            layers: vec![
                conv("in_conv", kept, hidden, 3),
                conv("mid_conv", hidden, hidden, 1),
                conv("out_conv", hidden, out, 3),
            ],
        }
    }

    /// conv 3x3 `layers` times, conv 1x1, without any activation.
    pub(crate) fn convnet(
        registry: &mut Registry,
        at: &str,
        [kept, hidden, out]: [usize; 3],
        layers: usize,
    ) -> Self {
        let mut conv = |name: &str, inputs, outputs, side| {
            Conv::new(registry, &format!("{at}{name}"), inputs, outputs, side)
        };
        let inputs = |k| if k == 0 { kept } else { hidden };
        let mut all: Vec<_> = (0..layers)
            .map(|k| conv(&format!("layers.{k}"), inputs(k), hidden, 3))
            .collect();
        all.push(conv("out_conv", inputs(layers), out, 1));
        Self {
            hidden,
            rectified: false,
            layers: all,
        }
    }
}

struct ChainPass<'n> {
    chain: &'n Chain,
    /// Every hidden activation.
    hidden: Vec<Map>,
}

impl Conditioner for Chain {
    fn pass(&self, grid: Grid) -> Box<dyn ConditionerPass + '_> {
        let hidden = 1..self.layers.len();
        Box::new(ChainPass {
            chain: self,
            hidden: hidden.map(|_| Map::new(self.hidden, grid)).collect(),
        })
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        let last = self.layers.len() - 1;
        let layers = self.layers.iter().enumerate();
        let layer = |(k, conv): (usize, _)| Layer {
            conv,
            initial_std: if k == last { 0.0 } else { 1.0 },
            patches: None,
        };
        layers.map(layer).collect()
    }
}

impl ConditionerPass for ChainPass<'_> {
    fn forward(
        &mut self,
        context: PassContext<'_>,
        input: &Map,
        out: &mut Map,
        _scratch: &mut Scratch,
    ) {
        for (k, layer) in self.chain.layers.iter().enumerate() {
            let (before, after) = self.hidden.split_at_mut(k);
            let from = before.last().unwrap_or(input);
            let (out, finish) = match after.first_mut() {
                Some(hidden) if self.chain.rectified => (hidden, Finish::Relu),
                Some(hidden) => (hidden, Finish::Store),
                None => (&mut *out, Finish::Store),
            };
            layer.forward(context.cpu, context.weights, from, out, finish);
        }
    }

    fn gradient(
        &self,
        context: PassContext<'_>,
        backward: Backward<'_>,
        grad_input: Option<&mut Map>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let mut grad_output: Option<Map> = None;
        for (k, layer) in self.chain.layers.iter().enumerate().rev() {
            let out = grad_output.as_ref().unwrap_or(backward.grad_output);
            let Some(activation) = k.checked_sub(1).map(|k| &self.hidden[k]) else {
                let both = [backward.input, out];
                layer.first_gradient(cpu, weights, both, ticket, grad_input);
                break;
            };
            let mut grad_input = scratch.lend(self.chain.hidden, activation.grid());
            let finish = match self.chain.rectified {
                true => Finish::Mask(activation),
                false => Finish::Store,
            };
            let both = [activation, out];
            layer.gradient(cpu, weights, both, ticket, &mut grad_input, finish);
            if let Some(done) = grad_output.replace(grad_input) {
                scratch.give_back(done);
            }
        }
        if let Some(done) = grad_output {
            scratch.give_back(done);
        }
    }

    fn read_by_layers<'a>(&'a self, input: &'a Map) -> Vec<&'a Map> {
        std::iter::once(input).chain(&self.hidden).collect()
    }
}
