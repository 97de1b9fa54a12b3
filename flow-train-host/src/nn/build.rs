//! Which network a spec names.

use super::autoencoder::Autoencoder;
use super::chain::Chain;
use super::conditioner::Conditioner;
use super::highway::Highway;
use super::kernels::images_that_pay;
use super::resnet::Resnet;
use super::{Grid, Registry};
use flow_infer::spec::{ConditionerSpec, Norm};

/// Most images that a worker computes together: every one takes its own activations, of every
/// layer.
const MOST_IMAGES: usize = 4;

/// A network that this trainer cannot train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untrainable(pub &'static str);

/// Images that are best computed together, given a view's size: as many as fill the kernels.
pub(crate) fn images_together(spec: &ConditionerSpec, grid: Grid) -> usize {
    match *spec {
        // Dense layers over whole images have one column an image.
        ConditionerSpec::Autoencoder { .. } => MOST_IMAGES,
        ConditionerSpec::Resnet { bottleneck, .. } if bottleneck > 0 => MOST_IMAGES,
        ConditionerSpec::Resnet { channels, .. }
        | ConditionerSpec::Highway { channels, .. }
        | ConditionerSpec::Convnet { channels, .. }
        | ConditionerSpec::GlowConvnet { channels } => {
            images_that_pay(grid, channels.into()).min(MOST_IMAGES)
        }
        ConditionerSpec::Mlp { .. } => 1,
    }
}

/// Builds the network of a spec: `kept` input channels, `out` output channels, at the size of
/// `grid`.
pub(crate) fn conditioner(
    spec: &ConditionerSpec,
    registry: &mut Registry,
    at: &str,
    [kept, out]: [usize; 2],
    grid: Grid,
) -> Result<Box<dyn Conditioner>, Untrainable> {
    match *spec {
        ConditionerSpec::Resnet {
            norm: Norm::Batch, ..
        } => Err(Untrainable("batch norm inside a conditioner")),
        ConditionerSpec::Resnet {
            channels,
            blocks,
            skip,
            bottleneck,
            ..
        } => {
            let channels = [kept, channels.into(), out];
            let mut resnet = Resnet::new(registry, at, channels, blocks.into(), skip);
            if bottleneck > 0 {
                resnet.narrow(registry, at, grid, bottleneck.into());
            }
            Ok(Box::new(resnet))
        }
        ConditionerSpec::Mlp { hidden, layers } => {
            let channels = [kept, hidden.into(), out];
            Ok(Box::new(Chain::mlp(registry, at, channels, layers.into())))
        }
        ConditionerSpec::Highway { channels, layers } => {
            let channels = [kept, channels.into(), out];
            Ok(Box::new(Highway::new(
                registry,
                at,
                channels,
                layers.into(),
            )))
        }
        ConditionerSpec::Convnet { channels, layers } => {
            let channels = [kept, channels.into(), out];
            Ok(Box::new(Chain::convnet(
                registry,
                at,
                channels,
                layers.into(),
            )))
        }
        ConditionerSpec::GlowConvnet { channels } => {
            let channels = [kept, channels.into(), out];
            Ok(Box::new(Chain::glow_convnet(registry, at, channels)))
        }
        ConditionerSpec::Autoencoder { channels, latent } => {
            let channels = channels.map(usize::from);
            let built =
                Autoencoder::new(registry, at, [kept, out], (channels, latent.into()), grid);
            match built {
                Some(built) => Ok(Box::new(built)),
                None => Err(Untrainable("an autoencoder at this size")),
            }
        }
    }
}
