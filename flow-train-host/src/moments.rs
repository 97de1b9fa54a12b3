//! Mean and variance of channels, in pieces that can be joined.

/// Below this a standard deviation is taken for that of a constant, which no factor makes 1.
const SMALLEST_STD: f64 = 1e-3;

/// Sums of the values of some channels.
#[derive(Clone, Debug)]
pub(crate) struct ChannelMoments {
    count: f64,
    sums: Vec<[f64; 2]>,
}

impl ChannelMoments {
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            count: 0.0,
            sums: vec![[0.0; 2]; channels],
        }
    }

    /// Adds one pixel; channels beyond those asked for are padding.
    pub(crate) fn add_pixel(&mut self, pixel: &[f32]) {
        self.count += 1.0;
        for (channel, &value) in pixel.iter().enumerate().take(self.sums.len()) {
            self.add(channel, value);
        }
    }

    /// Adds the value of a channel of a pixel that [`count`](Self::count) counts.
    pub(crate) fn add(&mut self, channel: usize, value: f32) {
        let value = f64::from(value);
        self.sums[channel][0] += value;
        self.sums[channel][1] += value * value;
    }

    /// Counts so many pixels.
    pub(crate) fn count(&mut self, pixels: usize) {
        self.count += pixels as f64;
    }

    /// Of every channel, the mean and the factor that makes the standard deviation 1.
    pub(crate) fn normalizing(&self) -> impl Iterator<Item = (f32, f32)> + '_ {
        self.sums.iter().map(|[sum, squares]| {
            let mean = sum / self.count;
            let std = (squares / self.count - mean * mean).max(0.0).sqrt();
            let factor = match std > SMALLEST_STD {
                true => 1.0 / std,
                false => 1.0,
            };
            (mean as f32, factor as f32)
        })
    }

    pub(crate) fn join(mut self, other: &Self) -> Self {
        self.count += other.count;
        for (mine, theirs) in self.sums.iter_mut().zip(&other.sums) {
            mine[0] += theirs[0];
            mine[1] += theirs[1];
        }
        self
    }

    /// Mean and the population's variance of every channel, as a model holds them.
    pub(crate) fn mean_and_variance(&self) -> (Vec<f32>, Vec<f32>) {
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
    use super::ChannelMoments;

    #[test]
    fn pieces_join_to_the_whole() {
        let rows = [[1.0, -2.0, 9.0], [3.0, 2.0, 9.0], [8.0, 0.0, 9.0]];
        let of = |rows: &[[f32; 3]]| {
            let mut moments = ChannelMoments::new(2);
            rows.iter().for_each(|row| moments.add_pixel(row));
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
        let mut moments = ChannelMoments::new(1);
        moments.add_pixel(&[f32::NAN]);
        assert!(moments.mean_and_variance().1[0].is_nan());
        assert!(ChannelMoments::new(1).mean_and_variance().0[0].is_nan());
    }
}
