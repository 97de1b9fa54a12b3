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

use super::bottleneck::Bottleneck;
use super::conditioner::{Conditioner, Layer, LayerInput, PassContext, SavedActivations};
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

/// Where things are on the tape.
struct Places {
    blocks: usize,
}

impl Places {
    /// relu([x, -x]).
    const INPUT: usize = 0;
    /// relu(h) before a block; after the last, what the output layer reads.
    fn rectified(&self, block: usize) -> usize {
        1 + 2 * block
    }
    /// Between a block's convolutions.
    fn middle(&self, block: usize) -> usize {
        2 + 2 * block
    }
    /// h before a block, or after the last: with skip sums only.
    fn hidden(&self, block: usize) -> usize {
        2 + 2 * self.blocks + block
    }
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

    /// The bottleneck, if it comes after this many blocks. With skip sums and no block nothing
    /// would read it.
    fn narrow_after(&self, blocks: usize) -> Option<&Bottleneck> {
        let unread = self.skips.is_some() && self.blocks.is_empty();
        let bottleneck = self.bottleneck.as_ref();
        bottleneck.filter(|_| blocks == self.blocks.len() / 2 && !unread)
    }

    /// Place on the tape of the bottleneck's maps, behind all others.
    fn narrow_place(&self) -> usize {
        let hidden = self.skips.as_ref().map_or(0, |_| self.blocks.len() + 1);
        self.places().hidden(0) + hidden
    }

    fn places(&self) -> Places {
        Places {
            blocks: self.blocks.len(),
        }
    }

    /// h after in_conv and all blocks, kept nowhere.
    fn run_blocks(
        &self,
        context: PassContext<'_>,
        tape: &mut [Map],
        narrow: &mut [Map],
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let places = self.places();
        let mut h = scratch.lend(self.channels, tape[0].grid());
        let (input, rest) = tape.split_at_mut(1);
        let finish = Finish::StoreAndRelu(&mut rest[0]);
        self.in_conv
            .forward(cpu, weights, &input[0], &mut h, finish);
        if let Some(bottleneck) = self.narrow_after(0) {
            bottleneck.forward(context, &mut h, narrow, scratch);
            rest[0].rectify(&h);
        }
        for (k, [conv_a, conv_b]) in self.blocks.iter().enumerate() {
            let (before, after) = tape.split_at_mut(places.middle(k));
            let (middle, next) = after.split_at_mut(1);
            let a = &before[places.rectified(k)];
            conv_a.forward(cpu, weights, a, &mut middle[0], Finish::Relu);
            let finish = Finish::AddAndRelu(&mut next[0]);
            conv_b.forward(cpu, weights, &middle[0], &mut h, finish);
            if let Some(bottleneck) = self.narrow_after(k + 1) {
                bottleneck.forward(context, &mut h, narrow, scratch);
                next[0].rectify(&h);
            }
        }
        scratch.give_back(h);
    }

    /// [`run_blocks`](Self::run_blocks) with every h on the tape and the skip sum rectified in the
    /// last place.
    fn run_blocks_with_skips(
        &self,
        context: PassContext<'_>,
        skips: &Skips,
        tape: &mut [Map],
        narrow: &mut [Map],
        scratch: &mut Scratch,
    ) {
        let (cpu, weights) = (context.cpu, context.weights);
        let places = self.places();
        let (tape, hidden) = tape.split_at_mut(places.hidden(0));
        let last = places.rectified(self.blocks.len());
        let mut sum = scratch.lend(self.channels, tape[0].grid());
        let (input, rest) = tape.split_at_mut(1);
        let finish = Finish::StoreAndRelu(&mut rest[0]);
        self.in_conv
            .forward(cpu, weights, &input[0], &mut hidden[0], finish);
        let finish = match self.blocks.is_empty() {
            true => Finish::StoreAndRelu(&mut rest[0]),
            false => Finish::Store,
        };
        skips
            .first
            .forward(cpu, weights, &hidden[0], &mut sum, finish);
        for (k, [conv_a, conv_b]) in self.blocks.iter().enumerate() {
            let (before, after) = tape.split_at_mut(places.middle(k));
            let (middle, next) = after.split_at_mut(1);
            let (done, h) = hidden.split_at_mut(k + 1);
            h[0].copy_from(&done[k]);
            let a = &mut before[places.rectified(k)];
            if let Some(bottleneck) = self.narrow_after(k) {
                bottleneck.forward(context, &mut h[0], narrow, scratch);
                a.rectify(&h[0]);
            }
            conv_a.forward(cpu, weights, a, &mut middle[0], Finish::Relu);
            let finish = Finish::AddAndRelu(&mut next[0]);
            conv_b.forward(cpu, weights, &middle[0], &mut h[0], finish);
            let finish = match places.rectified(k + 1) == last {
                true => Finish::AddAndRelu(&mut next[0]),
                false => Finish::Add,
            };
            skips.after_block[k].forward(cpu, weights, &h[0], &mut sum, finish);
        }
        scratch.give_back(sum);
    }
}

impl Conditioner for Resnet {
    fn tape(&self, grid: Grid) -> Vec<Map> {
        let mut maps = vec![Map::new(2 * self.kept, grid)];
        let hidden = match self.skips {
            Some(_) => self.blocks.len() + 1,
            None => 0,
        };
        let count = 2 * self.blocks.len() + 1 + hidden;
        maps.extend((0..count).map(|_| Map::new(self.channels, grid)));
        maps.extend(self.bottleneck.iter().flat_map(Bottleneck::tape));
        maps
    }

    fn forward(
        &self,
        context: PassContext<'_>,
        input: &Map,
        tape: &mut [Map],
        out: &mut Map,
        scratch: &mut Scratch,
    ) {
        let (tape, narrow) = tape.split_at_mut(self.narrow_place());
        crelu::forward(input, &mut tape[Places::INPUT]);
        match &self.skips {
            Some(skips) => self.run_blocks_with_skips(context, skips, tape, narrow, scratch),
            None => self.run_blocks(context, tape, narrow, scratch),
        }
        let last = &tape[self.places().rectified(self.blocks.len())];
        let finish = Finish::Store;
        self.out_conv
            .forward(context.cpu, context.weights, last, out, finish);
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
        let SavedActivations {
            tape, grad_output, ..
        } = saved;
        let places = self.places();
        let count = self.blocks.len();
        let grid = tape[0].grid();
        let mut h = scratch.lend(self.channels, grid);
        let mut middle = scratch.lend(self.channels, grid);

        let last = &tape[places.rectified(count)];
        // `grad_sum` is the gradient of what the output layer rectified: h, or with skip sums their
        // sum.
        let mut grad_sum = scratch.lend(self.channels, grid);
        let target = if self.skips.is_some() {
            &mut grad_sum
        } else {
            &mut h
        };
        let both = [last, grad_output];
        self.out_conv
            .gradient(cpu, weights, both, ticket, target, Finish::Mask(last));
        if let Some(skips) = &self.skips {
            let conv = skips.after_block.last().unwrap_or(&skips.first);
            let both = [&tape[places.hidden(count)], &grad_sum];
            conv.gradient(cpu, weights, both, ticket, &mut h, Finish::Store);
        }
        let narrow = &tape[self.narrow_place()..];
        if let Some(bottleneck) = self.narrow_after(count).filter(|_| count == 0) {
            bottleneck.gradient(context, narrow, &mut h, ticket, scratch);
        }
        for (k, [conv_a, conv_b]) in self.blocks.iter().enumerate().rev() {
            let (a, c) = (&tape[places.rectified(k)], &tape[places.middle(k)]);
            conv_b.gradient(cpu, weights, [c, &h], ticket, &mut middle, Finish::Mask(c));
            let both = [a, &middle];
            conv_a.gradient(cpu, weights, both, ticket, &mut h, Finish::AddMasked(a));
            if let Some(bottleneck) = self.narrow_after(k) {
                bottleneck.gradient(context, narrow, &mut h, ticket, scratch);
            }
            if let Some(skips) = &self.skips {
                let conv = match k {
                    0 => &skips.first,
                    _ => &skips.after_block[k - 1],
                };
                let both = [&tape[places.hidden(k)], &grad_sum];
                conv.gradient(cpu, weights, both, ticket, &mut h, Finish::Add);
            }
        }
        let both = &tape[Places::INPUT];
        let mut grad_crelu = grad_input
            .is_some()
            .then(|| scratch.lend(2 * self.kept, grid));
        self.in_conv
            .first_gradient(cpu, weights, [both, &h], ticket, grad_crelu.as_mut());
        if let (Some(grad_crelu), Some(grad_input)) = (&grad_crelu, grad_input) {
            crelu::gradient(both, grad_crelu, grad_input);
        }
        for map in [h, middle, grad_sum].into_iter().chain(grad_crelu) {
            scratch.give_back(map);
        }
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        // A sum of n independent parts of variance 1 / n has variance 1.
        let part = |n: usize| (n.max(1) as f32).powf(-0.5);
        let layer = |conv, at, initial_std| Layer {
            conv,
            source: LayerInput::Tape(at),
            initial_std,
            patches: None,
        };
        let (places, count) = (self.places(), self.blocks.len());
        let mut layers = vec![layer(&self.in_conv, Places::INPUT, 1.0)];
        let skip = |k: usize| {
            let skips = self.skips.as_ref()?;
            let conv = match k {
                0 => &skips.first,
                _ => &skips.after_block[k - 1],
            };
            Some(layer(conv, places.hidden(k), part(count + 1)))
        };
        layers.extend(skip(0));
        let narrow = |after: usize| {
            let layers = self.narrow_after(after)?.layers(self.narrow_place());
            Some(layers)
        };
        layers.extend(narrow(0).into_iter().flatten());
        for (k, [conv_a, conv_b]) in self.blocks.iter().enumerate() {
            layers.push(layer(conv_a, places.rectified(k), 1.0));
            layers.push(layer(conv_b, places.middle(k), part(count)));
            layers.extend(skip(k + 1));
            layers.extend(narrow(k + 1).into_iter().flatten());
        }
        layers.push(layer(&self.out_conv, places.rectified(count), 0.0));
        layers
    }
}
