//! A stranger's file: whatever is wrong with it, one line says so; nothing runs, nothing panics, nothing large is
//! allocated.

mod convert_support;

use convert_support::files::{Entry, Program, Zip, legacy, legacy_around, zip_around, zipped};
use convert_support::read;
use flow_tests::random::SplitMix64;
use flow_train_host::convert::flows_ood::{ArchHint, convert};
use flow_train_host::convert::torch;

/// The smallest flow: one coupling of a vector of two coordinates.
fn tiny() -> Vec<Entry> {
    vec![
        Entry::f32("module.body.0.st_net.0.weight", &[1, 2], &[0.5, 0.25]),
        Entry::f32("module.body.0.st_net.0.bias", &[1], &[0.125]),
        Entry::f32(
            "module.body.0.st_net.3.weight",
            &[4, 1],
            &[1.0, 2.0, 3.0, 4.0],
        ),
        Entry::f32("module.body.0.st_net.3.bias", &[4], &[0.0; 4]),
        Entry::f32("module.body.0.rescale.weight_g", &[2], &[1.0, 2.0]),
        Entry::f32("module.body.0.rescale.weight_v", &[2], &[1.0, -1.0]),
    ]
}

/// The error of a conversion, which must be one line.
fn error(file: &[u8]) -> String {
    let error = convert(file, &ArchHint::default()).expect_err("a malformed file");
    let line = error.to_string();
    assert!(!line.contains('\n') && !line.is_empty(), "{line:?}");
    line
}

/// Both formats must fail with a line that contains a text.
fn both_fail(entries: &[Entry], telling: &str) {
    for file in [zipped(entries), legacy(entries)] {
        let line = error(&file);
        assert!(line.contains(telling), "{line}");
    }
}

/// Any pickle, as the object of either format.
fn around(program: &Program) -> [Vec<u8>; 2] {
    [zip_around(&program.0, &[]), legacy_around(&program.0, &[])]
}

/// A pickle as the object of either format must fail with a line that contains a text.
fn around_fails(program: &Program, telling: &str) {
    for file in around(program) {
        let line = error(&file);
        assert!(line.contains(telling), "{line}");
    }
}

#[test]
fn the_files_of_these_tests_are_checkpoints_before_they_are_broken() {
    let models = [zipped(&tiny()), legacy(&tiny())]
        .map(|file| convert(&file, &ArchHint::default()).unwrap().0);
    assert!(models[0] == models[1]);
    let bound = models[0].values("levels.0.steps.0.log_scale_bound");
    assert_eq!(bound, [-2.0], "g v / |v| of the changed coordinate");
    let conditioner = |name| models[0].values(name);
    assert_eq!(
        conditioner("levels.0.steps.0.conditioner.in_layer.weights"),
        [0.5]
    );
    assert_eq!(
        conditioner("levels.0.steps.0.conditioner.out_layer.weights"),
        [2.0, 4.0]
    );
}

#[test]
fn every_truncation_is_an_error() {
    for name in ["tabular_f16.pt", "tabular_f64_views.pt"] {
        let file = read(name);
        for len in 0..file.len() {
            error(&file[..len]);
        }
    }
}

#[test]
fn truncations_of_large_files_are_errors() {
    for name in [
        "realnvp_cycle.pt",
        "realnvp_cycle.legacy.pt",
        "glow.legacy.pt",
    ] {
        let file = read(name);
        for step in 0..200 {
            error(&file[..file.len() * step / 200]);
        }
    }
}

#[test]
fn changed_bytes_never_panic() {
    for (name, seed) in [("tabular_f16.pt", 1), ("tabular_f64_views.pt", 2)] {
        println!("seed {seed}");
        let mut random = SplitMix64::new(seed);
        let file = read(name);
        for _ in 0..3000 {
            let mut changed = file.clone();
            for _ in 0..=random.below(3) {
                changed[random.below(file.len() as u64) as usize] = random.bits() as u8;
            }
            if let Err(error) = convert(&changed, &ArchHint::default()) {
                assert!(!error.to_string().contains('\n'));
            }
        }
    }
}

#[test]
fn other_files_are_not_checkpoints() {
    for file in [
        &b""[..],
        b"PK",
        b"\x93NUMPY\x01\x00",
        b"{\"net\": 1}",
        &[0x80; 64],
        &[b'('; 64],
    ] {
        assert!(error(file).contains("not a PyTorch checkpoint"));
    }
    let mut zip = Zip::default();
    zip.add("readme.txt", b"hello");
    assert!(error(&zip.finish()).contains("data.pkl"));
}

#[test]
fn a_pickle_that_imports_something_is_named_and_not_run() {
    let marker = std::env::temp_dir().join(format!("flowgate-pickle-ran-{}", std::process::id()));
    let command = format!("touch {}", marker.display());
    let call = Program::new()
        .global("os", "system")
        .code(b"(")
        .text(&command)
        .code(b"tR.");
    let by_stack = Program::new()
        .text("os")
        .text("system")
        .code(b"\x93(")
        .text(&command);
    let by_stack = by_stack.code(b"tR.");
    for program in [&call, &by_stack] {
        let [zip, legacy] = around(program);
        for file in [&zip, &legacy, &program.0] {
            let line = error(file);
            assert!(
                line.contains("os.system") && line.contains("nothing was run"),
                "{line}"
            );
        }
    }
    assert!(!marker.exists());
    for (module, name) in [
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_qtensor"),
        ("collections", "Counter"),
    ] {
        let line = error(&around(&Program::new().global(module, name).code(b"."))[0]);
        assert!(line.contains(&format!("{module}.{name}")), "{line}");
    }
    let line = error(
        &around(
            &Program::new()
                .global("a\x1b[31mb", &"c".repeat(999))
                .code(b"."),
        )[0],
    );
    assert!(!line.contains('\x1b') && line.len() < 400, "{line}");
}

#[test]
fn known_constructors_are_not_called_with_other_arguments() {
    for (module, name) in [
        ("collections", "OrderedDict"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch", "FloatStorage"),
        ("torch", "Size"),
    ] {
        let program = Program::new().code(b"}(").text("net").code(b"}(").text("w");
        let call = program.global(module, name).code(b"N\x85Ruu.");
        around_fails(&call, "");
    }
}

#[test]
fn sizes_are_bounded_before_anything_is_allocated() {
    let shapes: [(&[u64], &[u64]); 6] = [
        (&[1 << 60], &[1]),
        (&[1 << 60], &[0]),
        (&[1 << 32, 1 << 32, 4], &[0, 0, 0]),
        (&[2, 2], &[1 << 62, 1 << 62]),
        (&[1 << 40], &[0]),
        (&[1, 3], &[3, 1]),
    ];
    for (shape, strides) in shapes {
        let mut entries = tiny();
        (entries[0].shape, entries[0].strides) = (shape.to_vec(), strides.to_vec());
        both_fail(&entries, "module.body.0.st_net.0.weight");
    }
    let mut entries = tiny();
    entries[0].elements = 1 << 60;
    assert!(error(&zipped(&entries)).contains("1152921504606846976"));
    assert!(error(&legacy(&entries)).contains("ends here"));
    let mut entries = tiny();
    entries[0].shape = vec![1; 100];
    entries[0].strides = vec![1; 100];
    both_fail(&entries, "at most 8");
    let mut entries = tiny();
    entries[0].strides.pop();
    both_fail(&entries, "2 sizes and 1 strides");
}

#[test]
fn all_tensors_together_are_bounded() {
    // Each repeats one element ten thousand times, which a stride of zero allows.
    let mut entry = Entry::f32("", &[1], &[1.0]);
    (entry.shape, entry.strides) = (vec![10_000], vec![0]);
    let entries: Vec<Entry> = (0..1000)
        .map(|i| Entry {
            key: format!("body.{i}"),
            ..entry.clone()
        })
        .collect();
    both_fail(&entries, "more elements than the file has bytes");
}

#[test]
fn whatever_occurs_twice_is_an_error() {
    let mut entries = tiny();
    entries.push(Entry::f32(
        "module.body.0.rescale.weight_v",
        &[2],
        &[1.0, 1.0],
    ));
    both_fail(&entries, "module.body.0.rescale.weight_v occurs twice");
    let net = Program::new()
        .code(b"}(")
        .text("net")
        .code(b"}")
        .text("net")
        .code(b"}u.");
    around_fails(&net, "net occurs twice");
    let mut zip = Zip::default();
    let program = Program::checkpoint(&tiny(), false).0;
    zip.add("model/data.pkl", &program);
    zip.add("model/data.pkl", &program);
    assert!(error(&zip.finish()).contains("model/data.pkl occurs twice"));
    let mut zip = Zip::default();
    zip.add("a/data.pkl", &program);
    zip.add("b/data.pkl", &program);
    assert!(error(&zip.finish()).contains("several folders"));
}

#[test]
fn storages_must_be_there_whole_and_floating_point() {
    let mut entries = tiny();
    let program = Program::checkpoint(&entries, false).0;
    entries.pop();
    let line = error(&zip_around(&program, &entries));
    assert!(
        line.contains("weight_v") && line.contains("storage 5 is missing"),
        "{line}"
    );
    let mut entries = tiny();
    entries[2].bytes.pop();
    let line = error(&zipped(&entries));
    assert!(
        line.contains("st_net.3.weight") && line.contains("15 bytes"),
        "{line}"
    );
    for (class, name) in [
        ("IntStorage", "i32"),
        ("LongStorage", "i64"),
        ("BoolStorage", "bool"),
    ] {
        let mut entries = tiny();
        entries[2].class = class;
        let size = if name == "i32" { 4 } else { 8 };
        entries[2].bytes = vec![0; 4 * if name == "bool" { 1 } else { size }];
        both_fail(&entries, name);
    }
    let mut entries = tiny();
    entries[3] = Entry::f32(&entries[3].key, &[4], &[0.0, f32::NAN, 0.0, 0.0]);
    both_fail(&entries, "st_net.3.bias holds a NaN or an infinity");
    let mut entries = tiny();
    entries[3].class = "DoubleStorage";
    entries[3].bytes = [1e300f64; 4]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    both_fail(&entries, "st_net.3.bias holds a NaN or an infinity");
    let mut entries = tiny();
    entries[5] = Entry::f32(&entries[5].key, &[2], &[0.0, 1.0]);
    both_fail(&entries, "rescale.weight_v");
}

#[test]
fn values_that_are_not_tensors_are_named() {
    for value in [&b"N"[..], b"K\x01", b"]", b"}", b")", b"G\0\0\0\0\0\0\0\0"] {
        let program = Program::new()
            .code(b"}(")
            .text("net")
            .code(b"}(")
            .text("w")
            .code(value);
        around_fails(&program.code(b"uu."), "no tensors under the keys net");
    }
    let not_a_dict = Program::new().code(b"].");
    around_fails(&not_a_dict, "no state dict");
    let no_text = Program::new()
        .code(b"}(")
        .text("net")
        .code(b"}(K\x01K\x02uu.");
    around_fails(&no_text, "no tensors under the keys net");
}

#[test]
fn cycles_and_depth_do_no_harm() {
    // d = {"net": d}
    let cycle = Program::new().code(b"}q\x00(").text("net").code(b"h\x00u.");
    around_fails(&cycle, "");
    // A state dict that is its own tensor, a tuple that holds itself through a list.
    let inner = Program::new()
        .code(b"}(")
        .text("net")
        .code(b"}q\x00(")
        .text("w")
        .code(b"h\x00uu.");
    around_fails(&inner, "");
    let list = Program::new().code(b"]q\x00h\x00\x85a.");
    around_fails(&list, "");
    // A million tuples, each in the next: dropping them must not recurse.
    let deep = Program::new()
        .code(b")")
        .code(&[0x85; 1_000_000])
        .code(b".");
    around_fails(&deep, "");
    let many = Program::new().code(&[b'N'; 1_100_000]).code(b".");
    around_fails(&many, "more than 1048576 values");
    let fetches = Program::new()
        .code(b"Nq\x00")
        .code(&b"h\x00".repeat(1_100_000))
        .code(b".");
    around_fails(&fetches, "more than 1048576 values");
    let marks = Program::new().code(&[b'('; 1_100_000]).code(b".");
    around_fails(&marks, "more than 1048576 values");
}

#[test]
fn wrong_programs_name_their_offset() {
    let cases: [(&[u8], &str); 12] = [
        (b"h\x07.", "pickle, byte 2: memo entry 7"),
        (b"j\x01\x02\x03\x04.", "memo entry 67305985"),
        (b".", "pickle, byte 2: STOP"),
        (b"(.", "pickle, byte 3: STOP"),
        (b"u.", "SETITEMS"),
        (b"}(Nu.", "pickle, byte 5: SETITEMS"),
        (b"N(NNu.", "SETITEMS"),
        (b"NR.", "REDUCE"),
        (b"N\x93.", "STACK_GLOBAL"),
        (b"X\xff\xff\xff\xff.", "ends here"),
        (b"X\x01\x00\x00\x00\xff.", "not UTF-8"),
        (b"\x82\x01.", "instruction 0x82"),
    ];
    for (code, telling) in cases {
        let line = error(&around(&Program::new().code(code))[0]);
        assert!(line.contains(telling), "{code:?}: {line}");
    }
    assert!(error(&around(&Program(vec![0x80, 9]))[0]).contains("protocol 9"));
}

#[test]
fn zip_files_that_are_not_pytorchs_are_refused() {
    let add = |mut zip: Zip| {
        zip.add("model/data.pkl", &Program::checkpoint(&tiny(), false).0);
        error(&zip.finish())
    };
    let deflated = Zip {
        method: 8,
        ..Zip::default()
    };
    assert!(add(deflated).contains("model/data.pkl: is compressed"));
    let encrypted = Zip {
        flags: 1,
        ..Zip::default()
    };
    assert!(add(encrypted).contains("model/data.pkl: is encrypted"));
    let mut overlapping = Zip::default();
    overlapping.add("model/data.pkl", b"content");
    overlapping.list("model/data/0", b"content", 0);
    assert!(error(&overlapping.finish()).contains("overlaps"));
    let mut file = zipped(&tiny());
    file[50] ^= 1;
    assert!(error(&file).contains("checksum"), "{}", error(&file));
    let mut big_endian = Zip::default();
    big_endian.add("model/data.pkl", &Program::checkpoint(&tiny(), false).0);
    big_endian.add("model/byteorder", b"big");
    assert!(error(&big_endian.finish()).contains("little-endian"));
}

#[test]
fn legacy_headers_are_checked() {
    let good = legacy(&tiny());
    let little = good
        .windows(13)
        .position(|window| window == b"little_endian")
        .unwrap();
    let mut big_endian = good.clone();
    big_endian[little + 13] = 0x89;
    assert!(error(&big_endian).contains("little-endian"));
    let mut protocol = good.clone();
    let at = good
        .windows(4)
        .position(|window| window == b"M\xe9\x03.")
        .unwrap();
    protocol[at + 1] = 0;
    assert!(error(&protocol).contains("legacy protocol"));
}

#[test]
fn views_are_read_through_their_strides() {
    let mut entry = Entry::f32("w", &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    entry.strides = vec![1, 2];
    let file = zipped(&[entry]);
    let checkpoint = torch::read(&file).unwrap();
    let tensor = checkpoint.tensors["w"].to_tensor().unwrap();
    assert_eq!(tensor.values, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
}

#[test]
fn every_floating_point_type_is_read() {
    let cases: [(&str, Vec<u8>); 4] = [
        ("FloatStorage", (-1.5f32).to_le_bytes().to_vec()),
        ("DoubleStorage", (-1.5f64).to_le_bytes().to_vec()),
        ("HalfStorage", vec![0x00, 0xbe]),
        ("BFloat16Storage", vec![0xc0, 0xbf]),
    ];
    for (class, bytes) in cases {
        let entry = Entry {
            class,
            bytes,
            ..Entry::f32("w", &[], &[0.0])
        };
        let file = legacy(&[entry]);
        let checkpoint = torch::read(&file).unwrap();
        let tensor = checkpoint.tensors["w"].to_tensor().unwrap();
        assert_eq!(
            (tensor.shape.as_slice(), tensor.values.as_slice()),
            (&[][..], &[-1.5][..])
        );
    }
}
