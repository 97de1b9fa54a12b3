//! Writes down steps as a walk meets them, with the conditioners found on the way.

use super::body::{Body, Position};
use super::conditioner;
use super::image::Dense;
use crate::convert::{ConvertError, StateDict};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, InputSpec, LevelSpec,
    MAX_LEVELS, MAX_STEPS, ScaleMap, StepSpec,
};

/// Levels and steps so far.
pub(super) struct Builder<'s, 'a> {
    pub(super) body: &'s Body,
    state: &'s mut StateDict<'a>,
    built: Built,
    squeezes: u8,
}

/// What a walk leaves behind.
#[derive(Default)]
pub(super) struct Built {
    levels: Vec<LevelSpec>,
    pub(super) prefixes: Vec<String>,
    /// Channels of the input: of the image, or coordinates of a vector.
    pub(super) channels: u16,
    pub(super) dense: Vec<Dense>,
}

impl<'s, 'a> Builder<'s, 'a> {
    pub(super) fn new(state: &'s mut StateDict<'a>, body: &'s Body) -> Self {
        let built = Built::default();
        Self {
            body,
            state,
            built,
            squeezes: 0,
        }
    }

    pub(super) fn level(&mut self) -> Result<(), ConvertError> {
        if self.built.levels.len() == MAX_LEVELS {
            let why = format!("more than {MAX_LEVELS} scales");
            return Err(ConvertError::Unsupported(why));
        }
        self.built.levels.push(LevelSpec::default());
        Ok(())
    }

    pub(super) fn squeeze(&mut self) -> Result<(), ConvertError> {
        self.squeezes = self.squeezes.saturating_add(1);
        self.push(StepSpec::Squeeze)
    }

    /// A step with tensors.
    pub(super) fn step(&mut self, position: Position, step: StepSpec) -> Result<(), ConvertError> {
        self.built.prefixes.push(self.body.prefix(position));
        self.push(step)
    }

    /// Number of levels begun.
    pub(super) const fn levels(&self) -> usize {
        self.built.levels.len()
    }

    /// A coupling with the conditioner that the tensors at this position tell; `None` if some are missing.
    pub(super) fn coupling(
        &mut self,
        position: Position,
        mask: CouplingMask,
    ) -> Result<Option<CouplingSpec>, ConvertError> {
        let prefix = self.body.prefix(position);
        let at = format!("{prefix}st_net.");
        let found = conditioner::find(self.state, &at, self.body.tabular)?;
        let Some(conditioner) = found else {
            return Ok(None);
        };
        self.measure(&prefix, mask, conditioner);
        let coupling = CouplingSpec {
            mask,
            conditioner,
            scale_map: ScaleMap::TanhBound,
            affine: AffineForm::ShiftThenScale,
        };
        self.step(position, StepSpec::Coupling(coupling))?;
        Ok(Some(coupling))
    }

    /// Notes what a coupling's tensors tell of the input's channels and of the image size.
    fn measure(&mut self, prefix: &str, mask: CouplingMask, conditioner: ConditionerSpec) {
        if self.built.channels == 0 {
            self.built.channels = self.channels(prefix, mask).unwrap_or(0);
        }
        let dense = match conditioner {
            ConditionerSpec::Autoencoder { .. } => "fc_z",
            ConditionerSpec::Resnet { bottleneck, .. } if bottleneck > 0 => "bottleneck.0",
            _ => return,
        };
        let width = self.state.shape(&format!("{prefix}st_net.{dense}.weight"));
        if let Some(&[_, width]) = width {
            let squeezes = self.squeezes;
            self.built.dense.push(Dense {
                conditioner,
                squeezes,
                width,
            });
        }
    }

    /// Channels of the input, from the bounds of a coupling on the first level.
    fn channels(&mut self, prefix: &str, mask: CouplingMask) -> Option<u16> {
        let keys = ["weight_g", "weight_v"].map(|part| format!("{prefix}rescale.{part}"));
        let shape = keys.iter().find_map(|key| self.state.shape(key));
        let Some(&bounds) = shape.and_then(|shape| shape.first()) else {
            self.state.miss(&keys[0]);
            return None;
        };
        // Channel couplings of images have bounds for half of the channels, those of vectors for all.
        let halves = if mask.is_spatial() || self.body.tabular {
            1
        } else {
            2
        };
        let all = bounds.checked_mul(halves)?;
        let unsqueezed = all.checked_shr(2 * u32::from(self.squeezes))?;
        u16::try_from(unsqueezed).ok()
    }

    fn push(&mut self, step: StepSpec) -> Result<(), ConvertError> {
        let full = || ConvertError::Unsupported(format!("more than {MAX_STEPS} steps of a scale"));
        let level = self.built.levels.last_mut().ok_or_else(full)?;
        level.steps.push(step).map_err(|_| full())
    }

    /// The walk's result, if no key was missing on the way.
    pub(super) fn finish(self) -> Result<Built, ConvertError> {
        self.state.complete()?;
        Ok(self.built)
    }
}

impl Built {
    /// The architecture, for an input.
    pub(super) fn spec(&self, input: InputSpec) -> Result<FlowSpec, ConvertError> {
        let mut spec = FlowSpec {
            input,
            levels: Default::default(),
        };
        for level in &self.levels {
            let full = |_| ConvertError::Unsupported(format!("more than {MAX_LEVELS} scales"));
            spec.levels.push(level.clone()).map_err(full)?;
        }
        Ok(spec)
    }
}
