//! Windows as people and configurations write them, and as a file has them.

mod places;

pub use places::ValuePlace;

use flow_infer::front_end::windows::{Channel, Feature, KIND, MAX_CHANNELS, Windows};
use flow_infer::score::window::{Expected, of_channel};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How the samples of a sensor become a model's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// Samples in a thousand seconds; zero where nobody said.
    pub rate_millihertz: u32,
    /// Samples of a window.
    pub length: u16,
    /// Samples from one window to the next.
    pub hop: u16,
    /// What is measured.
    pub features: Vec<FeatureName>,
    /// The values of a sample.
    pub channels: Vec<ChannelSpec>,
}

/// One value of a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSpec {
    /// What recordings call it.
    pub name: String,
    /// A sample is (value - offset) 2^exponent, rounded.
    pub exponent: i8,
    /// The value that sample 0 stands for.
    pub offset: f32,
    /// Whether a window in which it does not change is a good one.
    pub may_be_constant: bool,
    /// The code length counts samples in steps of 2^step_bits.
    pub step_bits: u8,
    /// At or below, the sensor can go no lower.
    pub low: i16,
    /// At or above, the sensor can go no higher.
    pub high: i16,
}

impl ChannelSpec {
    /// A channel for tests: samples are values.
    #[cfg(test)]
    pub(crate) fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            exponent: 0,
            offset: 0.0,
            may_be_constant: false,
            step_bits: 0,
            low: i16::MIN,
            high: i16::MAX,
        }
    }

    /// The sample of a value, held within 16 bits; none of a NaN.
    pub fn sample(&self, value: f64) -> Option<i16> {
        let scaled = (value - f64::from(self.offset)) * 2f64.powi(self.exponent.into());
        (!scaled.is_nan()).then(|| (scaled + 0.5).floor() as i16)
    }

    /// The value that a sample stands for.
    pub fn value(&self, sample: i16) -> f64 {
        f64::from(sample) * 2f64.powi(-i32::from(self.exponent)) + f64::from(self.offset)
    }

    fn record(&self) -> Channel {
        Channel {
            exponent: self.exponent,
            offset: self.offset,
            may_be_constant: self.may_be_constant,
            step_bits: self.step_bits,
            low: self.low,
            high: self.high,
        }
    }
}

/// A feature as it is written: `raw`, `means:16`, `differences:8`, `bands:4` or `bands:4x2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeatureName(pub Feature);

impl fmt::Display for FeatureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Feature::Raw => f.write_str("raw"),
            Feature::Means { segments } => write!(f, "means:{segments}"),
            Feature::Differences { segments } => write!(f, "differences:{segments}"),
            Feature::Bands { segments, parts } => write!(f, "bands:{segments}x{parts}"),
        }
    }
}

impl FromStr for FeatureName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, numbers) = text.split_once(':').unwrap_or((text, ""));
        let (segments, parts) = match numbers.split_once('x') {
            Some((segments, parts)) => (segments, parts.parse().ok()),
            None => (numbers, Some(1)),
        };
        let segments = segments.parse().ok().filter(|&segments: &u8| segments > 0);
        let alone = !numbers.contains('x');
        let feature = match (name, segments, parts) {
            ("raw", None, _) if numbers.is_empty() => Some(Feature::Raw),
            ("means", Some(segments), _) if alone => Some(Feature::Means { segments }),
            ("differences", Some(segments), _) if alone => Some(Feature::Differences { segments }),
            ("bands", Some(segments), Some(parts @ (1 | 2 | 4))) => {
                Some(Feature::Bands { segments, parts })
            }
            _ => None,
        };
        feature.map(Self).ok_or_else(|| {
            format!(
                "{text:?} is no feature: raw, means:SEGMENTS, differences:SEGMENTS, or bands:SEGMENTS[xPARTS] with \
                 an octave in 1, 2 or 4 parts"
            )
        })
    }
}

impl TryFrom<String> for FeatureName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<FeatureName> for String {
    fn from(name: FeatureName) -> Self {
        name.to_string()
    }
}

/// Windows that no file can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowSpecError {
    /// Too few or too many channels.
    #[error("{0} channels: a sample has 1 to {MAX_CHANNELS}")]
    Channels(usize),
    /// A feature that windows of this length do not have.
    #[error("{feature} does not divide a window of {length} samples{}", advice(*feature))]
    Feature {
        /// The feature.
        feature: FeatureName,
        /// Samples of a window.
        length: u16,
    },
    /// Anything else: what a file may hold.
    #[error(
        "a window has 2 to 2048 samples, at most 8192 values, 1 to 8 features, and a hop of at least one sample"
    )]
    Size,
}

fn advice(feature: FeatureName) -> &'static str {
    match feature.0 {
        Feature::Bands { .. } => ": its segments have as many samples as a power of two, 8 to 1024",
        _ => "",
    }
}

impl WindowSpec {
    /// The section of a file.
    ///
    /// # Errors
    /// [`WindowSpecError`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, WindowSpecError> {
        let channels = u8::try_from(self.channels.len()).unwrap_or(u8::MAX);
        if !(1..=MAX_CHANNELS).contains(&self.channels.len()) {
            return Err(WindowSpecError::Channels(self.channels.len()));
        }
        let length = usize::from(self.length);
        let broken = self.features.iter().find(|f| f.0.count(length).is_none());
        if let Some(&feature) = broken {
            return Err(WindowSpecError::Feature {
                feature,
                length: self.length,
            });
        }
        let features = u8::try_from(self.features.len()).unwrap_or(u8::MAX);
        let mut bytes = vec![KIND, channels, features, 0];
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.hop.to_le_bytes());
        bytes.extend(self.rate_millihertz.to_le_bytes());
        bytes.extend(self.features.iter().flat_map(|f| f.0.to_record()));
        bytes.extend(self.channels.iter().flat_map(|c| c.record().to_record()));
        for channel in &self.channels {
            let name = short(&channel.name);
            bytes.push(name.len() as u8);
            bytes.extend(name.as_bytes());
        }
        match Windows::parse(&bytes) {
            Some(_) => Ok(bytes),
            None => Err(WindowSpecError::Size),
        }
    }

    /// What is wrong with a window of these samples, sample by sample: a channel that is stuck or saturated.
    pub fn fault(&self, window: &[i16]) -> Option<String> {
        self.channels
            .iter()
            .enumerate()
            .find_map(|(index, channel)| {
                let expected = Expected {
                    step_bits: channel.step_bits,
                    may_be_constant: channel.may_be_constant,
                    ends: [channel.low, channel.high],
                };
                let samples = window.iter().skip(index).step_by(self.channels.len());
                let found = of_channel(samples.map(|&s| s.into()), &expected);
                Some(format!(
                    "channel {:?} is {}",
                    channel.name,
                    found.fault?.name()
                ))
            })
    }

    /// What the values are called that a model reads.
    pub fn value_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for feature in &self.features {
            for channel in &self.channels {
                let count = feature.0.count(self.length.into()).unwrap_or(0);
                names.extend((0..count).map(|i| format!("{} {feature} {i}", channel.name)));
            }
        }
        names
    }

    /// What a file says.
    pub fn of(windows: &Windows<'_>) -> Self {
        let names = windows.names().map(str::to_owned);
        let channels = names.enumerate().filter_map(|(index, name)| {
            let channel = windows.channel(index)?;
            Some(ChannelSpec {
                name,
                exponent: channel.exponent,
                offset: channel.offset,
                may_be_constant: channel.may_be_constant,
                step_bits: channel.step_bits,
                low: channel.low,
                high: channel.high,
            })
        });
        Self {
            rate_millihertz: windows.rate_millihertz(),
            length: windows.len() as u16,
            hop: windows.hop() as u16,
            features: windows.features().map(FeatureName).collect(),
            channels: channels.collect(),
        }
    }
}

/// The beginning of a name, of 255 bytes at most.
fn short(name: &str) -> &str {
    let end = (0..=name.len().min(255))
        .rev()
        .find(|&end| name.is_char_boundary(end));
    &name[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> WindowSpec {
        let channel = |name: &str| ChannelSpec {
            name: name.to_owned(),
            exponent: 13,
            offset: 0.5,
            may_be_constant: false,
            step_bits: 3,
            low: -16384,
            high: 16383,
        };
        WindowSpec {
            rate_millihertz: 50_000,
            length: 128,
            hop: 64,
            features: ["means:16", "bands:2x4"].map(|f| f.parse().unwrap()).into(),
            channels: ["ax", "ä", ""].map(channel).into(),
        }
    }

    #[test]
    fn a_file_gives_back_what_it_was_given() {
        let bytes = spec().to_bytes().unwrap();
        let windows = Windows::parse(&bytes).unwrap();
        assert_eq!(WindowSpec::of(&windows), spec());
        // Of 64 samples frequencies 1 | 2 | 3 | 4 5 6 7 | 8 .. 15 | 16 .. 31, from the third octave on in four parts.
        assert_eq!(windows.dims(), 3 * (16 + 2 * (1 + 2 + 4 + 4 + 4)));
        let json = serde_json::to_string(&spec()).unwrap();
        assert!(
            json.contains(r#""features":["means:16","bands:2x4"]"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<WindowSpec>(&json).unwrap(), spec());
    }

    #[test]
    fn what_no_file_can_hold_is_said() {
        let said = |change: &dyn Fn(&mut WindowSpec)| {
            let mut spec = spec();
            change(&mut spec);
            spec.to_bytes().unwrap_err().to_string()
        };
        assert_eq!(
            said(&|s| s.length = 100),
            "bands:2x4 does not divide a window of 100 samples: its segments have as many samples as a power of two, \
             8 to 1024"
        );
        assert_eq!(
            said(&|s| s.channels.clear()),
            "0 channels: a sample has 1 to 16"
        );
        assert!(said(&|s| s.hop = 0).starts_with("a window has 2 to 2048 samples"));
    }

    #[test]
    fn features_are_written_as_they_are_read() {
        for text in ["raw", "means:1", "differences:255", "bands:4x2"] {
            assert_eq!(text.parse::<FeatureName>().unwrap().to_string(), text);
        }
        let bands: FeatureName = "bands:4".parse().unwrap();
        assert_eq!(bands.to_string(), "bands:4x1");
        for bad in [
            "",
            "raw:2",
            "means",
            "means:0",
            "means:2x2",
            "bands:2x3",
            "bands:x",
            "mean:4",
        ] {
            assert!(bad.parse::<FeatureName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn values_become_samples_and_come_back() {
        let channel = &spec().channels[0];
        assert_eq!(channel.sample(0.5), Some(0));
        assert_eq!(channel.sample(1.5), Some(8192));
        assert_eq!(channel.sample(-9.0), Some(i16::MIN));
        assert_eq!(channel.sample(f64::NAN), None);
        assert_eq!(channel.value(8192), 1.5);
    }
}
