//! The last layer's row: sums become raw_scale and shift, and the changed coordinates are rewritten in place.

use super::Arithmetic;
use super::arithmetic::ScaleAt;
use super::conv::{Channels, Inputs, Sink};
use super::observe::{Coupled, Observer};
use crate::bytes::{at, checked, run, tail};
use crate::kernels::Coordinates;
use crate::plan::{Activation, Coupling, LANES, NumberFormat, PlanHead, TABLE_ENTRIES};
use crate::spec::Columns;
use core::ops::Range;

/// Sums of most rows that are computed at once, 64 pixels with one or two changed channels, and the most: 8 KiB, which
/// take a sixtieth of an image's time to clear where few are meant.
const FEW_SUMS: usize = 256;
const MOST_SUMS: usize = 2048;

/// Changed channels whose raw_scale and shift are a block of sums.
const CHANNELS_OF_BLOCK: usize = LANES / 2;

/// A coupling within its flow.
pub(super) struct Context<'p> {
    pub(super) coupling: &'p Coupling,
    pub(super) head: &'p PlanHead,
    pub(super) tensors: &'p [u8],
    /// Index of the step.
    pub(super) index: usize,
}

impl<'p> Context<'p> {
    /// One of the plan's tables, or nothing.
    pub(super) fn table(&self, offset: u32) -> &'p [u8] {
        run(self.tensors, offset as usize, TABLE_ENTRIES * 4)
    }
}

/// Receives raw_scale and shift of one row, channel by channel, and updates the latent.
pub(super) struct CoupleRow<'r, A: Arithmetic, O> {
    pub(super) context: &'r Context<'r>,
    pub(super) y: usize,
    pub(super) latents: &'r mut [A::Latent],
    pub(super) log_det: &'r mut A::LogDet,
    pub(super) observer: &'r mut O,
}

impl<'r, A: Arithmetic, O: Observer<A>> CoupleRow<'r, A, O> {
    /// `channel` of the view is the changed one of this index.
    fn update(
        &mut self,
        x: usize,
        (channel, index): (usize, usize),
        raw_scale: A::Latent,
        shift: A::Latent,
    ) {
        let offset = self.context.coupling.view.offset(channel, self.y, x);
        let map = self.scale_at(index);
        self.rewrite(offset, raw_scale, shift, &map);
    }

    /// The scale map of a changed channel.
    #[inline(always)]
    fn scale_at(&self, index: usize) -> ScaleAt<'r> {
        let coupling = self.context.coupling;
        let bounds = tail(self.context.tensors, coupling.bounds);
        let size = A::FORMAT.sizes().bound;
        ScaleAt {
            scale: coupling.scale,
            table: self.context.table(self.context.head.scale_table),
            bound: run(bounds, index * size, size),
            affine: coupling.affine,
        }
    }

    /// Rewrites the coordinate at this place of the latent.
    #[inline(always)]
    fn rewrite(
        &mut self,
        offset: usize,
        raw_scale: A::Latent,
        shift: A::Latent,
        map: &ScaleAt<'_>,
    ) {
        let Some(latent) = checked(self.latents.get_mut(offset)) else {
            return;
        };
        *latent = A::couple(*latent, raw_scale, shift, map, self.log_det);
        let coupled = Coupled {
            offset,
            raw_scale: A::latent_value(raw_scale),
            shift: A::latent_value(shift),
        };
        self.observer.coupled(self.context.index, coupled);
    }

    /// Indices of the changed channels of which these are sums.
    fn indices(&self, channels: &Channels<'_>) -> Range<usize> {
        let coupling = self.context.coupling;
        let (_, count) = coupling.mask.changed_channels(coupling.view.channels());
        let first = CHANNELS_OF_BLOCK * channels.first;
        first..count.min(first + CHANNELS_OF_BLOCK * channels.blocks)
    }

    /// Computes the sums of a row and takes them, if there are at most so many.
    fn take_sums<const ROOM: usize>(
        &mut self,
        inputs: &Inputs<'_, A>,
        packed: &mut A::PackedWeights,
    ) -> bool {
        let mut sums = [A::Accumulator::default(); ROOM];
        let mut row = inputs.row(Activation::Identity, &[], &mut []);
        if !A::sums(&mut row, packed, &mut sums) {
            return false;
        }
        if self.in_order() {
            self.emit_all(inputs, &sums);
            return true;
        }
        for index in self.indices(&inputs.channels) {
            self.rewrite_row(index, inputs, &sums);
        }
        true
    }

    /// Takes the sums of a whole row in the order in which they come one by one.
    fn emit_all(&mut self, inputs: &Inputs<'_, A>, sums: &[A::Accumulator]) {
        let channels = &inputs.channels;
        let pixels = sums.chunks_exact((channels.blocks * LANES).max(1));
        for (x, pixel) in inputs.columns.zip(pixels) {
            let blocks = pixel.as_chunks::<LANES>().0.iter();
            for (sums, (block, _, records)) in blocks.zip(channels.blocks::<A>()) {
                self.emit(x, block, sums, records);
            }
        }
    }

    /// Rewrites a changed channel's coordinates, of the row whose sums these are.
    fn rewrite_row(&mut self, index: usize, inputs: &Inputs<'_, A>, sums: &[A::Accumulator]) {
        let coupling = self.context.coupling;
        let (first, _) = coupling.mask.changed_channels(coupling.view.channels());
        let begin = coupling.view.offset(first + index, self.y, 0);
        let size = A::FORMAT.sizes().output;
        let channels = &inputs.channels;
        let record = |output: usize| run(channels.records, output * size, size);
        let raw_scale = 2 * (index - CHANNELS_OF_BLOCK * channels.first);
        let shift = raw_scale + 1;
        let records = [record(raw_scale), record(shift)];
        let map = self.scale_at(index);
        let (columns, apart) = (inputs.columns, coupling.view.column_stride());
        let (first, stride) = (begin + columns.first() * apart, columns.stride() * apart);
        let (count, pixel_len) = (columns.count(), channels.blocks * LANES);
        let mut done = 0;
        while done < count {
            if !O::SEES_COUPLED {
                let mut left = Coordinates {
                    latents: self
                        .latents
                        .get_mut(first + done * stride..)
                        .unwrap_or_default(),
                    stride,
                    sums: sums.get(done * pixel_len + raw_scale..).unwrap_or(&[]),
                    pixel_len,
                    count: count - done,
                };
                done += A::couple_row(&mut left, records, &map, self.log_det);
            }
            // What no kernel takes, before it is asked again.
            let end = count.min(done + LANES);
            for index in done..end {
                let sum = |output: usize| at(sums, index * pixel_len + output);
                let raw_scale = A::output(sum(raw_scale), records[0]);
                let shift = A::output(sum(shift), records[1]);
                self.rewrite(first + index * stride, raw_scale, shift, &map);
            }
            done = end;
        }
    }
}

impl<A: Arithmetic, O: Observer<A>> Sink<A> for CoupleRow<'_, A, O> {
    fn columns(&self, _: usize) -> Columns {
        let coupling = self.context.coupling;
        coupling.mask.changed_columns(self.y, coupling.view.shape())
    }

    /// log_det is a running sum: integers may come in any order, floats may not.
    fn in_order(&self) -> bool {
        A::FORMAT != NumberFormat::Q8
    }

    fn take(&mut self, inputs: &Inputs<'_, A>, packed: &mut A::PackedWeights) -> bool {
        let at_once = A::WHOLE_ROWS
            && (self.take_sums::<FEW_SUMS>(inputs, packed)
                || self.take_sums::<MOST_SUMS>(inputs, packed));
        if at_once || inputs.at_once_only {
            return at_once;
        }
        let in_order = self.in_order();
        let emit = &mut |x, block, sums: &_, records: &_| self.emit(x, block, sums, records);
        inputs.tiles(in_order, emit);
        true
    }
}

impl<A: Arithmetic, O: Observer<A>> CoupleRow<'_, A, O> {
    /// Sums come as raw_scale, shift, raw_scale, shift of two channels.
    fn emit(&mut self, x: usize, block: usize, sums: &[A::Accumulator; LANES], records: &[u8]) {
        let size = A::FORMAT.sizes().output;
        let coupling = self.context.coupling;
        let (first, count) = coupling.mask.changed_channels(coupling.view.channels());
        let [raw_0, shift_0, raw_1, shift_1] = *sums;
        // A block may end in padding: of the one channel that a grey image has, only half of it is meant.
        let indices = CHANNELS_OF_BLOCK * block..count;
        for (i, (index, (raw, shift))) in indices
            .zip([(raw_0, shift_0), (raw_1, shift_1)])
            .enumerate()
        {
            let raw_scale = A::output(raw, run(records, 2 * i * size, size));
            let shift = A::output(shift, run(records, (2 * i + 1) * size, size));
            self.update(x, (first + index, index), raw_scale, shift);
        }
    }
}
