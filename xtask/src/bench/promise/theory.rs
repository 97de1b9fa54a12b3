//! What alarms should give, computed from their definitions.

use super::stream::{below, nats};
use flow_infer::gate::Calibration;

/// 2 ln(100 events), rounded up: with it Chernoff's inequality is wrong for one calibration in a hundred.
const TWO_LN: f64 = 14.0;

/// Inputs on average until m of the last n were rejected, each with a probability, after a window of inputs that were with
/// another, and without an alarm: the chain of all windows.
pub(super) fn inputs_to_m_of_n(needed: u32, window: u32, before: f64, after: f64) -> f64 {
    let windows = 1usize << window;
    let step = |mass: &[f64], rejected: f64| {
        let mut next = vec![0.0; windows];
        for (history, mass) in mass.iter().enumerate() {
            for (odd, probability) in [(0, 1.0 - rejected), (1, rejected)] {
                let history = (history << 1 | odd) & (windows - 1);
                if history.count_ones() < needed {
                    next[history] += mass * probability;
                }
            }
        }
        next
    };
    let mut mass = vec![0.0; windows];
    mass[0] = 1.0;
    for _ in 0..window {
        mass = step(&mass, before);
    }
    let first: f64 = mass.iter().sum();
    let mut expected = 0.0;
    // The sum over t of the probability that there is none until t.
    loop {
        let alive = mass.iter().sum::<f64>() / first;
        if alive < 1e-6 {
            return expected;
        }
        expected += alive;
        mass = step(&mass, after);
    }
}

/// The wagers of a sequence alarm on "p is at most 4^-1, ..., 4^-4", half of the capital in each of two.
pub(super) struct Wagers {
    gains: [[f64; 5]; 2],
    ln_limit: f64,
}

impl Wagers {
    pub(super) fn new(samples: f64, level: f64) -> Self {
        let pays = [1, 2, 3, 4].map(|i| {
            let rank = ((samples + 1.0) / 4f64.powi(i)).floor();
            let pay = (1.0 - (TWO_LN / rank).sqrt()) * samples / rank;
            if rank > TWO_LN && pay > 2.0 { pay } else { 0.0 }
        });
        let gains = [0.5, 0.125].map(|stake| {
            let each = stake / 4.0;
            let idle = pays.iter().filter(|&&pay| pay == 0.0).count() as f64;
            let mut gains = [1.0 - stake + idle * each; 5];
            for (level, pay) in pays.iter().enumerate() {
                gains[level + 1] = gains[level] + each * pay;
            }
            gains
        });
        Self {
            gains,
            ln_limit: -level.ln(),
        }
    }

    /// By how much the logarithm of each capital grows, with the probabilities of its events.
    fn growth(&self, events: [f64; 4]) -> [f64; 2] {
        let [a, b, c, d] = events;
        let reached = [1.0 - a, a - b, b - c, c - d, d];
        self.gains.map(|gains| {
            let each = gains.iter().zip(reached).map(|(gain, p)| p * gain.ln());
            each.sum::<f64>()
        })
    }
}

/// When the capital that began at the best time has reached the limit, if it grows as on average.
pub(super) fn noticed(wagers: &Wagers, events: impl Fn(u32) -> [f64; 4], last: u32) -> Option<u32> {
    let mut capital = [f64::NEG_INFINITY; 2];
    (1..last).find(|&t| {
        let time = f64::from(t);
        let begins = -(2.0 * time * (time + 1.0)).ln();
        let grown = wagers.growth(events(t));
        for (capital, grown) in capital.iter_mut().zip(grown) {
            *capital = capital.max(begins) + grown;
        }
        capital.iter().any(|&c| c >= wagers.ln_limit)
    })
}

/// A drift alarm whose wagers see their events as often as on average.
pub(super) struct Drift {
    wagers: Vec<DriftWager>,
    limit: f64,
}

struct DriftWager {
    edge: f64,
    upper: bool,
    benign: f64,
    expected: f64,
    evidence: f64,
}

impl Drift {
    pub(super) fn new(gate: &Calibration, mean_time: u32) -> Self {
        let samples = f64::from(gate.samples);
        let wager = |(sixteenths, upper): (usize, bool)| {
            let share = sixteenths as f64 / 16.0;
            let e = (TWO_LN / (samples * share)).sqrt();
            let benign = share * (1.0 + 8.0 / samples) / (1.0 - e);
            let edge = if upper { 16 - sixteenths } else { sixteenths };
            DriftWager {
                edge: nats(gate.quantiles_raw[edge]),
                upper,
                benign,
                expected: benign,
                evidence: 0.0,
            }
        };
        let both = [1, 2, 4, 8]
            .into_iter()
            .flat_map(|s| [(s, false), (s, true)]);
        Self {
            wagers: both.map(wager).collect(),
            limit: 8.0 * f64::from(mean_time),
        }
    }

    /// When there is an alarm, if scores are lower by so much.
    pub(super) fn noticed(mut self, shift: impl Fn(u32) -> f64, last: u32) -> Option<u32> {
        (1..last).find(|&t| {
            let shift = shift(t);
            self.wagers.iter_mut().for_each(|wager| wager.push(shift));
            let evidence: f64 = self.wagers.iter().map(|wager| wager.evidence).sum();
            evidence >= self.limit
        })
    }
}

impl DriftWager {
    fn push(&mut self, shift: f64) {
        let lower = below(self.edge + shift);
        let happens = if self.upper { 1.0 - lower } else { lower };
        let (expected, benign) = (self.expected.max(self.benign), self.benign);
        let growth = happens * (expected / benign).ln()
            + (1.0 - happens) * ((1.0 - expected) / (1.0 - benign)).ln();
        self.evidence = (self.evidence + 1.0) * growth.exp();
        self.expected += (happens - self.expected) / 128.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_of_n_by_hand() {
        // One of one: the mean of a geometric distribution.
        assert!((inputs_to_m_of_n(1, 1, 0.0, 0.25) - 4.0).abs() < 1e-4);
        // Two in a row with probability p: (1 + p) / p^2.
        assert!((inputs_to_m_of_n(2, 2, 0.0, 0.5) - 6.0).abs() < 1e-4);
        // Certain rejections after none.
        assert!((inputs_to_m_of_n(3, 5, 0.0, 1.0) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn wagers_lose_on_benign_inputs() {
        let wagers = Wagers::new(2000.0, 0.001);
        let grown = wagers.growth([1, 2, 3, 4].map(|i| 4f64.powi(-i)));
        assert!(grown.iter().all(|&g| g < 0.0), "{grown:?}");
        assert_eq!(
            noticed(&wagers, |_| [0.25, 0.0625, 0.015, 0.004], 10_000),
            None
        );
    }
}
