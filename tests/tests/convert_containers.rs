//! State dicts as they come from users: nested, wrapped, beside other values, by old Pythons, as safetensors.

mod convert_support;

use convert_support::files::{Entry, Program, legacy_around, zip_around};
use flow_tests::fixtures::data_directory;
use flow_train_host::convert::{ConvertError, Hint, Report, nflows, torch};
use flow_train_host::model::Model;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// The tensors of a checkpoint of nflows.
fn entries() -> Vec<Entry> {
    let file = std::fs::read(data_directory().join("flow_libraries/nflows_general.pt")).unwrap();
    let tensors = torch::read(&file).unwrap().tensors.into_iter();
    let entries = tensors.map(|(key, view)| match view.to_integers() {
        Some(integers) => Entry::i64(&key, &integers),
        None => {
            let tensor = view.to_tensor().unwrap();
            Entry::f32(&key, &tensor.shape, &tensor.values)
        }
    });
    entries.collect()
}

fn renamed(rename: impl Fn(&str) -> String) -> Vec<Entry> {
    let mut entries = entries();
    for entry in &mut entries {
        entry.key = rename(&entry.key);
    }
    entries
}

/// A state dict, left open on the stack.
fn state_dict(program: Program, entries: &[Entry]) -> Program {
    let program = program.code(b"}(");
    let tensors = entries.iter().enumerate();
    tensors
        .fold(program, |program, (storage, entry)| {
            program.text(&entry.key).tensor(entry, storage, false)
        })
        .code(b"u")
}

/// A checkpoint around a state dict: what is built before it and behind it.
fn around(before: Program, entries: &[Entry], behind: &Program) -> Vec<u8> {
    let program = state_dict(before, entries).code(&behind.0[2..]);
    zip_around(&program.0, entries)
}

fn convert(file: &[u8], hint: &Hint) -> Result<(Model, Report), ConvertError> {
    let converted = nflows::convert(file, hint);
    if let Err(error) = &converted {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    converted.map(|(model, _, report)| (model, report))
}

/// The model of the bare state dict.
fn bare() -> Model {
    let file = around(Program::new(), &entries(), &Program::new().code(b"."));
    convert(&file, &Hint::default()).unwrap().0
}

fn same(file: &[u8], hint: &Hint) -> String {
    let (model, report) = convert(file, hint).unwrap_or_else(|error| panic!("{error}"));
    assert!(model == bare());
    report.to_string()
}

fn fails(file: &[u8], hint: &Hint) -> String {
    convert(file, hint).unwrap_err().to_string()
}

#[test]
fn prefixes_that_all_keys_share_are_cut_off() {
    for prefix in [
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "_orig_mod.module.",
        "flow.",
        "model.flow.",
        "a.b.c.d.",
    ] {
        let entries = renamed(|key| format!("{prefix}{key}"));
        let file = around(Program::new(), &entries, &Program::new().code(b"."));
        same(&file, &Hint::default());
    }
    let inner = renamed(|key| key.replace("transform_net.", "transform_net._orig_mod."));
    let file = around(Program::new(), &inner, &Program::new().code(b"."));
    same(&file, &Hint::default());
}

#[test]
fn an_averaged_model_has_a_counter_beside_it() {
    let mut entries = renamed(|key| format!("module.{key}"));
    entries.push(Entry::i64("n_averaged", &[7]));
    let file = around(Program::new(), &entries, &Program::new().code(b"."));
    same(&file, &Hint::default());
}

#[test]
fn a_flow_beside_other_networks_is_chosen_by_its_prefix() {
    let mut entries = renamed(|key| format!("flow.{key}"));
    entries.push(Entry::f32("classifier.weight", &[2], &[1.0, 2.0]));
    let file = around(Program::new(), &entries, &Program::new().code(b"."));
    let line = fails(&file, &Hint::default());
    assert!(line.contains("--assume prefix=flow."), "{line}");
    let report = same(&file, &Hint::default().assuming("prefix", "flow."));
    assert!(
        report.contains("1 tensors of other prefixes left unread"),
        "{report}"
    );
    let line = fails(&file, &Hint::default().assuming("prefix", "flows."));
    assert!(line.contains("no key starts with"), "{line}");
}

#[test]
fn state_dicts_are_found_wherever_they_are() {
    for name in ["model_state_dict", "state_dict", "anything", "ema"] {
        let before = Program::new()
            .code(b"}(")
            .text("epoch")
            .code(b"K\x07")
            .text(name);
        let file = around(before, &entries(), &Program::new().code(b"u."));
        let report = same(&file, &Hint::default());
        assert!(report.contains(&format!("under \"{name}\"")), "{report}");
    }
    let nested = Program::new().code(b"}(").text("a").code(b"}(").text("b");
    let file = around(nested, &entries(), &Program::new().code(b"uu."));
    assert!(same(&file, &Hint::default()).contains("under \"a.b\""));
    let listed = Program::new().code(b"(");
    let file = around(listed, &entries(), &Program::new().code(b"K\x01t."));
    assert!(same(&file, &Hint::default()).contains("under \"0\""));
}

/// Two state dicts under these names; the second has its first weight changed.
fn two(names: [&str; 2]) -> Vec<u8> {
    let mut all = entries();
    let mut second = entries();
    let len = all.len();
    second[0].bytes.reverse();
    all.extend(second);
    let program = Program::new().code(b"}(").text(names[0]);
    let program = state_dict(program, &all[..len]).text(names[1]).code(b"}(");
    let program = all
        .iter()
        .enumerate()
        .skip(len)
        .fold(program, |program, (storage, entry)| {
            program.text(&entry.key).tensor(entry, storage, false)
        });
    zip_around(&program.code(b"uu.").0, &all)
}

#[test]
fn of_several_state_dicts_one_is_chosen_by_its_name() {
    let file = two(["model", "ema"]);
    let line = fails(&file, &Hint::default());
    let telling =
        "several dictionaries hold tensors, --state-dict KEY says which: \"model\", \"ema\"";
    assert_eq!(line, telling);
    let of = |key: &str| Hint {
        state_dict: Some(key.to_owned()),
        ..Hint::default()
    };
    let report = same(&file, &of("model"));
    assert!(report.contains("left unread: \"ema\""), "{report}");
    let line = fails(&file, &of("swa"));
    assert!(
        line.contains("\"swa\" holds no tensors; these do: \"model\", \"ema\""),
        "{line}"
    );
    // Only one of these is a usual name of a model.
    same(&two(["model", "statistics"]), &Hint::default());
}

#[test]
fn what_only_python_could_make_is_left_unread() {
    let beside: [(&str, Program); 9] = [
        ("numpy.dtype", {
            let dtype = Program::new()
                .global("numpy", "dtype")
                .code(b"(")
                .text("f8");
            dtype
                .code(b"\x89\x88tR(K\x03")
                .text("<")
                .code(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
        }),
        ("torch.device", {
            Program::new()
                .global("torch", "device")
                .code(b"(")
                .text("cuda")
                .code(b"K\x00tR")
        }),
        ("torch.float32", Program::new().global("torch", "float32")),
        ("builtins.set", {
            Program::new()
                .global("builtins", "set")
                .code(b"](K\x01K\x02e\x85R")
        }),
        ("argparse.Namespace", {
            let namespace = Program::new()
                .global("argparse", "Namespace")
                .code(b")\x81}(");
            namespace
                .text("lr")
                .code(b"G\x3f\x50\x62\x4d\xd2\xf1\xa9\xfcub")
        }),
        ("datetime.datetime", {
            Program::new()
                .global("datetime", "datetime")
                .code(b"C\x0a0123456789\x85R")
        }),
        ("mine.Config", {
            Program::new()
                .global("mine", "Config")
                .code(b")\x81}(")
                .text("x")
                .code(b"]ub")
        }),
        (
            "",
            Program::new()
                .global("collections", "defaultdict")
                .global("builtins", "list")
                .code(b"\x85R"),
        ),
        (
            "",
            Program::new()
                .global("collections", "OrderedDict")
                .code(b")R"),
        ),
    ];
    for (name, program) in beside {
        let before = Program::new()
            .code(b"}(")
            .text("other")
            .code(&program.0[2..]);
        let file = around(
            before.text("model"),
            &entries(),
            &Program::new().code(b"u."),
        );
        let report = same(&file, &Hint::default());
        assert!(report.contains(name), "{name}: {report}");
    }
}

#[test]
fn a_whole_object_says_how_to_save_again() {
    let object = Program::new()
        .global("mine", "Flow")
        .code(b")\x81}(")
        .text("x")
        .code(b"K\x01ub.");
    let line = fails(&zip_around(&object.0, &[]), &Hint::default());
    assert!(
        line.contains("an object of mine.Flow") && line.contains("state_dict()"),
        "{line}"
    );
    let program = Program::new()
        .code(b"}(")
        .text("epoch")
        .code(b"K\x01")
        .text("lr")
        .code(b"K\x02u.");
    let line = fails(&zip_around(&program.0, &[]), &Hint::default());
    assert!(
        line.contains("no tensors under the keys epoch, lr"),
        "{line}"
    );
}

#[test]
fn values_that_run_programs_are_refused_beside_tensors_too() {
    for (module, name) in [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("posix", "system"),
    ] {
        let program = Program::new()
            .global(module, name)
            .code(b"(")
            .text("true")
            .code(b"tR");
        let before = Program::new()
            .code(b"}(")
            .text("other")
            .code(&program.0[2..]);
        let file = around(
            before.text("model"),
            &entries(),
            &Program::new().code(b"u."),
        );
        let line = fails(&file, &Hint::default());
        assert!(line.contains(&format!("{module}.{name}")) && line.contains("nothing was run"));
    }
}

/// An ordered dictionary as Python 2 pickles it: a call with a list of pairs, keys as strings of bytes.
#[test]
fn python_2_is_read() {
    let all = entries();
    let program = Program::new()
        .global("collections", "OrderedDict")
        .code(b"(](");
    let program = all
        .iter()
        .enumerate()
        .fold(program, |program, (storage, entry)| {
            let key = [&[b'U', entry.key.len() as u8], entry.key.as_bytes()].concat();
            let program = program.code(b"](").code(&key);
            program.tensor(entry, storage, true).code(b"e")
        });
    let file = legacy_around(&program.code(b"etR.").0, &all);
    same(&file, &Hint::default());
}

#[test]
fn protocol_0_is_read() {
    let file = b"(dp0\nS'epoch'\np1\nI3\nsS'loss'\nF0.5\nsV\xc3\xa4\nL7L\ns.";
    let line = fails(&legacy_around(file, &[]), &Hint::default());
    assert!(
        line.contains("no tensors under the keys epoch, loss, ä"),
        "{line}"
    );
}

#[test]
fn tied_weights_are_read() {
    let all = entries();
    // Every tensor twice, under another network's names too.
    let program = state_dict(Program::new().code(b"}(").text("model"), &all);
    let program = program.text("copies");
    let mut copies = program.code(b"}(");
    for (storage, entry) in all.iter().enumerate() {
        copies = copies.text(&entry.key).tensor(entry, storage, false);
    }
    let file = zip_around(&copies.code(b"uu.").0, &all);
    same(&file, &Hint::default());
    // Within one state dict, more than once for each byte of the file.
    let mut tied = all.clone();
    tied.push(Entry::f32("shared", &[1], &[1.0]));
    let last = tied.len() - 1;
    let mut program = Program::new().code(b"}(");
    for (storage, entry) in all.iter().enumerate() {
        program = program.text(&entry.key).tensor(entry, storage, false);
    }
    program = program.text("shared").tensor(&tied[last], last, false);
    let line = fails(&zip_around(&program.code(b"u.").0, &tied), &Hint::default());
    assert_eq!(line, "not of this architecture: shared");
}

fn safetensors_of(entries: &[Entry]) -> Vec<u8> {
    let shapes: Vec<Vec<usize>> = entries
        .iter()
        .map(|entry| entry.shape.iter().map(|&size| size as usize).collect())
        .collect();
    let views = entries.iter().zip(&shapes).map(|(entry, shape)| {
        let dtype = match entry.class {
            "LongStorage" => Dtype::I64,
            _ => Dtype::F32,
        };
        (
            entry.key.clone(),
            TensorView::new(dtype, shape.clone(), &entry.bytes).unwrap(),
        )
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn safetensors_of_the_librarys_own_names_are_read() {
    let whole = safetensors_of(&entries());
    let report = same(&whole, &Hint::default());
    assert!(report.starts_with("safetensors file: "), "{report}");
    same(
        &safetensors_of(&renamed(|key| format!("model.{key}"))),
        &Hint::default(),
    );
    for len in (0..whole.len()).step_by(97) {
        assert!(convert(&whole[..len], &Hint::default()).is_err());
    }
}

#[test]
fn a_model_of_ours_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    bare().save(&path).unwrap();
    let line = fails(&std::fs::read(&path).unwrap(), &Hint::default());
    assert!(line.contains("--from flowgate"), "{line}");
    // What was assumed comes back with the model.
    let again = Model::load(&path).unwrap();
    assert_eq!(again.history(), bare().history());
    assert!(
        again
            .history()
            .contains(&"assumed: scale_activation = default".to_owned())
    );
}
