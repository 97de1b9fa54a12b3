//! Densities integrate to one: the whole of log_prob, its constants included.

use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, FlowSpec, Half, InputSpec, ScaleMap, StepSpec,
};
use flow_reference::evaluate;
use flow_reference::numeric::trapezoid;
use flow_tests::models::{NamedModel, coupling, image, level, vector};
use flow_tests::tolerance::{QUADRATURE_FLOAT, Worst};

const MAPS: [ScaleMap; 3] = [
    ScaleMap::TanhBound,
    ScaleMap::Exp,
    ScaleMap::Sigmoid {
        offset: 2.0,
        floor: 0.001,
    },
];

fn mlp_coupling(kept: Half, map: ScaleMap, affine: AffineForm) -> StepSpec {
    let conditioner = ConditionerSpec::Mlp {
        hidden: 4,
        layers: 1,
    };
    coupling(CouplingMask::Channel { kept }, conditioner, map, affine)
}

/// Two coordinates, two couplings: everything depends on everything.
#[test]
fn flows_of_two_dimensions_have_mass_one() {
    let mut worst = Worst::of(QUADRATURE_FLOAT);
    for map in MAPS {
        for affine in [AffineForm::ShiftThenScale, AffineForm::ScaleThenShift] {
            let [one, two] = [Half::First, Half::Second].map(|k| mlp_coupling(k, map, affine));
            let steps = [StepSpec::Actnorm, StepSpec::InvertibleLinear, one, two];
            let name = format!("quadrature, {map:?}, {affine:?}");
            worst.check(&name, mass(&name, vector(2, &steps), 500), 1.0);
        }
    }
}

/// An image of two pixels: the logit layer and the scale [0, 256) are part of the density.
#[test]
fn a_flow_of_two_pixels_has_mass_one() {
    let conditioner = ConditionerSpec::GlowConvnet { channels: 3 };
    let steps = [Half::First, Half::Second].map(|kept| {
        let mask = CouplingMask::Vertical { kept };
        coupling(
            mask,
            conditioner,
            ScaleMap::TanhBound,
            AffineForm::ShiftThenScale,
        )
    });
    let name = "quadrature, two pixels";
    let spec = image(1, 1, 2, &[level(&steps)]);
    Worst::of(QUADRATURE_FLOAT).check(name, mass(name, spec, 500), 1.0);
}

/// ∫∫ exp(log_prob) over the plane, in the coordinates of the first latent: there every small flow's mass lies within
/// a few units of the origin, and dv/dy of the logit layer makes up for the change of variable.
fn mass(name: &str, spec: FlowSpec, intervals: usize) -> f64 {
    let NamedModel { model, .. } = NamedModel::random(name, spec);
    let data = |y: f64, i: usize| match model.spec().input {
        InputSpec::Image { logit_margin, .. } => {
            let m = f64::from(logit_margin);
            let p = 1.0 / (1.0 + (-y).exp());
            let slope = 256.0 * p * (1.0 - p) / (1.0 - 2.0 * m);
            (256.0 * (p - m) / (1.0 - 2.0 * m), slope)
        }
        InputSpec::Vector { .. } | InputSpec::Whitened { .. } => {
            let [mean, deviation] =
                ["input.mean", "input.deviation"].map(|n| f64::from(model.values(n)[i]));
            (mean + deviation * y, deviation)
        }
    };
    // Farther out the logit's p is 1 in f64, and its log_det infinite.
    let reach: f64 = match model.spec().input {
        InputSpec::Image { .. } => 3.5,
        InputSpec::Vector { .. } | InputSpec::Whitened { .. } => 5.0,
    };
    // y = sinh t: fine near the origin, and far out in the tails that an exp map gives.
    let over_the_line = |f: &mut dyn FnMut(f64) -> f64| {
        trapezoid(-reach, reach, intervals, |t| f(t.sinh()) * t.cosh())
    };
    over_the_line(&mut |y0| {
        over_the_line(&mut |y1| {
            let ((v0, slope0), (v1, slope1)) = (data(y0, 0), data(y1, 1));
            evaluate(&model, &[v0, v1]).log_prob_nats.exp() * slope0 * slope1
        })
    })
}
