//! Architectures that take their shape from the data and have one width: what a budget decides.

use crate::presets::{coupling, flow, push, realnvp, resnet, squeezed_realnvp};
use crate::train::{RatioConfig, Sensor, TrainConfig};
use flow_infer::spec::{
    ConditionerSpec, CouplingMask, FlowSpec, Half, InputSpec, LevelSpec, Quadrant, Shape, StepSpec,
};

/// Widths that are tried, in this order.
pub const WIDTHS: [u16; 10] = [4, 6, 8, 12, 16, 24, 32, 48, 64, 96];

/// The width where nobody chooses one: that of the presets.
pub const WIDTH: u16 = 16;

/// The paper's distance of a pixel from 0 and 1 in front of the logit.
const LOGIT_MARGIN: f32 = 0.05;
/// Couplings of the families with dense conditioners.
const DENSE_COUPLINGS: usize = 6;
/// Largest side of an image that dense conditioners read: their weights grow with the square of the pixels.
const LARGEST_DENSE: u16 = 32;
/// What a dense conditioner must not learn by heart, of few pictures: light, noise, and where exactly a part lies.
const DENSE_SENSOR: Sensor = Sensor {
    unchanged: 0.2,
    shift: 0.5,
    blur: 0.0,
    gain: 0.15,
    black_level: 0.0,
    noise: 4.0,
};
/// Numbers that a bottleneck compresses to.
const LATENT: u16 = 10;

/// A family of architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// RealNVP of two scales with residual conditioners.
    RealNvp,
    /// The same whose conditioners compress to ten numbers.
    Bottleneck,
    /// Glow of two levels of four steps with highway conditioners.
    Glow,
    /// Eight couplings that rewrite a quadrant from the one before.
    Cycle,
    /// Six couplings of the whole image with dense conditioners, which know where a pixel lies.
    Dense,
    /// Six couplings of vectors with dense conditioners.
    Vector,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 6] = [
        Self::RealNvp,
        Self::Bottleneck,
        Self::Glow,
        Self::Cycle,
        Self::Dense,
        Self::Vector,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RealNvp => "realnvp",
            Self::Bottleneck => "bottleneck",
            Self::Glow => "glow",
            Self::Cycle => "cycle",
            Self::Dense => "dense",
            Self::Vector => "vector",
        }
    }

    /// What it is, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::RealNvp => "RealNVP of two scales, residual conditioners",
            Self::Bottleneck => {
                "RealNVP of two scales, squeezed first, whose conditioners compress to 10 numbers, trained through a sensor"
            }
            Self::Glow => "Glow of two levels of four steps, highway conditioners",
            Self::Cycle => "eight couplings that rewrite a quadrant from the one before",
            Self::Dense => {
                "six couplings with dense conditioners, for few pictures of what always lies alike; trained through a sensor"
            }
            Self::Vector => "six couplings with dense conditioners",
        }
    }

    /// The family of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Whether it reads images.
    pub const fn reads_images(self) -> bool {
        !matches!(self, Self::Vector)
    }

    /// Whether it reads images of this size.
    pub fn reads(self, height: u16, width: u16) -> bool {
        match self {
            Self::RealNvp | Self::Cycle => height.is_multiple_of(2) && width.is_multiple_of(2),
            Self::Bottleneck | Self::Glow => height.is_multiple_of(4) && width.is_multiple_of(4),
            Self::Dense => {
                height == width && height.is_power_of_two() && (2..=LARGEST_DENSE).contains(&height)
            }
            Self::Vector => false,
        }
    }

    /// What it reads, in words.
    pub const fn wants(self) -> &'static str {
        match self {
            Self::RealNvp | Self::Cycle => "images, sides multiples of 2",
            Self::Bottleneck | Self::Glow => "images, sides multiples of 4",
            Self::Dense => "images, 8x8, 16x16 or 32x32",
            Self::Vector => "vectors",
        }
    }

    /// The largest size that it reads of at most this one.
    pub fn rounded(self, height: u16, width: u16) -> (u16, u16) {
        match self {
            Self::RealNvp | Self::Cycle => (height - height % 2, width - width % 2),
            Self::Bottleneck | Self::Glow => (height - height % 4, width - width % 4),
            Self::Dense => {
                let side = height.min(width).clamp(1, LARGEST_DENSE);
                let side = 1 << side.ilog2();
                (side, side)
            }
            Self::Vector => (height, width),
        }
    }

    /// The flow for inputs of a shape, its conditioners of a width; of a vector the channels are its values.
    pub fn config(self, shape: Shape, width: u16) -> TrainConfig {
        let input = match self {
            Self::Vector => InputSpec::Vector {
                dims: shape.channels,
            },
            _ => InputSpec::Image {
                shape,
                logit_margin: LOGIT_MARGIN,
            },
        };
        let mut config = TrainConfig::new(self.spec(input, width));
        if self == Self::Bottleneck {
            // It costs clean images nothing, and frames of a camera need it: records/camera.md, records/ratio.md.
            config.sensor = Some(Sensor::default());
            config.ratio = Some(RatioConfig::default());
        }
        match self {
            Self::Vector => (config.batch, config.micro_batches, config.epochs) = (256, 8, 50),
            Self::Glow => config.epochs = 30,
            Self::Dense => {
                config.epochs = 150;
                config.sensor = Some(DENSE_SENSOR);
                config.optimizer.weight_decay = 0.01;
            }
            _ => {
                config.epochs = 30;
                config.optimizer.learning_rate = 2e-3;
            }
        }
        config
    }

    fn spec(self, input: InputSpec, width: u16) -> FlowSpec {
        match self {
            Self::RealNvp => realnvp(input, [resnet(width, 2, false); 2]),
            Self::Bottleneck => {
                let narrow = (width / 2).max(2);
                let conditioner = ConditionerSpec::Autoencoder {
                    channels: [narrow, narrow, (narrow + width) / 2, width],
                    latent: LATENT,
                };
                // Four valid convolutions of side 4 need 14 columns: where a squeezed image has fewer, it has a plain
                // network behind couplings of the full size.
                let shape = input.shape();
                let has_bottleneck = |level: u8| {
                    let shape = Shape::new(1, shape.height >> level, shape.width >> level);
                    ConditionerSpec::autoencoder_sides(shape).is_some()
                };
                match [0, 1].map(has_bottleneck) {
                    [_, true] => squeezed_realnvp(input, conditioner),
                    [true, false] => realnvp(input, [conditioner, resnet(narrow, 1, false)]),
                    [false, false] => realnvp(input, [resnet(narrow, 1, false); 2]),
                }
            }
            Self::Glow => {
                let highway = ConditionerSpec::Highway {
                    channels: width,
                    layers: 2,
                };
                let kept = Half::Second;
                let mut level = LevelSpec::default();
                push(&mut level, StepSpec::Squeeze);
                for _ in 0..4 {
                    push(&mut level, StepSpec::Actnorm);
                    push(&mut level, StepSpec::InvertibleLinear);
                    push(
                        &mut level,
                        coupling(CouplingMask::Channel { kept }, highway),
                    );
                }
                flow(input, [level.clone(), level])
            }
            Self::Cycle => {
                let clockwise = [
                    Quadrant::TopLeft,
                    Quadrant::TopRight,
                    Quadrant::BottomRight,
                    Quadrant::BottomLeft,
                ];
                let mut level = LevelSpec::default();
                for kept in [clockwise, clockwise].concat() {
                    let mask = CouplingMask::Cycle { kept };
                    push(&mut level, coupling(mask, resnet(width, 2, false)));
                }
                flow(input, [level])
            }
            Self::Dense => {
                let mut level = LevelSpec::default();
                // Until all pixels are channels of one.
                for _ in 0..input.shape().height.max(1).ilog2() {
                    push(&mut level, StepSpec::Squeeze);
                }
                push(&mut level, StepSpec::Actnorm);
                push_dense(&mut level, width);
                flow(input, [level])
            }
            Self::Vector => {
                let mut level = LevelSpec::default();
                push_dense(&mut level, width);
                flow(input, [level])
            }
        }
    }
}

/// Couplings of halves, in turns.
fn push_dense(level: &mut LevelSpec, width: u16) {
    for layer in 0..DENSE_COUPLINGS {
        let kept = if layer % 2 == 0 {
            Half::First
        } else {
            Half::Second
        };
        let conditioner = ConditionerSpec::Mlp {
            hidden: 4 * width,
            layers: 1,
        };
        push(level, coupling(CouplingMask::Channel { kept }, conditioner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::preset;

    #[test]
    fn every_family_is_valid_at_every_width_and_shape() {
        let shapes = [
            (1, 16, 16),
            (1, 28, 28),
            (3, 32, 32),
            (3, 96, 64),
            (1, 40, 24),
        ];
        for family in Family::ALL {
            for (c, h, w) in shapes {
                if family.reads_images() && !family.reads(h, w) {
                    continue;
                }
                let shape = match family.reads_images() {
                    true => Shape::new(c, h, w),
                    false => Shape::new(c + 1, 1, 1),
                };
                for width in WIDTHS {
                    let spec = family.config(shape, width).spec;
                    let valid = spec.validate();
                    assert_eq!(valid, Ok(()), "{} {shape} {width}", family.name());
                }
            }
            assert_eq!(Family::from_name(family.name()), Some(family));
        }
    }

    #[test]
    fn sizes_are_rounded_to_what_is_read() {
        for family in Family::ALL.into_iter().filter(|f| f.reads_images()) {
            for (height, width) in [(9, 40), (16, 16), (33, 31), (96, 64), (28, 28)] {
                let (h, w) = family.rounded(height, width);
                let name = family.name();
                assert!(
                    family.reads(h, w) && h <= height && w <= width,
                    "{name} {h}x{w}"
                );
                assert!(!family.reads(height, width) || (h, w) == (height, width));
            }
        }
    }

    #[test]
    fn the_presets_are_members_of_their_families() {
        let grey = Shape::new(1, 28, 28);
        for (name, family) in [
            ("fashion-tiny", Family::RealNvp),
            ("fashion-bottleneck", Family::Bottleneck),
            ("glow-tiny", Family::Glow),
            ("cycle-masks", Family::Cycle),
        ] {
            assert_eq!(preset(name, 1), Some(family.config(grey, 16)), "{name}");
        }
        let vector = Family::Vector.config(Shape::new(7, 1, 1), 16);
        assert_eq!(preset("vector-small", 7), Some(vector));
    }
}
