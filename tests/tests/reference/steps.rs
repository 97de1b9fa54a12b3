//! Steps and input of tiny flows against numbers worked out by hand from `documents/conventions.md`.

use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, FlowSpec, Half, Norm, ScaleMap, StepSpec,
};
use flow_reference::{Array, evaluate, midpoint, squeeze, unsqueeze};
use flow_tests::models::{coupling, image, level, vector};
use flow_tests::tolerance::LAYER_BY_HAND;
use flow_train_host::model::{Model, Tensor, tensors::tensor_list};
use std::collections::BTreeMap;

/// The model whose tensors are all zero but those given.
fn model(spec: FlowSpec, given: &[(&str, &[f32])]) -> Model {
    let mut tensors: BTreeMap<_, _> = tensor_list(&spec)
        .into_iter()
        .map(|t| {
            let values = vec![0.0; t.shape.iter().product()];
            let shape = t.shape;
            (t.name, Tensor { shape, values })
        })
        .collect();
    for (name, values) in given {
        let tensor = tensors.get_mut(*name).expect("a tensor of this name");
        assert_eq!(tensor.values.len(), values.len(), "{name}");
        tensor.values = values.to_vec();
    }
    Model::new(spec, tensors).expect("a consistent model")
}

const LN_2_PI: f64 = 1.837_877_066_409_345_3;

#[test]
fn the_logit_of_a_grey_pixel() {
    // 127 + 1/2 of 256 with margin 1/4: p = 1/2 * 127.5 / 256 + 1/4 = 255.5 / 512.
    let mut spec = image(1, 1, 1, &[level(&[StepSpec::Actnorm])]);
    if let flow_infer::spec::InputSpec::Image { logit_margin, .. } = &mut spec.input {
        *logit_margin = 0.25;
    }
    let found = evaluate(&model(spec, &[]), &midpoint(&[127]));
    let p: f64 = 255.5 / 512.0;
    LAYER_BY_HAND.check("z", found.z[0], (255.5f64 / 256.5).ln());
    let log_det = (0.5 / (p * (1.0 - p)) / 256.0).ln();
    LAYER_BY_HAND.check("log_det", found.log_det, log_det);
    let log_prob = -(found.z[0].powi(2) + LN_2_PI) / 2.0 + log_det;
    LAYER_BY_HAND.check("log_prob", found.log_prob_nats, log_prob);
}

#[test]
fn standardization_and_actnorm_of_a_vector() {
    let given: [(&str, &[f32]); 4] = [
        ("input.mean", &[1.0, -2.0]),
        ("input.deviation", &[2.0, 0.5]),
        ("levels.0.steps.0.shift", &[0.5, 0.0]),
        ("levels.0.steps.0.log_scale", &[0.25, -1.0]),
    ];
    let found = evaluate(
        &model(vector(2, &[StepSpec::Actnorm]), &given),
        &[4.0, -1.0],
    );
    // ((4 - 1) / 2 + 1/2) e^(1/4) and ((-1 + 2) / (1/2)) e^-1.
    LAYER_BY_HAND.check_all("z", &found.z, &[2.0 * 0.25f64.exp(), 2.0 * (-1f64).exp()]);
    // ln 2 and ln 1/2 cancel.
    LAYER_BY_HAND.check("log_det", found.log_det, -0.75);
}

#[test]
fn invertible_linear_multiplies_the_channels_of_each_pixel() {
    let spec = image(2, 1, 2, &[level(&[StepSpec::InvertibleLinear])]);
    let weights: (&str, &[f32]) = ("levels.0.steps.0.weights", &[1.0, 2.0, -1.0, 3.0]);
    let found = evaluate(
        &model(spec.clone(), &[weights]),
        &midpoint(&[10, 20, 30, 250]),
    );
    let identity: (&str, &[f32]) = ("levels.0.steps.0.weights", &[1.0, 0.0, 0.0, 1.0]);
    let first = evaluate(&model(spec, &[identity]), &midpoint(&[10, 20, 30, 250])).z;
    let wanted = [
        first[0] + 2.0 * first[2],
        first[1] + 2.0 * first[3],
        -first[0] + 3.0 * first[2],
        -first[1] + 3.0 * first[3],
    ];
    LAYER_BY_HAND.check_all("z", &found.z, &wanted);
    LAYER_BY_HAND.check("log_det", found.step_log_dets[0], 2.0 * 5f64.ln());
}

/// A coupling of two coordinates whose conditioner says raw_scale 3/2 k - 1 and shift -2 k of the kept k = 2.
fn constant_coupling(map: ScaleMap, affine: AffineForm) -> (f64, f64) {
    let mask = CouplingMask::Channel { kept: Half::First };
    let conditioner = ConditionerSpec::Mlp {
        hidden: 1,
        layers: 0,
    };
    let mut given: Vec<(&str, &[f32])> = vec![
        ("input.deviation", &[1.0, 1.0]),
        ("levels.0.steps.0.conditioner.in_layer.weights", &[0.5]),
        (
            "levels.0.steps.0.conditioner.out_layer.weights",
            &[3.0, -4.0],
        ),
        ("levels.0.steps.0.conditioner.out_layer.bias", &[-1.0, 0.0]),
    ];
    if map == ScaleMap::TanhBound {
        given.push(("levels.0.steps.0.log_scale_bound", &[-0.75]));
    }
    let spec = vector(2, &[coupling(mask, conditioner, map, affine)]);
    let found = evaluate(&model(spec, &given), &[2.0, 5.0]);
    assert_eq!(found.z[0], 2.0);
    (found.z[1], found.log_det)
}

#[test]
fn scale_maps_and_affine_forms() {
    use AffineForm::{ScaleThenShift, ShiftThenScale};
    let sigmoid = ScaleMap::Sigmoid {
        offset: 0.5,
        floor: 0.125,
    };
    let maps = [
        (ScaleMap::TanhBound, -0.75 * 2f64.tanh()),
        (ScaleMap::Exp, 2.0),
        (sigmoid, (1.0 / (1.0 + (-2.5f64).exp()) + 0.125).ln()),
    ];
    for (map, log_scale) in maps {
        let (z, log_det) = constant_coupling(map, ShiftThenScale);
        LAYER_BY_HAND.check(format!("{map:?}"), log_det, log_scale);
        LAYER_BY_HAND.check(format!("{map:?}"), z, (5.0 - 4.0) * log_scale.exp());
        let (z, log_det) = constant_coupling(map, ScaleThenShift);
        LAYER_BY_HAND.check(format!("{map:?}"), log_det, log_scale);
        LAYER_BY_HAND.check(format!("{map:?}"), z, 5.0 * log_scale.exp() - 4.0);
    }
}

#[test]
fn batch_norm_uses_its_stored_statistics() {
    // One kept pixel k: n = 2 (k - 1) / sqrt(4 + 1e-5) + 1/4, then relu([n, -n]), a centre-only kernel, 1x1 to shift.
    let conditioner = ConditionerSpec::Resnet {
        channels: 1,
        blocks: 0,
        skip: false,
        norm: Norm::Batch,
        bottleneck: 0,
    };
    let mask = CouplingMask::Channel { kept: Half::First };
    let spec = vector(
        2,
        &[coupling(
            mask,
            conditioner,
            ScaleMap::Exp,
            AffineForm::ScaleThenShift,
        )],
    );
    let at = |name: &str| format!("levels.0.steps.0.conditioner.{name}");
    let mut kernels = [0.0; 18];
    (kernels[4], kernels[9 + 4]) = (1.0, 10.0);
    let given: Vec<(String, Vec<f32>)> = vec![
        ("input.deviation".into(), vec![1.0, 1.0]),
        (at("in_norm.gain"), vec![2.0]),
        (at("in_norm.mean"), vec![1.0]),
        (at("in_norm.variance"), vec![4.0]),
        (at("in_norm.offset"), vec![0.25]),
        (at("in_conv.weights"), kernels.to_vec()),
        (at("out_norm.gain"), vec![1.0]),
        (at("out_norm.variance"), vec![1.0]),
        (at("out_conv.weights"), vec![0.0, 1.0]),
    ];
    let given: Vec<_> = given
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_slice()))
        .collect();
    let model = model(spec, &given);
    for (kept, slope) in [(3.0, 1.0), (-5.0, -10.0)] {
        let n = 2.0 * (kept - 1.0) / 4.000_01f64.sqrt() + 0.25;
        let shift = slope * n / 1.000_01f64.sqrt();
        LAYER_BY_HAND.check("shifted", evaluate(&model, &[kept, 0.0]).z[1], shift);
    }
}

#[test]
fn squeeze_moves_blocks_to_channels() {
    let input = Array::from_fn((2, 2, 4), |c, y, x| (100 * c + 10 * y + x) as f64);
    let output = squeeze(&input);
    assert_eq!(output.size(), (8, 1, 2));
    let wanted = [
        [0.0, 2.0],
        [1.0, 3.0],
        [10.0, 12.0],
        [11.0, 13.0],
        [100.0, 102.0],
        [101.0, 103.0],
        [110.0, 112.0],
        [111.0, 113.0],
    ];
    assert_eq!(output.values, wanted.concat());
    assert_eq!(unsqueeze(&output), input);
}
