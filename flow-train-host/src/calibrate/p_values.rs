//! The table of p-values that a file carries: some of the calibration scores, all of the lowest.

/// Lowest scores that are kept one by one.
const LOWEST: usize = 32;
/// Scores kept further up.
const FURTHER: usize = 80;

/// The section: every kept score with the conformal p-value of what scores below it, in parts per million, rounded up.
/// `sorted` are the calibration scores, ascending; `threshold` is kept in any case, so that p <= alpha exactly where
/// the gate rejects.
pub(super) fn section(sorted: &[i64], threshold: i64, ppm_below: impl Fn(i64) -> u32) -> Vec<u8> {
    let n = sorted.len();
    let ratio = (n as f64 / LOWEST as f64).max(1.0).ln() / FURTHER as f64;
    let further =
        (0..=FURTHER).map(|i| (LOWEST as f64 * (ratio * i as f64).exp()).round() as usize);
    let ranks = (1..=LOWEST.min(n)).chain(further.filter(|&rank| rank <= n));
    let mut kept: Vec<i64> = ranks
        .map(|rank| sorted[rank - 1])
        .chain([threshold])
        .collect();
    kept.sort_unstable();
    kept.dedup();
    let mut points: Vec<(i64, u32)> = Vec::new();
    for score in kept {
        let ppm = ppm_below(score);
        // Where scores have the same parts per million, the last says it of all.
        points.pop_if(|last| last.1 == ppm);
        points.push((score, ppm));
    }
    let mut bytes = (n as u32).to_le_bytes().to_vec();
    for (score, ppm) in points {
        bytes.extend(score.to_le_bytes());
        bytes.extend(ppm.to_le_bytes());
    }
    bytes
}
