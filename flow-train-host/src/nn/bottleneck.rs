//! The linear bottleneck: dense from a whole map to a few numbers, and dense back.

use super::conditioner::{Layer, LayerInput, PassContext};
use super::kernels::Finish;
use super::{Conv, Grid, Map, Registry, Scratch, Ticket};

/// code = down x, y = up code, with x and y as vectors of C H W numbers.
pub(crate) struct Bottleneck {
    down: Conv,
    up: Conv,
    channels: usize,
    grid: Grid,
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
            channels,
            grid,
            latent,
        }
    }

    fn numbers(&self) -> usize {
        self.channels * self.grid.height * self.grid.width
    }

    /// A vector an image.
    fn vectors(&self) -> Grid {
        Grid::vectors(self.grid.images)
    }

    pub(crate) fn tape(&self) -> [Map; Self::MAPS] {
        [self.numbers(), self.latent].map(|n| Map::new(n, self.vectors()))
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
        self.flatten(through, vector);
        self.down.forward(cpu, weights, vector, code, Finish::Store);
        let mut back = scratch.lend(self.numbers(), self.vectors());
        self.up
            .forward(cpu, weights, code, &mut back, Finish::Store);
        self.unflatten(&back, through);
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
        let mut vector = scratch.lend(self.numbers(), self.vectors());
        let mut code = scratch.lend(self.latent, self.vectors());
        self.flatten(through, &mut vector);
        let both = [&tape[1], &vector];
        self.up
            .gradient(cpu, weights, both, ticket, &mut code, Finish::Store);
        let both = [&tape[0], &code];
        self.down
            .gradient(cpu, weights, both, ticket, &mut vector, Finish::Store);
        self.unflatten(&vector, through);
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

    fn flatten(&self, map: &Map, vectors: &mut Map) {
        self.each(|[number, image], [c, y, x]| {
            vectors.set(vectors.index(number, 0, image), map.get(map.index(c, y, x)));
        });
    }

    fn unflatten(&self, vectors: &Map, map: &mut Map) {
        self.each(|[number, image], [c, y, x]| {
            map.set(
                map.index(c, y, x),
                vectors.get(vectors.index(number, 0, image)),
            );
        });
    }

    /// Every number of every image's vector with its place in the map.
    fn each(&self, mut visit: impl FnMut([usize; 2], [usize; 3])) {
        let Grid { height, width, .. } = self.grid;
        for c in 0..self.channels {
            for row in 0..self.grid.rows() {
                let (image, y) = (row / height, row % height);
                let first = (c * height + y) * width;
                (0..width).for_each(|x| visit([first + x, image], [c, row, x]));
            }
        }
    }
}
