//! `flowgate new`: a crate for every board, and what is refused.

mod support;

use std::path::Path;
use support::{Place, SIDE, image_spec, model};

const BOARDS: [&str; 6] = [
    "m4-qemu",
    "stm32f401",
    "nrf52840",
    "rp2040",
    "rp2350",
    "esp32c3",
];

fn committed(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(path).display().to_string()
}

fn parts() -> String {
    committed("flow-infer/tests/data/parts.flow")
}

/// Text of every file of a crate, but for the model and the example.
fn texts(dir: &Path) -> Vec<(String, String)> {
    let mut texts = vec![];
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(self::texts(&path));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            texts.push((path.display().to_string(), text));
        }
    }
    texts
}

#[test]
fn every_board_gets_a_whole_crate() {
    let place = Place::new();
    for board in BOARDS {
        for (kind, file) in [
            ("frames", "flow-infer/tests/data/parts.flow"),
            ("vectors", "flow-infer/tests/data/pump.flow"),
            ("images", "firmware/models/fashion-bottleneck.flow"),
        ] {
            let dir = format!("{kind}-{board}");
            let model = committed(file);
            place.ok(&format!("new {dir} --board {board} --model {model}"));
            let root = place.file(&dir);
            assert_eq!(
                std::fs::read(root.join("model.flow")).unwrap(),
                std::fs::read(&model).unwrap()
            );
            assert_eq!(root.join("src/camera.rs").exists(), kind == "frames");
            let texts = texts(&root);
            for (name, text) in &texts {
                assert!(!text.contains("{{"), "{name}: a place is not filled");
            }
            for part in [
                "Cargo.toml",
                "config.toml",
                "build.rs",
                "main.rs",
                "board.rs",
                "README.md",
            ] {
                assert!(
                    texts.iter().any(|(name, _)| name.ends_with(part)),
                    "{dir}: {part}"
                );
            }
            // The DSP extension belongs to the core, and its kernel is chosen by the core's name.
            let config = std::fs::read_to_string(root.join(".cargo/config.toml")).unwrap();
            let named = config.contains("-Ctarget-cpu=cortex-m33");
            assert_eq!(named, board == "rp2350");
            assert!(config.parse::<toml::Table>().is_ok(), "{config}");
            let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
            let manifest: toml::Table = manifest.parse().unwrap();
            let version = manifest["dependencies"]["flow-infer"]["version"].as_str();
            assert_eq!(version, Some(env!("CARGO_PKG_VERSION")));
            assert_eq!(
                manifest["package"]["name"].as_str(),
                Some(format!("gate-{dir}").as_str())
            );
        }
    }
    // Nothing unfinished is left beside them.
    let entries = std::fs::read_dir(place.path()).unwrap().count();
    assert_eq!(entries, 3 * BOARDS.len());
}

#[test]
fn nothing_that_is_there_is_replaced() {
    let place = Place::new();
    std::fs::create_dir(place.file("mine")).unwrap();
    place.write("mine/notes.txt", "keep");
    place.write("file", "keep");
    let line = |dir: &str| format!("new {dir} --board m4-qemu --model {}", parts());
    place.refused(&line("mine"), &["mine", "is not empty"]);
    place.refused(&line("file"), &["file"]);
    assert_eq!(place.read("mine/notes.txt"), b"keep");
    assert_eq!(place.read("file"), b"keep");
    std::fs::create_dir(place.file("empty")).unwrap();
    place.ok(&line("empty"));
    place.refused(&line("empty"), &["is not empty"]);
}

#[test]
fn models_that_can_be_no_gate_are_refused() {
    let place = Place::new();
    model(image_spec(), 1)
        .save(&place.file("image.safetensors"))
        .unwrap();
    place.images("own.idx3", 120, SIDE, 3, false);
    place.ok("export image.safetensors --format q8 --calibrate own.idx3 --out raw.flow");
    place.ok("export image.safetensors --format f32 --calibrate own.idx3 --out float.flow");
    let refused = |model: &str, named: &[&str]| {
        place.refused(&format!("new crate --board m4-qemu --model {model}"), named);
        assert!(!place.file("crate").exists());
    };
    refused("raw.flow", &["raw.flow", "not calibrated"]);
    refused("float.flow", &["float.flow", "integer"]);
    refused("none.flow", &["none.flow"]);
    refused("own.idx3", &["own.idx3"]);
    let line = format!("new crate --board pico9 --model {}", parts());
    place.refused(&line, &["pico9", "rp2040"]);
    let line = format!(
        "new crate --board m4-qemu --model {} --path {}",
        parts(),
        place.path().display()
    );
    place.refused(&line, &["--path", "no flow-infer"]);
    let line = format!(
        "new crate --board m4-qemu --model {} --example own.idx3",
        parts()
    );
    place.refused(&line, &["own.idx3"]);
}

#[test]
fn what_does_not_fit_is_refused_with_what_is_missing() {
    let place = Place::new();
    // A picture in flash of 640 x 480 bytes, and 57,344 bytes of program.
    let header = b"P5\n640 480\n255\n".to_vec();
    place.write("large.pgm", [header, vec![90; 640 * 480]].concat());
    let line = |board: &str| {
        format!(
            "new crate-{board} --board {board} --model {} --example large.pgm",
            parts()
        )
    };
    let named = ["parts.flow", "stm32f401", "flash", "262,144", "too few"];
    place.refused(&line("stm32f401"), &named);
    place.ok(&line("nrf52840"));
}
