//! A linear axis: from values to pixels, with ticks at round numbers.

/// Maps `from` (values) to `to` (pixels).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    from: (f64, f64),
    to: (f64, f64),
}

impl Axis {
    /// An axis; an empty range of values is widened so that every value has a place.
    pub(crate) fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        let (low, high) = from;
        let from = match high > low {
            true => from,
            false => (low - 0.5, low + 0.5),
        };
        Self { from, to }
    }

    pub(crate) fn range(&self) -> (f64, f64) {
        self.from
    }

    /// Place of a value, held within the axis.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.from;
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        self.to.0 + share * (self.to.1 - self.to.0)
    }

    /// About `count` round values within the axis, with their labels.
    pub(crate) fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let (low, high) = self.from;
        let rough = (high - low) / count as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = match rough / power {
            r if r <= 1.0 => power,
            r if r <= 2.0 => 2.0 * power,
            r if r <= 5.0 => 5.0 * power,
            _ => 10.0 * power,
        };
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        (first..=last)
            .map(|k| k as f64 * step)
            .map(|value| (value, format!("{value:.digits$}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_places() {
        let axis = Axis::new((-10.0, 10.0), (0.0, 200.0));
        assert_eq!([-10.0, 0.0, 99.0].map(|v| axis.at(v)), [0.0, 100.0, 200.0]);
        let point = Axis::new((3.0, 3.0), (0.0, 200.0));
        assert_eq!(point.at(3.0), 100.0);
    }

    #[test]
    fn ticks_are_round() {
        let labels = |from| {
            let ticks = Axis::new(from, (0.0, 1.0)).ticks(4);
            ticks
                .into_iter()
                .map(|(_, label)| label)
                .collect::<Vec<_>>()
        };
        assert_eq!(labels((0.0, 1.0)), ["0.0", "0.5", "1.0"]);
        assert_eq!(labels((-1230.0, 480.0)), ["-1000", "-500", "0"]);
        assert_eq!(labels((2.1, 2.9)), ["2.2", "2.4", "2.6", "2.8"]);
    }
}
