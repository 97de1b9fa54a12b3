//! The cases of `tests/data/faults`, each with the command that failed and what must come of it.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use support::{Place, one_line, texts};

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

/// The lines of `score --json`.
fn scored(place: &Place, line: &str) -> Vec<Value> {
    let output = run(place, line);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "flowgate {line}\n{err}");
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The checkpoint is converted, and scores what the library that wrote it says.
fn converts(place: &Place, convert: &str, wanted: [f64; 4]) -> String {
    let output = run(place, &format!("convert {convert} --out m.safetensors"));
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "convert {convert}\n{err}");
    let lines = scored(place, "score m.safetensors --data x.npy --json");
    assert_eq!(lines.len(), wanted.len());
    for (line, wanted) in lines.iter().zip(wanted) {
        let found = line["log_prob_nats"].as_f64().unwrap();
        assert!(
            (found - wanted).abs() < 2e-3,
            "{convert}: {found}, by PyTorch {wanted}"
        );
    }
    out
}

/// The values of the checkpoint that several cases wrap.
const BARE: [f64; 4] = [-6.6334, -6.9232, -5.2839, -4.8954];

#[test]
fn ckpt_compiled() {
    converts(&case("ckpt-compiled"), "--from nflows flow.pt", BARE);
}

#[test]
fn ckpt_model_state_dict() {
    converts(
        &case("ckpt-model-state-dict"),
        "--from nflows flow.pt",
        BARE,
    );
}

#[test]
fn ckpt_new_weight_norm() {
    let wanted = [-6.1780, -6.1080, -5.6683, -5.0151];
    converts(
        &case("ckpt-new-weight-norm"),
        "--from flows-ood net.pt",
        wanted,
    );
}

#[test]
fn ckpt_numpy_scalar() {
    converts(&case("ckpt-numpy-scalar"), "--from nflows flow.pt", BARE);
}

#[test]
fn nflows_safetensors() {
    converts(
        &case("nflows-safetensors"),
        "--from nflows flow.safetensors",
        BARE,
    );
}

#[test]
fn nflows_general_scale() {
    let place = case("nflows-general-scale");
    let wanted = [-7.3720, -8.1668, -6.0642, -6.0699];
    let assume = "--from nflows flow.pt --assume scale_activation=general";
    converts(&place, assume, wanted);
    let out = converts(&place, "--from nflows flow.pt", BARE);
    assert!(out.contains("assumed: scale_activation = default"), "{out}");
}

#[test]
fn nflows_last_layer_without_tensors() {
    let place = case("nflows-last-layer-without-tensors");
    let out = converts(&place, "--from nflows flow.pt", BARE);
    assert!(out.contains("assumed: transforms = "), "{out}");
    // Told that there is one more, the command must know what it is, and LogTanh is nothing that a flow here can be.
    let line = "convert --from nflows flow.pt --assume transforms=3 --out n.safetensors";
    let output = run(&place, line);
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{err}");
    one_line(line, &err, &["flow.pt", "tensorless"]);
}

#[test]
fn normflows_glow_default() {
    let place = case("normflows-glow-default");
    let wanted = [-267.9623, -266.4278, -269.3884, -276.8353];
    let out = converts(&place, "--from normflows glow.pt --image 3x4x4", wanted);
    assert!(out.contains("assumed: scale_map = sigmoid"), "{out}");
}

#[test]
fn normflows_swap() {
    let place = case("normflows-swap");
    let wanted = [-11.7380, -5.2066, -6.7127, -7.0335];
    converts(&place, "--from normflows flow.pt --assume flows=4", wanted);
    place.refused(
        "convert --from normflows flow.pt --out n.safetensors",
        &["flow.pt", "flows"],
    );
}

#[test]
fn csv_index_column() {
    let place = case("csv-index-column");
    let line = "train --preset vector-small --data train.csv --out run --epochs 1";
    place.refused(line, &["train.csv", "line 1, field 1"]);
}

#[test]
fn csv_numeric_header() {
    let place = case("csv-numeric-header");
    let score = "score model.safetensors --data in.csv --json";
    let output = run(&place, score);
    match output.status.code() {
        Some(0) => assert_eq!(texts(&output).0.lines().count(), 2),
        _ => one_line(score, &texts(&output).1, &["in.csv", "--header"]),
    }
    let lines = scored(&place, &format!("{score} --header yes"));
    assert_eq!(lines.len(), 2);
}

#[test]
fn csv_quoted_separator() {
    let place = case("csv-quoted-separator");
    let lines = scored(&place, "score model.safetensors --data in.csv --json");
    assert_eq!(lines.len(), 2);
}

#[test]
fn csv_savetxt_default() {
    let place = case("csv-savetxt-default");
    let line = "score model.safetensors --data in.txt --json";
    let output = run(&place, line);
    match output.status.code() {
        Some(0) => assert_eq!(texts(&output).0.lines().count(), 2),
        _ => one_line(line, &texts(&output).1, &["in.txt", "line 1", "separator"]),
    }
}

#[test]
fn dir_class_folders() {
    let place = case("dir-class-folders");
    let lines = scored(&place, "score model.safetensors --data pics --json");
    let text = serde_json::to_string(&lines).unwrap();
    assert_eq!(lines.len(), 2);
    assert!(
        text.contains("ok/1.png") && text.contains("scratch/1.png"),
        "{text}"
    );
}

/// Of seven pictures each is read, refused by name or counted.
#[test]
fn dir_skips_silently() {
    let place = case("dir-skips-silently");
    let output = run(&place, "score model.safetensors --data pics --json");
    let (out, err) = texts(&output);
    match output.status.code() {
        Some(0) if out.lines().count() == 7 => (),
        Some(0) => assert!(err.starts_with("warning: "), "{out}{err}"),
        _ => one_line("score", &err, &["pics"]),
    }
}

#[test]
fn score_without_names() {
    let place = case("score-without-names");
    let lines = scored(&place, "score model.safetensors --data pics --json");
    assert_eq!(lines.len(), 12);
    let names: Vec<&str> = lines.iter().filter_map(|l| l["name"].as_str()).collect();
    let wanted: Vec<String> = (1..=12).map(|number| format!("{number}.png")).collect();
    assert_eq!(names, wanted, "as a person counts");
    assert!(
        place
            .ok("score model.safetensors --data pics")
            .contains("10.png")
    );
}

#[test]
fn gz_zero_padding() {
    let place = case("gz-zero-padding");
    let lines = scored(&place, "score model.safetensors --data in.csv.gz --json");
    assert_eq!(lines.len(), 2);
}

#[test]
fn npy_float16_advice() {
    let place = case("npy-float16-advice");
    let lines = scored(&place, "score model.safetensors --data half.npy --json");
    assert_eq!(lines.len(), 6);
    let score = "score model.safetensors --data int.npy --json";
    let output = run(&place, score);
    match output.status.code() {
        Some(0) => assert_eq!(texts(&output).0.lines().count(), 6),
        // Types that are advised are types that are read.
        _ => {
            let (_, err) = texts(&output);
            one_line(score, &err, &["int.npy"]);
            let advice = err.split("expected").nth(1).unwrap_or_default();
            assert!(!advice.contains("i4"), "{err}");
        }
    }
}

#[test]
fn npy_python2_shape() {
    let place = case("npy-python2-shape");
    let lines = scored(&place, "score model.safetensors --data in.npy --json");
    assert_eq!(lines.len(), 6);
}

#[test]
fn npz_split_names() {
    let place = case("npz-split-names");
    let line = "train --preset half-masks --data med.npz --out run --epochs 1";
    place.refused(line, &["med.npz", "train_images", "--array"]);
    // The array is read: of four images, which is what the case has.
    let few = ["med.npz", "4 items are too few to train on"];
    place.refused(&format!("{line} --array train_images"), &few);
}

#[test]
fn offset_adc() {
    let place = case("offset-adc");
    let warned = |line: &str| {
        let output = run(&place, line);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{line}\n{}",
            texts(&output).1
        );
        texts(&output).0
    };
    warned("train --preset vector-small --data train.npy --out run --epochs 30");
    warned("export run --format q8 --calibrate train.npy --out m.flow");
    warned("calibrate m.flow --data cal.npy --alpha 0.01 --out m.flow");
    let out = warned("eval m.flow --in test.npy --ood far=far.npy --report rep --json");
    let found: Value = serde_json::from_str(&out).unwrap();
    let bits = found["in"]["bits_per_dim_median"].as_f64().unwrap();
    assert!((3.0..4.2).contains(&bits), "{bits}");
    let rejected = found["ood"][0]["rejected_share"].as_f64().unwrap();
    assert!(rejected >= 0.98, "{rejected}");
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

#[test]
fn pgm_plain() {
    let place = case("pgm-plain");
    let line = "score model.safetensors --data a.pgm --json";
    let output = run(&place, line);
    match output.status.code() {
        Some(0) => assert_eq!(texts(&output).0.lines().count(), 1),
        _ => one_line(line, &texts(&output).1, &["a.pgm", "P2", "P5"]),
    }
}
