//! Vectors as a flow reads them: standardized, and whitened if the spec says so. Fitted to the
//! training vectors once, never trained.

use super::{input, whitening};
use crate::data::Vectors;
use crate::export::volume::ln_volume;
use crate::nn::Registry;
use flow_infer::spec::InputSpec;
use std::ops::Range;

/// Places of the numbers that vectors are read with.
pub(crate) struct VectorInput {
    mean: Range<usize>,
    deviation: Range<usize>,
    /// Rows of W, where the latent is W times the standardized vector.
    rows: Option<Range<usize>>,
    dims: usize,
}

impl VectorInput {
    /// The tensors of this input.
    pub(crate) fn new(registry: &mut Registry, input: InputSpec) -> Self {
        let (measured, dims) = (input.measured(), input.shape().len());
        let mut tensor =
            |name: &str, shape: &[usize]| registry.unblocked(format!("input.{name}"), shape);
        Self {
            mean: tensor("mean", &[measured]),
            deviation: tensor("deviation", &[measured]),
            rows: matches!(input, InputSpec::Whitened { .. })
                .then(|| tensor("whitening", &[dims, measured])),
            dims,
        }
    }

    /// Mean, deviation and whitening of the training items.
    ///
    /// With the steps of the columns as of values spread over them, and shrunk as their number asks for.
    pub(crate) fn fit(
        &self,
        seed: u64,
        (vectors, items): (&Vectors, &[usize]),
        steps: Option<&[f32]>,
        numbers: &mut [f32],
    ) {
        let rows = items.iter().map(|&i| vectors.get(i));
        let (mean, deviation) = input::standardization(rows.clone(), vectors.dims());
        numbers[self.mean.clone()].copy_from_slice(&mean);
        numbers[self.deviation.clone()].copy_from_slice(&deviation);
        if let Some(range) = &self.rows {
            let some = rows.step_by(items.len().div_ceil(whitening::MOST_VECTORS).max(1));
            let table = some
                .flat_map(|x| standardized(x, &mean, &deviation))
                .map(f64::from);
            let table: Vec<f64> = table.collect();
            let of_steps = steps.map(|steps| whitening::variances_of_steps(steps, &deviation));
            let covariance = whitening::covariance_of(&table, vectors.dims(), of_steps);
            let rows = whitening::rows(&covariance, self.dims, seed);
            numbers[range.clone()].copy_from_slice(&rows);
        }
    }

    /// First latent of a vector: (x - mean) / deviation, or W times that.
    pub(crate) fn first_latent(&self, x: &[f32], numbers: &[f32], z: &mut [f32]) {
        let [mean, deviation] = [&self.mean, &self.deviation].map(|r| &numbers[r.clone()]);
        let inputs = standardized(x, mean, deviation);
        let Some(rows) = &self.rows else {
            z.iter_mut().zip(inputs).for_each(|(z, s)| *z = s);
            return;
        };
        let inputs: Vec<f32> = inputs.collect();
        for (z, row) in z
            .iter_mut()
            .zip(numbers[rows.clone()].chunks_exact(x.len()))
        {
            *z = row.iter().zip(&inputs).map(|(w, s)| w * s).sum();
        }
    }

    /// log_det of every first latent: - Σ ln deviation, or ln det(A Aᵀ) / 2 with A = W diag(1 /
    /// deviation).
    pub(crate) fn log_det(&self, numbers: &[f32]) -> f64 {
        let deviation = &numbers[self.deviation.clone()];
        let Some(rows) = &self.rows else {
            return -deviation.iter().map(|&d| f64::from(d).ln()).sum::<f64>();
        };
        let scaled = |row: &[f32]| {
            let both = row.iter().zip(deviation);
            both.map(|(&w, &d)| f64::from(w) / f64::from(d)).collect()
        };
        let map = numbers[rows.clone()]
            .chunks_exact(deviation.len())
            .map(scaled);
        // Rows that depend on each other span nothing: no density.
        ln_volume(map.collect()).unwrap_or(f64::NAN)
    }
}

pub(super) fn standardized<'a>(
    x: &'a [f32],
    mean: &'a [f32],
    deviation: &'a [f32],
) -> impl Iterator<Item = f32> + 'a {
    let statistics = mean.iter().zip(deviation);
    x.iter()
        .zip(statistics)
        .map(|(x, (mean, deviation))| (x - mean) / deviation)
}
