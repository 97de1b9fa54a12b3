//! The conditioner that must compress: strided convolutions, a linear bottleneck, transposed
//! convolutions back.
//!
//! Leaky relu after each convolution but the last.

use super::bottleneck::{Bottleneck, BottleneckPass};
use super::conditioner::{Backward, Conditioner, ConditionerPass, Layer, PassContext, PatchSide};
use super::patches::Patches;
use super::stage::{self, Stage, StageTape, leak, leak_gradient};
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

struct AutoencoderPass<'n> {
    net: &'n Autoencoder,
    encoder: [StageTape; COUNT],
    bottleneck: BottleneckPass<'n>,
    /// What each decoder stage reads.
    decoded: [Map; COUNT],
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
    fn pass(&self, _grid: Grid) -> Box<dyn ConditionerPass + '_> {
        Box::new(AutoencoderPass {
            net: self,
            encoder: self.encoder.each_ref().map(Stage::tape),
            bottleneck: self.bottleneck.pass(),
            decoded: self.decoder.each_ref().map(Stage::new_inner),
        })
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        let encoder = self.encoder.iter().map(|stage| Layer {
            conv: &stage.conv,
            initial_std: 1.0,
            patches: Some(PatchSide::Input(&stage.patches)),
        });
        let decoder = self.decoder.iter().enumerate().map(|(k, stage)| Layer {
            conv: &stage.conv,
            initial_std: if k + 1 == COUNT { 0.0 } else { 1.0 },
            patches: Some(PatchSide::Output(&stage.patches)),
        });
        let bottleneck = self.bottleneck.layers();
        encoder.chain(bottleneck).chain(decoder).collect()
    }
}

impl ConditionerPass for AutoencoderPass<'_> {
    fn forward(
        &mut self,
        context: PassContext<'_>,
        input: &Map,
        out: &mut Map,
        scratch: &mut Scratch,
    ) {
        let (encoder, decoded) = (&mut self.encoder, &mut self.decoded);
        stage::encode(&self.net.encoder, context, input, encoder);
        decoded[0].copy_from(&encoder[COUNT - 1].encoded);
        self.bottleneck.forward(context, &mut decoded[0], scratch);
        for (k, stage) in self.net.decoder.iter().enumerate() {
            let (read, write) = decoded.split_at_mut(k + 1);
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
        backward: Backward<'_>,
        grad_input: Option<&mut Map>,
        ticket: &mut Ticket<'_, '_>,
        scratch: &mut Scratch,
    ) {
        let mut grad_output: Option<Map> = None;
        for (k, stage) in self.net.decoder.iter().enumerate().rev() {
            let read = &self.decoded[k];
            let out = grad_output.as_ref().unwrap_or(backward.grad_output);
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
        self.bottleneck
            .gradient(context, &mut grad_output, ticket, scratch);
        let read = (backward.input, &self.encoder[..]);
        let gradients = (grad_output, grad_input);
        stage::encode_gradient(&self.net.encoder, context, read, gradients, ticket, scratch);
    }

    fn read_by_layers<'a>(&'a self, input: &'a Map) -> Vec<&'a Map> {
        let encoded = self.encoder[..COUNT - 1].iter().map(|tape| &tape.encoded);
        let encoder = std::iter::once(input).chain(encoded);
        let bottleneck = self.bottleneck.read_by_layers();
        encoder.chain(bottleneck).chain(&self.decoded).collect()
    }
}
