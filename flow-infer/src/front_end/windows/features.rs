//! The values of a window that the model reads, one at a time.

use super::dft::Segment;
use super::log2::log2_of_next;
use super::samples::Samples;
use super::spec::{Feature, Windows, bands, parts_of};
use core::ops::Range;

/// Products that a sample of a segment costs.
#[cfg(feature = "windows")]
const PRODUCTS_OF_A_SAMPLE: usize = 8;

impl Windows<'_> {
    /// Value `index` of a window's features, an integer below 2^24: feature by feature, and of each feature channel by
    /// channel, segment by segment, band by band. Zero beyond the last.
    pub fn value(&self, samples: Samples<'_>, index: usize) -> i32 {
        let Some((feature, channel, index)) = self.place(index) else {
            return 0;
        };
        let len = self.len();
        match feature {
            Feature::Raw => samples.at(channel, index),
            Feature::Means { segments } => {
                let range = segment(len, segments, index);
                let count = range.len() as i32;
                let sum: i32 = samples.from(channel, range.start).take(range.len()).sum();
                let rounded = (16 * sum).saturating_add(count / 2);
                rounded.checked_div_euclid(count).unwrap_or(0)
            }
            Feature::Differences { segments } => {
                let range = segment(len, segments, index);
                let range = range.start.max(1)..range.end;
                let count = range.len() as u32;
                let step = |t: usize| {
                    let (now, before) = (samples.at(channel, t), samples.at(channel, t - 1));
                    now.abs_diff(before)
                };
                let sum: u32 = range.map(step).sum();
                log2_of_next((16 * sum).checked_div(count).unwrap_or(0).into())
            }
            Feature::Bands { segments, parts } => {
                let samples_each = len.checked_div(segments.into()).unwrap_or(0);
                let count = bands(samples_each, parts);
                let (which, index) = parted(index, count);
                let segment = Segment {
                    samples,
                    channel,
                    start: which * samples_each,
                    len: samples_each,
                };
                log2_of_next(segment.energy(band(index, parts)))
            }
        }
    }

    /// About how many products the dearest value costs.
    #[cfg(feature = "windows")]
    pub(crate) fn products(&self) -> usize {
        let len = self.len();
        let each = self.features().map(|feature| match feature {
            Feature::Raw => PRODUCTS_OF_A_SAMPLE,
            Feature::Means { segments } | Feature::Differences { segments } => {
                PRODUCTS_OF_A_SAMPLE * part(len, segments)
            }
            Feature::Bands { segments, parts } => {
                // The last octave has a quarter of the segment's samples as frequencies.
                let samples = part(len, segments);
                PRODUCTS_OF_A_SAMPLE * samples * part(samples / 4, parts)
            }
        });
        each.max().unwrap_or(0)
    }

    /// The feature, channel and place within both of a value.
    fn place(&self, mut index: usize) -> Option<(Feature, usize, usize)> {
        let (len, channels) = (self.len(), self.channels());
        for feature in self.features() {
            let count = feature.known_count(len);
            if index < count * channels {
                let (channel, index) = parted(index, count);
                return Some((feature, channel, index));
            }
            index -= count * channels;
        }
        None
    }
}

/// How often a count goes into an index, and what is left. It goes a few times, and small cores have no division.
fn parted(mut index: usize, count: usize) -> (usize, usize) {
    let mut times = 0;
    while count > 0 && index >= count {
        index -= count;
        times += 1;
    }
    (times, index)
}

/// The largest of so many parts of a number.
#[cfg(feature = "windows")]
fn part(of: usize, parts: u8) -> usize {
    of.checked_div(parts.into()).unwrap_or(0) + 1
}

/// The samples of a segment.
fn segment(len: usize, segments: u8, index: usize) -> Range<usize> {
    let edge = |index: usize| (index * len).checked_div(segments.into()).unwrap_or(0);
    edge(index)..edge(index + 1)
}

/// The frequencies of a band: octave j has those from 2^j to 2^(j + 1), parted evenly.
fn band(mut index: usize, parts: u8) -> Range<usize> {
    let mut octave = 0;
    while octave < 16 {
        let count = parts_of(octave, parts);
        if index < count {
            break;
        }
        index -= count;
        octave += 1;
    }
    let first = 1 << octave;
    let width = first >> parts_of(octave, parts).trailing_zeros();
    first + index * width..first + (index + 1) * width
}
