//! Perturbations of vectors, in units of each coordinate's own deviation.

use super::{sign, uniform};
use crate::data::Vectors;
use crate::random::SplitMix64;

/// Mean and deviation of each coordinate.
pub(super) struct Columns(Vec<(f64, f64)>);

impl Columns {
    pub(super) fn of(data: &Vectors) -> Self {
        let n = data.len().max(1) as f64;
        let column = |k: usize| {
            let values = || data.iter().map(move |row| f64::from(row[k]));
            let mean = values().sum::<f64>() / n;
            let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            (mean, variance.sqrt())
        };
        Self((0..data.dims()).map(column).collect())
    }
}

type OnVector = fn(&Vectors, usize, &Columns, &mut SplitMix64) -> Vec<f32>;

/// Families: a name and what it does to one vector.
pub(super) const FAMILIES: [(&str, OnVector); 8] = [
    ("noise", noise),
    ("offset", offset),
    ("scaled", scaled),
    ("stuck", stuck),
    ("mean", mean),
    ("independent", independent),
    ("spliced", spliced),
    ("mixed", mixed),
];

fn each(
    data: &Vectors,
    index: usize,
    columns: &Columns,
    mut of: impl FnMut(usize, f64, f64, f64) -> f64,
) -> Vec<f32> {
    let row = data.get(index).iter().zip(&columns.0).enumerate();
    row.map(|(k, (&v, &(mean, deviation)))| of(k, v.into(), mean, deviation) as f32)
        .collect()
}

/// Normal noise of half a deviation to two.
fn noise(data: &Vectors, index: usize, columns: &Columns, random: &mut SplitMix64) -> Vec<f32> {
    let sigma = uniform(random, 0.5, 2.0);
    each(data, index, columns, |_, v, _, s| {
        v + sigma * s * random.normal()
    })
}

/// Every coordinate off by one deviation to three, either way.
fn offset(data: &Vectors, index: usize, columns: &Columns, random: &mut SplitMix64) -> Vec<f32> {
    let by = sign(random) * uniform(random, 1.0, 3.0);
    each(data, index, columns, |_, v, _, s| v + by * s)
}

/// A third or three times as far from the mean.
fn scaled(data: &Vectors, index: usize, columns: &Columns, random: &mut SplitMix64) -> Vec<f32> {
    let times = if sign(random) < 0.0 { 1.0 / 3.0 } else { 3.0 };
    each(data, index, columns, |_, v, m, _| m + times * (v - m))
}

/// One coordinate stuck two to four deviations from its mean.
fn stuck(data: &Vectors, index: usize, columns: &Columns, random: &mut SplitMix64) -> Vec<f32> {
    let (which, by) = (
        random.below(data.dims()),
        sign(random) * uniform(random, 2.0, 4.0),
    );
    each(data, index, columns, |k, v, m, s| {
        if k == which { m + by * s } else { v }
    })
}

/// Nothing but the mean.
fn mean(data: &Vectors, index: usize, columns: &Columns, _: &mut SplitMix64) -> Vec<f32> {
    each(data, index, columns, |_, _, m, _| m)
}

/// Each coordinate of another vector.
fn independent(data: &Vectors, _: usize, columns: &Columns, random: &mut SplitMix64) -> Vec<f32> {
    each(data, 0, columns, |k, _, _, _| {
        data.get(random.below(data.len()))[k].into()
    })
}

/// The first half of one and the second half of another.
fn spliced(data: &Vectors, index: usize, columns: &Columns, random: &mut SplitMix64) -> Vec<f32> {
    let other = random.below(data.len());
    each(data, index, columns, |k, v, _, _| {
        match 2 * k < data.dims() {
            true => v,
            false => data.get(other)[k].into(),
        }
    })
}

/// The mean of two.
fn mixed(data: &Vectors, index: usize, columns: &Columns, random: &mut SplitMix64) -> Vec<f32> {
    let other = random.below(data.len());
    each(data, index, columns, |k, v, _, _| {
        (v + f64::from(data.get(other)[k])) / 2.0
    })
}
