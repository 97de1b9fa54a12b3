//! The linear bottleneck: dense from a whole map to a few numbers, and dense back.

use super::conditioner::{Layer, LayerInput, PassContext};
use super::flat::Flat;
use super::kernels::Finish;
use super::{Conv, Grid, Map, Registry, Scratch, Ticket};

/// code = down x, y = up code, with x and y as vectors of C H W numbers.
pub(crate) struct Bottleneck {
    down: Conv,
    up: Conv,
    flat: Flat,
    latent: usize,
}

impl Bottleneck {
    /// Maps on its tape: x as a vector, then the code.
    pub(crate) const MAPS: usize = 2;

    /// For maps of `channels` x `grid`.
    pub(crate) fn new(
        registry: &mut Registry,
        at: &str,
        channels: usize,
        grid: Grid,
        latent: usize,
    ) -> Self {
        let whole = [channels, grid.height, grid.width];
        let weights = [latent, whole[0], whole[1], whole[2]];
        Self {
            down: Conv::flattened(registry, &format!("{at}bottleneck.down"), &weights),
            up: Conv::transposed(registry, &format!("{at}bottleneck.up"), &weights, &whole),
            flat: Flat { channels, grid },
            latent,
        }
    }

    pub(crate) fn tape(&self) -> [Map; Self::MAPS] {
        [self.flat.numbers(), self.latent].map(|n| Map::new(n, self.flat.vectors()))
    }

    /// Replaces x by y.
    pub(crate) fn forward(
        &self,
        context: PassContext<'_>,
        through: &mut Map,
        tape: &mut [Map],
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let (vector, code) = tape.split_at_mut(1);
        let (vector, code) = (&mut vector[0], &mut code[0]);
        self.flat.flatten(through, vector);
        self.down.forward(cpu, weights, vector, code, Finish::Store);
        let mut back = scratch.lend(self.flat.numbers(), self.flat.vectors());
        self.up
            .forward(cpu, weights, code, &mut back, Finish::Store);
        self.flat.unflatten(&back, through);
        scratch.give_back(back);
    }

    /// Adds the parameters' gradients; replaces the gradient of y by that of x.
    pub(crate) fn gradient(
        &self,
        context: PassContext<'_>,
        tape: &[Map],
        through: &mut Map,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let mut vector = scratch.lend(self.flat.numbers(), self.flat.vectors());
        let mut code = scratch.lend(self.latent, self.flat.vectors());
        self.flat.flatten(through, &mut vector);
        let both = [&tape[1], &vector];
        self.up
            .gradient(cpu, weights, both, ticket, &mut code, Finish::Store);
        let both = [&tape[0], &code];
        self.down
            .gradient(cpu, weights, both, ticket, &mut vector, Finish::Store);
        self.flat.unflatten(&vector, through);
        scratch.give_back(vector);
        scratch.give_back(code);
    }

    /// The layers down and up; `tape` is the place of its maps.
    pub(crate) fn layers(&self, tape: usize) -> [Layer<'_>; 2] {
        [(&self.down, tape), (&self.up, tape + 1)].map(|(conv, at)| Layer {
            conv,
            source: LayerInput::Tape(at),
            initial_std: 1.0,
            patches: None,
        })
    }
}
