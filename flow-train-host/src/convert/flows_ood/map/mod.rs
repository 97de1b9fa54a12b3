//! From the reference code's tensors to ours.

mod conditioner;
mod resnet;
mod tabular;

use super::layout::Layout;
use crate::convert::{ConvertError, StateDict};
use crate::model::{Tensor, tensors::step_prefix};
use conditioner::Ends;
use flow_infer::spec::{
    ConditionerSpec, CouplingMask, CouplingSpec, InputSpec, PlacedStep, StepSpec,
};
use std::collections::BTreeMap;
use tabular::Sizes;

/// Takes every tensor that the layout asks for; missing ones are noted in the state.
pub(super) fn tensors(
    state: &mut StateDict<'_>,
    layout: &Layout,
) -> Result<BTreeMap<String, Tensor>, ConvertError> {
    let tensors = BTreeMap::new();
    let mut mapper = Mapper { state, tensors };
    if let InputSpec::Vector { dims } = layout.spec.input {
        mapper.constant("input.mean", dims, 0.0);
        mapper.constant("input.deviation", dims, 1.0);
    }
    let steps = layout
        .spec
        .steps()
        .filter(|placed| placed.step != StepSpec::Squeeze);
    for (placed, prefix) in steps.zip(&layout.prefixes) {
        mapper.step(&placed, prefix)?;
    }
    Ok(mapper.tensors)
}

/// Moves tensors from a state dict to a model, under other names and in other shapes.
pub(super) struct Mapper<'s, 'a> {
    pub(super) state: &'s mut StateDict<'a>,
    tensors: BTreeMap<String, Tensor>,
}

impl Mapper<'_, '_> {
    fn step(&mut self, placed: &PlacedStep, theirs: &str) -> Result<(), ConvertError> {
        let ours = step_prefix(placed.level, placed.index);
        let c = placed.view.channels();
        match &placed.step {
            StepSpec::Squeeze => Ok(()),
            StepSpec::Actnorm => {
                let column = [1, c, 1, 1];
                self.shaped(
                    &format!("{theirs}bias"),
                    &column,
                    &format!("{ours}shift"),
                    &[c],
                )?;
                self.shaped(
                    &format!("{theirs}logs"),
                    &column,
                    &format!("{ours}log_scale"),
                    &[c],
                )
            }
            StepSpec::InvertibleLinear => self.plain(
                &format!("{theirs}weight"),
                &format!("{ours}weights"),
                &[c, c],
            ),
            StepSpec::Coupling(coupling) => self.coupling(placed, coupling, theirs, &ours),
        }
    }

    fn coupling(
        &mut self,
        placed: &PlacedStep,
        coupling: &CouplingSpec,
        theirs: &str,
        ours: &str,
    ) -> Result<(), ConvertError> {
        let dims = placed.view.channels();
        if let ConditionerSpec::Mlp { hidden, layers } = coupling.conditioner {
            let (hidden, layers) = (hidden.into(), layers.into());
            return self.tabular(
                theirs,
                ours,
                coupling.mask,
                &Sizes {
                    dims,
                    hidden,
                    layers,
                },
            );
        }
        let changed = coupling.mask.changed_channels(dims).1;
        if let Some(bounds) = self.normed(&format!("{theirs}rescale"), &[changed, 1, 1])? {
            self.put(&format!("{ours}log_scale_bound"), &[changed], bounds);
        }
        let ends = Ends {
            kept: coupling.mask.kept_channels(dims).1,
            out: 2 * changed,
            shape: placed.view.shape(),
            // The reference code doubles what a checkerboard leaves after the norm, because half of it is zeros.
            gain: match coupling.mask {
                CouplingMask::Checkerboard { .. } => 2.0,
                _ => 1.0,
            },
        };
        let (theirs, ours) = (format!("{theirs}st_net."), format!("{ours}conditioner."));
        self.conditioner(&theirs, &ours, &coupling.conditioner, &ends)
    }

    /// Adds a tensor of ours.
    pub(super) fn put(&mut self, ours: &str, shape: &[usize], values: Vec<f32>) {
        let shape = shape.to_vec();
        self.tensors
            .insert(ours.to_owned(), Tensor { shape, values });
    }

    fn constant(&mut self, ours: &str, len: u16, value: f32) {
        self.put(ours, &[len.into()], vec![value; len.into()]);
    }

    /// Same values, same shape.
    pub(super) fn plain(
        &mut self,
        theirs: &str,
        ours: &str,
        shape: &[usize],
    ) -> Result<(), ConvertError> {
        self.shaped(theirs, shape, ours, shape)
    }

    /// Same values in the same order, another shape.
    pub(super) fn shaped(
        &mut self,
        theirs: &str,
        their_shape: &[usize],
        ours: &str,
        our_shape: &[usize],
    ) -> Result<(), ConvertError> {
        if let Some(tensor) = self.state.take(theirs, their_shape)? {
            self.put(ours, our_shape, tensor.values);
        }
        Ok(())
    }

    /// The effective weights of a weight-normed layer: w_o = g_o v_o / |v_o|, the norm over all axes but the first.
    pub(super) fn normed(
        &mut self,
        theirs: &str,
        shape: &[usize],
    ) -> Result<Option<Vec<f32>>, ConvertError> {
        let outputs = shape.first().copied().unwrap_or(0);
        let mut gain_shape = vec![1; shape.len()];
        gain_shape[0] = outputs;
        let gain = self
            .state
            .take(&format!("{theirs}.weight_g"), &gain_shape)?;
        let direction = self.state.take(&format!("{theirs}.weight_v"), shape)?;
        let (Some(gain), Some(direction)) = (gain, direction) else {
            return Ok(None);
        };
        let each = (direction.values.len() / outputs.max(1)).max(1);
        let mut weights = Vec::with_capacity(direction.values.len());
        for (v, &g) in direction.values.chunks(each).zip(&gain.values) {
            let norm = v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
            let factor = f64::from(g) / norm;
            if !factor.is_finite() {
                let key = self.state.full_key(theirs);
                let why = format!("{key}.weight_v is zero for an output: it has no direction");
                return Err(ConvertError::Unsupported(why));
            }
            weights.extend(v.iter().map(|&v| (f64::from(v) * factor) as f32));
        }
        Ok(Some(weights))
    }
}
