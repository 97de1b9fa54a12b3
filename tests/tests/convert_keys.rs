//! Every key of a state dict is accounted for, and what was said about a checkpoint is held against its tensors.

mod convert_support;

use convert_support::files::{Entry, legacy};
use convert_support::{hint, read};
use flow_infer::spec::{ConditionerSpec, CouplingMask, Half, Shape, StepSpec};
use flow_train_host::convert::ConvertError;
use flow_train_host::convert::flows_ood::{ArchHint, Class, convert, parse_image};
use flow_train_host::convert::torch;

/// The floating point tensors of a fixture, to be changed and written again.
fn entries(name: &str) -> Vec<Entry> {
    let file = read(name);
    let tensors = torch::read(&file).unwrap().tensors;
    let floats = tensors.into_iter().filter_map(|(key, view)| {
        let tensor = view.to_tensor()?;
        Some(Entry::f32(&key, &tensor.shape, &tensor.values))
    });
    floats.collect()
}

fn fails(entries: &[Entry], hint: &ArchHint) -> ConvertError {
    let error = convert(&legacy(entries), hint).expect_err("a wrong state dict");
    assert!(!error.to_string().contains('\n'), "{error}");
    error
}

/// One of each layout and conditioner.
const VARIANTS: [(&str, &str, &str); 8] = [
    ("one_scale_bare.pt", "", "1x6x4"),
    ("resnet_ae.pt", "", "1x8x8"),
    ("autoencoder.pt", "", "1x28x28"),
    ("convnet_8_layers.pt", "RealNVP8Layers", "1x5x7"),
    ("horizontal_3.pt", "RealNVPMaskHorizontal3Layers", "1x6x6"),
    ("small_rgb_bf16.pt", "RealNVPSmall", "3x6x6"),
    ("glow_rgb.pt", "", "3x8x8"),
    ("tabular_f64_views.pt", "", ""),
];

#[test]
fn a_missing_key_is_named() {
    for (name, class, image) in VARIANTS {
        let all = entries(name);
        for removed in 0..all.len() {
            let mut rest = all.clone();
            let key = rest.remove(removed).key;
            let error = fails(&rest, &hint(class, image));
            match error {
                ConvertError::Keys {
                    missing,
                    unexpected,
                } => {
                    assert_eq!((missing, unexpected), (vec![key], vec![]), "{name}");
                }
                other => panic!("{name} without {key}: {other}"),
            }
        }
    }
}

#[test]
fn a_key_of_another_name_is_missing_and_unexpected() {
    for (name, class, image) in VARIANTS {
        let all = entries(name);
        for renamed in 0..all.len() {
            let mut changed = all.clone();
            let key = changed[renamed].key.clone();
            changed[renamed].key = format!("{key}_");
            let line = fails(&changed, &hint(class, image)).to_string();
            assert!(line.contains(&key), "{name}: {line}");
        }
    }
}

#[test]
fn unexpected_keys_are_all_named() {
    let mut all = entries("glow_rgb.pt");
    for key in [
        "module.extra",
        "module.body.3.1.module1.weight_",
        "module.body.99.0.x",
    ] {
        all.push(Entry::f32(key, &[1], &[0.0]));
    }
    let line = fails(&all, &hint("", "3x8x8")).to_string();
    let telling = "not of this architecture: module.body.3.1.module1.weight_, module.body.99.0.x, module.extra";
    assert_eq!(line, telling);
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    for (name, class, image) in VARIANTS {
        let all = entries(name);
        for changed in 0..all.len() {
            let mut entries = all.clone();
            let Entry { key, shape, .. } = &mut entries[changed];
            // Nine more along the last axis: nowhere another size of the same architecture.
            let key = key.clone();
            *shape.last_mut().unwrap() += 9;
            let len: u64 = shape.iter().product();
            let shape: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
            entries[changed] = Entry::f32(&key, &shape, &vec![0.5; len as usize]);
            let error = fails(&entries, &hint(class, image));
            assert!(
                matches!(
                    error,
                    ConvertError::WrongShape { .. } | ConvertError::Contradiction(_)
                ),
                "{name}, {key}: {error}"
            );
        }
    }
}

#[test]
fn a_whole_coupling_that_is_missing_is_named() {
    for (name, class, image) in VARIANTS
        .into_iter()
        .filter(|(name, ..)| !name.contains("tab"))
    {
        let mut all = entries(name);
        let last = all.iter().map(|entry| entry.key.clone()).max().unwrap();
        let parts: Vec<&str> = last.split('.').collect();
        let at = parts.iter().position(|&part| part == "body").unwrap();
        let first = if name.starts_with("glow") {
            "3.2"
        } else {
            "2.0"
        };
        let prefix = [&parts[..=at], &[first, "module1"]].concat().join(".");
        all.retain(|entry| !entry.key.starts_with(&prefix));
        let line = fails(&all, &hint(class, image)).to_string();
        assert!(
            line.contains(&format!("missing: {prefix}.st_net.*")),
            "{name}: {line}"
        );
    }
}

#[test]
fn masks_leave_no_tensor_and_must_be_told() {
    let file = read("cycle_rgb.pt");
    let line = convert(&file, &hint("", "3x7x5")).unwrap_err().to_string();
    assert!(
        line.contains("8 couplings") && line.contains("RealNVPCycleMask"),
        "{line}"
    );
    let masks = [
        "RealNVPCycleMask",
        "RealNVP8Layers",
        "RealNVPMaskHorizontal",
    ]
    .map(|class| {
        let (model, report) = convert(&file, &hint(class, "3x7x5")).unwrap();
        assert!(
            report
                .to_string()
                .contains(&format!("architecture: {class}, 1 levels"))
        );
        match model.spec().levels[0].steps[1] {
            StepSpec::Coupling(coupling) => coupling.mask,
            step => panic!("{step:?}"),
        }
    });
    assert!(matches!(masks[0], CouplingMask::Cycle { .. }));
    assert!(matches!(masks[1], CouplingMask::Checkerboard { .. }));
    assert!(matches!(
        masks[2],
        CouplingMask::Horizontal { kept: Half::Second }
    ));
}

#[test]
fn hints_are_held_against_the_tensors() {
    let contradictions = [
        (
            "glow_rgb.pt",
            "RealNVP",
            "3x8x8",
            "the tensors are of Glow, not of RealNVP",
        ),
        (
            "cycle_rgb.pt",
            "RealNVP",
            "3x7x5",
            "a single-scale RealNVP, not of RealNVP",
        ),
        ("tabular_f16.pt", "Glow", "", "RealNVPTabular, not of Glow"),
        ("glow_rgb.pt", "", "1x8x8", "on 3 channels, not 1x8x8"),
        (
            "resnet_ae.pt",
            "",
            "1x12x12",
            "bottleneck.0.weight has shape",
        ),
        ("rgb_3_scales.pt", "", "3x6x6", "even height and width"),
        (
            "cycle_rgb.pt",
            "RealNVPSmall",
            "3x7x5",
            "not of this architecture: module.body.4.",
        ),
        (
            "horizontal_3.pt",
            "RealNVPCycleMask",
            "1x6x6",
            "not of RealNVPCycleMask",
        ),
    ];
    for (name, class, image, telling) in contradictions {
        let error = convert(&read(name), &hint(class, image)).unwrap_err();
        assert!(error.to_string().contains(telling), "{name}: {error}");
    }
}

#[test]
fn image_sizes_come_from_the_hint_the_bottlenecks_or_the_data_sets() {
    let shape = |name, class, image| {
        let (model, report) = convert(&read(name), &hint(class, image)).unwrap();
        (model.spec().input.shape(), report.to_string())
    };
    let (found, report) = shape("autoencoder.pt", "", "");
    assert_eq!(found, Shape::new(1, 28, 28));
    assert!(report.contains("from the width of the bottlenecks"));
    assert_eq!(shape("resnet_ae.pt", "", "").0, Shape::new(1, 8, 8));
    let (found, report) = shape("glow_rgb.pt", "", "");
    assert_eq!(found, Shape::new(3, 32, 32));
    assert!(report.contains("assumed"), "{report}");
    assert_eq!(shape("realnvp.pt", "", "").0, Shape::new(1, 28, 28));
    assert_eq!(shape("realnvp.pt", "", "1x32x20").0, Shape::new(1, 32, 20));
}

#[test]
fn a_given_spec_needs_no_class() {
    let file = read("cycle_rgb.pt");
    let (model, _) = convert(&file, &hint("RealNVPCycleMask", "3x7x5")).unwrap();
    let mut given = hint("", "");
    given.spec = Some(model.spec().clone());
    assert!(convert(&file, &given).unwrap().0 == model);
    // The reference code's vertical masks are in no class.
    let mut spec = model.spec().clone();
    for step in &mut spec.levels[0].steps {
        if let StepSpec::Coupling(coupling) = step {
            coupling.mask = CouplingMask::Vertical { kept: Half::First };
        }
    }
    given.spec = Some(spec.clone());
    assert_eq!(convert(&file, &given).unwrap().0.spec(), &spec);
    if let StepSpec::Coupling(coupling) = &mut spec.levels[0].steps[3] {
        coupling.conditioner = ConditionerSpec::GlowConvnet { channels: 3 };
    }
    given.spec = Some(spec.clone());
    let error = convert(&file, &given).unwrap_err().to_string();
    assert!(error.contains("body.5.0.module1.* does not fit"), "{error}");
    spec.levels[0].steps.pop();
    given.spec = Some(spec);
    let error = convert(&file, &given).unwrap_err().to_string();
    assert!(error.contains("8 layers of an image flow"), "{error}");
}

#[test]
fn given_specs_of_several_levels_fit_too() {
    for (name, image) in [("glow_rgb.pt", "3x8x8"), ("rgb_3_scales.pt", "3x8x8")] {
        let file = read(name);
        let (model, _) = convert(&file, &hint("", image)).unwrap();
        let mut given = hint("", "");
        given.spec = Some(model.spec().clone());
        assert!(convert(&file, &given).unwrap().0 == model, "{name}");
    }
}

#[test]
fn unknown_networks_are_named() {
    let mut all = entries("horizontal_3.pt");
    for entry in &mut all {
        entry.key = entry.key.replace("st_net.", "st_net.inner.");
    }
    let line = fails(&all, &hint("", "1x6x6")).to_string();
    assert!(
        line.contains("no known conditioner") && line.contains("st_net.*"),
        "{line}"
    );
    let mut all = entries("autoencoder.pt");
    all.retain(|entry| !entry.key.contains("encoder.3") && !entry.key.contains("decoder.3"));
    let line = fails(&all, &hint("", "1x28x28")).to_string();
    assert!(line.contains("autoencoder_old"), "{line}");
}

#[test]
fn hints_are_read_as_users_write_them() {
    assert_eq!(parse_image("3x32x16"), Ok(Shape::new(3, 32, 16)));
    for text in [
        "",
        "28x28",
        "1x28x28x1",
        "1x0x28",
        "1x-2x3",
        "99999x1x1",
        "ax1x1",
    ] {
        let line = parse_image(text).unwrap_err();
        assert!(line.contains("1x28x28") && !line.contains('\n'));
    }
    for class in Class::ALL {
        assert_eq!(class.name().parse(), Ok(class));
    }
    assert!(
        "realnvp"
            .parse::<Class>()
            .unwrap_err()
            .contains("RealNVPCycleMask")
    );
}
