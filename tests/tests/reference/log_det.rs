//! log_det against the determinant of a numeric Jacobian of to_latent.

use flow_infer::spec::InputSpec;
use flow_reference::numeric::{Lu, jacobian};
use flow_reference::{evaluate, to_latent};
use flow_tests::models::{self, NamedModel, random_data};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{LOG_DET_BY_DIFFERENCES, Worst};

/// Largest D whose D x D Jacobian is worth its 2 D evaluations here.
const MOST_DIMS: usize = 600;
/// Points tried before a model is given up as one with kinks everywhere.
const ATTEMPTS: usize = 40;
/// Difference between the slopes to both sides that betrays a kink; curvature shows a thousand times less.
const KINK: f64 = 1e-3;

#[test]
fn log_det_of_every_legal_coupling_is_the_jacobians() {
    check(models::single_couplings());
}

#[test]
fn log_det_of_every_small_model_is_the_jacobians() {
    check(models::small_models());
}

fn check(models: Vec<NamedModel>) {
    let mut worst = Worst::of(LOG_DET_BY_DIFFERENCES);
    for NamedModel { name, model } in models {
        let mut random = SplitMix64::named(&format!("{name}: log_det"));
        println!("{name}: seed {:#x}", random.seed());
        // The step that balances rounding and truncation on the scale of the input.
        let step = match model.spec().input {
            InputSpec::Image { .. } => 256.0 * 2e-7,
            InputSpec::Vector { .. } | InputSpec::Whitened { .. } => 1e-6,
        };
        let dims = model.spec().input.shape().len();
        assert!(dims <= MOST_DIMS, "{name} is too large for a full Jacobian");
        let found = (0..ATTEMPTS).find_map(|_| {
            let data = random_data(&model, &mut random);
            let matrix = jacobian(|v| to_latent(&model, v), &data, step, KINK)?;
            Some((data, ln_volume(&matrix, dims)))
        });
        let (data, wanted) = found.unwrap_or_else(|| panic!("{name}: a kink at every point"));
        worst.check(&name, evaluate(&model, &data).log_det, wanted);
    }
}

/// ln |det J|; of a Jacobian with more columns than rows ln det(J Jᵀ) / 2.
fn ln_volume(matrix: &[f64], rows: usize) -> f64 {
    if matrix.len() == rows * rows {
        return Lu::new(matrix.to_vec(), rows).ln_abs_det();
    }
    let row = |i: usize| matrix.chunks_exact(matrix.len() / rows).nth(i).unwrap();
    let dot = |i, j| row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum();
    let gram = (0..rows * rows).map(|at| dot(at / rows, at % rows));
    Lu::new(gram.collect(), rows).ln_abs_det() / 2.0
}
