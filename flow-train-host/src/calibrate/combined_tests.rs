//! The combined score, learned from made-up scores whose law is known.

use super::*;
use crate::random::SplitMix64;
use flow_infer::gate::{Decision, PValues};
use flow_infer::score::Exposure;

const NAT: f64 = (1u64 << 24) as f64;

/// Scores as of garments: longer codes have less likely and more scattered log_prob.
fn benign(random: &mut SplitMix64) -> Scores {
    let code = 1000.0 + 300.0 * random.normal();
    let log_prob = 200.0 - 1.2 * code + (50.0 + 0.1 * code.abs()) * random.normal();
    let greatest = 255.0 - 8.0 * random.uniform().powi(4) * 10.0;
    Scores {
        log_prob_raw: (log_prob * NAT) as i64,
        code_length_raw: Some((code * NAT) as i64),
        squares_raw: ((390.0 + 20.0 * random.normal()) * NAT) as i64,
        ratio_raw: Some(((4.0 + 2.0 * random.normal()) * NAT) as i64),
        marginals: Some(((115.0 + 13.0 * random.normal()) * 65536.0) as u32),
        exposure: Some(Exposure {
            sum: 50_000 + random.below(20_000) as u32,
            greatest: greatest as u8,
            least: random.below(2) as u8,
        }),
        ..Scores::default()
    }
}

fn with(tests: &Tests<'_>, scores: &Scores) -> Scores {
    Scores {
        combined: tests.combine(scores),
        ..*scores
    }
}

/// The promise of the whole procedure, tables and threshold learned anew each time: over random splits of one pool a
/// benign input is rejected with probability at most k / (n + 1), and its p-value is at most u with at most u.
#[test]
fn the_promise_holds_over_a_thousand_random_splits() {
    const SPLITS: usize = 1000;
    const CALIBRATION: usize = 280;
    const TESTED: usize = 20;
    const ALPHA_PPM: u32 = 50_000;
    let seed = 0x5EED_0014;
    println!("seed {seed:#x}");
    let mut random = SplitMix64(seed);
    let mut pool: Vec<Scores> = (0..1000).map(|_| benign(&mut random)).collect();
    let (mut rejected, mut low) = (0, [0; 3]);
    let levels = [20_000, 100_000, 500_000];
    for _ in 0..SPLITS {
        random.shuffle(&mut pool);
        let calibration = &pool[..CALIBRATION];
        let split = Split::new(CALIBRATION, ALPHA_PPM).unwrap();
        let found = combined(
            &TestKind::ALL,
            Rule::Minimum,
            ALPHA_PPM,
            calibration,
            &split,
        )
        .unwrap();
        let tests = Tests::parse(&found.tests, true).unwrap();
        let p_values = PValues::parse(&found.p_values).unwrap();
        assert_eq!(p_values.samples(), found.gate.samples);
        for scores in &pool[CALIBRATION..CALIBRATION + TESTED] {
            let scores = with(&tests, scores);
            let rejects = found.gate.decide(&scores) == Decision::Reject;
            rejected += usize::from(rejects);
            let p = p_values.ppm(found.gate.score_raw(&scores).unwrap());
            assert_eq!(rejects, p <= ALPHA_PPM, "p = {p}");
            for (count, level) in low.iter_mut().zip(levels) {
                *count += usize::from(p <= level);
            }
        }
    }
    let total = (SPLITS * TESTED) as f64;
    // Inputs of one split share a threshold, so they count as dependent: four deviations of 1,000 independent splits.
    let bound = |rate: f64| rate + 4.0 * (rate * (1.0 - rate) / SPLITS as f64).sqrt() / 2.0;
    let rate = rejected as f64 / total;
    println!("{rate} rejected, promised at most 0.05");
    assert!(rate < bound(0.05), "{rate}");
    assert!(
        rate > 0.03,
        "{rate}: a gate that rejects nothing keeps every promise"
    );
    for (count, level) in low.into_iter().zip(levels) {
        let (share, level) = (count as f64 / total, f64::from(level) / 1e6);
        assert!(share < bound(level), "p at most {level} with {share}");
    }
}

#[test]
fn tables_are_the_benign_distribution() {
    let mut random = SplitMix64(7);
    let pool: Vec<Scores> = (0..4000).map(|_| benign(&mut random)).collect();
    let all: Vec<&Scores> = pool.iter().collect();
    for kind in TestKind::ALL {
        let table = TestTable::fit(kind, &all).unwrap();
        let bytes = tests_section(Rule::Minimum, &[table]);
        let tests = Tests::parse(&bytes, true).unwrap();
        // ln of the tail probability of a continuous statistic is uniform: a tenth below ln 0.1.
        let below = |p: f64| {
            let fresh = (0..4000).map(|_| benign(&mut SplitMix64(random.bits())));
            let tails = fresh.map(|s| tests.combine(&s).unwrap().score_raw as f64 / NAT);
            tails.filter(|&tail| tail <= p.ln()).count() as f64 / 4000.0
        };
        let mut below = below;
        let share = below(0.1);
        let discrete = matches!(kind, TestKind::Shadows | TestKind::Highlights);
        assert!(
            share < 0.125 && (discrete || share > 0.075),
            "{kind:?}: {share}"
        );
    }
}

#[test]
fn the_density_knows_the_spread_at_each_code_length() {
    let mut random = SplitMix64(8);
    let pool: Vec<Scores> = (0..4000).map(|_| benign(&mut random)).collect();
    let all: Vec<&Scores> = pool.iter().collect();
    let table = TestTable::fit(TestKind::Likelihood, &all).unwrap();
    let knots = &table.knots;
    let near = |code: f64| {
        knots
            .iter()
            .min_by_key(|k| (f64::from(k[0]) - code * 256.0).abs() as i64)
            .unwrap()
    };
    for code in [700.0, 1000.0, 1300.0] {
        let [at, mean, inverse, _] = near(code).map(f64::from);
        let (at, mean) = (at / 256.0, mean / 256.0);
        let deviation = 2f64.powi(32) / inverse / 256.0;
        assert!((mean - (200.0 - 1.2 * at)).abs() < 40.0, "{at}: {mean}");
        assert!(
            (deviation / (50.0 + 0.1 * at) - 1.0).abs() < 0.2,
            "{at}: {deviation}"
        );
    }
}

#[test]
fn data_without_variance_give_tables_that_load() {
    let one = benign(&mut SplitMix64(1));
    let same = vec![&one; 300];
    let tables = TestKind::ALL.map(|kind| TestTable::fit(kind, &same).unwrap());
    let section = tests_section(Rule::Sum, &tables);
    let tests = Tests::parse(&section, true).expect("what calibration writes loads");
    let score = |scores: &Scores| tests.combine(scores).unwrap().score_raw;
    let unlikely = Scores {
        log_prob_raw: one.log_prob_raw - (NAT * 1000.0) as i64,
        ..one
    };
    let short = Scores {
        code_length_raw: Some(0),
        ..one
    };
    assert!(score(&unlikely) < score(&one));
    assert!(score(&short) < score(&one), "outside the table");
}

#[test]
fn the_choice_takes_what_sees_the_perturbations() {
    let mut random = SplitMix64(3);
    let bare = |s: Scores| Scores {
        ratio_raw: None,
        ..s
    };
    let whole: Vec<Scores> = (0..1000).map(|_| benign(&mut random)).collect();
    let pool: Vec<Scores> = whole.iter().copied().map(bare).collect();
    let all: Vec<&Scores> = pool.iter().collect();
    let dark = |s: &Scores| Scores {
        exposure: s.exposure.map(|e| Exposure {
            greatest: e.greatest / 2,
            ..e
        }),
        ..*s
    };
    let unlikely = |s: &Scores| Scores {
        log_prob_raw: s.log_prob_raw - (1000.0 * NAT) as i64,
        ..*s
    };
    let families = [
        Perturbed {
            name: "dark",
            scores: pool[500..].iter().map(dark).collect(),
        },
        Perturbed {
            name: "unlikely",
            scores: pool[500..].iter().map(unlikely).collect(),
        },
    ];
    let choice = choose(&TestKind::ALL, &all, &families, 10_000).unwrap();
    let tests = &choice.chosen.tests;
    assert_eq!(tests.len(), 2, "{tests:?}");
    assert!(tests.contains(&TestKind::Highlights), "{tests:?}");
    assert_eq!(choice.chosen.rule, Rule::Minimum);
    let seen = |(_, share): &(&str, f64)| *share > 0.99;
    assert!(choice.families.iter().all(seen), "{:?}", choice.families);
    assert_eq!(choice.families.len(), 2);
    assert_eq!(choice.alone.len(), TestKind::ALL.len() - 1);
    // A ratio net is listened to, though it sees none of these.
    let ratio = |s: &Scores| Scores {
        ratio_raw: Some(4 << 24),
        ..*s
    };
    let families = families.map(|f| Perturbed {
        scores: f.scores.iter().map(ratio).collect(),
        ..f
    });
    let all: Vec<&Scores> = whole.iter().collect();
    let choice = choose(&TestKind::ALL, &all, &families, 10_000).unwrap();
    let tests = &choice.chosen.tests;
    assert!(
        tests.len() == 3 && tests.contains(&TestKind::Ratio),
        "{tests:?}"
    );
    assert!(choose(&TestKind::ALL, &[], &[], 10_000).is_none());
}

#[test]
fn vectors_have_no_tests_of_images() {
    let mut random = SplitMix64(4);
    let mut vector = || Scores {
        code_length_raw: None,
        exposure: None,
        ratio_raw: None,
        ..benign(&mut random)
    };
    let scores: Vec<Scores> = (0..300).map(|_| vector()).collect();
    let split = Split::new(300, 50_000).unwrap();
    let of = |kind| combined(&[kind], Rule::Minimum, 50_000, &scores, &split);
    for kind in TestKind::ALL {
        match kind.is_of_images() {
            true => assert_eq!(of(kind), Err(CalibrateError::NoTest(kind))),
            false => assert!(of(kind).is_ok(), "{kind:?}"),
        }
    }
}

#[test]
fn the_power_of_another_score_is_the_mean_over_families_and_rates() {
    let benign: Vec<f64> = (0..999).rev().map(f64::from).collect();
    // At 1 % the threshold is the 10th smallest, 9; at 0.5 % the 5th, 4; a quarter is the 2nd, too small to count.
    let families = [vec![8.0, 9.0], vec![3.0, 100.0, 3.5, 8.5]];
    let at = [(0.5 + 0.75) / 2.0, (0.0 + 0.5) / 2.0];
    let found = power(&benign, &families, 10_000).unwrap();
    assert!((found - (at[0] + at[1]) / 2.0).abs() < 1e-12, "{found}");
    // Too few for the rate: the three smallest scores, 901 to 903, are the thresholds.
    let high = [vec![900.5, 901.5, 902.5, 904.0]];
    assert_eq!(power(&benign[..98], &high, 10_000), Some(0.5));
    assert_eq!(power(&[], &families, 10_000), None);
    assert_eq!(power(&benign, &[], 10_000), None);
}

#[test]
fn log_prob_by_itself_does_where_tests_bring_nothing() {
    let mut random = SplitMix64(5);
    let mut window = || Scores {
        log_prob_raw: (random.normal() * 20.0 * NAT) as i64,
        exposure: None,
        ratio_raw: None,
        marginals: None,
        ..benign(&mut random)
    };
    let pool: Vec<Scores> = (0..1000).map(|_| window()).collect();
    let all: Vec<&Scores> = pool.iter().collect();
    let family = |by: f64, saturated: bool| {
        let of = |s: &Scores| Scores {
            log_prob_raw: s.log_prob_raw + (by * NAT) as i64,
            saturated,
            ..*s
        };
        vec![Perturbed {
            name: "made",
            scores: pool[500..].iter().map(of).collect(),
        }]
    };
    let both = |families: &[Perturbed]| {
        let alone = LogProbAlone::of(&all, families, 10_000).unwrap();
        (
            alone,
            choose(&TestKind::ALL, &all, families, 10_000).unwrap(),
        )
    };
    let (alone, choice) = both(&family(-500.0, false));
    assert!(alone.power > 0.99 && alone.suffices(&choice), "{alone:?}");
    assert_eq!(alone.families.len(), 1);
    // What is too likely it does not see, and typicality does.
    let (alone, choice) = both(&family(500.0, false));
    assert!(alone.power < 0.01 && !alone.suffices(&choice), "{alone:?}");
    assert_eq!(both(&family(500.0, true)).0.power, 1.0);
    assert_eq!(LogProbAlone::of(&[], &[], 10_000), None);
}

#[test]
fn across_blocks_a_test_that_scatters_between_them_is_not_chosen() {
    let seed = 0x5EED_0B15;
    println!("seed {seed:#x}");
    let mut random = SplitMix64(seed);
    // Nine stretches, log_prob of each about a middle of its own; values by themselves are the same everywhere.
    let stretches: Vec<f64> = (0..9).map(|_| 200.0 * random.normal()).collect();
    let benign: Vec<Scores> = (0..900)
        .map(|index| {
            let one = benign(&mut random);
            let middle = (stretches[index / 100] * NAT) as i64;
            Scores {
                log_prob_raw: one.log_prob_raw + middle,
                code_length_raw: None,
                exposure: None,
                ratio_raw: None,
                ..one
            }
        })
        .collect();
    // Stranger to the likelihood than to the values, of stretches that are alike.
    let strange = |s: &Scores| Scores {
        log_prob_raw: s.log_prob_raw - (1200.0 * NAT) as i64,
        marginals: s.marginals.map(|octaves| octaves + (87 << 16)),
        ..*s
    };
    let families = [Perturbed {
        name: "strange",
        scores: benign[450..].iter().map(strange).collect(),
    }];
    let among = [TestKind::Likelihood, TestKind::Marginals];
    let all: Vec<usize> = (0..benign.len()).collect();
    let (tables, threshold): (Vec<usize>, Vec<usize>) = all.iter().partition(|&i| i % 3 == 0);
    let blocks = Blocks::stretches(benign.len(), 9).unwrap();
    let of = (&blocks.pick(&threshold).unwrap(), Promise::NextStretch);
    let [tables, threshold] =
        [tables, threshold].map(|part| part.iter().map(|&i| &benign[i]).collect::<Vec<_>>());
    let parts = (tables.as_slice(), threshold.as_slice());
    let choice = choose_across(&among, parts, of, &families, 10_000).unwrap();
    let power = |kind| {
        let alone = choice.alone.iter().find(|c| c.tests == [kind]);
        alone.map(|candidate| candidate.power)
    };
    println!("{:?}", choice.alone);
    assert_eq!(choice.chosen.tests, [TestKind::Marginals]);
    assert!(power(TestKind::Marginals) > Some(0.95));
    assert!(power(TestKind::Likelihood) < Some(0.9));
}
