//! The cases of `tests/data/faults`, each with the command that failed and what must come of it.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use support::{Place, texts};

/// A copy of a case's files.
fn case(name: &str) -> Place {
    fn copy(from: &Path, to: &Path) {
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            match path.is_dir() {
                true => {
                    std::fs::create_dir(&target).unwrap();
                    copy(&path, &target);
                }
                false => drop(std::fs::copy(&path, &target).unwrap()),
            }
        }
    }
    let place = Place::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faults");
    copy(&data.join(name), place.path());
    place
}

fn run(place: &Place, line: &str) -> Output {
    place.flowgate(line.split_whitespace())
}

fn shell(place: &Place, script: &str) -> Output {
    Command::new("bash")
        .args(["-c", script])
        .env("FLOWGATE", env!("CARGO_BIN_EXE_flowgate"))
        .current_dir(place.path())
        .output()
        .unwrap()
}

#[cfg(unix)]
#[test]
fn out_replaces_special_file() {
    let place = case("out-replaces-special-file");
    let script = "mkfifo p; (timeout 20 cat p > got &); \
        \"$FLOWGATE\" calibrate m.flow --data d.npy --alpha 0.1 --out p && test -p p && echo still-a-pipe";
    let output = shell(&place, script);
    let (out, err) = texts(&output);
    assert!(out.ends_with("still-a-pipe\n"), "{out}{err}");
}

/// Only the system's administrator can mount; elsewhere `flow_train_host::files` has the same in small.
#[cfg(target_os = "linux")]
#[test]
fn out_on_mount_point() {
    let place = case("out-on-mount-point");
    let mount = "touch v.flow; mount --bind m.flow v.flow";
    let allowed = shell(&place, &format!("{mount} && umount v.flow"));
    if !allowed.status.success() {
        println!("mounting is not allowed here");
        return;
    }
    let calibrate = "\"$FLOWGATE\" calibrate m.flow --data d.npy --alpha 0.1 --out v.flow";
    let script = format!("{mount} && {calibrate}; code=$?; umount v.flow; exit $code");
    let output = shell(&place, &script);
    assert_eq!(output.status.code(), Some(0), "{}", texts(&output).1);
    let inspected = place.ok("inspect m.flow --json");
    assert!(inspected.contains("\"alpha_ppm\":100000"), "{inspected}");
}

#[test]
fn out_checked_late() {
    let place = case("out-checked-late");
    let line = "export model.safetensors --format q8 --calibrate d.npy --out no/such/m.flow";
    place.refused(
        line,
        &["no/such/m.flow: cannot be written: no/such: no such directory"],
    );
    let (_, err) = texts(&run(&place, line));
    assert_eq!(err.matches("no such directory").count(), 1, "{err}");
}

#[test]
fn train_closed_pipe() {
    let place = case("train-closed-pipe");
    let script = "\"$FLOWGATE\" train --preset vector-small --data d.npy --out run --epochs 20 | head -n 1; \
        echo ${PIPESTATUS[0]}; tail -n 1 run/log.csv | cut -d, -f1";
    let (out, err) = texts(&shell(&place, script));
    assert!(out.ends_with("\n0\n20\n"), "{out}{err}");
}

#[test]
fn two_runs_one_folder() {
    let place = case("two-runs-one-folder");
    let train =
        "\"$FLOWGATE\" train --preset vector-small --data d.npy --out run --epochs 40 --threads 1";
    let script = format!("({train}; echo A $?) & ({train} --seed 5; echo B $?); wait");
    let (out, err) = texts(&shell(&place, &script));
    let won: Vec<&str> = out.lines().filter(|l| *l == "A 0" || *l == "B 0").collect();
    let lost = out.lines().filter(|l| *l == "A 2" || *l == "B 2").count();
    assert_eq!((won.len(), lost), (1, 1), "{out}{err}");
    let seed = if won[0] == "A 0" { 0 } else { 5 };
    for file in ["run/config.json", "run/provenance.json"] {
        let value: Value = serde_json::from_slice(&place.read(file)).unwrap();
        assert_eq!(value["seed"], seed, "{file}");
    }
}

#[test]
fn eval_aupr_prevalence() {
    let place = case("eval-aupr-prevalence");
    let output = run(
        &place,
        "eval m.flow --in a.npy --ood b=b.npy --report rep --json",
    );
    let (out, err) = texts(&output);
    let found: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    assert_eq!(found["aupr_share"], 0.5);
    for row in found["scores"].as_array().unwrap() {
        let figures = &row["separation"]["b"];
        for figure in ["auroc", "aupr_in", "aupr_out"] {
            let value = figures[figure].as_f64().unwrap();
            assert!((value - 0.5).abs() < 0.03, "{row}");
        }
    }
}

#[test]
fn missing_file_said_twice() {
    let place = case("missing-file-said-twice");
    let line = "score model.safetensors --data no-such-file.csv --json";
    let (_, err) = texts(&run(&place, line));
    assert_eq!(
        err,
        "error: no-such-file.csv: cannot be read: No such file or directory (os error 2)\n"
    );
}

#[test]
fn negative_blames_wrong_file() {
    let place = case("negative-blames-wrong-file");
    let line = "train --preset vector-small --data good.npy --out run --epochs 1 --negative three.npy \
        --negative-threshold -20";
    place.refused(line, &["three.npy: ", "3 values"]);
}

#[test]
fn one_column() {
    let place = case("one-column");
    let line = "train --preset vector-small --data d.csv --out run";
    place.refused(line, &["d.csv", "two columns or more"]);
}
