//! Training of a ratio net: benign images against negatives made of them, with the logistic loss.
//!
//! The negatives are the families of [`perturb`](crate::perturb) but for some, by which `calibrate` judges (a net would be
//! flattered by what it was trained on), three in ten followed by a second one; benign images and negatives pass through the
//! same sensor. Everything is made anew in every epoch, as a function of seed, epoch and item. The net takes a minute where
//! its flow takes an hour, so it has no checkpoint: an interrupted training begins anew, with the same bits.

mod batch;
#[cfg(test)]
mod tests;

use super::config::TrainConfig;
use super::error::TrainError;
use super::input::{self, Dequantization, DequantizationNoise};
use super::noise::{Noise, Purpose};
use super::optimizer::{Along, Optimizer, norm};
use super::ratio_config::RatioConfig;
use super::split::Split;
use super::workers::pool;
use crate::data::Images;
use crate::metrics::auroc;
use crate::model::Tensor;
use crate::model::ratio::{Ratio, RatioShape};
use crate::moments::ChannelMoments;
use crate::nn::kernels::Cpu;
use crate::nn::{BackwardWeights, Conv, Layout, Numbers, RatioNet, Registry, Weights};
use crate::perturb;
use batch::{Example, Workers};
use flow_infer::spec::{InputSpec, Shape};
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Images whose mean and deviation the input is scaled by.
const IMAGES_SEEN: usize = 1000;
/// Share of the negatives to which a second thing happens.
const TWICE: f64 = 0.3;

/// After a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RatioReport {
    /// Step, counted from 1.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Mean logistic loss of the step, in nats; ln 2 for a net that knows nothing.
    pub loss_nats: f64,
    /// At the end: AUROC of validation images against negatives made of them.
    pub auroc: Option<f64>,
}

/// What every step reads.
struct Training<'a> {
    config: &'a RatioConfig,
    flow: &'a TrainConfig,
    images: &'a Images,
    shape: RatioShape,
    margin: f32,
    net: RatioNet,
    layout: Layout,
    scaling: Vec<[f32; 2]>,
    cpu: Cpu,
    pool: ThreadPool,
}

/// Trains the ratio net that a configuration asks for, on the training items of its flow; `None` where it asks for none or
/// `progress` broke off. The same bits for every number of threads.
///
/// # Errors
/// [`TrainError`]: settings out of range, data that are not what the flow reads.
pub fn train_ratio(
    flow: &TrainConfig,
    images: &Images,
    threads: usize,
    progress: &mut dyn FnMut(&RatioReport) -> ControlFlow<()>,
) -> Result<Option<Ratio>, TrainError> {
    if let Some(problem) = flow.problem() {
        return Err(TrainError::Config(problem));
    }
    let split = Split::new(flow, images.len())?;
    let train = images.pick(&split.train);
    let Some(training) = Training::new(flow, &train, threads)? else {
        return Ok(None);
    };
    let validate = match split.validate.is_empty() {
        true => train.clone(),
        false => images.pick(&split.validate),
    };
    let trained = training.run(&validate, progress)?;
    trained.map(|numbers| training.ratio(&numbers)).transpose()
}

/// The net that [`train_ratio`] would begin with, if the configuration asks for one: as large as the trained one.
pub(super) fn initial(flow: &TrainConfig, images: &Images) -> Result<Option<Ratio>, TrainError> {
    let training = Training::new(flow, images, 1)?;
    training
        .map(|training| training.ratio(&training.initial()))
        .transpose()
}

/// Gain and offset of every channel that give the first latents mean 0 and deviation 1.
fn scaling(images: &Images, shape: Shape, margin: f32) -> Vec<[f32; 2]> {
    let mut moments = ChannelMoments::new(shape.channels.into());
    let mut z = vec![0.0; shape.len()];
    let midpoint = DequantizationNoise::Evaluation(Dequantization::Midpoint);
    for item in 0..images.len().min(IMAGES_SEEN) {
        input::image(images.get(item), item, midpoint, margin, &mut z);
        for (channel, plane) in z.chunks_exact(shape.pixels()).enumerate() {
            plane.iter().for_each(|&z| moments.add(channel, z));
        }
        moments.count(shape.pixels());
    }
    let normalizing = moments.normalizing();
    normalizing
        .map(|(mean, factor)| [factor, -mean * factor])
        .collect()
}

impl<'a> Training<'a> {
    /// Of the images that are trained on; `None` where no net is asked for.
    fn new(
        flow: &'a TrainConfig,
        images: &'a Images,
        threads: usize,
    ) -> Result<Option<Self>, TrainError> {
        let (
            Some(config),
            InputSpec::Image {
                shape,
                logit_margin,
            },
        ) = (&flow.ratio, flow.spec.input)
        else {
            return Ok(None);
        };
        let found = [images.channels(), images.height(), images.width()];
        if found != [shape.channels, shape.height, shape.width].map(usize::from) {
            let [c, h, w] = found;
            let data = format!("images of {c} x {h} x {w}");
            return Err(TrainError::Data(format!("images of {shape}"), data));
        }
        let mut registry = Registry::default();
        let ratio_shape = RatioShape::of(shape);
        let net = RatioNet::new(&mut registry, &ratio_shape);
        Ok(Some(Self {
            config,
            flow,
            scaling: scaling(images, shape, logit_margin),
            images,
            shape: ratio_shape,
            margin: logit_margin,
            net,
            layout: registry.finish(),
            cpu: Cpu::best(),
            pool: pool(threads)?,
        }))
    }

    fn run(
        &self,
        validate: &Images,
        progress: &mut dyn FnMut(&RatioReport) -> ControlFlow<()>,
    ) -> Result<Option<Numbers>, TrainError> {
        let mut weights = self.with_backward(self.initial());
        let mut optimizer = Optimizer::new(&weights.numbers);
        let mut workers = Workers::new(&self.net, &self.layout, &self.pool);
        let (seed, steps) = (self.flow.seed, self.config.steps);
        let (mut epoch, mut step) = (0, 0);
        while step < steps {
            let negatives = self.negatives(self.images, epoch);
            let noise = DequantizationNoise::Training {
                seed,
                epoch,
                sensor: self.flow.sensor.as_ref(),
            };
            let mut order = Noise::new(seed, Purpose::Ratio, [epoch, 0]);
            let order = order.permutation(self.images.len());
            for items in order
                .chunks(self.config.batch)
                .take((steps - step) as usize)
            {
                step += 1;
                let examples = examples(items.iter().copied(), [self.images, &negatives]);
                let latent = |e: Example<'_>| self.first_latent(e, noise);
                let (sum, gradient) = workers.gradient(&weights, self.cpu, &examples, latent);
                self.update(gradient, examples.len(), &mut optimizer, &mut weights);
                if !sum.is_finite() {
                    let (epoch, what) = (epoch + 1, "loss of the ratio net");
                    return Err(TrainError::NotFinite { epoch, step, what });
                }
                let last = step == steps;
                let report = RatioReport {
                    step,
                    steps,
                    loss_nats: sum / examples.len() as f64,
                    auroc: last.then(|| self.validate(&workers, &optimizer.ema, validate)),
                };
                if progress(&report).is_break() {
                    return Ok(None);
                }
            }
            epoch += 1;
        }
        Ok(Some(optimizer.ema))
    }

    /// He's deviation for every layer but the last, which begins by saying nothing.
    fn initial(&self) -> Numbers {
        let mut numbers = self.layout.zeros();
        let layers: Vec<&Conv> = self.net.layers().collect();
        let hidden = layers.split_last().map_or(&[][..], |(_, hidden)| hidden);
        for (number, layer) in (1u64..).zip(hidden) {
            let mut noise = Noise::new(self.flow.seed, Purpose::Ratio, [u64::MAX, number]);
            let deviation = (2.0 / layer.fan_in() as f32).sqrt();
            let mut values = vec![0.0; layer.weights() + layer.biases()];
            values[..layer.weights()].fill_with(|| deviation * noise.normal());
            layer.set(&values, &mut numbers);
        }
        numbers
    }

    fn with_backward(&self, numbers: Numbers) -> Weights {
        let backward = self.layout.backward();
        let mut weights = Weights { numbers, backward };
        BackwardWeights::update(self.net.layers(), &mut weights);
        weights
    }

    /// One step along the gradient of a sum over so many examples.
    fn update(
        &self,
        gradient: &Numbers,
        examples: usize,
        optimizer: &mut Optimizer,
        weights: &mut Weights,
    ) {
        let config = &self.config.optimizer();
        let mean = 1.0 / examples as f64;
        let norm = self.pool.install(|| norm(self.cpu, gradient)) * mean;
        let clip = (f64::from(config.clip_norm) / norm).min(1.0);
        let along = Along {
            gradient,
            scale: (mean * clip) as f32,
            learning_rate: config.learning_rate_at(optimizer.steps, self.config.steps),
        };
        let decayed: Vec<_> = self.net.layers().map(Conv::blocked_weights).collect();
        self.pool.install(|| {
            optimizer.step(self.cpu, config, along, &decayed, &mut weights.numbers);
            BackwardWeights::update(self.net.layers(), weights);
        });
    }

    /// One negative of each image.
    fn negatives(&self, images: &Images, epoch: u64) -> Images {
        let seed = self.flow.seed.wrapping_add(epoch.wrapping_mul(0x9e37_79b9));
        let make = || perturb::negatives(images, &self.config.families, seed, TWICE);
        self.pool.install(make)
    }

    fn first_latent(&self, example: Example<'_>, noise: DequantizationNoise<'_>) -> Vec<f32> {
        let mut z = vec![0.0; self.images.dims()];
        let seen = noise.seen(example.images, example.item);
        input::image(&seen, example.item, noise, self.margin, &mut z);
        let pixels = self.shape.image.pixels();
        for (plane, [gain, offset]) in z.chunks_exact_mut(pixels).zip(&self.scaling) {
            plane.iter_mut().for_each(|z| *z = gain * *z + offset);
        }
        z
    }

    /// AUROC of images against negatives made of them, through no sensor.
    fn validate(&self, workers: &Workers<'_>, numbers: &Numbers, images: &Images) -> f64 {
        let negatives = self.negatives(images, u64::MAX);
        let weights = Weights {
            numbers: numbers.clone(),
            backward: Vec::new(),
        };
        let noise = DequantizationNoise::Evaluation(self.flow.validation_noise());
        let examples = examples(0..images.len(), [images, &negatives]);
        let latent = |e: Example<'_>| self.first_latent(e, noise);
        let logits = workers.logits(&weights, self.cpu, &examples, latent);
        let (benign, foreign) = logits.split_at(images.len());
        auroc(benign, foreign)
    }

    fn ratio(&self, numbers: &Numbers) -> Result<Ratio, TrainError> {
        let mut flat = vec![0.0; self.layout.flat];
        for layer in self.net.layers() {
            layer.get(numbers, layer.part_mut(&mut flat));
        }
        let mut tensors: BTreeMap<String, Tensor> = self.layout.tensors(&flat);
        for (at, name) in ["input.gain", "input.offset"].into_iter().enumerate() {
            let values: Vec<f32> = self.scaling.iter().map(|both| both[at]).collect();
            let shape = vec![values.len()];
            tensors.insert(name.to_owned(), Tensor { shape, values });
        }
        Ok(Ratio::new(self.shape.image, tensors)?)
    }
}

/// Benign items, then as many negatives.
fn examples<'a>(
    items: impl Iterator<Item = usize> + Clone,
    [benign, negatives]: [&'a Images; 2],
) -> Vec<Example<'a>> {
    let of = |images, is_benign| {
        move |item| Example {
            images,
            item,
            is_benign,
        }
    };
    let first = items.clone().map(of(benign, true));
    first.chain(items.map(of(negatives, false))).collect()
}
