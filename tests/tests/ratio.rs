//! The ratio net in the engine: floats against the reference, integers against the reference of the plan, and every way of
//! evaluating.

use flow_infer::artifact::{Artifact, LoadError};
use flow_infer::engine::{Evaluator, F32, Fixed, Noise, Request, RowSplit, evaluate};
use flow_infer::plan::{Dequantization, Step};
use flow_infer::score::combined::TestKind;
use flow_infer::spec::units::nats_from_raw;
use flow_infer::spec::{InputSpec, Shape};
use flow_reference::{evaluate_plan, ratio};
use flow_tests::implementations::{item, random_dataset};
use flow_tests::random::SplitMix64;
use flow_tests::tests_section::with_test;
use flow_train_host::data::Dataset;
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::export::{self, ExportError, Source};
use flow_train_host::families::Family;
use flow_train_host::model::ratio::{Ratio, RatioShape};
use flow_train_host::model::{Model, Tensor};
use std::task::Poll;

const SHAPES: [[u16; 3]; 3] = [[1, 28, 28], [3, 16, 20], [1, 6, 6]];
const INPUTS: usize = 24;

/// A small flow with a ratio net of random weights.
fn model([c, h, w]: [u16; 3], random: &mut SplitMix64) -> Model {
    let shape = Shape::new(c, h, w);
    let spec = Family::RealNvp.config(shape, 4).spec;
    let flow = flow_tests::models::random_model(spec, random).expect("a small flow");
    let tensors = RatioShape::of(shape).tensors().into_iter().map(|spec| {
        let len: usize = spec.shape.iter().product();
        let fan_in = spec.shape.iter().skip(1).product::<usize>().max(1);
        let deviation = (2.0 / fan_in as f64).sqrt().min(0.5);
        let mut value = || match spec.name.as_str() {
            "input.gain" => random.between(0.4, 0.9),
            "output.weights" => 2.0 * random.normal(),
            _ => deviation * random.normal(),
        };
        let values = (0..len).map(|_| value() as f32).collect();
        let shape = spec.shape.clone();
        (spec.name, Tensor { shape, values })
    });
    let net = Ratio::new(shape, tensors.collect()).expect("the tensors of its shape");
    flow.with_ratio(Some(net))
}

/// Of every shape a model, its data, and its file in integers.
fn cases(mut check: impl FnMut(&Model, &Dataset, &[u8])) {
    for shape in SHAPES {
        let mut random = SplitMix64::named(&format!("ratio {shape:?}"));
        println!("{shape:?}: seed {:#x}", random.seed());
        let model = model(shape, &mut random);
        let data = random_dataset(&model, INPUTS, &mut random);
        let source = Source {
            model: &model,
            dequantization: Dequantization::Drawn { draws: 2, seed: 5 },
        };
        let file = export::quantized(source, &data, &|| ()).and_then(|file| file.to_bytes());
        check(&model, &data, &file.expect("a small model fits"));
    }
}

fn fixed(artifact: &Artifact<'_>, input: &[u8]) -> flow_infer::engine::Evaluation {
    let mut scratch = HeapScratch::<Fixed>::new(artifact);
    evaluate(artifact, input, Noise::Planned, scratch.borrow(), &mut ()).expect("an input")
}

#[test]
fn floats_say_what_the_reference_says() {
    let mut spread = 0.0f64;
    cases(|model, data, _| {
        let file = export::floating(model, false).and_then(|file| file.to_bytes());
        let file = file.expect("a small model fits");
        let artifact = Artifact::load(&file).expect("an exported file loads");
        assert!(artifact.has_ratio());
        let mut scratch = HeapScratch::<F32>::new(&artifact);
        for index in 0..data.len() {
            let input = data.input_bytes(index);
            let found = evaluate(&artifact, &input, Noise::Planned, scratch.borrow(), &mut ());
            let found = nats_from_raw(found.expect("an input").ratio_raw);
            let wanted = ratio(model, &item(data, index)).expect("a net");
            assert!(
                (found - wanted).abs() < 2e-5 * (1.0 + wanted.abs()),
                "{found} {wanted}"
            );
            spread = spread.max(wanted.abs());
        }
    });
    assert!(
        spread > 0.5,
        "a net that says nothing proves nothing: {spread}"
    );
}

#[test]
fn integers_say_what_their_plan_says() {
    let mut worst = [0.0f64; 2];
    cases(|model, data, file| {
        let artifact = Artifact::load(file).expect("an exported file loads");
        for index in 0..data.len() {
            let input = data.input_bytes(index);
            let found = nats_from_raw(fixed(&artifact, &input).ratio_raw);
            let plan = evaluate_plan(&artifact, &input).ratio_nats;
            let float = ratio(model, &item(data, index)).expect("a net");
            worst[0] = worst[0].max((found - plan).abs());
            worst[1] = worst[1].max((found - float).abs() / (1.0 + float.abs()));
        }
    });
    println!(
        "worst: {:e} nats of evaluation, {:.3} of quantization and noise",
        worst[0], worst[1]
    );
    // One step of a 16-bit activation that rounds the other way moves the last one by a few of its own.
    assert!(worst[0] < 0.01, "{}", worst[0]);
    assert!(worst[1] < 0.3, "{}", worst[1]);
}

#[test]
fn a_net_changes_nothing_of_the_flow() {
    cases(|model, data, file| {
        let artifact = Artifact::load(file).expect("loads");
        let source = Source {
            model: &model.clone().with_ratio(None),
            dequantization: Dequantization::Drawn { draws: 2, seed: 5 },
        };
        let bare = export::quantized(source, data, &|| ()).and_then(|file| file.to_bytes());
        let bare = bare.expect("a small model fits");
        let bare = Artifact::load(&bare).expect("loads");
        assert!(!bare.has_ratio());
        for index in 0..data.len() {
            let input = data.input_bytes(index);
            let (with, without) = (fixed(&artifact, &input), fixed(&bare, &input));
            assert_eq!(with.log_prob_raw, without.log_prob_raw);
            assert_eq!(with.squares_raw, without.squares_raw);
            assert_eq!(without.ratio_raw, 0);
        }
    });
}

#[test]
fn an_evaluation_in_steps_gives_the_same_ratio() {
    cases(|_, data, file| {
        let artifact = Artifact::load(file).expect("loads");
        for (index, products) in [(0, 1), (1, 300), (2, usize::MAX)] {
            let input = data.input_bytes(index);
            let mut scratch = HeapScratch::<Fixed>::new(&artifact);
            let elements = input.as_ref().into();
            let request = Request::new(&artifact, elements, Noise::Planned, scratch.borrow());
            let mut evaluator = Evaluator::new(request.expect("an input"));
            let found = loop {
                if let Poll::Ready(found) = evaluator.poll(&mut 1, Some(products)) {
                    break found;
                }
            };
            assert_eq!(found, fixed(&artifact, &input));
        }
    });
}

#[test]
fn two_cores_share_the_flow_and_both_compute_the_net() {
    cases(|_, _, file| {
        let artifact = Artifact::load(file).expect("loads");
        assert!(matches!(artifact.steps().next(), Some(Ok(Step::Ratio(_)))));
        assert!(!RowSplit::of(&artifact).shares(0));
    });
}

#[test]
fn a_model_keeps_its_net_in_its_file() {
    cases(|model, _, _| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.safetensors");
        model.save(&path).expect("written");
        assert_eq!(Model::load(&path).expect("read").ratio(), model.ratio());
        // A net of another size is refused by the names of what does not fit.
        let InputSpec::Image { shape, .. } = model.spec().input else {
            panic!("images");
        };
        let net = model.ratio().expect("a net");
        let wider = Shape::new(shape.channels + 1, shape.height, shape.width);
        assert!(Ratio::new(wider, net.tensors().clone()).is_err());
    });
}

#[test]
fn a_test_of_the_ratio_needs_a_net() {
    let mut random = SplitMix64::named("ratio test");
    let model = model(SHAPES[2], &mut random);
    let file = |model: &Model| {
        let file = export::floating(model, false).and_then(|file| file.to_bytes());
        file.expect("a small model fits")
    };
    let (with, without) = (file(&model), file(&model.clone().with_ratio(None)));
    assert_eq!(with_test(&with, TestKind::Ratio), Ok(()));
    assert_eq!(with_test(&without, TestKind::Likelihood), Ok(()));
    assert_eq!(
        with_test(&without, TestKind::Ratio),
        Err(ExportError::Rejected(LoadError::Tests))
    );
}
