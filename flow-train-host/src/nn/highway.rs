//! The gated conditioner: h <- hidden(h) g + h (1 - g) with g = sigmoid(gate(h)), no other
//! activation.

use super::conditioner::{Backward, Conditioner, ConditionerPass, Layer, PassContext};
use super::kernels::{Finish, Isa, Kernel, elementary};
use super::{Conv, Grid, LANES, Map, Registry, Scratch, Ticket};

/// The highway conditioner: gated layers between two convolutions.
pub(crate) struct Highway {
    channels: usize,
    in_conv: Conv,
    gated: Vec<Gated>,
    out_conv: Conv,
}

struct Gated {
    hidden: Conv,
    gate: Conv,
}

struct HighwayPass<'n> {
    net: &'n Highway,
    /// h before the first gated layer.
    first: Map,
    gated: Vec<GatedTape>,
}

struct GatedTape {
    /// hidden(h) of the h before the layer.
    proposed: Map,
    g: Map,
    /// h after the layer.
    h: Map,
}

impl HighwayPass<'_> {
    /// h before this gated layer, or what the output layer reads.
    fn h(&self, k: usize) -> &Map {
        k.checked_sub(1).map_or(&self.first, |k| &self.gated[k].h)
    }
}

impl Highway {
    /// With [kept, hidden, output] channels.
    pub(crate) fn new(
        registry: &mut Registry,
        at: &str,
        [kept, channels, out]: [usize; 3],
        layers: usize,
    ) -> Self {
        let mut conv = |name: &str, inputs, outputs, side| {
            Conv::new(registry, &format!("{at}{name}"), inputs, outputs, side)
        };
        let in_conv = conv("in_conv", kept, channels, 3);
        let gated = (0..layers).map(|k| Gated {
            hidden: conv(&format!("layers.{k}.hidden"), channels, channels, 3),
            gate: conv(&format!("layers.{k}.gate"), channels, channels, 3),
        });
        Self {
            channels,
            in_conv,
            gated: gated.collect(),
            out_conv: conv("out_conv", channels, out, 1),
        }
    }
}

/// g = sigmoid(g); next = proposed g + h (1 - g).
struct Mix<'a> {
    h: &'a Map,
    proposed: &'a Map,
    g: &'a mut Map,
    next: &'a mut Map,
}

impl Kernel for Mix<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        for row in self.h.rows() {
            let (h, proposed) = (
                &self.h.data()[row.clone()],
                &self.proposed.data()[row.clone()],
            );
            let gates = self.g.data_mut()[row.clone()].iter_mut();
            let next = self.next.data_mut()[row].iter_mut();
            for (((h, proposed), g), next) in h.iter().zip(proposed).zip(gates).zip(next) {
                g.0 = elementary::sigmoid(g.0);
                for lane in 0..LANES {
                    let gate = g.0[lane];
                    next.0[lane] = proposed.0[lane] * gate + h.0[lane] * (1.0 - gate);
                }
            }
        }
    }
}

/// Gradients of what a gated layer proposed and of its gate before the sigmoid; that of next
/// becomes the direct part of that of its h.
struct MixGradient<'a> {
    h: &'a Map,
    proposed: &'a Map,
    g: &'a Map,
    through: &'a mut Map,
    of_proposed: &'a mut Map,
    of_gate: &'a mut Map,
}

impl Kernel for MixGradient<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) {
        for row in self.h.rows() {
            for at in row {
                let [h, p, g] = [self.h, self.proposed, self.g].map(|map| &map.data()[at].0);
                let through = &mut self.through.data_mut()[at].0;
                let of_proposed = &mut self.of_proposed.data_mut()[at].0;
                let of_gate = &mut self.of_gate.data_mut()[at].0;
                for lane in 0..LANES {
                    let (grad, g) = (through[lane], g[lane]);
                    of_proposed[lane] = grad * g;
                    of_gate[lane] = grad * (p[lane] - h[lane]) * g * (1.0 - g);
                    through[lane] = grad * (1.0 - g);
                }
            }
        }
    }
}

impl Conditioner for Highway {
    fn pass(&self, grid: Grid) -> Box<dyn ConditionerPass + '_> {
        let map = || Map::new(self.channels, grid);
        let gated = self.gated.iter().map(|_| GatedTape {
            proposed: map(),
            g: map(),
            h: map(),
        });
        Box::new(HighwayPass {
            net: self,
            first: map(),
            gated: gated.collect(),
        })
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        let layer = |conv, initial_std| Layer {
            conv,
            initial_std,
            patches: None,
        };
        let gated = self.gated.iter().flat_map(|g| [&g.hidden, &g.gate]);
        let hidden = std::iter::once(&self.in_conv).chain(gated);
        let mut layers: Vec<_> = hidden.map(|conv| layer(conv, 1.0)).collect();
        layers.push(layer(&self.out_conv, 0.0));
        layers
    }
}

impl ConditionerPass for HighwayPass<'_> {
    fn forward(
        &mut self,
        context: PassContext<'_>,
        input: &Map,
        out: &mut Map,
        _scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let Self { net, first, gated } = self;
        net.in_conv
            .forward(cpu, weights, input, first, Finish::Store);
        let mut h = &*first;
        for (layer, tape) in net.gated.iter().zip(gated) {
            let GatedTape {
                proposed,
                g,
                h: next,
            } = tape;
            layer
                .hidden
                .forward(cpu, weights, h, proposed, Finish::Store);
            layer.gate.forward(cpu, weights, h, g, Finish::Store);
            cpu.run(Mix {
                h,
                proposed,
                g,
                next: &mut *next,
            });
            h = next;
        }
        net.out_conv.forward(cpu, weights, h, out, Finish::Store);
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
        let (net, out) = (self.net, backward.grad_output);
        let last = self.h(net.gated.len());
        let [mut through, mut proposed, mut gate] =
            [(); 3].map(|()| scratch.lend(net.channels, last.grid()));
        let store = Finish::Store;
        net.out_conv
            .gradient(cpu, weights, [last, out], ticket, &mut through, store);
        for (k, (layer, tape)) in net.gated.iter().zip(&self.gated).enumerate().rev() {
            let h = self.h(k);
            cpu.run(MixGradient {
                h,
                proposed: &tape.proposed,
                g: &tape.g,
                through: &mut through,
                of_proposed: &mut proposed,
                of_gate: &mut gate,
            });
            for (conv, grad) in [(&layer.hidden, &proposed), (&layer.gate, &gate)] {
                let both = [h, grad];
                conv.gradient(cpu, weights, both, ticket, &mut through, Finish::Add);
            }
        }
        let both = [backward.input, &through];
        net.in_conv
            .first_gradient(cpu, weights, both, ticket, grad_input);
        for map in [through, proposed, gate] {
            scratch.give_back(map);
        }
    }

    fn read_by_layers<'a>(&'a self, input: &'a Map) -> Vec<&'a Map> {
        let count = self.net.gated.len();
        let gated = (0..count).flat_map(|k| [self.h(k); 2]);
        let hidden = std::iter::once(input).chain(gated);
        hidden.chain([self.h(count)]).collect()
    }
}
