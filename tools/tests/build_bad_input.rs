//! What `flowgate build` cannot make a gate of: one line that says what and where, exit code 2, nothing half-written.

mod support;

use std::process::Command;
use support::{Place, Random};

fn png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    file
}

/// Different pictures of 20 x 20.
fn pictures(place: &Place, folder: &str, count: usize) {
    let mut random = Random(9);
    std::fs::create_dir(place.file(folder)).unwrap();
    for index in 0..count {
        let pixels: Vec<u8> = (0..1200).map(|_| random.next() as u8).collect();
        place.write(&format!("{folder}/{index}.png"), png(20, 20, &pixels));
    }
}

/// Everything below a folder, with its size.
fn files(place: &Place) -> Vec<(String, u64)> {
    let mut open = vec![place.path().to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => files.push((
                    entry.path().display().to_string(),
                    entry.metadata().unwrap().len(),
                )),
            }
        }
    }
    files.sort();
    files
}

fn refused(place: &Place, line: &str, parts: &[&str]) {
    let before = files(place);
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowgate"));
    let words = line.split_whitespace();
    let output = command.current_dir(place.path()).args(words).output();
    let output = output.unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{line}: {error}");
    assert_eq!(error.lines().count(), 1, "{line}: {error}");
    for part in parts {
        assert!(error.contains(part), "{line}: {part}: {error}");
    }
    // Parts that were read whole before a later stage refused may stay: the next run takes them.
    let others = |mut all: Vec<(String, u64)>| {
        all.retain(|(name, _)| !is_stage(name));
        all
    };
    assert_eq!(others(files(place)), others(before), "{line}");
}

/// Whether a file is a whole result of the stage that reads.
fn is_stage(name: &str) -> bool {
    let names = [
        "out/build.json",
        "out/data/split.json",
        "out/data/train.npy",
        "out/data/calibrate.npy",
        "out/data/test.npy",
    ];
    names.iter().any(|stage| name.ends_with(stage))
}

#[test]
fn data_that_teach_nothing() {
    let place = Place::new();
    for folder in ["empty", "text", "one", "same"] {
        std::fs::create_dir(place.file(folder)).unwrap();
    }
    place.write("text/a.txt", "a");
    place.write("one/a.png", png(20, 20, &[7; 1200]));
    for i in 0..250 {
        place.write(&format!("same/{i}.png"), png(20, 20, &[7; 1200]));
    }
    pictures(&place, "few", 20);
    for (data, parts) in [
        ("nothing", &["nothing"][..]),
        ("empty", &["empty", "no pictures"]),
        ("text", &["text", "no pictures"]),
        ("one", &["one", "1 input"]),
        ("same", &["same", "all 250 inputs are the same"]),
        ("few", &["few", "20 inputs are too few", "1.00 %", "109"]),
    ] {
        refused(&place, &format!("build --data {data} --out out"), parts);
    }
    refused(
        &place,
        "build --data few --out out --alpha 0.2 --blocks folders",
        &["few", "one block"],
    );
    refused(
        &place,
        "build --data few --out out --alpha 0.2 --blocks 3",
        &["few", "3 blocks", "4"],
    );
    refused(
        &place,
        "build --data few --out out --resume",
        &["no build to go on with"],
    );
}

#[test]
fn pictures_and_frames_that_cannot_be_inputs() {
    let place = Place::new();
    pictures(&place, "own", 30);
    let line = "build --data own --out out --alpha 0.2";
    refused(
        &place,
        &format!("{line} --size 16x16 --region 10,10,16,16"),
        &["own/0.png", "region does not lie"],
    );
    refused(
        &place,
        &format!("{line} --size 32x32"),
        &["own/0.png", "smaller than the model's input"],
    );
    refused(
        &place,
        &format!("{line} --size 300x300"),
        &["--size 300x300", "90,000 values", "65,535"],
    );
    // A picture that says it is larger than any memory, one that is larger than is decoded, and one that ends early.
    let whole = std::fs::read(place.file("own/7.png")).unwrap();
    let sized = |width: u32, height: u32| {
        let mut file = whole.clone();
        file[16..20].copy_from_slice(&width.to_be_bytes());
        file[20..24].copy_from_slice(&height.to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(&file[12..29]);
        file[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        file
    };
    for file in [sized(1_000_000, 1_000_000), sized(30_000, 30_000)] {
        place.write("own/7.png", file);
        refused(&place, line, &["own/7.png", "bytes"]);
    }
    place.write("own/7.png", &whole[..whole.len() / 2]);
    refused(&place, line, &["own/7.png"]);
    place.write("own/7.png", &whole[..20]);
    refused(&place, line, &["own/7.png"]);
}

#[test]
fn videos_and_arrays_that_end_early() {
    let place = Place::new();
    let frame = [b"FRAME\n".to_vec(), vec![9; 32 * 32]].concat();
    let video = [b"YUV4MPEG2 W32 H32 F1:1 Cmono\n".to_vec(), frame.repeat(3)].concat();
    place.write("whole.y4m", &video);
    refused(
        &place,
        "build --data whole.y4m --out out",
        &["whole.y4m", "all 3 inputs are the same"],
    );
    place.write("cut.y4m", &video[..video.len() - 5]);
    refused(
        &place,
        "build --data cut.y4m --out out",
        &["cut.y4m", "byte", "truncated"],
    );
    place.write("cut.npy", b"\x93NUMPY\x01\x00");
    refused(&place, "build --data cut.npy --out out", &["cut.npy"]);
    place.images("own.idx3", 40, 8, 1, false);
    let whole = place.read("own.idx3");
    place.write("cut.idx3", &whole[..whole.len() - 1]);
    refused(
        &place,
        "build --data cut.idx3 --out out",
        &["cut.idx3", "truncated"],
    );
    place.table("own.csv", 40, 3, 1);
    refused(
        &place,
        "build --data own.csv --out out --alpha 0.2 --preset realnvp",
        &["own.csv", "vectors", "realnvp"],
    );
    // A stride is one of raw frames: of a camera, or a pipe.
    refused(
        &place,
        "build --data own.idx3 --out out --alpha 0.2 --ood cut=cut.idx3",
        &["cut.idx3", "truncated"],
    );
}
