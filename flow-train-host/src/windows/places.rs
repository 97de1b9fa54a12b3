//! Where in a window each value that a model reads is measured.

use super::{FeatureName, WindowSpec};
use flow_infer::front_end::windows::Feature;
use std::ops::Range;

/// Where a value that a model reads is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuePlace {
    /// What is measured.
    pub feature: FeatureName,
    /// Index of the channel.
    pub channel: usize,
    /// Samples of the window that it is measured in.
    pub samples: Range<usize>,
    /// Of a band, where it begins and ends, in periods a sample.
    pub band: Option<[f64; 2]>,
}

impl WindowSpec {
    /// The place of every value, in the order of [`value_names`](Self::value_names).
    pub fn places(&self) -> Vec<ValuePlace> {
        let mut places = Vec::new();
        for &feature in &self.features {
            let parts = parts(feature.0, self.length.into());
            for channel in 0..self.channels.len() {
                let place = |(samples, band): &(Range<usize>, _)| ValuePlace {
                    feature,
                    channel,
                    samples: samples.clone(),
                    band: *band,
                };
                places.extend(parts.iter().map(place));
            }
        }
        places
    }
}

/// Samples of each value of a feature of one channel, and its band.
fn parts(feature: Feature, length: usize) -> Vec<(Range<usize>, Option<[f64; 2]>)> {
    let segments = |count: u8| {
        let edge = move |index: usize| index * length / usize::from(count.max(1));
        (0..usize::from(count)).map(move |index| edge(index)..edge(index + 1))
    };
    match feature {
        Feature::Raw => (0..length).map(|t| (t..t + 1, None)).collect(),
        Feature::Means { segments: count } | Feature::Differences { segments: count } => {
            segments(count).map(|range| (range, None)).collect()
        }
        Feature::Bands {
            segments: count,
            parts,
        } => {
            let of_segment = |range: Range<usize>| {
                let bands = bands(range.len(), parts);
                bands.map(move |band| (range.clone(), Some(band)))
            };
            segments(count).flat_map(of_segment).collect()
        }
    }
}

/// The bands of a segment: octave j has the frequencies from 2^j to 2^(j + 1), in as many parts as it has frequencies.
fn bands(samples: usize, parts: u8) -> impl Iterator<Item = [f64; 2]> + Clone {
    let octaves = samples.max(1).ilog2().saturating_sub(1);
    (0..octaves).flat_map(move |octave| {
        let first = 1usize << octave;
        let count = first.min(parts.into());
        let width = first / count.max(1);
        let at = move |index: usize| (first + index * width) as f64 / samples as f64;
        (0..count).map(move |index| [at(index), at(index + 1)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Vectors, WindowSet};
    use crate::random::SplitMix64;
    use crate::windows::ChannelSpec;
    use std::f64::consts::TAU;
    use std::sync::Arc;

    fn spec(features: &[&str]) -> Arc<WindowSpec> {
        Arc::new(WindowSpec {
            rate_millihertz: 0,
            length: 64,
            hop: 32,
            features: features.iter().map(|f| f.parse().unwrap()).collect(),
            channels: ["a", "b", "c"].map(ChannelSpec::plain).into(),
        })
    }

    fn values(spec: &Arc<WindowSpec>, samples: Vec<i16>) -> Vec<f32> {
        let set = WindowSet::new(spec.clone(), samples).unwrap();
        Vectors::of_windows(set).values().to_vec()
    }

    #[test]
    fn a_sample_changes_the_values_that_are_measured_there() {
        let spec = spec(&["raw", "means:3", "differences:5", "bands:2x4", "bands:4"]);
        let seed = 0x5EED_0061;
        println!("seed {seed:#x}");
        let mut random = SplitMix64(seed);
        let samples: Vec<i16> = (0..3 * 64)
            .map(|_| (500.0 * random.normal()) as i16)
            .collect();
        let before = values(&spec, samples.clone());
        let places = spec.places();
        assert_eq!(places.len(), before.len());
        assert_eq!(spec.value_names().len(), places.len());
        for changed in [0, 40, 95, 191] {
            let mut samples = samples.clone();
            samples[changed] += 4000;
            let (t, channel) = (changed / 3, changed % 3);
            let after = values(&spec, samples);
            for (place, (before, after)) in places.iter().zip(before.iter().zip(&after)) {
                // A difference reaches back to the sample before the segment.
                let reach = match place.feature.0 {
                    Feature::Differences { .. } => place.samples.start.saturating_sub(1),
                    _ => place.samples.start,
                };
                let here = place.channel == channel && (reach..place.samples.end).contains(&t);
                assert_eq!(before != after, here, "{place:?}, sample {t} of {channel}");
            }
        }
    }

    #[test]
    fn a_tone_is_in_the_band_that_says_so() {
        let spec = spec(&["bands:2x4"]);
        let places = spec.places();
        for periods in [1, 2, 3, 5, 9, 13] {
            let pitch = (f64::from(periods) + 0.01) / 32.0;
            let sine = |t: usize| (8000.0 * (TAU * pitch * (t as f64 + 0.3)).sin()) as i16;
            let values = values(&spec, (0..64).flat_map(|t| [sine(t), 0, 0]).collect());
            let loudest = (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]));
            let loudest = &places[loudest.unwrap()];
            let [low, high] = loudest.band.unwrap();
            assert!(
                low <= pitch && pitch < high,
                "{pitch} in {low}..{high} of {loudest:?}"
            );
            assert_eq!(loudest.channel, 0);
        }
    }
}
