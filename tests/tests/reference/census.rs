//! Nothing that the spec names goes without a model.

use flow_infer::spec::StepSpec;
use flow_reference::evaluate;
use flow_tests::coverage;
use flow_tests::models::{self, NamedModel, random_data};
use flow_tests::random::SplitMix64;
use std::collections::BTreeSet;

/// A tenth of what fixed point with 20 fraction bits can hold.
const LARGEST_LATENT: f64 = 200.0;
/// Between inputs, in a coupling's log_det.
const LEAST_SPREAD_NATS: f64 = 0.005;

#[test]
fn every_op_is_tested() {
    let found: BTreeSet<_> = models::small_models()
        .iter()
        .flat_map(|m| coverage::choices(m.model.spec()))
        .collect();
    let missing: Vec<_> = coverage::all_choices()
        .difference(&found)
        .copied()
        .collect();
    assert!(missing.is_empty(), "no small model has {missing:?}");
}

#[test]
fn every_legal_coupling_stands_alone_in_a_flow() {
    let models = models::single_couplings();
    let names: BTreeSet<_> = models.iter().map(|m| &m.name).collect();
    assert_eq!(names.len(), models.len(), "two models of one name");
    // Every conditioner takes every mask, an mlp the two channel masks; three maps, and four more with an mlp; two
    // forms.
    let [conditioners, masks] = ["conditioner: ", "mask: "].map(count);
    let but_mlp = conditioners - 1;
    assert_eq!(models.len(), (but_mlp * masks + 2) * 3 * 2 + 2 * 4 * 2);
    let found: BTreeSet<_> = models
        .iter()
        .flat_map(|m| coverage::choices(m.model.spec()))
        .collect();
    let missing: BTreeSet<_> = coverage::all_choices()
        .difference(&found)
        .copied()
        .collect();
    let alone = [
        "input: vector, whitened",
        "step: actnorm",
        "step: invertible_linear",
        "step: squeeze",
    ];
    assert_eq!(missing, BTreeSet::from(alone));
}

/// How many choices the census names so.
fn count(kind: &str) -> usize {
    let choices = coverage::all_choices().into_iter();
    choices.filter(|choice| choice.starts_with(kind)).count()
}

#[test]
fn models_are_the_same_at_every_call() {
    let (first, second) = (models::small_models(), models::small_models());
    let names: BTreeSet<_> = first.iter().map(|m| &m.name).collect();
    assert_eq!(names.len(), first.len(), "two models of one name");
    for (a, b) in first.iter().zip(&second) {
        assert_eq!((&a.name, &a.model), (&b.name, &b.model));
    }
}

/// Latents stay far from the ends of fixed point, and what every conditioner says depends on what it reads.
#[test]
fn small_models_are_well_scaled() {
    for NamedModel { name, model } in models::small_models() {
        let mut random = SplitMix64::named(&format!("{name}: scale"));
        println!("{name}: seed {:#x}", random.seed());
        let found: Vec<_> = (0..20)
            .map(|_| evaluate(&model, &random_data(&model, &mut random)))
            .collect();
        let z = found.iter().flat_map(|e| &e.z);
        let largest = z.fold(0f64, |m, z| m.max(z.abs()));
        assert!(largest < LARGEST_LATENT, "{name}: |z| up to {largest}");
        for (k, placed) in model.spec().steps().enumerate() {
            let log_dets = found.iter().map(|e| e.step_log_dets[k]);
            let spread =
                log_dets.clone().fold(f64::MIN, f64::max) - log_dets.fold(f64::MAX, f64::min);
            let is_coupling = matches!(placed.step, StepSpec::Coupling(_));
            assert_eq!(
                spread > LEAST_SPREAD_NATS,
                is_coupling,
                "{name} step {k}: {spread}"
            );
        }
    }
}
