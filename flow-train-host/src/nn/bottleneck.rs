//! The linear bottleneck: dense from a whole map to a few numbers, and dense back.

use super::conditioner::{Layer, PassContext};
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

/// Passes through a bottleneck.
pub(crate) struct BottleneckPass<'n> {
    net: &'n Bottleneck,
    /// x as a vector.
    vector: Map,
    code: Map,
}

impl Bottleneck {
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

    /// Room for passes.
    pub(crate) fn pass(&self) -> BottleneckPass<'_> {
        let vectors = self.flat.vectors();
        BottleneckPass {
            net: self,
            vector: Map::new(self.flat.numbers(), vectors),
            code: Map::new(self.latent, vectors),
        }
    }

    /// The layers down and up.
    pub(crate) fn layers(&self) -> [Layer<'_>; 2] {
        [&self.down, &self.up].map(|conv| Layer {
            conv,
            initial_std: 1.0,
            patches: None,
        })
    }
}

impl BottleneckPass<'_> {
    /// Replaces x by y.
    pub(crate) fn forward(
        &mut self,
        context: PassContext<'_>,
        through: &mut Map,
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let Self { net, vector, code } = self;
        net.flat.flatten(through, vector);
        net.down.forward(cpu, weights, vector, code, Finish::Store);
        let mut back = scratch.lend(net.flat.numbers(), net.flat.vectors());
        net.up.forward(cpu, weights, code, &mut back, Finish::Store);
        net.flat.unflatten(&back, through);
        scratch.give_back(back);
    }

    /// Adds the parameters' gradients; replaces the gradient of y by that of x.
    pub(crate) fn gradient(
        &self,
        context: PassContext<'_>,
        through: &mut Map,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let net = self.net;
        let mut vector = scratch.lend(net.flat.numbers(), net.flat.vectors());
        let mut code = scratch.lend(net.latent, net.flat.vectors());
        net.flat.flatten(through, &mut vector);
        let both = [&self.code, &vector];
        net.up
            .gradient(cpu, weights, both, ticket, &mut code, Finish::Store);
        let both = [&self.vector, &code];
        net.down
            .gradient(cpu, weights, both, ticket, &mut vector, Finish::Store);
        net.flat.unflatten(&vector, through);
        scratch.give_back(vector);
        scratch.give_back(code);
    }

    /// What its layers have read.
    pub(crate) fn read_by_layers(&self) -> [&Map; 2] {
        [&self.vector, &self.code]
    }
}
