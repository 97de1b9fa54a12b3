//! Where an image is odd: the complexity score, pixel by pixel.
//!
//! log_prob is a sum over coordinates: of the prior at the latent, which lies where its pixel lies,
//! of what every coupling stretched there (log_scale), and of the logit's slope; what a model adds
//! to every image alike (actnorm, 1x1) is spread evenly. So each pixel has a price under the flow,
//! in nats. It has a second one under the lossless code of the complexity score, which knows
//! nothing of the benign data. A pixel is **odd** where the flow pays more than that code: the heat
//! is the difference, and the sum of the map is minus the complexity score. The price under the
//! flow alone would show edges instead, which are dear in every image.
//!
//! Both codes read a pixel from what is around it and seldom pay at the same place, so the map is
//! smoothed over a fourteenth of the side, which moves nats but loses none.

mod code;
mod foreseen;
mod smooth;
mod windows;

pub use windows::{OddError, OddKind, OddWindow, OwnWindows};

use crate::data::Dataset;
use crate::parallel::try_map;
use crate::trace::{Trace, trace};
use flow_infer::artifact::Artifact;
use flow_infer::engine::{InputError, Noise};
use flow_infer::plan::PlannedInput;
use flow_infer::spec::Shape;
use flow_infer::spec::units::{HALF_LN_2PI, LN_256};

/// Sides of the smoothing's deviation in a side of the image.
const DEVIATIONS_A_SIDE: f64 = 14.0;

/// How odd every pixel is.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Nats that the flow pays at a pixel beyond what a code pays that knows nothing of the data,
    /// smoothed; row by row. Above zero is odd. The sum is minus the complexity score.
    pub nats: Vec<f32>,
}

/// Why there is no heat map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeatError {
    /// The model reads vectors, whose coordinates lie nowhere.
    #[error("heat maps are of images, and this model reads vectors")]
    Vectors,
    /// The engine refuses the input.
    #[error(transparent)]
    Input(#[from] InputError),
}

/// The heat map of one image, its bytes as the model reads them: channel by channel, row by row.
///
/// Costs two to three evaluations.
///
/// # Errors
/// [`HeatError`].
pub fn heat(artifact: &Artifact<'_>, image: &[u8]) -> Result<HeatMap, HeatError> {
    let (shape, margin) = match *artifact.input() {
        PlannedInput::Image { shape, margin, .. } => (shape, f64::from(margin)),
        PlannedInput::Vector { .. } | PlannedInput::Whitened { .. } => {
            return Err(HeatError::Vectors);
        }
    };
    let trace = trace(artifact, image, Noise::default())?;
    let flow = prices(&trace, margin);
    let code = code::prices(image, shape);
    let odd = flow.iter().zip(&code).map(|(flow, code)| flow - code);
    Ok(HeatMap::new(shape, &odd.collect::<Vec<f64>>()))
}

/// Heat maps of every image, in order, on all cores; `finished` is called after each, from any
/// thread.
///
/// # Errors
/// The first image in order that has none, with its index.
pub fn heat_all(
    artifact: &Artifact<'_>,
    data: &Dataset,
    finished: &(dyn Fn() + Sync),
) -> Result<Vec<HeatMap>, (usize, HeatError)> {
    let one = |(): &mut (), index| {
        let map = heat(artifact, &data.input_bytes(index));
        finished();
        map.map_err(|error| (index, error))
    };
    try_map(data.len(), || (), one)
}

impl HeatMap {
    /// The map of an image-shaped array: channels added up, smoothed.
    fn new(shape: Shape, odd: &[f64]) -> Self {
        let (height, width) = (usize::from(shape.height), usize::from(shape.width));
        let mut pixels = vec![0.0; height * width];
        for plane in odd.chunks_exact(height * width) {
            pixels.iter_mut().zip(plane).for_each(|(sum, v)| *sum += v);
        }
        let deviation = height.min(width) as f64 / DEVIATIONS_A_SIDE;
        let smoothed = smooth::smoothed(&pixels, [height, width], deviation);
        Self {
            height,
            width,
            nats: smoothed.into_iter().map(|v| v as f32).collect(),
        }
    }
}

/// What the flow pays at every coordinate, in nats; together -log_prob.
fn prices(trace: &Trace, margin: f64) -> Vec<f64> {
    let (logits, latents) = (trace.latents.first(), trace.latents.last());
    let ends = logits
        .into_iter()
        .flatten()
        .zip(latents.into_iter().flatten());
    let mut prices: Vec<f64> = ends
        .map(|(&y, &z)| {
            let (y, z) = (f64::from(y), f64::from(z));
            // ln of the logit's slope 1 / (p (1 - p)) at y = logit(p), of p = margin + ... x / 256.
            let slope = softplus(y) + softplus(-y) + (1.0 - 2.0 * margin).ln() - LN_256;
            z * z / 2.0 + HALF_LN_2PI - slope
        })
        .collect();
    for coupling in &trace.couplings {
        let stretched = prices.iter_mut().zip(&coupling.log_scale);
        stretched.for_each(|(price, log)| *price -= f64::from(log.unwrap_or(0.0)));
    }
    let rest = -trace.log_prob_nats - prices.iter().sum::<f64>();
    let share = rest / prices.len().max(1) as f64;
    prices.iter_mut().for_each(|price| *price += share);
    prices
}

/// ln(1 + e^x).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
