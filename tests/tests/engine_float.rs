//! The engine's float paths against the reference.

use flow_infer::artifact::Artifact;
use flow_infer::engine::{Arithmetic, F16, F32, Noise, dither};
use flow_infer::plan::Dequantization;
use flow_infer::spec::{ConditionerSpec, Norm, StepSpec};
use flow_reference::{dequantize, evaluate};
use flow_tests::implementations::{engine, item, random_dataset};
use flow_tests::models::{self, NamedModel};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{ENGINE_FLOAT_LATENT, ENGINE_FLOAT_LOG_PROB, Worst};
use flow_train_host::data::Dataset;
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::export::{self, Source};
use flow_train_host::model::Model;
use half::f16;

const INPUTS: usize = 8;

#[test]
fn f32_is_the_reference_on_every_small_model() {
    check::<F32>(models::small_models());
}

#[test]
fn f32_is_the_reference_on_every_legal_coupling() {
    check::<F32>(models::single_couplings());
}

/// The reference on weights that were rounded beforehand: only storage is halved, arithmetic stays f32.
#[test]
fn f16_is_the_reference_on_rounded_weights() {
    let without_norm = |m: &NamedModel| {
        // Folding a norm into weights and rounding them do not commute.
        m.model.spec().steps().all(|placed| match placed.step {
            StepSpec::Coupling(coupling) => !matches!(
                coupling.conditioner,
                ConditionerSpec::Resnet {
                    norm: Norm::Batch,
                    ..
                }
            ),
            _ => true,
        })
    };
    let models = models::small_models().into_iter().filter(without_norm);
    let rounded = models.map(|NamedModel { name, model }| {
        let mut tensors = model.tensors().clone();
        for (name, tensor) in &mut tensors {
            if name.contains("conditioner") && name.ends_with("weights") {
                tensor
                    .values
                    .iter_mut()
                    .for_each(|w| *w = f16::from_f32(*w).to_f32());
            }
        }
        let model = Model::new(model.spec().clone(), tensors).expect("the same names and shapes");
        NamedModel { name, model }
    });
    check::<F16>(rounded.collect());
}

#[test]
fn given_noise_is_added_to_every_byte() {
    let mut worst = Worst::of(ENGINE_FLOAT_LOG_PROB);
    for NamedModel { name, model } in models::small_models() {
        let mut random = SplitMix64::named(&format!("{name}: noise"));
        println!("{name}: seed {:#x}", random.seed());
        let data = random_dataset(&model, 2, &mut random);
        let Dataset::Images(images) = &data else {
            continue;
        };
        let file = file::<F32>(&name, &model);
        let artifact = Artifact::load(&file).expect("an exported file loads");
        let mut scratch = HeapScratch::<F32>::new(&artifact);
        for (i, bytes) in images.iter().enumerate() {
            let noise: Vec<f32> = bytes
                .iter()
                .map(|_| 0.999 * random.uniform() as f32)
                .collect();
            let exact: Vec<f64> = noise.iter().map(|&u| u.into()).collect();
            let wanted = evaluate(&model, &dequantize(bytes, &exact));
            let found = engine(&artifact, &mut scratch, bytes, Noise::Given(&noise));
            worst.check(
                format!("{name}, input {i}"),
                found.log_prob_nats,
                wanted.log_prob_nats,
            );
        }
    }
}

#[test]
fn drawn_noise_is_the_mean_over_its_draws() {
    const DRAWS: u8 = 3;
    const SEED: u32 = 11;
    let dequantization = Dequantization::Drawn {
        draws: DRAWS,
        seed: SEED,
    };
    let mut worst = Worst::of(ENGINE_FLOAT_LOG_PROB);
    for NamedModel { name, model } in models::small_models() {
        let mut random = SplitMix64::named(&format!("{name}: drawn noise"));
        println!("{name}: seed {:#x}", random.seed());
        let Dataset::Images(images) = random_dataset(&model, 2, &mut random) else {
            continue;
        };
        let model = &model;
        let source = Source {
            model,
            dequantization,
        };
        let file = export::floating(source, false).and_then(|file| file.to_bytes());
        let file = file.unwrap_or_else(|error| panic!("{name}: {error}"));
        let artifact = Artifact::load(&file).expect("an exported file loads");
        let mut scratch = HeapScratch::<F32>::new(&artifact);
        for (i, bytes) in images.iter().enumerate() {
            let of_draw = |draw: u8| {
                let noise = dither(SEED, draw, bytes);
                let noise: Vec<f64> = noise.map(|u| (f64::from(u) + 0.5) / 65536.0).collect();
                evaluate(model, &dequantize(bytes, &noise)).log_prob_nats
            };
            let wanted = (0..DRAWS).map(of_draw).sum::<f64>() / f64::from(DRAWS);
            let found = engine(&artifact, &mut scratch, bytes, Noise::Planned);
            worst.check(format!("{name}, input {i}"), found.log_prob_nats, wanted);
        }
    }
}

fn check<A: Arithmetic>(models: Vec<NamedModel>) {
    let mut log_prob = Worst::of(ENGINE_FLOAT_LOG_PROB);
    let mut latent = Worst::of(ENGINE_FLOAT_LATENT);
    for NamedModel { name, model } in models {
        let mut random = SplitMix64::named(&format!("{name}: float engine"));
        println!("{name}: seed {:#x}", random.seed());
        let file = file::<A>(&name, &model);
        let artifact = Artifact::load(&file).expect("an exported file loads");
        let mut scratch = HeapScratch::<A>::new(&artifact);
        let data = random_dataset(&model, INPUTS, &mut random);
        for i in 0..INPUTS {
            let wanted = evaluate(&model, &item(&data, i));
            let found = engine(
                &artifact,
                &mut scratch,
                &data.input_bytes(i),
                Noise::Planned,
            );
            assert!(!found.saturated, "{name}, input {i}");
            let at = format!("{name}, input {i}");
            log_prob.check(&at, found.log_prob_nats, wanted.log_prob_nats);
            for (&f, &w) in found.z.iter().zip(&wanted.z) {
                latent.check(&at, f, w);
            }
        }
    }
}

fn file<A: Arithmetic>(name: &str, model: &Model) -> Vec<u8> {
    let half = A::FORMAT == F16::FORMAT;
    let file = export::floating(model, half).and_then(|file| file.to_bytes());
    file.unwrap_or_else(|error| panic!("{name}: {error}"))
}
