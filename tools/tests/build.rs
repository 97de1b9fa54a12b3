//! `flowgate build` from a folder of colour pictures of many sizes to a gate that rejects broken parts.

mod support;

use flow_infer::artifact::{Artifact, Section};
use std::process::{Command, Output};
use support::Place;

fn flowgate(place: &Place, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowgate"));
    let words = line.split_whitespace();
    command.current_dir(place.path()).args(words);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command that has to work, and gives what it printed.
fn said(place: &Place, line: &str) -> String {
    let output = flowgate(place, line);
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    println!("$ flowgate {line}\n{said}{errors}");
    assert!(output.status.success(), "{line}");
    said
}

/// Share of a set that a report says is rejected.
fn rejected(place: &Place, report: &str, foreign: bool) -> f64 {
    let results = std::fs::read_to_string(place.file(report)).unwrap();
    let results: serde_json::Value = serde_json::from_str(&results).unwrap();
    let set = match foreign {
        true => &results["ood"][0],
        false => &results["in"],
    };
    set["rejected_share"].as_f64().unwrap()
}

#[test]
fn one_command_makes_a_gate_of_a_folder_of_pictures() {
    let place = Place::new();
    let seed = 3;
    println!("seed {seed}");
    said(
        &place,
        &format!("data parts --kind board --out parts --count 600 --broken 100 --seed {seed}"),
    );
    // Fewer passes than the 150 of the default, of three starts each: records/build.md has those.
    let line = "build --data parts/good --ood broken=parts/broken --out out --epochs 30";
    let first = said(&place, line);
    for fact in [
        "600 images of 1x16x16",
        "different",
        "to validate",
        "5, each held out of a model of the others",
        "180 for the tables of tests, 360 for the threshold",
        "6 to be trained",
        "scratch",
        "multiplies",
        "Cortex-M4",
        "golden vectors",
    ] {
        assert!(first.contains(fact), "{fact}");
    }
    let (own, broken) = (
        rejected(&place, "out/report/results.json", false),
        rejected(&place, "out/report/results.json", true),
    );
    // At a stated 1 %; of 60 parts, two.
    assert!(own <= 0.035, "{own} of the whole parts are rejected");
    assert!(broken >= 0.9, "{broken} of the broken parts are rejected");
    let page = text(&place.read("out/report/index.html"));
    assert!(page.contains(".png"), "the page names pictures");

    // The same again: nothing is done, nothing is written.
    let gate = place.read("out/gate.flow");
    let written = |name: &str| {
        let about = std::fs::metadata(place.file(name)).unwrap();
        about.modified().unwrap()
    };
    let before = written("out/gate.flow");
    assert_eq!(said(&place, line), "nothing has changed: out/gate.flow\n");
    assert_eq!(written("out/gate.flow"), before);

    // What is lost is made again, to the same bits; only the date may be another.
    std::fs::remove_file(place.file("out/gate.flow")).unwrap();
    std::fs::remove_file(place.file("out/report/index.html")).unwrap();
    let again = said(&place, line);
    assert!(!again.contains("trained"), "{again}");
    assert!(place.file("out/report/index.html").exists());
    let again = place.read("out/gate.flow");
    let [first, second] = [&gate, &again].map(|bytes| Artifact::load(bytes).unwrap());
    for section in [Section::Tensors, Section::Gate, Section::FrontEnd] {
        assert!(!first.section(section).is_empty());
        assert_eq!(first.section(section), second.section(section));
    }

    // Another set of foreign pictures is evaluated, and nothing is trained.
    let more = said(&place, &format!("{line} --ood whole=parts/good"));
    assert!(
        more.contains("whole") && !more.contains("trained"),
        "{more}"
    );

    // The gate takes pictures of any size by itself.
    let lines = said(
        &place,
        "score out/gate.flow --data parts/broken --json --limit 5",
    );
    assert_eq!(lines.lines().count(), 5);
}

#[test]
fn days_are_learned_and_tested_apart() {
    let place = Place::new();
    said(
        &place,
        "data parts --kind tray --out parts --count 300 --broken 0",
    );
    for day in 0..10 {
        std::fs::create_dir_all(place.file(&format!("own/day-{day}"))).unwrap();
        for picture in 0..30 {
            let from = place.file(&format!("parts/good/{}.png", 30 * day + picture));
            let to = place.file(&format!("own/day-{day}/{picture}.png"));
            std::fs::rename(from, to).unwrap();
        }
    }
    let out = said(&place, "build --data own --out out --alpha 0.08 --epochs 3");
    for fact in [
        "day-0 30",
        "in 10 blocks, the folders",
        "270, 9 blocks",
        "rejected by a threshold of the others",
    ] {
        assert!(out.contains(fact), "{fact}");
    }
    let split: serde_json::Value =
        serde_json::from_slice(&place.read("out/data/split.json")).unwrap();
    let blocks = |part: &str| {
        let blocks = split[part]["blocks"].as_array().unwrap().iter();
        let mut blocks: Vec<String> = blocks.map(|b| b.as_str().unwrap().to_owned()).collect();
        blocks.dedup();
        blocks
    };
    let all = [blocks("train"), blocks("calibrate"), blocks("test")].concat();
    let mut once = all.clone();
    once.sort();
    once.dedup();
    assert_eq!((all.len(), once.len()), (10, 10), "{all:?}");
    let line = "build --resume --data own --out out --alpha 0.08 --epochs 3";
    let trained = place.read("out/folds/0.flow");
    let weaker = said(&place, &format!("{line} --promise inputs"));
    assert!(weaker.contains("8.00 % of an input like"), "{weaker}");
    assert!(!weaker.contains("\ntraining\n"), "{weaker}");
    assert_eq!(place.read("out/folds/0.flow"), trained);
    let again = said(&place, &format!("{line} --promise inputs"));
    assert!(again.contains("nothing has changed"), "{again}");
}

#[test]
fn a_budget_that_nothing_fits_says_by_how_much() {
    let place = Place::new();
    said(&place, "data parts --out parts --count 120 --broken 0");
    let line = "build --data parts/good --out out --alpha 0.1 --epochs 1";
    for (budget, parts) in [
        (
            "--size 24x24 --ram 4K",
            &["ram", "too much", "--ram ", "or --size "][..],
        ),
        ("--flash 4K", &["flash", "too much", "--flash "]),
        (
            "--multiplies 1K",
            &["multiplies", "too much", "--multiplies "],
        ),
        ("--ms 0.01 m0@16", &["time", "ms", "--ms ", "m0@16"]),
        ("--ms 1 z80@4", &["no core z80", "m4"]),
        ("--ms 1 m4", &["--ms", "CORE@MHz"]),
        ("--size 18x18 --preset dense", &["8x8", "18x18", "--size"]),
    ] {
        let output = flowgate(&place, &format!("{line} {budget}"));
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{budget}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        for part in parts {
            assert!(error.contains(part), "{budget}: {part}: {error}");
        }
        assert!(!place.file("out/gate.flow").exists() && !place.file("out/model.flow").exists());
    }
    // What it says would do does.
    let said_enough = flowgate(&place, &format!("{line} --multiplies 1K"));
    let error = text(&said_enough.stderr);
    let enough = error.split("--multiplies ").nth(1).unwrap();
    let enough = enough.split([' ', ',']).next().unwrap();
    said(&place, &format!("{line} --multiplies {enough}"));
    said(&place, &format!("{line} --ms 20 m4@64"));
}
