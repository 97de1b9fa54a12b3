//! The input's values, each by itself.

use super::{Array, Parameters, actnorm, input, squeeze};
use flow_infer::spec::StepSpec;
use flow_train_host::model::Model;

/// -sum ln(1 + z^2) of data, z what the flow's first actnorm makes of each value; `None` where squeezes and such an actnorm do
/// not come first, or where it has more pixels than one.
///
/// Up to a constant it is ln of the density of independent values by Cauchy's law, p(z) = 1 / (pi (1 + z^2)).
pub fn marginals(model: &Model, data: &[f64]) -> Option<f64> {
    let (y, _) = input::to_latent(model, data);
    let mut h = Array::new(model.spec().input.shape(), y);
    for (index, step) in model.spec().levels.first()?.steps.iter().enumerate() {
        match step {
            StepSpec::Squeeze => h = squeeze(&h),
            StepSpec::Actnorm if h.height * h.width == 1 => {
                let (z, _) = actnorm::to_latent(&Parameters::of_step(model, 0, index), &h);
                return Some(-z.values.iter().map(|z| (z * z).ln_1p()).sum::<f64>());
            }
            _ => return None,
        }
    }
    None
}
