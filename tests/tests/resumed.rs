//! Evaluations that are left and resumed: the bits of one go, wherever they are left.

use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{
    Arithmetic, Evaluation, Evaluator, F16, F32, Fixed, Noise, Request, STEP_PRODUCTS, evaluate,
};
use flow_infer::plan::Dequantization;
use flow_infer::score::complexity::Coder;
use flow_tests::fixtures::sample_images;
use flow_tests::implementations::random_dataset;
use flow_tests::models::small_models;
use flow_tests::random::SplitMix64;
use flow_train_host::data::Dataset;
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::export::{self, Source};
use std::path::Path;
use std::task::Poll;

/// Inputs of each model.
const INPUTS: usize = 2;
/// Products of a step: every tile one of its own, as many as divide the rows of small models in some, and rows undivided.
const PRODUCTS: [Option<usize>; 4] = [Some(1), Some(3000), Some(STEP_PRODUCTS), None];

/// What was found, and the latents that were left.
type Found<A> = (Evaluation, Vec<<A as Arithmetic>::Latent>);

fn in_one_go<A: Arithmetic>(
    artifact: &Artifact<'_>,
    scratch: &mut HeapScratch<A>,
    input: &[u8],
    noise: Noise<'_>,
) -> Found<A> {
    let found = evaluate(artifact, input, noise, scratch.borrow(), &mut ()).unwrap();
    (found, scratch.latents().to_vec())
}

/// So many steps at a time, as `steps` says, each of at most so many products; also how many polls it took.
fn resumed<A: Arithmetic>(
    artifact: &Artifact<'_>,
    scratch: &mut HeapScratch<A>,
    (input, noise): (&[u8], Noise<'_>),
    products: Option<usize>,
    mut steps: impl FnMut() -> u32,
) -> (Found<A>, usize) {
    let request = Request::new(artifact, input.into(), noise, scratch.borrow()).unwrap();
    let mut evaluator = Evaluator::new(request);
    let mut polls = 0;
    let found = loop {
        polls += 1;
        let given = steps();
        let mut left = given;
        match evaluator.poll(&mut left, products) {
            Poll::Ready(found) => {
                let again = evaluator.poll(&mut 0, products);
                assert_eq!(again, Poll::Ready(found), "asked again");
                break found;
            }
            Poll::Pending => assert_eq!(left, 0, "{given} steps were given"),
        }
    };
    ((found, scratch.latents().to_vec()), polls)
}

/// Every input of a model, left after one, two, three and random numbers of steps.
fn check<A: Arithmetic>(name: &str, file: &[u8], data: &Dataset, random: &mut SplitMix64)
where
    A::Latent: PartialEq,
{
    let artifact = Artifact::load(file).unwrap();
    let mut scratch = HeapScratch::<A>::new(&artifact);
    let draws = if A::TAKES_NOISE { 2 } else { 1 };
    for index in 0..data.len() {
        let input = data.input_bytes(index);
        let noise: Vec<f32> = (0..input.len()).map(|_| random.uniform() as f32).collect();
        let noise = [Noise::Planned, Noise::Given(&noise)];
        let image = matches!(data, Dataset::Images(_));
        for noise in noise.into_iter().take(if image { draws } else { 1 }) {
            let wanted = in_one_go::<A>(&artifact, &mut scratch, &input, noise);
            for products in PRODUCTS {
                let mut most = 0;
                for steps in 1..=3 {
                    let given = (&input[..], noise);
                    let found = resumed::<A>(&artifact, &mut scratch, given, products, || steps);
                    assert_eq!(found.0, wanted, "{name}: {steps} steps of {products:?}");
                    most = most.max(found.1);
                }
                assert!(most >= 3, "{name}: done in {most} polls");
                let mut any = || (40.0 * random.uniform()) as u32;
                let given = (&input[..], noise);
                let found = resumed::<A>(&artifact, &mut scratch, given, products, &mut any);
                assert_eq!(found.0, wanted, "{name}: random steps of {products:?}");
            }
        }
    }
}

#[test]
fn every_architecture_in_every_format_gives_the_bits_of_one_go() {
    for (index, model) in small_models().iter().enumerate() {
        let name = &model.name;
        let mut random = SplitMix64::named(&format!("{name}: resumed"));
        println!("{name}: seed {:#x}", random.seed());
        let calibration = random_dataset(&model.model, 32, &mut random);
        let data = random_dataset(&model.model, INPUTS, &mut random);
        let dequantization = match index % 2 {
            0 => Dequantization::Midpoint,
            _ => Dequantization::Drawn { draws: 2, seed: 3 },
        };
        let source = Source {
            model: &model.model,
            dequantization,
        };
        let quantized = export::quantized(source, &calibration, &|| ());
        let file = quantized.and_then(|file| file.to_bytes()).unwrap();
        check::<Fixed>(name, &file, &data, &mut random);
        let float = |half| {
            let file = export::floating(source, half);
            file.and_then(|file| file.to_bytes()).unwrap()
        };
        check::<F32>(name, &float(false), &data, &mut random);
        check::<F16>(name, &float(true), &data, &mut random);
    }
}

/// The scores of the committed models, code length and tests among them, and left in mid-coding as well.
#[test]
fn scores_of_the_committed_models_are_those_of_one_go() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/models");
    for name in ["fashion-tiny", "fashion-bottleneck"] {
        let file = std::fs::read(folder.join(name).with_extension("flow")).unwrap();
        let artifact = Artifact::load(&file).unwrap();
        let mut scratch = HeapScratch::<Fixed>::new(&artifact);
        let mut coder = Coder::new();
        let images = sample_images("fashion-mnist");
        let image = images.input_bytes(7);
        let mut detector = Detector::new(&artifact, scratch.borrow(), &mut coder);
        let wanted = detector.scores(&image, Noise::Planned).unwrap();
        for steps in [1, 7] {
            let input = (&*image).into();
            let mut scoring = detector.begin(input, Noise::Planned).unwrap();
            let mut polls = 1;
            let found = loop {
                match scoring.poll(steps, Some(STEP_PRODUCTS)) {
                    Poll::Ready(found) => break found,
                    Poll::Pending => polls += 1,
                }
            };
            assert_eq!(found, wanted, "{name}");
            assert!(
                polls * steps >= 500,
                "{name}: {polls} polls of {steps} steps"
            );
            assert_eq!(scoring.poll(0, Some(STEP_PRODUCTS)), Poll::Ready(wanted));
        }
        // An evaluation that is abandoned leaves nothing behind.
        let input = (&*image).into();
        let mut abandoned = detector.begin(input, Noise::Planned).unwrap();
        assert_eq!(abandoned.poll(100, None), Poll::Pending);
        assert_eq!(detector.scores(&image, Noise::Planned).unwrap(), wanted);
    }
}
