//! `flowgate build` from a folder of colour pictures of many sizes to a gate that rejects broken parts.

mod support;

use flow_infer::artifact::{Artifact, Section};
use std::path::Path;
use std::process::{Command, Output};
use support::{Place, Random};

/// Writes pictures of washers on a table, in many sizes and lights; of broken ones a piece is missing.
fn washers(directory: &Path, count: usize, seed: u64, broken: bool) {
    std::fs::create_dir_all(directory).unwrap();
    println!("seed {seed}");
    let mut random = Random(seed);
    for index in 0..count {
        let width = 48 + (random.next() % 40) as u32;
        let height = width - (random.next() % 8) as u32;
        let light = 0.8 + 0.2 * random.uniform();
        let angle = std::f32::consts::TAU * random.uniform();
        let (dx, dy) = (random.uniform() - 0.5, random.uniform() - 0.5);
        let mut pixels = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let side = width.min(height) as f32;
                let u = (x as f32 - width as f32 / 2.0 + 2.0 * dx) / side;
                let v = (y as f32 - height as f32 / 2.0 + 2.0 * dy) / side;
                let radius = (u * u + v * v).sqrt();
                let turn = (v.atan2(u) - angle).rem_euclid(std::f32::consts::TAU);
                let missing = broken && turn < 1.2;
                let metal = (0.18..0.4).contains(&radius) && !missing;
                let colour = if metal {
                    [190.0, 195.0, 205.0]
                } else {
                    [70.0, 55.0, 40.0]
                };
                for channel in colour {
                    let noise = 10.0 * (random.uniform() - 0.5);
                    pixels.push((light * channel + noise) as u8);
                }
            }
        }
        write_png(
            &directory.join(format!("{index}.png")),
            width,
            height,
            &pixels,
        );
    }
}

fn write_png(path: &Path, width: u32, height: u32, pixels: &[u8]) {
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
}

fn build(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowgate"));
    command.current_dir(place.path()).arg("build").args(args);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const OWN: [&str; 18] = [
    "--data",
    "own",
    "--out",
    "out",
    "--ood",
    "broken=bad",
    "--size",
    "16x16",
    "--multiplies",
    "1M",
    "--alpha",
    "0.02",
    "--epochs",
    "12",
    "--seed",
    "5",
    "--flash",
    "128K",
];

#[test]
fn a_folder_of_pictures_becomes_a_gate() {
    let place = Place::new();
    washers(&place.file("own"), 300, 1, false);
    washers(&place.file("bad"), 60, 2, true);
    let first = build(&place, &OWN);
    let (said, errors) = (text(&first.stdout), text(&first.stderr));
    println!("{said}{errors}");
    assert!(first.status.success());
    for fact in [
        "300 images of 1x16x16",
        "to calibrate",
        "multiplies",
        "golden vectors",
    ] {
        assert!(said.contains(fact), "{fact}");
    }
    let results = std::fs::read_to_string(place.file("out/report/results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    let share = results["ood"][0]["rejected_share"].as_f64().unwrap();
    assert!(share >= 0.9, "{share} of the broken parts are rejected");
    assert!(place.file("out/report/index.html").exists());

    // The same again: nothing is done, nothing is written.
    let gate = place.read("out/gate.flow");
    let written = |name: &str| {
        std::fs::metadata(place.file(name))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = written("out/gate.flow");
    let second = build(&place, &OWN);
    assert!(second.status.success());
    assert_eq!(text(&second.stdout), "nothing has changed: out/gate.flow\n");
    assert_eq!(written("out/gate.flow"), before);

    // What is lost is made again, to the same bits; only the date may be another.
    std::fs::remove_file(place.file("out/gate.flow")).unwrap();
    assert!(build(&place, &OWN).status.success());
    let again = place.read("out/gate.flow");
    let [first, second] = [&gate, &again].map(|bytes| Artifact::load(bytes).unwrap());
    for section in [Section::Tensors, Section::Gate, Section::FrontEnd] {
        assert!(!first.section(section).is_empty());
        assert_eq!(first.section(section), second.section(section));
    }

    // The gate takes pictures of any size by itself.
    let score = Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .current_dir(place.path())
        .args([
            "score",
            "out/gate.flow",
            "--data",
            "bad",
            "--json",
            "--limit",
            "5",
        ])
        .output()
        .unwrap();
    assert!(score.status.success(), "{}", text(&score.stderr));
    assert_eq!(text(&score.stdout).lines().count(), 5);
}

#[test]
fn what_cannot_become_a_gate_is_said_in_one_line() {
    let place = Place::new();
    std::fs::create_dir(place.file("empty")).unwrap();
    std::fs::create_dir(place.file("one")).unwrap();
    std::fs::create_dir(place.file("same")).unwrap();
    write_png(&place.file("one/a.png"), 20, 20, &[7; 1200]);
    for i in 0..250 {
        write_png(&place.file(&format!("same/{i}.png")), 20, 20, &[7; 1200]);
    }
    washers(&place.file("few"), 20, 3, false);
    for (data, more, why) in [
        ("empty", &["--size", "16x16"][..], "empty"),
        ("one", &["--size", "16x16"], "1 input"),
        ("same", &["--size", "16x16"], "are the same"),
        ("few", &["--size", "16x16"], "too few"),
        (
            "few",
            &["--size", "16x16", "--region", "40,40,80,80"],
            "region does not lie",
        ),
        (
            "few",
            &["--size", "200x200"],
            "smaller than the model's input",
        ),
        ("nothing", &["--size", "16x16"], "nothing"),
        ("same", &["--resume"], "no build to go on with"),
    ] {
        let args = [&["--data", data, "--out", "out"][..], more].concat();
        let output = build(&place, &args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{data} {more:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(why), "{why}: {error}");
        assert!(!place.file("out/gate.flow").exists());
    }
}

#[test]
fn a_budget_that_nothing_fits_says_by_how_much() {
    let place = Place::new();
    washers(&place.file("own"), 120, 4, false);
    let args = [
        "--data", "own", "--out", "out", "--size", "24x24", "--alpha", "0.1",
    ];
    let output = build(&place, &[&args[..], &["--ram", "4K"]].concat());
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    for part in ["ram", "too much", "--ram ", "or --size "] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
