//! What recordings say of the windows to be cut of them: rate, scales, steps of the code, channels that stand still.

use super::LearnedWindows;
use super::recording::Recording;
use super::{RecordingOptions, hertz, noticed};
use crate::data::error::{DataError, Problem};
use crate::data::notice::{Notice, Noticed};
use crate::data::source::fail;
use crate::windows::{ChannelSpec, FeatureName, WindowSpec};
use flow_infer::front_end::windows::Feature;
use std::path::Path;
use std::sync::Arc;

/// Samples that benign data reach: half of the range is for what is not benign.
const REACHED: f64 = 16_384.0;
/// A sensor whose ends are known needs no room beyond them.
const FULL: f64 = 32_766.0;
/// Values that lie so much further from zero than from each other are counted from their middle.
const FAR: f64 = 8.0;
/// The code counts steps of about so many parts of the mean difference.
const STEPS_OF_MEAN: f64 = 16.0;
/// A channel that stands still in this share of benign windows may do so.
const CALM: f64 = 0.05;

/// The windows of recordings, and what their owner should know of them.
pub(super) fn spec(
    path: &Path,
    recordings: &[Recording],
    own: &RecordingOptions,
    wanted: &LearnedWindows,
) -> Result<(Arc<WindowSpec>, Vec<Notice>), DataError> {
    let Some(first) = recordings.first() else {
        return Err(fail(path, Problem::Empty));
    };
    let mut notices = Vec::new();
    let rate = recordings.iter().find_map(|r| r.rate);
    match (rate, own.rate_hertz) {
        (Some(rate), None) => {
            let what = Noticed::Remark(format!("sampled {} times a second", hertz(rate)));
            let path = path.to_owned();
            notices.push(Notice { path, what });
        }
        (None, _) => notices.push(noticed(
            path,
            "says nothing of its rate: --rate does, and then recordings of another one are refused"
                .to_owned(),
        )),
        _ => {}
    }
    let hop = wanted.hop.unwrap_or((wanted.length / 2).max(1));
    let mut channels = Vec::new();
    for (index, name) in first.names.iter().enumerate() {
        let (channel, calm) = channel(recordings, index, name, wanted, hop);
        if channel.may_be_constant {
            notices.push(noticed(
                path,
                format!(
                    "channel {name:?} does not change in {:.0} % of the windows: a stuck one is no fault",
                    100.0 * calm
                ),
            ));
        }
        channels.push(channel);
    }
    let features = match wanted.features.is_empty() {
        true => default_features(wanted.length),
        false => wanted.features.clone(),
    };
    let spec = WindowSpec {
        rate_millihertz: rate.map_or(0, |rate| (rate * 1e3).round() as u32),
        length: wanted.length,
        hop,
        features,
        channels,
    };
    spec.to_bytes()
        .map_err(|why| fail(path, Problem::Malformed(why.to_string())))?;
    Ok((Arc::new(spec), notices))
}

/// Means, and bands of segments of 32 samples or so where the length can be cut so, else differences.
fn default_features(length: u16) -> Vec<FeatureName> {
    let most = |least: u16, most: u16| (length / least).clamp(1, most) as u8;
    let means = Feature::Means {
        segments: most(2, 8),
    };
    let bands = [32, 64, 16, 128, 8, 256]
        .into_iter()
        .find_map(|samples: u16| {
            let segments = u8::try_from(length / samples).ok().filter(|&s| s > 0)?;
            length
                .is_multiple_of(samples)
                .then_some(Feature::Bands { segments, parts: 1 })
        });
    let second = bands.unwrap_or(Feature::Differences {
        segments: most(4, 8),
    });
    [means, second].map(FeatureName).into()
}

/// One channel, and the share of windows in which it stands still.
fn channel(
    recordings: &[Recording],
    index: usize,
    name: &str,
    wanted: &LearnedWindows,
    hop: u16,
) -> (ChannelSpec, f64) {
    let values = || {
        recordings
            .iter()
            .flat_map(|r| (0..r.len()).map(move |t| r.value(t, index)))
    };
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let are_samples = values().all(|v| v.fract() == 0.0 && v.abs() <= 32_767.0);
    let (exponent, offset) = scale(low, high, are_samples, wanted.range);
    let mut channel = ChannelSpec {
        name: name.to_owned(),
        exponent,
        offset,
        may_be_constant: false,
        step_bits: 0,
        low: i16::MIN,
        high: i16::MAX,
    };
    if let Some([least, most]) = wanted.range {
        channel.low = channel.sample(least).unwrap_or(i16::MIN);
        channel.high = channel
            .sample(most)
            .unwrap_or(i16::MAX)
            .max(channel.low + 1);
    }
    let (mut differences, mut steps) = (0.0, 0u64);
    let (mut windows, mut calm) = (0u64, 0u64);
    for recording in recordings {
        for stretch in &recording.stretches {
            let samples: Vec<i16> = stretch
                .samples
                .clone()
                .filter_map(|t| channel.sample(recording.value(t, index)))
                .collect();
            for two in samples.windows(2) {
                differences += f64::from(i32::from(two[1]).abs_diff(two[0].into()));
                steps += 1;
            }
            for window in samples.windows(wanted.length.into()).step_by(hop.into()) {
                windows += 1;
                calm += u64::from(window.iter().all(|sample| *sample == window[0]));
            }
        }
    }
    let mean = differences / steps.max(1) as f64;
    channel.step_bits = (mean / STEPS_OF_MEAN).log2().floor().clamp(0.0, 15.0) as u8;
    let share = calm as f64 / windows.max(1) as f64;
    channel.may_be_constant = share >= CALM;
    (channel, share)
}

/// Exponent and offset of values between two ends.
fn scale(low: f64, high: f64, are_samples: bool, range: Option<[f64; 2]>) -> (i8, f32) {
    if are_samples && range.is_none() {
        return (0, 0.0);
    }
    let (low, high, reached) = match range {
        Some([least, most]) => (low.min(least), high.max(most), FULL),
        None => (low, high, REACHED),
    };
    let middle = (low + high) / 2.0;
    let far = low.abs().max(high.abs()) > FAR * (high - low) / 2.0;
    let offset = if far { middle as f32 } else { 0.0 };
    let most = (low - f64::from(offset))
        .abs()
        .max((high - f64::from(offset)).abs());
    let exponent = match most > 0.0 {
        true => (reached / most).log2().floor().clamp(-64.0, 64.0) as i8,
        false => 0,
    };
    (exponent, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_leave_headroom_and_whole_samples_alone() {
        assert_eq!(scale(-900.0, 1000.0, true, None), (0, 0.0));
        // 1.9 2^13 = 15565.
        assert_eq!(scale(-1.9, 1.5, false, None), (13, 0.0));
        assert_eq!(scale(-1.9, 1.5, false, Some([-2.0, 2.0])), (13, 0.0));
        assert_eq!(scale(-1.9, 1.5, false, Some([-1.9, 1.9])), (14, 0.0));
        // A pressure: 101325 +- 100.
        assert_eq!(scale(101_225.0, 101_425.0, false, None), (7, 101_325.0));
        assert_eq!(scale(0.0, 0.0, false, None), (0, 0.0));
        assert_eq!(scale(5.5, 5.5, false, None), (0, 5.5));
    }

    #[test]
    fn default_features_suit_the_length() {
        let text = |length| {
            default_features(length)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(text(128), ["means:8", "bands:4x1"]);
        assert_eq!(text(100), ["means:8", "differences:8"]);
        assert_eq!(text(48), ["means:8", "bands:3x1"]);
        assert_eq!(text(4), ["means:2", "differences:1"]);
        for length in 4..=2048 {
            for feature in default_features(length) {
                assert!(
                    feature.0.count(length.into()).is_some(),
                    "{feature} of {length}"
                );
            }
        }
    }
}
