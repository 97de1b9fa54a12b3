//! The gated conditioner: h <- hidden(h) g + h (1 - g) with g = sigmoid(gate(h)), no other
//! activation.

use super::conditioner::{Conditioner, Layer, LayerInput, PassContext, SavedActivations};
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

/// Where things are on the tape.
mod places {
    /// h before a gated layer; after the last, what the output layer reads.
    pub(super) const fn h(k: usize) -> usize {
        3 * k
    }
    /// hidden(h), then g.
    pub(super) const fn proposed(k: usize) -> usize {
        3 * k + 1
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
    fn tape(&self, grid: Grid) -> Vec<Map> {
        let count = places::h(self.gated.len()) + 1;
        (0..count).map(|_| Map::new(self.channels, grid)).collect()
    }

    fn forward(
        &self,
        context: PassContext<'_>,
        input: &Map,
        tape: &mut [Map],
        out: &mut Map,
        _scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        self.in_conv
            .forward(cpu, weights, input, &mut tape[0], Finish::Store);
        for (k, layer) in self.gated.iter().enumerate() {
            let [h, proposed, g, next, ..] = &mut tape[places::h(k)..] else {
                return;
            };
            layer
                .hidden
                .forward(cpu, weights, h, proposed, Finish::Store);
            layer.gate.forward(cpu, weights, h, g, Finish::Store);
            cpu.run(Mix {
                h,
                proposed,
                g,
                next,
            });
        }
        let h = &tape[places::h(self.gated.len())];
        self.out_conv.forward(cpu, weights, h, out, Finish::Store);
    }

    fn gradient(
        &self,
        context: PassContext<'_>,
        saved: SavedActivations<'_>,
        grad_input: Option<&mut Map>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let (tape, out) = (saved.tape, saved.grad_output);
        let last = &tape[places::h(self.gated.len())];
        let [mut through, mut proposed, mut gate] =
            [(); 3].map(|()| scratch.lend(self.channels, last.grid()));
        let store = Finish::Store;
        self.out_conv
            .gradient(cpu, weights, [last, out], ticket, &mut through, store);
        for (k, layer) in self.gated.iter().enumerate().rev() {
            let h = &tape[places::h(k)];
            cpu.run(MixGradient {
                h,
                proposed: &tape[places::proposed(k)],
                g: &tape[places::proposed(k) + 1],
                through: &mut through,
                of_proposed: &mut proposed,
                of_gate: &mut gate,
            });
            for (conv, grad) in [(&layer.hidden, &proposed), (&layer.gate, &gate)] {
                let both = [h, grad];
                conv.gradient(cpu, weights, both, ticket, &mut through, Finish::Add);
            }
        }
        let both = [saved.input, &through];
        self.in_conv
            .first_gradient(cpu, weights, both, ticket, grad_input);
        for map in [through, proposed, gate] {
            scratch.give_back(map);
        }
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        let layer = |conv, source, initial_std| Layer {
            conv,
            source,
            initial_std,
            patches: None,
        };
        let mut layers = vec![layer(&self.in_conv, LayerInput::Kept, 1.0)];
        for (k, gated) in self.gated.iter().enumerate() {
            for conv in [&gated.hidden, &gated.gate] {
                layers.push(layer(conv, LayerInput::Tape(places::h(k)), 1.0));
            }
        }
        let last = LayerInput::Tape(places::h(self.gated.len()));
        layers.push(layer(&self.out_conv, last, 0.0));
        layers
    }
}
