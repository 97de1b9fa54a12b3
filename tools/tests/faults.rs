//! Faults of kinds that users run into, each with what is right instead: results that destroy, work that ends as
//! success, promises of the command line, figures that cannot be compared. `tests/data/faults/README.md` has the cases
//! that came from outside.

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use support::{Place, model, one_line, texts, vector_spec};

/// A model of vectors as float and integer model, and data for it.
fn place() -> Place {
    let place = Place::new();
    let float = place.file("m.safetensors");
    model(vector_spec(4), 2).save(&float).unwrap();
    place.table("d.csv", 240, 4, 4);
    place.table("other.csv", 90, 4, 5);
    place.ok("export m.safetensors --format q8 --calibrate d.csv --out m.flow");
    place
}

fn shell(place: &Place, script: &str) -> Output {
    let mut command = Command::new("bash");
    command
        .args(["-c", script])
        .env("FLOWGATE", env!("CARGO_BIN_EXE_flowgate"))
        .current_dir(place.path());
    command.output().unwrap()
}

fn start(place: &Place, line: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .args(line.split_whitespace())
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn object(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["schema"], 1, "{text}");
    value
}

fn epochs_logged(run: &Path) -> usize {
    let log = std::fs::read_to_string(run.join("log.csv")).unwrap();
    log.lines().count() - 1
}

// Destruction.

#[cfg(unix)]
#[test]
fn a_pipe_as_result_stays_a_pipe_and_gets_every_byte() {
    use std::os::unix::fs::FileTypeExt;
    let place = place();
    let made = shell(&place, "mkfifo p && mkfifo q");
    assert!(made.status.success());
    let calibrate = "calibrate m.flow --data d.csv --alpha 0.1 --out";
    place.ok(&format!("{calibrate} file.flow"));
    let pipe = place.file("p");
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read(pipe).unwrap()
    });
    place.ok(&format!("{calibrate} p"));
    assert_eq!(reader.join().unwrap(), place.read("file.flow"));
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
    place.ok(&format!("{calibrate} /dev/null"));
    let null = std::fs::metadata("/dev/null").unwrap().file_type();
    assert!(null.is_char_device());
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode_and_a_link_stays() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    let made = shell(
        &place,
        "cp m.flow kept.flow && chmod 600 kept.flow && ln -s kept.flow link.flow",
    );
    assert!(made.status.success());
    place.ok("calibrate m.flow --data d.csv --alpha 0.1 --out link.flow");
    let link = std::fs::symlink_metadata(place.file("link.flow")).unwrap();
    assert!(link.is_symlink());
    let mode = std::fs::metadata(place.file("kept.flow"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        place
            .ok("inspect kept.flow --json")
            .contains("\"alpha_ppm\":100000")
    );
}

/// The data do not even exist: who is told of the result's place first has not waited for anything.
#[test]
fn whether_a_result_has_a_place_is_asked_before_the_work() {
    let place = place();
    place.write("file", b"x");
    let of_files = [
        "export m.safetensors --format q8 --calibrate none.csv --out",
        "calibrate m.flow --data none.csv --alpha 0.1 --out",
        "convert --from nflows none.pt --out",
        "sign none.flow --key none.pem --out",
        "data select none.csv --column a --equals 1 --out",
        "inspect none.flow --picture",
    ];
    for line in of_files {
        let named = ["no/such/m: cannot be written: no/such: no such directory"];
        place.refused(&format!("{line} no/such/m"), &named);
        place.refused(&format!("{line} ."), &["is a directory"]);
    }
    let of_directories = [
        "train --preset vector-small --data none.csv --out",
        "eval m.flow --in none.csv --report",
        "golden m.flow --data none.csv --out",
        "visualize latents m.flow --data none.csv --out",
        "visualize samples m.safetensors --out",
        "data fetch fashion-mnist --out",
        "man",
    ];
    for line in of_directories {
        place.refused(
            &format!("{line} file"),
            &["file: cannot be written: is not a directory"],
        );
        place.refused(
            &format!("{line} file/below"),
            &["file/below: cannot be written"],
        );
    }
}

#[test]
fn what_is_read_is_not_written_over() {
    let place = place();
    let before = (place.read("d.csv"), place.read("m.safetensors"));
    for line in [
        "export m.safetensors --format q8 --calibrate d.csv --out ./d.csv",
        "export m.safetensors --format q8 --calibrate d.csv --out m.safetensors",
        "calibrate m.flow --data d.csv --alpha 0.1 --out d.csv",
        "data select d.csv --column 1 --equals 1 --out d.csv",
        "convert --from flowgate m.safetensors --out m.safetensors",
    ] {
        place.refused(line, &["is read here"]);
    }
    assert_eq!(before, (place.read("d.csv"), place.read("m.safetensors")));
}

// Work that ends as success.

#[test]
fn training_goes_on_where_nobody_reads_its_lines() {
    let place = place();
    for end in ["run", "json --json"] {
        let line = format!("train --preset vector-small --data d.csv --epochs 12 --out {end}");
        let mut run = start(&place, &line);
        let mut lines = BufReader::new(run.stdout.take().unwrap());
        lines.read_line(&mut String::new()).unwrap();
        drop(lines);
        let output = run.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", texts(&output).1);
        assert_eq!(texts(&output).1, "");
        assert_eq!(
            epochs_logged(&place.file(end.split(' ').next().unwrap())),
            12
        );
    }
}

#[test]
fn a_closed_pipe_is_quiet_and_no_success_where_the_output_is_the_result() {
    let place = place();
    place.table("long.csv", 20_000, 4, 9);
    let status = |script: &str| {
        let output = shell(&place, &format!("{script}; echo ${{PIPESTATUS[0]}}"));
        let (out, err) = texts(&output);
        assert_eq!(err, "", "{script}");
        out.lines().last().unwrap().to_owned()
    };
    assert_eq!(
        status(r#""$FLOWGATE" score m.flow --data long.csv --json | head -n 1"#),
        "141"
    );
    let calibrate = r#""$FLOWGATE" calibrate m.flow --data d.csv --alpha 0.1 --out c.flow | true"#;
    assert_eq!(status(calibrate), "0");
    assert!(
        place
            .ok("inspect c.flow --json")
            .contains("\"alpha_ppm\":100000")
    );
    // Standard error closed as well: nothing panics.
    assert_eq!(
        status(r#""$FLOWGATE" score none.flow --data d.csv 2>&- >&-"#),
        "2"
    );
}

#[test]
fn one_run_in_a_directory_at_a_time() {
    let place = place();
    let line = "train --preset vector-small --data d.csv --out run --epochs 100000";
    let mut first = start(&place, line);
    let mut lines = BufReader::new(first.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    lines.read_line(&mut String::new()).unwrap();
    let config = place.read("run/config.json");
    for other in [
        "train --preset vector-small --data d.csv --out run --epochs 2 --seed 5",
        "train --resume --data d.csv --out run --epochs 100000",
    ] {
        let output = place.flowgate(other.split(' '));
        assert_eq!(output.status.code(), Some(2), "{other}");
        let (out, err) = texts(&output);
        assert_eq!(out, "");
        one_line(other, &err, &["run: "]);
        assert!(err.contains("in use") || err.contains("already"), "{err}");
    }
    assert_eq!(place.read("run/config.json"), config);
    // Killed, with no chance to tidy up: the run is free again.
    first.kill().unwrap();
    first.wait().unwrap();
    let mut again = start(
        &place,
        "train --resume --data d.csv --out run --epochs 100000",
    );
    let mut lines = BufReader::new(again.stdout.take().unwrap());
    let mut text = String::new();
    lines.read_line(&mut text).unwrap();
    again.kill().unwrap();
    let mut error = String::new();
    again
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut error)
        .unwrap();
    again.wait().unwrap();
    assert!(text.starts_with("epoch"), "{text}{error}");
}

#[test]
fn two_runs_that_start_together() {
    let place = place();
    for round in 0..3 {
        let lines = [1, 5].map(|seed| {
            format!(
                "train --preset vector-small --data d.csv --out run{round} --epochs 30 --threads 1 --seed {seed}"
            )
        });
        let runs = lines.clone().map(|line| start(&place, &line));
        let ends = runs.map(|run| run.wait_with_output().unwrap());
        let codes: Vec<_> = ends.iter().map(|end| end.status.code()).collect();
        let won = codes.iter().position(|code| *code == Some(0)).unwrap();
        assert_eq!(codes[1 - won], Some(2), "{}", texts(&ends[1 - won]).1);
        let config: Value =
            serde_json::from_slice(&place.read(&format!("run{round}/config.json"))).unwrap();
        let origin: Value =
            serde_json::from_slice(&place.read(&format!("run{round}/provenance.json"))).unwrap();
        assert_eq!(config["seed"], [1, 5][won]);
        assert_eq!(origin["seed"], [1, 5][won]);
    }
}

#[test]
fn a_calibration_of_repeated_inputs_is_none() {
    let place = place();
    let row = "0.5,0.25,0.125,0.75\n";
    place.write("same.csv", row.repeat(300));
    let calibrate = "calibrate m.flow --alpha 0.01 --out c.flow --data";
    place.refused(
        &format!("{calibrate} same.csv"),
        &["same.csv", "only 1 different scores", "at least 99"],
    );
    let data = String::from_utf8(place.read("d.csv")).unwrap();
    place.write("some.csv", format!("{data}{}", row.repeat(7)));
    let line = format!("{calibrate} some.csv --json");
    let output = place.flowgate(line.split(' '));
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        err.starts_with("warning: some.csv: 6 of 247 inputs"),
        "{err}"
    );
    assert_eq!(object(&out)["repeats"], 6);
}

// What the command line promises.

#[test]
fn a_part_of_the_data_trains() {
    let place = place();
    let out = place
        .ok("train --preset vector-small --data d.csv --skip 40 --limit 120 --epochs 2 --out run");
    assert!(out.contains("finished after 2 epochs"), "{out}");
    let origin = String::from_utf8(place.read("run/provenance.json")).unwrap();
    assert!(origin.contains("120 vectors of 4 values"), "{origin}");
    place.refused(
        "train --preset vector-small --data d.csv --skip 240 --out other",
        &["d.csv", "--skip"],
    );
    let help = |verb: &str| {
        let output = place.flowgate(verb.split(' ').chain(["--help"]));
        texts(&output).0
    };
    for verb in [
        "train",
        "convert",
        "embed",
        "export",
        "calibrate",
        "score",
        "eval",
        "golden",
        "data select",
        "visualize latents",
        "visualize couplings",
        "visualize activations",
        "visualize coadaptation",
        "visualize samples",
    ] {
        let text = help(verb);
        assert!(
            text.contains("--limit") && text.contains("--skip"),
            "{verb}\n{text}"
        );
    }
}

#[test]
fn a_misspelt_preset_is_told_before_the_data_are_read() {
    let place = Place::new();
    place.refused(
        "train --preset vector-smal --data none.csv --out run",
        &["vector-smal", "fashion-tiny", "vector-small"],
    );
}

#[test]
fn own_data_alone_can_be_evaluated() {
    let place = place();
    place.ok("calibrate m.flow --data d.csv --alpha 0.1 --out c.flow");
    for model in ["m.flow", "c.flow", "m.safetensors"] {
        let out = place.ok(&format!("eval {model} --in other.csv --report r"));
        assert!(out.contains("other") && !out.contains("AUROC"), "{out}");
        let page = String::from_utf8(place.read("r/index.html")).unwrap();
        assert!(!page.contains("NaN") && !page.contains("against"), "{page}");
    }
}

#[test]
fn machines_are_told_with_a_version() {
    let place = place();
    let trained = place.ok("train --preset vector-small --data d.csv --epochs 2 --out run --json");
    let lines: Vec<Value> = trained.lines().map(object).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (&lines[0]["epoch"], &lines[1]["epoch"]),
        (&1.into(), &2.into())
    );
    assert_eq!(
        (&lines[2]["finished"], &lines[2]["epochs"]),
        (&true.into(), &2.into())
    );
    let exported =
        object(&place.ok("export run --format q8 --calibrate d.csv --out r.flow --json"));
    let bytes = place.read("r.flow").len();
    assert_eq!(exported["format"], "q8");
    assert!(exported["flash_bytes"].as_u64().unwrap() as usize <= bytes);
    let calibrated = place.ok("calibrate r.flow --data d.csv --alpha 0.1 --out r.flow --json");
    let calibrated = object(&calibrated);
    assert_eq!(
        (&calibrated["samples"], &calibrated["rank"]),
        (&240.into(), &24.into())
    );
    let verified = object(&place.ok("verify r.flow --json"));
    assert_eq!(verified["ok"], true);
    let mut bytes = place.read("r.flow");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    place.write("bad.flow", bytes);
    let output = place.flowgate(["verify", "bad.flow", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let failed = object(&texts(&output).0);
    assert_eq!(
        (&failed["ok"], &failed["checks"][0]["result"]),
        (&false.into(), &"failed".into())
    );
    object(&place.ok("inspect r.flow --json"));
    object(&place.ok("presets --json"));
    object(&place.ok("eval r.flow --in other.csv --ood d=d.csv --report rep --json"));
}

#[test]
fn presets_are_listed_and_begin_a_configuration() {
    let place = place();
    let list = object(&place.ok("presets --json"));
    let table = place.ok("presets");
    for preset in list["presets"].as_array().unwrap() {
        let name = preset["name"].as_str().unwrap();
        assert!(table.contains(name), "{table}");
        let dims = if preset["reads"] == "vectors" {
            " --dims 4"
        } else {
            ""
        };
        assert!(
            place
                .ok(&format!("config {name}{dims}"))
                .contains("epochs = ")
        );
    }
    place.refused("config vector-small", &["--dims"]);
    place.refused("config fashion-tiny --dims 4", &["--dims"]);
    let text = place.ok("config vector-small --dims 4");
    place.write("own.toml", text.replace("epochs = 50", "epochs = 2 # few"));
    place.ok("train --config own.toml --data d.csv --out run");
    assert_eq!(epochs_logged(&place.file("run")), 2);
    place.write("bad.toml", text.replace("epochs = 50", "epochs = \"many\""));
    place.refused(
        "train --config bad.toml --data d.csv --out other",
        &["bad.toml", "line ", "epochs"],
    );
}

#[test]
fn shells_and_manuals_know_the_verbs() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.ok(&format!("completions {shell}"));
        for word in ["calibrate", "visualize", "calibrate-"] {
            assert!(
                script.contains(word.trim_end_matches('-')),
                "{shell}: {word}"
            );
        }
    }
    place.ok("man pages");
    let page = String::from_utf8(place.read("pages/flowgate-train.1")).unwrap();
    assert!(
        page.contains("flowgate") && page.contains("preset"),
        "{page}"
    );
    assert!(place.file("pages/flowgate-data-select.1").exists());
}

// Figures that can be compared, and the file at fault.

#[test]
fn rows_of_a_table_are_about_the_same_inputs() {
    let place = place();
    std::fs::copy(place.file("d.csv"), place.file("same.csv")).unwrap();
    let data = String::from_utf8(place.read("d.csv")).unwrap();
    let few: String = data
        .lines()
        .take(60)
        .map(|line| format!("{line}\n"))
        .collect();
    place.write("few.csv", few);
    let out =
        place.ok("eval m.flow --in d.csv --ood same=same.csv --ood few=few.csv --report r --json");
    let found = object(&out);
    assert_eq!(found["aupr_share"], 0.5);
    let scores = found["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 3, "likelihood and two baselines");
    for score in scores {
        let same = &score["separation"]["same"];
        let near = |value: &Value| (value.as_f64().unwrap() - 0.5).abs();
        // The same inputs on both sides are one step of every curve.
        assert!(near(&same["auroc"]) < 1e-9, "{score}");
        assert!(
            near(&same["aupr_in"]) < 0.02 && near(&same["aupr_out"]) < 0.02,
            "{score}"
        );
        let few = &score["separation"]["few"];
        assert!(
            near(&few["aupr_in"]) < 0.15 && near(&few["aupr_out"]) < 0.15,
            "{score}"
        );
    }
    assert!(
        place
            .ok("eval m.flow --in d.csv --ood few=few.csv --report r")
            .contains("AUPR in (1:1)")
    );
}

#[test]
fn a_cause_is_said_once() {
    let place = place();
    for line in [
        "score m.flow --data none",
        "score none --data d.csv",
        "calibrate none --data d.csv --alpha 0.1 --out c.flow",
        "eval m.flow --in d.csv --ood a=none --report r",
        "train --config none --data d.csv --out run",
        "train --preset vector-small --data none --out run",
        "convert --from nflows none --out m2.safetensors",
        "convert --from flowgate none --out m2.safetensors",
        "sign m.flow --key none --out s.flow",
        "verify m.flow --key none",
        "data select none --column 1 --equals 1 --out o.csv",
    ] {
        let output = place.flowgate(line.split(' '));
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{line}\n{err}");
        assert_eq!(err.matches("No such file").count(), 1, "{line}\n{err}");
        assert!(err.contains("none: "), "{line}\n{err}");
    }
}

#[test]
fn the_file_at_fault_is_named() {
    let place = place();
    place.table("three.csv", 50, 3, 1);
    let negative = "train --preset vector-small --data d.csv --out run --negative three.csv --negative-threshold -20";
    place.refused(negative, &["three.csv: ", "3 values"]);
    place.table("one.csv", 50, 1, 1);
    place.refused(
        "train --preset vector-small --data one.csv --out run",
        &["one.csv: ", "two columns or more"],
    );
    place.refused(
        "train --preset vector-small --whiten 9 --data d.csv --out run",
        &["d.csv: "],
    );
}

/// A file where another kind was wanted: what it is, and who reads it.
#[test]
fn files_of_another_kind_are_told_apart() {
    let place = place();
    let checkpoint =
        b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0d\0\0\0m/data.pkl.";
    place.write("m.pt", checkpoint);
    place.write("a.npy", b"\x93NUMPY\x01\0");
    for (model, what) in [
        ("m.pt", "a PyTorch checkpoint; `flowgate convert`"),
        ("a.npy", "a NumPy array"),
    ] {
        for line in [
            format!("score {model} --data d.csv"),
            format!("export {model} --format q8 --calibrate d.csv --out o.flow"),
            format!("inspect {model}"),
            format!("verify {model}"),
        ] {
            place.refused(&line, &[model, what]);
        }
    }
    for (data, what) in [
        ("m.flow", "a .flow: a model, and no data"),
        ("m.safetensors", "a safetensors file: a model, and no data"),
        (
            "m.pt",
            "a PyTorch checkpoint, which `flowgate convert` reads",
        ),
    ] {
        place.refused(&format!("score m.flow --data {data}"), &[data, what]);
        let train = format!("train --preset vector-small --data {data} --out run");
        place.refused(&train, &[data, what]);
    }
}

/// The bytes of the result and nothing else, where they go to standard output.
#[cfg(target_os = "linux")]
#[test]
fn standard_output_can_be_the_result() {
    let place = place();
    let calibrate = r#""$FLOWGATE" calibrate m.flow --data d.csv --alpha 0.1 --out"#;
    let output = shell(
        &place,
        &format!("{calibrate} /dev/stdout | cat > piped.flow"),
    );
    assert!(output.status.success());
    assert!(texts(&output).1.contains("threshold"));
    place.ok("verify piped.flow");
    let output = shell(&place, &format!("{calibrate} /dev/stdout > direct.flow"));
    assert_eq!(output.status.code(), Some(2));
    one_line(
        "",
        &texts(&output).1,
        &["/dev/stdout", "name the file itself"],
    );
}
