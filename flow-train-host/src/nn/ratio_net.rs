//! The ratio net: strided convolutions, a dense layer, one number.
//!
//! Not a conditioner: it reads a whole image and says one thing of it. Its parts are those of the autoencoder's first half,
//! so that the engine has every kernel that it needs.

use super::conditioner::PassContext;
use super::flat::Flat;
use super::kernels::Finish;
use super::patches::Patches;
use super::stage::{self, Stage, StageTape, leak, leak_gradient};
use super::{Conv, Grid, Map, Registry, Scratch, Ticket};
use crate::model::ratio::RatioShape;

/// Images that are computed together: dense layers have one column an image.
pub(crate) const RATIO_IMAGES: usize = 4;

/// The net with the places of its parameters.
pub(crate) struct RatioNet {
    channels: usize,
    stages: Vec<Stage>,
    flat: Flat,
    hidden: Conv,
    output: Conv,
}

/// Room for a group of images on its way.
pub(crate) struct RatioPass {
    /// What the first stage reads, to be filled.
    input: Map,
    stages: Vec<StageTape>,
    vector: Map,
    hidden: Map,
    logit: Map,
    scratch: Scratch,
}

impl RatioNet {
    /// The net of a shape.
    pub(crate) fn new(registry: &mut Registry, shape: &RatioShape) -> Self {
        let bare = |(h, w): (u16, u16)| Grid::bare(h.into(), w.into()).times(RATIO_IMAGES);
        let (height, width) = (shape.image.height.into(), shape.image.width.into());
        let mut grid = Grid::image(height, width).times(RATIO_IMAGES);
        let mut channels = usize::from(shape.image.channels);
        let mut stages = Vec::new();
        for (k, stage) in shape.stages.iter().enumerate() {
            let (inner, side) = (usize::from(stage.channels), bare(stage.size));
            let weights = [inner, channels, 4, 4];
            let conv = Conv::flattened(registry, &format!("stages.{k}"), &weights);
            let patches = Patches::new(side, grid, stage.stride.into());
            stages.push(Stage::new(conv, patches, [inner, channels]));
            (grid, channels) = (side, inner);
        }
        let hidden = [shape.hidden.into(), channels, grid.height, grid.width];
        Self {
            channels: shape.image.channels.into(),
            stages,
            flat: Flat { channels, grid },
            hidden: Conv::flattened(registry, "hidden", &hidden),
            output: Conv::dense(registry, "output", shape.hidden.into(), 1),
        }
    }

    /// All layers, in the order of computation.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Conv> {
        let stages = self.stages.iter().map(|stage| &stage.conv);
        stages.chain([&self.hidden, &self.output])
    }

    /// Room for a pass.
    pub(crate) fn pass(&self) -> RatioPass {
        let vectors = self.flat.vectors();
        let outer = self
            .stages
            .first()
            .map_or(self.flat.grid, |s| s.patches.outer());
        RatioPass {
            input: Map::new(self.channels, outer),
            stages: self.stages.iter().map(Stage::tape).collect(),
            vector: Map::new(self.flat.numbers(), vectors),
            hidden: Map::new(self.hidden.outputs(), vectors),
            logit: Map::new(1, vectors),
            scratch: Scratch::default(),
        }
    }

    /// The logit of each image that the pass holds.
    pub(crate) fn forward(
        &self,
        context: PassContext<'_>,
        pass: &mut RatioPass,
    ) -> [f32; RATIO_IMAGES] {
        let (cpu, weights) = (context.cpu, context.weights);
        stage::encode(&self.stages, context, &pass.input, &mut pass.stages);
        let last = pass.stages.last().map_or(&pass.input, |s| &s.encoded);
        self.flat.flatten(last, &mut pass.vector);
        let (vector, hidden) = (&pass.vector, &mut pass.hidden);
        self.hidden
            .forward(cpu, weights, vector, hidden, Finish::Store);
        leak(hidden);
        self.output
            .forward(cpu, weights, hidden, &mut pass.logit, Finish::Store);
        std::array::from_fn(|image| pass.logit.get(pass.logit.index(0, 0, image)))
    }

    /// Adds the parameters' gradients, given those of the logits.
    pub(crate) fn gradient(
        &self,
        context: PassContext<'_>,
        of_logits: [f32; RATIO_IMAGES],
        pass: &mut RatioPass,
        ticket: &mut Ticket<'_, '_>,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let RatioPass { logit, scratch, .. } = pass;
        for (image, gradient) in of_logits.into_iter().enumerate() {
            logit.set(logit.index(0, 0, image), gradient);
        }
        let mut hidden = scratch.lend(self.hidden.outputs(), self.flat.vectors());
        let both = [&pass.hidden, &*logit];
        self.output
            .gradient(cpu, weights, both, ticket, &mut hidden, Finish::Store);
        leak_gradient(&mut hidden, &pass.hidden);
        let mut vector = scratch.lend(self.flat.numbers(), self.flat.vectors());
        let both = [&pass.vector, &hidden];
        self.hidden
            .gradient(cpu, weights, both, ticket, &mut vector, Finish::Store);
        let mut out = scratch.lend(self.flat.channels, self.flat.grid);
        self.flat.unflatten(&vector, &mut out);
        scratch.give_back(hidden);
        scratch.give_back(vector);
        let read = (&pass.input, &pass.stages[..]);
        stage::encode_gradient(&self.stages, context, read, (out, None), ticket, scratch);
    }
}

impl RatioPass {
    /// Sets an image of the group: its scaled first latent, channel by channel, row by row.
    pub(crate) fn set(&mut self, image: usize, z: &[f32]) {
        let grid = self.input.grid();
        for (c, plane) in z.chunks_exact(grid.height * grid.width).enumerate() {
            for (y, row) in plane.chunks_exact(grid.width).enumerate() {
                for (x, &z) in row.iter().enumerate() {
                    let at = self.input.index(c, image * grid.height + y, x);
                    self.input.set(at, z);
                }
            }
        }
    }
}
