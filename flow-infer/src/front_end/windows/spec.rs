//! What a `.flow` file says of windows, read in place: `documents/format.md`, "Windows".

use super::samples::Samples;

/// First byte of the section.
pub const KIND: u8 = 1;
/// Bytes in front of the features.
pub const HEAD_LEN: usize = 12;
/// Bytes of a feature.
pub const FEATURE_LEN: usize = 4;
/// Bytes of a channel, without its name.
pub const CHANNEL_LEN: usize = 12;
/// Most channels of a sample.
pub const MAX_CHANNELS: usize = 16;
/// Most samples of a window: sixteen times their sum fits 32 bits.
pub const MAX_SAMPLES: usize = 2048;
/// Most values of a window, all channels together.
pub const MAX_VALUES: usize = 8192;
/// Most features.
const MAX_FEATURES: usize = 8;
/// Samples of a segment whose bands are measured.
const MIN_BAND_SAMPLES: usize = 8;
const MAX_BAND_SAMPLES: usize = super::sine::TURN;

/// What is measured in a window, of every channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Feature {
    /// The samples themselves.
    Raw,
    /// Mean of each segment, 4 fraction bits.
    Means {
        /// Parts that the window is cut into.
        segments: u8,
    },
    /// Mean absolute difference of neighbouring samples in each segment, as a logarithm.
    Differences {
        /// Parts that the window is cut into.
        segments: u8,
    },
    /// Energy of each band of each segment, as a logarithm: with several segments a spectrogram.
    Bands {
        /// Parts that the window is cut into.
        segments: u8,
        /// Parts that an octave is cut into: 1, 2 or 4.
        parts: u8,
    },
}

impl Feature {
    /// The feature of a record; `None` where it is none.
    fn of_record([kind, segments, parts, zero]: [u8; FEATURE_LEN]) -> Option<Self> {
        match (kind, segments, parts, zero) {
            (0, 0, 0, 0) => Some(Self::Raw),
            (1, segments, 0, 0) => Some(Self::Means { segments }),
            (2, segments, 0, 0) => Some(Self::Differences { segments }),
            (3, segments, parts, 0) => Some(Self::Bands { segments, parts }),
            _ => None,
        }
    }

    /// The record of a file.
    pub const fn to_record(self) -> [u8; FEATURE_LEN] {
        match self {
            Self::Raw => [0; FEATURE_LEN],
            Self::Means { segments } => [1, segments, 0, 0],
            Self::Differences { segments } => [2, segments, 0, 0],
            Self::Bands { segments, parts } => [3, segments, parts, 0],
        }
    }

    /// As [`count`](Self::count), of a feature that has one, which needs no look at it.
    pub(super) fn known_count(self, len: usize) -> usize {
        match self {
            Self::Raw => len,
            Self::Means { segments } | Self::Differences { segments } => segments.into(),
            Self::Bands { segments, parts } => {
                let segments = usize::from(segments);
                let samples = len.checked_div(segments).unwrap_or(0);
                segments * bands(samples, parts)
            }
        }
    }

    /// Values of one channel in windows of so many samples; `None` where such windows cannot be cut so.
    pub fn count(self, len: usize) -> Option<usize> {
        match self {
            Self::Raw => Some(len),
            Self::Means { segments } => whole(segments, len, 1),
            Self::Differences { segments } => whole(segments, len, 2),
            Self::Bands { segments, parts } => {
                let samples = len.checked_div(segments.into())?;
                let cut = samples * usize::from(segments) == len
                    && samples.is_power_of_two()
                    && (MIN_BAND_SAMPLES..=MAX_BAND_SAMPLES).contains(&samples)
                    && matches!(parts, 1 | 2 | 4);
                cut.then(|| usize::from(segments) * bands(samples, parts))
            }
        }
    }
}

/// The number of segments, if each has at least so many samples.
fn whole(segments: u8, len: usize, least: usize) -> Option<usize> {
    let segments = usize::from(segments);
    (segments > 0 && len >= least * segments).then_some(segments)
}

/// Bands of a segment: the octaves from the first frequency to the last but one, each in so many parts, or in as many
/// as it has frequencies.
pub(super) fn bands(samples: usize, parts: u8) -> usize {
    let octaves = samples.checked_ilog2().unwrap_or(0).saturating_sub(1);
    (0..octaves).map(|j| parts_of(j, parts)).sum()
}

/// Parts of octave `j`, which has 2^j frequencies.
pub(super) fn parts_of(octave: u32, parts: u8) -> usize {
    (1usize << octave).min(parts.into())
}

/// What is known of a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Channel {
    /// A sample is (value - offset) 2^exponent, rounded: what value is, the application knows.
    pub exponent: i8,
    /// The value that sample 0 stands for.
    pub offset: f32,
    /// Whether a window in which it does not change is a good one.
    pub may_be_constant: bool,
    /// The code length counts samples in steps of 2^step_bits.
    pub step_bits: u8,
    /// A sample at or below says that the sensor can go no lower.
    pub low: i16,
    /// A sample at or above says that the sensor can go no higher.
    pub high: i16,
}

impl Channel {
    fn of_record(record: &[u8; CHANNEL_LEN]) -> Option<Self> {
        let &[exponent, flags, step_bits, 0, a, b, c, d, offset @ ..] = record else {
            return None;
        };
        let channel = Self {
            exponent: exponent as i8,
            offset: f32::from_le_bytes(offset),
            may_be_constant: flags == 1,
            step_bits,
            low: i16::from_le_bytes([a, b]),
            high: i16::from_le_bytes([c, d]),
        };
        let good = flags <= 1
            && channel.exponent.unsigned_abs() <= 64
            && step_bits <= 15
            && channel.low < channel.high
            && channel.offset.is_finite();
        good.then_some(channel)
    }

    /// The record of a file.
    pub fn to_record(self) -> [u8; CHANNEL_LEN] {
        let [a, b] = self.low.to_le_bytes();
        let [c, d] = self.high.to_le_bytes();
        let [e, f, g, h] = self.offset.to_le_bytes();
        let flags = u8::from(self.may_be_constant);
        let exponent = self.exponent as u8;
        [exponent, flags, self.step_bits, 0, a, b, c, d, e, f, g, h]
    }
}

/// Windows of a sensor's samples, as a file describes them: checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows<'b> {
    bytes: &'b [u8],
}

impl<'b> Windows<'b> {
    /// Reads and checks a section; `None` where it is malformed.
    pub fn parse(bytes: &'b [u8]) -> Option<Self> {
        let windows = Self { bytes };
        let (head, _) = bytes.split_first_chunk::<HEAD_LEN>()?;
        let (channels, len) = (windows.channels(), windows.len());
        let good = matches!(head, [KIND, _, _, 0, ..])
            && (1..=MAX_CHANNELS).contains(&channels)
            && (2..=MAX_SAMPLES).contains(&len)
            && channels * len <= MAX_VALUES
            && windows.hop() > 0
            && (1..=MAX_FEATURES).contains(&windows.feature_count());
        if !good {
            return None;
        }
        for index in 0..windows.feature_count() {
            Feature::of_record(windows.feature_record(index)?)?.count(len)?;
        }
        for index in 0..channels {
            Channel::of_record(windows.channel_record(index)?)?;
        }
        let mut rest = bytes.get(windows.names_start()..)?;
        for _ in 0..channels {
            (_, rest) = take_name(rest)?;
        }
        rest.is_empty().then_some(windows)
    }

    /// The section.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// Values of a sample.
    pub fn channels(&self) -> usize {
        self.byte(1)
    }

    /// Samples of a window.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a window has two samples or more"
    )]
    pub fn len(&self) -> usize {
        self.half(4)
    }

    /// Samples from one window to the next.
    pub fn hop(&self) -> usize {
        self.half(6)
    }

    /// Samples in a thousand seconds; zero where the file does not say.
    pub fn rate_millihertz(&self) -> u32 {
        let four = self.bytes.get(8..).and_then(|b| b.first_chunk());
        u32::from_le_bytes(four.copied().unwrap_or_default())
    }

    /// Bytes of a window: two a value, sample by sample.
    pub fn byte_len(&self) -> usize {
        2 * self.channels() * self.len()
    }

    /// The features in the order of their values.
    pub fn features(&self) -> impl Iterator<Item = Feature> + use<'b> {
        let windows = *self;
        (0..self.feature_count())
            .filter_map(move |index| Feature::of_record(windows.feature_record(index)?))
    }

    /// Values of all features: what the model reads.
    pub fn dims(&self) -> usize {
        let len = self.len();
        let each = self.features().filter_map(|feature| feature.count(len));
        each.sum::<usize>() * self.channels()
    }

    /// What is known of a channel; `None` where there is none.
    pub fn channel(&self, index: usize) -> Option<Channel> {
        let record = self
            .channel_record(index)
            .filter(|_| index < self.channels());
        Channel::of_record(record?)
    }

    /// Names of the channels, as the recordings call them.
    pub fn names(&self) -> impl Iterator<Item = &'b str> + use<'b> {
        let mut rest = self.bytes.get(self.names_start()..).unwrap_or(&[]);
        core::iter::from_fn(move || {
            let (name, behind) = take_name(rest)?;
            rest = behind;
            Some(name)
        })
    }

    /// A window whose bytes are these, oldest sample first; `None` where they are more or fewer.
    pub fn window(&self, bytes: &'b [u8]) -> Option<Samples<'b>> {
        let sizes = [self.channels(), self.len()];
        (bytes.len() == self.byte_len()).then(|| Samples::new(sizes, bytes, 0))
    }

    fn feature_count(&self) -> usize {
        self.byte(2)
    }

    fn feature_record(&self, index: usize) -> Option<[u8; FEATURE_LEN]> {
        let start = HEAD_LEN + FEATURE_LEN * index;
        self.bytes.get(start..)?.first_chunk().copied()
    }

    fn channel_record(&self, index: usize) -> Option<&'b [u8; CHANNEL_LEN]> {
        let start = HEAD_LEN + FEATURE_LEN * self.feature_count() + CHANNEL_LEN * index;
        self.bytes.get(start..)?.first_chunk()
    }

    fn names_start(&self) -> usize {
        HEAD_LEN + FEATURE_LEN * self.feature_count() + CHANNEL_LEN * self.channels()
    }

    fn byte(&self, place: usize) -> usize {
        self.bytes.get(place).copied().unwrap_or(0).into()
    }

    fn half(&self, place: usize) -> usize {
        let two = self.bytes.get(place..).and_then(|b| b.first_chunk());
        u16::from_le_bytes(two.copied().unwrap_or_default()).into()
    }
}

/// A name, its length in front of it, and what follows.
fn take_name(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&len, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(len.into())?;
    Some((core::str::from_utf8(name).ok()?, rest))
}
