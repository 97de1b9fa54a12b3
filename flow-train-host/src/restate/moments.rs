//! Mean and variance of channels, in pieces that can be joined.

/// Sums of the values of some channels.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    count: f64,
    sums: Vec<[f64; 2]>,
}

impl Moments {
    pub(super) fn new(channels: usize) -> Self {
        Self {
            count: 0.0,
            sums: vec![[0.0; 2]; channels],
        }
    }

    /// Counts one pixel; channels beyond those asked for are padding.
    pub(super) fn add(&mut self, pixel: &[f32]) {
        self.count += 1.0;
        for ([sum, squares], &value) in self.sums.iter_mut().zip(pixel) {
            let value = f64::from(value);
            *sum += value;
            *squares += value * value;
        }
    }

    pub(super) fn join(mut self, other: &Self) -> Self {
        self.count += other.count;
        for (mine, theirs) in self.sums.iter_mut().zip(&other.sums) {
            mine[0] += theirs[0];
            mine[1] += theirs[1];
        }
        self
    }

    /// Mean and the population's variance of every channel, as a model holds them.
    pub(super) fn mean_and_variance(&self) -> (Vec<f32>, Vec<f32>) {
        let of = |&[sum, squares]: &[f64; 2]| {
            let mean = sum / self.count;
            // NaN stays NaN: `max` alone would make a plausible zero of it.
            let variance = squares / self.count - mean * mean;
            let variance = if variance < 0.0 { 0.0 } else { variance };
            (mean as f32, variance as f32)
        };
        self.sums.iter().map(of).unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    #[test]
    fn pieces_join_to_the_whole() {
        let rows = [[1.0, -2.0, 9.0], [3.0, 2.0, 9.0], [8.0, 0.0, 9.0]];
        let of = |rows: &[[f32; 3]]| {
            let mut moments = Moments::new(2);
            rows.iter().for_each(|row| moments.add(row));
            moments
        };
        let joined = of(&rows[..1]).join(&of(&rows[1..]));
        let (mean, variance) = joined.mean_and_variance();
        // Means 12/3 and 0; variances (9 + 1 + 16)/3 and 8/3; the third lane is padding.
        assert_eq!(mean, [4.0, 0.0]);
        assert!((variance[0] - 26.0 / 3.0).abs() < 1e-6);
        assert!((variance[1] - 8.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        let mut moments = Moments::new(1);
        moments.add(&[f32::NAN]);
        assert!(moments.mean_and_variance().1[0].is_nan());
        assert!(Moments::new(1).mean_and_variance().0[0].is_nan());
    }
}
