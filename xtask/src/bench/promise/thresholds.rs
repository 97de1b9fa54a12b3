//! Thresholds against what conformal prediction promises of them, over many calibrations.

use super::ALPHA_PPM;
use super::measured::{Measured, Theory, Unit};
use super::stream::{below, calibrated, nats, random, rejected, scores};
use anyhow::Result;
use flow_infer::Scores;
use flow_infer::gate::conformal_rank;
use flow_infer::score::ScoreKind;
use flow_train_host::calibrate::{self, Blocks, Promise};

const CALIBRATIONS: usize = 1000;
/// Inputs of such a calibration.
const SAMPLES: usize = 500;
/// Inputs of a block.
const OF_BLOCK: usize = 50;
/// Of blocks, to keep calibrations small.
const BLOCKS_PPM: u32 = 20_000;

pub(super) fn measure(seed: u64) -> Result<Vec<Measured>> {
    Ok([inputs(seed)?, blocks(seed)?].concat())
}

/// The k-th of n scores has below it a share that follows Beta(k, n + 1 - k), whatever the scores' distribution.
fn inputs(seed: u64) -> Result<Vec<Measured>> {
    let mut random = random(seed, 1);
    let rates = (0..CALIBRATIONS).map(|_| {
        let gate = calibrated(&mut random, SAMPLES, ALPHA_PPM)?.gate;
        Ok(rejected(&gate, 0.0))
    });
    let rates = rates.collect::<Result<Vec<_>>>()?;
    let (mean, deviation) = moments(&rates);
    let n = SAMPLES as f64;
    let rank = f64::from(conformal_rank(ALPHA_PPM, SAMPLES as u32).unwrap_or(0));
    let expected = rank / (n + 1.0);
    let scatter = (expected * (1.0 - expected) / (n + 2.0)).sqrt();
    let what = format!("calibrations on {SAMPLES} inputs at 1 %: false alarms, mean");
    Ok(vec![
        Measured::new(what, Unit::Share, mean, Theory::Near(expected, 0.95..=1.05)),
        Measured::new(
            "... deviation over calibrations",
            Unit::Share,
            deviation,
            Theory::Near(scatter, 0.9..=1.1),
        ),
    ])
}

fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, square.sqrt())
}

/// New blocks, whose offsets scatter as much as inputs within a block do.
fn blocks(seed: u64) -> Result<Vec<Measured>> {
    let mut found = Vec::new();
    for (count, promise) in [
        (5, Promise::each(5)),
        (19, Promise::each(19)),
        (19, Promise::Inputs),
        (9, Promise::NextStretch),
        (60, Promise::NewBlocks),
        (60, Promise::Inputs),
    ] {
        let (mean, over) = new_blocks(seed, count, promise)?;
        let blocks = format!("{count} blocks of {OF_BLOCK} at 2 %, promise");
        found.push(match promise {
            Promise::EachBlock { rank } => Measured::new(
                format!("{blocks} each-block: new blocks with more"),
                Unit::Share,
                over,
                Theory::AtMost(rank as f64 / (count + 1) as f64, 1.1),
            ),
            Promise::NewBlocks => Measured::new(
                format!("{blocks} new-blocks: false alarms, mean"),
                Unit::Share,
                mean,
                Theory::AtMost(f64::from(BLOCKS_PPM) / 1e6, 1.0),
            ),
            // One in a hundred by Gumbel's law; these offsets scatter by the normal one, which has fewer that are strange.
            Promise::NextStretch | Promise::WeighedStretch(_) => Measured::new(
                format!("{blocks} next-stretch: new blocks with more"),
                Unit::Share,
                over,
                Theory::AtMost(0.02, 1.0),
            ),
            Promise::Inputs if count < 60 => Measured::new(
                "... promise inputs: new blocks with more",
                Unit::Share,
                over,
                Theory::Silent,
            ),
            Promise::Inputs => Measured::new(
                "... promise inputs: false alarms, mean",
                Unit::Share,
                mean,
                Theory::Silent,
            ),
        });
    }
    Ok(found)
}

/// The mean rate of false alarms of a new block, and the share of new blocks whose rate is above the stated one.
fn new_blocks(seed: u64, count: usize, promise: Promise) -> Result<(f64, f64)> {
    let mut random = random(seed, 2);
    let (mut mean, mut over) = (0.0, 0.0);
    for _ in 0..CALIBRATIONS {
        let mut drawn: Vec<Scores> = Vec::with_capacity(count * OF_BLOCK);
        for _ in 0..count {
            let offset = random.normal();
            drawn.extend((0..OF_BLOCK).map(|_| scores(offset + random.normal())));
        }
        let blocks = Blocks::stretches(drawn.len(), count)?;
        let found = calibrate::gate_across(
            ScoreKind::Likelihood,
            BLOCKS_PPM,
            &drawn,
            &blocks,
            Some(promise),
        )?;
        let (threshold, offset) = (nats(found.gate.threshold_raw), random.normal());
        let new = (0..OF_BLOCK).filter(|_| offset + random.normal() < threshold);
        let rate = new.count() as f64 / OF_BLOCK as f64;
        // The rate's mean over all offsets is known: the sum of two normal numbers.
        mean += below(threshold * std::f64::consts::FRAC_1_SQRT_2) / CALIBRATIONS as f64;
        over += f64::from(u8::from(rate > f64::from(BLOCKS_PPM) / 1e6)) / CALIBRATIONS as f64;
    }
    Ok((mean, over))
}
