//! Converted vector flows of nflows and normflows give the likelihoods that the libraries computed for them.
//!
//! `tests/data/flow_libraries/README.md` says where the checkpoints come from.

mod convert_support;

use convert_support::files::{Entry, legacy};
use convert_support::npz;
use flow_infer::spec::{AffineForm, CouplingMask, Half, ScaleMap, Shape, StepSpec};
use flow_reference::{dequantize, evaluate};
use flow_tests::tolerance::{CONVERTED, Worst};
use flow_train_host::convert::{ConvertError, Hint, nflows, normflows, torch};
use flow_train_host::model::Model;

fn read(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/flow_libraries");
    std::fs::read(format!("{folder}/{name}")).unwrap()
}

/// Our latents, at their places of the library's, and log-probabilities.
fn check(name: &str, model: &Model, order: &[usize]) {
    let arrays = read(&format!("{name}.npz"));
    let array = |name| npz::array(&arrays, name).unwrap();
    let (inputs, z, log_prob) = (array("inputs"), array("z"), array("log_prob"));
    let mut worst = Worst::of(CONVERTED);
    for i in 0..log_prob.values.len() {
        let found = evaluate(model, inputs.row(i));
        for (place, &theirs) in order.iter().enumerate() {
            let what = format!("{name}, input {i}: z {theirs}");
            worst.check(what, found.z[place], z.row(i)[theirs]);
        }
        let what = format!("{name}, input {i}: log_prob");
        worst.check(what, found.log_prob_nats, log_prob.values[i]);
    }
}

fn couplings(model: &Model) -> Vec<flow_infer::spec::CouplingSpec> {
    let steps = model.spec().levels[0].steps.iter();
    let couplings = steps.filter_map(|step| match step {
        StepSpec::Coupling(coupling) => Some(*coupling),
        _ => None,
    });
    couplings.collect()
}

fn moves(model: &Model) -> usize {
    let steps = model.spec().levels[0].steps.iter();
    steps
        .filter(|step| **step == StepSpec::InvertibleLinear)
        .count()
}

#[test]
fn nflows_with_residual_networks_and_batch_norm() {
    let (model, order, report) =
        nflows::convert(&read("nflows_real_nvp.pt"), &Hint::default()).unwrap();
    println!("{report}");
    check("nflows_real_nvp", &model, &order);
    assert_eq!(
        moves(&model),
        1,
        "alternating masks are halves after one move"
    );
    for coupling in couplings(&model) {
        let sigmoid = ScaleMap::Sigmoid {
            offset: 2.0,
            floor: 1e-3,
        };
        assert_eq!(
            (coupling.scale_map, coupling.affine),
            (sigmoid, AffineForm::ScaleThenShift)
        );
    }
    let (model, order, _) = nflows::convert(&read("nflows_even.pt"), &Hint::default()).unwrap();
    check("nflows_even", &model, &order);
    let masks = couplings(&model).into_iter().map(|coupling| coupling.mask);
    let halves = [Half::First, Half::Second, Half::First, Half::Second];
    assert!(masks.eq(halves.map(|kept| CouplingMask::Channel { kept })));
}

#[test]
fn nflows_with_everything_else() {
    let (model, order, report) =
        nflows::convert(&read("nflows_mixed.pt"), &Hint::default()).unwrap();
    println!("{report}");
    check("nflows_mixed", &model, &order);
    let maps: Vec<ScaleMap> = couplings(&model).iter().map(|c| c.scale_map).collect();
    assert_eq!(maps[2], ScaleMap::Exp, "an additive coupling");
}

#[test]
fn normflows_with_coupling_blocks_and_swaps() {
    let exp = Hint::default().assuming("flows", "7");
    let (model, order, report) = normflows::convert(&read("normflows_blocks.pt"), &exp).unwrap();
    println!("{report}");
    check("normflows_blocks", &model, &order);
    let report = report.to_string();
    assert!(report.contains("assumed: tensorless = swap"), "{report}");
    assert!(report.contains("told: flows = 7"), "{report}");
    let sigmoid = exp.assuming("scale_map", "sigmoid");
    let (model, order, _) = normflows::convert(&read("normflows_sigmoid.pt"), &sigmoid).unwrap();
    check("normflows_sigmoid", &model, &order);
}

#[test]
fn normflows_glow() {
    let of = |shape| Hint::default().of_images(shape);
    let cases = [
        ("normflows_glow", of(Shape::new(1, 8, 8))),
        (
            "normflows_glow_exp",
            of(Shape::new(3, 8, 4)).assuming("scale_map", "exp"),
        ),
    ];
    for (name, hint) in cases {
        let shape = hint.image.unwrap();
        let (model, _, report) = normflows::convert(&read(&format!("{name}.pt")), &hint).unwrap();
        println!("{report}");
        let arrays = read(&format!("{name}.npz"));
        let array = |name| npz::array(&arrays, name).unwrap();
        let (images, noise, log_prob) = (array("images"), array("noise"), array("log_prob"));
        let mut worst = Worst::of(CONVERTED);
        for (i, log_prob) in log_prob.values.iter().enumerate() {
            let bytes: Vec<u8> = images.row(i).iter().map(|&byte| byte as u8).collect();
            let found = evaluate(&model, &dequantize(&bytes, noise.row(i))).log_prob_nats;
            // Theirs is a density on the scale [0, 1).
            let wanted = log_prob - shape.len() as f64 * 256f64.ln();
            worst.check(format!("{name}, input {i}: log_prob"), found, wanted);
        }
    }
}

#[test]
fn normflows_with_masks_and_permutations() {
    let file = read("normflows_masked.pt");
    let (model, order, report) = normflows::convert(&file, &Hint::default()).unwrap();
    println!("{report}");
    check("normflows_masked", &model, &order);
}

#[test]
fn what_leaves_no_tensor_must_be_told() {
    let file = read("normflows_blocks.pt");
    let fails = |flows: Option<&str>| {
        let hint = Hint::default();
        let hint = flows.map_or(hint.clone(), |flows| hint.assuming("flows", flows));
        let line = normflows::convert(&file, &hint).unwrap_err().to_string();
        assert!(!line.contains('\n'));
        line
    };
    let untold = fails(None);
    assert!(untold.contains("--assume flows=6, or flows=7"), "{untold}");
    assert!(fails(Some("5")).contains("6 flows are seen"));
    assert!(fails(Some("1001")).contains("at most 1000"));
    assert!(fails(Some("-7")).contains("flows is a count, not -7"));
    let glow = |hint: &Hint| {
        let error = normflows::convert(&read("normflows_glow.pt"), hint).unwrap_err();
        error.to_string()
    };
    assert!(glow(&Hint::default()).contains("image size"));
    let wrong = Hint::default().of_images(Shape::new(3, 8, 8));
    assert!(glow(&wrong).contains("on 1 channels"));
    let unknown = glow(&Hint::default().assuming("flows", "7"));
    assert!(
        unknown.contains("flows is nothing that is assumed of normflows"),
        "{unknown}"
    );
    assert!(
        unknown.contains("scale_map=sigmoid|exp|sigmoid_inv"),
        "{unknown}"
    );
}

#[test]
fn checkpoints_of_other_libraries_are_told_apart() {
    let names = ["nflows_mixed.pt", "normflows_masked.pt"];
    let [nflows_file, normflows_file] = names.map(read);
    let errors = [
        nflows::convert(&normflows_file, &Hint::default()).unwrap_err(),
        normflows::convert(&nflows_file, &Hint::default()).unwrap_err(),
        flow_train_host::convert::flows_ood::convert(&nflows_file, &Default::default())
            .unwrap_err(),
    ];
    for (error, library) in errors.iter().zip(["nflows", "normflows", "flows_ood"]) {
        assert!(
            error.to_string().contains(&format!("of {library}")),
            "{error}"
        );
    }
}

/// All tensors of a file, to be written again.
fn entries(name: &str) -> Vec<Entry> {
    let file = read(name);
    let tensors = torch::read(&file).unwrap().tensors;
    let entries = tensors
        .into_iter()
        .filter_map(|(key, view)| match view.to_integers() {
            Some(integers) if view.shape().len() == 1 => Some(Entry::i64(&key, &integers)),
            _ => {
                let tensor = view.to_tensor()?;
                Some(Entry::f32(&key, &tensor.shape, &tensor.values))
            }
        });
    entries.collect()
}

#[test]
fn a_missing_key_is_named() {
    let of_normflows = |file: &[u8], hint: Hint| normflows::convert(file, &hint).err();
    let glow = |file: &[u8]| of_normflows(file, Hint::default().of_images(Shape::new(1, 8, 8)));
    let blocks = |file: &[u8]| of_normflows(file, Hint::default().assuming("flows", "7"));
    let masked = |file: &[u8]| of_normflows(file, Hint::default());
    let of_nflows = |file: &[u8]| nflows::convert(file, &Hint::default()).err();
    type Read<'a> = &'a dyn Fn(&[u8]) -> Option<ConvertError>;
    let cases: [(&str, Read<'_>); 5] = [
        ("nflows_mixed.pt", &of_nflows),
        ("nflows_real_nvp.pt", &of_nflows),
        ("normflows_blocks.pt", &blocks),
        ("normflows_masked.pt", &masked),
        ("normflows_glow.pt", &glow),
    ];
    // Their values have no bearing on the density.
    let optional = [
        "_log_z",
        "initialized",
        "data_dep_init_done",
        "eye",
        ".perm",
    ];
    for (name, convert) in cases {
        let all = entries(name);
        for removed in 0..all.len() {
            let mut rest = all.clone();
            let key = rest.remove(removed).key;
            let error = convert(&legacy(&rest));
            if optional.iter().any(|end| key.ends_with(end)) {
                assert_eq!(error, None, "{name} without {key}");
                continue;
            }
            let line = error
                .unwrap_or_else(|| panic!("{name} without {key}"))
                .to_string();
            let layer = key.rsplit_once('.').map_or("", |(layer, _)| layer);
            let named = line.contains(&key) || line.contains(layer);
            assert!(
                named && !line.contains('\n'),
                "{name} without {key}: {line}"
            );
        }
    }
}
