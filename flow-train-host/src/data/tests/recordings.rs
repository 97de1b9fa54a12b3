//! Recordings: what becomes windows, what is said, what is refused and where.

use crate::data::recordings::{Faulty, LearnedWindows, RecordingOptions, WindowChoice};
use crate::data::{ColumnChoice, DataError, ReadOptions, Reading, read};
use crate::windows::WindowSpec;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn options(length: u16) -> RecordingOptions {
    RecordingOptions {
        channels: ColumnChoice::default(),
        time: None,
        rate_hertz: None,
        windows: WindowChoice::Learned(LearnedWindows {
            length,
            hop: None,
            features: Vec::new(),
            range: None,
        }),
        faulty: Faulty::LeaveOut,
    }
}

fn read_as(path: &Path, own: RecordingOptions) -> Result<Reading, DataError> {
    let options = ReadOptions {
        recordings: Some(own),
        ..ReadOptions::default()
    };
    read(path, &options)
}

fn spec(reading: &Reading) -> WindowSpec {
    reading
        .dataset
        .windows()
        .expect("windows")
        .spec()
        .as_ref()
        .clone()
}

fn said(reading: &Reading) -> String {
    let lines: Vec<String> = reading.notices.iter().map(|n| n.what.to_string()).collect();
    lines.join("\n")
}

fn refused(path: &Path, own: RecordingOptions) -> String {
    let error = read_as(path, own).expect_err("it is refused").to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    let folder = path.parent().unwrap().to_string_lossy().into_owned();
    error.replace(&format!("{folder}/"), "")
}

/// Two axes of a swing at 50 Hz, `edit` to be applied to each line before it is written.
fn swing(lines: usize, mut edit: impl FnMut(usize, &mut [String; 3])) -> String {
    let mut text = "time,ax,ay\n".to_owned();
    for t in 0..lines {
        let mut line = [
            format!("{:.2}", t as f64 / 50.0),
            format!("{:.4}", (t as f64 * 0.31).sin()),
            format!("{:.4}", (t as f64 * 0.17).cos() + 1.0),
        ];
        edit(t, &mut line);
        writeln!(text, "{}", line.join(",")).unwrap();
    }
    text
}

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_table_becomes_windows_with_rate_scale_and_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.csv", &swing(100, |_, _| {}));
    let reading = read_as(&path, options(32)).unwrap();
    let spec = spec(&reading);
    assert_eq!((spec.rate_millihertz, spec.hop), (50_000, 16));
    let names: Vec<&str> = spec.channels.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["ax", "ay"]);
    // Up to 1 and up to 2: a half of 16 bits.
    assert_eq!(
        (spec.channels[0].exponent, spec.channels[1].exponent),
        (14, 13)
    );
    assert_eq!(
        reading.dataset.len(),
        5,
        "windows of 32 of 100 samples, 16 apart"
    );
    assert_eq!(reading.items.get(1).to_string(), "a.csv, lines 18-49");
    assert_eq!(reading.blocks, ["a.csv"; 5]);
    assert_eq!(said(&reading), "sampled 50 times a second");
    let windows = reading.dataset.windows().unwrap();
    let sample = ((16.0f64 * 0.31).sin() * 16384.0 + 0.5).floor();
    assert!((f64::from(windows.get(1)[0]) - sample).abs() <= 1.0);
    // 8 means of 2 channels, and 4 octaves of 32 samples.
    assert_eq!((reading.dataset.dims(), reading.columns.len()), (24, 24));
    assert_eq!(
        reading.columns[8].to_string(),
        "column 9 (\"ay means:8 0\")"
    );
}

#[test]
fn no_window_reaches_over_a_gap_or_a_jump() {
    let folder = tempfile::tempdir().unwrap();
    let text = swing(200, |t, line| {
        let late = if t >= 70 { 3.0 } else { 0.0 };
        let back = if t >= 150 { -2.5 } else { 0.0 };
        line[0] = format!("{:.2}", t as f64 / 50.0 + late + back);
    });
    let reading = read_as(&file(&folder, "a.csv", &text), options(32)).unwrap();
    // Of 70, 80 and 50 samples: 3, 4 and 2.
    assert_eq!(reading.dataset.len(), 9);
    assert_eq!(reading.items.get(3).to_string(), "a.csv, lines 72-103");
    assert_eq!(
        said(&reading),
        "sampled 50 times a second\n\
         samples are missing once, as 3.000 s before line 72: no window reaches over that\n\
         the clock stands still or jumps back once, as at line 152: no window reaches over that"
    );
}

#[test]
fn folders_are_recordings_and_short_ones_are_said() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["in/u2/b.csv", "in/u2/a.csv", "in/u10/a.csv"] {
        file(&folder, name, &swing(48, |_, _| {}));
    }
    file(&folder, "in/c.csv", &swing(20, |_, _| {}));
    let reading = read_as(&folder.path().join("in"), options(32)).unwrap();
    assert_eq!(reading.blocks, ["u2", "u2", "u2", "u2", "u10", "u10"]);
    assert_eq!(reading.items.get(0).to_string(), "u2/a.csv, lines 2-33");
    assert!(
        said(&reading)
            .ends_with("1 stretch shorter than a window of 32 samples left out: c.csv, lines 2-21"),
        "{}",
        said(&reading)
    );
    let alone = folder.path().join("in/c.csv");
    assert_eq!(
        refused(&alone, options(32)),
        "c.csv: holds no stretch of 32 samples, as a window has"
    );
}

#[test]
fn stumbles_have_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| file(&folder, name, text);
    let nan = path(
        "nan.csv",
        &swing(64, |t, line| {
            if t == 9 {
                line[2] = "NaN".to_owned();
            }
        }),
    );
    assert_eq!(
        refused(&nan, options(32)),
        "nan.csv: line 11, field 3: NaN is not a finite f32"
    );
    let empty = path(
        "empty.csv",
        &swing(64, |t, line| {
            if t == 3 {
                line[1].clear();
            }
        }),
    );
    assert_eq!(
        refused(&empty, options(32)),
        "empty.csv: line 5, field 2: empty field"
    );
    let good = path("good.csv", &swing(64, |_, _| {}));
    let channels = |names: &str| RecordingOptions {
        channels: ColumnChoice(vec![names.to_owned()]),
        ..options(32)
    };
    assert_eq!(
        refused(&good, channels("ax,az")),
        "good.csv: no column \"az\": neither in the header nor a number from 1 to 3"
    );
    let rate = RecordingOptions {
        rate_hertz: Some(100.0),
        ..options(32)
    };
    assert_eq!(
        refused(&good, rate),
        "good.csv: its clock says 50 samples a second, and --rate says 100"
    );
    let mut bands = options(100);
    if let WindowChoice::Learned(wanted) = &mut bands.windows {
        wanted.features = vec!["bands:1".parse().unwrap()];
    }
    let long = path("long.csv", &swing(300, |_, _| {}));
    assert!(
        refused(&long, bands)
            .starts_with("long.csv: bands:1x1 does not divide a window of 100 samples")
    );
    let model = spec(&read_as(&good, options(32)).unwrap());
    let slow = path(
        "slow.csv",
        &swing(64, |t, line| line[0] = format!("{:.2}", t as f64 / 25.0)),
    );
    assert_eq!(
        refused(&slow, RecordingOptions::of_model(model)),
        "slow.csv: sampled 25 times a second, and 50 are wanted: resample it first"
    );
    assert!(refused(&path("x.csv", ""), options(32)).contains("x.csv: "));
}

#[test]
fn stuck_and_saturated_windows_are_left_out_or_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = swing(640, |t, line| {
        if (64..96).contains(&t) {
            line[1] = "0.25".to_owned();
        }
        if (320..340).contains(&t) {
            line[2] = "2.5".to_owned();
        }
    });
    let path = file(&folder, "a.csv", &text);
    let mut ranged = options(32);
    if let WindowChoice::Learned(wanted) = &mut ranged.windows {
        wanted.range = Some([-2.5, 2.5]);
    }
    let reading = read_as(&path, ranged).unwrap();
    // 39 windows; one is stuck, and three see four samples or more of the 20 at the end of the range.
    assert_eq!(reading.dataset.len(), 39 - 4);
    assert!(
        said(&reading)
            .contains("4 windows left out, as a.csv, lines 66-97: channel \"ax\" is stuck"),
        "{}",
        said(&reading)
    );
    let kept = read_as(&path, RecordingOptions::of_model(spec(&reading))).unwrap();
    assert_eq!(kept.dataset.len(), 39);
}

#[test]
fn a_channel_that_stands_still_in_benign_data_may() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        &folder,
        "a.csv",
        &swing(320, |_, line| line[1] = "0.5".to_owned()),
    );
    let reading = read_as(&path, options(32)).unwrap();
    assert_eq!(reading.dataset.len(), 19);
    let spec = spec(&reading);
    let calm: Vec<bool> = spec.channels.iter().map(|c| c.may_be_constant).collect();
    assert_eq!(calm, [true, false]);
    assert!(said(&reading).contains("channel \"ax\" does not change in 100 % of the windows"));
}

#[test]
fn a_column_of_blocks_parts_one_long_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "ax,user\n".to_owned();
    for t in 0..96 {
        let user = ["ann", "bob"][usize::from(t >= 40)];
        writeln!(text, "{},{user}", (f64::from(t) * 0.31).sin()).unwrap();
    }
    let path = file(&folder, "a.csv", &text);
    let options = ReadOptions {
        block_column: Some("user".to_owned()),
        recordings: Some(options(32)),
        ..ReadOptions::default()
    };
    let reading = read(&path, &options).unwrap();
    assert_eq!(reading.blocks, ["ann", "bob", "bob"]);
    assert_eq!(spec(&reading).rate_millihertz, 0);
    assert!(said(&reading).contains("says nothing of its rate"));
}

#[test]
fn arrays_and_sound_are_recordings_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let values: Vec<f32> = (0..200).map(|i| (i as f32 * 0.13).sin()).collect();
    let values = crate::data::npy::NpyValues::F32(values);
    let array = crate::data::npy::NpyArray::new(vec![100, 2], values).unwrap();
    array.write(&path).unwrap();
    let reading = read_as(&path, options(32)).unwrap();
    assert_eq!(
        (reading.dataset.len(), spec(&reading).channels.len()),
        (5, 2)
    );
    assert_eq!(reading.items.get(1).to_string(), "a.npy, samples 16-47");

    let path = folder.path().join("a.wav");
    let format = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, format).unwrap();
    for t in 0..512 {
        writer
            .write_sample((9000.0 * (t as f64 * 0.2).sin()) as i16)
            .unwrap();
    }
    writer.finalize().unwrap();
    let reading = read_as(&path, options(128)).unwrap();
    let sound = spec(&reading);
    assert_eq!(
        (reading.dataset.len(), sound.rate_millihertz),
        (7, 8_000_000)
    );
    assert_eq!(
        (sound.channels[0].exponent, sound.channels[0].offset),
        (0, 0.0)
    );
    let windows = reading.dataset.windows().unwrap();
    assert_eq!(
        windows.get(0)[3],
        (9000.0 * 0.6f64.sin()) as i16,
        "samples stay what they are"
    );
    let cut = std::fs::read(&path).unwrap();
    std::fs::write(&path, &cut[..40]).unwrap();
    assert!(refused(&path, options(128)).starts_with("a.wav: "));
}

#[test]
fn windows_come_back_from_an_array_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let reading = read_as(&file(&folder, "a.csv", &swing(200, |_, _| {})), options(32)).unwrap();
    let path = folder.path().join("windows.npy");
    reading.dataset.to_npy().unwrap().write(&path).unwrap();
    let own = RecordingOptions::of_model(spec(&reading));
    let back = read_as(&path, own).unwrap();
    assert_eq!(back.dataset, reading.dataset);
    let other = WindowSpec {
        length: 64,
        ..spec(&reading)
    };
    assert!(
        refused(&path, RecordingOptions::of_model(other))
            .ends_with("windows of 32 samples x 2 channels, and the model reads 64 x 2")
    );
}
