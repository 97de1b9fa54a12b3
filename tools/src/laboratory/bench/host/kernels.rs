//! The same bits from every kernel of this processor.

use super::super::case::images;
use super::case::Case;
use crate::failure::CheckFailed;
use crate::table::{Cell, Table, Tone};
use crate::{number, progress};
use anyhow::Result;
use flow_infer::artifact::Artifact;
use flow_infer::engine::Evaluation;
use flow_infer::kernels::choice;
use flow_train_host::data::Dataset;
use flow_train_host::evaluate::log_prob_all;

/// The kernel that the others are compared with.
const REFERENCE: &str = "portable";

/// A kernel's bits beside those of the portable one.
pub(super) struct Agreement {
    model: String,
    kernel: &'static str,
    images: usize,
    differing_bits: u64,
}

/// Evaluates images with every kernel; the best one computes afterwards.
pub(super) fn compare(cases: &[Case], count: usize) -> Result<Vec<Agreement>> {
    let data = Dataset::Images(images(count)?);
    let mut agreements = Vec::new();
    let bar = progress::bar(cases.len(), "kernels");
    for case in cases {
        let artifact = Artifact::load(&case.bytes)?;
        let with = |kernel: &'static str| -> Result<Vec<Evaluation>> {
            choice::choose(kernel);
            Ok(log_prob_all(&artifact, &data).map_err(|(_, error)| error)?)
        };
        let expected = with(REFERENCE)?;
        for kernel in choice::names() {
            agreements.push(Agreement {
                model: case.name.clone(),
                kernel,
                images: count,
                differing_bits: differing_bits(&expected, &with(kernel)?),
            });
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    choice::names().next().map(choice::choose);
    Ok(agreements)
}

/// One row a model and kernel.
pub(super) fn table(agreements: &[Agreement]) -> Table {
    let mut table = Table::new(["model", "kernel", "images", "differing bits"]).left(2);
    for agreement in agreements {
        let tone = match agreement.differing_bits {
            0 => Tone::Good,
            _ => Tone::Bad,
        };
        table.row([
            agreement.model.as_str().into(),
            agreement.kernel.into(),
            number::grouped(agreement.images as u64).into(),
            Cell::new(agreement.differing_bits.to_string(), tone),
        ]);
    }
    table
}

/// # Errors
/// A bit differs.
pub(super) fn verdict(agreements: &[Agreement]) -> Result<()> {
    match agreements.iter().find(|a| a.differing_bits != 0) {
        None => Ok(()),
        Some(a) => Err(CheckFailed(format!(
            "{}: kernel {} differs from {REFERENCE} in {} bits",
            a.model, a.kernel, a.differing_bits
        ))
        .into()),
    }
}

/// Bits in which two lists of the same length differ.
fn differing_bits(expected: &[Evaluation], found: &[Evaluation]) -> u64 {
    let pairs = expected.iter().zip(found);
    let differing = pairs.map(|(a, b)| {
        let values = (a.log_prob_raw ^ b.log_prob_raw).count_ones();
        u64::from(values) + u64::from(a.saturated != b.saturated)
    });
    differing.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_counts() {
        let one = Evaluation {
            log_prob_raw: 5,
            squares_raw: 2,
            ratio_raw: 0,
            marginals: 0,
            saturated: false,
        };
        let mut other = one;
        other.log_prob_raw = 6;
        other.saturated = true;
        assert_eq!(differing_bits(&[one, one], &[one, one]), 0);
        assert_eq!(differing_bits(&[one, one], &[one, other]), 3);
        let agreement = |differing_bits| Agreement {
            model: "m".to_owned(),
            kernel: "k",
            images: 2,
            differing_bits,
        };
        verdict(&[agreement(0)]).unwrap();
        let error = verdict(&[agreement(0), agreement(3)]).unwrap_err();
        assert!(error.is::<CheckFailed>());
    }
}
