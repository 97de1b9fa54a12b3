//! What libraries leave to their users and no tensor tells: each option's value by the library and by us, or the
//! refusal.
//!
//! `tests/data/flow_libraries/README.md` says where the checkpoints come from. The table is that of
//! `documents/importing.md`.

mod convert_support;

use convert_support::npz;
use flow_infer::spec::Shape;
use flow_reference::{dequantize, evaluate};
use flow_tests::tolerance::{CONVERTED, Worst};
use flow_train_host::convert::{ConvertError, Hint, Report, freia, nflows, normflows, zuko};
use flow_train_host::model::Model;

fn read(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/flow_libraries");
    std::fs::read(format!("{folder}/{name}")).unwrap()
}

/// A hint of choices as the command line has them: `key=value`, separated by blanks.
fn hint(told: &str) -> Hint {
    let pairs = told
        .split_whitespace()
        .map(|pair| pair.split_once('=').unwrap());
    pairs.fold(Hint::default(), |hint, (key, value)| match key {
        "image" => hint.of_images(value.parse::<u16>().map(|c| Shape::new(c, 4, 4)).unwrap()),
        _ => hint.assuming(key, value),
    })
}

fn convert(name: &str, told: &str) -> Result<(Model, Vec<usize>, Report), ConvertError> {
    let library = name.split('_').next().unwrap();
    let convert = match library {
        "nflows" => nflows::convert,
        "normflows" => normflows::convert,
        "freia" => freia::convert,
        "zuko" => zuko::convert,
        _ => panic!("{name} is of no library"),
    };
    convert(&read(&format!("{name}.pt")), &hint(told))
}

/// Log-probabilities by the library and by us.
fn log_probs(name: &str, model: &Model) -> Vec<(f64, f64)> {
    let arrays = read(&format!("{name}.npz"));
    let array = |name| npz::array(&arrays, name);
    let theirs = array("log_prob").unwrap();
    let rows = theirs.values.iter().enumerate();
    let pairs = rows.map(|(i, &theirs)| match (array("inputs"), array("images")) {
        (Some(inputs), _) => (theirs, evaluate(model, inputs.row(i)).log_prob_nats),
        (None, images) => {
            let (images, noise) = (images.unwrap(), array("noise").unwrap());
            let bytes: Vec<u8> = images.row(i).iter().map(|&byte| byte as u8).collect();
            let found = evaluate(model, &dequantize(&bytes, noise.row(i))).log_prob_nats;
            // Theirs is a density on the scale [0, 1).
            (theirs, found + bytes.len() as f64 * 256f64.ln())
        }
    });
    pairs.collect()
}

/// Checkpoints, and what is to be told for the library's own value.
const EXPRESSED: [(&str, &str); 35] = [
    ("nflows_leaky", "activation=leaky_relu negative_slope=0.2"),
    ("nflows_general", "scale_activation=general"),
    ("nflows_exp", "scale_activation=exp"),
    ("nflows_identity", "tensorless=identity transforms=4"),
    ("nflows_linear", "lu_epsilon=0.1 batch_norm_epsilon=0.01"),
    ("normflows_inverse", "scale_map=sigmoid_inv flows=4"),
    ("normflows_channel_inv", "split_mode=channel_inv flows=4"),
    ("normflows_checkerboard", "split_mode=checkerboard flows=4"),
    (
        "normflows_checkerboard_inv",
        "split_mode=checkerboard_inv flows=4",
    ),
    ("normflows_leaky", "leaky=0.1 flows=4"),
    ("normflows_additive", "flows=4"),
    ("normflows_scales", ""),
    ("normflows_shifts", ""),
    ("normflows_tanh", "scale_output_fn=tanh"),
    ("normflows_linear", ""),
    (
        "normflows_glow_options",
        "image=2 split_mode=channel_inv leaky=0.1 logit_alpha=0.1",
    ),
    ("normflows_glow_inverse", "image=2 scale_map=sigmoid_inv"),
    ("normflows_glow_additive", "image=2"),
    ("normflows_glow_gauss", "image=2"),
    ("normflows_glow_factor", "image=2 logscale_factor=1"),
    ("freia_all_in_one", ""),
    (
        "freia_soft",
        "affine_clamping=1.5 global_affine_type=sigmoid",
    ),
    (
        "freia_householder",
        "activation=leaky_relu reverse_permutation=yes global_affine_type=exp",
    ),
    ("freia_glow", ""),
    ("freia_glow_tanh", "clamp=1.5 clamp_activation=TANH"),
    ("freia_glow_sigmoid", "clamp_activation=sigmoid"),
    ("freia_real_nvp", ""),
    ("freia_nice", ""),
    ("freia_layers", "clamp_activation=tanh"),
    ("zuko_nice", ""),
    ("zuko_leaky", "activation=leaky_relu"),
    ("zuko_slope", "slope=0.05"),
    ("zuko_additive", ""),
    ("zuko_unbiased", ""),
    ("zuko_layers", "matrix=lu"),
];

#[test]
fn every_option_gives_the_librarys_own_value() {
    let mut worst = Worst::of(CONVERTED);
    for (name, told) in EXPRESSED {
        let (model, _, report) = match convert(name, told) {
            Ok(converted) => converted,
            Err(error) => panic!("{name}: {error}"),
        };
        for (i, (theirs, ours)) in log_probs(name, &model).into_iter().enumerate() {
            if i == 0 {
                println!("| {name} | {told} | {theirs:.4} | {ours:.4} |");
            }
            worst.check(format!("{name}, input {i}"), ours, theirs);
        }
        let report = report.to_string();
        for pair in told
            .split_whitespace()
            .filter(|pair| !pair.starts_with("image"))
        {
            let (key, value) = pair.split_once('=').unwrap();
            let line = format!("told: {key} = {}", value.to_lowercase());
            assert!(report.contains(&line), "{name}: {line} in {report}");
        }
    }
}

/// Two options that make a difference are never silent: the report of the defaults names each.
#[test]
fn what_is_not_told_is_said_to_be_assumed() {
    for (name, told) in EXPRESSED {
        let required = [
            "image",
            "flows",
            "transforms",
            "tensorless",
            "matrix",
            "scale_output_fn",
        ];
        let (kept, dropped): (Vec<&str>, Vec<&str>) = told.split_whitespace().partition(|pair| {
            required
                .iter()
                .any(|key| pair.starts_with(&format!("{key}=")))
        });
        let (model, _, report) = match convert(name, &kept.join(" ")) {
            Ok(converted) => converted,
            // Shapes may contradict what is assumed, which is not silent either.
            Err(ConvertError::WrongShape { .. }) => continue,
            Err(error) => panic!("{name}: {error}"),
        };
        let report = report.to_string();
        for pair in &dropped {
            let (key, _) = pair.split_once('=').unwrap();
            // The slope of an activation is asked for with it.
            let asked = !matches!(key, "negative_slope");
            let line = format!("assumed: {key} = ");
            assert!(
                !asked || report.contains(&line),
                "{name}: {line} in {report}"
            );
        }
        if !dropped.is_empty() {
            let differs = log_probs(name, &model)
                .iter()
                .any(|(theirs, ours)| (theirs - ours).abs() > 1e-6 * theirs.abs());
            assert!(
                differs,
                "{name}: {told} makes no difference, so that it tests nothing"
            );
        }
        assert!(!model.history().is_empty(), "{name}");
        for line in model
            .history()
            .iter()
            .filter(|line| line.starts_with("assumed: "))
        {
            assert!(report.contains(line.as_str()), "{name}: {line} in {report}");
        }
    }
}

/// Checkpoints, what is told, and what the refusal says.
const REFUSED: [(&str, &str, &str); 33] = [
    ("nflows_general", "activation=tanh", "activation = tanh"),
    (
        "nflows_general",
        "scale_activation=other",
        "scale_activation = other",
    ),
    ("nflows_general", "coupling=piecewise_linear", "no splines"),
    ("nflows_exp", "activate_output=yes", "activate_output = yes"),
    (
        "nflows_identity",
        "transforms=4",
        "_transforms.1 has no tensors",
    ),
    (
        "nflows_identity",
        "transforms=4 tensorless=log_tanh",
        "tensorless = log_tanh",
    ),
    (
        "nflows_general",
        "transforms=3 tensorless=cauchy_cdf",
        "cauchy_cdf",
    ),
    ("nflows_general", "base=box_uniform", "base = box_uniform"),
    ("nflows_autoregressive", "", "masked autoregressive"),
    ("nflows_inverse", "", "InverseTransform"),
    (
        "normflows_leaky",
        "flows=4 tensorless=periodic_shift",
        "periodic_shift",
    ),
    (
        "normflows_leaky",
        "flows=4 output_fn=sigmoid",
        "output_fn = sigmoid",
    ),
    ("normflows_tanh", "", "scale_output_fn="),
    ("normflows_tanh", "scale_output_fn=clampexp", "clampexp"),
    (
        "normflows_shifts",
        "shift_output_fn=tanh",
        "shift_output_fn = tanh",
    ),
    ("normflows_scaled_output", "flows=4", "output_fn=NAME"),
    (
        "normflows_glow_factor",
        "image=2 split_mode=checkerboard",
        "checkerboard",
    ),
    (
        "normflows_glow_factor",
        "image=2 merge=channel_inv",
        "merge = channel_inv",
    ),
    (
        "normflows_glow_factor",
        "image=2 input=shift",
        "input = shift",
    ),
    (
        "normflows_glow_factor",
        "image=2 input=none",
        "input = none",
    ),
    ("normflows_planar", "", "planar"),
    ("normflows_spline", "", "splines"),
    ("freia_all_in_one", "gin_block=yes", "gin_block = yes"),
    ("freia_glow", "coupling=gin", "coupling = gin"),
    (
        "freia_glow",
        "clamp_activation=other",
        "clamp_activation = other",
    ),
    ("freia_glow", "graph=branches", "graph = branches"),
    ("freia_glow", "direction=reverse", "direction = reverse"),
    ("freia_glow", "activation=elu", "activation = elu"),
    (
        "freia_glow",
        "modules=4",
        "what a module without tensors is",
    ),
    (
        "freia_images",
        "",
        "of images: only FrEIA's flows of vectors",
    ),
    ("zuko_nice", "activation=elu", "activation = elu"),
    ("zuko_layers", "matrix=rotation", "matrix = rotation"),
    ("zuko_normalized", "", "layer norm"),
];

#[test]
fn what_cannot_be_expressed_is_refused_by_name() {
    for (name, told, telling) in REFUSED {
        let line = convert(name, told).expect_err(name).to_string();
        println!("| {name} | {told} | refused: {line} |");
        assert!(
            line.contains(telling) && !line.contains('\n'),
            "{name} {told}: {line}"
        );
    }
    let line = convert("zuko_autoregressive", "").unwrap_err().to_string();
    assert!(line.contains("zuko"), "{line}");
}

#[test]
fn unknown_keys_and_values_list_those_that_there_are() {
    let line = |name, told| convert(name, told).unwrap_err().to_string();
    let key = line("nflows_general", "scale=general");
    assert!(
        key.contains("scale is nothing that is assumed of nflows"),
        "{key}"
    );
    assert!(
        key.contains("scale_activation=default|general|exp|other"),
        "{key}"
    );
    let value = line("freia_glow", "clamp_activation=relu");
    assert!(
        value.contains("atan|tanh|sigmoid|other, not relu"),
        "{value}"
    );
    let number = line("normflows_leaky", "flows=4 leaky=much");
    assert!(number.contains("leaky is a number"), "{number}");
}

#[test]
fn libraries_are_told_apart() {
    let default = Hint::default();
    let of_zuko = freia::convert(&read("zuko_nice.pt"), &default)
        .unwrap_err()
        .to_string();
    assert!(of_zuko.contains("of FrEIA"), "{of_zuko}");
    let of_freia = zuko::convert(&read("freia_glow.pt"), &default)
        .unwrap_err()
        .to_string();
    assert!(of_freia.contains("of zuko"), "{of_freia}");
}
