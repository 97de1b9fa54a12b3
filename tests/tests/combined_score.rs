//! The combined score of the device against the f64 reference, on tables that calibration learned.

use flow_infer::score::combined::{Rule, TestKind, Tests};
use flow_infer::score::{Exposure, Scores};
use flow_reference::combined;
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::COMBINED_SCORE;
use flow_train_host::calibrate::{TestTable, tests_section};

const NAT: f64 = (1u64 << 24) as f64;

/// Scores about as of garments, `wild` times as scattered.
fn scores(random: &mut SplitMix64, wild: f64) -> Scores {
    let code = (1200.0 + wild * 300.0 * random.normal()).max(0.0);
    let log_prob = 300.0 - 1.1 * code + wild * (60.0 + 0.1 * code) * random.normal();
    let squares = 390.0 + wild * 40.0 * random.normal();
    let byte = |random: &mut SplitMix64| (random.uniform() * 255.0) as u8;
    Scores {
        log_prob_raw: (log_prob * NAT) as i64,
        code_length_raw: Some((code * NAT) as i64),
        squares_raw: (squares * NAT) as i64,
        ratio_raw: Some(((5.0 + wild * 2.0 * random.normal()) * NAT) as i64),
        marginals: Some(((115.0 + wild * 13.0 * random.normal()) * 65536.0) as u32),
        exposure: Some(Exposure {
            sum: (random.uniform() * 150_000.0) as u32,
            greatest: byte(random),
            least: byte(random) / 8,
        }),
        ..Scores::default()
    }
}

#[test]
fn the_integers_follow_the_reference() {
    let seed = 0x5EED_C0DE;
    println!("seed {seed:#x}");
    let mut random = SplitMix64::new(seed);
    let benign: Vec<Scores> = (0..2500).map(|_| scores(&mut random, 1.0)).collect();
    let benign: Vec<&Scores> = benign.iter().collect();
    let tables: Vec<TestTable> = TestKind::ALL
        .into_iter()
        .map(|kind| TestTable::fit(kind, &benign).expect("an image has every statistic"))
        .collect();
    let mut worst = 0f64;
    for rule in [Rule::Minimum, Rule::Sum] {
        let section = tests_section(rule, &tables);
        let tests = Tests::parse(&section, true).expect("what calibration writes loads");
        for wild in [1.0, 1.0, 3.0, 20.0] {
            for _ in 0..2000 {
                let scores = scores(&mut random, wild);
                let found = tests
                    .combine(&scores)
                    .expect("an image has every statistic");
                // The statistic before its rounding to the tables' units, so that this rounding is part of the error.
                let exact = |code: u8| {
                    let exposure = scores.exposure.unwrap_or_default();
                    let code_length = scores.code_length_raw.unwrap_or(0);
                    let nats = |raw: i64| raw as f64 / 65536.0;
                    match code {
                        0 | 2 => nats(scores.log_prob_raw),
                        1 => nats(scores.log_prob_raw + code_length),
                        3 => nats(scores.squares_raw),
                        4 => nats(code_length),
                        5 => exposure.sum.into(),
                        6 => exposure.greatest.into(),
                        7 => exposure.least.into(),
                        8 => 256.0 * nats(scores.ratio_raw.unwrap_or(0)),
                        _ => f64::from(scores.marginals.unwrap_or(0)) / -2.0,
                    }
                };
                let wanted = combined(&section, exact);
                for &(code, tail) in &wanted.log_tails {
                    let kind = TestKind::from_code(code).expect("a code of the file");
                    let raw = found.log_tail_raw(kind).expect("a test of the file");
                    let raw = raw as f64 / NAT;
                    worst = worst.max((raw - tail).abs() / tail.abs().max(1.0));
                    COMBINED_SCORE.check(kind.name(), raw, tail);
                }
                COMBINED_SCORE.check("score", found.score_raw as f64 / NAT, wanted.score);
            }
        }
    }
    println!("worst: {worst:.1e} of max(1, |ln tail|)");
}
