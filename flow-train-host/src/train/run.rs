//! The loop of a training run.

use super::checkpoint::State;
use super::config::TrainConfig;
use super::directory::{self, CHECKPOINT_FILE, Given};
use super::error::TrainError;
use super::evaluate::check_data;
use super::input::DequantizationNoise;
use super::negative::{self, Negative};
use super::network::Network;
use super::noise::{Noise, Purpose};
use super::progress::{EpochRecord, Progress, StepReport};
use super::smoothing::Smoother;
use super::split::Split;
use super::update::Update;
use super::workers::{Batch, Workers, pool};
use crate::data::Dataset;
use crate::export::check_layers;
use crate::model::Model;
use crate::model::store::MODEL_FILE;
use crate::nn::Weights;
use crate::nn::kernels::Cpu;
use flow_infer::spec::units::bits_per_dim;
use rayon::ThreadPool;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// What does not change the result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Worker threads; 0: one a core.
    pub threads: usize,
    /// Go on from the directory's checkpoint.
    pub resume: bool,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Whether all epochs are done; otherwise the run was interrupted and can be resumed.
    pub finished: bool,
    /// Lowest validation bits per dim; that of `model.safetensors`.
    pub best_bits_per_dim: Option<f64>,
    /// One record an epoch, those before a resume included.
    pub records: Vec<EpochRecord>,
    /// Trained numbers of the flow.
    pub parameters: usize,
}

/// Trains a flow on the data, in `directory`.
///
/// # Errors
/// [`TrainError`]; whatever it is, the directory's files are whole, and the last checkpoint can be resumed.
pub fn run(
    config: &TrainConfig,
    data: &Dataset,
    directory: &Path,
    options: Options,
    progress: &mut dyn Progress,
) -> Result<Summary, TrainError> {
    let negative = None;
    run_given(
        config,
        Given { data, negative },
        directory,
        options,
        progress,
    )
}

/// [`run`] with negative training: the flow also learns to give the items of `negative` a likelihood below
/// [`TrainConfig::negative_threshold_nats`]. An epoch ends with the smaller of the two data sets.
///
/// # Errors
/// As [`run`].
pub fn run_against(
    config: &TrainConfig,
    data: &Dataset,
    negative: &Dataset,
    directory: &Path,
    options: Options,
    progress: &mut dyn Progress,
) -> Result<Summary, TrainError> {
    let negative = Some(negative);
    run_given(
        config,
        Given { data, negative },
        directory,
        options,
        progress,
    )
}

/// What a run needs that the directory has no part in, everything checked.
pub(super) fn prepare(
    config: &TrainConfig,
    data: &Dataset,
) -> Result<(Network, Split), TrainError> {
    config.spec.validate().map_err(TrainError::Spec)?;
    if let Some(problem) = config.problem() {
        return Err(TrainError::Config(problem));
    }
    check_layers(&config.spec)?;
    check_data(&config.spec, data)?;
    let split = Split::new(config, data.len())?;
    let samples_per_group = config.samples_per_group(config.batch);
    let mut network = Network::new(&config.spec, samples_per_group, Cpu::best())?;
    if let (Some(smoothing), Dataset::Vectors(vectors)) = (config.smoothing, data) {
        network.smooth(Smoother::new(smoothing, vectors, &split.train));
    }
    Ok((network, split))
}

fn run_given(
    config: &TrainConfig,
    given: Given<'_>,
    directory: &Path,
    options: Options,
    progress: &mut dyn Progress,
) -> Result<Summary, TrainError> {
    let data = given.data;
    let (network, split) = prepare(config, data)?;
    let made = negative::made(config, given, &split.train)?;
    let negative = given.negative.or(made.as_ref());
    let given = Given { negative, ..given };
    let negative = Negative::new(config, given)?;
    // Held to the end of the run.
    let (mut state, _lock) = match options.resume {
        true => directory::resume(config, given, &network, directory)?,
        false => directory::start(config, given, &network, directory, &split.train)?,
    };
    let weights = network.weights(std::mem::take(&mut state.parameters));
    let pool = pool(options.threads)?;
    let mut run = Run {
        config,
        data,
        negative,
        directory,
        network: &network,
        workers: Workers::new(&network, &pool),
        pool: &pool,
        split,
        state,
        weights,
        started: Instant::now(),
        items_done: 0,
    };
    let finished = run.epochs(progress)?.is_continue();
    Ok(Summary {
        finished,
        best_bits_per_dim: run.state.counters.best_f64_bits.map(f64::from_bits),
        records: run.state.counters.records,
        parameters: network.layout().flat,
    })
}

struct Run<'a> {
    config: &'a TrainConfig,
    data: &'a Dataset,
    negative: Option<Negative<'a>>,
    directory: &'a Path,
    network: &'a Network,
    workers: Workers<'a>,
    pool: &'a ThreadPool,
    split: Split,
    state: State,
    weights: Weights,
    started: Instant,
    items_done: u64,
}

impl<'a> Run<'a> {
    /// Items of an epoch.
    fn items_per_epoch(&self) -> usize {
        let most = |n: &Negative<'_>| n.most_items(self.config.batch);
        let most = self.negative.as_ref().map_or(usize::MAX, most);
        self.split.train.len().min(most)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.items_per_epoch().div_ceil(self.config.batch) as u64
    }

    fn epochs(&mut self, progress: &mut dyn Progress) -> Result<ControlFlow<()>, TrainError> {
        self.keep_first()?;
        while self.state.counters.epoch < self.config.epochs {
            let started = Instant::now();
            if self.epoch(progress)?.is_break() {
                self.checkpoint()?;
                return Ok(ControlFlow::Break(()));
            }
            let record = self.close_epoch(started)?;
            if progress.epoch(&record).is_break() {
                break;
            }
        }
        Ok(match self.state.counters.epoch < self.config.epochs {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    }

    /// The first weights are a Gaussian where vectors are smoothed: no model shall be worse.
    fn keep_first(&mut self) -> Result<(), TrainError> {
        let has_begun = self.state.counters.optimizer_steps > 0;
        if self.config.smoothing.is_none() || has_begun || self.split.validate.is_empty() {
            return Ok(());
        }
        let validation = self.validate()?;
        self.keep(validation)
    }

    /// The averaged weights as the model of this run.
    fn keep(&mut self, validation: f64) -> Result<(), TrainError> {
        self.state.counters.best_f64_bits = Some(validation.to_bits());
        let tensors = self.network.tensors(&self.state.optimizer.ema);
        let model = Model::new(self.config.spec.clone(), tensors)?;
        let model = model.with_front_end(self.config.front_end.clone());
        Ok(model.save(&self.directory.join(MODEL_FILE))?)
    }

    /// The rest of the epoch in progress.
    fn epoch(&mut self, progress: &mut dyn Progress) -> Result<ControlFlow<()>, TrainError> {
        let epoch = self.state.counters.epoch;
        let mut noise = Noise::new(self.config.seed, Purpose::Shuffle, [epoch, 0]);
        let order = noise.permutation(self.split.train.len());
        let items: Vec<usize> = order.into_iter().map(|i| self.split.train[i]).collect();
        while self.state.counters.step < self.steps_per_epoch() {
            let first = self.state.counters.step as usize * self.config.batch;
            let last = items.len().min(first + self.config.batch);
            let report = self.step(&items[first..last])?;
            let counters = &self.state.counters;
            if counters
                .optimizer_steps
                .is_multiple_of(self.config.checkpoint_steps)
            {
                self.checkpoint()?;
            }
            if progress.step(&report).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// One optimizer step.
    fn step(&mut self, items: &[usize]) -> Result<StepReport, TrainError> {
        let counters = &self.state.counters;
        let (epoch, step, seed) = (counters.epoch, counters.step + 1, self.config.seed);
        let total = self.config.epochs * self.steps_per_epoch();
        let batch = Batch {
            data: self.data,
            items,
            pixel_noise: DequantizationNoise::Training {
                seed,
                epoch,
                sensor: self.config.sensor.as_ref(),
            },
            weight: 1.0,
        };
        let place = (seed, [epoch, counters.step], self.config.batch);
        let (workers, weights) = (&mut self.workers, &self.weights);
        let negative = self.negative.as_ref();
        let too_likely = negative.map(|n| n.too_likely(workers, weights, batch, place));
        let (batch, other) = match (negative, &too_likely) {
            (Some(n), Some(items)) if !items.is_empty() => n.halves(batch, items),
            _ => (batch, None),
        };
        let (sum, gradient) = workers.gradient(weights, batch, other);
        // The loss is in nats per dim, so that clip_norm means the same for all sizes.
        let scale = 1.0 / (items.len() * self.data.dims()) as f64;
        let update = Update {
            network: self.network,
            pool: self.pool,
            config: &self.config.optimizer,
        };
        let gradient_norm = update.norm(gradient, scale);
        let finite = [(sum, "loss"), (gradient_norm, "gradient")];
        if let Some((_, what)) = finite.into_iter().find(|(v, _)| !v.is_finite()) {
            let epoch = epoch + 1;
            return Err(TrainError::NotFinite { epoch, step, what });
        }
        let rate = update
            .config
            .learning_rate_at(counters.optimizer_steps, total);
        let (optimizer, weights) = (&mut self.state.optimizer, &mut self.weights);
        update.apply(gradient, (scale, gradient_norm), rate, optimizer, weights);
        let counters = &mut self.state.counters;
        let so_far = f64::from_bits(counters.log_prob_f64_bits) + sum;
        counters.log_prob_f64_bits = so_far.to_bits();
        counters.step = step;
        counters.optimizer_steps += 1;
        self.items_done += items.len() as u64;
        Ok(self.report(sum / items.len() as f64, gradient_norm))
    }

    fn report(&self, log_prob_nats: f64, gradient_norm: f64) -> StepReport {
        let counters = &self.state.counters;
        let items_per_second = self.items_done as f64 / self.started.elapsed().as_secs_f64();
        let per_epoch = self.items_per_epoch() as u64;
        let left = (self.config.epochs - counters.epoch) * per_epoch
            - (counters.step * self.config.batch as u64).min(per_epoch);
        StepReport {
            epoch: counters.epoch + 1,
            epochs: self.config.epochs,
            step: counters.step,
            steps: self.steps_per_epoch(),
            loss_nats: -log_prob_nats,
            bits_per_dim: bits_per_dim(log_prob_nats, self.data.dims()),
            gradient_norm,
            items_per_second,
            seconds_left: left as f64 / items_per_second,
        }
    }

    fn checkpoint(&mut self) -> Result<(), TrainError> {
        // The weights lie with what passes read; the state has them for the file only.
        std::mem::swap(&mut self.state.parameters, &mut self.weights.numbers);
        let path = self.directory.join(CHECKPOINT_FILE);
        let saved = self.state.save(self.network, &path);
        std::mem::swap(&mut self.state.parameters, &mut self.weights.numbers);
        saved
    }

    /// Validates, keeps the best weights, writes the log and the checkpoint.
    fn close_epoch(&mut self, started: Instant) -> Result<EpochRecord, TrainError> {
        let trained = started.elapsed().as_secs_f64();
        let dims = self.data.dims();
        let validation = self.validate()?;
        let count = self.items_per_epoch();
        let counters = &mut self.state.counters;
        let sum = f64::from_bits(counters.log_prob_f64_bits);
        // Negative training costs likelihood: what is likeliest is what has learned least of it.
        let last_counts = self.negative.is_some();
        let best = last_counts
            || counters
                .best_f64_bits
                .is_none_or(|b| validation < f64::from_bits(b));
        if best {
            self.keep(validation)?;
        }
        let counters = &mut self.state.counters;
        counters.epoch += 1;
        counters.step = 0;
        counters.log_prob_f64_bits = 0f64.to_bits();
        let all = started.elapsed().as_secs_f64();
        let record = EpochRecord {
            epoch: counters.epoch,
            steps: counters.optimizer_steps,
            train_bits_per_dim: bits_per_dim(sum / count as f64, dims),
            validation_bits_per_dim: validation,
            best,
            items_per_second: count as f64 / trained,
            other_share: (all - trained) / all,
        };
        counters.records.push(record);
        directory::write_log(self.directory, &counters.records)?;
        self.checkpoint()?;
        Ok(record)
    }

    /// Bits per dim of the averaged weights; of the training items if none validate.
    fn validate(&self) -> Result<f64, TrainError> {
        let weights = Weights {
            numbers: self.state.optimizer.ema.clone(),
            backward: Vec::new(),
        };
        let items = match self.split.validate.is_empty() {
            true => &self.split.train,
            false => &self.split.validate,
        };
        let log_prob = self.workers.log_prob(
            &weights,
            Batch {
                data: self.data,
                items,
                pixel_noise: DequantizationNoise::Evaluation(self.config.validation_noise()),
                weight: 1.0,
            },
        );
        let mean = log_prob.iter().sum::<f64>() / items.len() as f64;
        let counters = &self.state.counters;
        match mean.is_finite() {
            true => Ok(bits_per_dim(mean, self.data.dims())),
            false => Err(TrainError::NotFinite {
                epoch: counters.epoch + 1,
                step: counters.step,
                what: "validation loss",
            }),
        }
    }
}
