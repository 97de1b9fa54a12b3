//! What the baselines would see of the perturbations that a gate's tests are chosen by.
//!
//! A gate that sees less than a Gaussian of the same inputs is not worth its flash, and its owner should know.

use flow_train_host::baselines::{Baselines, NAMES};
use flow_train_host::calibrate;
use flow_train_host::data::Dataset;

/// Seed of the mixture.
const SEED: u64 = 1;

/// Baselines fitted to benign inputs, and what they say of others.
pub(super) struct Against {
    /// None where the inputs do not allow a fit.
    fitted: Option<Baselines>,
    benign: Vec<[f64; 2]>,
    perturbed: Vec<Vec<[f64; 2]>>,
}

impl Against {
    /// Fitted to the first inputs; the second ones give thresholds.
    pub(super) fn new(first: &Dataset, second: &Dataset) -> Self {
        let fitted = Baselines::fit(first, SEED).ok();
        Self {
            benign: fitted
                .as_ref()
                .map_or(Vec::new(), |f| f.log_densities(second)),
            fitted,
            perturbed: Vec::new(),
        }
    }

    /// Looks at a family of perturbed inputs.
    pub(super) fn look_at(&mut self, inputs: &Dataset) {
        let found = self.fitted.as_ref().map(|f| f.log_densities(inputs));
        self.perturbed.extend(found);
    }

    /// Name and power of each baseline.
    pub(super) fn powers(&self, alpha_ppm: u32) -> Vec<(&'static str, f64)> {
        let of = |number: usize| {
            let pick = |all: &Vec<[f64; 2]>| all.iter().map(|both| both[number]).collect();
            let benign: Vec<f64> = pick(&self.benign);
            let perturbed: Vec<Vec<f64>> = self.perturbed.iter().map(pick).collect();
            calibrate::power(&benign, &perturbed, alpha_ppm)
        };
        let all = NAMES.into_iter().enumerate();
        all.filter_map(|(number, name)| Some((name, of(number)?)))
            .collect()
    }
}
