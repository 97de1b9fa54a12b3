//! Why an input has no log-likelihood.

/// What is wrong with an input, or with how it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InputError {
    /// Another number of bytes than the model reads.
    Length,
    /// A NaN or an infinity.
    NotFinite,
    /// Noise of another length, or outside [0, 1).
    Noise,
    /// Given noise with an integer model, whose input is a table.
    NoiseUnsupported,
    /// A scratch smaller than the model needs.
    Scratch,
    /// An artifact of another number format than the arithmetic's.
    NumberFormat,
    /// Of two cores that evaluate an input together: rooms that are too small, or the other one has refused an input.
    Rendezvous,
}

impl core::fmt::Display for InputError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Length => "the input has another size than the model reads",
            Self::NotFinite => "the input holds a NaN or an infinity",
            Self::Noise => "the noise has another size than the input, or lies outside [0, 1)",
            Self::NoiseUnsupported => {
                "an integer model takes no noise: its file says how it reads bytes"
            }
            Self::Scratch => "the scratch is smaller than the model needs",
            Self::NumberFormat => "the model is stored in another number format",
            Self::Rendezvous => "the other core refused its input, or their rooms are too small",
        })
    }
}

impl core::error::Error for InputError {}
