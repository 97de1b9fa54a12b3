//! Rows: where they lie in the scratch, and which rows of its source a layer's row needs.

use super::{Buffer, Coupling, Layer, LayerKind, Window, lanes};
use crate::spec::Shape;
use core::iter;

impl Buffer {
    /// Elements of one pixel: the channels in whole lanes.
    pub const fn pixel_len(&self) -> usize {
        lanes(self.shape.channels as usize)
    }

    /// Elements of one row with its margins.
    pub const fn row_len(&self) -> usize {
        (self.shape.width as usize + 2 * self.margin as usize) * self.pixel_len()
    }

    /// Elements of the ring, or `None` beyond what 32-bit offsets reach.
    pub fn ring_len(&self) -> Option<usize> {
        self.row_len().checked_mul(usize::from(self.rows))
    }

    /// Place of the first element of row y within the scratch.
    pub fn row_start(&self, y: usize) -> usize {
        // Rows are few: a host divides 32 bits in half the time of 64.
        let slot = (y as u32).checked_rem(u32::from(self.rows)).unwrap_or(0);
        self.offset as usize + slot as usize * self.row_len()
    }

    /// Places of the first elements of row y and of those that follow it: around the ring without a division for each.
    pub fn row_starts(&self, y: usize) -> impl Iterator<Item = usize> + use<> {
        let (begin, row_len) = (self.offset as usize, self.row_len());
        let end = begin + row_len * usize::from(self.rows);
        iter::successors(Some(self.row_start(y)), move |start| {
            let next = start + row_len;
            Some(if next < end { next } else { begin })
        })
    }
}

impl Window {
    /// Output length of a convolution along an axis, if there is one.
    pub fn conv_len(&self, input: u16, kernel: u16) -> Option<u16> {
        let span = u32::from(input) + 2 * u32::from(self.pad);
        let last = span.checked_sub(u32::from(kernel))?;
        u16::try_from(last.checked_div(u32::from(self.stride))? + 1).ok()
    }

    /// Shortest output length of a transposed convolution along an axis (output padding adds to it).
    pub fn transposed_len(&self, input: u16, kernel: u16) -> Option<u16> {
        let span = u32::from(input.checked_sub(1)?) * u32::from(self.stride) + u32::from(kernel);
        u16::try_from(span.checked_sub(2 * u32::from(self.pad))?).ok()
    }
}

/// Most input pixels of a transposed convolution that reach one of its outputs.
pub const MAX_REACHING: usize = 32;

impl Window {
    /// Most pixels of an input of this shape that reach an output of the transposed convolution.
    pub(super) fn reaching(&self, input: Shape) -> usize {
        let along = |kernel: u16, input: u16| {
            let reaching = kernel.div_ceil(u16::from(self.stride).max(1));
            usize::from(reaching.min(input))
        };
        along(self.height, input.height) * along(self.width, input.width)
    }
}

impl Layer {
    /// First and last row of `source` (of this height) that output row y reads; an empty range (first > last) if
    /// none.
    pub fn needed_rows(&self, y: usize, height: usize) -> (usize, usize) {
        match self.kind {
            LayerKind::Conv(window) => {
                let (stride, pad) = (usize::from(window.stride), usize::from(window.pad));
                let last = y * stride + usize::from(window.height);
                let first = (y * stride).saturating_sub(pad);
                (
                    first,
                    last.saturating_sub(pad + 1).min(height.saturating_sub(1)),
                )
            }
            LayerKind::ConvTransposed(window) => {
                let (stride, pad) = (usize::from(window.stride), usize::from(window.pad));
                let lowest = (y + pad + 1).saturating_sub(usize::from(window.height));
                let first = lowest.div_ceil(stride.max(1));
                let last = (y + pad).checked_div(stride).unwrap_or(0);
                (first, last.min(height.saturating_sub(1)))
            }
            LayerKind::Input { .. } | LayerKind::Map | LayerKind::Gate { .. } => (y, y),
        }
    }
}

impl Coupling {
    /// Channels that the last layer must give: raw_scale and shift of each changed channel.
    pub fn output_channels(&self) -> usize {
        2 * self.mask.changed_channels(self.view.channels()).1
    }

    /// The buffer that a ratio net's last layer writes.
    pub fn ratio(&self) -> Option<&Buffer> {
        let target = self.layers.last()?.target?;
        self.buffers.get(usize::from(target))
    }

    /// Shape of a layer's output.
    pub fn output_shape(&self, layer: &Layer) -> Option<Shape> {
        match layer.target {
            Some(target) => self.buffers.get(usize::from(target)).map(|b| b.shape),
            None => {
                let channels = u16::try_from(self.output_channels()).ok()?;
                let shape = self.view.shape();
                Some(Shape { channels, ..shape })
            }
        }
    }

    /// Buffers that a layer reads at all.
    pub fn reads(&self, layer: &Layer) -> [Option<u8>; 4] {
        match layer.kind {
            LayerKind::Input { .. } => [None, None, None, layer.residual],
            LayerKind::Gate { gate, carry } => {
                [Some(layer.source), Some(gate), Some(carry), layer.residual]
            }
            _ => [Some(layer.source), None, None, layer.residual],
        }
    }

    /// What a layer reads to compute row y: source, gate, carry and residual, where it has them.
    pub fn needs(&self, layer: &Layer, y: usize) -> [Option<Need>; 4] {
        let same = |buffer| Need {
            buffer,
            first: y,
            last: y,
        };
        let windowed = |buffer: u8| {
            let source = self.buffers.get(usize::from(buffer));
            let height = source.map_or(0, |b| usize::from(b.shape.height));
            let (first, last) = layer.needed_rows(y, height);
            (first <= last).then_some(Need {
                buffer,
                first,
                last,
            })
        };
        let residual = layer.residual.map(same);
        match layer.kind {
            LayerKind::Input { .. } => [None, None, None, residual],
            LayerKind::Gate { gate, carry } => [
                Some(same(layer.source)),
                Some(same(gate)),
                Some(same(carry)),
                residual,
            ],
            _ => [windowed(layer.source), None, None, residual],
        }
    }
}

/// Rows of a buffer that a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The buffer.
    pub buffer: u8,
    /// First row.
    pub first: usize,
    /// Last row.
    pub last: usize,
}
