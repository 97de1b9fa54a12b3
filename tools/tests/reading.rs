//! Data as users have it: what is no measurement is refused or said, and every item keeps its name.

mod support;

use support::{Place, Random, SIDE, image_spec, model, texts, vector_spec};

fn place() -> Place {
    let place = Place::new();
    model(vector_spec(4), 2)
        .save(&place.file("vector.safetensors"))
        .unwrap();
    model(image_spec(), 1)
        .save(&place.file("image.safetensors"))
        .unwrap();
    place
}

/// A grey picture of the models' size as a PGM.
fn picture(place: &Place, name: &str, level: u8) {
    let pixels = vec![level; usize::from(SIDE) * usize::from(SIDE)];
    let head = format!("P5 {SIDE} {SIDE} 255\n");
    place.write(name, [head.as_bytes(), &pixels].concat());
}

/// Standard output and standard error of a line that succeeds.
fn told(place: &Place, line: &str) -> (String, String) {
    let output = place.flowgate(line.split_whitespace());
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "flowgate {line}\n{err}");
    (out, err)
}

fn names(lines: &str) -> Vec<String> {
    let name = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["name"].as_str().unwrap().to_owned()
    };
    lines.lines().map(name).collect()
}

#[test]
fn class_folders_are_read_and_every_line_names_its_file() {
    let place = place();
    for class in ["cat", "dog"] {
        std::fs::create_dir_all(place.file("pics").join(class)).unwrap();
        for number in [2, 10] {
            picture(&place, &format!("pics/{class}/{number}.pgm"), number);
        }
    }
    place.write("pics/labels.gif", b"GIF89a");
    let (out, err) = told(&place, "score image.safetensors --data pics --json");
    let all = ["cat/2.pgm", "cat/10.pgm", "dog/2.pgm", "dog/10.pgm"];
    assert_eq!(names(&out), all);
    let said = "warning: pics: 1 pictures of a format that is not read passed over: labels.gif\n";
    assert_eq!(err, said);
    let (out, _) = told(
        &place,
        "score image.safetensors --data pics --skip 1 --limit 2 --json",
    );
    assert_eq!(names(&out), all[1..3]);
    let (out, _) = told(&place, "score image.safetensors --data pics");
    all.iter()
        .for_each(|name| assert!(out.contains(name), "{out}"));
}

#[test]
fn lines_of_a_table_and_rows_of_an_array_are_named() {
    let place = place();
    place.write("own.csv", "a,b,c,d\n0.5,1,2,3\n\n0.25,3,2,1\n");
    let out = place.ok("score vector.safetensors --data own.csv --json");
    assert_eq!(names(&out), ["line 2", "line 4"]);
    place.images("own.idx3", 3, SIDE, 3, false);
    let out = place.ok("score image.safetensors --data own.idx3 --skip 1 --json");
    assert_eq!(names(&out), ["row 1", "row 2"]);
}

#[test]
fn a_picture_of_another_size_is_named_with_both_sizes() {
    let place = place();
    std::fs::create_dir(place.file("pics")).unwrap();
    picture(&place, "pics/a.pgm", 1);
    place.write("pics/b.pgm", b"P5 2 1 255\n\x01\x02");
    place.refused(
        "score image.safetensors --data pics",
        &["pics/b.pgm", "1x1x2", "1x8x8"],
    );
}

#[test]
fn an_index_of_rows_is_refused_and_may_be_left_out() {
    let place = place();
    let mut random = Random(7);
    let row = |i: usize, random: &mut Random| {
        let values = [0; 4].map(|_| random.uniform().to_string());
        format!("{i},{}\n", values.join(","))
    };
    let rows: String = (0..40).map(|i| row(i, &mut random)).collect();
    place.write("indexed.csv", ",a,b,c,d\n".to_owned() + &rows);
    let train = "train --preset vector-small --data indexed.csv --epochs 1 --out run";
    place.refused(train, &["indexed.csv: line 1, field 1", "--columns 2-"]);
    place.ok(&format!("{train} --columns 2-"));
    let score = "score run --data indexed.csv --json";
    place.refused(score, &["line 1, field 1"]);
    assert_eq!(
        place
            .ok(&format!("{score} --columns a,b,c,d"))
            .lines()
            .count(),
        40
    );
    place.ok("export run --format q8 --calibrate indexed.csv --columns 2-5 --out m.flow");
    place.ok("calibrate m.flow --data indexed.csv --columns 2-5 --alpha 0.1 --out m.flow");
    let eval = "eval m.flow --in indexed.csv --ood o=indexed.csv --columns 2-5 --report rep";
    assert!(
        place.ok(eval).contains("line "),
        "rejected inputs are named"
    );
    let results = String::from_utf8(place.read("rep/results.json")).unwrap();
    assert!(results.contains("\"mistakes\": ["), "{results}");

    place.write("named.csv", "id,a,b,c,d\n".to_owned() + &rows);
    let (_, err) = told(
        &place,
        "train --preset vector-small --data named.csv --epochs 1 --out n",
    );
    assert!(
        err.starts_with("warning: named.csv: column 1 (\"id\") counts"),
        "{err}"
    );
}

#[test]
fn a_header_can_be_told() {
    let place = place();
    place.write("in.csv", "0,1,2,3\n0.5,0.1,-1,2\n0.2,0.3,1,1\n");
    let score = "score vector.safetensors --data in.csv --json";
    place.refused(score, &["in.csv: line 1", "--header yes", "--header no"]);
    assert_eq!(
        place.ok(&format!("{score} --header yes")).lines().count(),
        2
    );
    assert_eq!(place.ok(&format!("{score} --header no")).lines().count(), 3);
}

#[test]
fn a_column_of_times_says_how_it_is_left_out() {
    let place = place();
    let rows = "2024-01-01 10:00,1,2,3,4\n2024-01-01 10:01,2,2,3,5\n";
    place.write("in.csv", "when,a,b,c,d\n".to_owned() + rows);
    let score = "score vector.safetensors --data in.csv --json";
    place.refused(score, &["line 2, field 1", "2024-01-01 10:00", "--columns"]);
    assert_eq!(
        place
            .ok(&format!("{score} --columns a,b,c,d"))
            .lines()
            .count(),
        2
    );
}

#[test]
fn a_single_column_and_a_constant_one_are_told_before_training() {
    let place = place();
    let mut random = Random(9);
    let mut values = |count: usize| (0..count).map(|_| random.uniform()).collect::<Vec<f32>>();
    let one: String = values(60).iter().map(|v| format!("{v}\n")).collect();
    place.write("one.csv", one);
    place.refused(
        "train --preset vector-small --data one.csv --out run",
        &["one.csv", "D = 1", "two columns or more"],
    );
    let row = |v: &[f32]| format!("{},{},7.5\n", v[0], v[1]);
    let rows: String = values(120).chunks(2).map(row).collect();
    place.write("flat.csv", "a,b,gain\n".to_owned() + &rows);
    let line = "train --preset vector-small --data flat.csv --epochs 1 --out run";
    let (_, err) = told(&place, line);
    let said = "warning: flat.csv: column 3 (\"gain\") is constant";
    assert!(err.starts_with(said) && err.lines().count() == 1, "{err}");
}

/// Readings of 8,388,000 +- 3, which leave f32 two bits of fraction: deviation and resolution
/// are those of the readings, in the trainer and in the integers of the engine.
#[test]
fn a_large_offset_does_not_blind_a_gate() {
    let place = place();
    let mut random = Random(11);
    println!("seed 11");
    let mut normal = || (0..12).map(|_| random.uniform()).sum::<f32>() - 6.0;
    let mut table = |count: usize, offset: [f32; 2], shift: f32| -> String {
        let mut row = |_| {
            let (a, b) = (normal(), normal());
            let x = offset[0] + (3.0 * a + shift).round();
            format!("{x},{}\n", offset[1] + (4.0 * b + 2.0 * a).round())
        };
        (0..count).map(&mut row).collect()
    };
    let offset = [8_388_000.0, 8_387_000.0];
    place.write("raw.csv", table(1500, offset, 0.0));
    place.write("cal.csv", table(300, offset, 0.0));
    place.write("far.csv", table(100, offset, 24.0));
    let train = "train --preset vector-small --epochs 8 --data";
    let out = place.ok(&format!("{train} raw.csv --out raw"));
    // Two Gaussians of deviations 3 and 4.5 have 3.3 bits per dim, a floor of 839 had 9.6.
    let best = out.lines().find(|line| line.starts_with("best bits/dim"));
    let best = best
        .and_then(|line| line.split_whitespace().nth(2))
        .unwrap();
    let best: f64 = best.parse().unwrap();
    assert!((3.6..4.3).contains(&best), "{out}");
    place.ok("export raw --format q8 --calibrate raw.csv --out m.flow");
    // Whole numbers repeat, which is said.
    told(
        &place,
        "calibrate m.flow --data cal.csv --alpha 0.01 --out m.flow",
    );
    let lines = place.ok("score m.flow --data far.csv --json");
    let accepted = lines
        .lines()
        .filter(|line| line.contains("\"accept\""))
        .count();
    assert!(accepted <= 2, "{accepted} of 100 accepted");
}

#[test]
fn an_array_of_an_archive_is_named() {
    let place = place();
    let npy = |count: usize| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, 4)}}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend((0..count * 4).flat_map(|i| ((i * i % 7) as f32).to_le_bytes()));
        bytes
    };
    let archive = stored_zip(&[("x_train.npy", npy(5)), ("x_test.npy", npy(2))]);
    place.write("a.npz", archive);
    let score = |rest: &str| format!("score vector.safetensors --json --data {rest}");
    let named = [
        "a.npz",
        "x_train, x_test",
        "--array x_train",
        "FILE.npz:x_train",
    ];
    place.refused(&score("a.npz"), &named);
    for (rest, rows) in [("a.npz --array x_test", 2), ("a.npz:x_train", 5)] {
        assert_eq!(place.ok(&score(rest)).lines().count(), rows, "{rest}");
    }
    place.refused(&score("a.npz:y"), &["a.npz", "\"y\"", "x_train, x_test"]);
}

/// A zip archive of stored members.
fn stored_zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let len = (content.len() as u32).to_le_bytes();
        let mut head = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        head.extend(crc.sum().to_le_bytes());
        head.extend([len, len].concat());
        head.extend((name.len() as u16).to_le_bytes());
        head.extend([0, 0]);
        let offset = (file.len() as u32).to_le_bytes();
        file.extend([b"PK\x03\x04", &head[..], name.as_bytes(), content].concat());
        let entry = [
            b"PK\x01\x02\x14\x00",
            &head[..],
            &[0; 10],
            &offset,
            name.as_bytes(),
        ];
        directory.extend(entry.concat());
    }
    let count = (members.len() as u16).to_le_bytes();
    let len = (directory.len() as u32).to_le_bytes();
    let at = (file.len() as u32).to_le_bytes();
    let end = [
        b"PK\x05\x06\0\0\0\0",
        &count[..],
        &count,
        &len,
        &at,
        b"\0\0",
    ]
    .concat();
    [file, directory, end].concat()
}

#[test]
fn a_missing_file_is_told_once() {
    let place = place();
    let output = place.flowgate(["score", "vector.safetensors", "--data", "none.csv"]);
    let (_, err) = texts(&output);
    let said = "error: none.csv: cannot be read: No such file or directory (os error 2)\n";
    assert_eq!(err, said);
}

#[test]
fn negative_data_of_another_size_are_blamed() {
    let place = place();
    place.table("own.csv", 60, 4, 1);
    place.table("three.csv", 60, 3, 2);
    place.refused(
        "train --preset vector-small --data own.csv --out run --negative three.csv \
         --negative-threshold -20",
        &["error: three.csv", "vectors of 3 values", "4 values"],
    );
}
