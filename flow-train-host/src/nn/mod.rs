//! Network layers with hand-written gradients.
//!
//! Not a framework: a flow without batch norm treats every image alone, so one worker can take one
//! image through the whole flow and back while its activations are still in the cache, and nothing
//! is ever converted between layouts. That, not cleverer arithmetic, is what an autodiff framework
//! cannot offer (a prototype needed 18 MiB where PyTorch needed 140, and a third of its time or
//! more went into layout changes and stored intermediates).
//!
//! `kernels` <- `map` <- `conv` <- conditioners. All activations are [`Map`]s: blocks of 16
//! channels, so that every kernel's innermost loop is one vector wide whatever the image size.

mod autoencoder;
mod bottleneck;
pub(crate) mod build;
mod chain;
pub(crate) mod conditioner;
mod conv;
mod crelu;
mod flat;
mod highway;
pub(crate) mod kernels;
mod map;
mod parameters;
mod patches;
mod ratio_net;
mod reduction;
mod resnet;
mod scratch;
mod stage;
#[cfg(test)]
mod tests;

pub(crate) use conv::{BackwardWeights, Conv};
pub(crate) use map::{Grid, LANES, Lanes, Map};
pub(crate) use parameters::{Layout, Numbers, Registry, Weights};
pub(crate) use ratio_net::{RATIO_IMAGES, RatioNet, RatioPass};
pub(crate) use reduction::{OrderedReduction, Ticket};
pub(crate) use scratch::Scratch;
