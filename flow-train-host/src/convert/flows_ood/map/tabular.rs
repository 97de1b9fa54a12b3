//! The tensors of tabular couplings.
//!
//! The reference code shows its network all coordinates, the changed ones as zeros, and multiplies what it gives for
//! kept ones by zero: bounds, columns of the first layer and rows of the last that make no difference are left out.

use super::Mapper;
use crate::convert::ConvertError;
use flow_infer::spec::CouplingMask;
use std::ops::Range;

/// Sizes of a tabular coupling's network.
pub(super) struct Sizes {
    pub(super) dims: usize,
    pub(super) hidden: usize,
    /// Number of hidden to hidden layers.
    pub(super) layers: usize,
}

impl Mapper<'_, '_> {
    pub(super) fn tabular(
        &mut self,
        theirs: &str,
        ours: &str,
        mask: CouplingMask,
        sizes: &Sizes,
    ) -> Result<(), ConvertError> {
        let dims = sizes.dims;
        let range = |(start, count): (usize, usize)| start..start + count;
        let kept = range(mask.kept_channels(dims));
        let changed = range(mask.changed_channels(dims));
        if let Some(bounds) = self.normed(&format!("{theirs}rescale"), &[dims])? {
            let bounds = bounds[changed.clone()].to_vec();
            self.put(&format!("{ours}log_scale_bound"), &[changed.len()], bounds);
        }
        let (theirs, ours) = (format!("{theirs}st_net."), format!("{ours}conditioner."));
        self.first(&theirs, &ours, kept, sizes)?;
        for k in 0..sizes.layers {
            let (layer, ours) = (
                format!("{theirs}{}", 3 + 2 * k),
                format!("{ours}layers.{k}"),
            );
            let square = [sizes.hidden, sizes.hidden];
            self.plain(
                &format!("{layer}.weight"),
                &format!("{ours}.weights"),
                &square,
            )?;
            self.plain(
                &format!("{layer}.bias"),
                &format!("{ours}.bias"),
                &[sizes.hidden],
            )?;
        }
        self.last(&theirs, &ours, changed, sizes)
    }

    /// Columns of the kept coordinates.
    fn first(
        &mut self,
        theirs: &str,
        ours: &str,
        kept: Range<usize>,
        &Sizes { dims, hidden, .. }: &Sizes,
    ) -> Result<(), ConvertError> {
        if let Some(weights) = self
            .state
            .take(&format!("{theirs}0.weight"), &[hidden, dims])?
        {
            let rows = weights.values.chunks(dims);
            let values = rows.flat_map(|row| row[kept.clone()].to_vec()).collect();
            self.put(
                &format!("{ours}in_layer.weights"),
                &[hidden, kept.len()],
                values,
            );
        }
        self.plain(
            &format!("{theirs}0.bias"),
            &format!("{ours}in_layer.bias"),
            &[hidden],
        )
    }

    /// Rows of the changed coordinates: raw_scale, then shift.
    fn last(
        &mut self,
        theirs: &str,
        ours: &str,
        changed: Range<usize>,
        &Sizes {
            dims,
            hidden,
            layers,
        }: &Sizes,
    ) -> Result<(), ConvertError> {
        let (layer, ours) = (
            format!("{theirs}{}", 3 + 2 * layers),
            format!("{ours}out_layer"),
        );
        let cut = |values: &[f32], width: usize| {
            let halves = [0, dims].map(|half| half + changed.start..half + changed.end);
            let rows = halves.map(|rows| &values[rows.start * width..rows.end * width]);
            rows.concat()
        };
        let rows = 2 * changed.len();
        let weights = self
            .state
            .take(&format!("{layer}.weight"), &[2 * dims, hidden])?;
        if let Some(weights) = weights {
            self.put(
                &format!("{ours}.weights"),
                &[rows, hidden],
                cut(&weights.values, hidden),
            );
        }
        if let Some(bias) = self.state.take(&format!("{layer}.bias"), &[2 * dims])? {
            self.put(&format!("{ours}.bias"), &[rows], cut(&bias.values, 1));
        }
        Ok(())
    }
}
