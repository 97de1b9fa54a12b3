//! `flowgate train --torch`: what lies in the directory. PyTorch itself is not needed, and not run.

mod support;

use flow_train_host::data;
use flow_train_host::model::Model;
use flow_train_host::train::TrainConfig;
use serde_json::Value;
use support::{Place, SIDE, image_spec};

const FILES: [&str; 7] = [
    ".lock",
    "config.json",
    "data.npy",
    "flow_torch.py",
    "model.safetensors",
    "provenance.json",
    "train.py",
];

fn place() -> Place {
    let place = Place::new();
    place.images("train.idx3", 120, SIDE, 1, false);
    place.table("own.csv", 120, 3, 2);
    let config = TrainConfig::new(image_spec());
    place.write("config.json", serde_json::to_string(&config).unwrap());
    place
}

#[test]
fn all_that_pytorch_needs_is_in_one_directory() {
    let place = place();
    let line = "train --torch --config config.json --data train.idx3 --out run --epochs 3 --seed 5";
    let out = place.ok(line);
    for said in [
        "torchrun --nproc-per-node auto run/train.py",
        "run/trained.safetensors",
    ] {
        assert!(out.contains(said), "{out}");
    }
    let files = std::fs::read_dir(place.file("run")).unwrap();
    let mut files: Vec<_> = files.map(|f| f.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, FILES);
    let config: TrainConfig = serde_json::from_slice(&place.read("run/config.json")).unwrap();
    assert_eq!((config.epochs, config.seed), (3, 5));
    assert_eq!(
        Model::load(&place.file("run")).unwrap().spec(),
        &image_spec()
    );
    let copy = data::load(&place.file("run/data.npy")).unwrap();
    assert_eq!(copy, data::load(&place.file("train.idx3")).unwrap());
    let provenance: Value = serde_json::from_slice(&place.read("run/provenance.json")).unwrap();
    let history = provenance["history"][0].as_str().unwrap();
    assert!(history.contains("first weights"), "{history}");
}

#[test]
fn tables_come_along_as_an_array() {
    let place = place();
    place.ok("train --torch --preset vector-small --data own.csv --out run");
    let copy = data::load(&place.file("run/data.npy")).unwrap();
    assert_eq!(copy, data::load(&place.file("own.csv")).unwrap());
}

#[test]
fn the_trained_model_goes_before_the_first_one() {
    let place = place();
    place.ok("train --torch --config config.json --data train.idx3 --out run");
    place.ok("train --torch --config config.json --data train.idx3 --out other --seed 9");
    let other = place.read("other/model.safetensors");
    place.write("run/trained.safetensors", other);
    let model = |path: &str| Model::load(&place.file(path)).unwrap();
    assert_eq!(model("run"), model("other"));
    assert_ne!(model("run"), model("run/model.safetensors"));
    let scores = |path: &str| place.ok(&format!("score {path} --data train.idx3 --json"));
    assert_eq!(scores("run"), scores("other"));
    for model in ["run", "run/trained.safetensors"] {
        let line = format!("export {model} --format f32 --calibrate train.idx3 --out own.flow");
        place.ok(&line);
        let told = place.ok("inspect own.flow --json");
        assert!(told.contains("for PyTorch to train"), "{told}");
    }
}

#[test]
fn a_directory_with_a_run_is_refused() {
    let place = place();
    let torch = "train --torch --config config.json --data train.idx3 --out run";
    place.ok(torch);
    place.refused(torch, &["run", "there is a run already"]);
    let here = "train --config config.json --data train.idx3 --out run";
    place.refused(here, &["run", "there is a run already"]);
    let small = "train --torch --config config.json --data own.csv --out new";
    place.refused(small, &["own.csv", "vectors of 3 values"]);
}

#[test]
fn what_only_a_run_here_can_do_is_refused() {
    let place = place();
    let line = "train --torch --config config.json --data train.idx3 --out run";
    let negative = "--negative train.idx3 --negative-threshold 0";
    for other in ["--resume", "--threads 2", negative] {
        place.refused(&format!("{line} {other}"), &["--torch"]);
    }
    let mut config = TrainConfig::new(image_spec());
    config.negative_threshold_nats = Some(0.0);
    place.write("config.json", serde_json::to_string(&config).unwrap());
    place.refused(line, &["config.json", "negative_threshold_nats"]);
}
