//! Masked flows: two networks of all coordinates, side by side in ours; either may be left out.

use super::layers::Reader;
use super::network::{self, Mlp, Output};
use crate::convert::ConvertError;
use crate::convert::vector::{Affine, Coupling, Dense, Network, Side, side_by_side};
use flow_infer::spec::{AffineForm, ScaleMap};

impl Reader<'_, '_> {
    /// z = (x - t) exp(-s) where the mask is 0.
    pub(super) fn masked(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        let Some(mask) = self.state.take(&format!("{at}b"), &[1, dims])? else {
            return Ok(());
        };
        let part = |keep: bool| {
            (0..dims)
                .filter(|&j| (mask.values[j] == 1.0) == keep)
                .collect()
        };
        let (kept, changed): (Vec<usize>, Vec<usize>) = (part(true), part(false));
        if changed.iter().any(|&j| mask.values[j] != 0.0) {
            let key = self.state.full_key(at);
            return Err(ConvertError::Unsupported(format!(
                "{key}b holds other values than 0 and 1"
            )));
        }
        let s = self.network(&format!("{at}s."), "scale_output_fn")?;
        let t = self.network(&format!("{at}t."), "shift_output_fn")?;
        self.state.complete()?;
        let (scale_map, bound, factor) = match s.as_ref().and_then(|s| s.output.as_ref()) {
            Some(&Output { inner, outer, .. }) => (ScaleMap::TanhBound, outer, inner),
            None => (ScaleMap::Exp, 1.0, 1.0),
        };
        let rows = |factor: f32| changed.iter().map(|&j| (j, factor)).collect();
        let [s, t] = [s, t].map(|net| net.map(|net| net.layers));
        let form = s.as_ref().or(t.as_ref());
        let Some(form) = form.map(|layers| layers.iter().map(Dense::sizes).collect::<Vec<_>>())
        else {
            // Neither scale nor shift: nothing is changed.
            return Ok(());
        };
        let or_zeros = |layers: Option<Vec<Dense>>| {
            let zeros = || {
                form.iter()
                    .map(|&(inputs, outputs)| Dense::zeros(inputs, outputs))
            };
            layers.unwrap_or_else(|| zeros().collect())
        };
        let scale = Side {
            layers: or_zeros(s),
            rows: rows(-factor),
        };
        let shift = Side {
            layers: or_zeros(t),
            rows: rows(-1.0),
        };
        let network = Network::Mlp(side_by_side(&scale, &shift, &kept, at)?);
        let affine = Affine {
            scale_map,
            form: AffineForm::ShiftThenScale,
            bound,
        };
        self.chain.coupling(Coupling {
            kept,
            changed,
            network,
            affine,
        })
    }

    fn network(&mut self, at: &str, output: &'static str) -> Result<Option<Mlp>, ConvertError> {
        if !self.state.has(at) {
            return Ok(None);
        }
        let dims = self.chain.dims();
        network::take(self.state, self.assume, at, dims, output)
    }
}
