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

/// What a convolution has read, as patches (empty where it reads the map itself), and what it gave, activated.
pub(super) struct StageTape {
    patches: Map,
    pub(super) encoded: Map,
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

    /// Room for what the gradient of a convolution needs.
    pub(super) fn tape(&self) -> StageTape {
        let channels = match self.whole {
            true => 0,
            false => Patches::channels(self.outer_channels),
        };
        StageTape {
            patches: Map::new(channels, self.patches.inner()),
            encoded: self.new_inner(),
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

    /// The convolution and its activation.
    fn encode(&self, context: PassContext<'_>, input: &Map, tape: &mut StageTape) {
        let (cpu, weights) = (context.cpu, context.weights);
        let StageTape { patches, encoded } = tape;
        if self.whole {
            let both = (input, &mut *encoded);
            self.conv.forward_side_4(cpu, weights, Reach::Within, both);
        } else {
            self.patches.gather(input, patches);
            self.conv
                .forward(cpu, weights, patches, encoded, Finish::Store);
        }
        leak(encoded);
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

    /// Gradient of a convolution's input, if it is wanted, from that of its output before the activation.
    fn encoder_gradient(
        &self,
        context: PassContext<'_>,
        (input, tape, out): (&Map, &StageTape, &Map),
        grad_input: Option<&mut Map>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        if self.whole {
            let (reach, both) = (Reach::Within, [input, out]);
            return self
                .conv
                .gradient_side_4(cpu, weights, reach, both, ticket, grad_input);
        }
        let mut patches = grad_input.is_some().then(|| self.lend_patches(scratch));
        self.conv
            .first_gradient(cpu, weights, [&tape.patches, out], ticket, patches.as_mut());
        if let (Some(patches), Some(grad_input)) = (patches, grad_input) {
            self.patches.spread(&patches, &[], grad_input);
            scratch.give_back(patches);
        }
    }
}

/// Convolutions one after another, each with its activation.
pub(super) fn encode(
    stages: &[Stage],
    context: PassContext<'_>,
    input: &Map,
    tapes: &mut [StageTape],
) {
    let mut read = input;
    for (stage, tape) in stages.iter().zip(tapes) {
        stage.encode(context, read, tape);
        read = &tape.encoded;
    }
}

/// Adds the gradients of [`encode`] and overwrites `grad_input`, if it is wanted; `grad_output` is that of the last
/// activation.
pub(super) fn encode_gradient(
    stages: &[Stage],
    context: PassContext<'_>,
    (input, tapes): (&Map, &[StageTape]),
    (mut grad_output, grad_input): (Map, Option<&mut Map>),
    ticket: &mut Ticket<'_, '_>,
    scratch: &mut Scratch,
) {
    let Some((first, later)) = stages.split_first() else {
        return scratch.give_back(grad_output);
    };
    for (k, stage) in later.iter().enumerate().rev() {
        let (input, tape) = (&tapes[k].encoded, &tapes[k + 1]);
        leak_gradient(&mut grad_output, &tape.encoded);
        let mut grad_input = stage.lend_outer(scratch);
        let read = (input, tape, &grad_output);
        stage.encoder_gradient(context, read, Some(&mut grad_input), ticket, scratch);
        scratch.give_back(std::mem::replace(&mut grad_output, grad_input));
    }
    leak_gradient(&mut grad_output, &tapes[0].encoded);
    let read = (input, &tapes[0], &grad_output);
    first.encoder_gradient(context, read, grad_input, ticket, scratch);
    scratch.give_back(grad_output);
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
