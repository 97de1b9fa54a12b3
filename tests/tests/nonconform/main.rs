//! Thresholds and p-values against those of nonconform (PyPI), where a Python has it.
//!
//! `FLOWGATE_PYTHON` names the interpreter; without it, it is `python3`. Where nonconform is not installed nothing is compared, and
//! the output says so: cargo test -p flow-tests --test nonconform -- --nocapture

use flow_infer::gate::{Decision, PValues};
use flow_infer::score::{ScoreKind, Scores};
use flow_tests::random::SplitMix64;
use flow_train_host::calibrate;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// The script ends so where there is no nonconform.
const NOT_INSTALLED: i32 = 3;
/// Calibration scores that a file keeps one by one, the lowest.
const LOWEST: f64 = 32.0;

struct Peer {
    version: String,
    p_values: Vec<f64>,
}

/// What nonconform says; none where it is not installed.
fn peer(calibration: &[i64], scores: &[i64]) -> Option<Peer> {
    let python = std::env::var("FLOWGATE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nonconform/peer.py");
    let child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.ok()?;
    let given = json!({ "calibration": calibration, "scores": scores }).to_string();
    // A script that has ended reads nothing.
    let _ = child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(given.as_bytes());
    let output = child.wait_with_output().expect("it runs");
    if output.status.code() == Some(NOT_INSTALLED) {
        return None;
    }
    assert!(output.status.success(), "the script failed");
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let p_values = said["p_values"].as_array().expect("p-values").iter();
    Some(Peer {
        version: said["version"].as_str().expect("a version").to_owned(),
        p_values: p_values.map(|p| p.as_f64().expect("a number")).collect(),
    })
}

fn scores(log_prob_raw: i64) -> Scores {
    Scores {
        log_prob_raw,
        ..Scores::default()
    }
}

#[test]
fn thresholds_and_p_values_are_those_of_nonconform() {
    // Calibration inputs, rate, and the step of scores: coarse ones are often the same.
    for (samples, alpha_ppm, step) in [
        (99, 10_000, 1),
        (500, 10_000, 1),
        (2000, 50_000, 1),
        (2000, 10_000, 200_000),
    ] {
        let mut random = SplitMix64::named(&format!("nonconform {samples} {alpha_ppm} {step}"));
        println!("seed {:#x}", random.seed());
        let mut draw = |shift: f64| {
            let raw = ((random.normal() - shift) * f64::from(1 << 24)) as i64;
            raw / step * step
        };
        let calibration: Vec<i64> = (0..samples).map(|_| draw(0.0)).collect();
        let new = (0..3000).map(|i| draw(f64::from(i % 3)));
        let new: Vec<i64> = new.chain(calibration.iter().copied()).collect();
        let Some(peer) = peer(&calibration, &new) else {
            println!("nonconform is not installed: nothing is compared");
            return;
        };
        let inputs: Vec<Scores> = calibration.iter().map(|&raw| scores(raw)).collect();
        let found = calibrate::gate(ScoreKind::Likelihood, alpha_ppm, &inputs).expect("a gate");
        let table = PValues::parse(&found.p_values).expect("p-values");
        let one = 1.0 / f64::from(samples + 1);
        let (mut exact, mut furthest) = (0, 1.0f64);
        for (&raw, &theirs) in new.iter().zip(&peer.p_values) {
            let ours = f64::from(table.ppm(raw)) / 1e6;
            let rejects = found.gate.decide(&scores(raw)) == Decision::Reject;
            assert_eq!(
                rejects,
                theirs <= f64::from(alpha_ppm) / 1e6 + 1e-12,
                "{samples}, {alpha_ppm}: {raw} has p {theirs}"
            );
            // Rounded up to a millionth, and to the next score that is kept; never too small.
            assert!(ours >= theirs - 1e-12, "{raw}: {ours} < {theirs}");
            if theirs < (LOWEST - 0.5) * one && step == 1 {
                assert!(ours - theirs < 1.001e-6, "{raw}: {ours}, {theirs}");
                exact += 1;
            }
            furthest = furthest.max(ours / theirs);
        }
        println!(
            "nonconform {}: {samples} inputs at {alpha_ppm} ppm, {} decisions the same, {exact} of the lowest p-values the \
             same, others at most {furthest:.3} times theirs",
            peer.version,
            new.len()
        );
        assert!(furthest < 1.25, "{furthest}");
    }
}
