//! `flowgate watch` on streams that are whole, that are not, and that stop.

mod support;

use flow_infer::spec::units::nats_from_raw;
use flow_infer::{AdaptiveThreshold, Decision, HoldAlarm};
use serde_json::Value;
use std::io::Write;
use std::process::Command;
use support::Place;
use support::camera::{HEIGHT, WIDTH, facts, frames, model, video, watch, watched};

#[test]
fn every_way_in_gives_the_bits_of_score() {
    let place = Place::new();
    let luma = frames(12, false);
    place.write("v.y4m", video(&luma));
    let model = model();
    let scored = place.ok(&format!(
        "score {} --data v.y4m --size 28x28 --json",
        model.display()
    ));
    let scored: Vec<Value> = scored
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let wanted: Vec<_> = scored.iter().map(facts).collect();
    assert_eq!(wanted.len(), 12);
    let (code, file, err) = watched(&place, &["v.y4m", "--json"], b"");
    assert_eq!(code, Some(0), "{err}");
    assert!(
        err.starts_with("12 frames, 0 dropped, 0 lost, 0 faults"),
        "{err}"
    );
    let (_, piped, _) = watched(&place, &["-", "--json"], &video(&luma));
    let raw = ["-", "--json", "--format", "yuyv", "--size", "56x64"];
    let (_, raw, _) = watched(&place, &raw, &frames(12, true).concat());
    for lines in [&file, &piped, &raw] {
        assert_eq!(lines.iter().map(facts).collect::<Vec<_>>(), wanted);
    }
    let line = &file[5];
    assert_eq!(
        (line["index"].as_u64(), line["time"].as_f64()),
        (Some(5), Some(0.2))
    );
    let latency = &line["latency_us"];
    let total = latency["total"].as_u64().unwrap();
    for stage in ["reduce", "wait", "evaluate"] {
        assert!(latency[stage].as_u64().unwrap() <= total, "{line}");
    }
    assert!(latency["read"].is_u64() && line["dropped"] == 0);
}

#[test]
fn alarms_begin_and_end_and_can_be_the_exit_code() {
    let place = Place::new();
    place.write("v.y4m", video(&frames(30, false)));
    let args = [
        "v.y4m",
        "--json",
        "--alarm",
        "2/3",
        "--hold",
        "4",
        "--fail-on-alarm",
    ];
    let (code, lines, err) = watched(&place, &args, b"");
    assert_eq!(code, Some(1), "{err}");
    let mut alarm = HoldAlarm::new(2, 0, 3, 4).unwrap();
    for line in &lines {
        let decision = match line["decision"].as_str() {
            Some("accept") => Decision::Accept,
            _ => Decision::Reject,
        };
        assert_eq!(line["alarm"], alarm.push(decision), "{line}");
    }
    assert!(lines.iter().any(|line| line["alarm"] == true));
}

#[test]
fn an_adaptive_threshold_decides_as_the_library_does_and_says_what_it_has_done() {
    let place = Place::new();
    place.write("v.y4m", video(&frames(60, false)));
    let args = [
        "v.y4m", "--json", "--alarm", "5/5", "--hold", "0", "--adapt",
    ];
    let (code, lines, err) = watched(&place, &args, b"");
    assert_eq!(code, Some(0), "{err}");
    let bytes = std::fs::read(model()).unwrap();
    let artifact = flow_infer::artifact::Artifact::load(&bytes).unwrap();
    let mut threshold = AdaptiveThreshold::of(artifact.calibration().unwrap()).unwrap();
    let mut alarm = HoldAlarm::new(5, 0, 5, 0).unwrap();
    for line in &lines {
        let moved = line["threshold_moved"].as_f64().unwrap();
        let nats = nats_from_raw(threshold.moved_raw());
        assert!((moved - nats).abs() < 1e-9, "{nats}: {line}");
        let decision = match line["saturated"] == true {
            true => Decision::Reject,
            false => threshold.decide(line["score_raw"].as_i64().unwrap()),
        };
        let said = if decision == Decision::Accept {
            "accept"
        } else {
            "reject"
        };
        assert_eq!(line["decision"], said, "{line}");
        assert_eq!(
            line["rejected_by"].is_string(),
            decision == Decision::Reject
        );
        threshold.follow(decision, alarm.push(decision));
    }
    assert!(lines.iter().any(|line| line["threshold_moved"] != 0.0));
    let rested = format!("it rested for {}", threshold.frozen());
    assert!(
        err.contains("threshold moved by") && err.contains(&rested),
        "{err}"
    );
}

#[test]
fn what_is_no_frame_is_invalid_and_the_stream_goes_on() {
    let place = Place::new();
    let whole = frames(6, false);
    let frame = 6 + WIDTH * HEIGHT;
    let mut torn = video(&whole);
    let start = torn.len() - 4 * frame;
    torn.drain(start + 100..start + 200);
    place.write("torn.y4m", &torn);
    let (code, lines, err) = watched(&place, &["torn.y4m", "--json"], b"");
    assert_eq!(code, Some(2), "{err}");
    let invalid = lines.iter().filter(|line| line["decision"] == "invalid");
    assert!(invalid.clone().count() >= 1);
    assert!(invalid.clone().all(|line| line["error"].is_string()));
    assert_ne!(lines.last().unwrap()["decision"], "invalid");
    assert!(err.contains("warning: torn.y4m: byte "), "{err}");

    let mut resized = video(&whole[..2]);
    resized.extend_from_slice(b"YUV4MPEG2 W20 H20 Cmono\nFRAME\n");
    resized.extend_from_slice(&[7; 400]);
    resized.extend_from_slice(&video(&whole[2..]));
    let (code, lines, err) = watched(&place, &["-", "--json"], &resized);
    assert_eq!(code, Some(2), "{err}");
    let decided = lines.iter().filter(|line| line["decision"] != "invalid");
    assert_eq!(decided.count(), 6);
    assert!(err.contains("smaller than the model's input"), "{err}");

    let cut = &video(&whole)[..4 * frame];
    let (code, lines, err) = watched(&place, &["-", "--json"], cut);
    assert_eq!((code, lines.len()), (Some(2), 4), "{err}");
    assert!(err.contains("truncated"), "{err}");
}

#[test]
fn sources_that_cannot_be_used_are_refused_with_a_line() {
    let place = Place::new();
    place.write("v.y4m", video(&frames(1, false)));
    place.write("text", "no video at all");
    place.write("small.y4m", b"YUV4MPEG2 W20 H20 Cmono\nFRAME\n");
    place.write("deep.y4m", b"YUV4MPEG2 W20 H20 C420p10\nFRAME\n");
    let small = [b"YUV4MPEG2 W20 H20 Cmono\nFRAME\n".to_vec(), vec![0; 400]].concat();
    place.write("whole.y4m", small);
    for (args, said) in [
        (&["nothing.y4m"][..], "nothing.y4m: cannot be read"),
        (&["text"], "--format and --size"),
        (
            &["v.y4m", "--format", "yuyv", "--size", "2x2"],
            "says its format",
        ),
        (&["text", "--format", "yuyv"], "--size"),
        (&["text", "--format", "jpeg"], "yuyv"),
        (&["small.y4m"], "truncated"),
        (&["whole.y4m"], "smaller than the model's input"),
        (&["deep.y4m"], "C420p10"),
        (&["v.y4m", "--region", "40,0,40,40"], "within the frame"),
        (
            &["v.y4m", "--region", "0,0,9,9"],
            "smaller than the model's input",
        ),
        (&["v.y4m", "--also", "nothing.flow"], "nothing.flow"),
        (&["-"], "standard input: holds no frames"),
        (&["/dev/no-such-camera"], "no-such-camera: cannot be read"),
        (&["."], "a directory"),
        (&["v.y4m", "--listen", "0.0.0.0:0"], "--allow-remote"),
        (&["v.y4m", "--listen", "somewhere"], "--listen"),
        (&["v.y4m", "--alarm", "6/5"], "M from 1 to N"),
    ] {
        let (code, _, err) = watched(&place, args, b"");
        assert_eq!(code, Some(2), "{args:?}: {err}");
        assert!(err.contains(said), "{args:?}: {err}");
    }
}

#[test]
fn a_port_that_is_taken_is_said_before_anything_is_read() {
    let place = Place::new();
    place.write("v.y4m", video(&frames(1, false)));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, lines, err) = watched(&place, &["v.y4m", "--json", "--listen", &address], b"");
    assert_eq!((code, lines.len()), (Some(2), 0), "{err}");
    let line = format!("error: --listen {address}: ");
    assert!(err.starts_with(&line) && err.contains("in use"), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[cfg(all(target_os = "linux", feature = "camera"))]
#[test]
fn a_device_that_is_no_camera_is_said() {
    let place = Place::new();
    let (code, _, err) = watched(&place, &["/dev/null"], b"");
    assert_eq!(code, Some(2));
    assert!(
        err.contains("/dev/null: cannot be used as a camera"),
        "{err}"
    );
}

#[cfg(all(target_os = "linux", not(feature = "camera")))]
#[test]
fn a_device_is_refused_with_another_way_where_none_are_read() {
    let place = Place::new();
    let (code, _, err) = watched(&place, &["/dev/null"], b"");
    assert_eq!(code, Some(2));
    assert!(err.contains("ffmpeg -f v4l2"), "{err}");
}

#[test]
fn several_parts_and_models_are_decided_together_as_each_alone() {
    let place = Place::new();
    place.write("v.y4m", video(&frames(6, false)));
    let tiny = model().with_file_name("fashion-tiny.flow");
    let also = format!("{}@0,4,40,40", tiny.display());
    let args = [
        "v.y4m",
        "--json",
        "--region",
        "0,0,40,40",
        "--region",
        "16,20,40,40",
        "--also",
    ];
    let (code, lines, err) = watched(&place, &[&args[..], &[&also]].concat(), b"");
    assert_eq!((code, lines.len()), (Some(0), 6), "{err}");
    let alone = |args: &[&str]| watched(&place, args, b"").1;
    let second = alone(&["v.y4m", "--json", "--region", "16,20,40,40"]);
    for (both, alone) in lines.iter().zip(&second) {
        assert_eq!(both["gates"][1]["name"], "fashion-bottleneck@16,20,40,40");
        assert_eq!(facts(&both["gates"][1]), facts(alone));
        assert_eq!(both["gates"].as_array().unwrap().len(), 3);
    }
    assert_ne!(facts(&lines[0]["gates"][0]), facts(&lines[0]["gates"][1]));
}

#[cfg(unix)]
#[test]
fn asked_to_end_it_says_what_it_saw() {
    let place = Place::new();
    let mut child = watch(&place, &["-", "--json"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&video(&frames(3, false))).unwrap();
    stdin.flush().unwrap();
    // All three are decided about while the sender still holds its end.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    for _ in 0..3 {
        lines.next().unwrap().unwrap();
    }
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("3 frames, 0 dropped"), "{err}");
}
