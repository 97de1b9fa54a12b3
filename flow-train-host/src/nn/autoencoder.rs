//! The conditioner that must compress: strided convolutions, a linear bottleneck, transposed
//! convolutions back.
//!
//! Leaky relu after each convolution but the last.

use super::bottleneck::Bottleneck;
use super::conditioner::{
    Conditioner, Layer, LayerInput, PassContext, PatchSide, SavedActivations,
};
use super::patches::Patches;
use super::stage::{Stage, leak, leak_gradient};
use super::{Conv, Grid, Map, Registry, Scratch, Ticket};
use flow_infer::spec::{ConditionerSpec, Shape};

/// Convolutions on each side of the bottleneck.
const COUNT: usize = 4;

/// The autoencoder conditioner: strided convolutions down to a few numbers, and back.
pub(crate) struct Autoencoder {
    encoder: [Stage; COUNT],
    bottleneck: Bottleneck,
    decoder: [Stage; COUNT],
}

/// Where things are on the tape.
mod places {
    use super::COUNT;

    /// What encoder stage k reads, as patches; empty where it reads the map itself.
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
            let conv = Conv::flattened(registry, &name, &[inner, outer, 4, 4]);
            Stage::new(conv, patches(k), [inner, outer])
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
            let conv = Conv::transposed(registry, &name, &[inner, outer, 4, 4], &[outer]);
            Stage::new(conv, patches(COUNT - 1 - k), [inner, outer])
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

impl Conditioner for Autoencoder {
    fn tape(&self, _grid: Grid) -> Vec<Map> {
        let mut maps = Vec::new();
        for stage in &self.encoder {
            let channels = match stage.whole {
                true => 0,
                false => Patches::channels(stage.outer_channels),
            };
            maps.push(Map::new(channels, stage.patches.inner()));
            maps.push(stage.new_inner());
        }
        maps.extend(self.bottleneck.tape());
        maps.extend(self.decoder.iter().map(Stage::new_inner));
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
        for (k, stage) in self.encoder.iter().enumerate() {
            let (before, after) = tape.split_at_mut(places::patches(k));
            let [patches, encoded, ..] = after else {
                return;
            };
            stage.encode(context, before.last().unwrap_or(input), patches, encoded);
            leak(encoded);
        }
        let (encoder, rest) = tape.split_at_mut(places::BOTTLENECK);
        let (maps, decoder) = rest.split_at_mut(Bottleneck::MAPS);
        let encoded = &encoder[places::encoded(COUNT - 1)];
        decoder[0].copy_from(encoded);
        self.bottleneck
            .forward(context, &mut decoder[0], maps, scratch);
        for (k, stage) in self.decoder.iter().enumerate() {
            let (read, write) = decoder.split_at_mut(k + 1);
            match write.first_mut() {
                Some(next) => {
                    stage.decode(context, &read[k], next, scratch);
                    leak(next);
                }
                None => stage.decode(context, &read[k], out, scratch),
            }
        }
    }

    fn gradient(
        &self,
        context: PassContext<'_>,
        saved: SavedActivations<'_>,
        grad_input: Option<&mut Map>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let tape = saved.tape;
        let mut grad_output: Option<Map> = None;
        for (k, stage) in self.decoder.iter().enumerate().rev() {
            let read = &tape[places::decoded(k)];
            let out = grad_output.as_ref().unwrap_or(saved.grad_output);
            let mut grad_input = stage.decoder_gradient(context, read, out, ticket, scratch);
            if k > 0 {
                leak_gradient(&mut grad_input, read);
            }
            if let Some(done) = grad_output.replace(grad_input) {
                scratch.give_back(done);
            }
        }
        let Some(mut grad_output) = grad_output else {
            return;
        };
        let maps = &tape[places::BOTTLENECK..];
        self.bottleneck
            .gradient(context, maps, &mut grad_output, ticket, scratch);
        for (k, stage) in self.encoder.iter().enumerate().rev() {
            leak_gradient(&mut grad_output, &tape[places::encoded(k)]);
            let (before, patches) = tape.split_at(places::patches(k));
            let read = [before.last().unwrap_or(saved.input), &patches[0]];
            if k == 0 {
                stage.encoder_gradient(context, (read, &grad_output), grad_input, ticket, scratch);
                break;
            }
            let mut grad_input = stage.lend_outer(scratch);
            stage.encoder_gradient(
                context,
                (read, &grad_output),
                Some(&mut grad_input),
                ticket,
                scratch,
            );
            scratch.give_back(std::mem::replace(&mut grad_output, grad_input));
        }
        scratch.give_back(grad_output);
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        let encoder = self.encoder.iter().enumerate().map(|(k, stage)| Layer {
            conv: &stage.conv,
            source: match k {
                0 => LayerInput::Kept,
                _ => LayerInput::Tape(places::encoded(k - 1)),
            },
            initial_std: 1.0,
            patches: Some(PatchSide::Input(&stage.patches)),
        });
        let decoder = self.decoder.iter().enumerate().map(|(k, stage)| Layer {
            conv: &stage.conv,
            source: LayerInput::Tape(places::decoded(k)),
            initial_std: if k + 1 == COUNT { 0.0 } else { 1.0 },
            patches: Some(PatchSide::Output(&stage.patches)),
        });
        let bottleneck = self.bottleneck.layers(places::BOTTLENECK);
        encoder.chain(bottleneck).chain(decoder).collect()
    }
}
