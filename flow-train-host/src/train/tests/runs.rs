//! Whole runs: they learn, repeat themselves bit for bit, resume exactly, and refuse bad input.

use super::conditioners::{flow, pair};
use super::*;
use crate::export::ExportError;
use crate::model::Model;
use std::path::Path;

pub(super) fn config(spec: FlowSpec) -> TrainConfig {
    let mut config = TrainConfig::new(spec);
    config.epochs = 3;
    config.batch = 10;
    config.micro_batches = 4;
    config.checkpoint_steps = 3;
    config.optimizer.warmup_steps = 5;
    config
}

pub(super) fn quick(
    directory: &Path,
    data: &Dataset,
    config: &TrainConfig,
    threads: usize,
) -> Summary {
    let options = Options {
        threads,
        resume: false,
    };
    run(config, data, directory, options, &mut ()).unwrap()
}

fn files(directory: &Path) -> [Vec<u8>; 2] {
    ["model.safetensors", "checkpoint.safetensors"]
        .map(|f| std::fs::read(directory.join(f)).unwrap())
}

/// The state without what a clock measured.
fn weights_of(directory: &Path, network: &Network) -> checkpoint::State {
    let path = directory.join("checkpoint.safetensors");
    let mut state = checkpoint::State::load(network, &path).unwrap();
    for record in &mut state.counters.records {
        record.items_per_second = 0.0;
        record.other_share = 0.0;
    }
    state
}

/// Breaks after some steps.
struct StopAfter(u64);

impl Progress for StopAfter {
    fn step(&mut self, _: &StepReport) -> ControlFlow<()> {
        self.0 -= 1;
        match self.0 {
            0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    for (data, config) in [
        (images(37, 8), config(image_flow())),
        (images(37, 8), through_a_sensor()),
        (vectors(37, 9), config(vector_flow(9))),
        (vectors(37, 9), smoothed(9)),
    ] {
        let network = Network::new(&config.spec, 3, Cpu::best()).unwrap();
        let [one, two] = [1, 2].map(|threads| {
            let directory = tempfile::tempdir().unwrap();
            quick(directory.path(), &data, &config, threads);
            (
                files(directory.path())[0].clone(),
                weights_of(directory.path(), &network),
            )
        });
        assert!(one == two);
    }
}

fn smoothed(dims: u16) -> TrainConfig {
    let mut config = config(vector_flow(dims)).for_few_vectors();
    config.smoothing = config.smoothing.map(|of| Smoothing { noise: 0.3, ..of });
    config
}

fn through_a_sensor() -> TrainConfig {
    let mut config = config(image_flow());
    config.sensor = Some(Sensor::default());
    config
}

#[test]
fn a_sensor_changes_what_is_learned() {
    let [with, without] = [through_a_sensor(), config(image_flow())].map(|config| {
        let directory = tempfile::tempdir().unwrap();
        quick(directory.path(), &images(37, 8), &config, 2);
        files(directory.path())[0].clone()
    });
    assert_ne!(with, without);
}

#[test]
fn a_resumed_run_has_the_bits_of_an_uninterrupted_one() {
    check_resumed(&config(image_flow()));
}

#[test]
fn a_run_through_a_sensor_resumes_to_the_same_bits() {
    check_resumed(&through_a_sensor());
}

fn check_resumed(config: &TrainConfig) {
    let data = images(37, 8);
    let network = Network::new(&config.spec, 3, Cpu::best()).unwrap();
    let whole = tempfile::tempdir().unwrap();
    quick(whole.path(), &data, config, 2);
    let wanted = (
        files(whole.path())[0].clone(),
        weights_of(whole.path(), &network),
    );
    // Within the first epoch, at an epoch's end, in the last epoch.
    for stop in [2, 4, 10] {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            threads: 1,
            resume: false,
        };
        let mut stopper = StopAfter(stop);
        let first = run(config, &data, directory.path(), options, &mut stopper).unwrap();
        assert!(!first.finished);
        let options = Options {
            threads: 2,
            resume: true,
        };
        let second = run(config, &data, directory.path(), options, &mut ()).unwrap();
        assert!(second.finished && second.records.len() == 3);
        let found = (
            files(directory.path())[0].clone(),
            weights_of(directory.path(), &network),
        );
        assert!(found == wanted, "stopped after {stop} steps");
    }
}

#[test]
fn a_flow_learns_ramps() {
    let input = image_flow().input;
    let mut config = config(crate::presets::realnvp(input, [resnet(8, 1, false); 2]));
    config.epochs = 40;
    config.batch = 16;
    config.optimizer.learning_rate = 4e-3;
    config.optimizer.ema_decay = 0.98;
    let directory = tempfile::tempdir().unwrap();
    let data = images(200, 8);
    let summary = quick(directory.path(), &data, &config, 2);
    let first = summary.records[0].validation_bits_per_dim;
    let best = summary.best_bits_per_dim.unwrap();
    // Eight grey levels of noise alone cost 3 bits, 0.2 more as a normal distribution, and the
    // ramps themselves.
    assert!(first > 5.0 && best < 4.2, "{first} then {best}");
    let model = Model::load(directory.path()).unwrap();
    let all = log_prob(&model, &data, config.validation_noise(), 2).unwrap();
    let held = &all[183..];
    let mean = held.iter().sum::<f64>() / held.len() as f64;
    let again = flow_infer::spec::units::bits_per_dim(mean, 64);
    assert!(
        (again - best).abs() < 1e-9,
        "the saved model has the bits per dim of the log"
    );
}

#[test]
fn a_flow_learns_vectors() {
    let mut config = config(vector_flow(9));
    config.epochs = 60;
    config.batch = 64;
    config.optimizer.learning_rate = 5e-3;
    let directory = tempfile::tempdir().unwrap();
    let summary = quick(directory.path(), &vectors(600, 9), &config, 2);
    let first = summary.records[0].validation_bits_per_dim;
    let best = summary.best_bits_per_dim.unwrap();
    // A chi-square with little noise around it: far from the diagonal normal it starts as.
    assert!(best < first - 1.0, "{first} then {best}");
}

#[test]
fn given_noise_is_used_and_its_length_checked() {
    let directory = tempfile::tempdir().unwrap();
    let data = images(37, 8);
    quick(directory.path(), &data, &config(image_flow()), 1);
    let model = Model::load(directory.path()).unwrap();
    let of = |d| log_prob(&model, &data, d, 2).unwrap();
    let half = vec![0.5; 37 * 64];
    assert_eq!(
        of(Dequantization::Midpoint),
        of(Dequantization::Given(&half))
    );
    let drawn = |draw| of(Dequantization::Drawn { seed: 1, draw });
    assert_eq!(drawn(0), drawn(0));
    assert_ne!(drawn(0), drawn(1));
    let short = log_prob(&model, &data, Dequantization::Given(&half[1..]), 2);
    assert!(matches!(short, Err(TrainError::Data(..))));
}

#[test]
fn bad_input_is_a_typed_error_and_leaves_the_run_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (data, config) = (images(37, 8), config(image_flow()));
    let start = |config: &TrainConfig, data: &Dataset, resume: bool| {
        run(config, data, path, Options { threads: 1, resume }, &mut ())
    };
    let resumed_nothing = start(&config, &data, true);
    assert!(matches!(
        resumed_nothing,
        Err(TrainError::NothingToResume(_))
    ));
    assert!(matches!(
        start(&config, &images(37, 6), false),
        Err(TrainError::Data(..))
    ));
    assert!(matches!(
        start(&config, &vectors(37, 64), false),
        Err(TrainError::Data(..))
    ));
    assert!(matches!(
        start(&config, &images(1, 8), false),
        Err(TrainError::TooFew(1))
    ));
    // Of 130 blocks the last layers have no number that a plan could hold.
    for blocks in [16, 130] {
        let mut deep = config.clone();
        deep.spec = flow(Shape::new(1, 8, 8), pair(resnet(3, blocks, false)));
        assert!(matches!(
            start(&deep, &data, false),
            Err(TrainError::Export(ExportError::TooLarge(_)))
        ));
    }
    let mut wrong = config.clone();
    wrong.optimizer.learning_rate = f32::NAN;
    assert!(matches!(
        start(&wrong, &data, false),
        Err(TrainError::Config(_))
    ));
    let mut wrong = config.clone();
    wrong.sensor = Some(Sensor {
        noise: f32::NAN,
        ..Sensor::default()
    });
    assert!(matches!(
        start(&wrong, &data, false),
        Err(TrainError::Config(_))
    ));
    assert_eq!(
        std::fs::read_dir(path).unwrap().count(),
        0,
        "nothing was written"
    );

    start(&config, &data, false).unwrap();
    let before = files(path);
    assert!(matches!(
        start(&config, &data, false),
        Err(TrainError::Exists(_))
    ));
    let mut other = config.clone();
    other.seed = 1;
    assert!(matches!(
        start(&other, &data, true),
        Err(TrainError::Changed(_, "config"))
    ));
    assert!(matches!(
        start(&config, &images(38, 8), true),
        Err(TrainError::Changed(_, "data set"))
    ));
    assert!(before == files(path));

    let checkpoint = path.join("checkpoint.safetensors");
    let whole = std::fs::read(&checkpoint).unwrap();
    for len in [0, 7, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&checkpoint, &whole[..len]).unwrap();
        assert!(
            matches!(start(&config, &data, true), Err(TrainError::File(..))),
            "{len} bytes"
        );
    }
}

#[test]
fn a_diverging_run_names_epoch_and_step() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(image_flow());
    config.optimizer.learning_rate = 1e30;
    let options = Options {
        threads: 2,
        resume: false,
    };
    let error = run(&config, &images(37, 8), directory.path(), options, &mut ()).unwrap_err();
    let TrainError::NotFinite { epoch: 1, step, .. } = error else {
        panic!("{error}")
    };
    assert!(step > 1 && error.to_string().contains("epoch 1, step"));
}

/// Means and deviations of single values are those of the data: the test of marginals relies on them.
#[test]
fn what_standardizes_the_input_is_not_trained() {
    let shape = flow_infer::spec::Shape::new(1, 8, 8);
    let config = config(crate::families::Family::Dense.config(shape, 4).spec);
    let data = images(37, 8);
    let first = initial_model(&config, &data).unwrap();
    let directory = tempfile::tempdir().unwrap();
    quick(directory.path(), &data, &config, 2);
    let trained = Model::load(&directory.path().join("model.safetensors")).unwrap();
    let (before, after) = (first.tensors(), trained.tensors());
    // Three squeezes come before it.
    for (name, tensor) in before {
        let is_first = name.starts_with("levels.0.steps.3.");
        assert_eq!(after[name] == *tensor, is_first, "{name}");
    }
}
