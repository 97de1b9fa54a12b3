//! Evaluation error: the integer engine against the reference on the same quantized model.

use flow_infer::artifact::Artifact;
use flow_infer::engine::{Fixed, Noise};
use flow_infer::plan::Dequantization;
use flow_infer::spec::InputSpec;
use flow_infer::spec::units::bits_per_dim;
use flow_reference::evaluate_plan;
use flow_tests::fixtures::{checkpoint, sample_images};
use flow_tests::implementations::{engine, random_dataset};
use flow_tests::models::{self, NamedModel};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{
    EVALUATION_ERROR, EVALUATION_ERROR_DEVICE, EVALUATION_ERROR_FOREIGN, EVALUATION_ERROR_TRAINED,
    EVALUATION_ERROR_WORST, Tolerance, Worst,
};
use flow_train_host::data::Dataset;
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::export::{self, Source};
use std::path::Path;

/// Inputs that scale the activations of a small model; as many others are evaluated.
const INPUTS: usize = 48;
/// Images that scale the activations of a trained model.
const CALIBRATION: usize = 64;
/// Images of each kind that are evaluated on a trained model.
const IMAGES: usize = 6;
/// The images that no model was trained on.
const FOREIGN: &str = "mnist";
/// Share of evaluations that a claim speaks of.
const CLAIMED: f64 = 0.999;
/// The same for random models of several couplings.
const USUAL: f64 = 0.99;

/// The claim: models trained on FashionMNIST, by the paper's own code, on FashionMNIST and MNIST.
#[test]
fn evaluation_error_on_trained_models() {
    let [inside, outside] = ["fashion-mnist", "mnist"].map(sample_images);
    let checkpoints = [
        ("realnvp.pt", ""),
        ("glow.legacy.pt", ""),
        ("realnvp_cycle.pt", "RealNVPCycleMask"),
    ];
    let mut errors = Vec::new();
    for (name, class) in checkpoints {
        let model = checkpoint(name, class);
        let file = quantized(name, &model, &inside.take(0..CALIBRATION));
        errors.extend(differences(
            name,
            &file,
            &inside.take(CALIBRATION..CALIBRATION + IMAGES),
        ));
        errors.extend(differences(name, &file, &outside.take(0..IMAGES)));
    }
    check("trained models", errors, CLAIMED, EVALUATION_ERROR_TRAINED);
}

/// The claim on the committed models, whose images are read with drawn noise; IMAGES=500 looks at all of them.
#[test]
fn evaluation_error_on_the_committed_models() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/models");
    let count = std::env::var("IMAGES").map_or(IMAGES, |n| n.parse().expect("a number"));
    for name in ["fashion-tiny", "fashion-bottleneck"] {
        let file = std::fs::read(folder.join(name).with_extension("flow"));
        let file = file.expect("a committed file");
        for set in ["fashion-mnist", FOREIGN] {
            let errors = differences(set, &file, &sample_images(set).take(0..count));
            let row = match set {
                FOREIGN => EVALUATION_ERROR_FOREIGN,
                _ => EVALUATION_ERROR_DEVICE,
            };
            check(&format!("{name}, {set}"), errors, CLAIMED, row);
        }
    }
}

#[test]
fn evaluation_error_on_small_models() {
    let errors = models::small_models()
        .into_iter()
        .flat_map(|m| of_random(&m, INPUTS, Dequantization::Midpoint));
    check("small models", errors.collect(), USUAL, EVALUATION_ERROR);
}

#[test]
fn evaluation_error_with_drawn_noise() {
    let drawn = Dequantization::Drawn { draws: 3, seed: 7 };
    let errors = models::small_models()
        .into_iter()
        .filter(|m| matches!(m.model.spec().input, InputSpec::Image { .. }))
        .flat_map(|m| of_random(&m, INPUTS / 4, drawn));
    check("drawn noise", errors.collect(), USUAL, EVALUATION_ERROR);
}

#[test]
fn evaluation_error_on_single_couplings() {
    let errors = models::single_couplings()
        .into_iter()
        .flat_map(|m| of_random(&m, INPUTS / 8, Dequantization::Midpoint));
    check(
        "single couplings",
        errors.collect(),
        CLAIMED,
        EVALUATION_ERROR,
    );
}

fn of_random(
    NamedModel { name, model }: &NamedModel,
    count: usize,
    dequantization: Dequantization,
) -> Vec<f64> {
    let mut random = SplitMix64::named(&format!("{name}: evaluation error"));
    println!("{name}: seed {:#x}", random.seed());
    let calibration = random_dataset(model, INPUTS, &mut random);
    let source = Source {
        model,
        dequantization,
    };
    let file = quantized(name, source, &calibration);
    differences(name, &file, &random_dataset(model, count, &mut random))
}

fn quantized<'m>(name: &str, source: impl Into<Source<'m>>, calibration: &Dataset) -> Vec<u8> {
    let file = export::quantized(source, calibration, &|| ()).and_then(|file| file.to_bytes());
    file.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// |bits per dim of the engine - bits per dim of the reference| of every input; where those are more than 8, as no
/// benign image's are, for each 8 of them.
fn differences(name: &str, file: &[u8], data: &Dataset) -> Vec<f64> {
    let artifact = Artifact::load(file).expect("an exported file loads");
    let mut scratch = HeapScratch::<Fixed>::new(&artifact);
    let errors = (0..data.len()).map(|i| {
        let input = data.input_bytes(i);
        let wanted = evaluate_plan(&artifact, &input);
        let found = engine(&artifact, &mut scratch, &input, Noise::Planned);
        // Foreign images may leave the range of latents: the gate rejects them, whatever their density.
        assert!(!found.saturated || name == FOREIGN, "{name}, input {i}");
        let bits = |nats| bits_per_dim(nats, artifact.dims());
        let error = bits(found.log_prob_nats - wanted.log_prob_nats).abs();
        let size = (bits(wanted.log_prob_nats).abs() / 8.0).max(1.0);
        (!found.saturated).then_some(error / size)
    });
    let errors: Vec<f64> = errors.flatten().collect();
    let worst = errors.iter().copied().fold(0.0, f64::max);
    println!("{name}: worst {worst:.1e} bits per dim");
    errors
}

fn check(what: &str, mut errors: Vec<f64>, share: f64, tolerance: Tolerance) {
    errors.sort_by(f64::total_cmp);
    let at = |share: f64| errors[((errors.len() - 1) as f64 * share).ceil() as usize];
    for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
        println!(
            "{what}: {:5.1} % within {:.2e} bits per dim",
            100.0 * share,
            at(share)
        );
    }
    Worst::of(tolerance).check(what, at(share), 0.0);
    if tolerance.bound < EVALUATION_ERROR_WORST.bound {
        Worst::of(EVALUATION_ERROR_WORST).check(what, at(1.0), 0.0);
    }
}
