//! What a user may say where tensors do not.

use flow_infer::spec::{FlowSpec, Shape};
use std::fmt;
use std::str::FromStr;

/// The reference code's classes of flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Multi-scale: checkerboard and channel couplings.
    RealNvp,
    /// Two checkerboard couplings.
    RealNvpSmall,
    /// Eight checkerboard couplings.
    RealNvp8Layers,
    /// Couplings from each quadrant to the next.
    RealNvpCycleMask,
    /// Couplings between upper and lower half.
    RealNvpMaskHorizontal,
    /// Three of them.
    RealNvpMaskHorizontal3Layers,
    /// Vectors: couplings between halves of the coordinates.
    RealNvpTabular,
    /// Actnorm, 1x1 convolution and channel coupling.
    Glow,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 8] = [
        Self::RealNvp,
        Self::RealNvpSmall,
        Self::RealNvp8Layers,
        Self::RealNvpCycleMask,
        Self::RealNvpMaskHorizontal,
        Self::RealNvpMaskHorizontal3Layers,
        Self::RealNvpTabular,
        Self::Glow,
    ];

    /// The name in the reference code.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RealNvp => "RealNVP",
            Self::RealNvpSmall => "RealNVPSmall",
            Self::RealNvp8Layers => "RealNVP8Layers",
            Self::RealNvpCycleMask => "RealNVPCycleMask",
            Self::RealNvpMaskHorizontal => "RealNVPMaskHorizontal",
            Self::RealNvpMaskHorizontal3Layers => "RealNVPMaskHorizontal3Layers",
            Self::RealNvpTabular => "RealNVPTabular",
            Self::Glow => "Glow",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|class| class.name() == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|class| class.name()).collect();
            format!(
                "no class {text:?} in flows_ood; known: {}",
                names.join(", ")
            )
        })
    }
}

/// What is known of a checkpoint from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct ArchHint {
    /// The class that was trained.
    pub class: Option<Class>,
    /// The image size that it was trained on.
    pub image: Option<Shape>,
    /// The whole architecture: then the tensors only have to fit, in the order of the reference code's layers.
    pub spec: Option<FlowSpec>,
    /// Keys of the state dict in a checkpoint that holds several, joined by dots.
    pub state_dict: Option<String>,
    /// Keys and values of [`CHOICES`](super::CHOICES).
    pub assume: Vec<(String, String)>,
}

/// Reads `CxHxW`, as in `1x28x28`.
///
/// # Errors
/// What is wrong with the text, in one line.
pub fn parse_image(text: &str) -> Result<Shape, String> {
    let sizes: Option<Vec<u16>> = text.split('x').map(|size| size.parse().ok()).collect();
    match sizes.as_deref() {
        Some(&[channels, height, width]) if channels > 0 && height > 0 && width > 0 => {
            Ok(Shape::new(channels, height, width))
        }
        _ => Err(format!("{text:?} is not an image size like 1x28x28")),
    }
}
