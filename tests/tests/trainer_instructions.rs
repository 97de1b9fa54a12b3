//! Training computes the same with every instruction set that this processor has: a machine without AVX-512 or AVX2
//! trains the same flow.

use flow_tests::models::{KernelModel, kernel_models};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{TRAINER_INSTRUCTIONS, Worst};
use flow_tests::training::Batch;
use flow_train_host::train::Instructions;

/// Losses before this many steps are compared.
const STEPS: usize = 4;

#[test]
fn every_instruction_set_trains_the_same_flow() {
    let sets = Instructions::all();
    let names: Vec<_> = sets.iter().map(|set| set.name()).collect();
    assert_eq!(names.last(), Some(&"portable"));
    let mut worst = Worst::of(TRAINER_INSTRUCTIONS);
    for KernelModel { named, batch } in kernel_models() {
        let name = &named.name;
        let mut random = SplitMix64::named(&format!("{name}: instructions"));
        println!("{name}: {names:?}, seed {:#x}", random.seed());
        let batch = Batch::random(&named.model, batch, &mut random);
        let losses = |set| {
            let steps = batch.with_trainer(set, |t| (0..STEPS).map(|_| t.step()).collect());
            steps.unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let wanted: Vec<f64> = losses(Instructions::default());
        assert!(
            wanted[STEPS - 1] < wanted[0],
            "{name} learns nothing: {wanted:?}"
        );
        for &set in &sets {
            for (step, (found, wanted)) in losses(set).into_iter().zip(&wanted).enumerate() {
                worst.check(
                    format!("{name}, {}, step {step}", set.name()),
                    found,
                    *wanted,
                );
            }
        }
    }
}
