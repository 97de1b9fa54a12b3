//! The tools of the other tests, against what is known of them.

use flow_reference::numeric::{Lu, jacobian, trapezoid};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::LINEAR_ALGEBRA;

#[test]
fn splitmix64_gives_its_published_numbers() {
    // First outputs for seed 1234567, as in the reference implementation's test vectors.
    let mut random = SplitMix64::new(1_234_567);
    let found = [random.bits(), random.bits(), random.bits()];
    let wanted = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
    ];
    assert_eq!(found, wanted);
}

#[test]
fn the_determinant_of_a_vandermonde_matrix_is_the_product_of_differences() {
    let nodes = [0.5, -1.0, 2.0, 3.0, -0.25];
    let n = nodes.len();
    let matrix: Vec<f64> = nodes
        .iter()
        .flat_map(|t: &f64| (0..n as i32).map(|k| t.powi(k)))
        .collect();
    let mut wanted = 0.0;
    for i in 0..n {
        for j in 0..i {
            wanted += (nodes[i] - nodes[j]).abs().ln();
        }
    }
    let lu = Lu::new(matrix.clone(), n);
    LINEAR_ALGEBRA.check("Vandermonde", lu.ln_abs_det(), wanted);

    let x = [1.0, -2.0, 0.5, 4.0, 3.0];
    let right: Vec<f64> = (0..n)
        .map(|i| (0..n).map(|j| matrix[i * n + j] * x[j]).sum())
        .collect();
    LINEAR_ALGEBRA.check_all("solution", &lu.solve(&right), &x);
}

#[test]
fn a_leading_zero_needs_a_pivot_and_a_singular_matrix_has_none() {
    let permutation = Lu::new(vec![0.0, 2.0, 3.0, 0.0], 2);
    LINEAR_ALGEBRA.check("permuted", permutation.ln_abs_det(), 6f64.ln());
    LINEAR_ALGEBRA.check_all("permuted", &permutation.solve(&[2.0, 6.0]), &[2.0, 1.0]);
    let singular = Lu::new(vec![1.0, 2.0, 2.0, 4.0], 2);
    assert_eq!(singular.ln_abs_det(), f64::NEG_INFINITY);
}

#[test]
fn differences_find_slopes_and_kinks() {
    let f = |x: &[f64]| vec![x[0] * x[1], x[0].max(0.0)];
    let matrix = jacobian(f, &[3.0, 2.0], 1e-3, 1e-6);
    let matrix = matrix.expect("no kink near 3");
    LINEAR_ALGEBRA.check_all("slopes", &matrix, &[2.0, 3.0, 1.0, 0.0]);
    assert!(jacobian(f, &[1e-4, 2.0], 1e-3, 1e-6).is_none());
}

#[test]
fn the_normal_density_integrates_to_one() {
    let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let mass = trapezoid(-9.0, 9.0, 60, density);
    LINEAR_ALGEBRA.check("mass", mass, 1.0);
}
