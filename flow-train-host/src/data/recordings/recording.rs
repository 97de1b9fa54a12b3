//! One recording.

use crate::data::notice::Notice;
use std::ops::Range;
use std::path::PathBuf;

/// The samples of one file, and where no window may reach over.
pub(super) struct Recording {
    pub(super) path: PathBuf,
    /// Within the folder that was read.
    pub(super) name: String,
    /// Names of the channels.
    pub(super) names: Vec<String>,
    /// Samples a second, as far as that is known.
    pub(super) rate: Option<f64>,
    /// Sample by sample, as many values each as there are channels.
    pub(super) values: Vec<f64>,
    /// Line of each sample in a text file; of others none, and samples are counted.
    pub(super) lines: Vec<u64>,
    /// Stretches without a gap, in their order.
    pub(super) stretches: Vec<Stretch>,
    pub(super) notices: Vec<Notice>,
}

/// Samples without a gap, of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) samples: Range<usize>,
    /// User, site or day that they belong to.
    pub(super) block: String,
}

impl Recording {
    /// Number of samples.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.names.len().max(1)
    }

    /// One value of a sample.
    pub(super) fn value(&self, sample: usize, channel: usize) -> f64 {
        self.values[sample * self.names.len() + channel]
    }

    /// What samples are called.
    pub(super) fn place(&self, samples: &Range<usize>) -> String {
        let (first, last) = (samples.start, samples.end - 1);
        match (self.lines.get(first), self.lines.get(last)) {
            (Some(first), Some(last)) => format!("lines {first}-{last}"),
            _ => format!("samples {first}-{last}"),
        }
    }
}

/// Stretches of so many samples, of which some begin a new one, and the block of each sample.
pub(super) fn stretches(
    len: usize,
    mut begins: Vec<usize>,
    block: impl Fn(usize) -> String,
) -> Vec<Stretch> {
    begins.extend([0, len]);
    begins.sort_unstable();
    begins.dedup();
    let pairs = begins.windows(2);
    pairs
        .map(|two| Stretch {
            samples: two[0]..two[1],
            block: block(two[0]),
        })
        .collect()
}
