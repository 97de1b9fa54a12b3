//! The last layer's row: sums become raw_scale and shift, and the changed coordinates are rewritten in place.

use super::Arithmetic;
use super::arithmetic::ScaleAt;
use super::conv::Sink;
use super::observe::{Coupled, Observer};
use super::slices::{run, tail};
use crate::plan::{Coupling, LANES, NumberFormat, PlanHead, changes_pixel};

/// A coupling within its flow.
pub(super) struct Place<'p> {
    pub(super) coupling: &'p Coupling,
    pub(super) head: &'p PlanHead,
    pub(super) tensors: &'p [u8],
    /// Index of the step.
    pub(super) index: usize,
}

impl<'p> Place<'p> {
    /// One of the plan's tables, or nothing.
    pub(super) fn table(&self, offset: u32) -> &'p [u8] {
        run(self.tensors, offset as usize, super::TABLE_ENTRIES * 4)
    }
}

/// Receives raw_scale and shift of one row, channel by channel, and updates the latent.
pub(super) struct CoupleRow<'r, A: Arithmetic, O> {
    pub(super) place: &'r Place<'r>,
    pub(super) y: usize,
    pub(super) latents: &'r mut [A::Latent],
    pub(super) energy: &'r mut A::Energy,
    pub(super) observer: &'r mut O,
}

impl<A: Arithmetic, O: Observer<A>> CoupleRow<'_, A, O> {
    /// `channel` of the view is the changed one of this index.
    fn update(
        &mut self,
        x: usize,
        (channel, index): (usize, usize),
        raw_scale: A::Latent,
        shift: A::Latent,
    ) {
        let coupling = self.place.coupling;
        let offset = coupling.view.offset(channel, self.y, x);
        let Some(latent) = self.latents.get_mut(offset) else {
            return;
        };
        let bounds = tail(self.place.tensors, coupling.bounds);
        let size = A::FORMAT.sizes().bound;
        let map = ScaleAt {
            scale: coupling.scale,
            table: self.place.table(self.place.head.scale_table),
            bound: run(bounds, index * size, size),
            affine: coupling.affine,
        };
        *latent = A::couple(*latent, raw_scale, shift, &map, self.energy);
        let coupled = Coupled {
            offset,
            raw_scale: A::latent_value(raw_scale),
            shift: A::latent_value(shift),
        };
        self.observer.coupled(self.place.index, coupled);
    }
}

impl<A: Arithmetic, O: Observer<A>> Sink<A> for CoupleRow<'_, A, O> {
    fn wants(&self, x: usize) -> bool {
        let coupling = self.place.coupling;
        changes_pixel(&coupling.mask, coupling.view, self.y, x)
    }

    /// log_det is a running sum: integers may come in any order, floats may not.
    fn in_order(&self) -> bool {
        A::FORMAT != NumberFormat::Q8
    }

    /// Sums come as raw_scale, shift, raw_scale, shift of two channels.
    fn emit(&mut self, x: usize, block: usize, sums: &[A::Accumulator; LANES], records: &[u8]) {
        let size = A::FORMAT.sizes().output;
        let coupling = self.place.coupling;
        let (first, count) = coupling.mask.changed_channels(coupling.view.channels());
        let [raw_0, shift_0, raw_1, shift_1] = *sums;
        // A block may end in padding: of the one channel that a grey image has, only half of it is meant.
        let indices = 2 * block..count;
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
