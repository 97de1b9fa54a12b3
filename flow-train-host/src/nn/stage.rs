//! One strided convolution of side 4, or a transposed one, over patches or over the image itself: what autoencoders and ratio
//! nets are made of. Leaky relu (0.01) stands between them; its sign is that of its input, so only activations are kept.

use super::conditioner::PassContext;
use super::kernels::{Finish, Reach, side_4_pays};
use super::patches::{Patches, by_block};
use super::{Conv, Map, Scratch, Ticket};

const LEAK: f32 = 0.01;

/// A convolution or a transposed one.
pub(super) struct Stage {
    pub(super) conv: Conv,
    pub(super) patches: Patches,
    pub(super) inner_channels: usize,
    pub(super) outer_channels: usize,
    /// Whether no patches are laid out.
    pub(super) whole: bool,
}

impl Stage {
    pub(super) fn new(conv: Conv, patches: Patches, [inner, outer]: [usize; 2]) -> Self {
        let pays = side_4_pays(patches.inner(), inner.min(outer));
        Self {
            conv: conv.over_patches(outer),
            patches,
            inner_channels: inner,
            outer_channels: outer,
            whole: pays && patches.overlap_most() && by_block(outer),
        }
    }

    pub(super) fn new_inner(&self) -> Map {
        Map::new(self.inner_channels, self.patches.inner())
    }

    pub(super) fn lend_inner(&self, scratch: &mut Scratch) -> Map {
        scratch.lend(self.inner_channels, self.patches.inner())
    }

    pub(super) fn lend_outer(&self, scratch: &mut Scratch) -> Map {
        scratch.lend(self.outer_channels, self.patches.outer())
    }

    pub(super) fn lend_patches(&self, scratch: &mut Scratch) -> Map {
        let channels = Patches::channels(self.outer_channels);
        scratch.lend(channels, self.patches.inner())
    }

    /// The convolution; `patches` are its place on the tape.
    pub(super) fn encode(
        &self,
        context: PassContext<'_>,
        input: &Map,
        patches: &mut Map,
        out: &mut Map,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        if self.whole {
            let both = (input, out);
            return self.conv.forward_side_4(cpu, weights, Reach::Within, both);
        }
        self.patches.gather(input, patches);
        self.conv.forward(cpu, weights, patches, out, Finish::Store);
    }

    /// The transposed convolution.
    pub(super) fn decode(
        &self,
        context: PassContext<'_>,
        input: &Map,
        out: &mut Map,
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        if self.whole {
            let both = (input, out);
            return self.conv.forward_side_4(cpu, weights, Reach::Beyond, both);
        }
        let mut patches = self.lend_patches(scratch);
        self.conv
            .forward(cpu, weights, input, &mut patches, Finish::Store);
        self.patches
            .spread(&patches, self.conv.shared_bias_of(weights), out);
        scratch.give_back(patches);
    }

    /// Gradient of a transposed convolution's input from that of its output.
    pub(super) fn decoder_gradient(
        &self,
        context: PassContext<'_>,
        input: &Map,
        out: &Map,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) -> Map {
        let mut grad_input = self.lend_inner(scratch);
        let (cpu, weights) = (context.cpu, context.weights);
        self.conv.add_bias_gradient(out, ticket);
        if self.whole {
            let (reach, both) = (Reach::Beyond, [input, out]);
            self.conv
                .gradient_side_4(cpu, weights, reach, both, ticket, Some(&mut grad_input));
            return grad_input;
        }
        let mut patches = self.lend_patches(scratch);
        self.patches.gather(out, &mut patches);
        let both = [input, &patches];
        self.conv
            .gradient(cpu, weights, both, ticket, &mut grad_input, Finish::Store);
        scratch.give_back(patches);
        grad_input
    }

    /// Gradient of a convolution's input, if it is wanted, from that of its output; `read` is the
    /// input and its patches.
    pub(super) fn encoder_gradient(
        &self,
        context: PassContext<'_>,
        (read, out): ([&Map; 2], &Map),
        grad_input: Option<&mut Map>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        if self.whole {
            let (reach, both) = (Reach::Within, [read[0], out]);
            return self
                .conv
                .gradient_side_4(cpu, weights, reach, both, ticket, grad_input);
        }
        let mut patches = grad_input.is_some().then(|| self.lend_patches(scratch));
        self.conv
            .first_gradient(cpu, weights, [read[1], out], ticket, patches.as_mut());
        if let (Some(patches), Some(grad_input)) = (patches, grad_input) {
            self.patches.spread(&patches, &[], grad_input);
            scratch.give_back(patches);
        }
    }
}

/// In place: x above zero, 0.01 x below.
pub(super) fn leak(map: &mut Map) {
    for lanes in map.data_mut() {
        lanes.0.iter_mut().for_each(|v| *v = v.max(LEAK * *v));
    }
}

/// The gradient before a leaky relu from that after it.
pub(super) fn leak_gradient(gradient: &mut Map, activation: &Map) {
    for (g, a) in gradient.data_mut().iter_mut().zip(activation.data()) {
        for (g, a) in g.0.iter_mut().zip(a.0) {
            *g *= if a > 0.0 { 1.0 } else { LEAK };
        }
    }
}
