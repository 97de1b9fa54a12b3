//! `flowgate capture`: what it keeps is what came, and nothing that was there is lost.

mod support;

use flow_train_host::data::{Dataset, load};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use support::Place;
use support::camera::{HEIGHT, WIDTH, begin, facts, frames, given, model, video, watched};

fn capture(place: &Place, args: &[&str], input: &[u8]) -> (Option<i32>, Vec<Value>, String) {
    given(place, &[&["capture", "--json"], args].concat(), input)
}

/// Files that are there, without what only the command knows of.
fn names(place: &Place) -> Vec<String> {
    let name = |path: &Path| {
        path.strip_prefix(place.path())
            .unwrap()
            .display()
            .to_string()
    };
    place.listing().iter().map(|path| name(path)).collect()
}

#[test]
fn a_kept_video_is_what_came_and_gives_the_same_bits() {
    let place = Place::new();
    let came = frames(12, true).concat();
    let raw = ["-", "--format", "yuyv", "--size", "56x64"];
    let (code, lines, err) = capture(&place, &[&raw[..], &["--out", "kept.y4m"]].concat(), &came);
    assert_eq!((code, lines.len()), (Some(0), 12), "{err}");
    assert!(err.starts_with("12 of 12 frames kept"), "{err}");
    let wanted = watched(&place, &[&raw[..], &["--json"]].concat(), &came).1;
    let kept = watched(&place, &["kept.y4m", "--json"], b"").1;
    assert_eq!(
        kept.iter().map(facts).collect::<Vec<_>>(),
        wanted.iter().map(facts).collect::<Vec<_>>()
    );
    let model = model();
    let line = format!(
        "calibrate {} --data kept.y4m --size 28x28 --alpha 0.2 --score likelihood --out own.flow",
        model.display()
    );
    // Of frames that repeat each other it warns.
    let output = place.flowgate(line.split_whitespace());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    place.ok("verify own.flow");
}

#[test]
fn kept_pictures_are_the_frames_and_are_numbered_on() {
    let place = Place::new();
    let mut random = support::Random(0x5EED_CA97);
    let came: Vec<u8> = (0..4 * 3 * WIDTH * HEIGHT)
        .map(|_| random.next() as u8)
        .collect();
    let args = [
        "-", "--format", "rgb888", "--size", "56x64", "--out", "kept",
    ];
    let (code, lines, err) = capture(&place, &args, &came);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(lines[3]["kept"], "frame-00000003.png");
    let Dataset::Images(images) = load(&place.file("kept")).unwrap() else {
        panic!("pictures are images");
    };
    assert_eq!(images.len(), 4);
    let plane = WIDTH * HEIGHT;
    for (image, frame) in images.iter().zip(came.chunks(3 * plane)) {
        for (at, pixel) in frame.chunks(3).enumerate() {
            let found = [image[at], image[plane + at], image[2 * plane + at]];
            assert_eq!(found, pixel);
        }
    }
    let first = place.read("kept/frame-00000000.png");
    let (code, lines, err) = capture(&place, &[&args[..], &["--count", "1"]].concat(), &came);
    assert_eq!(
        (code, &lines[0]["kept"]),
        (Some(0), &"frame-00000004.png".into()),
        "{err}"
    );
    assert_eq!(place.read("kept/frame-00000000.png"), first);
}

#[test]
fn nothing_is_written_over_and_what_cannot_be_kept_is_refused() {
    let place = Place::new();
    place.write("v.y4m", video(&frames(2, false)));
    place.write("there.y4m", "mine");
    place.write("file", "mine");
    for (args, said) in [
        (&["v.y4m", "--out", "there.y4m"][..], "is there already"),
        (&["v.y4m", "--out", "v.y4m"], "is there already"),
        (&["v.y4m", "--out", "file"], "file: a file"),
        (&["v.y4m", "--out", "no/such/x.y4m"], "no/such"),
        (
            &["nothing.y4m", "--out", "a.y4m"],
            "nothing.y4m: cannot be read",
        ),
        (&["v.y4m", "--out", "a.y4m", "--count", "0"], "--count"),
        (&["v.y4m", "--out", "a.y4m", "--most-bytes", "1T"], "1T"),
        (
            &["v.y4m", "--out", "a.y4m", "--region", "0,0,28,28"],
            "--strange",
        ),
        (
            &["v.y4m", "--out", "a.y4m", "--strange", "no.flow"],
            "no.flow",
        ),
        (
            &[
                "file", "--format", "rgb888", "--size", "1x1", "--out", "a.y4m",
            ],
            "a video holds no rgb888",
        ),
    ] {
        let (code, _, err) = capture(&place, args, b"");
        assert_eq!(code, Some(2), "{args:?}: {err}");
        assert!(err.contains(said), "{args:?}: {err}");
    }
    assert_eq!(place.read("there.y4m"), b"mine");
    assert_eq!(names(&place), ["file", "there.y4m", "v.y4m"]);
}

#[test]
fn bounds_hold() {
    let place = Place::new();
    let all = frames(12, false);
    place.write("v.y4m", video(&all));
    let ok = |args: &[&str]| {
        let (code, lines, err) = capture(&place, &[&["v.y4m"], args].concat(), b"");
        assert_eq!(code, Some(0), "{args:?}: {err}");
        lines
            .iter()
            .map(|line| line["index"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ok(&["--out", "a.y4m", "--count", "3"]), [0, 1, 2]);
    assert_eq!(ok(&["--out", "b.y4m", "--every", "5"]), [0, 5, 10]);
    let kept = String::from_utf8_lossy(&place.read("b.y4m")).into_owned();
    assert!(
        kept.starts_with("YUV4MPEG2 W56 H64 F5000:1000 "),
        "{}",
        &kept[..60]
    );
    let most = 4 * (WIDTH * HEIGHT + 6);
    // The header takes the room of a part of a frame.
    assert_eq!(
        ok(&["--out", "c.y4m", "--most-bytes", &most.to_string()]),
        [0, 1, 2]
    );
    assert!(place.read("c.y4m").len() <= most);
    assert!(ok(&["--out", "d", "--most-bytes", "1"]).is_empty());
    assert_eq!(
        place
            .listing()
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "png"))
            .count(),
        0
    );
}

#[test]
fn strange_frames_are_those_that_the_gate_does_not_accept() {
    let place = Place::new();
    place.write("v.y4m", video(&frames(12, false)));
    let watch = watched(&place, &["v.y4m", "--json"], b"").1;
    let strange = watch.iter().filter(|line| line["decision"] != "accept");
    let pick = |line: &Value| ["index", "decision", "score_raw"].map(|key| line[key].clone());
    let wanted: Vec<_> = strange.map(pick).collect();
    assert!(!wanted.is_empty());
    let model = model();
    let args = [
        "v.y4m",
        "--out",
        "odd.y4m",
        "--strange",
        model.to_str().unwrap(),
    ];
    let (code, lines, err) = capture(&place, &args, b"");
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(lines.iter().map(pick).collect::<Vec<_>>(), wanted);
    let again = watched(&place, &["odd.y4m", "--json"], b"").1;
    assert!(again.iter().all(|line| line["decision"] == "reject"));
}

#[test]
fn faults_are_said_and_whole_frames_are_kept() {
    let place = Place::new();
    let whole = video(&frames(4, false));
    let cut = &whole[..whole.len() - 100];
    let (code, lines, err) = capture(&place, &["-", "--out", "kept.y4m"], cut);
    assert_eq!((code, lines.len()), (Some(2), 3), "{err}");
    assert!(
        err.contains("truncated") && err.contains("in 1 places"),
        "{err}"
    );
    assert_eq!(watched(&place, &["kept.y4m", "--json"], b"").1.len(), 3);

    let resized = [
        video(&frames(2, false)),
        b"YUV4MPEG2 W2 H2 Cmono\nFRAME\nabcd".to_vec(),
    ]
    .concat();
    let (_, lines, err) = capture(&place, &["-", "--out", "one.y4m"], &resized);
    assert_eq!(lines.len(), 2);
    assert!(err.contains("frames of 2x2 grey8 are left out"), "{err}");
}

#[cfg(unix)]
#[test]
fn asked_to_end_it_leaves_a_whole_video_and_nothing_else() {
    let place = Place::new();
    let mut child = begin(&place, &["capture", "-", "--out", "kept.y4m", "--json"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&video(&frames(3, false))).unwrap();
    stdin.flush().unwrap();
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
    assert!(err.contains("3 of 3 frames kept"), "{err}");
    assert_eq!(names(&place), ["kept.y4m"]);
    assert_eq!(watched(&place, &["kept.y4m", "--json"], b"").1.len(), 3);
    use std::os::unix::fs::PermissionsExt;
    let mode = |name: &str| {
        std::fs::metadata(place.file(name))
            .unwrap()
            .permissions()
            .mode()
    };
    place.write("other", "");
    assert_eq!(mode("kept.y4m"), mode("other"));
}
