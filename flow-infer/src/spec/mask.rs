//! Which coordinates a coupling keeps and which it changes.

use super::{Columns, Shape};
use serde::{Deserialize, Serialize};

/// Parity of row plus column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// y + x even: the top left pixel belongs to it.
    Even,
    /// y + x odd.
    Odd,
}

/// First or second half of an axis; of an odd length the first half is the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    /// Indices below length / 2.
    First,
    /// The others.
    Second,
}

impl Half {
    /// Whether index i of an axis of this length belongs to the half.
    pub const fn contains(self, index: usize, length: usize) -> bool {
        matches!(self, Self::First) == (index < length / 2)
    }

    /// The half of a row, or nothing.
    const fn columns(self, of_this_row: bool, width: usize) -> Columns {
        let count = if of_this_row { self.count(width) } else { 0 };
        Columns::adjacent(self.start(width), count)
    }

    /// Number of indices in the half.
    pub const fn count(self, length: usize) -> usize {
        match self {
            Self::First => length / 2,
            Self::Second => length - length / 2,
        }
    }

    /// First index of the half.
    pub const fn start(self, length: usize) -> usize {
        match self {
            Self::First => 0,
            Self::Second => length / 2,
        }
    }

    /// The other half.
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// A quarter of the image, numbered as the cycle runs: clockwise from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quadrant {
    /// Upper rows, left columns.
    TopLeft,
    /// Upper rows, right columns.
    TopRight,
    /// Lower rows, right columns.
    BottomRight,
    /// Lower rows, left columns.
    BottomLeft,
}

impl Quadrant {
    /// The next quadrant of the cycle.
    pub const fn next(self) -> Self {
        match self {
            Self::TopLeft => Self::TopRight,
            Self::TopRight => Self::BottomRight,
            Self::BottomRight => Self::BottomLeft,
            Self::BottomLeft => Self::TopLeft,
        }
    }

    const fn halves(self) -> (Half, Half) {
        match self {
            Self::TopLeft => (Half::First, Half::First),
            Self::TopRight => (Half::First, Half::Second),
            Self::BottomRight => (Half::Second, Half::Second),
            Self::BottomLeft => (Half::Second, Half::First),
        }
    }

    const fn contains(self, y: usize, x: usize, shape: Shape) -> bool {
        let (rows, columns) = self.halves();
        rows.contains(y, shape.height as usize) && columns.contains(x, shape.width as usize)
    }

    const fn columns(self, y: usize, shape: Shape) -> Columns {
        let (rows, columns) = self.halves();
        columns.columns(
            rows.contains(y, shape.height as usize),
            shape.width as usize,
        )
    }
}

/// Which coordinates of a view are kept (the conditioner reads them) and which are changed.
///
/// A cycle mask leaves half of the image neither kept nor changed: the conditioner sees only one quadrant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouplingMask {
    /// Pixels of one parity are kept, the others changed, in every channel.
    Checkerboard {
        /// Parity of the kept pixels.
        kept: Parity,
    },
    /// One half of the channels is kept, the other changed. For vectors: halves of the coordinates.
    Channel {
        /// The kept half.
        kept: Half,
    },
    /// Upper or lower rows are kept.
    Horizontal {
        /// The kept half: first is the upper one.
        kept: Half,
    },
    /// Left or right columns are kept.
    Vertical {
        /// The kept half: first is the left one.
        kept: Half,
    },
    /// One quadrant is kept, the next one of the cycle changed.
    Cycle {
        /// The kept quadrant.
        kept: Quadrant,
    },
    /// Everything is kept and nothing changed: what a ratio net reads. No coupling has it.
    Whole,
}

impl CouplingMask {
    /// Whether the conditioner reads this coordinate.
    pub const fn is_kept(&self, c: usize, y: usize, x: usize, shape: Shape) -> bool {
        match *self {
            Self::Checkerboard { kept } => {
                (y + x).is_multiple_of(2) == matches!(kept, Parity::Even)
            }
            Self::Channel { kept } => kept.contains(c, shape.channels as usize),
            Self::Horizontal { kept } => kept.contains(y, shape.height as usize),
            Self::Vertical { kept } => kept.contains(x, shape.width as usize),
            Self::Cycle { kept } => kept.contains(y, x, shape),
            Self::Whole => true,
        }
    }

    /// Whether the coupling rewrites this coordinate.
    pub const fn is_changed(&self, c: usize, y: usize, x: usize, shape: Shape) -> bool {
        match *self {
            Self::Cycle { kept } => kept.next().contains(y, x, shape),
            _ => !self.is_kept(c, y, x, shape),
        }
    }

    /// Columns of row y that are kept, in each of the [kept channels](Self::kept_channels).
    pub const fn kept_columns(&self, y: usize, shape: Shape) -> Columns {
        let (height, width) = (shape.height as usize, shape.width as usize);
        match *self {
            Self::Checkerboard { kept } => {
                Columns::alternate((y + matches!(kept, Parity::Odd) as usize) % 2, width)
            }
            Self::Channel { .. } | Self::Whole => Columns::adjacent(0, width),
            Self::Horizontal { kept } => {
                Columns::adjacent(0, if kept.contains(y, height) { width } else { 0 })
            }
            Self::Vertical { kept } => kept.columns(true, width),
            Self::Cycle { kept } => kept.columns(y, shape),
        }
    }

    /// Columns of row y that are changed, in each of the [changed channels](Self::changed_channels).
    pub const fn changed_columns(&self, y: usize, shape: Shape) -> Columns {
        match self.complement() {
            Some(complement) => complement.kept_columns(y, shape),
            None => Columns::adjacent(0, 0),
        }
    }

    /// The mask that keeps what this one changes, if it changes anything.
    const fn complement(&self) -> Option<Self> {
        Some(match *self {
            Self::Checkerboard { kept: Parity::Even } => Self::Checkerboard { kept: Parity::Odd },
            Self::Checkerboard { kept: Parity::Odd } => Self::Checkerboard { kept: Parity::Even },
            Self::Channel { kept } => Self::Channel { kept: kept.other() },
            Self::Horizontal { kept } => Self::Horizontal { kept: kept.other() },
            Self::Vertical { kept } => Self::Vertical { kept: kept.other() },
            Self::Cycle { kept } => Self::Cycle { kept: kept.next() },
            Self::Whole => return None,
        })
    }

    /// Whether rows, not channels, are split: the conditioner then reads all channels, changed pixels as zero.
    pub const fn is_spatial(&self) -> bool {
        !matches!(self, Self::Channel { .. })
    }

    /// Channels that the conditioner reads: first index and count.
    pub const fn kept_channels(&self, channels: usize) -> (usize, usize) {
        match *self {
            Self::Channel { kept } => (kept.start(channels), kept.count(channels)),
            _ => (0, channels),
        }
    }

    /// Channels that the coupling rewrites: first index and count.
    pub const fn changed_channels(&self, channels: usize) -> (usize, usize) {
        match *self {
            Self::Channel { kept } => {
                let changed = kept.other();
                (changed.start(channels), changed.count(channels))
            }
            Self::Whole => (0, 0),
            _ => (0, channels),
        }
    }

    /// Whether both parts hold at least one coordinate at this size.
    pub const fn fits(&self, shape: Shape) -> bool {
        match self {
            Self::Checkerboard { .. } => shape.pixels() >= 2,
            Self::Channel { .. } => shape.channels >= 2,
            Self::Horizontal { .. } => shape.height >= 2,
            Self::Vertical { .. } => shape.width >= 2,
            Self::Cycle { .. } => shape.height >= 2 && shape.width >= 2,
            Self::Whole => false,
        }
    }
}
