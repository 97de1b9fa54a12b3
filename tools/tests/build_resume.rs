//! `flowgate build` ended at random moments, and gone on with: the same bits as one that was left alone.
#![cfg(unix)]

mod support;

use flow_infer::artifact::{Artifact, Section};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Place, Random};

const ENDS: usize = 10;
const FOLDS: usize = 3;

fn start(place: &Place, out: &str) -> Child {
    let args = ["build", "--data", "own.idx3", "--ood", "other=other.idx3"];
    let more = [
        "--alpha", "0.05", "--epochs", "6", "--preset", "dense", "--folds", "3",
    ];
    Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .current_dir(place.path())
        .args(args)
        .args(more)
        .args(["--out", out])
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// What a build has made, but for dates.
fn made(place: &Place, out: &str) -> Vec<Vec<u8>> {
    let gate = place.read(&format!("{out}/gate.flow"));
    let artifact = Artifact::load(&gate).unwrap();
    let sections = [
        Section::Plan,
        Section::Tensors,
        Section::Spec,
        Section::Gate,
        Section::Golden,
    ];
    let mut made: Vec<Vec<u8>> = sections
        .into_iter()
        .map(|section| artifact.section(section).to_vec())
        .collect();
    for fold in 0..FOLDS {
        let model = place.read(&format!("{out}/folds/{fold}.flow"));
        let artifact = Artifact::load(&model).unwrap();
        made.push(artifact.section(Section::Tensors).to_vec());
        made.push(place.read(&format!("{out}/folds/{fold}.npy")));
    }
    let results = place.read(&format!("{out}/report/results.json"));
    let mut results: serde_json::Value = serde_json::from_slice(&results).unwrap();
    results["in"]["path"].take();
    results["ood"][0]["path"].take();
    for key in ["date", "baselines"] {
        results[key].take();
    }
    made.push(results.to_string().into_bytes());
    made
}

#[test]
fn ended_at_ten_random_moments_it_makes_the_same_bits() {
    let place = Place::new();
    place.images("own.idx3", 420, 8, 1, false);
    place.images("other.idx3", 30, 8, 2, true);
    let began = Instant::now();
    assert!(start(&place, "whole").wait().unwrap().success());
    let whole = began.elapsed();
    let seed = std::env::var("FLOWGATE_SEED").ok();
    let seed = seed.and_then(|s| s.parse().ok()).unwrap_or(11);
    println!("seed {seed} (FLOWGATE_SEED), {whole:?} if left alone");
    let mut random = Random(seed);
    let mut ended = 0;
    while ended < ENDS {
        let mut child = start(&place, "out");
        let moment = Duration::from_secs_f32(0.5 * whole.as_secs_f32() * random.uniform());
        std::thread::sleep(moment);
        if let Some(status) = child.try_wait().unwrap() {
            // It came to its end, and another is begun.
            assert!(status.success());
            same(&place);
            std::fs::remove_dir_all(place.file("out")).unwrap();
            continue;
        }
        let signal = if random.next().is_multiple_of(2) {
            "-KILL"
        } else {
            "-TERM"
        };
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let status = child.wait().unwrap();
        println!("{signal} after {moment:?}: {status}");
        ended += usize::from(!status.success());
    }
    assert!(start(&place, "out").wait().unwrap().success());
    same(&place);
    let json = place.read("out/build.json");
    assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
}

fn same(place: &Place) {
    let (again, whole) = (made(place, "out"), made(place, "whole"));
    for (part, (again, whole)) in again.iter().zip(&whole).enumerate() {
        assert!(again == whole, "part {part} differs");
    }
}
