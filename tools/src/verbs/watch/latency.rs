//! How long frames took, of any number of frames in a fixed amount of memory.

use std::time::Duration;

/// Parts of an octave: a quantile is off by 3 % at most.
const PARTS: u32 = 16;
/// Octaves of microseconds, up to ten hours.
const OCTAVES: u32 = 36;

/// A histogram of durations whose bins grow with them.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    bins: Vec<u64>,
    count: u64,
    sum: Duration,
    worst: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            bins: vec![0; (PARTS * OCTAVES) as usize],
            count: 0,
            sum: Duration::ZERO,
            worst: Duration::ZERO,
        }
    }
}

impl Latencies {
    /// Counts one.
    pub(crate) fn push(&mut self, took: Duration) {
        self.bins[bin(took)] += 1;
        self.count += 1;
        self.sum += took;
        self.worst = self.worst.max(took);
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// All together.
    pub(crate) fn sum(&self) -> Duration {
        self.sum
    }

    /// The mean; zero of none.
    pub(crate) fn mean(&self) -> Duration {
        let seconds = self.sum.as_secs_f64() / self.count.max(1) as f64;
        Duration::from_secs_f64(seconds)
    }

    /// The longest.
    pub(crate) fn worst(&self) -> Duration {
        self.worst
    }

    /// The upper edge of the bin in which this share of them ends; zero of none.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reached = |&count: &u64| {
            seen += count;
            seen >= rank
        };
        let found = self.bins.iter().position(reached);
        found.map_or(Duration::ZERO, |bin| edge(bin + 1).min(self.worst))
    }
}

/// Microseconds below [`PARTS`] have a bin each; above, each octave has as many.
fn bin(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if micros < u64::from(PARTS) {
        return micros as usize;
    }
    let octave = micros.ilog2() - PARTS.ilog2();
    let part = (micros >> octave) as u32 - PARTS;
    ((octave + 1) * PARTS + part).min(PARTS * OCTAVES - 1) as usize
}

/// Where a bin begins.
fn edge(bin: usize) -> Duration {
    let (octave, part) = (bin as u32 / PARTS, bin as u32 % PARTS);
    let micros = match octave {
        0 => u64::from(part),
        _ => u64::from(PARTS + part) << (octave - 1),
    };
    Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_its_bin() {
        for micros in [0, 1, 15, 16, 17, 31, 32, 100, 1000, 33_333, 1 << 30] {
            let took = Duration::from_micros(micros);
            let bin = bin(took);
            assert!((edge(bin)..edge(bin + 1)).contains(&took), "{micros}");
        }
        assert_eq!(bin(Duration::MAX), (PARTS * OCTAVES - 1) as usize);
    }

    #[test]
    fn quantiles_are_those_of_sorted_durations_within_a_bin() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile(0.5), Duration::ZERO);
        for micros in 1..=10_000u64 {
            latencies.push(Duration::from_micros(micros * 7 % 10_007));
        }
        for (share, exact) in [(0.5, 5000.0), (0.99, 9900.0), (1.0, 10_006.0)] {
            let found = latencies.quantile(share).as_secs_f64() * 1e6;
            assert!((0.99..1.07).contains(&(found / exact)), "{share}: {found}");
        }
        assert_eq!(latencies.worst(), Duration::from_micros(10_006));
        assert_eq!(latencies.count, 10_000);
    }
}
