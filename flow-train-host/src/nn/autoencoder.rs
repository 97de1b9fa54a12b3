//! The conditioner that must compress: strided convolutions, a linear bottleneck, transposed convolutions back.
//!
//! Leaky relu (0.01) after each convolution but the last. Its sign is that of its input, so only activations are kept.

use super::bottleneck::Bottleneck;
use super::conditioner::{Conditioner, Layer, Passed, Source, With};
use super::kernels::Finish;
use super::patches::Patches;
use super::{Conv, Grid, Map, Registry, Scratch, Turn};
use flow_infer::spec::{ConditionerSpec, Shape};

const LEAK: f32 = 0.01;
/// Convolutions on each side of the bottleneck.
const COUNT: usize = 4;

/// See the module.
pub(crate) struct Autoencoder {
    encoder: [Stage; COUNT],
    bottleneck: Bottleneck,
    decoder: [Stage; COUNT],
}

/// A convolution or a transposed one.
struct Stage {
    conv: Conv,
    patches: Patches,
    inner_channels: usize,
    outer_channels: usize,
}

/// Where things are on the tape.
mod places {
    use super::COUNT;

    /// What encoder stage k reads, as patches.
    pub(super) const fn patches(k: usize) -> usize {
        2 * k
    }
    /// What it gives.
    pub(super) const fn encoded(k: usize) -> usize {
        2 * k + 1
    }
    /// The bottleneck's two maps.
    pub(super) const BOTTLENECK: usize = 2 * COUNT;
    /// What decoder stage k reads.
    pub(super) const fn decoded(k: usize) -> usize {
        2 * COUNT + 2 + k
    }
}

impl Autoencoder {
    /// With [kept, output] channels around these hidden ones; `None` if the image is too small.
    pub(crate) fn new(
        registry: &mut Registry,
        at: &str,
        [kept, out]: [usize; 2],
        (channels, latent): ([usize; COUNT], usize),
        grid: Grid,
    ) -> Option<Self> {
        let shape = Shape::new(1, grid.height as u16, grid.width as u16);
        let sides = ConditionerSpec::autoencoder_sides(shape)?;
        let strides = ConditionerSpec::autoencoder_strides(shape.width);
        let bare = |(height, width): (u16, u16)| Grid::bare(height.into(), width.into());
        let mut grids = sides.map(|side| bare(side).times(grid.images));
        let code_grid = grids[COUNT];
        grids[0] = grid;
        let patches = |k: usize| Patches::new(grids[k + 1], grids[k], usize::from(strides[k]));
        let [c0, c1, c2, c3] = channels;
        let mut encoder = |k: usize, outer, inner| {
            let name = format!("{at}encoder.{k}");
            Stage {
                conv: Conv::flattened(registry, &name, &[inner, outer, 4, 4]).over_patches(outer),
                patches: patches(k),
                inner_channels: inner,
                outer_channels: outer,
            }
        };
        let encoder = [
            encoder(0, kept, c0),
            encoder(1, c0, c1),
            encoder(2, c1, c2),
            encoder(3, c2, c3),
        ];
        let bottleneck = Bottleneck::new(registry, at, c3, code_grid, latent);
        let mut decoder = |k: usize, inner, outer| {
            let name = format!("{at}decoder.{k}");
            Stage {
                conv: Conv::transposed(registry, &name, &[inner, outer, 4, 4], &[outer])
                    .over_patches(outer),
                patches: patches(COUNT - 1 - k),
                inner_channels: inner,
                outer_channels: outer,
            }
        };
        Some(Self {
            encoder,
            bottleneck,
            decoder: [
                decoder(0, c3, c2),
                decoder(1, c2, c1),
                decoder(2, c1, c0),
                decoder(3, c0, out),
            ],
        })
    }
}

impl Stage {
    fn new_inner(&self) -> Map {
        Map::new(self.inner_channels, self.patches.inner())
    }

    fn lend_inner(&self, scratch: &mut Scratch) -> Map {
        scratch.lend(self.inner_channels, self.patches.inner())
    }

    fn lend_outer(&self, scratch: &mut Scratch) -> Map {
        scratch.lend(self.outer_channels, self.patches.outer())
    }

    fn lend_patches(&self, scratch: &mut Scratch) -> Map {
        let channels = Patches::channels(self.outer_channels);
        scratch.lend(channels, self.patches.inner())
    }

    /// The transposed convolution.
    fn decode(&self, with: With<'_>, input: &Map, out: &mut Map, scratch: &mut Scratch) {
        let mut patches = self.lend_patches(scratch);
        let (cpu, weights) = (with.cpu, with.weights);
        self.conv
            .forward(cpu, weights, input, &mut patches, Finish::Store);
        self.patches
            .spread(&patches, self.conv.shared_bias_of(weights), out);
        scratch.give_back(patches);
    }

    /// Gradient of a transposed convolution's input from that of its output.
    fn decoder_gradient(
        &self,
        with: With<'_>,
        input: &Map,
        out: &Map,
        turn: &mut Turn<'_, '_>,
        scratch: &mut Scratch,
    ) -> Map {
        let mut patches = self.lend_patches(scratch);
        let mut below = self.lend_inner(scratch);
        let (cpu, weights) = (with.cpu, with.weights);
        self.patches.gather(out, &mut patches);
        self.conv.add_bias_gradient(out, turn);
        let both = [input, &patches];
        self.conv
            .gradient(cpu, weights, both, turn, &mut below, Finish::Store);
        scratch.give_back(patches);
        below
    }

    /// Gradient of a convolution's input from that of its output.
    fn encoder_gradient(
        &self,
        with: With<'_>,
        both: [&Map; 2],
        below: &mut Map,
        turn: &mut Turn<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let mut patches = self.lend_patches(scratch);
        let (cpu, weights) = (with.cpu, with.weights);
        self.conv
            .gradient(cpu, weights, both, turn, &mut patches, Finish::Store);
        self.patches.spread(&patches, &[], below);
        scratch.give_back(patches);
    }
}

/// In place: x above zero, 0.01 x below.
fn leak(map: &mut Map) {
    for lanes in map.data_mut() {
        lanes.0.iter_mut().for_each(|v| *v = v.max(LEAK * *v));
    }
}

/// The gradient before a leaky relu from that after it.
fn leak_gradient(gradient: &mut Map, activation: &Map) {
    for (g, a) in gradient.data_mut().iter_mut().zip(activation.data()) {
        for (g, a) in g.0.iter_mut().zip(a.0) {
            *g *= if a > 0.0 { 1.0 } else { LEAK };
        }
    }
}

impl Conditioner for Autoencoder {
    fn tape(&self, _grid: Grid) -> Vec<Map> {
        let mut maps = Vec::new();
        for stage in &self.encoder {
            let channels = Patches::channels(stage.outer_channels);
            maps.push(Map::new(channels, stage.patches.inner()));
            maps.push(stage.new_inner());
        }
        maps.extend(self.bottleneck.tape());
        maps.extend(self.decoder.iter().map(Stage::new_inner));
        maps
    }

    fn forward(
        &self,
        with: With<'_>,
        input: &Map,
        tape: &mut [Map],
        out: &mut Map,
        scratch: &mut Scratch,
    ) {
        for (k, stage) in self.encoder.iter().enumerate() {
            let (before, after) = tape.split_at_mut(places::patches(k));
            let [patches, encoded, ..] = after else {
                return;
            };
            stage
                .patches
                .gather(before.last().unwrap_or(input), patches);
            stage
                .conv
                .forward(with.cpu, with.weights, patches, encoded, Finish::Store);
            leak(encoded);
        }
        let (encoder, rest) = tape.split_at_mut(places::BOTTLENECK);
        let (maps, decoder) = rest.split_at_mut(Bottleneck::MAPS);
        let encoded = &encoder[places::encoded(COUNT - 1)];
        decoder[0].copy_from(encoded);
        self.bottleneck
            .forward(with, &mut decoder[0], maps, scratch);
        for (k, stage) in self.decoder.iter().enumerate() {
            let (read, write) = decoder.split_at_mut(k + 1);
            match write.first_mut() {
                Some(next) => {
                    stage.decode(with, &read[k], next, scratch);
                    leak(next);
                }
                None => stage.decode(with, &read[k], out, scratch),
            }
        }
    }

    fn gradient(
        &self,
        with: With<'_>,
        passed: Passed<'_>,
        input_gradient: &mut Map,
        turn: &mut Turn<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let tape = passed.tape;
        let mut above: Option<Map> = None;
        for (k, stage) in self.decoder.iter().enumerate().rev() {
            let read = &tape[places::decoded(k)];
            let out = above.as_ref().unwrap_or(passed.out_gradient);
            let mut below = stage.decoder_gradient(with, read, out, turn, scratch);
            if k > 0 {
                leak_gradient(&mut below, read);
            }
            if let Some(done) = above.replace(below) {
                scratch.give_back(done);
            }
        }
        let Some(mut above) = above else {
            return;
        };
        let maps = &tape[places::BOTTLENECK..];
        self.bottleneck
            .gradient(with, maps, &mut above, turn, scratch);
        for (k, stage) in self.encoder.iter().enumerate().rev() {
            leak_gradient(&mut above, &tape[places::encoded(k)]);
            let both = [&tape[places::patches(k)], &above];
            if k == 0 {
                stage.encoder_gradient(with, both, input_gradient, turn, scratch);
                break;
            }
            let mut below = stage.lend_outer(scratch);
            stage.encoder_gradient(with, both, &mut below, turn, scratch);
            scratch.give_back(std::mem::replace(&mut above, below));
        }
        scratch.give_back(above);
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        let encoder = self.encoder.iter().enumerate().map(|(k, stage)| Layer {
            conv: &stage.conv,
            source: Source::Tape(places::patches(k)),
            deviation: 1.0,
            patches: None,
        });
        let decoder = self.decoder.iter().enumerate().map(|(k, stage)| Layer {
            conv: &stage.conv,
            source: Source::Tape(places::decoded(k)),
            deviation: if k + 1 == COUNT { 0.0 } else { 1.0 },
            patches: Some(&stage.patches),
        });
        let bottleneck = self.bottleneck.layers(places::BOTTLENECK);
        encoder.chain(bottleneck).chain(decoder).collect()
    }
}
