//! What comparing machines with the host gave: bits that differ, as a table and as a verdict.

use crate::CheckFailed;
use anyhow::Result;
use flowgate::table::{Cell, Table, Tone};
use flowgate_stream::Answer;
use std::time::Duration;

/// What the comparison of one machine with the host gave.
pub(crate) struct Comparison {
    pub(crate) name: String,
    pub(crate) differing_bits: u64,
    /// Stack and scratch; of boards.
    pub(crate) memory: Option<[u32; 2]>,
    /// Wall time of the emulation.
    pub(crate) took: Duration,
}

/// One row per board.
pub(crate) fn tabulate(comparisons: &[Comparison], inputs: usize) -> Table {
    let mut table = Table::new([
        "machine",
        "inputs",
        "differing bits",
        "stack B",
        "scratch B",
        "seconds",
    ]);
    for Comparison {
        name,
        differing_bits,
        memory,
        took,
    } in comparisons
    {
        let [stack, scratch] = match memory {
            Some(both) => both.map(|bytes| bytes.to_string()),
            None => ["-", "-"].map(str::to_owned),
        };
        let tone = if *differing_bits == 0 {
            Tone::Good
        } else {
            Tone::Bad
        };
        table.row([
            name.as_str().into(),
            inputs.to_string().into(),
            Cell::new(differing_bits.to_string(), tone),
            stack.into(),
            scratch.into(),
            format!("{:.1}", took.as_secs_f64()).into(),
        ]);
    }
    table
}

/// # Errors
/// A bit differs.
pub(crate) fn verdict(comparisons: &[Comparison]) -> Result<()> {
    match comparisons
        .iter()
        .find(|comparison| comparison.differing_bits != 0)
    {
        None => Ok(()),
        Some(Comparison {
            name,
            differing_bits,
            ..
        }) => Err(CheckFailed(format!(
            "{name} differs from the host in {differing_bits} bits"
        ))
        .into()),
    }
}

/// Bits in which two lists of answers differ; a missing answer differs in all of its bits.
pub(crate) fn differing_bits(expected: &[Answer], found: &[Answer]) -> u64 {
    let missing = expected.len().abs_diff(found.len()) * 8 * Answer::BYTES;
    let pairs = expected.iter().zip(found);
    let differing = pairs.flat_map(|(a, b)| {
        let (a, b) = (a.to_bytes(), b.to_bytes());
        (0..Answer::BYTES).map(move |i| u64::from((a[i] ^ b[i]).count_ones()))
    });
    differing.sum::<u64>() + missing as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_infer::gate::Decision;

    #[test]
    fn every_bit_counts() {
        let answer = Answer {
            scores: None,
            score_raw: Some(0),
            p_value_ppm: None,
            decision: Some(Decision::Accept),
            pin_high: true,
        };
        let mut other = answer;
        assert_eq!(differing_bits(&[answer], &[other]), 0);
        other.score_raw = Some(-1);
        assert_eq!(differing_bits(&[answer, answer], &[other, answer]), 64);
        other.pin_high = false;
        assert_eq!(differing_bits(&[answer], &[other]), 65);
        assert_eq!(
            differing_bits(&[answer, answer], &[answer]),
            8 * Answer::BYTES as u64
        );
    }
}
