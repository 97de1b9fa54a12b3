//! The features of a window in f64: means, differences, and the discrete Fourier transform by its definition.

use flow_infer::front_end::windows::{Feature, Windows};
use std::f64::consts::TAU;

/// The features of a window before they are rounded, in the file's order. `window[t][c]` is sample t of channel c.
pub fn features(windows: &Windows<'_>, window: &[Vec<f64>]) -> Vec<f64> {
    let mut values = Vec::new();
    for feature in windows.features() {
        for channel in 0..windows.channels() {
            let samples: Vec<f64> = window.iter().map(|sample| sample[channel]).collect();
            values.extend(of_channel(feature, &samples));
        }
    }
    values
}

fn of_channel(feature: Feature, samples: &[f64]) -> Vec<f64> {
    let edges = |segments: u8| {
        let edge = move |s: usize| s * samples.len() / usize::from(segments);
        (0..usize::from(segments)).map(move |s| edge(s)..edge(s + 1))
    };
    match feature {
        Feature::Raw => samples.to_vec(),
        Feature::Means { segments } => edges(segments)
            .map(|range| 16.0 * mean(&samples[range]))
            .collect(),
        Feature::Differences { segments } => {
            let difference = |t: usize| (samples[t] - samples[t - 1]).abs();
            let of_range = |range: std::ops::Range<usize>| {
                let all: Vec<f64> = (range.start.max(1)..range.end).map(difference).collect();
                logarithm(16.0 * mean(&all))
            };
            edges(segments).map(of_range).collect()
        }
        Feature::Bands { segments, parts } => edges(segments)
            .flat_map(|range| {
                let energies = energies(&samples[range], parts.into());
                energies.into_iter().map(|e| logarithm(16.0 * e))
            })
            .collect(),
    }
}

/// log2(1 + value) in 256ths.
pub fn logarithm(value: f64) -> f64 {
    256.0 * value.ln_1p() / 2f64.ln()
}

/// The sum of |X_k|^2 over each band.
pub fn energies(samples: &[f64], parts: usize) -> Vec<f64> {
    let spectrum: Vec<f64> = (0..samples.len() / 2).map(|k| energy(samples, k)).collect();
    bands(samples.len(), parts)
        .into_iter()
        .map(|band| spectrum[band].iter().sum())
        .collect()
}

/// Octave j has the frequencies from 2^j to 2^(j + 1), in equal parts, or one by one where it has fewer.
pub fn bands(samples: usize, parts: usize) -> Vec<std::ops::Range<usize>> {
    let mut bands = Vec::new();
    let mut first = 1;
    while 2 * first <= samples / 2 {
        let width = (first / parts).max(1);
        bands.extend((first..2 * first).step_by(width).map(|k| k..k + width));
        first *= 2;
    }
    bands
}

fn energy(samples: &[f64], k: usize) -> f64 {
    let angle = |t: usize| TAU * (k * t) as f64 / samples.len() as f64;
    let sum = |f: fn(f64) -> f64| -> f64 {
        samples
            .iter()
            .enumerate()
            .map(|(t, x)| x * f(angle(t)))
            .sum()
    };
    sum(f64::cos).powi(2) + sum(f64::sin).powi(2)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
