//! What is wrong with a plan, in few words.

/// What is wrong with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PlanError {
    /// The bytes are not a plan.
    Encoding,
    /// A view or shape that does not exist in the input.
    View,
    /// A mask that does not fit its view.
    Mask,
    /// A tensor that reaches past the end of the tensors.
    Tensor,
    /// A buffer without rows, out of order or beyond the scratch that the header states.
    Buffer,
    /// A layer whose sources, target or sizes do not fit each other.
    Layer,
    /// Rows that would be read before they are written or after they are overwritten.
    Schedule,
    /// Weights so large that a sum could overflow.
    Accumulator,
    /// A scale that is not positive, or a constant out of range.
    Scale,
    /// A step, layer or input that this build leaves out: see the features of the crate.
    LeftOut,
}

impl core::fmt::Display for PlanError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Encoding => "the plan cannot be decoded",
            Self::View => "a step acts on channels that do not exist",
            Self::Mask => "a coupling mask does not fit its view",
            Self::Tensor => "a tensor reaches past the end of the file's tensors",
            Self::Buffer => "an activation buffer does not fit the scratch",
            Self::Layer => "a layer's sizes do not fit each other",
            Self::Schedule => "a layer's rows would be overwritten before they are read",
            Self::Accumulator => "weights could overflow a sum",
            Self::Scale => "a scale is not positive or out of range",
            Self::LeftOut => "this build leaves out a part of the engine that the flow needs",
        })
    }
}

impl core::error::Error for PlanError {}
