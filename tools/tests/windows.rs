//! `flowgate build` and `watch` from a folder of recordings to a gate, a page that shows windows, and decisions.

mod support;

use serde_json::Value;
use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use support::Place;

const USERS: usize = 10;
const SAMPLES: usize = 530;

/// Knuth's generator, for numbers from -1 to 1.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 23) - 1.0
    }
}

/// A recording of two channels at 50 samples a second; in a broken one channel `b<` shakes.
fn recording(seed: u64, broken: bool) -> String {
    let mut numbers = Numbers(seed.wrapping_mul(977) + 3);
    let (pitch, phase) = (2.0 + 0.2 * numbers.next(), numbers.next());
    let mut text = "time_s,a,b<\n".to_owned();
    for t in 0..SAMPLES {
        let now = t as f64 / 50.0;
        let wave = |shift: f64| (TAU * (pitch * now + phase + shift)).sin();
        let shaking = if broken { 0.6 * numbers.next() } else { 0.0 };
        let a = wave(0.0) + 0.05 * numbers.next();
        let b = 0.5 * wave(0.25) + 0.05 * numbers.next() + shaking;
        writeln!(text, "{now:.2},{a:.4},{b:.4}").unwrap();
    }
    text
}

fn made(place: &Place) {
    for user in 0..USERS {
        std::fs::create_dir_all(place.file(&format!("own/user-{user}"))).unwrap();
        place.write(
            &format!("own/user-{user}/walk.csv"),
            recording(user as u64, false),
        );
    }
    std::fs::create_dir_all(place.file("broken")).unwrap();
    place.write("broken/1.csv", recording(77, true));
    place.write("new.csv", recording(78, false));
}

/// Runs a command that has to work, whatever it remarks, and gives what it printed.
fn built(place: &Place, line: &str) -> String {
    let output = place.flowgate(line.split_whitespace());
    let (said, errors) = support::texts(&output);
    assert!(output.status.success(), "{line}: {errors}");
    said
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// What must be the same whoever computes it.
fn bits(line: &Value) -> Vec<Value> {
    let keys = [
        "index",
        "name",
        "decision",
        "p_value",
        "rejected_by",
        "score_raw",
        "log_prob_raw",
        "code_length_raw",
        "fault",
    ];
    keys.map(|key| line[key].clone()).into()
}

fn watch(place: &Place, args: &[&str], input: &str) -> (Option<i32>, Vec<Value>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .current_dir(place.path())
        .arg("watch")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), lines(&said), errors)
}

#[test]
fn one_command_makes_a_gate_of_a_folder_of_recordings() {
    let place = Place::new();
    made(&place);
    let line = "build --data own --window 32 --hop 16 --channels a,b< --ood broken=broken --out out --alpha 0.05 \
                --epochs 25";
    let said = built(&place, line);
    println!("{said}");
    for fact in [
        "320 windows of 32 samples x 2 channels",
        "in 10 blocks, the recordings",
        "5, each held out of a model of the others",
        "rejected by a threshold of the others",
        "golden vectors",
    ] {
        assert!(said.contains(fact), "{fact}");
    }
    let results: Value = serde_json::from_slice(&place.read("out/report/results.json")).unwrap();
    let rejected = results["ood"][0]["rejected_share"].as_f64().unwrap();
    assert!(rejected > 0.9, "{rejected} of the broken ones are rejected");
    let own = results["in"]["rejected_share"].as_f64().unwrap();
    assert!(own < 0.25, "{own} of 32 windows of one person are rejected");

    // What shakes is what is found odd.
    let rows = results["ood"][0]["windows"].as_array().unwrap();
    let shown: Vec<&Value> = rows
        .iter()
        .flat_map(|row| row["windows"].as_array().unwrap())
        .collect();
    assert_eq!(shown.len(), 6);
    for window in shown {
        assert_eq!(window["odd"]["channel"], "b<", "{window}");
        assert!(window["odd"]["nats"].as_f64().unwrap() > 10.0, "{window}");
    }
    let page = String::from_utf8(place.read("out/report/index.html")).unwrap();
    for part in [
        "class=\"trace\"",
        "class=\"octave\"",
        "class=\"odd\"",
        "oddest in b&lt; from 0.",
        "windows of 32 samples, 50 a second, of a, b&lt;, one every 16",
        "the first to be rejected",
        "the hardest to reject",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for outside in ["http:", "https:", "src=\"/", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(built(&place, line), "nothing has changed: out/gate.flow\n");

    // A new recording as a file, line by line, and in a pipe: the same bits.
    let scored = lines(&place.ok("score out/gate.flow --data new.csv --json"));
    let text = recording(78, false);
    let (code, watched, errors) = watch(&place, &["out/gate.flow", "new.csv", "--json"], "");
    assert_eq!((code, watched.len()), (Some(0), 32), "{errors}");
    let wanted: Vec<_> = scored.iter().map(bits).collect();
    assert_eq!(watched.iter().map(bits).collect::<Vec<_>>(), wanted);
    let last = &watched[31];
    assert_eq!(last["time"].as_f64(), Some(10.54), "{last}");
    assert_eq!(last["lines"], serde_json::json!([498, 529]));
    assert!(errors.starts_with("32 windows, 0 faults: "), "{errors}");
    let (_, piped, _) = watch(&place, &["out/gate.flow", "-", "--json"], &text);
    let unnamed = |line: &Value| bits(line)[2..].to_vec();
    let wanted: Vec<_> = scored.iter().map(unnamed).collect();
    assert_eq!(piped.iter().map(unnamed).collect::<Vec<_>>(), wanted);
    assert_eq!(piped[0]["name"], "standard input, lines 2-33");

    faults(&place, &text);
    refusals(&place, &text);
}

/// What is no sample, samples that are missing, and channels that stand still are said with their lines.
fn faults(place: &Place, text: &str) {
    let mut broken: Vec<String> = text.lines().map(str::to_owned).collect();
    broken[100] = "1.98,0.1,".to_owned();
    broken[101] = "2.00,0.1,nan".to_owned();
    broken.drain(200..210);
    for line in &mut broken[300..380] {
        let cut = line.rfind(',').unwrap();
        line.replace_range(cut.., ",0.25");
    }
    let broken = broken.join("\n") + "\n";
    let args = [
        "out/gate.flow",
        "-",
        "--json",
        "--alarm",
        "2/3",
        "--hold",
        "0",
    ];
    let (code, watched, errors) = watch(place, &args, &broken);
    assert_eq!(code, Some(2), "{errors}");
    for said in [
        "warning: standard input: line 101, field 3: empty field",
        "warning: standard input: line 102, field 3: NaN is not a finite f32",
        "warning: standard input: line 201: samples are missing, 0.200 s",
        "in 2 places",
    ] {
        assert!(errors.contains(said), "{said}: {errors}");
    }
    let invalid: Vec<&Value> = watched
        .iter()
        .filter(|line| line["error"].is_string())
        .collect();
    assert_eq!(
        invalid.len(),
        2,
        "one of two lines in a row, one of the gap"
    );
    assert!(invalid.iter().all(|line| line["decision"] == "invalid"));
    // Windows begin anew behind a fault, at the first sample that came.
    let begins = |first: u64| watched.iter().any(|line| line["lines"][0] == first);
    assert!(begins(103) && begins(201), "{watched:?}");
    let stuck: Vec<&Value> = watched
        .iter()
        .filter(|line| line["fault"]["kind"] == "stuck")
        .collect();
    assert!(stuck.len() >= 3, "{}", stuck.len());
    assert_eq!(stuck[0]["fault"]["channel"], 1);
    assert_eq!(stuck[0]["channel"], "b<");
    assert_eq!(stuck[1]["alarm"], true, "{}", stuck[1]);
}

fn refusals(place: &Place, text: &str) {
    let stripped: String = text
        .lines()
        .skip(1)
        .map(|line| format!("{line}\n"))
        .collect();
    let renamed = text.replace("b<", "c");
    let slow = text
        .lines()
        .enumerate()
        .map(|(t, line)| match line.split_once(',') {
            Some((_, rest)) if t > 0 => format!("{:.2},{rest}\n", t as f64 / 20.0),
            _ => format!("{line}\n"),
        });
    let slow: String = slow.collect();
    for (args, input, why) in [
        (&["-"][..], "", "holds no items"),
        (&["-"], &renamed, "no column \"b<\""),
        (
            &["-"],
            &slow,
            "sampled 20 times a second, and 50 are wanted",
        ),
        (&["-"], &stripped, "--channels"),
        (&["absent.csv"], "", "absent.csv"),
        (&["-", "--region", "0,0,4,4"], text, "--region"),
        (&["-", "--format", "grey8"], text, "--format"),
        (&["-", "--newest"], text, "--newest"),
    ] {
        let args = [&["out/gate.flow"], args].concat();
        let (code, watched, errors) = watch(place, &args, input);
        assert_eq!(code, Some(2), "{args:?}: {errors}");
        assert!(errors.contains(why), "{args:?}: {errors}");
        assert!(watched.is_empty(), "{args:?}");
    }
    let numbered = ["out/gate.flow", "-", "--json", "--channels", "2,3"];
    let (code, watched, errors) = watch(place, &numbered, &stripped);
    assert_eq!((code, watched.len()), (Some(0), 32), "{errors}");
}

#[test]
fn what_cannot_become_windows_is_refused_with_its_place() {
    let place = Place::new();
    made(&place);
    let whole = recording(1, false);
    let at = |line: usize, text: &str| {
        let mut lines: Vec<&str> = whole.lines().collect();
        lines[line] = text;
        lines.join("\n")
    };
    place.write("nan.csv", at(40, "0.78,nan,0.1"));
    place.write("hole.csv", at(40, "0.78,0.1,"));
    place.write(
        "short.csv",
        whole.lines().take(20).collect::<Vec<_>>().join("\n"),
    );
    for (line, why) in [
        (
            "--data nan.csv --window 32",
            "nan.csv: line 41, field 2: NaN is not a finite f32",
        ),
        (
            "--data hole.csv --window 32",
            "hole.csv: line 41, field 3: empty field (--channels says",
        ),
        ("--data short.csv --window 32", "no stretch of 32 samples"),
        ("--data own --window 32 --channels a,z", "no column \"z\""),
        (
            "--data own/user-1 --window 32",
            "are too few for a false-alarm rate of 1.00 %",
        ),
        ("--data own", "--window cuts recordings of a sensor"),
    ] {
        let line = format!("build {line} --out out");
        let output = place.flowgate(line.split_whitespace());
        let (_, errors) = support::texts(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {errors}");
        assert!(errors.contains(why), "{line}: {errors}");
    }
}
