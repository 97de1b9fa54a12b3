//! The residual conditioner, without batch norm.
//!
//! a = relu([x, -x]), h = in_conv(a); each block h = h + conv_b(relu(conv_a(relu(h)))); out =
//! out_conv(relu(h)), or with skip sums out_conv(relu(skip_in(h_0) + sum of skips.k(h_k))).
//!
//! A linear bottleneck may replace h before block `blocks / 2`; the skip sum reads h as it was.
//!
//! Only rectified activations are kept: their sign is the mask of the gradient, so neither h nor
//! the sums before a relu are stored (with skip sums h is, because the 1x1 convolutions read it
//! unrectified).

use super::bottleneck::{Bottleneck, BottleneckPass};
use super::conditioner::{Backward, Conditioner, ConditionerPass, Layer, PassContext};
use super::kernels::Finish;
use super::{Conv, Grid, Map, Registry, Scratch, Ticket, crelu};

/// The residual conditioner, with or without skip sums and a linear bottleneck.
pub(crate) struct Resnet {
    kept: usize,
    channels: usize,
    in_conv: Conv,
    blocks: Vec<[Conv; 2]>,
    skips: Option<Skips>,
    out_conv: Conv,
    bottleneck: Option<Bottleneck>,
}

/// The 1x1 convolutions whose sum is read instead of the last activation.
struct Skips {
    first: Conv,
    after_block: Vec<Conv>,
}

impl Skips {
    /// The convolution that reads h before a block, or after the last.
    fn reading(&self, block: usize) -> &Conv {
        let after = block.checked_sub(1).map(|k| &self.after_block[k]);
        after.unwrap_or(&self.first)
    }
}

/// A layer's place in the order of computation.
#[derive(Clone, Copy)]
enum Place {
    In,
    /// Reads h before a block, or after the last.
    Skip(usize),
    Down,
    Up,
    A(usize),
    B(usize),
    Out,
}

struct ResnetPass<'n> {
    net: &'n Resnet,
    /// relu([x, -x]).
    crelu: Map,
    /// relu(h) before each block; the last is what the output layer reads.
    rectified: Vec<Map>,
    /// Between each block's convolutions.
    middle: Vec<Map>,
    skips: Option<SkipsPass<'n>>,
    bottleneck: Option<BottleneckPass<'n>>,
}

struct SkipsPass<'n> {
    skips: &'n Skips,
    /// h before each block, and after the last.
    hidden: Vec<Map>,
}

impl Resnet {
    /// With [kept, hidden, output] channels.
    pub(crate) fn new(
        registry: &mut Registry,
        at: &str,
        [kept, channels, out]: [usize; 3],
        blocks: usize,
        skip: bool,
    ) -> Self {
        let mut conv = |name: &str, inputs, outputs, side| {
            Conv::new(registry, &format!("{at}{name}"), inputs, outputs, side)
        };
        let in_conv = conv("in_conv", 2 * kept, channels, 3);
        let first = skip.then(|| conv("skip_in", channels, channels, 1));
        let mut after_block = Vec::new();
        let blocks = (0..blocks)
            .map(|k| {
                let pair = ["a", "b"]
                    .map(|part| conv(&format!("blocks.{k}.conv_{part}"), channels, channels, 3));
                if skip {
                    after_block.push(conv(&format!("skips.{k}"), channels, channels, 1));
                }
                pair
            })
            .collect();
        Self {
            kept,
            channels,
            in_conv,
            blocks,
            skips: first.map(|first| Skips { first, after_block }),
            out_conv: conv("out_conv", channels, out, 1),
            bottleneck: None,
        }
    }

    /// Adds a linear bottleneck.
    pub(crate) fn narrow(&mut self, registry: &mut Registry, at: &str, grid: Grid, latent: usize) {
        let bottleneck = Bottleneck::new(registry, at, self.channels, grid, latent);
        self.bottleneck = Some(bottleneck);
    }

    /// Whether the bottleneck comes after this many blocks. With skip sums and no block nothing
    /// would read it.
    fn is_narrow_after(&self, blocks: usize) -> bool {
        let unread = self.skips.is_some() && self.blocks.is_empty();
        self.bottleneck.is_some() && blocks == self.blocks.len() / 2 && !unread
    }

    /// All layers, in the order of computation.
    fn order(&self) -> Vec<Place> {
        let has_skips = self.skips.is_some();
        let after = |blocks: usize| {
            let skip = has_skips.then_some([Place::Skip(blocks)]);
            let narrow = self.is_narrow_after(blocks);
            let narrow = narrow.then_some([Place::Down, Place::Up]);
            skip.into_iter()
                .flatten()
                .chain(narrow.into_iter().flatten())
        };
        let mut order = vec![Place::In];
        order.extend(after(0));
        for k in 0..self.blocks.len() {
            order.extend([Place::A(k), Place::B(k)]);
            order.extend(after(k + 1));
        }
        order.push(Place::Out);
        order
    }
}

impl Conditioner for Resnet {
    fn pass(&self, grid: Grid) -> Box<dyn ConditionerPass + '_> {
        let maps = |count| (0..count).map(|_| Map::new(self.channels, grid)).collect();
        let count = self.blocks.len();
        Box::new(ResnetPass {
            net: self,
            crelu: Map::new(2 * self.kept, grid),
            rectified: maps(count + 1),
            middle: maps(count),
            skips: self.skips.as_ref().map(|skips| SkipsPass {
                skips,
                hidden: maps(count + 1),
            }),
            bottleneck: self.bottleneck.as_ref().map(Bottleneck::pass),
        })
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        // A sum of n independent parts of variance 1 / n has variance 1.
        let part = |n: usize| (n.max(1) as f32).powf(-0.5);
        let count = self.blocks.len();
        let layer = |conv, initial_std| {
            Some(Layer {
                conv,
                initial_std,
                patches: None,
            })
        };
        let narrow = |k: usize| Some(self.bottleneck.as_ref()?.layers()[k]);
        let layer = |place| match place {
            Place::In => layer(&self.in_conv, 1.0),
            Place::Skip(k) => layer(self.skips.as_ref()?.reading(k), part(count + 1)),
            Place::Down => narrow(0),
            Place::Up => narrow(1),
            Place::A(k) => layer(&self.blocks[k][0], 1.0),
            Place::B(k) => layer(&self.blocks[k][1], part(count)),
            Place::Out => layer(&self.out_conv, 0.0),
        };
        self.order().into_iter().filter_map(layer).collect()
    }
}

impl ResnetPass<'_> {
    /// h after in_conv and all blocks, kept nowhere.
    fn run_blocks(&mut self, context: PassContext<'_>, scratch: &mut Scratch) {
        let (cpu, weights) = (context.cpu, context.weights);
        let net = self.net;
        let mut h = scratch.lend(net.channels, self.crelu.grid());
        let finish = Finish::StoreAndRelu(&mut self.rectified[0]);
        net.in_conv
            .forward(cpu, weights, &self.crelu, &mut h, finish);
        self.narrow(0, context, &mut h, scratch);
        for (k, [conv_a, conv_b]) in net.blocks.iter().enumerate() {
            let (before, next) = self.rectified.split_at_mut(k + 1);
            let middle = &mut self.middle[k];
            conv_a.forward(cpu, weights, &before[k], middle, Finish::Relu);
            let finish = Finish::AddAndRelu(&mut next[0]);
            conv_b.forward(cpu, weights, middle, &mut h, finish);
            self.narrow(k + 1, context, &mut h, scratch);
        }
        scratch.give_back(h);
    }

    /// Takes h after this many blocks through the bottleneck, if it is there.
    fn narrow(
        &mut self,
        blocks: usize,
        context: PassContext<'_>,
        h: &mut Map,
        scratch: &mut Scratch,
    ) {
        let is_here = self.net.is_narrow_after(blocks);
        if let Some(bottleneck) = self.bottleneck.as_mut().filter(|_| is_here) {
            bottleneck.forward(context, h, scratch);
            self.rectified[blocks].rectify(h);
        }
    }

    /// What the output layer reads. With skip sums every h is kept, and their sum rectified in the
    /// last place.
    fn run_hidden(&mut self, context: PassContext<'_>, scratch: &mut Scratch) {
        let (cpu, weights) = (context.cpu, context.weights);
        let (net, last) = (self.net, self.net.blocks.len());
        let Some(SkipsPass { skips, hidden }) = &mut self.skips else {
            return self.run_blocks(context, scratch);
        };
        let mut sum = scratch.lend(net.channels, self.crelu.grid());
        let finish = Finish::StoreAndRelu(&mut self.rectified[0]);
        net.in_conv
            .forward(cpu, weights, &self.crelu, &mut hidden[0], finish);
        let finish = match last {
            0 => Finish::StoreAndRelu(&mut self.rectified[0]),
            _ => Finish::Store,
        };
        skips
            .first
            .forward(cpu, weights, &hidden[0], &mut sum, finish);
        for (k, [conv_a, conv_b]) in net.blocks.iter().enumerate() {
            let (before, next) = self.rectified.split_at_mut(k + 1);
            let (a, next, middle) = (&mut before[k], &mut next[0], &mut self.middle[k]);
            let (done, h) = hidden.split_at_mut(k + 1);
            let h = &mut h[0];
            h.copy_from(&done[k]);
            let is_narrow = net.is_narrow_after(k);
            if let Some(bottleneck) = self.bottleneck.as_mut().filter(|_| is_narrow) {
                bottleneck.forward(context, h, scratch);
                a.rectify(h);
            }
            conv_a.forward(cpu, weights, a, middle, Finish::Relu);
            conv_b.forward(cpu, weights, middle, h, Finish::AddAndRelu(&mut *next));
            let finish = match k + 1 == last {
                true => Finish::AddAndRelu(next),
                false => Finish::Add,
            };
            skips.after_block[k].forward(cpu, weights, h, &mut sum, finish);
        }
        scratch.give_back(sum);
    }
}

impl ConditionerPass for ResnetPass<'_> {
    fn forward(
        &mut self,
        context: PassContext<'_>,
        input: &Map,
        out: &mut Map,
        scratch: &mut Scratch,
    ) {
        crelu::forward(input, &mut self.crelu);
        self.run_hidden(context, scratch);
        let last = &self.rectified[self.net.blocks.len()];
        let finish = Finish::Store;
        self.net
            .out_conv
            .forward(context.cpu, context.weights, last, out, finish);
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
        let net = self.net;
        let count = net.blocks.len();
        let grid = self.crelu.grid();
        let mut h = scratch.lend(net.channels, grid);
        let mut middle = scratch.lend(net.channels, grid);

        let last = &self.rectified[count];
        // `grad_sum` is the gradient of what the output layer rectified: h, or with skip sums their
        // sum.
        let mut grad_sum = scratch.lend(net.channels, grid);
        let target = if self.skips.is_some() {
            &mut grad_sum
        } else {
            &mut h
        };
        let both = [last, backward.grad_output];
        net.out_conv
            .gradient(cpu, weights, both, ticket, target, Finish::Mask(last));
        if let Some(SkipsPass { skips, hidden }) = &self.skips {
            let both = [&hidden[count], &grad_sum];
            let conv = skips.reading(count);
            conv.gradient(cpu, weights, both, ticket, &mut h, Finish::Store);
        }
        let narrow_after = |blocks| {
            let bottleneck = self.bottleneck.as_ref();
            bottleneck.filter(|_| net.is_narrow_after(blocks))
        };
        if let Some(bottleneck) = narrow_after(count).filter(|_| count == 0) {
            bottleneck.gradient(context, &mut h, ticket, scratch);
        }
        for (k, [conv_a, conv_b]) in net.blocks.iter().enumerate().rev() {
            let (a, c) = (&self.rectified[k], &self.middle[k]);
            conv_b.gradient(cpu, weights, [c, &h], ticket, &mut middle, Finish::Mask(c));
            let both = [a, &middle];
            conv_a.gradient(cpu, weights, both, ticket, &mut h, Finish::AddMasked(a));
            if let Some(bottleneck) = narrow_after(k) {
                bottleneck.gradient(context, &mut h, ticket, scratch);
            }
            if let Some(SkipsPass { skips, hidden }) = &self.skips {
                let both = [&hidden[k], &grad_sum];
                let conv = skips.reading(k);
                conv.gradient(cpu, weights, both, ticket, &mut h, Finish::Add);
            }
        }
        let mut grad_crelu = grad_input
            .is_some()
            .then(|| scratch.lend(2 * net.kept, grid));
        let both = [&self.crelu, &h];
        net.in_conv
            .first_gradient(cpu, weights, both, ticket, grad_crelu.as_mut());
        if let (Some(grad_crelu), Some(grad_input)) = (&grad_crelu, grad_input) {
            crelu::gradient(&self.crelu, grad_crelu, grad_input);
        }
        for map in [h, middle, grad_sum].into_iter().chain(grad_crelu) {
            scratch.give_back(map);
        }
    }

    fn read_by_layers<'a>(&'a self, _input: &'a Map) -> Vec<&'a Map> {
        let count = self.net.blocks.len();
        let narrow = |k: usize| Some(self.bottleneck.as_ref()?.read_by_layers()[k]);
        let read_by = |place| match place {
            Place::In => Some(&self.crelu),
            Place::Skip(k) => Some(&self.skips.as_ref()?.hidden[k]),
            Place::Down => narrow(0),
            Place::Up => narrow(1),
            Place::A(k) => Some(&self.rectified[k]),
            Place::B(k) => Some(&self.middle[k]),
            Place::Out => Some(&self.rectified[count]),
        };
        let order = self.net.order();
        order.into_iter().filter_map(read_by).collect()
    }
}
