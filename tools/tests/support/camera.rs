//! Frames, and `watch` or `capture` that are given them.

use super::{Place, Random};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub(crate) const WIDTH: usize = 56;
pub(crate) const HEIGHT: usize = 64;

pub(crate) fn model() -> PathBuf {
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../firmware/models");
    models
        .join("fashion-bottleneck.flow")
        .canonicalize()
        .unwrap()
}

/// Frames of YUYV, or of their luma alone, some smooth and some of noise.
pub(crate) fn frames(count: usize, yuyv: bool) -> Vec<Vec<u8>> {
    let seed = 0x5EED_0021;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let frame = |n: usize| -> Vec<u8> {
        let pixel = |at: usize| match n % 3 {
            0 => (at % WIDTH * 4) as u8,
            1 => (at / WIDTH * 3) as u8,
            _ => (255.0 * random.uniform()) as u8,
        };
        let luma = (0..WIDTH * HEIGHT).map(pixel);
        luma.flat_map(|y| if yuyv { vec![y, 128] } else { vec![y] })
            .collect()
    };
    (0..count).map(frame).collect()
}

pub(crate) fn video(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Cmono\n").into_bytes();
    for frame in frames {
        bytes.extend_from_slice(b"FRAME\n");
        bytes.extend_from_slice(frame);
    }
    bytes
}

pub(crate) fn begin(place: &Place, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .args(args)
        .current_dir(place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Exit code, lines and standard error of a command that is given these bytes.
pub(crate) fn given(
    place: &Place,
    args: &[&str],
    input: &[u8],
) -> (Option<i32>, Vec<Value>, String) {
    let mut child = begin(place, args);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that refuses its input reads no more of it.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('{'));
    let lines = lines.map(|line| serde_json::from_str(line).unwrap());
    let err = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), lines.collect(), err)
}

pub(crate) fn watch(place: &Place, args: &[&str]) -> Child {
    let model = model();
    begin(place, &[&["watch", model.to_str().unwrap()], args].concat())
}

/// [`given`] of a watch.
pub(crate) fn watched(
    place: &Place,
    args: &[&str],
    input: &[u8],
) -> (Option<i32>, Vec<Value>, String) {
    let model = model();
    let args = [&["watch", model.to_str().unwrap()], args].concat();
    given(place, &args, input)
}

/// The keys that do not depend on the machine's speed.
pub(crate) fn facts(line: &Value) -> Vec<Value> {
    [
        "score_raw",
        "log_prob_raw",
        "code_length_raw",
        "p_value_ppm",
        "decision",
    ]
    .map(|key| line[key].clone())
    .to_vec()
}
