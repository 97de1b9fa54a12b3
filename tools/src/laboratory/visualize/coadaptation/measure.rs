//! Who tells a coupling what it cannot see.
//!
//! With half masks, coupling k changes the half that it does not read, and the half that it reads
//! was changed by coupling k - 1, which read the other. So k can expect its half of *this* image,
//! and not of any image of the kind, only if k - 1 has written it down in what it changed. Two
//! tests of that: another image's half is put into the input (what k reads of the input stays the
//! same: does its expectation follow?), and coupling k - 1 is left out.

use super::super::sets::Set;
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::spec::{CouplingMask, Half};
use flow_train_host::data::{Dataset, Images};
use flow_train_host::trace::{Field, Trace, ablate, trace_all};

/// Couplings whose masks are halves, by their place among the couplings.
pub(super) fn halves(artifact: &Artifact<'_>) -> Vec<(usize, CouplingMask)> {
    use flow_infer::plan::Step;
    let couplings = artifact.steps().flatten().filter_map(|step| match step {
        Step::Coupling(coupling) => Some(coupling.mask),
        _ => None,
    });
    let is_half = |(_, mask): &(usize, CouplingMask)| {
        use CouplingMask::{Horizontal, Vertical};
        matches!(mask, Horizontal { .. } | Vertical { .. })
    };
    couplings.enumerate().filter(is_half).collect()
}

/// The half that a mask changes, in a word.
pub(super) fn changed_half(mask: CouplingMask) -> &'static str {
    match mask {
        CouplingMask::Horizontal { kept: Half::First } => "bottom",
        CouplingMask::Horizontal { .. } => "top",
        CouplingMask::Vertical { kept: Half::First } => "right",
        _ => "left",
    }
}

/// What is seen of one coupling, image by image.
pub(super) struct Seen {
    /// Place among the couplings.
    pub(super) coupling: usize,
    /// The half that it changes.
    pub(super) half: &'static str,
    /// Of the images as they are.
    pub(super) whole: Vec<Expectation>,
    /// With the changed half of the next image in the input; none of the first coupling.
    pub(super) exchanged: Vec<Expectation>,
    /// The inputs of `exchanged`.
    pub(super) inputs: Option<Images>,
    /// Without the coupling before.
    pub(super) alone: Vec<Expectation>,
}

/// What a coupling expects at the coordinates that it changes, and what it finds there.
pub(super) struct Expectation {
    pub(super) expected: Field,
    pub(super) found: Field,
    /// Whether what it finds is still the first latent, which is a pixel's.
    pub(super) is_pixel: bool,
}

impl Expectation {
    fn of(trace: &Trace, coupling: usize) -> Option<Self> {
        let coupled = trace.couplings.get(coupling)?;
        let (first, before) = (trace.latents.first()?, trace.latents.get(coupled.step)?);
        let changed = |i: usize| coupled.shift[i].is_some();
        let found: Field = before
            .iter()
            .enumerate()
            .map(|(i, z)| changed(i).then_some(*z))
            .collect();
        let is_pixel = (0..found.len()).all(|i| !changed(i) || first[i] == before[i]);
        Some(Self {
            expected: coupled.expected(),
            found,
            is_pixel,
        })
    }

    fn all(traces: &[Trace], coupling: usize) -> Vec<Self> {
        traces
            .iter()
            .filter_map(|l| Self::of(l, coupling))
            .collect()
    }
}

/// All couplings of half masks on a set; `looks` are those of its images.
pub(super) fn measure(artifact: &Artifact<'_>, set: &Set, traces: &[Trace]) -> Result<Vec<Seen>> {
    let halves = halves(artifact);
    let mut before: Option<usize> = None;
    let mut all = Vec::new();
    for (coupling, mask) in halves {
        let mut seen = Seen {
            coupling,
            half: changed_half(mask),
            whole: Expectation::all(traces, coupling),
            exchanged: Vec::new(),
            inputs: None,
            alone: Vec::new(),
        };
        if let Some(before) = before {
            let inputs = exchanged(&set.images, traces, coupling)?;
            let traced = trace_inputs(artifact, set, &inputs)?;
            seen.exchanged = Expectation::all(&traced, coupling);
            seen.inputs = Some(inputs);
            seen.alone = alone(artifact, set, (before, coupling), traces)?;
        }
        before = Some(coupling);
        all.push(seen);
    }
    Ok(all)
}

/// Every image with the half of the next one that a coupling changes.
fn exchanged(images: &Images, traces: &[Trace], coupling: usize) -> Result<Images> {
    let mut pixels = Vec::with_capacity(images.pixels().len());
    for (index, trace) in traces.iter().enumerate() {
        let (own, next) = (images.get(index), images.get((index + 1) % images.len()));
        let changed = trace.couplings[coupling].shift.iter().map(Option::is_some);
        let both = own.iter().zip(next).zip(changed);
        pixels.extend(both.map(|((own, next), changed)| if changed { next } else { own }));
    }
    let [c, h, w] = [images.channels(), images.height(), images.width()];
    Ok(Images::new(c, h, w, pixels)?)
}

/// The later of two couplings without the earlier.
fn alone(
    artifact: &Artifact<'_>,
    set: &Set,
    (before, coupling): (usize, usize),
    traces: &[Trace],
) -> Result<Vec<Expectation>> {
    let step = traces
        .first()
        .map_or(0, |trace| trace.couplings[before].step);
    let file = ablate(artifact, step).context("without a coupling")?;
    let ablated = Artifact::load(&file).context("without a coupling")?;
    let traced = trace_inputs(&ablated, set, &set.images)?;
    Ok(Expectation::all(&traced, coupling - 1))
}

fn trace_inputs(artifact: &Artifact<'_>, set: &Set, images: &Images) -> Result<Vec<Trace>> {
    let traces = trace_all(artifact, &Dataset::Images(images.clone()), &|| ());
    traces.map_err(|refused| set.refused(refused))
}

/// Mean over images of the correlation between what is expected and what is found; NaN of
/// constants.
pub(super) fn agreement<'e>(
    expected: impl Iterator<Item = &'e Field>,
    found: impl Iterator<Item = &'e Field>,
) -> f64 {
    let each = expected.zip(found).map(|(e, f)| correlation(e, f));
    let each: Vec<f64> = each.filter(|r| !r.is_nan()).collect();
    each.iter().sum::<f64>() / each.len() as f64
}

/// Pearson's r over the coordinates that both have.
fn correlation(a: &Field, b: &Field) -> f64 {
    let both = || {
        let pairs = a.iter().zip(b).filter_map(|(a, b)| a.zip(*b));
        pairs.map(|(a, b)| (f64::from(a), f64::from(b)))
    };
    let count = both().count() as f64;
    let sum = both().fold((0.0, 0.0), |s, (a, b)| (s.0 + a, s.1 + b));
    let mean = (sum.0 / count, sum.1 / count);
    let [aa, ab, bb] = both().fold([0.0; 3], |[aa, ab, bb], (a, b)| {
        let (a, b) = (a - mean.0, b - mean.1);
        [aa + a * a, ab + a * b, bb + b * b]
    });
    ab / (aa * bb).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_of_known_pairs() {
        let field = |values: [f32; 3]| -> Field {
            let some = values.into_iter().map(Some);
            std::iter::once(None).chain(some).collect()
        };
        let a = field([1.0, 2.0, 4.0]);
        assert!((correlation(&a, &field([2.0, 4.0, 8.0])) - 1.0).abs() < 1e-12);
        assert!((correlation(&a, &field([-1.0, -2.0, -4.0])) + 1.0).abs() < 1e-12);
        // Deviations -4/3, -1/3, 5/3 and 0, 1, -1: -2 / sqrt(42/9 2).
        let found = correlation(&a, &field([0.0, 1.0, -1.0]));
        assert!((found + 2.0 / (42.0f64 / 9.0 * 2.0).sqrt()).abs() < 1e-12);
        let constant = field([3.0; 3]);
        assert!(correlation(&a, &constant).is_nan());
        let mean = agreement([&a, &a].into_iter(), [&a, &constant].into_iter());
        assert!((mean - 1.0).abs() < 1e-12, "constants do not count");
    }
}
