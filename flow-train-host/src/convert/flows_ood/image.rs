//! The image size: given, told by a bottleneck's dense layers, or assumed.

use super::hint::ArchHint;
use crate::convert::ConvertError;
use flow_infer::spec::{ConditionerSpec, Shape};

/// Widest square image that is looked for.
const MAX_SIDE: u16 = 255;

/// A dense layer that reads all activations of a conditioner, so that its width depends on the image size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dense {
    pub(super) conditioner: ConditionerSpec,
    /// How often the image was squeezed before.
    pub(super) squeezes: u8,
    /// Number of activations that the layer reads.
    pub(super) width: usize,
}

/// An image size, and where it comes from, for the report.
pub(super) struct Image {
    pub(super) shape: Shape,
    pub(super) source: &'static str,
}

/// The image size of a flow on this many channels.
///
/// # Errors
/// [`ConvertError::Contradiction`], [`ConvertError::Ambiguous`].
pub(super) fn find(channels: u16, hint: &ArchHint, dense: &[Dense]) -> Result<Image, ConvertError> {
    if let Some(shape) = hint.image {
        if shape.channels != channels {
            let why = format!("the tensors are of a flow on {channels} channels, not {shape}");
            return Err(ConvertError::Contradiction(why));
        }
        return Ok(Image {
            shape,
            source: "as given",
        });
    }
    let square = |side| Shape::new(channels, side, side);
    if dense.is_empty() {
        let (shape, source) = match channels {
            1 => (
                square(28),
                "assumed: no tensor tells it; grey data sets of the reference code",
            ),
            3 => (
                square(32),
                "assumed: no tensor tells it; colour data sets of the reference code",
            ),
            _ => return Err(ambiguous(channels)),
        };
        return Ok(Image { shape, source });
    }
    let mut sides = (1..=MAX_SIDE).filter(|&side| dense.iter().all(|layer| layer.fits(side)));
    match (sides.next(), sides.next()) {
        (Some(side), None) => Ok(Image {
            shape: square(side),
            source: "from the width of the bottlenecks",
        }),
        _ => Err(ambiguous(channels)),
    }
}

fn ambiguous(channels: u16) -> ConvertError {
    let why = format!("the tensors do not tell the image size: give it, as in {channels}x28x28");
    ConvertError::Ambiguous(why)
}

impl Dense {
    fn fits(&self, side: u16) -> bool {
        let Some(block) = 1u16.checked_shl(self.squeezes.into()) else {
            return false;
        };
        if !side.is_multiple_of(block) {
            return false;
        }
        let side = side / block;
        let shape = Shape::new(1, side, side);
        match self.conditioner {
            ConditionerSpec::Resnet { channels, .. } => {
                usize::from(channels) * shape.pixels() == self.width
            }
            ConditionerSpec::Autoencoder { channels, .. } => {
                ConditionerSpec::autoencoder_sides(shape).is_some_and(|sides| {
                    let [.., (height, width)] =
                        sides.map(|(h, w)| (usize::from(h), usize::from(w)));
                    usize::from(channels[3]) * height * width == self.width && mirrors(side, &sides)
                })
            }
            _ => true,
        }
    }
}

/// Whether the transposed convolutions give the encoder's sizes back: the reference code has no output padding.
fn mirrors(width: u16, sides: &[(u16, u16); 5]) -> bool {
    let strides = ConditionerSpec::autoencoder_strides(width);
    let mut layers = sides.windows(2).zip(strides);
    layers.all(|(pair, stride)| (pair[1].1 - 1) * stride + 4 == pair[0].1)
}
