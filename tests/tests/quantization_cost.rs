//! What quantization costs: the integer engine on the quantized model against the float engine on the model itself.
//!
//! On data of the kind that a model was made for, the mean of the cost is the growth of the Kullback-Leibler
//! divergence from the data to the flow: information lost, in bits per dim. Foreign inputs have no such meaning.

use flow_infer::artifact::Artifact;
use flow_infer::engine::{F32, Fixed, Noise};
use flow_infer::spec::units::bits_per_dim;
use flow_tests::fixtures::{checkpoint, sample_images};
use flow_tests::implementations::engine;
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{QUANTIZATION_COST, Worst};
use flow_train_host::data::{Dataset, Vectors};
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::export;
use flow_train_host::model::Model;
use flow_train_host::sample::to_data;

/// Inputs that scale the activations.
const CALIBRATION: usize = 64;
/// Inputs that are evaluated; `INPUTS=300` takes more.
const INPUTS: usize = 16;

#[test]
fn quantizing_the_trained_checkpoints_of_images_costs_little() {
    let clothes = sample_images("fashion-mnist");
    for (name, class) in [
        ("realnvp.pt", ""),
        ("glow.legacy.pt", ""),
        ("realnvp_cycle.pt", "RealNVPCycleMask"),
    ] {
        check(name, &checkpoint(name, class), &clothes);
    }
}

/// The table that it was trained on is synthetic and not committed: samples of the flow are what it holds likely.
#[test]
fn quantizing_the_trained_checkpoint_of_a_table_costs_little() {
    let model = checkpoint("tabular_9d.pt", "");
    let mut random = SplitMix64::named("samples of a table");
    println!("seed {:#x}", random.seed());
    let count = CALIBRATION + inputs();
    let dims = model.spec().input.shape().len();
    let latent = |_| (0..dims).map(|_| random.normal() as f32).collect();
    let latents: Vec<Vec<f32>> = (0..count).map(latent).collect();
    let rows = to_data(&model, &latents, &|| ()).expect("a flow has samples");
    let rows = Vectors::new(dims, rows.concat()).expect("rows of one length");
    check("tabular_9d.pt", &model, &Dataset::Vectors(rows));
}

fn inputs() -> usize {
    std::env::var("INPUTS").map_or(INPUTS, |n| n.parse().expect("a number"))
}

fn check(name: &str, model: &Model, data: &Dataset) {
    let calibration = data.take(0..CALIBRATION);
    let unseen = data.take(CALIBRATION..CALIBRATION + inputs());
    let bytes = |file: Result<export::file::FlowFile, _>| file.and_then(|file| file.to_bytes());
    let floating = bytes(export::floating(model, false)).expect("a float model");
    let quantized = bytes(export::quantized(model, &calibration, &|| ())).expect("integers");
    let before = bits::<F32>(&floating, &unseen);
    let after = bits::<Fixed>(&quantized, &unseen);
    let mut costs: Vec<f64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
    costs.sort_by(f64::total_cmp);
    let median = costs[costs.len() / 2];
    let worst = costs[costs.len() - 1];
    println!("{name}: {median:+.4} bits per dim in the median, {worst:+.4} at most");
    // A gain is no error: compensated rounding may by chance fit the inputs better than the model did.
    Worst::of(QUANTIZATION_COST).check(name, median.max(0.0), 0.0);
}

/// Bits per dim of every input.
fn bits<A: flow_infer::engine::Arithmetic>(file: &[u8], data: &Dataset) -> Vec<f64> {
    let artifact = Artifact::load(file).expect("an exported file loads");
    let mut scratch = HeapScratch::<A>::new(&artifact);
    let one = |i| {
        engine(
            &artifact,
            &mut scratch,
            &data.input_bytes(i),
            Noise::Planned,
        )
    };
    let found = (0..data.len()).map(one);
    found
        .map(|found| bits_per_dim(found.log_prob_nats, artifact.dims()))
        .collect()
}
