//! The sensor between a scene and the bytes that a flow reads, as training images do not have it.
//!
//! What one camera calls black is 0 in a data set and 2 in the next; its optic blurs, its mount shifts. A flow that
//! has seen clean images only finds all of that as strange as what is foreign. So training images pass through a
//! sensor, another one in every epoch: a function of seed, epoch and item, as all noise.

use super::noise::Noise;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How much a sensor may do to an image; a part that is not named is off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// Share of the images that stay as they are.
    #[serde(default)]
    pub unchanged: f32,
    /// Largest shift in each direction, in pixels.
    #[serde(default)]
    pub shift: f32,
    /// Largest deviation of the optic's normal blur, in pixels.
    #[serde(default)]
    pub blur: f32,
    /// The light is multiplied by 1 - gain to 1 + gain.
    #[serde(default)]
    pub gain: f32,
    /// Largest grey level of black.
    #[serde(default)]
    pub black_level: f32,
    /// Largest deviation of a pixel's normal noise, in grey levels.
    #[serde(default)]
    pub noise: f32,
}

impl Default for Sensor {
    /// An ordinary camera whose pixels are averaged to few: every other image stays as it is, so that clean images
    /// remain what the flow knows best.
    fn default() -> Self {
        Self {
            unchanged: 0.5,
            shift: 1.0,
            blur: 0.6,
            gain: 0.1,
            black_level: 4.0,
            noise: 2.0,
        }
    }
}

impl Sensor {
    const OFF: Self = Self {
        unchanged: 0.0,
        shift: 0.0,
        blur: 0.0,
        gain: 0.0,
        black_level: 0.0,
        noise: 0.0,
    };

    /// Names as in a text, with the values.
    fn parts(&self) -> [(&'static str, f32); 6] {
        [
            ("unchanged", self.unchanged),
            ("shift", self.shift),
            ("blur", self.blur),
            ("gain", self.gain),
            ("black-level", self.black_level),
            ("noise", self.noise),
        ]
    }

    /// What is wrong with the numbers, if anything.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let within = |value: f32, most: f32| (0.0..=most).contains(&value);
        let wrong = [
            (
                within(self.unchanged, 1.0),
                "sensor: unchanged must lie in [0, 1]",
            ),
            (
                within(self.shift, 64.0),
                "sensor: shift must lie in [0, 64]",
            ),
            (within(self.blur, 16.0), "sensor: blur must lie in [0, 16]"),
            (within(self.gain, 1.0), "sensor: gain must lie in [0, 1]"),
            (
                within(self.black_level, 255.0),
                "sensor: black_level must lie in [0, 255]",
            ),
            (
                within(self.noise, 255.0),
                "sensor: noise must lie in [0, 255]",
            ),
        ];
        let mut wrong = wrong.into_iter();
        wrong.find(|(fine, _)| !fine).map(|(_, what)| what)
    }

    /// The image of a scene, channels x height x width; none where it stays as it is.
    pub(super) fn image(
        &self,
        scene: &[u8],
        shape: [usize; 3],
        mut noise: Noise,
    ) -> Option<Vec<u8>> {
        let exposure = self.draw(&mut noise)?;
        Some(exposure.image(scene, shape, &mut noise))
    }

    fn draw(&self, noise: &mut Noise) -> Option<Exposure> {
        if noise.uniform() < self.unchanged {
            return None;
        }
        let mut either = |most: f32| most * (2.0 * noise.uniform() - 1.0);
        let shift = [either(self.shift), either(self.shift)];
        let gain = 1.0 + either(self.gain);
        Some(Exposure {
            shift,
            gain,
            blur: self.blur * noise.uniform(),
            black_level: self.black_level * noise.uniform(),
            noise: self.noise * noise.uniform(),
        })
    }
}

/// As the flag and the provenance have it: `unchanged=0.5,noise=2`.
impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts().into_iter().filter(|(_, value)| *value != 0.0);
        let parts: Vec<String> = parts
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        write!(f, "{}", parts.join(","))
    }
}

impl FromStr for Sensor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut sensor = Self::OFF;
        for part in text.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let place = match name {
                "unchanged" => &mut sensor.unchanged,
                "shift" => &mut sensor.shift,
                "blur" => &mut sensor.blur,
                "gain" => &mut sensor.gain,
                "black-level" => &mut sensor.black_level,
                "noise" => &mut sensor.noise,
                _ => {
                    let names = Self::OFF.parts().map(|(name, _)| name).join(", ");
                    return Err(format!("a sensor has no {name:?}; it has {names}"));
                }
            };
            let number: Option<f32> = value.parse().ok();
            *place = number.ok_or_else(|| format!("{name}: {value:?} is no number"))?;
        }
        match sensor.problem() {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(sensor),
        }
    }
}

/// What happens to one image.
#[derive(Clone, Copy, Debug)]
struct Exposure {
    /// Down and to the right, in pixels.
    shift: [f32; 2],
    blur: f32,
    gain: f32,
    black_level: f32,
    noise: f32,
}

impl Exposure {
    fn image(&self, scene: &[u8], [_, height, width]: [usize; 3], noise: &mut Noise) -> Vec<u8> {
        let light: Vec<f32> = scene.iter().map(|&p| p.into()).collect();
        let [down, right] = self.shift.map(|by| taps(by, self.blur));
        let light = along(&light, [height, width], &down);
        let light = transposed(&light, [height, width]);
        let light = along(&light, [width, height], &right);
        let light = transposed(&light, [width, height]);
        let byte = |light: f32| {
            let value = self.gain * light + self.black_level + self.noise * noise.normal();
            // A float out of range becomes the nearest byte.
            value.round() as u8
        };
        light.into_iter().map(byte).collect()
    }
}

/// Weights of the neighbours along one axis: between pixels a line, then a normal blur.
fn taps(shift: f32, blur: f32) -> Vec<(isize, f32)> {
    let reach = (3.0 * blur).ceil() as isize;
    let normal = |i: isize| match i {
        0 => 1.0,
        _ => (-(i as f32 / blur).powi(2) / 2.0).exp(),
    };
    let total: f32 = (-reach..=reach).map(normal).sum();
    let (whole, part) = ((-shift).floor(), (-shift).rem_euclid(1.0));
    let weight = |i: isize| match (-reach..=reach).contains(&i) {
        true => normal(i) / total,
        false => 0.0,
    };
    let both = |i: isize| (1.0 - part) * weight(i) + part * weight(i - 1);
    let all = (-reach..=reach + 1).map(|i| (i + whole as isize, both(i)));
    all.filter(|(_, weight)| *weight != 0.0).collect()
}

/// Every column of each channel through the weights; beyond the edge lies the edge.
fn along(light: &[f32], [height, width]: [usize; 2], taps: &[(isize, f32)]) -> Vec<f32> {
    let mut out = vec![0.0; light.len()];
    let channels = light.chunks_exact(height * width);
    for (channel, out) in channels.zip(out.chunks_exact_mut(height * width)) {
        for (y, out) in out.chunks_exact_mut(width).enumerate() {
            for &(by, weight) in taps {
                let from = (y as isize + by).clamp(0, height as isize - 1) as usize;
                let row = &channel[from * width..][..width];
                out.iter_mut().zip(row).for_each(|(o, p)| *o += weight * p);
            }
        }
    }
    out
}

/// Columns as rows, channel by channel.
fn transposed(light: &[f32], [height, width]: [usize; 2]) -> Vec<f32> {
    let channels = light.chunks_exact(height * width);
    let of_channel = |channel: &[f32]| -> Vec<f32> {
        let column = |x: usize| (0..height).map(move |y| y * width + x);
        (0..width).flat_map(column).map(|i| channel[i]).collect()
    };
    channels.flat_map(of_channel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::noise::Purpose;

    const NOTHING: Exposure = Exposure {
        shift: [0.0; 2],
        blur: 0.0,
        gain: 1.0,
        black_level: 0.0,
        noise: 0.0,
    };

    fn noise() -> Noise {
        Noise::new(1, Purpose::Sensor, [0, 0])
    }

    fn of(exposure: Exposure, scene: &[u8], shape: [usize; 3]) -> Vec<u8> {
        exposure.image(scene, shape, &mut noise())
    }

    #[test]
    fn nothing_changes_nothing() {
        let scene: Vec<u8> = (0..24).map(|i| (i * 37 % 256) as u8).collect();
        assert_eq!(of(NOTHING, &scene, [2, 3, 4]), scene);
    }

    #[test]
    fn gain_and_black_level_are_an_affine_map_that_ends_at_black_and_white() {
        let brighter = Exposure {
            gain: 1.25,
            black_level: 4.0,
            ..NOTHING
        };
        // 1.25 p + 4: 4, 16.5 rounds up, 129, 256.5 is white.
        assert_eq!(
            of(brighter, &[0, 10, 100, 202], [1, 1, 4]),
            [4, 17, 129, 255]
        );
    }

    #[test]
    fn a_shift_goes_down_and_right_and_repeats_the_edge() {
        let scene = [10, 20, 30, 40, 50, 60];
        let down = Exposure {
            shift: [1.0, 0.0],
            ..NOTHING
        };
        assert_eq!(of(down, &scene, [1, 2, 3]), [10, 20, 30, 10, 20, 30]);
        let right = Exposure {
            shift: [0.0, 1.0],
            ..NOTHING
        };
        assert_eq!(of(right, &scene, [1, 2, 3]), [10, 10, 20, 40, 40, 50]);
        let quarter_left = Exposure {
            shift: [0.0, -0.25],
            ..NOTHING
        };
        // Three quarters of a pixel and one of its right neighbour: 12.5 rounds up.
        let moved = of(quarter_left, &scene, [1, 2, 3]);
        assert_eq!(moved, [13, 23, 30, 43, 53, 60]);
    }

    #[test]
    fn blur_is_a_normal_one_in_both_directions() {
        let mut scene = [0; 25];
        scene[12] = 200;
        let blurred = Exposure {
            blur: 0.6,
            ..NOTHING
        };
        // exp(-1 / 0.72) = 0.24935 and exp(-4 / 0.72) = 0.00387 beside 1: 0.66382, 0.16552, 0.00257 of 200.
        let wanted = [
            [0, 0, 0, 0, 0],
            [0, 5, 22, 5, 0],
            [0, 22, 88, 22, 0],
            [0, 5, 22, 5, 0],
            [0, 0, 0, 0, 0],
        ];
        assert_eq!(of(blurred, &scene, [1, 5, 5]), wanted.concat());
    }

    #[test]
    fn noise_has_its_deviation() {
        let noisy = Exposure {
            noise: 2.0,
            ..NOTHING
        };
        let found = of(noisy, &[100; 10_000], [1, 100, 100]);
        let differences: Vec<f64> = found.iter().map(|&p| f64::from(p) - 100.0).collect();
        let mean = differences.iter().sum::<f64>() / 1e4;
        let square = differences.iter().map(|d| d * d).sum::<f64>() / 1e4;
        // Rounding adds a twelfth; five deviations of each mean.
        assert!(mean.abs() < 5.0 * 0.0202, "{mean}");
        let wanted = 4.0 + 1.0 / 12.0;
        assert!((square - wanted).abs() < 5.0 * wanted * 0.0142, "{square}");
    }

    #[test]
    fn as_many_images_stay_as_they_are_as_asked_for_and_no_part_exceeds_its_most() {
        let most = Sensor {
            unchanged: 0.25,
            ..Sensor::default()
        };
        let mut kept = 0;
        for item in 0..4000 {
            match most.draw(&mut Noise::new(3, Purpose::Sensor, [1, item])) {
                None => kept += 1,
                Some(e) => {
                    assert!(e.shift.iter().all(|s| s.abs() <= most.shift));
                    assert!((e.gain - 1.0).abs() <= most.gain + 1e-6);
                    assert!((0.0..=most.blur).contains(&e.blur));
                    assert!((0.0..=most.black_level).contains(&e.black_level));
                    assert!((0.0..=most.noise).contains(&e.noise));
                }
            }
        }
        // Five deviations of 4000 draws.
        assert!((863..=1137).contains(&kept), "{kept}");
    }

    #[test]
    fn a_sensor_is_read_as_it_is_written() {
        for sensor in [
            Sensor::default(),
            Sensor {
                noise: 1.5,
                ..Sensor::OFF
            },
        ] {
            assert_eq!(sensor.to_string().parse(), Ok(sensor));
        }
        let text = "unchanged=0.5,shift=1,blur=0.6,gain=0.1,black-level=4,noise=2";
        assert_eq!(Sensor::default().to_string(), text);
        for wrong in [
            "",
            "noise",
            "noise=",
            "noise=-1",
            "gain=2",
            "noise=NaN",
            "light=1",
        ] {
            assert!(wrong.parse::<Sensor>().is_err(), "{wrong}");
        }
    }
}
