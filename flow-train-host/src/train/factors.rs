//! The matrix that an invertible_linear begins with.

use super::noise::Noise;

/// A random rotation or reflection: Gram and Schmidt on normal rows.
pub(crate) fn random_orthogonal(n: usize, noise: &mut Noise) -> Vec<f32> {
    let mut rows: Vec<Vec<f64>> = Vec::new();
    while rows.len() < n {
        let mut row: Vec<f64> = (0..n).map(|_| f64::from(noise.normal())).collect();
        for done in &rows {
            let along: f64 = row.iter().zip(done).map(|(a, b)| a * b).sum();
            row.iter_mut().zip(done).for_each(|(a, b)| *a -= along * b);
        }
        let length = row.iter().map(|a| a * a).sum::<f64>().sqrt();
        // A row almost in the span of the others would be mostly rounding.
        if length > 1e-3 {
            rows.push(row.iter().map(|a| a / length).collect());
        }
    }
    rows.concat().iter().map(|&w| w as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::super::noise::Purpose;
    use super::*;

    #[test]
    fn random_matrices_are_orthogonal() {
        let n = 7;
        let w = random_orthogonal(n, &mut Noise::new(3, Purpose::Initialize, [0, 0]));
        for i in 0..n {
            for j in 0..n {
                let dot: f32 = (0..n).map(|k| w[i * n + k] * w[j * n + k]).sum();
                let wanted = if i == j { 1.0 } else { 0.0 };
                assert!((dot - wanted).abs() < 1e-5);
            }
        }
    }
}
