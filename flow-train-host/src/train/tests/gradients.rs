//! The gradient of every tensor against a central difference; log_det against the determinant of a
//! numeric Jacobian.

use super::*;
use crate::nn::OrderedReduction;

/// Sum of log_prob over the data, and its gradient with weights 1, 2, 1, 2, ...
fn loss(network: &Network, data: &Dataset, flat: &[f32], wants_gradient: bool) -> (f64, Vec<f32>) {
    let weights = network.weights(network.block(flat));
    let mut sum_of = network.layout().zeros();
    let mut unblocked = sum_of.unblocked.clone();
    let gradient = OrderedReduction::new(&mut sum_of, network.layout().layers.iter().cloned());
    let mut pass = network.pass();
    let pixel_noise = DequantizationNoise::Training {
        seed: 5,
        epoch: 1,
        sensor: None,
    };
    let items: Vec<usize> = (0..data.len()).collect();
    let mut sum = 0.0;
    for (group, items) in items.chunks(network.group().samples).enumerate() {
        let weight: Vec<f32> = items.iter().map(|i| 1.0 + (i % 2) as f32).collect();
        let mut out = vec![0.0; items.len()];
        network.log_prob(&weights, data, items, pixel_noise, &mut pass, &mut out);
        sum -= out
            .iter()
            .zip(&weight)
            .map(|(l, w)| l * f64::from(*w))
            .sum::<f64>();
        if wants_gradient {
            let mut ticket = gradient.ticket(group, &mut unblocked);
            network.add_gradient(&weights, &weight, &mut pass, &mut ticket);
            ticket.finish(|| ());
        }
    }
    drop(gradient);
    let flat = network.flatten(&sum_of);
    // What the optimizer moves must be in the model, all of it.
    assert_eq!(network.block(&flat), sum_of);
    (sum, flat)
}

/// For each tensor the derivative along a random direction within it.
pub(super) fn check_gradients(spec: &FlowSpec, data: &Dataset, seed: u64) {
    spec.validate().unwrap();
    println!("seed {seed}");
    let network = Network::new(spec, 3, Cpu::best()).unwrap();
    let flat = random_parameters(&network, data, seed);
    let (_, gradient) = loss(&network, data, &flat, true);
    let mut noise = noise::Noise::new(seed, noise::Purpose::Evaluate, [1, 1]);
    let mut wrong = Vec::new();
    for entry in network
        .layout()
        .entries
        .iter()
        .filter(|e| !e.name.starts_with("input."))
    {
        let direction: Vec<f32> = entry.range.clone().map(|_| noise.normal()).collect();
        let length = direction.iter().map(|d| d * d).sum::<f32>().sqrt();
        let numeric = |h: f32| {
            let at = |sign: f32| {
                let mut moved = flat.clone();
                for (p, d) in moved[entry.range.clone()].iter_mut().zip(&direction) {
                    *p += sign * h / length * d;
                }
                loss(&network, data, &moved, false).0
            };
            (at(1.0) - at(-1.0)) / f64::from(2.0 * h)
        };
        let part = &gradient[entry.range.clone()];
        let size = f64::from(part.iter().map(|g| g * g).sum::<f32>().sqrt());
        assert!(size > 0.0, "{} has no gradient", entry.name);
        let along = part.iter().zip(&direction);
        let exact = along.map(|(g, d)| f64::from(g * d / length)).sum::<f64>();
        // Long differences cross kinks of relus, short ones drown in f32 rounding: the best length
        // counts. A wrong sign or a missing term is an error of the order of 1 at every length.
        let errors =
            [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 2.5e-4].map(|h| (numeric(h) - exact).abs() / size);
        let best = errors.into_iter().fold(f64::INFINITY, f64::min);
        if best >= 0.01 {
            wrong.push(format!("{}: relative errors {errors:?}", entry.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn image_flow_gradients_are_the_derivatives() {
    check_gradients(&image_flow(), &images(3, 8), 21);
}

#[test]
fn vector_flow_gradients_are_the_derivatives() {
    // Seven vectors in groups of three: the last group is not full.
    check_gradients(&vector_flow(9), &vectors(7, 9), 22);
}

/// ln |det| of a matrix, row by row, by Gauss elimination with pivots.
fn ln_det(mut a: Vec<Vec<f64>>) -> f64 {
    let n = a.len();
    let mut sum = 0.0;
    for k in 0..n {
        let pivot = (k..n)
            .max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs()))
            .unwrap();
        a.swap(k, pivot);
        sum += a[k][k].abs().ln();
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            for j in k..n {
                a[i][j] -= factor * a[k][j];
            }
        }
    }
    sum
}

#[test]
fn log_det_is_that_of_the_jacobian_for_every_mask() {
    let shape = Shape::new(2, 4, 4);
    let dims = shape.len();
    for mask in MASKS {
        let spec = FlowSpec {
            input: InputSpec::Image {
                shape,
                logit_margin: 0.05,
            },
            levels: [level([StepSpec::Coupling(coupling(
                mask,
                resnet(5, 1, true),
            ))])]
            .into_iter()
            .collect(),
        };
        let network = Network::new(&spec, 1, Cpu::best()).unwrap();
        let data = Dataset::Images(Images::new(2, 4, 4, vec![0; dims]).unwrap());
        let weights = network.weights(network.block(&random_parameters(&network, &data, 31)));
        let placed = spec.steps().next().unwrap();
        let StepSpec::Coupling(coupling_spec) = placed.step else {
            unreachable!("the flow has one coupling")
        };
        let group = Group {
            dims,
            samples: 1,
            vectors: false,
        };
        let step = Coupling::new(&mut Registry::default(), group, &placed, &coupling_spec).unwrap();
        let context = PassContext {
            cpu: Cpu::best(),
            weights: &weights,
        };
        let to_latent = |x: &[f32]| {
            let (mut z, mut log_det) = (x.to_vec(), [0.0]);
            let latents = Latents {
                z: &mut z,
                log_det: &mut log_det,
            };
            let mut pass = step.pass();
            pass.to_latent(context, latents, &mut Scratch::default());
            (z, log_det[0])
        };
        let mut noise = noise::Noise::new(32, noise::Purpose::Evaluate, [0, 0]);
        let x: Vec<f32> = (0..dims).map(|_| noise.normal()).collect();
        let h = 1e-3;
        let mut jacobian = vec![vec![0.0; dims]; dims];
        for j in 0..dims {
            let moved = |sign: f32| {
                let mut x = x.clone();
                x[j] += sign * h;
                to_latent(&x).0
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            for i in 0..dims {
                jacobian[i][j] = f64::from(up[i] - down[i]) / f64::from(2.0 * h);
            }
        }
        let (numeric, exact) = (ln_det(jacobian), to_latent(&x).1);
        // Each of the 32 coordinates' slopes is good to about 1e-4.
        assert!(
            (numeric - exact).abs() < 5e-3,
            "{mask:?}: {exact}, by differences {numeric}"
        );
        assert!(exact.abs() > 0.05, "a log_det of zero would prove nothing");
    }
}

#[test]
fn the_first_flow_standardizes_what_it_changes() {
    let realnvp = crate::presets::realnvp(image_flow().input, [resnet(5, 1, true); 2]);
    for (spec, data) in [(realnvp, images(64, 8)), (vector_flow(9), vectors(70, 9))] {
        let network = Network::new(&spec, 8, Cpu::best()).unwrap();
        let items: Vec<usize> = (0..data.len()).collect();
        let weights = network.weights(network.initial((1, None), &data, &items));
        let mut pass = network.pass();
        let pixel_noise = DequantizationNoise::Evaluation(Dequantization::Midpoint);
        let mut squares = 0.0;
        for items in items.chunks(network.group().samples) {
            let mut out = vec![0.0; items.len()];
            network.log_prob(&weights, &data, items, pixel_noise, &mut pass, &mut out);
            let z = pass.latents(items.len());
            squares += z.iter().map(|z| f64::from(*z).powi(2)).sum::<f64>();
        }
        let mean_square = squares / (data.len() * network.group().dims) as f64;
        // A bounded scale may need more couplings than there are, and the vectors' constant column
        // stays 0; the ramps' first latents have a mean square near 0.3.
        assert!((0.6..1.2).contains(&mean_square), "{mean_square}");
    }
}
