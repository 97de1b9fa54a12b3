//! Converted checkpoints give the likelihoods that the reference code computed for them.
//!
//! `tests/data/flows_ood/README.md` says where the checkpoints come from. Their log_prob has an extra
//! D ln(255/256), and their log_det leaves the - D ln 256 of the scale out.

mod convert_support;

use convert_support::{fixture, hint, npz, read};
use flow_infer::spec::InputSpec;
use flow_reference::{dequantize, evaluate};
use flow_tests::tolerance::{CONVERTED, CONVERTED_FROM_F32, Tolerance, Worst};
use flow_train_host::convert::flows_ood::{convert, convert_file, flatten_order};
use flow_train_host::model::Model;

/// A checkpoint: file, arrays, class and image as a user would give them where tensors do not tell.
struct Case {
    checkpoint: &'static str,
    arrays: &'static str,
    class: &'static str,
    image: &'static str,
}

const fn case(
    checkpoint: &'static str,
    arrays: &'static str,
    class: &'static str,
    image: &'static str,
) -> Case {
    Case {
        checkpoint,
        arrays,
        class,
        image,
    }
}

/// What the reference code says about one input, in our convention.
struct Wanted {
    z: Vec<f64>,
    log_det: f64,
    log_prob_nats: f64,
}

fn check(case: &Case, inputs: &[usize], tolerance: Tolerance) {
    let Case {
        checkpoint,
        arrays,
        class,
        image,
    } = *case;
    let (model, report) = convert_file(&fixture(checkpoint), &hint(class, image))
        .unwrap_or_else(|error| panic!("{checkpoint}: {error}"));
    println!("{checkpoint}: {report}");
    let arrays = read(arrays);
    let order = flatten_order(model.spec());
    let mut worst = Worst::of(tolerance);
    for &i in inputs {
        let found = evaluate(&model, &input(&model, &arrays, i));
        let wanted = wanted(&model, &arrays, i);
        let z: Vec<f64> = order.iter().map(|&at| found.z[at]).collect();
        let at = |what| format!("{checkpoint}, input {i}: {what}");
        worst.check(at("z"), 1.0 + distance(&z, &wanted.z), 1.0);
        worst.check(at("log_det"), found.log_det, wanted.log_det);
        worst.check(at("log_prob"), found.log_prob_nats, wanted.log_prob_nats);
    }
}

/// |found - wanted| / |wanted| of whole latents: a coordinate near zero may well be rounding of large ones.
fn distance(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let squares = |pairs: &mut dyn Iterator<Item = f64>| pairs.map(|d| d * d).sum::<f64>();
    let apart = squares(&mut found.iter().zip(wanted).map(|(f, w)| f - w));
    (apart / squares(&mut wanted.iter().copied())).sqrt()
}

fn input(model: &Model, arrays: &[u8], i: usize) -> Vec<f64> {
    if matches!(model.spec().input, InputSpec::Vector { .. }) {
        return npz::array(arrays, "inputs").unwrap().row(i).to_vec();
    }
    let images = npz::array(arrays, "images").unwrap();
    let bytes: Vec<u8> = images.row(i).iter().map(|&byte| byte as u8).collect();
    dequantize(&bytes, npz::array(arrays, "noise").unwrap().row(i))
}

fn wanted(model: &Model, arrays: &[u8], i: usize) -> Wanted {
    let array = |name| npz::array(arrays, name);
    let dims = model.spec().input.shape().len() as f64;
    let (slip, scale) = match model.spec().input {
        InputSpec::Image { .. } => (dims * (255.0f64 / 256.0).ln(), dims * 256f64.ln()),
        InputSpec::Vector { .. } | InputSpec::Whitened { .. } => (0.0, 0.0),
    };
    let log_prob = array("log_prob")
        .or_else(|| array("log_prob_nats"))
        .unwrap();
    Wanted {
        z: array("z").unwrap().row(i).to_vec(),
        log_det: array("log_det").unwrap().values[i] - slip - scale,
        log_prob_nats: log_prob.values[i] - slip,
    }
}

/// Trained by the reference code on FashionMNIST, outputs in f32: two clothes and two digits.
const TRAINED: [usize; 4] = [0, 1, 12, 13];

#[test]
fn trained_real_nvp() {
    let case = case("realnvp.pt", "realnvp.npz", "", "");
    check(&case, &TRAINED, CONVERTED_FROM_F32);
}

#[test]
fn trained_glow_of_the_legacy_format() {
    let case = case("glow.legacy.pt", "glow.npz", "Glow", "1x28x28");
    check(&case, &TRAINED, CONVERTED_FROM_F32);
}

#[test]
fn trained_cycle_masks() {
    let case = case(
        "realnvp_cycle.pt",
        "realnvp_cycle.npz",
        "RealNVPCycleMask",
        "1x28x28",
    );
    check(&case, &TRAINED, CONVERTED_FROM_F32);
}

#[test]
fn trained_tabular_flow() {
    let all: Vec<usize> = (0..16).collect();
    let case = case("tabular_9d.pt", "tabular_9d.npz", "", "");
    check(&case, &all, CONVERTED_FROM_F32);
}

#[test]
fn both_formats_give_the_same_model() {
    let hint = hint("RealNVPCycleMask", "");
    let models = ["realnvp_cycle.pt", "realnvp_cycle.legacy.pt"]
        .map(|name| convert(&read(name), &hint).unwrap().0);
    assert!(models[0] == models[1]);
}

#[test]
fn every_variant_with_random_weights() {
    let cases = [
        case("rgb_3_scales.pt", "rgb_3_scales.npz", "", "3x8x8"),
        case("one_scale_bare.pt", "one_scale_bare.npz", "", "1x6x4"),
        case("resnet_ae.pt", "resnet_ae.npz", "", ""),
        case(
            "resnet_ae_one_block.pt",
            "resnet_ae_one_block.npz",
            "",
            "1x6x6",
        ),
        case("autoencoder.pt", "autoencoder.npz", "", ""),
        case(
            "convnet_8_layers.pt",
            "convnet_8_layers.npz",
            "RealNVP8Layers",
            "1x5x7",
        ),
        case(
            "small_rgb_bf16.pt",
            "small_rgb_bf16.npz",
            "RealNVPSmall",
            "3x6x6",
        ),
        case(
            "horizontal.pt",
            "horizontal.npz",
            "RealNVPMaskHorizontal",
            "1x7x5",
        ),
        case("horizontal_3.pt", "horizontal_3.npz", "", "1x6x6"),
        case("cycle_rgb.pt", "cycle_rgb.npz", "RealNVPCycleMask", "3x7x5"),
        case("glow_rgb.pt", "glow_rgb.npz", "", "3x8x8"),
        case("glow_one_level.pt", "glow_one_level.npz", "", "1x8x12"),
        case(
            "tabular_f64_views.pt",
            "tabular_f64_views.npz",
            "RealNVPTabular",
            "",
        ),
        case("tabular_f16.pt", "tabular_f16.npz", "", ""),
    ];
    for case in &cases {
        check(case, &[0, 1, 2, 3], CONVERTED);
    }
}
