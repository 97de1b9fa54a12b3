//! The sampler's way back, f32 through the engine, against the reference's, f64 and step by step.

use flow_infer::engine::InputError;
use flow_infer::spec::InputSpec;
use flow_reference::evaluate;
use flow_tests::models::{self, NamedModel, random_data};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{SAMPLER_TO_DATA, Worst};
use flow_train_host::export::ExportError;
use flow_train_host::model::Model;
use flow_train_host::sample::{ToDataError, base_latent, to_byte, to_data, to_pixel};

const LATENTS: usize = 6;

#[test]
fn to_data_is_the_references_on_every_small_model() {
    check(models::small_models());
}

#[test]
fn to_data_is_the_references_on_every_legal_coupling() {
    check(models::single_couplings());
}

/// Latents of data, so that all of them lie where a flow has data: to_data(to_latent(v)) = v.
fn check(models: Vec<NamedModel>) {
    let mut worst = Worst::of(SAMPLER_TO_DATA);
    let whitens = |m: &NamedModel| matches!(m.model.spec().input, InputSpec::Whitened { .. });
    for NamedModel { name, model } in models.into_iter().filter(|m| !whitens(m)) {
        let mut random = SplitMix64::named(&format!("{name}: sampler"));
        println!("{name}: seed {:#x}", random.seed());
        let data: Vec<Vec<f64>> = (0..LATENTS)
            .map(|_| random_data(&model, &mut random))
            .collect();
        let latents: Vec<Vec<f64>> = data.iter().map(|v| evaluate(&model, v).z).collect();
        let rounded: Vec<Vec<f32>> = latents
            .iter()
            .map(|z| z.iter().map(|&z| z as f32).collect())
            .collect();
        let found = to_data(&model, &rounded, &|| ()).unwrap_or_else(|e| panic!("{name}: {e}"));
        for (i, ((found, z), v)) in found.iter().zip(&latents).zip(&data).enumerate() {
            let wanted = flow_reference::to_data(&model, z);
            for ((&found, &wanted), &v) in found.iter().zip(&wanted).zip(v) {
                worst.check(format_args!("{name}, latent {i}"), found.into(), wanted);
                worst.check(format_args!("{name}, data {i}"), found.into(), v);
            }
        }
    }
}

#[test]
fn samples_are_a_function_of_seed_and_draw() {
    let model = named("realnvp_2_scales");
    let dims = model.spec().input.shape().len();
    let latent = |seed, draw| base_latent(seed, draw, dims);
    let sample = |z: Vec<f32>| to_data(&model, &[z], &|| ()).unwrap().remove(0);
    assert_eq!(sample(latent(7, 3)), sample(latent(7, 3)));
    assert_ne!(sample(latent(7, 3)), sample(latent(8, 3)));
    assert_ne!(sample(latent(7, 3)), sample(latent(7, 4)));
    // One alone is the same as among others, whose largest coordinate is another one: but for rounding.
    let others = to_data(&model, &[latent(7, 3), vec![9.0; dims]], &|| ()).unwrap();
    for (alone, together) in sample(latent(7, 3)).iter().zip(&others[0]) {
        SAMPLER_TO_DATA.check("one among others", (*together).into(), (*alone).into());
    }
}

#[test]
fn latents_that_are_none_are_refused() {
    let model = named("vector_glow");
    let of = |z: Vec<f32>| to_data(&model, &[vec![0.0; 7], z], &|| ());
    let refused = |error| Err(ToDataError::Latent { index: 1, error });
    assert_eq!(of(vec![0.0; 6]), refused(InputError::Length));
    assert_eq!(of(vec![f32::NAN; 7]), refused(InputError::NotFinite));
    let whitens = named("vector_whitened");
    let dims = whitens.spec().input.shape().len();
    let found = to_data(&whitens, &[vec![0.0; dims]], &|| ());
    assert_eq!(found, Err(ToDataError::Whitened));
    let mut tensors = model.tensors().clone();
    let singular = tensors
        .iter_mut()
        .find(|(name, _)| name.ends_with("1.weights"));
    singular.unwrap().1.values.fill(1.0);
    let singular = Model::new(model.spec().clone(), tensors).unwrap();
    let step = ExportError::Singular { step: 1 };
    assert_eq!(
        to_data(&singular, &[vec![0.0; 7]], &|| ()),
        Err(ToDataError::Flow(step))
    );
}

#[test]
fn pixels_are_where_the_logit_has_them() {
    let InputSpec::Image { logit_margin, .. } = named("realnvp_2_scales").spec().input else {
        panic!("an image model");
    };
    let margin = f64::from(logit_margin);
    for byte in [0u8, 1, 100, 255] {
        let p = (1.0 - 2.0 * margin) * (f64::from(byte) + 0.25) / 256.0 + margin;
        let pixel = to_pixel((p / (1.0 - p)).ln(), margin);
        assert!((pixel - f64::from(byte) - 0.25).abs() < 1e-9);
        assert_eq!(to_byte(pixel as f32), byte);
    }
    assert_eq!(
        (to_byte(-3.0), to_byte(260.0), to_byte(f32::NAN)),
        (0, 255, 0)
    );
}

fn named(name: &str) -> Model {
    let mut models = models::small_models().into_iter();
    models.find(|m| m.name == name).expect("in the table").model
}
