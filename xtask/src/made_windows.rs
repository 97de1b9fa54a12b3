//! Windows that differ in everything they can, and samples as sensors give them and as none in order does.

use anyhow::Result;
use flow_train_host::windows::{ChannelSpec, WindowSpec};

/// Where the samples begin.
pub(crate) const SEED: u64 = 0x5EED_0016;
/// Windows' worth of samples for each model.
const WINDOWS: usize = 21;

/// Every feature, segments that are equal and that are not, one channel and sixteen.
pub(crate) fn specs() -> Result<[WindowSpec; 4]> {
    let all: [(u16, usize, &[&str]); 4] = [
        (128, 3, &["means:8", "bands:4"]),
        (100, 1, &["means:7", "differences:3"]),
        (16, 16, &["raw"]),
        (512, 2, &["bands:1x4", "differences:8"]),
    ];
    let spec = |(length, channels, features): (u16, usize, &[&str])| -> Result<WindowSpec> {
        let features = features.iter().map(|text| text.parse());
        Ok(WindowSpec {
            rate_millihertz: 50_000,
            length,
            hop: length / 2,
            features: features
                .collect::<Result<_, _>>()
                .map_err(anyhow::Error::msg)?,
            channels: (0..channels).map(channel).collect(),
        })
    };
    let [a, b, c, d] = all.map(spec);
    Ok([a?, b?, c?, d?])
}

fn channel(index: usize) -> ChannelSpec {
    ChannelSpec {
        name: index.to_string(),
        exponent: 0,
        offset: 0.0,
        may_be_constant: index % 2 == 1,
        step_bits: index as u8 % 5,
        low: -20_000,
        high: 20_000,
    }
}

/// A turn of a swing.
const SWING: [i16; 8] = [0, 160, 230, 160, 0, -160, -230, -160];

/// Noise, walks, ends of the range, channels that stand still, and swings: a window of each by turns.
pub(crate) fn samples(length: usize, channels: usize) -> Vec<i16> {
    let mut state = SEED;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005);
        state = state.wrapping_add(1_442_695_040_888_963_407);
        (state >> 48) as u16 as i16
    };
    let mut samples = Vec::with_capacity(WINDOWS * length * channels);
    for window in 0..WINDOWS {
        let mut level = vec![0i16; channels];
        for t in 0..length {
            for (channel, level) in level.iter_mut().enumerate() {
                *level = match window % 7 {
                    0 => next(),
                    1 => level.saturating_add(next() / 64),
                    2 => level.saturating_add(next() / 2048),
                    3 => next() / 4096,
                    4 => i16::MIN,
                    5 => SWING[(t + 2 * channel) % 8] + next() / 2048,
                    _ => *level,
                };
                samples.push(*level);
            }
        }
    }
    samples
}
