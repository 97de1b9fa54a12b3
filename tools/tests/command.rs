//! The way of a model through the command: trained, exported, calibrated, scored, evaluated, verified.

mod support;

use flow_train_host::data::npy::{NpyArray, NpyValues};
use flow_train_host::train::TrainConfig;
use serde_json::Value;
use std::process::{Command, Stdio};
use support::{Place, SIDE, image_spec, model, texts, vector_spec};

/// A trained run with an uncalibrated and a calibrated `.flow`.
fn place() -> Place {
    let place = Place::new();
    place.images("train.idx3", 240, SIDE, 1, false);
    place.images("held-out.idx3", 200, SIDE, 2, false);
    place.images("test.idx3", 150, SIDE, 3, false);
    place.images("noise.idx3", 60, SIDE, 4, true);
    let mut config = TrainConfig::new(image_spec());
    config.epochs = 2;
    place.write("config.json", serde_json::to_string(&config).unwrap());
    place.ok("train --config config.json --data train.idx3 --out run --seed 5");
    place.ok("export run --format q8 --calibrate train.idx3 --out bare.flow --model-version 3");
    place.ok("calibrate bare.flow --data held-out.idx3 --alpha 0.05 --out model.flow");
    place
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is a number"))
}

#[test]
fn a_run_directory_holds_what_is_promised() {
    let place = place();
    for name in [
        "model.safetensors",
        "checkpoint.safetensors",
        "config.json",
        "provenance.json",
    ] {
        assert!(place.file("run").join(name).is_file(), "{name}");
    }
    let provenance: Value = serde_json::from_slice(&place.read("run/provenance.json")).unwrap();
    assert_eq!(provenance["seed"], 5);
    assert!(
        provenance["data"]
            .as_str()
            .unwrap()
            .starts_with("train.idx3: 240 images of 1x8x8")
    );
    let out = place.ok("train --resume --data train.idx3 --out run --config config.json --seed 5");
    assert!(out.contains("finished after 2 epochs"), "{out}");
}

#[test]
fn a_line_has_what_the_contract_says() {
    let place = place();
    let calibrated = lines(&place.ok("score model.flow --data test.idx3 --json"));
    assert_eq!(calibrated.len(), 150);
    for (index, line) in calibrated.iter().enumerate() {
        assert_eq!(line["index"], index);
        let nats = number(&line["log_prob_nats"]);
        let bits = -nats / (64.0 * std::f64::consts::LN_2);
        assert!((number(&line["bits_per_dim"]) - bits).abs() < 1e-9);
        let raw = |name: &str| line[name].as_i64().unwrap();
        let one = f64::from(1 << 24);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(nats, raw("log_prob_raw") as f64 / one));
        let scores = &line["scores"];
        assert!(near(number(&scores["likelihood"]), nats));
        let complexity = raw("log_prob_raw") + raw("code_length_raw");
        assert!(near(number(&scores["complexity"]), complexity as f64 / one));
        assert!(near(
            number(&scores["combined"]),
            raw("score_raw") as f64 / one
        ));
        assert!(number(&scores["typicality"]) <= 0.0);
        let decision = line["decision"].as_str().unwrap();
        assert!(["accept", "reject"].contains(&decision));
        let p = raw("p_value_ppm");
        assert!(near(number(&line["p_value"]), p as f64 / 1e6));
        assert_eq!(decision == "reject", p <= 50_000, "{line}");
        assert_eq!(
            decision == "reject",
            line["rejected_by"].is_string(),
            "{line}"
        );
    }
    let bare = lines(&place.ok("score bare.flow --data test.idx3 --json --limit 3"));
    assert_eq!(bare.len(), 3);
    for (line, calibrated) in bare.iter().zip(&calibrated) {
        assert_eq!(line["decision"], Value::Null);
        assert!(line["scores"].get("typicality").is_none());
        assert!(line["scores"].get("combined").is_none() && line.get("p_value").is_none());
        assert_eq!(line["score_raw"], line["log_prob_raw"]);
        assert_eq!(
            line["log_prob_raw"], calibrated["log_prob_raw"],
            "a gate changes no score"
        );
    }
}

#[test]
fn float_models_and_their_files_agree() {
    let place = place();
    place.ok("export run --format f32 --calibrate train.idx3 --out f32.flow");
    place.ok("export run/model.safetensors --format f16 --calibrate train.idx3 --out f16.flow");
    let of = |model: &str| lines(&place.ok(&format!("score {model} --data test.idx3 --json")));
    let bits = |lines: &[Value]| {
        lines
            .iter()
            .map(|l| number(&l["bits_per_dim"]))
            .collect::<Vec<_>>()
    };
    let float = of("run");
    assert_eq!(bits(&float), bits(&of("run/model.safetensors")));
    assert_eq!(bits(&float), bits(&of("f32.flow")));
    assert!(
        float[0].get("score_raw").is_none(),
        "integers are of .flow files only"
    );
    for (model, bound) in [("f16.flow", 0.01), ("bare.flow", 0.05)] {
        let pairs = bits(&float).into_iter().zip(bits(&of(model)));
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < bound, "{model}: {worst} bits per dim");
    }
}

#[test]
fn given_noise_is_used() {
    let place = place();
    let noise = |value: f32| NpyArray::new(vec![150, 64], NpyValues::F32(vec![value; 150 * 64]));
    noise(0.5).unwrap().write(&place.file("half.npy")).unwrap();
    noise(0.9).unwrap().write(&place.file("high.npy")).unwrap();
    let of = |rest: &str| {
        let lines = lines(&place.ok(&format!("score run --data test.idx3 --json {rest}")));
        lines
            .iter()
            .map(|l| number(&l["log_prob_nats"]))
            .collect::<Vec<_>>()
    };
    let (plain, half, high) = (of(""), of("--noise half.npy"), of("--noise high.npy"));
    for ((plain, half), high) in plain.iter().zip(&half).zip(&high) {
        assert!((plain - half).abs() < 1e-3, "the midpoint is 1/2");
        assert!((plain - high).abs() > 1e-3);
    }
    assert_eq!(of("--noise high.npy --limit 2"), high[..2]);
}

/// RFC 8410's example key, and the key of another.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
                      -----END PUBLIC KEY-----\n";
const OTHER: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n\
                     -----END PUBLIC KEY-----\n";

#[test]
fn a_signature_says_who_vouches() {
    use flow_train_host::export::file::FlowFile;
    let place = place();
    place.write("key.pem", KEY);
    place.write("public.pem", PUBLIC);
    place.write("other.pem", OTHER);
    place.ok("sign model.flow --key key.pem --out signed.flow");
    assert!(place.ok("verify signed.flow").contains("by key 19bf4409"));
    assert!(
        place
            .ok("verify signed.flow --key public.pem")
            .contains("by the given key")
    );
    let bytes = place.read("signed.flow");
    // A changed model version with the old signature, and a right checksum.
    let artifact = flow_infer::artifact::Artifact::load(&bytes).unwrap();
    let mut file = FlowFile::from_artifact(&artifact);
    file.model_version += 1;
    place.write("rolled.flow", file.to_bytes().unwrap());
    for (line, reason) in [
        ("verify signed.flow --key other.pem", "another key"),
        ("verify model.flow --key public.pem", "not signed"),
        ("verify rolled.flow", "not that of key"),
    ] {
        let output = place.flowgate(line.split(' '));
        let (out, _) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(out.contains(reason), "{line}: {out}");
    }
    place.ok("calibrate signed.flow --data held-out.idx3 --alpha 0.1 --out again.flow");
    assert!(place.ok("verify again.flow").contains("not signed"));
    place.refused(
        "sign model.flow --key public.pem --out x.flow",
        &["public.pem"],
    );
}

#[test]
fn drawn_noise_is_a_choice_of_the_file() {
    let place = place();
    place.ok(
        "export run --format f32 --calibrate train.idx3 --draws 2 --noise-seed 9 --out drawn.flow",
    );
    place
        .ok("export run --format q8 --calibrate train.idx3 --draws 2 --noise-seed 9 --out q8.flow");
    let of = |what: &str| {
        let lines = lines(&place.ok(&format!("score {what} --data test.idx3 --json")));
        lines
            .iter()
            .map(|l| number(&l["log_prob_nats"]))
            .collect::<Vec<_>>()
    };
    let float = of("run --draws 2 --noise-seed 9");
    assert_eq!(of("drawn.flow"), float);
    for (q8, float) in of("q8.flow").iter().zip(&float) {
        assert!((q8 - float).abs() < 0.05 * 64.0, "{q8} {float}");
    }
    for other in [
        "run",
        "run --draws 2 --noise-seed 8",
        "run --draws 1 --noise-seed 9",
    ] {
        assert_ne!(of(other), float, "{other}");
    }
    assert!(place.ok("verify q8.flow").contains("fit the logit margin"));
    place.refused(
        "score q8.flow --data test.idx3 --draws 3",
        &["q8.flow", "--draws"],
    );
}

#[test]
fn negative_training_makes_other_data_unlikely() {
    let place = place();
    place.dark_images("dark.idx3", 200);
    let config = "--config config.json --data train.idx3 --seed 5";
    place.ok(&format!(
        "train {config} --negative dark.idx3 --negative-threshold -900 --epochs 30 --out against"
    ));
    place.ok(&format!("train {config} --epochs 30 --out plain"));
    let mean = |run: &str| {
        let lines = lines(&place.ok(&format!("score {run} --data dark.idx3 --json")));
        let log_prob = lines.iter().map(|l| number(&l["log_prob_nats"]));
        log_prob.sum::<f64>() / lines.len() as f64
    };
    let (against, plain) = (mean("against"), mean("plain"));
    assert!(against < plain - 100.0, "{against} {plain}");
    place.refused(
        &format!("train {config} --negative dark.idx3 --out other"),
        &["--negative-threshold"],
    );
}

/// The first signal ends a run at a step; what goes on from there is what would have been without it.
#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    use std::io::Read;
    let place = place();
    let args = "--config config.json --data train.idx3 --seed 5 --epochs 120";
    let mut run = Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .args(format!("train {args} --out cut").split(' '))
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The second line is that of the first epoch: from there on the run listens.
    let mut out = run.stdout.take().unwrap();
    let mut head = [0; 80];
    out.read_exact(&mut head).unwrap();
    let mut kill = Command::new("kill");
    let sent = kill.args(["-INT", &run.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let rest = run.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&rest.stderr).into_owned();
    assert_eq!(rest.status.code(), Some(1), "{error}");
    assert!(error.contains("interrupted; --resume"), "{error}");
    drop(out);
    place.ok(&format!("train --resume {args} --out cut"));
    place.ok(&format!("train {args} --out whole"));
    assert_eq!(
        place.read("cut/model.safetensors"),
        place.read("whole/model.safetensors")
    );
}

#[test]
fn the_gate_keeps_its_promise_on_its_own_data() {
    let place = place();
    let complexity = "calibrate model.flow --data held-out.idx3 --alpha 0.05 --score complexity";
    place.ok(&format!("{complexity} --out plain.flow"));
    let lines = lines(&place.ok("score plain.flow --data held-out.idx3 --json"));
    let rejected = lines.iter().filter(|l| l["decision"] == "reject").count();
    // k = floor(0.05 201) = 10: nine lie below the tenth.
    assert_eq!(rejected, 9);
    let out = place.ok(
        "calibrate model.flow --data held-out.idx3 --alpha 0.5 --score likelihood --out model.flow",
    );
    assert!(out.contains("number 100 from below of 200"), "{out}");
    let inspected: Value = serde_json::from_str(&place.ok("inspect model.flow --json")).unwrap();
    assert_eq!(inspected["gate"]["score"], "likelihood");
    assert_eq!(
        inspected["provenance"]["history"].as_array().unwrap().len(),
        4
    );
    assert_eq!(inspected["provenance"]["seed"], 5);
}

#[test]
fn the_combined_score_is_chosen_by_benign_data_or_by_the_user() {
    let place = place();
    let calibrate = "calibrate bare.flow --data held-out.idx3 --alpha 0.05";
    let chosen: Value =
        serde_json::from_str(&place.ok(&format!("{calibrate} --json --out a.flow"))).unwrap();
    assert_eq!(
        (&chosen["score"], &chosen["samples"]),
        (&"combined".into(), &72.into())
    );
    assert!(number(&chosen["power"]) > 0.2, "{chosen}");
    assert!(number(&chosen["power_at_threshold"]) > 0.1, "{chosen}");
    let out = place.ok(&format!(
        "{calibrate} --tests likelihood,highlights --rule sum --out b.flow"
    ));
    assert!(
        out.contains("combined (sum of likelihood, highlights)"),
        "{out}"
    );
    let verified = place.ok("verify b.flow");
    assert!(
        verified.contains("4 vectors give the recorded bits"),
        "{verified}"
    );
    place.ok("data kinds held-out.idx3 --limit 5 --out kinds");
    let black = lines(&place.ok("score b.flow --data kinds/black.npy --json"));
    assert_eq!(black.len(), 5);
    for line in black {
        assert_eq!(line["decision"], "reject", "{line}");
        assert!(["likelihood", "highlights"].contains(&line["rejected_by"].as_str().unwrap()));
    }
}

#[test]
fn an_evaluation_is_a_page_and_figures() {
    let place = place();
    let eval = "eval model.flow --in test.idx3 --ood noise=noise.idx3 --ood <i>&=noise.idx3 --report report";
    let result: Value = serde_json::from_str(&place.ok(&format!("{eval} --json"))).unwrap();
    let scores = result["scores"].as_array().unwrap();
    let names: Vec<&str> = scores.iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "likelihood",
            "complexity",
            "typicality",
            "combined",
            "gaussian",
            "mixture"
        ]
    );
    for score in scores {
        let separation = &score["separation"]["noise"];
        for figure in ["auroc", "aupr_in", "aupr_out", "fpr_at_95_tpr"] {
            assert!(
                (0.0..=1.0).contains(&number(&separation[figure])),
                "{figure}"
            );
        }
    }
    // Noise is the most unlikely image of all.
    assert!(number(&scores[0]["separation"]["noise"]["auroc"]) > 0.99);
    assert_eq!(result["in"]["count"], 150);
    assert_eq!(result["ood"][0]["count"], 60);
    assert_eq!(result["gate"]["alpha"], 0.05);
    let page = String::from_utf8(place.read("report/index.html")).unwrap();
    assert!(page.starts_with("<!doctype html>"));
    assert!(
        page.contains("&lt;i&gt;&amp;") && !page.contains("<i>&"),
        "names are escaped"
    );
    nothing_from_outside(&page);
    assert!(
        page.matches("<svg").count() >= 5 + 2,
        "a histogram a score, a curve a set"
    );
    assert!(page.contains("data:image/png;base64,"));
    let stored: Value = serde_json::from_slice(&place.read("report/results.json")).unwrap();
    assert_eq!(stored, result);
    let again: Value = serde_json::from_str(&place.ok(&format!("{eval} --json"))).unwrap();
    assert_eq!(again, result, "the same figures twice");
}

fn nothing_from_outside(page: &str) {
    for outside in [
        "http://", "https://", "<script ", " src=\"/", "<link", "@import", "url(",
    ] {
        assert!(!page.contains(outside), "nothing from outside: {outside}");
    }
}

/// Own images under another name: a set that no gate rejects.
const UNSEEN: &str = "--in test.idx3 --ood noise=noise.idx3 --ood again=train.idx3";

#[test]
fn an_evaluation_does_not_flatter() {
    let place = place();
    let line = format!("eval model.flow {UNSEEN} --report report");
    let result: Value = serde_json::from_str(&place.ok(&format!("{line} --json"))).unwrap();
    for score in result["scores"].as_array().unwrap() {
        for set in ["noise", "again"] {
            let s = &score["separation"][set];
            for figure in ["auroc", "rejected_at_1_percent", "rejected_at_0_1_percent"] {
                let ends = &s[format!("{figure}_interval")];
                let (low, high) = (number(&ends[0]), number(&ends[1]));
                let value = number(&s[figure]);
                assert!(low <= value && value <= high && low < high, "{figure} {s}");
            }
        }
    }
    assert!(result["intervals"].as_str().unwrap().contains("Wilson"));
    let again = &result["ood"][1];
    let why = again["below_90_percent"].as_str().unwrap();
    assert!(why.contains("no score here tells"), "{why}");
    assert!(result["ood"][0].get("below_90_percent").is_none());
    let near = again["boundary"].as_array().unwrap();
    assert!(near.len() >= 7 && near.iter().any(|n| n["accepted"] == true));
    let scores: Vec<f64> = near.iter().map(|n| number(&n["score_nats"])).collect();
    assert!(scores.is_sorted(), "{scores:?}");

    let page = String::from_utf8(place.read("report/index.html")).unwrap();
    nothing_from_outside(&page);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(at("The deciding score") < at("<h2>Decisions</h2>"));
    assert!(at("<h2>Decisions</h2>") < at("Other scores and baselines"));
    assert!(page.contains("rejected: again.") && page.contains("<tr class=\"weak\">"));
    assert!(page.contains("class=\"interval\"") && page.contains("data-label=\"AUROC\""));
    assert!(page.contains("where it is odd") && page.contains("data-shares=\"{&quot;low&quot;"));
    assert!(page.contains("Time on a device") && page.contains("nRF52840"));
    let out = place.ok(&line);
    assert!(out.contains("below 90 %, again"), "{out}");
}

#[test]
fn a_page_has_the_curve_of_the_training() {
    let place = place();
    place.ok("eval run --in test.idx3 --report report");
    let page = String::from_utf8(place.read("report/index.html")).unwrap();
    assert!(page.contains("bits per dim over epochs"));
    place.ok("eval model.flow --in test.idx3 --training-log run/log.csv --report report");
    let page = String::from_utf8(place.read("report/index.html")).unwrap();
    assert!(page.contains("bits per dim over epochs"));
    place.refused(
        "eval model.flow --in test.idx3 --training-log run/config.json --report report",
        &["config.json", "no log of a training"],
    );
}

#[test]
fn two_models_are_seen_side_by_side() {
    let place = place();
    let out = place.ok(&format!("eval model.flow run {UNSEEN} --report both"));
    assert!(out.contains("false alarms, model.flow"), "{out}");
    let results: Value = serde_json::from_slice(&place.read("both/results.json")).unwrap();
    let models = results["models"].as_array().unwrap();
    let names: Vec<&str> = models
        .iter()
        .map(|m| m["model"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["model.flow", "run"]);
    let page = String::from_utf8(place.read("both/index.html")).unwrap();
    nothing_from_outside(&page);
    for (folder, model) in [("first", "model.flow"), ("second", "run")] {
        assert!(page.contains(&format!("href=\"{folder}/index.html\"")));
        let own = String::from_utf8(place.read(&format!("both/{folder}/index.html"))).unwrap();
        assert!(own.contains(&format!("<h1>{model}</h1>")));
    }
    place.refused(
        "eval model.flow run model.flow --in test.idx3 --report both",
        &["model.flow"],
    );
}

#[test]
fn baselines_can_be_fitted_elsewhere() {
    let place = place();
    let out = place.ok(
        "eval run --in test.idx3 --ood noise=noise.idx3 --baseline-data train.idx3 --report report --limit 40",
    );
    assert!(out.contains("train.idx3: 240 images"), "{out}");
    assert!(out.contains("gaussian (baseline)"), "{out}");
    let few = place.ok("eval run --in test.idx3 --ood noise=noise.idx3 --report report --limit 9");
    assert!(few.contains("none: half of 9"), "{few}");
}

#[test]
fn a_file_that_was_tampered_with_fails_its_checks() {
    use flow_infer::artifact::{Artifact, GoldenVector, Section};
    use flow_train_host::export::file::FlowFile;
    let place = place();
    let out = place.ok("verify model.flow");
    assert!(out.contains("4 vectors give the recorded bits"), "{out}");
    let fails = |name: &str, named: &str| {
        let output = place.flowgate(["verify", name]);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        support::one_line(name, &err, &[name, named]);
        assert!(out.contains("FAILED"), "{out}");
    };
    let good = place.read("model.flow");
    let mut flipped = good.clone();
    flipped[good.len() / 3] ^= 1;
    place.write("flipped.flow", &flipped);
    fails("flipped.flow", "integrity");

    let artifact = Artifact::load(&good).unwrap();
    let mut file = FlowFile::from_artifact(&artifact);
    let vectors: Vec<_> = artifact.golden().collect();
    file.set_golden(vectors.iter().map(|v| GoldenVector {
        log_prob_raw: v.log_prob_raw + 1,
        ..*v
    }));
    place.write("golden.flow", file.to_bytes().unwrap());
    fails("golden.flow", "golden vectors");

    let mut file = FlowFile::from_artifact(&artifact);
    let mut other = image_spec();
    other.levels[0].steps.swap(0, 1);
    file.set_spec(&other);
    place.write("spec.flow", file.to_bytes().unwrap());
    fails("spec.flow", "architecture");

    // The image table is the first tensor: its first latent.
    let mut file = FlowFile::from_artifact(&artifact);
    let mut tensors = artifact.tensors().to_vec();
    tensors[0] ^= 8;
    file.set(Section::Tensors, tensors);
    place.write("table.flow", file.to_bytes().unwrap());
    fails("table.flow", "input table");
}

/// Changes a little-endian word so that its scale shrinks.
type Weaken = fn([u8; 4]) -> [u8; 4];

#[test]
fn a_constant_that_is_not_the_stored_numbers_is_found() {
    use flow_infer::artifact::{Artifact, Section};
    use flow_train_host::export::file::FlowFile;
    let place = Place::new();
    place.table("own.csv", 60, 3, 9);
    model(vector_spec(3), 6)
        .save(&place.file("vector.safetensors"))
        .unwrap();
    for format in ["q8", "f32"] {
        let name = format!("{format}.flow");
        place.ok(&format!(
            "export vector.safetensors --format {format} --calibrate own.csv --golden 0 --out {name}"
        ));
        let out = place.ok(&format!("verify {name}"));
        assert!(
            out.contains("prior and determinants of the stored numbers"),
            "{out}"
        );
        let good = place.read(&name);
        let artifact = Artifact::load(&good).unwrap();
        let mut file = FlowFile::from_artifact(&artifact);
        let mut tensors = artifact.tensors().to_vec();
        // q8: the first coordinate's mantissa; f32: its deviation. Both halve the scale, and no other check sees it.
        let (word, halve): (usize, Weaken) = match format {
            "q8" => (3, |w| (i32::from_le_bytes(w) + 1).to_le_bytes()),
            _ => (1, |w| (f32::from_le_bytes(w) * 2.0).to_le_bytes()),
        };
        let bytes = tensors[4 * word..].first_chunk_mut::<4>().unwrap();
        *bytes = halve(*bytes);
        file.set(Section::Tensors, tensors);
        place.write(&name, file.to_bytes().unwrap());
        let output = place.flowgate(["verify", &name]);
        assert_eq!(output.status.code(), Some(1), "{}", texts(&output).0);
        assert!(texts(&output).1.contains("constant"));
    }
}

#[test]
fn golden_vectors_are_what_score_prints() {
    let place = place();
    place.ok("golden model.flow --data test.idx3 --out golden --limit 6");
    let load = |name: &str| {
        NpyArray::load(&place.file("golden").join(name))
            .unwrap()
            .into_parts()
    };
    assert_eq!(load("inputs.npy").0, [6, 1, 8, 8]);
    assert_eq!(load("latents.npy").0, [4, 1, 8, 8]);
    let scored = lines(&place.ok("score model.flow --data test.idx3 --limit 6 --json"));
    for name in ["log_prob_raw", "code_length_raw"] {
        let expected: Vec<i64> = scored.iter().map(|l| l[name].as_i64().unwrap()).collect();
        assert_eq!(load(&format!("{name}.npy")).1, NpyValues::I64(expected));
    }
    let provenance: Value = serde_json::from_slice(&place.read("golden/provenance.json")).unwrap();
    assert_eq!(provenance["model_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(
        (&provenance["inputs"], &provenance["training_seed"]),
        (&6.into(), &5.into())
    );
}

#[test]
fn inspection_tells_the_cost() {
    let place = place();
    let report: Value = serde_json::from_str(&place.ok("inspect model.flow --json")).unwrap();
    assert_eq!(report["format"], "q8");
    assert_eq!(report["model_version"], 3);
    assert_eq!(report["golden_vectors"], 4);
    assert_eq!(
        report["cost"]["flash_bytes"],
        place.read("model.flow").len()
    );
    // Couplings of 8x8 pixels: 3x3 from 2 to 4 channels, twice 3x3 from 4 to 4, 1x1 from 4 to 2.
    let weights = 2 * (9 * 2 * 4 + 2 * 9 * 4 * 4 + 4 * 2);
    assert_eq!(
        (&report["cost"]["weights"], &report["cost"]["macs"]),
        (&weights.into(), &(weights * 64).into())
    );
    assert_eq!(report["cost"]["steps"].as_array().unwrap().len(), 2);
    let need = report["cost"]["latent_bytes"].as_u64().unwrap();
    assert_eq!(need, 4 * 64);
    assert_eq!(
        report["spec"]["levels"][0]["steps"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let text = place.ok("inspect run --layers");
    assert!(
        text.contains("checkerboard, odd kept") && text.contains("conv 3x3"),
        "{text}"
    );
}

#[test]
fn vectors_go_the_same_way() {
    let place = Place::new();
    for (name, count, seed) in [
        ("train.csv", 300, 1),
        ("held.csv", 150, 2),
        ("test.csv", 80, 3),
    ] {
        place.table(name, count, 5, seed);
    }
    place.write("far.csv", "9,9,9,9,9\n-9,8,7,6,5\n");
    place.ok("train --preset vector-small --epochs 1 --data train.csv --out run");
    place.ok("export run --format q8 --calibrate train.csv --out v.flow");
    place.ok("calibrate v.flow --data held.csv --alpha 0.05 --out v.flow");
    let far = lines(&place.ok("score v.flow --data far.csv --json"));
    assert!(far.iter().all(|l| l["decision"] == "reject"), "{far:?}");
    assert!(far[0]["scores"].get("complexity").is_none());
    let out = place.ok("eval v.flow --in test.csv --ood far=far.csv --report report");
    assert!(out.contains("typicality"), "{out}");
    place.ok("golden v.flow --data test.csv --out golden");
    place.ok("verify v.flow");
}

#[test]
fn nothing_is_coloured_or_animated_where_nobody_looks() {
    let place = place();
    for line in [
        "score model.flow --data test.idx3",
        "verify model.flow",
        "inspect model.flow",
    ] {
        let out = place.ok(line);
        assert!(!out.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_told_nothing() {
    let place = place();
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .args(["score", "model.flow", "--data", "test.idx3", "--json"])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), texts(&output).1.as_str()),
        (Some(141), "")
    );
}

/// What a sensor and negatives do to a run is kept with it, and a resume needs no flag again.
#[test]
fn a_sensor_and_negatives_are_part_of_the_run_and_of_its_history() {
    let place = place();
    let train = "train --config config.json --data train.idx3 --seed 5";
    place.ok(&format!(
        "{train} --sensor noise=3,black-level=8 --negatives inverted,waves --negative-threshold -900 --out run2"
    ));
    let config: Value = serde_json::from_slice(&place.read("run2/config.json")).unwrap();
    assert_eq!(config["sensor"]["black_level"], 8.0);
    assert_eq!(
        config["negative_families"],
        serde_json::json!(["inverted", "waves"])
    );
    place.ok("export run2 --format q8 --calibrate train.idx3 --out b.flow");
    let inspected: Value = serde_json::from_str(&place.ok("inspect b.flow --json")).unwrap();
    let history = inspected["provenance"]["history"][0].as_str().unwrap();
    for part in [
        "through a sensor (black-level=8,noise=3)",
        "against negatives above -900 nats (inverted, waves)",
    ] {
        assert!(history.contains(part), "{history}");
    }
    assert_ne!(
        place.read("run2/model.safetensors"),
        place.read("run/model.safetensors")
    );
    let resumed = place.ok("train --resume --data train.idx3 --out run2");
    assert!(resumed.contains("finished after 2 epochs"), "{resumed}");
    place.refused(
        "train --resume --data train.idx3 --out run2 --sensor off",
        &["run2", "another config"],
    );
    place.refused(
        &format!("{train} --sensor light=1 --out c"),
        &["--sensor", "light"],
    );
    place.refused(
        &format!("{train} --negatives clothes --negative-threshold -900 --out c"),
        &["--negatives", "clothes", "inverted"],
    );
    place.refused(
        &format!("{train} --negatives all --out c"),
        &["--negative-threshold"],
    );
}

#[test]
fn camera_frames_are_inputs_of_the_images_size() {
    let place = place();
    let camera = "data camera test.idx3 --limit 6 --frame 80x80";
    place.ok(&format!("{camera} --optic block --noise 0 --out same.npy"));
    let original = place.ok("score bare.flow --data test.idx3 --limit 6 --json");
    let log_probs = |text: &str| -> Vec<f64> {
        lines(text)
            .iter()
            .map(|l| number(&l["log_prob_nats"]))
            .collect()
    };
    let same = place.ok("score bare.flow --data same.npy --json");
    assert_eq!(log_probs(&same), log_probs(&original));
    place.ok(&format!("{camera} --optic blur --out frames.npy"));
    let frames = place.ok("score bare.flow --data frames.npy --json");
    assert_ne!(log_probs(&frames), log_probs(&original));
    place.refused(
        "data camera test.idx3 --frame 4x4 --out f.npy",
        &["test.idx3", "smaller"],
    );
    place.refused(
        "data camera test.idx3 --noise 300 --out f.npy",
        &["--noise"],
    );
}
