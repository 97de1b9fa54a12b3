//! Whatever is wrong with the input: exit code 2, one line that names the file and the cause, nothing half-written.

mod support;

use flow_infer::artifact::{checksum, field};
use support::{Place, SIDE, image_spec, model, one_line, texts, vector_spec};

/// Models of both kinds and data for them.
fn place() -> Place {
    let place = Place::new();
    let spec = image_spec();
    model(spec, 1)
        .save(&place.file("image.safetensors"))
        .unwrap();
    model(vector_spec(3), 2)
        .save(&place.file("vector.safetensors"))
        .unwrap();
    place.images("own.idx3", 120, SIDE, 3, false);
    place.table("own.csv", 120, 3, 4);
    let export = "export image.safetensors --format q8 --calibrate own.idx3 --out image.flow";
    place.ok(export);
    place
}

#[test]
fn images_of_another_size() {
    let place = place();
    place.images("small.idx3", 5, 6, 1, false);
    let named = ["small.idx3", "images of 1x6x6", "images of 1x8x8"];
    place.refused("score image.flow --data small.idx3", &named);
    place.refused("score image.safetensors --data small.idx3 --json", &named);
    place.refused(
        "calibrate image.flow --data small.idx3 --alpha 0.1 --out a.flow",
        &named,
    );
    place.refused(
        "export image.safetensors --format q8 --calibrate small.idx3 --out a.flow",
        &named,
    );
    place.refused(
        "eval image.flow --in own.idx3 --ood a=small.idx3 --report r",
        &named,
    );
    place.refused("golden image.flow --data small.idx3 --out g", &named);
    place.write("config.json", config(2));
    place.refused(
        "train --config config.json --data small.idx3 --out run",
        &["small.idx3"],
    );
}

#[test]
fn vectors_for_an_image_model() {
    let place = place();
    let named = ["own.csv", "vectors of 3 values", "images of 1x8x8"];
    place.refused("score image.flow --data own.csv", &named);
    let named = ["own.idx3", "images of 1x8x8", "vectors of 3 values"];
    place.refused("score vector.safetensors --data own.idx3", &named);
    place.table("wide.csv", 5, 4, 1);
    place.refused(
        "score vector.safetensors --data wide.csv",
        &["wide.csv", "4 values"],
    );
}

#[test]
fn numbers_that_are_none() {
    let place = place();
    for (name, value) in [
        ("nan.csv", "NaN"),
        ("inf.csv", "-inf"),
        ("huge.csv", "1e300"),
    ] {
        place.write(name, format!("1,2,3\n4,{value},6\n"));
        let line = format!("score vector.safetensors --data {name}");
        place.refused(&line, &[name, "line 2, field 2"]);
    }
    place.write("word.csv", "1,2,3\n4,five,6\n");
    place.refused(
        "score vector.safetensors --data word.csv",
        &["word.csv", "five"],
    );
}

#[test]
fn nothing_in_it() {
    let place = place();
    place.write("empty.idx3", b"");
    place.write(
        "none.idx3",
        [0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8],
    );
    std::fs::create_dir(place.file("empty")).unwrap();
    for name in ["empty.idx3", "none.idx3", "empty"] {
        place.refused(&format!("score image.flow --data {name}"), &[name]);
        place.refused(
            &format!("eval image.flow --in own.idx3 --ood a={name} --report r"),
            &[name],
        );
    }
    place.refused("score image.flow --data missing.idx3", &["missing.idx3"]);
}

#[test]
fn labels_and_damaged_files() {
    let place = place();
    place.write("labels.idx1", [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]);
    place.refused(
        "score image.flow --data labels.idx1",
        &["labels.idx1", "labels"],
    );
    place.images("own.idx3.gz", 20, SIDE, 3, false);
    let whole = place.read("own.idx3.gz");
    assert!(
        whole.starts_with(&[0x1f, 0x8b]),
        "a name in .gz is compressed"
    );
    place.write("cut.idx3.gz", &whole[..whole.len() - 9]);
    place.refused(
        "score image.flow --data cut.idx3.gz",
        &["cut.idx3.gz", "truncated"],
    );
    let whole = place.read("own.idx3");
    place.write("cut.idx3", &whole[..whole.len() - 1]);
    place.refused("score image.flow --data cut.idx3", &["cut.idx3"]);
    place.write("prose.txt", "\u{0}what is this");
    place.refused("score image.flow --data prose.txt", &["prose.txt"]);
}

#[test]
fn tensors_of_another_spec() {
    let place = place();
    // The spec of one model with the tensors of another of the same length of header.
    let file = place.read("image.safetensors");
    let text = String::from_utf8_lossy(&file).into_owned();
    assert!(
        text.contains(r#"\"channels\":4"#),
        "the spec is in the metadata"
    );
    let swapped = replaced(&file, br#"\"channels\":4"#, br#"\"channels\":5"#);
    place.write("swapped.safetensors", swapped);
    let named = [
        "swapped.safetensors",
        "of another shape: levels.0.steps.0.",
        " more",
    ];
    place.refused("score swapped.safetensors --data own.idx3", &named);
    let cut = &file[..file.len() - 4];
    place.write("cut.safetensors", cut);
    place.refused("inspect cut.safetensors", &["cut.safetensors"]);
    place.write("noise.safetensors", [0x5a; 300]);
    place.refused("inspect noise.safetensors", &["noise.safetensors"]);
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let found: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|&i| bytes[i..].starts_with(from))
        .collect();
    found
        .iter()
        .for_each(|&i| bytes[i..i + to.len()].copy_from_slice(to));
    bytes
}

#[test]
fn flow_files_that_are_none() {
    let place = place();
    let good = place.read("image.flow");
    let mut future = good.clone();
    future[field::VERSION].copy_from_slice(&9u16.to_le_bytes());
    let body = future.len() - 4;
    let sum = checksum(&future[..body]).to_le_bytes();
    future[body..].copy_from_slice(&sum);
    place.write("future.flow", &future);
    for verb in ["inspect", "verify", "score --data own.idx3"] {
        place.refused(
            &format!("{verb} future.flow"),
            &["future.flow", "version 9"],
        );
    }
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    place.write("flipped.flow", &flipped);
    place.refused(
        "score flipped.flow --data own.idx3",
        &["flipped.flow", "checksum"],
    );
    place.write("cut.flow", &good[..good.len() - 7]);
    place.refused("inspect cut.flow", &["cut.flow", "length"]);
    place.write("noise.flow", [0x5a; 300]);
    place.refused("verify noise.flow", &["noise.flow"]);
    place.refused("verify missing.flow", &["missing.flow"]);
    place.refused(
        "verify image.safetensors",
        &["image.safetensors", "float model"],
    );
    let export = "export image.flow --format q8 --calibrate own.idx3 --out a.flow";
    place.refused(export, &["image.flow", "a .flow already"]);
}

#[test]
fn gates_that_cannot_be() {
    let place = place();
    let calibrate =
        |rest: &str| format!("calibrate image.flow --data own.idx3 --out a.flow {rest}");
    place.refused(
        &calibrate("--alpha 0.001"),
        &["own.idx3", "120 inputs", "at least 999"],
    );
    place.refused(
        &calibrate("--alpha 0.015 --score combined"),
        &["own.idx3", "120 inputs", "at least 130, so 10 are missing"],
    );
    place.refused(
        &calibrate("--alpha 0.1 --tests beauty"),
        &["beauty", "goodness_of_fit"],
    );
    place.refused(
        &calibrate("--alpha 0.1 --score likelihood --rule sum"),
        &["--rule"],
    );
    for alpha in ["0", "1", "2", "NaN", "some"] {
        place.refused(&calibrate(&format!("--alpha {alpha}")), &["--alpha"]);
    }
    place.refused(&calibrate("--alpha 0.1 --score beauty"), &["beauty"]);
    place.ok("export vector.safetensors --format q8 --calibrate own.csv --out vector.flow");
    place.refused(
        "calibrate vector.flow --data own.csv --alpha 0.1 --score complexity --out a.flow",
        &["own.csv", "complexity"],
    );
}

#[test]
fn noise_that_does_not_fit() {
    let place = place();
    let npy = |shape: &str, count: usize, value: f32| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16 + 1).to_le_bytes());
        bytes.extend(header.bytes().chain([b'\n']));
        bytes.extend((0..count).flat_map(|_| value.to_le_bytes()));
        bytes
    };
    place.write("good.npy", npy("(120, 64)", 120 * 64, 0.25));
    place.ok("score image.safetensors --data own.idx3 --noise good.npy --json");
    place.refused(
        "score image.flow --data own.idx3 --noise good.npy",
        &["good.npy", "integer"],
    );
    place.refused(
        "score vector.safetensors --data own.csv --noise good.npy",
        &["good.npy"],
    );
    place.write("short.npy", npy("(12, 64)", 12 * 64, 0.25));
    place.refused(
        "score image.safetensors --data own.idx3 --noise short.npy",
        &["short.npy"],
    );
    place.write("one.npy", npy("(120, 64)", 120 * 64, 1.0));
    place.refused(
        "score image.safetensors --data own.idx3 --noise one.npy",
        &["one.npy", "row 0", "outside"],
    );
}

/// A training configuration as JSON.
fn config(epochs: u64) -> String {
    let mut config = flow_train_host::train::TrainConfig::new(image_spec());
    config.epochs = epochs;
    serde_json::to_string(&config).unwrap()
}

#[test]
fn runs_that_cannot_start_or_go_on() {
    let place = place();
    let train = |what: &str| format!("train {what} --data own.idx3 --out run");
    place.refused(&train("--preset nothing"), &["nothing", "fashion-tiny"]);
    place.refused(&train("--config missing.json"), &["missing.json"]);
    place.write("prose.json", "a config, surely");
    place.refused(&train("--config prose.json"), &["prose.json"]);
    place.write("extra.json", config(2).replacen('{', "{\"colour\":1,", 1));
    place.refused(&train("--config extra.json"), &["extra.json", "colour"]);
    place.write(
        "zero.json",
        config(2).replace("\"batch\":64", "\"batch\":0"),
    );
    place.refused(&train("--config zero.json"), &["zero.json", "batch"]);
    place.refused(&train("--resume"), &["run"]);
    place.refused(
        &train("--config zero.json --preset fashion-tiny"),
        &["--config"],
    );
    place.refused(
        "train --preset fashion-tiny --data own.idx3 --out run",
        &["own.idx3", "1x28x28"],
    );

    place.write("config.json", config(1));
    place.ok(&train("--config config.json"));
    place.refused(&train("--config config.json"), &["run", "already"]);
    place.refused(&train("--resume --seed 9"), &["run", "config"]);
    place.images("other.idx3", 120, SIDE, 77, false);
    place.refused(
        "train --resume --data other.idx3 --out run",
        &["run", "data"],
    );
    std::fs::remove_file(place.file("run/model.safetensors")).unwrap();
    place.refused("score run --data own.idx3", &["run", "model.safetensors"]);
    let checkpoint = place.read("run/checkpoint.safetensors");
    place.write(
        "run/checkpoint.safetensors",
        &checkpoint[..checkpoint.len() / 2],
    );
    place.refused(&train("--resume"), &["checkpoint.safetensors"]);
}

#[test]
fn outputs_that_cannot_be_written() {
    let place = place();
    let export = "export image.safetensors --format q8 --calibrate own.idx3 --out";
    place.refused(
        &format!("{export} nowhere/a.flow"),
        &["nowhere/a.flow", "written"],
    );
    std::fs::create_dir(place.file("directory")).unwrap();
    place.refused(&format!("{export} directory"), &["directory"]);
    let before = place.read("image.flow");
    place.refused(
        "calibrate image.flow --data own.idx3 --alpha 0.1 --out nowhere/b.flow",
        &["nowhere/b.flow"],
    );
    assert_eq!(place.read("image.flow"), before);
}

/// A disk that is full: a limit on the size of files stands in for it, and a device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let place = place();
    let binary = env!("CARGO_BIN_EXE_flowgate");
    let shell = |script: &str| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]).current_dir(place.path());
        let output = command.output().unwrap();
        let (_, err) = texts(&output);
        (output.status.code(), err)
    };
    let before = place.listing();
    let image = place.read("image.flow");
    let limit = "trap '' XFSZ; ulimit -f 1; exec";
    let lines = [
        "export image.safetensors --format f32 --calibrate own.idx3 --out image.flow",
        "calibrate image.flow --data own.idx3 --alpha 0.1 --out image.flow",
    ];
    for line in lines {
        let (code, err) = shell(&format!("{limit} {binary} {line}"));
        assert_eq!(code, Some(2), "{line}\n{err}");
        one_line(line, &err, &["image.flow", "written"]);
    }
    assert_eq!(place.listing(), before);
    assert_eq!(place.read("image.flow"), image);
    let line = "score image.flow --data own.idx3 --json";
    let (code, err) = shell(&format!("{binary} {line} > /dev/full"));
    assert_eq!(code, Some(2), "{err}");
    one_line(line, &err, &["No space left"]);
}

#[test]
fn mistakes_in_the_arguments() {
    let place = place();
    place.refused("score image.flow", &["--data"]);
    place.refused("score image.flow --data own.idx3 --limit 0", &["--limit"]);
    place.refused(
        "score image.flow --data own.idx3 --limit many",
        &["--limit"],
    );
    place.refused("sing image.flow", &["sing"]);
    place.refused(
        "eval image.flow --in own.idx3 --ood own.idx3 --report r",
        &["NAME=PATH"],
    );
    place.refused(
        "eval image.flow --in own.idx3 --ood own=own.idx3 --report r",
        &["own"],
    );
    place.refused(
        "export image.safetensors --format q4 --calibrate own.idx3 --out a.flow",
        &["q4"],
    );
    let bare = place.flowgate([""; 0]);
    assert_eq!(bare.status.code(), Some(2));
}

#[test]
fn names_with_line_breaks() {
    let place = place();
    place.write("a\nb.idx3", b"");
    let args = ["score", "image.flow", "--data", "a\nb.idx3"];
    let output = place.flowgate(args);
    one_line("score", &texts(&output).1, &["a\\nb.idx3"]);
}
