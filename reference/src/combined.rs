//! The combined score in f64, read from the section's bytes as `documents/format.md` has them.

/// What the tests say of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct CombinedEvaluated {
    /// The score, in nats.
    pub score: f64,
    /// Code and ln of the benign tail probability of each test, in the order of the file.
    pub log_tails: Vec<(u8, f64)>,
}

/// Evaluates the section at the statistics of an input: `statistic` gives that of a test's code in the units of the
/// tables, code 4 being the code length.
///
/// # Panics
/// On bytes that are no such section.
pub fn combined(section: &[u8], statistic: impl Fn(u8) -> f64) -> CombinedEvaluated {
    let (rule, count) = (section[0], section[1]);
    let mut at = 4;
    let mut log_tails = Vec::new();
    for _ in 0..count {
        let (kind, knots, points) = (section[at], section[at + 1], section[at + 2]);
        at += 4;
        let knots = table::<4>(section, &mut at, knots);
        let points = table::<2>(section, &mut at, points);
        let value = match knots.is_empty() {
            true => statistic(kind),
            false => ln_density(&knots, statistic(kind), statistic(4)),
        };
        log_tails.push((kind, line(&points, value)[1] / 65536.0));
    }
    let tails = log_tails.iter().map(|&(_, tail)| tail);
    let score = match rule {
        0 => tails.fold(f64::INFINITY, f64::min),
        _ => tails.map(|tail| tail.max(-60.0)).sum(),
    };
    CombinedEvaluated { score, log_tails }
}

fn table<const WORDS: usize>(section: &[u8], at: &mut usize, count: u8) -> Vec<[f64; WORDS]> {
    let mut word = || {
        let bytes = [0, 1, 2, 3].map(|i| section[*at + i]);
        *at += 4;
        f64::from(i32::from_le_bytes(bytes))
    };
    (0..count)
        .map(|_| std::array::from_fn(|_| word()))
        .collect()
}

/// Linear between the records, constant beyond them.
fn line<const WORDS: usize>(records: &[[f64; WORDS]], x: f64) -> [f64; WORDS] {
    let after = records.iter().position(|record| x < record[0]);
    match after {
        Some(0) => records[0],
        None => records[records.len() - 1],
        Some(i) => {
            let (a, b) = (records[i - 1], records[i]);
            let t = (x - a[0]) / (b[0] - a[0]);
            std::array::from_fn(|k| a[k] + t * (b[k] - a[k]))
        }
    }
}

/// ln of the density of (statistic, code length), in units of 2^-16 nats as the tables count.
fn ln_density(knots: &[[f64; 4]], statistic: f64, code_length: f64) -> f64 {
    let [_, mean, inverse, rest] = line(knots, code_length);
    let away = (statistic - mean) * inverse / 2f64.powi(32);
    rest - away * away / 2.0 * 65536.0
}
