//! Whether both sides differentiate alike: the gradient of every tensor, ours by hand and PyTorch's by its autodiff.
//!
//! Processes of their own compute them: a copy of a gradient would count as memory of the steps.

use super::case::Case;
use super::peer::{Peer, Python};
use super::protocol::{Ask, GRADIENT};
use super::versus::Side;
use crate::failure::CheckFailed;
use anyhow::Result;
use flow_train_host::model::Tensor;
use flow_train_host::model::store::read_tensors;
use std::collections::BTreeMap;
use std::path::Path;

/// Largest distance between two gradients of a tensor, as a share of its length. Both are sums in f32 in different
/// orders, and Winograd's round a decimal coarser; a term left out shows as 1e-1.
pub(super) const TOLERANCE: f64 = 1e-3;

type Gradient = BTreeMap<String, Tensor>;

/// The largest distance over all tensors of a case.
///
/// # Errors
/// A side cannot compute, or the gradients are not those of the same flow.
pub(super) fn compare(
    case: Case,
    directory: &Path,
    threads: usize,
    more: &[&str],
    python: Python<'_>,
) -> Result<f64> {
    let ours = Peer::ours(Side::Ours, "train", directory, threads, more)?;
    let ours = gradient(ours, directory)?;
    let threads = threads.to_string();
    let more = ["--layout", "nchw", "--threads", &threads];
    let torch = Peer::python(Side::Nchw, python, directory, &more)?;
    let torch = gradient(torch, directory)?;
    let (tensor, distance) = worst(&ours, &torch);
    if distance <= TOLERANCE {
        return Ok(distance);
    }
    Err(CheckFailed(format!(
        "{}: the gradients of {tensor} lie {distance:.1e} of their length apart",
        case.name()
    ))
    .into())
}

fn gradient(mut peer: Peer<Side>, directory: &Path) -> Result<Gradient> {
    peer.ask(Ask::Gradient)?;
    Ok(read_tensors(&directory.join(GRADIENT))?)
}

/// The tensor whose gradients differ most, and how much; infinitely if only one side has it.
fn worst(ours: &Gradient, torch: &Gradient) -> (String, f64) {
    let trained = ours.keys().filter(|name| !name.starts_with("input."));
    let names = trained.chain(torch.keys().filter(|name| !ours.contains_key(*name)));
    let distances = names.map(|name| {
        let both = ours.get(name).zip(torch.get(name));
        let distance = both.map_or(f64::INFINITY, |(a, b)| distance(&a.values, &b.values));
        (name.clone(), distance)
    });
    let worse = |a: &(String, f64), b: &(String, f64)| a.1.total_cmp(&b.1);
    distances.max_by(worse).unwrap_or_default()
}

/// |a - b| / |b|; NaN where one of them has a NaN, or both are zero.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let square = |v: f64| v * v;
    let apart = a.iter().zip(b).map(|(a, b)| square(f64::from(a - b)));
    let length = b.iter().map(|&b| square(b.into()));
    match (apart.sum::<f64>() / length.sum::<f64>()).sqrt() {
        // Of the sign that sorts behind everything.
        distance if distance.is_nan() => f64::NAN,
        distance => distance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(tensors: &[(&str, [f32; 2])]) -> Gradient {
        let tensor = |values: &[f32; 2]| Tensor {
            shape: vec![2],
            values: values.to_vec(),
        };
        let tensors = tensors.iter();
        tensors.map(|(n, v)| ((*n).to_owned(), tensor(v))).collect()
    }

    #[test]
    fn the_worst_tensor_is_named() {
        let ours = gradient(&[
            ("a", [3.0, 4.0]),
            ("b", [1.0, 1.0]),
            ("input.mean", [0.0; 2]),
        ]);
        let torch = gradient(&[("a", [3.0, 4.0]), ("b", [1.0, 1.1])]);
        let (name, distance) = worst(&ours, &torch);
        assert_eq!(name, "b");
        assert!((distance - 0.1 / 2.21f64.sqrt()).abs() < 1e-6);
        assert_eq!(worst(&ours, &ours).1, 0.0);
    }

    #[test]
    fn nothing_is_overlooked() {
        let ours = gradient(&[("a", [3.0, 4.0])]);
        let more = gradient(&[("a", [3.0, 4.0]), ("b", [1.0, 1.0])]);
        assert_eq!(worst(&ours, &more), ("b".to_owned(), f64::INFINITY));
        assert_eq!(worst(&more, &ours), ("b".to_owned(), f64::INFINITY));
        // Neither zeros, which would compare nothing, nor NaN pass.
        for bad in [[0.0; 2], [f32::NAN, 1.0]] {
            let (_, distance) = worst(&ours, &gradient(&[("a", bad)]));
            assert!(distance.is_nan() || distance > TOLERANCE, "{distance}");
        }
        let zeros = gradient(&[("a", [0.0; 2])]);
        assert!(worst(&zeros, &zeros).1.is_nan());
    }
}
