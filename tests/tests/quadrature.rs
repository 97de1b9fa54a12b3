//! Normalized by construction: densities of quantized flows, integrated over the engine's own output.

use flow_infer::artifact::Artifact;
use flow_infer::engine::{Fixed, Noise};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, FlowSpec, Half, Norm, ScaleMap, StepSpec,
};
use flow_reference::numeric::trapezoid;
use flow_tests::implementations::{engine, random_dataset};
use flow_tests::models::{NamedModel, coupling, vector};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{QUADRATURE_QUANTIZED, Worst};
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::export;
use flow_train_host::model::Model;

const MAPS: [ScaleMap; 7] = [
    ScaleMap::SigmoidInverse { offset: 2.0 },
    // Nowhere so small a scale that mass lies beyond the reach.
    ScaleMap::Softplus {
        floor: 1.0,
        most: 3.0,
    },
    ScaleMap::TanhBound,
    ScaleMap::AtanBound,
    ScaleMap::SoftsignBound,
    ScaleMap::Exp,
    ScaleMap::Sigmoid {
        offset: 2.0,
        floor: 0.001,
    },
];
const FORMS: [AffineForm; 2] = [AffineForm::ShiftThenScale, AffineForm::ScaleThenShift];
/// Standard deviations on each side of the mean; beyond lies a mass of 1e-15, and more where a flow spreads out.
const REACH: f64 = 8.0;
/// Points on a line, along a coordinate in which the density is smooth.
const POINTS: usize = 320;
/// Points a side of the plane. Conditioners of integers are step functions: several couplings make a density of small
/// jumps in all directions, and the sum over a grid converges only as fast as the grid gets finer.
const PLANE_POINTS: usize = 1000;
/// Inputs that scale the activations.
const CALIBRATION: usize = 64;

/// The quantized model of a spec, ready to be asked for densities.
struct Density {
    name: String,
    model: Model,
    file: Vec<u8>,
}

impl Density {
    fn of(name: String, spec: FlowSpec) -> Self {
        let NamedModel { name, model } = NamedModel::random(name, spec);
        let mut random = SplitMix64::named(&format!("{name}: calibration"));
        println!("{name}: seed {:#x}", random.seed());
        let calibration = random_dataset(&model, CALIBRATION, &mut random);
        let file = export::quantized(&model, &calibration, &|| ()).and_then(|file| file.to_bytes());
        let file = file.unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, model, file }
    }

    /// What f gives when handed the density as a function of standardized coordinates, on their scale.
    fn with<T>(&self, f: impl FnOnce(&mut dyn FnMut(&[f64]) -> f64) -> T) -> T {
        let artifact = Artifact::load(&self.file).expect("an exported file loads");
        let mut scratch = HeapScratch::<Fixed>::new(&artifact);
        let [mean, deviation] =
            ["input.mean", "input.deviation"].map(|name| self.model.values(name));
        f(&mut |standardized: &[f64]| {
            let mut input = Vec::new();
            let mut slope = 1.0;
            for (i, y) in standardized.iter().enumerate() {
                let x = f64::from(mean[i]) + f64::from(deviation[i]) * y;
                input.extend_from_slice(&(x as f32).to_le_bytes());
                slope *= f64::from(deviation[i]);
            }
            let found = engine(&artifact, &mut scratch, &input, Noise::Planned);
            assert!(!found.saturated, "{} at {standardized:?}", self.name);
            found.log_prob_nats.exp() * slope
        })
    }
}

fn line(points: usize, f: impl FnMut(f64) -> f64) -> f64 {
    trapezoid(-REACH, REACH, points, f)
}

fn mlp(kept: Half, map: ScaleMap, form: AffineForm) -> StepSpec {
    let conditioner = ConditionerSpec::Mlp {
        hidden: 6,
        layers: 1,
    };
    coupling(CouplingMask::Channel { kept }, conditioner, map, form)
}

/// Flows of several steps on the plane: every kind of step, both coordinates changed.
#[test]
fn quantized_flows_of_two_dimensions_have_mass_one() {
    let mut worst = Worst::of(QUADRATURE_QUANTIZED);
    for (map, form) in MAPS.into_iter().zip(FORMS.into_iter().cycle()) {
        let [one, two] = [Half::First, Half::Second].map(|kept| mlp(kept, map, form));
        let steps = [StepSpec::Actnorm, StepSpec::InvertibleLinear, one, two];
        let name = format!("quantized quadrature, {map:?}, {form:?}");
        let density = Density::of(name, vector(2, &steps));
        let mass = density.with(|p| line(PLANE_POINTS, |y0| line(PLANE_POINTS, |y1| p(&[y0, y1]))));
        worst.check(&density.name, mass, 1.0);
    }
}

/// One coupling along one changed coordinate: for every value of the others, what is left over is their density.
///
/// With one step the density factors, so ∫ p(kept, changed) d changed = N(kept) whatever the conditioner says.
#[test]
fn a_quantized_coupling_integrates_over_what_it_changes() {
    let mut worst = Worst::of(QUADRATURE_QUANTIZED);
    let resnet = ConditionerSpec::Resnet {
        channels: 4,
        blocks: 1,
        skip: true,
        norm: Norm::Batch,
        bottleneck: 0,
    };
    let highway = ConditionerSpec::Highway {
        channels: 4,
        layers: 2,
    };
    let kept = CouplingMask::Channel { kept: Half::First };
    for map in MAPS {
        for form in FORMS {
            let mlp = mlp(Half::First, map, form);
            let others = [resnet, highway].map(|c| coupling(kept, c, map, form));
            for step in [mlp, others[0], others[1]] {
                let name = format!("conditional quadrature, {step:?}");
                let density = Density::of(name, vector(2, &[step]));
                for y0 in [-2.0, -0.3, 0.0, 0.7, 1.9] {
                    let found = density.with(|p| line(POINTS, |y1| p(&[y0, y1])));
                    let normal = (-y0 * y0 / 2.0).exp() / std::f64::consts::TAU.sqrt();
                    worst.check(format!("{} at {y0}", density.name), found / normal, 1.0);
                }
            }
        }
    }
}

/// Flows of one dimension: actnorm, a 1 x 1 matrix, and both.
#[test]
fn quantized_steps_of_one_dimension_have_mass_one() {
    let mut worst = Worst::of(QUADRATURE_QUANTIZED);
    use StepSpec::{Actnorm, InvertibleLinear};
    for (k, steps) in [
        &[Actnorm][..],
        &[InvertibleLinear],
        &[Actnorm, InvertibleLinear],
    ]
    .into_iter()
    .enumerate()
    {
        let density = Density::of(format!("quadrature on a line, {k}"), vector(1, steps));
        let mass = density.with(|p| line(POINTS, |y| p(&[y])));
        worst.check(&density.name, mass, 1.0);
    }
}
