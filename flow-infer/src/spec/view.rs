//! Where the channels of a level lie in the image-shaped latent.
//!
//! The latent never moves: squeeze and factor-out copy nothing, they change only how coordinates are addressed. A
//! squeeze splits every axis position in two, so a view after s squeezes has strides of 2^s pixels, and the low bits
//! of a channel's index say which of the 4^s positions it came from. Saved against a copying engine: one latent
//! (3,136 bytes for 28 x 28) and a pass over it for each squeeze. The latent comes out image-shaped, which is also
//! how the paper draws it.

use super::{Shape, StepSpec};
use serde::{Deserialize, Serialize};

/// The part of an image-shaped latent that a step acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    image: Shape,
    squeezes: u8,
    channels: u16,
}

impl View {
    /// The whole image, unsqueezed.
    pub const fn whole(image: Shape) -> Self {
        Self {
            image,
            squeezes: 0,
            channels: image.channels,
        }
    }

    /// A view with its parts, if they are consistent: the image divisible by 2^squeezes, the channels there.
    pub fn new(image: Shape, squeezes: u8, channels: u16) -> Option<Self> {
        if squeezes > 7 {
            return None;
        }
        let side = 1u16 << squeezes;
        let divisible = image.height.is_multiple_of(side) && image.width.is_multiple_of(side);
        let most = u32::from(image.channels) << (2 * squeezes);
        let there = channels > 0 && u32::from(channels) <= most;
        (divisible && there).then_some(Self {
            image,
            squeezes,
            channels,
        })
    }

    /// Number of channels.
    pub const fn channels(&self) -> usize {
        self.channels as usize
    }

    /// How often the image has been squeezed.
    pub const fn squeezes(&self) -> u8 {
        self.squeezes
    }

    /// Channels, height and width as the step sees them.
    pub const fn shape(&self) -> Shape {
        Shape::new(
            self.channels,
            self.image.height >> self.squeezes,
            self.image.width >> self.squeezes,
        )
    }

    /// The shape of the whole latent.
    pub const fn image(&self) -> Shape {
        self.image
    }

    /// Distance in the latent between neighbouring columns.
    pub const fn column_stride(&self) -> usize {
        1 << self.squeezes
    }

    /// Distance in the latent between neighbouring rows.
    pub const fn row_stride(&self) -> usize {
        (self.image.width as usize) << self.squeezes
    }

    /// Position in the latent of channel c at row 0, column 0.
    ///
    /// One squeeze: out channel = 4 c + 2 dy + dx holds in(c, 2 y + dy, 2 x + dx). Repeated squeezes nest, so the
    /// lowest two bits of the index belong to the last squeeze, which moves by the largest power of two.
    pub const fn channel_offset(&self, channel: usize) -> usize {
        let mut rest = channel;
        let (mut dy, mut dx) = (0, 0);
        let mut squeeze = self.squeezes;
        while squeeze > 0 {
            squeeze -= 1;
            dy += ((rest >> 1) & 1) << squeeze;
            dx += (rest & 1) << squeeze;
            rest >>= 2;
        }
        rest * self.image.pixels() + dy * self.image.width as usize + dx
    }

    /// Position in the latent of channel c, row y, column x of this view.
    pub const fn offset(&self, channel: usize, y: usize, x: usize) -> usize {
        self.channel_offset(channel) + y * self.row_stride() + x * self.column_stride()
    }

    /// The view that the steps of the next level have: the first half of the channels.
    pub const fn factor_out(self) -> Self {
        Self {
            channels: self.channels / 2,
            ..self
        }
    }

    /// The view after a step: changed by a squeeze only.
    pub const fn after(self, step: &StepSpec) -> Self {
        match step {
            StepSpec::Squeeze => Self {
                squeezes: self.squeezes + 1,
                channels: self.channels * 4,
                ..self
            },
            _ => self,
        }
    }
}
