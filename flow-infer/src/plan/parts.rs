//! The parts of the engine that a build may leave out where flash is short, by features of this crate.
//!
//! Constants decide, not attributes: all code is compiled in every build and what no plan can reach is dropped by the
//! optimizer, so a feature cannot break another one's build. A file that needs what is not there does not load. What
//! each part costs: `records/code-size.md`.

use super::PlanError;

/// Images of bytes: the table of first latents, drawn noise, and the complexity coder.
pub(crate) const IMAGES: bool = cfg!(feature = "images");
/// Vectors of measurements: standardization.
pub(crate) const VECTORS: bool = cfg!(feature = "vectors");
/// Actnorm, invertible_linear, and the gates of highway conditioners.
pub(crate) const GLOW: bool = cfg!(feature = "glow");
/// Transposed convolutions: the decoders of autoencoder conditioners.
pub(crate) const AUTOENCODER: bool = cfg!(feature = "autoencoder");

/// Camera frames of any pixel format and size. A build without it passes over a file's front end, as over every section
/// that it does not know, and takes inputs of the model's own size.
pub(crate) const FRAMES: bool = cfg!(feature = "frames");

/// Windows of a sensor's samples.
pub(crate) const WINDOWS: bool = cfg!(feature = "windows");

/// # Errors
/// [`PlanError::LeftOut`] where a part is not there.
pub(super) const fn require(part: bool) -> Result<(), PlanError> {
    if part {
        Ok(())
    } else {
        Err(PlanError::LeftOut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{NO_TENSOR, NumberFormat, PlanHead, PlannedInput, Step, validate};
    use crate::spec::{Shape, View};

    /// Holds whichever features the test is built with.
    #[test]
    fn what_is_left_out_is_refused_by_name() {
        let vector = PlannedInput::Vector {
            dims: 1,
            records: 0,
        };
        let head = PlanHead {
            input: vector,
            steps: 1,
            constant_raw: 0,
            scale_table: NO_TENSOR,
            sigmoid_table: NO_TENSOR,
        };
        let floats = [0, 0, 128, 63, 0, 0, 128, 63]; // 1.0, twice
        let loads = |head| validate::validate_head(head, NumberFormat::F32, &floats);
        assert_eq!(loads(&head), require(VECTORS));
        let view = View::whole(Shape::new(1, 1, 1));
        let actnorm = Step::Actnorm { view, records: 0 };
        let found = validate::validate_step(actnorm, &head, NumberFormat::F32, &floats);
        assert_eq!(found, require(GLOW).map(|()| 0));
        assert_eq!(require(false), Err(PlanError::LeftOut));
    }
}
