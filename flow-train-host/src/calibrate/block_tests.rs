//! Promises of blocks to come, on simulated streams: every block (a user, a day) has an offset of its own.

use super::*;
use crate::random::SplitMix64;
use flow_infer::gate::{Decision, PValues};

/// Inputs of a block.
const LEN: usize = 100;
const ALPHA_PPM: u32 = 20_000;

/// Blocks whose offsets scatter as much as inputs within a block do.
struct Stream(SplitMix64);

impl Stream {
    fn block(&mut self) -> Vec<Scores> {
        let offset = self.0.normal();
        let input = |random: &mut SplitMix64| Scores {
            log_prob_raw: ((offset + random.normal()) * 1e6) as i64,
            ..Scores::default()
        };
        (0..LEN).map(|_| input(&mut self.0)).collect()
    }

    fn blocks(&mut self, count: usize) -> (Vec<Scores>, Blocks) {
        let scores = (0..count).flat_map(|_| self.block()).collect();
        (scores, Blocks::stretches(count * LEN, count).unwrap())
    }
}

fn rate(gate: &Calibration, block: &[Scores]) -> f64 {
    let rejects = |s: &&Scores| gate.decide(s) == Decision::Reject;
    block.iter().filter(rejects).count() as f64 / block.len() as f64
}

/// False-alarm rate of new blocks, and the share of them that have more than alpha, over many calibrations.
fn new_blocks(seed: u64, blocks: usize, calibrations: usize, promise: Promise) -> (f64, f64) {
    println!("seed {seed:#x}");
    let mut stream = Stream(SplitMix64(seed));
    let (mut mean, mut over) = (0.0, 0);
    for _ in 0..calibrations {
        let (scores, blocks) = stream.blocks(blocks);
        let found = gate_across(
            ScoreKind::Likelihood,
            ALPHA_PPM,
            &scores,
            &blocks,
            Some(promise),
        );
        let found = found.unwrap();
        let new = stream.block();
        let rate = rate(&found.gate, &new);
        mean += rate / calibrations as f64;
        over += usize::from(rate > f64::from(ALPHA_PPM) / 1e6);
        let p_values = PValues::parse(&found.p_values).unwrap();
        for scores in &new {
            let p = p_values.ppm(scores.log_prob_raw);
            let rejects = found.gate.decide(scores) == Decision::Reject;
            assert_eq!(rejects, p <= ALPHA_PPM, "p = {p}");
        }
    }
    (mean, over as f64 / calibrations as f64)
}

#[test]
fn each_new_block_keeps_the_rate_but_for_one_in_k_plus_one() {
    const CALIBRATIONS: usize = 3000;
    for blocks in [5, 19] {
        let promise = Promise::each(blocks);
        let Promise::EachBlock { rank } = promise else {
            unreachable!()
        };
        let promised = rank as f64 / (blocks + 1) as f64;
        let deviation = (promised / CALIBRATIONS as f64).sqrt();
        let (mean, over) = new_blocks(0x5EED_0B10, blocks, CALIBRATIONS, promise);
        println!(
            "{blocks} blocks: {mean} false alarms, {over} of blocks over, {promised} promised"
        );
        assert!(over <= promised + 4.0 * deviation, "{over} > {promised}");
        assert!(over > promised / 3.0, "{over}: nothing is rejected at all");
        // The plain promise is broken on the same streams.
        let (plain, plain_over) = new_blocks(0x5EED_0B10, blocks, CALIBRATIONS, Promise::Inputs);
        println!("plain: {plain} false alarms, {plain_over} of blocks over");
        assert!(plain > 1.3 * 0.02, "{plain}");
        assert!(plain_over > promised + 4.0 * deviation);
    }
}

#[test]
fn the_next_stretch_keeps_the_rate_but_for_one_in_many_more() {
    // Offsets scatter by a normal law, which falls off faster than the one that is assumed.
    const CALIBRATIONS: usize = 3000;
    for stretches in [5, 9] {
        let promised = 1.0 / next_stretch::one_in(stretches, ALPHA_PPM) as f64;
        let promise = Promise::NextStretch;
        let (mean, over) = new_blocks(0x5EED_0B13, stretches, CALIBRATIONS, promise);
        println!("{stretches}: {mean} false alarms, {over} of stretches over, {promised} promised");
        let deviation = (promised / CALIBRATIONS as f64).sqrt();
        assert!(over <= promised + 4.0 * deviation, "{over} > {promised}");
        assert!(over > promised / 8.0, "{over}: the threshold says nothing");
        let each = Promise::each(stretches);
        let (_, by_counting) = new_blocks(0x5EED_0B13, stretches, CALIBRATIONS, each);
        assert!(by_counting > 4.0 * over, "{by_counting} by counting");
    }
}

#[test]
fn enough_blocks_promise_the_mean() {
    const CALIBRATIONS: usize = 1500;
    let (mean, _) = new_blocks(0x5EED_0B11, 60, CALIBRATIONS, Promise::NewBlocks);
    println!("{mean} false alarms");
    // A block's rate scatters by some 0.05 about its mean.
    assert!(
        mean <= 0.02 + 4.0 * 0.06 / (CALIBRATIONS as f64).sqrt(),
        "{mean}"
    );
    assert!(
        mean > 0.002,
        "{mean}: a gate that rejects nothing keeps every promise"
    );
    let (scores, blocks) = Stream(SplitMix64(1)).blocks(48);
    let few = gate_across(
        ScoreKind::Likelihood,
        ALPHA_PPM,
        &scores,
        &blocks,
        Some(Promise::NewBlocks),
    );
    let few = few.unwrap_err().to_string();
    assert_eq!(few, "48 blocks are too few: that promise takes at least 49");
}

#[test]
fn tables_of_the_other_blocks_keep_the_promise_of_the_combined_score() {
    const CALIBRATIONS: usize = 400;
    let seed = 0x5EED_0B12;
    println!("seed {seed:#x}");
    let mut stream = Stream(SplitMix64(seed));
    let mut over = 0;
    let kinds = [TestKind::Likelihood, TestKind::Typicality];
    for _ in 0..CALIBRATIONS {
        let (scores, blocks) = stream.blocks(5);
        let promise = Promise::each(5);
        let found = combined_across(
            &kinds,
            Rule::Minimum,
            ALPHA_PPM,
            &scores,
            &blocks,
            Some(promise),
        );
        let found = found.unwrap();
        let tests = Tests::parse(&found.tests, true).unwrap();
        let new = stream.block();
        let new = new.iter().map(|s| Scores {
            combined: tests.combine(s),
            ..*s
        });
        let new: Vec<Scores> = new.collect();
        over += usize::from(rate(&found.gate, &new) > 0.02);
    }
    let over = f64::from(over as u32) / CALIBRATIONS as f64;
    println!("{over} of blocks over, 1 in 6 promised");
    assert!(
        over < 1.0 / 6.0 + 4.0 * (1.0 / 6.0 / CALIBRATIONS as f64).sqrt(),
        "{over}"
    );
}

#[test]
fn blocks_that_differ_are_seen_before_anything_is_promised() {
    let mut stream = Stream(SplitMix64(5));
    let (scores, blocks) = stream.blocks(12);
    let found = gate_across(
        ScoreKind::Likelihood,
        ALPHA_PPM,
        &scores,
        &blocks,
        Some(Promise::Inputs),
    );
    let gate = found.unwrap().gate;
    let grouped = deciding_blocks(&gate, &scores, &blocks).unwrap();
    assert_eq!(exchange::groups_differ(&grouped), 0.001);
    let rates = exchange::held_out_rates(&grouped, Promise::Inputs, ALPHA_PPM);
    assert_eq!(rates.len(), 12);
    assert!(rates.iter().any(|(_, rate)| *rate > 0.1), "{rates:?}");
    // The same scores in random order are exchangeable.
    let mut mixed = scores;
    stream.0.shuffle(&mut mixed);
    let grouped = deciding_blocks(&gate, &mixed, &blocks).unwrap();
    assert!(exchange::groups_differ(&grouped) > 0.01);
}
