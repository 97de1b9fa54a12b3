//! What pictures show, against the reference and against what the engine did.

use flow_infer::artifact::Artifact;
use flow_infer::engine::{InputError, Noise};
use flow_infer::plan::{Dequantization, Step};
use flow_infer::spec::StepSpec;
use flow_reference::evaluate;
use flow_tests::implementations::{item, random_dataset};
use flow_tests::models::{self, NamedModel};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{ENGINE_FLOAT_LATENT, FIXED_COUPLING, FIXED_COUPLING_SOFTSIGN, Worst};
use flow_train_host::data::Dataset;
use flow_train_host::export;
use flow_train_host::export::lower::Source;
use flow_train_host::model::Model;
use flow_train_host::trace::{Trace, ablate, draws, planned_draws, trace, trace_all};

const INPUTS: usize = 3;

fn float_file(model: &Model) -> Vec<u8> {
    let file = export::floating(model, false).and_then(|file| file.to_bytes());
    file.expect("a small model fits")
}

fn traces(artifact: &Artifact<'_>, data: &Dataset) -> Vec<Trace> {
    trace_all(artifact, data, &|| ()).expect("the engine takes its own kind of data")
}

#[test]
fn latents_and_log_scales_are_the_references() {
    let mut worst = Worst::of(ENGINE_FLOAT_LATENT);
    for NamedModel { name, model } in models::small_models() {
        let mut random = SplitMix64::named(&format!("{name}: look"));
        println!("{name}: seed {:#x}", random.seed());
        let data = random_dataset(&model, INPUTS, &mut random);
        let file = float_file(&model);
        let artifact = Artifact::load(&file).expect("an exported file loads");
        for (i, trace) in traces(&artifact, &data).iter().enumerate() {
            let wanted = evaluate(&model, &item(&data, i));
            assert_eq!(trace.latents.len(), artifact.steps().count() + 1);
            for (z, wanted) in trace.latents.last().unwrap().iter().zip(&wanted.z) {
                worst.check(format_args!("{name}, latent {i}"), (*z).into(), *wanted);
            }
            let steps = model.spec().steps().zip(&wanted.step_log_dets);
            let couplings = steps.filter(|(s, _)| matches!(s.step, StepSpec::Coupling(_)));
            let log_dets: Vec<f64> = couplings.map(|(_, log_det)| *log_det).collect();
            assert_eq!(trace.couplings.len(), log_dets.len());
            for (coupling, wanted) in trace.couplings.iter().zip(log_dets) {
                let sum = coupling.log_scale.iter().flatten();
                let sum: f64 = sum.map(|&l| f64::from(l)).sum();
                worst.check(format_args!("{name}, log_det {i}"), sum, wanted);
            }
        }
    }
}

/// y = (x - expected) exp(log_scale) where a coordinate is changed, y = x elsewhere: for both
/// affine forms.
fn check_couplings(name: &str, trace: &Trace, worst: &mut Worst) {
    for coupling in &trace.couplings {
        let (view, shape) = (coupling.view, coupling.view.shape());
        let mut changed = vec![false; coupling.shift.len()];
        for c in 0..view.channels() {
            for y in 0..usize::from(shape.height) {
                for x in 0..usize::from(shape.width) {
                    changed[view.offset(c, y, x)] = coupling.mask.is_changed(c, y, x, shape);
                }
            }
        }
        let (before, after) = (
            &trace.latents[coupling.step],
            &trace.latents[coupling.step + 1],
        );
        let expected = coupling.expected();
        for (i, changed) in changed.into_iter().enumerate() {
            assert_eq!(coupling.shift[i].is_some(), changed, "{name} [{i}]");
            match expected[i].zip(coupling.log_scale[i]) {
                Some((expected, log_scale)) => {
                    let moved = f64::from(before[i]) - f64::from(expected);
                    let wanted = moved * f64::from(log_scale).exp();
                    worst.check(format_args!("{name} [{i}]"), after[i].into(), wanted);
                }
                None => assert_eq!(before[i], after[i], "{name} [{i}]"),
            }
        }
    }
}

#[test]
fn couplings_do_what_is_seen_of_them() {
    let mut float = Worst::of(ENGINE_FLOAT_LATENT);
    let mut fixed = Worst::of(FIXED_COUPLING);
    let mut softsign = Worst::of(FIXED_COUPLING_SOFTSIGN);
    for NamedModel { name, model } in models::small_models() {
        let mut random = SplitMix64::named(&format!("{name}: trace at couplings"));
        println!("{name}: seed {:#x}", random.seed());
        let data = random_dataset(&model, 16, &mut random);
        let file = float_file(&model);
        let shown = data.take(0..INPUTS);
        let artifact = Artifact::load(&file).expect("an exported file loads");
        let seen = traces(&artifact, &shown);
        seen.iter()
            .for_each(|trace| check_couplings(&name, trace, &mut float));
        let quantized = export::quantized(&model, &data, &|| ()).and_then(|file| file.to_bytes());
        let quantized = quantized.unwrap_or_else(|error| panic!("{name}: {error}"));
        let artifact = Artifact::load(&quantized).expect("an exported file loads");
        let seen = traces(&artifact, &shown);
        seen.iter().for_each(|trace| {
            let of_map = if name.contains("softsign") {
                &mut softsign
            } else {
                &mut fixed
            };
            check_couplings(&name, trace, of_map);
        });
    }
}

#[test]
fn a_step_that_is_left_out_is_the_only_difference() {
    let model = named("realnvp_2_scales");
    let mut random = SplitMix64::named("a step left out");
    println!("seed {:#x}", random.seed());
    let data = random_dataset(&model, 1, &mut random);
    let file = float_file(&model);
    let artifact = Artifact::load(&file).expect("an exported file loads");
    let whole = traces(&artifact, &data).remove(0);
    let last = artifact.steps().count() - 1;
    for left_out in [0, 3, last] {
        let ablated = ablate(&artifact, left_out).expect("every ablated flow is one");
        let ablated = Artifact::load(&ablated).expect("it was loaded before");
        assert_eq!(ablated.steps().count(), last);
        let seen = traces(&ablated, &data).remove(0);
        assert_eq!(seen.latents[..=left_out], whole.latents[..=left_out]);
        assert_eq!(seen.couplings[..left_out], whole.couplings[..left_out]);
        if left_out < last {
            let next = (&seen.couplings[left_out], &whole.couplings[left_out + 1]);
            assert_eq!((next.0.view, next.0.mask), (next.1.view, next.1.mask));
            assert_ne!(next.0.shift, next.1.shift, "it reads another latent");
        }
    }
}

#[test]
fn draws_are_a_function_of_their_seed_and_means_of_themselves() {
    let model = named("glow_highway");
    let mut random = SplitMix64::named("draws");
    println!("seed {:#x}", random.seed());
    let data = random_dataset(&model, 2, &mut random);
    let file = float_file(&model);
    let artifact = Artifact::load(&file).expect("an exported file loads");
    let of = |count, seed| draws(&artifact, &data, count, seed, &|| ()).expect("noise is taken");
    let one = of(1, 5);
    assert!(one.iter().all(|d| d.first == d.mean));
    assert_ne!(one[0].first, of(1, 6)[0].first);
    let many = of(200, 5);
    assert_eq!((one[0].first.as_slice(), one[1].first.as_slice()), {
        (many[0].first.as_slice(), many[1].first.as_slice())
    });
    // The mean of many is near that of as many others, nearer than two draws are to each other.
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>();
    let others = of(200, 7);
    let single = distance(&many[0].first, &others[0].first);
    assert!(single > 0.0 && distance(&many[0].mean, &others[0].mean) < single / 4.0);
}

#[test]
fn integer_models_draw_what_their_file_says() {
    let model = named("realnvp_1_scale");
    let mut random = SplitMix64::named("planned draws");
    println!("seed {:#x}", random.seed());
    let data = random_dataset(&model, 12, &mut random);
    let file = |dequantization| {
        let source = Source {
            model: &model,
            dequantization,
        };
        let file = export::quantized(source, &data, &|| ()).and_then(|file| file.to_bytes());
        file.expect("a small model fits")
    };
    let planned = |bytes: &[u8]| {
        let artifact = Artifact::load(bytes).expect("an exported file loads");
        planned_draws(&artifact, &data, &|| ()).expect("it draws itself")
    };
    let midpoint = file(Dequantization::Midpoint);
    let artifact = Artifact::load(&midpoint).expect("an exported file loads");
    let refused = draws(&artifact, &data, 2, 0, &|| ());
    assert_eq!(refused, Err((0, InputError::NoiseUnsupported)));
    let all = planned(&midpoint);
    let seen = trace(&artifact, &data.input_bytes(3), Noise::Planned).unwrap();
    assert_eq!((&all[3].first, &all[3].mean), {
        let latent = seen.latents.last().unwrap();
        (latent, latent)
    });
    let drawn = planned(&file(Dequantization::Drawn { draws: 4, seed: 9 }));
    assert!(drawn.iter().all(|d| d.first != d.mean));
    let drawn_file = file(Dequantization::Drawn { draws: 4, seed: 9 });
    let artifact = Artifact::load(&drawn_file).expect("an exported file loads");
    let seen = trace(&artifact, &data.input_bytes(0), Noise::Planned).unwrap();
    let steps = artifact.steps().flatten();
    let couplings = steps.filter(|step| matches!(step, Step::Coupling(_)));
    assert_eq!(seen.latents.len(), artifact.steps().count() + 1);
    assert_eq!(seen.couplings.len(), couplings.count());
}

fn named(name: &str) -> Model {
    let mut models = models::small_models().into_iter();
    models.find(|m| m.name == name).expect("in the table").model
}
