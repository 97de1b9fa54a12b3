use super::super::Exposure;
use super::*;
use std::vec::Vec;

/// Kind, knots and points.
type Words<'w> = (u8, &'w [[i32; 4]], &'w [[i32; 2]]);

/// A section of literal words.
fn section(rule: u8, tests: &[Words<'_>]) -> Vec<u8> {
    let mut bytes = std::vec![rule, tests.len() as u8, 0, 0];
    for (kind, knots, points) in tests {
        bytes.extend([*kind, knots.len() as u8, points.len() as u8, 0]);
        bytes.extend(knots.as_flattened().iter().flat_map(|w| w.to_le_bytes()));
        bytes.extend(points.as_flattened().iter().flat_map(|w| w.to_le_bytes()));
    }
    bytes
}

const ONE: i64 = 1 << 24;
const Q16: i32 = 1 << 16;

fn image(log_prob: i64, code_length: i64, greatest: u8) -> Scores {
    Scores {
        log_prob_raw: log_prob * ONE,
        code_length_raw: Some(code_length * ONE),
        exposure: Some(Exposure {
            sum: 1000,
            greatest,
            least: 0,
        }),
        ..Scores::default()
    }
}

/// Likelihood with the code length: at 100 nats -200 +- 16, at 300 nats -400 +- 32; ln density and ln tail the same.
const DENSITY: Words<'static> = (
    0,
    &[
        [100 << 8, -200 << 8, 1 << 20, 0],
        [300 << 8, -400 << 8, 1 << 19, -2 * Q16],
    ],
    &[[-64 * Q16, -64 * Q16], [0, 0]],
);
/// The greatest byte: below 200 a thousandth.
const HIGHLIGHTS: Words<'static> = (6, &[], &[[199, -7 * Q16], [200, 0]]);

#[test]
fn the_density_is_normal_at_each_code_length() {
    let bytes = section(0, &[DENSITY]);
    let tests = Tests::parse(&bytes, true).unwrap();
    let score = |log_prob, code| {
        tests
            .combine(&image(log_prob, code, 255))
            .unwrap()
            .score_raw
    };
    assert_eq!(score(-200, 100), 0);
    assert_eq!(score(-216, 100), -ONE / 2, "one deviation");
    assert_eq!(score(-168, 100), -2 * ONE, "two, from above");
    assert_eq!(score(-400, 300), -2 * ONE);
    // Half-way: mean -300, inverse deviation 3/64, ln density -1.
    assert_eq!(score(-364, 200), -ONE - 9 * ONE / 2);
    assert_eq!(score(-400, 9000), -2 * ONE, "constant beyond the last knot");
    assert_eq!(score(i64::MIN >> 25, 100), -64 * ONE, "held, not wrapped");
}

#[test]
fn the_smallest_logarithm_decides_and_is_named() {
    let bytes = section(0, &[DENSITY, HIGHLIGHTS]);
    let tests = Tests::parse(&bytes, true).unwrap();
    let found = tests.combine(&image(-216, 100, 199)).unwrap();
    assert_eq!(
        (found.smallest, found.score_raw),
        (TestKind::Highlights, -7 * ONE)
    );
    assert_eq!(found.log_tail_raw(TestKind::Likelihood), Some(-ONE / 2));
    assert_eq!(found.log_tail_raw(TestKind::Brightness), None);
    let found = tests.combine(&image(-216, 100, 200)).unwrap();
    assert_eq!(
        (found.smallest, found.score_raw),
        (TestKind::Likelihood, -ONE / 2)
    );
    assert_eq!(
        tests.kinds().collect::<Vec<_>>(),
        [TestKind::Likelihood, TestKind::Highlights]
    );
}

#[test]
fn the_sum_counts_each_test_to_sixty_nats() {
    let bytes = section(1, &[DENSITY, HIGHLIGHTS]);
    let tests = Tests::parse(&bytes, true).unwrap();
    assert_eq!(tests.rule(), Rule::Sum);
    assert_eq!(
        tests.combine(&image(-216, 100, 0)).unwrap().score_raw,
        -15 * ONE / 2
    );
    assert_eq!(
        tests.combine(&image(-9000, 100, 0)).unwrap().score_raw,
        -67 * ONE
    );
}

#[test]
fn an_input_without_the_statistic_has_no_score() {
    let bytes = section(0, &[DENSITY]);
    let tests = Tests::parse(&bytes, true).unwrap();
    assert_eq!(tests.combine(&Scores::default()), None);
}

#[test]
fn malformed_sections_are_refused() {
    let refused = |bytes: &[u8]| Tests::parse(bytes, true).is_none();
    let good = section(0, &[DENSITY, HIGHLIGHTS]);
    assert!(!refused(&good));
    assert!(
        Tests::parse(&good, false).is_none(),
        "a vector has no code length"
    );
    for len in 0..good.len() {
        assert!(refused(&good[..len]), "cut at {len}");
    }
    assert!(refused(&[&good[..], &[0]].concat()), "more than the tests");
    assert!(refused(&section(2, &[DENSITY])), "rule");
    assert!(refused(&section(0, &[])), "no tests");
    assert!(refused(&section(0, &[HIGHLIGHTS, HIGHLIGHTS])), "twice");
    assert!(refused(&section(0, &[(10, &[], HIGHLIGHTS.2)])), "kind");
    assert!(refused(&section(0, &[(6, &[], &[])])), "no points");
    assert!(
        refused(&section(0, &[(6, &[], &[[5, -1], [5, 0]])])),
        "values do not ascend"
    );
    assert!(
        refused(&section(0, &[(6, &[], &[[5, 1]])])),
        "a probability above one"
    );
    assert!(
        refused(&section(0, &[(6, &[], &[[1, -1], [2, -2], [3, -1]])])),
        "two modes"
    );
    let flat = [[1, 0, 0, 0], [2, 0, 1, 0]];
    assert!(
        refused(&section(0, &[(0, &flat, HIGHLIGHTS.2)])),
        "a deviation without end"
    );
    let back = [[2, 0, 1, 0], [1, 0, 1, 0]];
    assert!(
        refused(&section(0, &[(0, &back, HIGHLIGHTS.2)])),
        "code lengths do not ascend"
    );
    let mut bytes = good.clone();
    bytes[2] = 1;
    assert!(refused(&bytes), "reserved");
}
