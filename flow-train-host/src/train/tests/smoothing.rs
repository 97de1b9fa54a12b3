//! Few vectors: what a flow of the family `vector` learns of them as `flowgate build` trains it.

use super::*;
use crate::families::Family;
use crate::linear::{cholesky, covariance, means, solved_square};
use crate::model::Model;
use crate::random::SplitMix64;
use flow_infer::spec::units::HALF_LN_2PI;

/// Vectors that are held out.
const HELD_OUT: usize = 2000;
const SEEDS: [u64; 4] = [1, 2, 3, 4];

fn table(rows: usize, mut row: impl FnMut() -> Vec<f32>) -> Vectors {
    let values: Vec<f32> = (0..rows).flat_map(|_| row()).collect();
    Vectors::new(values.len() / rows, values).unwrap()
}

/// Mean nats of the held-out vectors by a smoothed flow of the others, of which one in twelve validates.
fn by_flow(few: &Vectors, held_out: &Vectors, seed: u64) -> f64 {
    let shape = Shape::new(few.dims() as u16, 1, 1);
    let mut config = Family::Vector.config(shape, 16).for_few_vectors();
    config.smoothing = Some(Smoothing::suited(few, seed));
    (config.seed, config.batch, config.micro_batches) = (seed, 4, 4);
    config.epochs = 1000 / (few.len() as u64 / 4);
    let directory = tempfile::tempdir().unwrap();
    let data = Dataset::Vectors(few.clone());
    let options = Options::default();
    run(&config, &data, directory.path(), options, &mut ()).unwrap();
    let model = Model::load(&directory.path().join("model.safetensors")).unwrap();
    let held_out = Dataset::Vectors(held_out.clone());
    let nats = log_prob(&model, &held_out, Dequantization::Midpoint, 0).unwrap();
    nats.iter().sum::<f64>() / nats.len() as f64
}

/// The same by mean and covariance.
fn by_gaussian(few: &Vectors, held_out: &Vectors) -> f64 {
    let dims = few.dims();
    let table: Vec<f64> = few.values().iter().map(|&v| v.into()).collect();
    let mean = means(&table, dims);
    let lower = cholesky(covariance(&table, &mean)).unwrap();
    let ln_volume: f64 = (0..dims).map(|i| lower.row(i)[i].ln()).sum();
    let of_row = |row: &[f32]| {
        let row = row.iter().zip(&mean);
        let centred: Vec<f64> = row.map(|(&x, m)| f64::from(x) - m).collect();
        -0.5 * solved_square(&lower, &centred) - ln_volume - dims as f64 * HALF_LN_2PI
    };
    let rows = held_out.values().chunks_exact(dims).map(of_row);
    rows.sum::<f64>() / held_out.len() as f64
}

#[test]
fn a_flow_of_a_hundred_rows_is_hardly_below_their_gaussian() {
    for seed in SEEDS {
        let mut random = SplitMix64(seed);
        let map: Vec<f64> = (0..25).map(|_| random.normal()).collect();
        let mut row = || {
            let z: Vec<f64> = (0..5).map(|_| random.normal()).collect();
            let dot = |row: &[f64]| row.iter().zip(&z).map(|(a, z)| a * z).sum::<f64>();
            map.chunks_exact(5).map(|row| dot(row) as f32).collect()
        };
        let (few, held_out) = (table(100, &mut row), table(HELD_OUT, &mut row));
        let flow = by_flow(&few, &held_out, seed);
        let gaussian = by_gaussian(&few, &held_out);
        println!("seed {seed}: flow {flow:.3} nats, Gaussian {gaussian:.3}");
        assert!(flow > gaussian - 0.25, "{flow} {gaussian}");
    }
}

#[test]
fn a_flow_of_two_hundred_rows_sees_what_is_no_gaussian() {
    for seed in SEEDS {
        let mut random = SplitMix64(seed);
        // A noisy parabola beside whole numbers.
        let mut row = || {
            let [x, noise, count] = [random.normal(), random.normal(), 5.0 * random.uniform()];
            vec![x as f32, (x * x + 0.2 * noise) as f32, count.floor() as f32]
        };
        let (few, held_out) = (table(200, &mut row), table(HELD_OUT, &mut row));
        let flow = by_flow(&few, &held_out, seed);
        let gaussian = by_gaussian(&few, &held_out);
        println!("seed {seed}: flow {flow:.3} nats, Gaussian {gaussian:.3}");
        assert!(flow > gaussian + 0.3, "{flow} {gaussian}");
    }
}
