//! A whole flow, ready to compute: log_prob of a group of samples, and its gradient.

use super::actnorm::Actnorm;
use super::coupling::Coupling;
use super::input::{self, Dequantization, DequantizationNoise};
use super::invertible_linear::InvertibleLinear;
use super::noise::{Noise, Purpose};
use super::sensor::Sensor;
use super::smoothing::Smoother;
use super::step::{Group, LatentGradients, Latents, Step, StepPass};
use super::vector_input::VectorInput;
use crate::data::Dataset;
use crate::model::{Model, Tensor};
use crate::moments::ChannelMoments;
use crate::nn::build::{self, Untrainable};
use crate::nn::conditioner::PassContext;
use crate::nn::kernels::Cpu;
use crate::nn::{BackwardWeights, Conv, Grid, Layout, Numbers, Registry, Scratch, Ticket, Weights};
use flow_infer::spec::units::HALF_LN_2PI;
use flow_infer::spec::{FlowSpec, InputSpec, PlacedStep, StepSpec};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

/// Images that first values are chosen by: every pixel counts, and each layer costs a pass over all
/// of them.
const IMAGES_SEEN: usize = 16;
/// Inputs that first values are chosen by where each coordinate has its own.
const VECTORS_SEEN: usize = 512;

/// A flow's steps with the places of their parameters.
pub(crate) struct Network {
    input: InputSpec,
    vectors: Option<VectorInput>,
    smoother: Option<Smoother>,
    /// log_det of every vector's first latent: a volume of as many rows as the latent has
    /// coordinates.
    vector_log_det: OnceLock<f64>,
    steps: Vec<Box<dyn Step>>,
    layout: Layout,
    group: Group,
    /// Inputs that first values are chosen by.
    seen: usize,
    cpu: Cpu,
}

/// Room for one group of samples on its way; every worker has one.
pub(crate) struct Pass<'n> {
    z: Vec<f32>,
    log_det: Vec<f64>,
    steps: Vec<Box<dyn StepPass + 'n>>,
    scratch: Scratch,
}

#[cfg(test)]
impl Pass<'_> {
    /// The latents that the last pass ended with.
    pub(crate) fn latents(&self, samples: usize) -> &[f32] {
        let dims = self.z.len() / self.log_det.len();
        &self.z[..samples * dims]
    }
}

impl Network {
    /// Builds the flow of a validated spec. Up to `samples` samples are computed together: vectors
    /// all of them, images as many as fill the kernels.
    pub(crate) fn new(spec: &FlowSpec, samples: usize, cpu: Cpu) -> Result<Self, Untrainable> {
        let vectors = !matches!(spec.input, InputSpec::Image { .. });
        let group = Group {
            dims: spec.input.shape().len(),
            samples: match vectors {
                true => samples.max(1),
                false => images_together(spec).clamp(1, samples.max(1)),
            },
            vectors,
        };
        let mut registry = Registry::default();
        let is_one_pixel = |placed: &PlacedStep| {
            matches!(placed.step, StepSpec::Actnorm) && placed.view.channels() == group.dims
        };
        let seen = match vectors || spec.steps().any(|placed| is_one_pixel(&placed)) {
            true => VECTORS_SEEN,
            false => IMAGES_SEEN,
        };
        let vectors = vectors.then(|| VectorInput::new(&mut registry, spec.input));
        let mut steps: Vec<Box<dyn Step>> = Vec::new();
        for placed in spec.steps() {
            match &placed.step {
                // Only the view changes, and every step has its own.
                StepSpec::Squeeze => {}
                StepSpec::Coupling(coupling) => {
                    let step = Coupling::new(&mut registry, group, &placed, coupling)?;
                    steps.push(Box::new(step));
                }
                StepSpec::Actnorm => {
                    // Vectors have been standardized before.
                    let standardizes =
                        vectors.is_none() && steps.is_empty() && is_one_pixel(&placed);
                    let step = Actnorm::new(&mut registry, group, &placed, standardizes);
                    steps.push(Box::new(step));
                }
                StepSpec::InvertibleLinear => {
                    steps.push(Box::new(InvertibleLinear::new(
                        &mut registry,
                        group,
                        &placed,
                    )));
                }
            }
        }
        Ok(Self {
            input: spec.input,
            vectors,
            smoother: None,
            vector_log_det: OnceLock::new(),
            steps,
            layout: registry.finish(),
            group,
            seen,
            cpu,
        })
    }

    /// Has it see vectors with noise.
    pub(super) fn smooth(&mut self, smoother: Smoother) {
        self.smoother = Some(smoother);
    }

    /// Where the parameters are.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What it computes with.
    pub(crate) fn cpu(&self) -> Cpu {
        self.cpu
    }

    /// Samples that pass together.
    pub(crate) fn group(&self) -> Group {
        self.group
    }

    /// Room for a pass.
    pub(crate) fn pass(&self) -> Pass<'_> {
        Pass {
            z: vec![0.0; self.group.samples * self.group.dims],
            log_det: vec![0.0; self.group.samples],
            steps: self.steps.iter().map(|s| s.pass()).collect(),
            scratch: Scratch::default(),
        }
    }

    /// First parameters, chosen by looking at some of the training items as training will see them: a pixel that never
    /// changes in them, but for the sensor's noise, must not be blown up to that.
    pub(crate) fn initial(
        &self,
        (seed, sensor): (u64, Option<&Sensor>),
        train: &Dataset,
        items: &[usize],
    ) -> Numbers {
        let mut weights = Weights {
            numbers: self.layout.zeros(),
            backward: Vec::new(),
        };
        if let (Some(input), Dataset::Vectors(vectors)) = (&self.vectors, train) {
            let steps = self.smoother.as_ref().map(|s| s.steps.as_slice());
            input.fit(
                seed,
                (vectors, items),
                steps,
                &mut weights.numbers.unblocked,
            );
        }
        let mut order = Noise::new(seed, Purpose::Initialize, [0, 0]).permutation(items.len());
        order.truncate(self.seen);
        // Whole groups, some items twice if need be.
        let count = self.seen.next_multiple_of(self.group.samples);
        let mut z = vec![0.0; count * self.group.dims];
        let pixel_noise = match sensor {
            None => DequantizationNoise::Evaluation(Dequantization::Midpoint),
            Some(_) => DequantizationNoise::Training {
                seed,
                epoch: u64::MAX,
                sensor,
            },
        };
        let seen = order.into_iter().cycle().map(|i| items[i]);
        for (z, item) in z.chunks_exact_mut(self.group.dims).zip(seen) {
            self.first_latent(&weights, train, item, pixel_noise, z);
        }
        if self.smoother.is_some() {
            // Shrunk directions stay so: the couplings are to begin as the identity.
            standardize(&mut z, self.group.dims);
        }
        for (number, step) in self.steps.iter().enumerate() {
            let mut noise = Noise::new(seed, Purpose::Initialize, [1, number as u64]);
            step.initialize(self.cpu, &mut weights, &mut noise, &mut z);
        }
        weights.numbers
    }

    /// The parameters of a model with this network's spec.
    pub(crate) fn parameters(&self, model: &Model) -> Numbers {
        let mut flat = vec![0.0; self.layout.flat];
        for entry in self.layout.entries.iter().filter(|e| e.in_model) {
            flat[entry.range.clone()].copy_from_slice(model.values(&entry.name));
        }
        let mut numbers = self.block(&flat);
        for step in &self.steps {
            step.read_model(model, &mut numbers.unblocked);
        }
        numbers
    }

    /// The model's tensors.
    pub(crate) fn tensors(&self, numbers: &Numbers) -> BTreeMap<String, Tensor> {
        let mut tensors = self.layout.tensors(&self.flatten(numbers));
        for step in &self.steps {
            step.write_model(&numbers.unblocked, &mut tensors);
        }
        tensors
    }

    /// All layers, in the order of their places.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Conv> {
        let mut convs: Vec<&Conv> = self.steps.iter().flat_map(|s| s.convs()).collect();
        convs.sort_unstable_by_key(|conv| conv.blocked_weights().start);
        convs.into_iter()
    }

    /// The blocked numbers that weight decay pulls to zero: those of layers, without biases.
    pub(crate) fn decayed(&self) -> Vec<Range<usize>> {
        self.layers().map(Conv::blocked_weights).collect()
    }

    /// A flat vector in the layout of training.
    pub(crate) fn block(&self, flat: &[f32]) -> Numbers {
        let mut numbers = self.layout.zeros();
        self.layout.gather(flat, &mut numbers.unblocked);
        self.layers()
            .for_each(|conv| conv.set(conv.part(flat), &mut numbers));
        numbers
    }

    /// The flat vector of numbers in the layout of training.
    pub(crate) fn flatten(&self, numbers: &Numbers) -> Vec<f32> {
        let mut flat = vec![0.0; self.layout.flat];
        self.layout.scatter(&numbers.unblocked, &mut flat);
        self.layers()
            .for_each(|conv| conv.get(numbers, conv.part_mut(&mut flat)));
        flat
    }

    /// These numbers, ready for both passes.
    pub(crate) fn weights(&self, numbers: Numbers) -> Weights {
        let backward = self.layout.backward();
        let mut weights = Weights { numbers, backward };
        self.update_backward(&mut weights);
        weights
    }

    /// Writes all layers' backward weights anew, on the cores of the pool that this is called in.
    pub(crate) fn update_backward(&self, weights: &mut Weights) {
        BackwardWeights::update(self.layers(), weights);
    }

    /// log_prob_nats of some items, at most a group, in `out`.
    pub(crate) fn log_prob(
        &self,
        weights: &Weights,
        data: &Dataset,
        items: &[usize],
        pixel_noise: DequantizationNoise<'_>,
        pass: &mut Pass<'_>,
        out: &mut [f64],
    ) {
        let dims = self.group.dims;
        let of_vectors = self.vector_log_det(weights);
        for (sample, &item) in items.iter().enumerate() {
            let z = &mut pass.z[sample * dims..][..dims];
            pass.log_det[sample] =
                of_vectors + self.first_latent(weights, data, item, pixel_noise, z);
        }
        let context = self.context(weights);
        for step in &mut pass.steps {
            let latents = Latents {
                z: &mut pass.z[..items.len() * dims],
                log_det: &mut pass.log_det[..items.len()],
            };
            step.to_latent(context, latents, &mut pass.scratch);
        }
        for (sample, out) in out.iter_mut().enumerate().take(items.len()) {
            let z = &pass.z[sample * dims..][..dims];
            let squares: f64 = z.iter().map(|&z| f64::from(z) * f64::from(z)).sum();
            *out = pass.log_det[sample] - 0.5 * squares - dims as f64 * HALF_LN_2PI;
        }
    }

    /// Adds the gradient of -sum of weight log_prob over the samples that
    /// [`log_prob`](Self::log_prob) has just seen.
    pub(crate) fn add_gradient(
        &self,
        weights: &Weights,
        weight: &[f32],
        pass: &mut Pass<'_>,
        ticket: &mut Ticket<'_, '_>,
    ) {
        let dims = self.group.dims;
        // The latents' place becomes that of their gradient: no step reads the latents again.
        let z = &mut pass.z[..weight.len() * dims];
        for (z, weight) in z.chunks_exact_mut(dims).zip(weight) {
            z.iter_mut().for_each(|z| *z *= weight);
        }
        let context = self.context(weights);
        for (number, step) in pass.steps.iter().enumerate().rev() {
            let wanted = number > 0;
            let latents = LatentGradients { z, weight, wanted };
            step.gradient(context, latents, ticket, &mut pass.scratch);
        }
    }

    fn context<'a>(&self, weights: &'a Weights) -> PassContext<'a> {
        PassContext {
            cpu: self.cpu,
            weights,
        }
    }

    /// log_det of every vector's first latent, whose map is never trained; 0 for images.
    fn vector_log_det(&self, weights: &Weights) -> f64 {
        let of_vectors = |input: &VectorInput| input.log_det(&weights.numbers.unblocked);
        *self
            .vector_log_det
            .get_or_init(|| self.vectors.as_ref().map_or(0.0, of_vectors))
    }

    /// Writes a first latent; of an image, returns its log_det.
    fn first_latent(
        &self,
        weights: &Weights,
        data: &Dataset,
        item: usize,
        pixel_noise: DequantizationNoise<'_>,
        z: &mut [f32],
    ) -> f64 {
        match (self.input, data, &self.vectors) {
            (InputSpec::Image { logit_margin, .. }, Dataset::Images(images), _) => {
                let pixels = pixel_noise.seen(images, item);
                input::image(&pixels, item, pixel_noise, logit_margin, z)
            }
            (_, Dataset::Vectors(vectors), Some(input)) => {
                let (x, numbers) = (vectors.get(item), &weights.numbers.unblocked);
                let smoother = self.smoother.as_ref();
                match smoother.and_then(|s| s.seen(x, item, pixel_noise)) {
                    None => input.first_latent(x, numbers, z),
                    Some(seen) => {
                        input.first_latent(&seen.x, numbers, z);
                        seen.blur(z);
                    }
                }
                0.0
            }
            // Callers check the data against the spec first.
            _ => f64::NAN,
        }
    }
}

/// Gives every coordinate of rows mean 0 and deviation 1.
fn standardize(z: &mut [f32], dims: usize) {
    let mut moments = ChannelMoments::new(dims);
    z.chunks_exact(dims).for_each(|row| moments.add_pixel(row));
    let of_coordinates: Vec<(f32, f32)> = moments.normalizing().collect();
    for row in z.chunks_exact_mut(dims) {
        let coordinates = row.iter_mut().zip(&of_coordinates);
        coordinates.for_each(|(z, (mean, factor))| *z = (*z - mean) * factor);
    }
}

/// Images that are best computed together, by the conditioner that needs fewest: every image takes
/// its activations of the whole flow, and those of a large view, which fills the kernels alone, are
/// most of them.
fn images_together(spec: &FlowSpec) -> usize {
    let of_step = |placed: PlacedStep| match &placed.step {
        StepSpec::Coupling(coupling) => {
            let shape = placed.view.shape();
            let grid = Grid::image(shape.height.into(), shape.width.into());
            Some(build::images_together(&coupling.conditioner, grid))
        }
        _ => None,
    };
    spec.steps().filter_map(of_step).min().unwrap_or(1)
}
