//! What each convolution reads: mean and covariance of its window, over calibration data.
//!
//! The rounding of a weight matters as much as its input varies, and errors in weights whose inputs
//! move together can cancel; both are in the covariance. About 64 windows of an image are sampled
//! for each layer, spread over the positions: 16,000 windows from 256 images determine the 144 x
//! 144 matrix of a 3x3 convolution of 16 channels.

use super::ExportError;
use super::engine::FloatEngine;
use super::lower::{LoweredCoupling, LoweredFlow, LoweredStep};
use super::ranges::check_data;
use crate::data::Dataset;
use crate::evaluate::HeapScratch;
use flow_infer::engine::{F32, Noise, Observer, evaluate};
use flow_infer::plan::{Buffer, Coupling, LayerKind, Step, Window};
use rayon::prelude::*;

/// Windows sampled of a layer in one image.
const WINDOWS_PER_IMAGE: usize = 64;
/// Largest window whose covariance is kept: 32 MiB of f64.
const LARGEST_COVARIANCE: usize = 2048;

/// Moments of one layer's window.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    count: f64,
    sum: Vec<f64>,
    /// Upper triangle by rows, or empty where the window is too large.
    products: Vec<f64>,
}

impl Moments {
    fn new(fan_in: usize) -> Self {
        let kept = fan_in <= LARGEST_COVARIANCE;
        Self {
            count: 0.0,
            sum: vec![0.0; fan_in],
            products: vec![0.0; if kept { fan_in * fan_in } else { 0 }],
        }
    }

    fn add(&mut self, window: &[f64]) {
        self.count += 1.0;
        self.sum.iter_mut().zip(window).for_each(|(s, w)| *s += w);
        let rows = self
            .products
            .chunks_exact_mut(window.len().max(1))
            .enumerate();
        for ((i, row), &a) in rows.zip(window).filter(|(_, a)| **a != 0.0) {
            row[i..]
                .iter_mut()
                .zip(&window[i..])
                .for_each(|(p, b)| *p += a * b);
        }
    }

    /// Mean of the window.
    pub fn mean(&self) -> Vec<f64> {
        self.sum.iter().map(|s| s / self.count.max(1.0)).collect()
    }

    /// Covariance of the window, whole; `None` if it was not kept.
    pub fn covariance(&self) -> Option<Vec<f64>> {
        let n = self.sum.len();
        let mean = self.mean();
        let mut whole = self.products.clone();
        if whole.is_empty() {
            return None;
        }
        for i in 0..n {
            for j in i..n {
                let value = whole[i * n + j] / self.count.max(1.0) - mean[i] * mean[j];
                whole[i * n + j] = value;
                whole[j * n + i] = value;
            }
        }
        Some(whole)
    }
}

/// Moments of every convolution, by step and layer; other layers have none.
#[derive(Clone, Debug)]
pub struct Statistics(Vec<Vec<Option<Moments>>>);

impl Statistics {
    /// The moments of a layer's window.
    pub fn of(&self, step: usize, layer: usize) -> Option<&Moments> {
        self.0.get(step)?.get(layer)?.as_ref()
    }
}

/// Whole activations of every buffer of every step, of one image.
struct Planes<'p> {
    steps: &'p [Step],
    planes: Vec<Vec<Vec<f32>>>,
}

impl Observer<F32> for Planes<'_> {
    fn row(&mut self, step: usize, layer: usize, y: usize, row: &[f32]) {
        let Some(coupling) = self.steps[step].network() else {
            return;
        };
        let Some(target) = coupling.layers[layer].target else {
            return;
        };
        self.planes[step][usize::from(target)][y * row.len()..][..row.len()].copy_from_slice(row);
    }
}

/// Runs data through the float engine and collects the moments; `finished` is called after each
/// input.
pub fn collect(
    flow: &LoweredFlow,
    data: &Dataset,
    finished: &dyn Fn(),
) -> Result<Statistics, ExportError> {
    let engine = FloatEngine::new(flow)?;
    let (steps, artifact) = (engine.steps(), engine.artifact()?);
    check_data(&artifact, data)?;
    let mut moments: Vec<_> = flow.steps.iter().map(empty_moments).collect();
    let mut scratch = HeapScratch::<F32>::new(&artifact);
    let mut planes = Planes {
        steps,
        planes: steps.iter().map(empty_planes).collect(),
    };
    for index in 0..data.len() {
        let input = data.flow_bytes(index);
        evaluate(
            &artifact,
            &input,
            Noise::Planned,
            scratch.borrow(),
            &mut planes,
        )
        .map_err(|_| ExportError::CalibrationValues)?;
        // Layers in parallel, images in order: the sums do not depend on the number of threads.
        moments
            .par_iter_mut()
            .enumerate()
            .for_each(|(step, layers)| {
                let Some(coupling) = steps[step].network() else {
                    return;
                };
                layers
                    .par_iter_mut()
                    .enumerate()
                    .for_each(|(layer, moments)| {
                        if let Some(moments) = moments {
                            sample(coupling, layer, &planes.planes[step], index, moments);
                        }
                    });
            });
        finished();
    }
    Ok(Statistics(moments))
}

fn empty_moments(step: &LoweredStep) -> Vec<Option<Moments>> {
    let Some(coupling) = step.network() else {
        return Vec::new();
    };
    let of_layer = |layer: usize| window_of(coupling, layer).map(Moments::new);
    (0..coupling.layers.len()).map(of_layer).collect()
}

/// Length of a convolution's window with padded channels.
fn window_of(coupling: &LoweredCoupling, layer: usize) -> Option<usize> {
    let layer = &coupling.layers[layer];
    let (LayerKind::Conv(window) | LayerKind::ConvTransposed(window)) = layer.kind else {
        return None;
    };
    let channels = usize::from(coupling.buffers[usize::from(layer.source)].channels);
    let taps = usize::from(window.height) * usize::from(window.width);
    Some(taps * flow_infer::plan::lanes(channels))
}

fn empty_planes(step: &Step) -> Vec<Vec<f32>> {
    let Some(coupling) = step.network() else {
        return Vec::new();
    };
    let plane = |b: &Buffer| vec![0.0; b.row_len() * usize::from(b.shape.height)];
    coupling.buffers.iter().map(plane).collect()
}

/// Adds sampled windows of one image; a last layer's only where its output is used.
fn sample(
    coupling: &Coupling,
    index: usize,
    planes: &[Vec<f32>],
    image: usize,
    moments: &mut Moments,
) {
    let layer = &coupling.layers[index];
    let (LayerKind::Conv(window) | LayerKind::ConvTransposed(window)) = layer.kind else {
        return;
    };
    let transposed = matches!(layer.kind, LayerKind::ConvTransposed(_));
    let Some(shape) = coupling.output_shape(layer) else {
        return;
    };
    let source = &coupling.buffers[usize::from(layer.source)];
    let plane = &planes[usize::from(layer.source)];
    let first_changed = coupling.mask.changed_channels(coupling.view.channels()).0;
    let used = |y: usize, x: usize| {
        let view = coupling.view.shape();
        layer.target.is_some() || coupling.mask.is_changed(first_changed, y, x, view)
    };
    let every = shape.pixels().div_ceil(WINDOWS_PER_IMAGE);
    let mut features = vec![0.0; moments.sum.len()];
    let width = usize::from(shape.width);
    let positions = (0..shape.pixels())
        .map(|p| (p / width, p % width))
        .filter(|&(y, x)| used(y, x));
    for (y, x) in positions.skip(image % every).step_by(every) {
        features.fill(0.0);
        gather(source, plane, window, transposed, (y, x), &mut features);
        moments.add(&features);
    }
}

/// The window of output (y, x), in the order of the weights; taps outside the image are zero.
fn gather(
    source: &Buffer,
    plane: &[f32],
    window: Window,
    transposed: bool,
    (y, x): (usize, usize),
    features: &mut [f64],
) {
    let pixel = source.pixel_len();
    let (stride, pad) = (usize::from(window.stride), usize::from(window.pad));
    let origin = |at: usize, k: usize, len: u16| {
        let index = if transposed {
            let reach = (at + pad).checked_sub(k)?;
            (reach % stride == 0).then_some(reach / stride)?
        } else {
            (at * stride + k).checked_sub(pad)?
        };
        (index < usize::from(len)).then_some(index)
    };
    for ky in 0..usize::from(window.height) {
        for kx in 0..usize::from(window.width) {
            let row = origin(y, ky, source.shape.height);
            let column = origin(x, kx, source.shape.width);
            let (Some(row), Some(column)) = (row, column) else {
                continue;
            };
            let from = row * source.row_len() + (column + usize::from(source.margin)) * pixel;
            let to = (ky * usize::from(window.width) + kx) * pixel;
            let tap = features[to..to + pixel]
                .iter_mut()
                .zip(&plane[from..from + pixel]);
            tap.for_each(|(f, &a)| *f = f64::from(a));
        }
    }
}
