//! The cases of `tests/data/faults` about checkpoints: what PyTorch gives for each, and what must be told for it.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{Place, texts};

/// What the bare state dict of the cases of nflows gives.
const BARE: [f64; 4] = [-6.6334, -6.9232, -5.2839, -4.8954];

fn case(name: &str) -> Place {
    let place = Place::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faults");
    for entry in std::fs::read_dir(data.join(name)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, place.path().join(path.file_name().unwrap())).unwrap();
    }
    place
}

/// Converts and scores; gives the report.
fn gives(name: &str, line: &str, wanted: &[f64]) -> String {
    let place = case(name);
    let line = format!("convert {line} --out m.safetensors");
    let output = place.flowgate(line.split_whitespace());
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{name}: {out}{err}");
    let scores = place.ok("score m.safetensors --data x.npy --json");
    let found: Vec<f64> = scores
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["log_prob_nats"]
                .as_f64()
                .unwrap()
        })
        .collect();
    assert_eq!(found.len(), wanted.len(), "{name}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(
            (found - wanted).abs() < 6e-5,
            "{name}: {found}, not {wanted}"
        );
    }
    out + &err
}

#[test]
fn containers_give_what_the_bare_state_dict_does() {
    gives("ckpt-compiled", "--from nflows flow.pt", &BARE);
    let report = gives("ckpt-model-state-dict", "--from nflows flow.pt", &BARE);
    assert!(report.contains("under \"model_state_dict\""), "{report}");
    let report = gives("ckpt-numpy-scalar", "--from nflows flow.pt", &BARE);
    assert!(report.contains("numpy._core.multiarray.scalar"), "{report}");
    gives(
        "nflows-safetensors",
        "--from nflows flow.safetensors",
        &BARE,
    );
    let tabular = [-6.1780, -6.1080, -5.6683, -5.0151];
    gives("ckpt-new-weight-norm", "--from flows-ood net.pt", &tabular);
}

#[test]
fn what_no_tensor_tells_is_said_and_can_be_told() {
    let line = "--from nflows flow.pt";
    let report = gives("nflows-general-scale", line, &BARE);
    let assumed =
        "assumed: scale_activation = default, no tensor tells it; --assume scale_activation=";
    assert!(report.contains(assumed), "{report}");
    let general = [-7.3720, -8.1668, -6.0642, -6.0699];
    let told = format!("{line} --assume scale_activation=general");
    gives("nflows-general-scale", &told, &general);
    let report = gives("nflows-last-layer-without-tensors", line, &BARE);
    assert!(report.contains("assumed: transforms = 2"), "{report}");
    let glow = [-267.9623, -266.4278, -269.3884, -276.8353];
    let report = gives(
        "normflows-glow-default",
        "--from normflows glow.pt --image 3x4x4",
        &glow,
    );
    assert!(report.contains("assumed: scale_map = sigmoid"), "{report}");
    let swap = [-11.7380, -5.2066, -6.7127, -7.0335];
    gives(
        "normflows-swap",
        "--from normflows flow.pt --assume flows=4",
        &swap,
    );
}

#[test]
fn what_cannot_be_read_says_what_to_tell() {
    let place = case("normflows-swap");
    place.refused(
        "convert --from normflows flow.pt --out m.safetensors",
        &["--assume flows=3, or flows=4"],
    );
    let place = case("nflows-last-layer-without-tensors");
    let line = "convert --from nflows flow.pt --out m.safetensors --assume transforms=3";
    place.refused(line, &["--assume tensorless="]);
    let log_tanh = format!("{line} --assume tensorless=log_tanh");
    place.refused(
        &log_tanh,
        &["tensorless = log_tanh: flowgate has no such layer"],
    );
    assert!(!place.path().join("m.safetensors").exists());
}

#[test]
fn assumptions_stay_with_the_model() {
    let place = case("nflows-general-scale");
    place.ok("convert --from nflows flow.pt --assume scale_activation=general --out m.safetensors");
    place.ok("export m.safetensors --format f32 --calibrate x.npy --out m.flow");
    let inspected = place.ok("inspect m.flow");
    assert!(
        inspected.contains("converted from a checkpoint of nflows"),
        "{inspected}"
    );
    assert!(
        inspected.contains("told: scale_activation = general"),
        "{inspected}"
    );
    assert!(
        inspected.contains("assumed: activation = relu"),
        "{inspected}"
    );
}
