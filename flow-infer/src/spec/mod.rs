//! The architecture of a flow, as plain data.
//!
//! Everything that trainer, importer, engine and reference must agree on is here and nowhere else: which steps a
//! flow has, which coordinates a coupling keeps, where a squeezed channel lies in the image, which formula a scale
//! map is. Other libraries leave these to habit and disagree (see `documents/conventions.md`); here each is a named
//! choice. A spec says nothing about numbers: the same spec describes float and quantized models.
//!
//! A vector is an image of height and width 1 whose channels are its coordinates, so that one set of steps serves
//! images, tables and embeddings.

mod columns;
mod conditioner;
mod mask;
mod scale;
mod shape;
pub mod units;
mod view;

pub use columns::Columns;
pub use conditioner::{ConditionerSpec, Norm};
pub use mask::{CouplingMask, Half, Parity, Quadrant};
pub use scale::{AffineForm, ScaleMap};
pub use shape::Shape;
pub use view::View;

use heapless::Vec;
use serde::{Deserialize, Serialize};

/// Most levels (scales) of a flow: an image of 256 pixels a side can still be squeezed this often.
pub const MAX_LEVELS: usize = 4;
/// Most steps of a level; the paper's Glow has 16 times three, and a squeeze.
pub const MAX_STEPS: usize = 64;

/// A flow: how input becomes the first latent, then levels of steps.
///
/// After every level but the last, `factor_out` leaves the second half of the channels as they are and hands the
/// first half to the next level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowSpec {
    /// What the flow reads.
    pub input: InputSpec,
    /// The levels, in the direction data to latent.
    pub levels: Vec<LevelSpec, MAX_LEVELS>,
}

/// What a flow reads, and how it becomes the first latent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputSpec {
    /// 8-bit image: z = (x + u) / 256, p = (1 - 2 margin) z + margin, latent = ln p - ln(1 - p).
    Image {
        /// Channels, height and width.
        shape: Shape,
        /// Distance of p from 0 and 1; the paper's reference code uses 0.05.
        logit_margin: f32,
    },
    /// Vector of raw measurements, standardized: latent = (x - mean) / deviation, per coordinate.
    Vector {
        /// Number of coordinates D.
        dims: u16,
    },
    /// Vector of raw measurements, standardized and whitened to fewer coordinates:
    /// latent = W ((x - mean) / deviation) with D rows.
    ///
    /// log_prob is the density of the projection onto the rows of A = W diag(1 / deviation), in units of the
    /// measurements there: log_det = ln det(A Aᵀ) / 2, which is ln |det A| where D is the number of measurements. What
    /// lies across them is not seen.
    Whitened {
        /// Number of measurements.
        measured: u16,
        /// Number of coordinates D.
        dims: u16,
    },
}

impl InputSpec {
    /// The shape of the first latent; a vector is D channels of one pixel.
    pub const fn shape(&self) -> Shape {
        match *self {
            Self::Image { shape, .. } => shape,
            Self::Vector { dims } | Self::Whitened { dims, .. } => Shape::new(dims, 1, 1),
        }
    }

    /// How many numbers one input has: D, or more measurements that are whitened to D coordinates.
    pub const fn measured(&self) -> usize {
        match *self {
            Self::Whitened { measured, .. } => measured as usize,
            Self::Image { .. } | Self::Vector { .. } => self.shape().len(),
        }
    }
}

/// One level (scale): its steps, in the direction data to latent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LevelSpec {
    /// The steps.
    pub steps: Vec<StepSpec, MAX_STEPS>,
}

/// One step of a level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepSpec {
    /// Each 2 x 2 block of pixels becomes four channels (order: [`View`]); log_det 0.
    Squeeze,
    /// Per channel y = (x + shift) exp(log_scale).
    Actnorm,
    /// Per pixel y = W x over the channels (Glow's invertible 1 x 1 convolution).
    InvertibleLinear,
    /// Part of the coordinates changed by an affine map computed from the kept part.
    Coupling(CouplingSpec),
}

/// An affine coupling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CouplingSpec {
    /// Which coordinates are kept and which changed.
    pub mask: CouplingMask,
    /// The network that reads the kept part.
    pub conditioner: ConditionerSpec,
    /// How raw_scale becomes log_scale.
    pub scale_map: ScaleMap,
    /// In which order shift and scale are applied.
    pub affine: AffineForm,
}

/// What is wrong with a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SpecError {
    /// No channels, no pixels or more than 65535 coordinates.
    Shape,
    /// No level, or a level without steps.
    Empty,
    /// A squeeze of an odd height or width.
    OddSqueeze,
    /// A mask that keeps or changes nothing, or needs halves of an odd size.
    Mask,
    /// `factor_out` of a single channel.
    FactorOut,
    /// A conditioner without channels, or one that its image size does not admit.
    Conditioner,
    /// A logit margin outside (0, 0.5).
    LogitMargin,
    /// Whitening to more coordinates than are measured.
    Whitening,
}

impl core::fmt::Display for SpecError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Shape => "the input has no coordinates, or more than 65535",
            Self::Empty => "the flow has no level, or a level without steps",
            Self::OddSqueeze => "a squeeze needs an even height and width",
            Self::Mask => "a coupling mask keeps or changes no coordinate at this size",
            Self::FactorOut => "a level hands on half of its channels, but has only one",
            Self::Conditioner => "a conditioner has no channels, or does not fit its image size",
            Self::LogitMargin => "the logit margin must lie between 0 and 0.5",
            Self::Whitening => "whitening yields at most as many coordinates as are measured",
        })
    }
}

impl core::error::Error for SpecError {}

/// A step with the view it acts on: what a walk over a flow visits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedStep {
    /// Level the step belongs to.
    pub level: usize,
    /// Position within the level.
    pub index: usize,
    /// The step.
    pub step: StepSpec,
    /// The part of the latent it acts on; for a squeeze the view after it.
    pub view: View,
}

impl FlowSpec {
    /// Walks the steps in the direction data to latent, each with its view.
    pub fn steps(&self) -> impl Iterator<Item = PlacedStep> + '_ {
        let mut view = View::whole(self.input.shape());
        self.levels
            .iter()
            .enumerate()
            .flat_map(move |(level, spec)| {
                if level > 0 {
                    view = view.factor_out();
                }
                let mut inner = view;
                view = spec.steps.iter().fold(view, |v, s| v.after(s));
                spec.steps.iter().enumerate().map(move |(index, &step)| {
                    inner = inner.after(&step);
                    PlacedStep {
                        level,
                        index,
                        step,
                        view: inner,
                    }
                })
            })
    }

    /// Checks that every step fits the view it acts on.
    pub fn validate(&self) -> Result<(), SpecError> {
        let shape = self.input.shape();
        if shape.is_empty() || shape.checked_len().is_none() {
            return Err(SpecError::Shape);
        }
        if let InputSpec::Image { logit_margin, .. } = self.input
            && !(logit_margin > 0.0 && logit_margin < 0.5)
        {
            return Err(SpecError::LogitMargin);
        }
        if self.input.measured() < shape.len() {
            return Err(SpecError::Whitening);
        }
        if self.levels.is_empty() || self.levels.iter().any(|l| l.steps.is_empty()) {
            return Err(SpecError::Empty);
        }
        let mut view = View::whole(shape);
        for (level, spec) in self.levels.iter().enumerate() {
            if level > 0 {
                if view.channels() < 2 {
                    return Err(SpecError::FactorOut);
                }
                view = view.factor_out();
            }
            for step in &spec.steps {
                validate_step(step, view)?;
                view = view.after(step);
            }
        }
        Ok(())
    }
}

fn validate_step(step: &StepSpec, before: View) -> Result<(), SpecError> {
    let shape = before.shape();
    match step {
        StepSpec::Squeeze if !shape.height.is_multiple_of(2) || !shape.width.is_multiple_of(2) => {
            Err(SpecError::OddSqueeze)
        }
        StepSpec::Squeeze | StepSpec::Actnorm | StepSpec::InvertibleLinear => Ok(()),
        StepSpec::Coupling(coupling) => {
            if !coupling.mask.fits(shape) {
                return Err(SpecError::Mask);
            }
            let fits = coupling.conditioner.fits(coupling.mask, shape);
            if fits {
                Ok(())
            } else {
                Err(SpecError::Conditioner)
            }
        }
    }
}

#[cfg(test)]
mod tests;
