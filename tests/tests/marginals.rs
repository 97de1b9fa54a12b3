//! The values of an input each by itself: floats against the reference, integers against it within the parabola's error, in one
//! go and interrupted; and files whose plan has no such statistic.

use flow_infer::artifact::{Artifact, LoadError};
use flow_infer::engine::{Elements, Evaluator, F32, Fixed, Noise, Request, evaluate};
use flow_infer::plan::Dequantization;
use flow_infer::score::combined::TestKind;
use flow_infer::spec::Shape;
use flow_reference::marginals;
use flow_tests::implementations::{item, random_dataset};
use flow_tests::random::SplitMix64;
use flow_tests::tests_section::with_test;
use flow_train_host::data::Dataset;
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::export::{self, ExportError, Source};
use flow_train_host::families::Family;
use flow_train_host::model::Model;
use std::task::Poll;

const INPUTS: usize = 16;
/// Of the logarithm of one value: the parabola's error and that of a latent's rounding to 8 bits, in nats.
const OF_A_VALUE: f64 = 0.012;

/// Of octaves with 16 fraction bits, as the reference counts them.
fn nats(octaves: u32) -> f64 {
    f64::from(octaves) / -65536.0 * std::f64::consts::LN_2
}

fn model(family: Family, shape: Shape, random: &mut SplitMix64) -> Model {
    let spec = family.config(shape, 4).spec;
    flow_tests::models::random_model(spec, random).expect("a small flow")
}

/// Of each size a flow of a family, and inputs.
fn cases(mut check: impl FnMut(&Model, &Dataset)) {
    for side in [4, 8, 16] {
        let mut random = SplitMix64::named(&format!("marginals {side}"));
        println!("side {side}: seed {:#x}", random.seed());
        let model = model(Family::Dense, Shape::new(1, side, side), &mut random);
        let data = random_dataset(&model, INPUTS, &mut random);
        check(&model, &data);
    }
}

fn exported(model: &Model) -> Vec<u8> {
    let dequantization = Dequantization::Midpoint;
    let source = Source {
        model,
        dequantization,
    };
    let mut random = SplitMix64::named("marginals, ranges");
    let data = random_dataset(model, 64, &mut random);
    let file = export::quantized(source, &data, &|| ()).and_then(|file| file.to_bytes());
    file.expect("a small model fits")
}

#[test]
fn floats_say_what_the_reference_says() {
    cases(|model, data| {
        let file = export::floating(model, false).and_then(|file| file.to_bytes());
        let file = file.expect("a small model fits");
        let artifact = Artifact::load(&file).expect("an exported file loads");
        assert!(artifact.has_marginals());
        let mut scratch = HeapScratch::<F32>::new(&artifact);
        for index in 0..data.len() {
            let input = data.input_bytes(index);
            let found = evaluate(&artifact, &input, Noise::Planned, scratch.borrow(), &mut ());
            let found = nats(found.expect("an input").marginals);
            let wanted = marginals(model, &item(data, index)).expect("a dense flow");
            let error = (found - wanted).abs();
            assert!(error < 1e-4 * (1.0 + wanted.abs()), "{found} {wanted}");
        }
    });
}

#[test]
fn integers_say_what_the_reference_says() {
    let mut worst = 0f64;
    cases(|model, data| {
        let file = exported(model);
        let artifact = Artifact::load(&file).expect("an exported file loads");
        let mut scratch = HeapScratch::<Fixed>::new(&artifact);
        for index in 0..data.len() {
            let input = data.input_bytes(index);
            let whole = evaluate(&artifact, &input, Noise::Planned, scratch.borrow(), &mut ());
            let whole = whole.expect("an input");
            let found = nats(whole.marginals);
            let wanted = marginals(model, &item(data, index)).expect("a dense flow");
            let of_a_value = (found - wanted).abs() / artifact.dims() as f64;
            worst = worst.max(of_a_value);
            assert!(of_a_value < OF_A_VALUE, "{found} {wanted}");
            assert!(found < 0.0, "random values are out of place");
            let elements = Elements::from(&input[..]);
            let request = Request::new(&artifact, elements, Noise::Planned, scratch.borrow());
            let mut evaluator = Evaluator::new(request.expect("an input"));
            let step_by_step = loop {
                if let Poll::Ready(found) = evaluator.poll(&mut 1, Some(64)) {
                    break found;
                }
            };
            assert_eq!(step_by_step, whole);
        }
    });
    println!("at most {worst:.4} nats a value");
}

#[test]
fn a_test_of_marginals_needs_a_flow_that_standardizes() {
    let mut random = SplitMix64::named("marginals test");
    let shape = Shape::new(1, 8, 8);
    let mut file = |family| {
        let model = model(family, shape, &mut random);
        let inputs = random_dataset(&model, 1, &mut random);
        let of_reference = marginals(&model, &item(&inputs, 0));
        let file = export::floating(&model, false).and_then(|file| file.to_bytes());
        (file.expect("a small model fits"), of_reference)
    };
    let (dense, there) = file(Family::Dense);
    assert!(there.is_some());
    assert_eq!(with_test(&dense, TestKind::Marginals), Ok(()));
    for family in [Family::RealNvp, Family::Glow] {
        let (other, none) = file(family);
        assert_eq!(none, None);
        assert_eq!(
            with_test(&other, TestKind::Marginals),
            Err(ExportError::Rejected(LoadError::Tests)),
            "{}",
            family.name()
        );
    }
}
