//! Images as a camera gives them: what a gate on a board sees of a data set's images.
//!
//! An image is shown to the whole frame of a camera through its optic, every pixel of the frame is read with noise,
//! and the frame is averaged back by the front end that a board runs. To the eye little changes; but black is no
//! longer zero, for noise about zero has no negative half, and edges are softer.

use super::images::Images;
use super::reduce::Reducer;
use crate::parallel;
use crate::random::SplitMix64;
use flow_infer::front_end::{Frame, FrameError, FrameSpec, PixelFormat, Reduction};
use flow_infer::spec::Shape;

/// What makes an image's few pixels a frame's many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optic {
    /// Each pixel of the image becomes a block of one light.
    Block,
    /// Light changes in a line from the middle of a pixel to the next.
    Bilinear,
    /// Out of focus: a normal blur with a deviation of three quarters of a pixel of the image.
    Blur,
}

/// Deviation of [`Optic::Blur`], in pixels of the image.
const BLUR: f64 = 0.75;

/// A camera.
#[derive(Clone, Copy, Debug)]
pub struct Camera {
    /// Columns of its frames.
    pub width: u16,
    /// Rows of its frames.
    pub height: u16,
    /// Its optic.
    pub optic: Optic,
    /// Deviation of the noise of a frame's pixel, in grey levels.
    pub noise: f64,
    /// Seed of the noise.
    pub seed: u64,
}

impl Camera {
    /// The inputs that the front end makes of the camera's frames of these images, of the images' own size.
    ///
    /// # Errors
    /// [`FrameError`] where a frame cannot be averaged to such an input.
    pub fn inputs(&self, images: &Images) -> Result<Images, FrameError> {
        let [c, h, w] = [images.channels(), images.height(), images.width()];
        let side = |n: usize| u16::try_from(n).map_err(|_| FrameError::Size);
        let shape = Shape::new(side(c)?, side(h)?, side(w)?);
        let format = match c {
            1 => PixelFormat::Grey8,
            3 => PixelFormat::Rgb888,
            _ => return Err(FrameError::Output),
        };
        let frame = FrameSpec::new(format, self.width, self.height);
        frame.check()?;
        let reduction = Reduction::to(shape);
        Reducer::new(&reduction)?;
        let optic = [
            self.optic.weights(h, self.height.into()),
            self.optic.weights(w, self.width.into()),
        ];
        let memory = || (Reducer::new(&reduction).ok(), Vec::new());
        let inputs = parallel::try_map(images.len(), memory, |(reducer, bytes), index| {
            let mut noise = Normal::new([self.seed, index as u64]);
            self.expose(images.get(index), [c, h, w], &optic, &mut noise, bytes);
            let reducer = reducer.as_mut().ok_or(FrameError::Output)?;
            Ok(reducer.frame(&Frame::new(frame, bytes)?)?.to_vec())
        })?;
        Images::new(c, h, w, inputs.concat()).map_err(|_| FrameError::Size)
    }

    /// Fills a frame's bytes, pixel by pixel.
    fn expose(
        &self,
        image: &[u8],
        [channels, height, width]: [usize; 3],
        [down, across]: &[Weights; 2],
        noise: &mut Normal,
        bytes: &mut Vec<u8>,
    ) {
        bytes.clear();
        let mut row = vec![0.0; channels * width];
        for of_row in down {
            row.fill(0.0);
            for &(y, weight) in of_row {
                for channel in 0..channels {
                    let from = &image[(channel * height + y) * width..][..width];
                    let to = &mut row[channel * width..][..width];
                    let both = to.iter_mut().zip(from);
                    both.for_each(|(to, &from)| *to += weight * f64::from(from));
                }
            }
            for of_column in across {
                for channel in row.chunks_exact(width) {
                    let light: f64 = of_column.iter().map(|&(x, w)| w * channel[x]).sum();
                    // A float out of range becomes the nearest byte.
                    bytes.push((light + self.noise * noise.next()).round() as u8);
                }
            }
        }
    }
}

/// Of each pixel of a frame along one side: the image's pixels that it sees, and their weights.
type Weights = Vec<Vec<(usize, f64)>>;

impl Optic {
    fn weights(self, of_image: usize, of_frame: usize) -> Weights {
        let place = |pixel: usize| (pixel as f64 + 0.5) * of_image as f64 / of_frame as f64 - 0.5;
        (0..of_frame)
            .map(|p| self.seen(place(p), of_image))
            .collect()
    }

    /// What is seen at a place, counted in pixels of the image from the middle of the first; beyond the edge lies
    /// the edge.
    fn seen(self, place: f64, count: usize) -> Vec<(usize, f64)> {
        let pixel = |i: f64| i.clamp(0.0, count as f64 - 1.0) as usize;
        let whole = place.floor();
        match self {
            Self::Block => vec![(pixel((place + 0.5).floor()), 1.0)],
            Self::Bilinear => {
                let part = place - whole;
                vec![(pixel(whole), 1.0 - part), (pixel(whole + 1.0), part)]
            }
            Self::Blur => {
                let normal = |i: f64| (-((i - place) / BLUR).powi(2) / 2.0).exp();
                let near: Vec<f64> = (-3..=4).map(|i| whole + f64::from(i)).collect();
                let total: f64 = near.iter().map(|&i| normal(i)).sum();
                near.iter()
                    .map(|&i| (pixel(i), normal(i) / total))
                    .collect()
            }
        }
    }
}

/// Standard normal numbers, two of each pair of uniform ones (Box and Muller).
struct Normal {
    random: SplitMix64,
    second: Option<f64>,
}

impl Normal {
    fn new(key: [u64; 2]) -> Self {
        Self {
            random: SplitMix64::keyed(key),
            second: None,
        }
    }

    fn next(&mut self) -> f64 {
        if let Some(second) = self.second.take() {
            return second;
        }
        let radius = (-2.0 * (1.0 - self.random.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.random.uniform()).sin_cos();
        self.second = Some(radius * sin);
        radius * cos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(optic: Optic, width: u16, height: u16, noise: f64) -> Camera {
        Camera {
            width,
            height,
            optic,
            noise,
            seed: 7,
        }
    }

    fn images(shape: [usize; 3], count: usize) -> Images {
        let [c, h, w] = shape;
        let pixels = (0..count * c * h * w).map(|i| (i * 61 % 251) as u8);
        Images::new(c, h, w, pixels.collect()).unwrap()
    }

    #[test]
    fn whole_blocks_without_noise_average_back_to_the_image() {
        for shape in [[1, 4, 6], [3, 4, 6]] {
            let images = images(shape, 3);
            let seen = camera(Optic::Block, 30, 12, 0.0).inputs(&images).unwrap();
            assert_eq!(seen, images);
        }
    }

    #[test]
    fn a_line_between_two_pixels_is_averaged() {
        let images = Images::new(1, 1, 2, vec![0, 160]).unwrap();
        let seen = camera(Optic::Bilinear, 8, 1, 0.0).inputs(&images).unwrap();
        // Frame: 0, 0, 20, 60, 100, 140, 160, 160.
        assert_eq!(seen.pixels(), [20, 140]);
    }

    #[test]
    fn a_blur_keeps_the_light_and_spreads_it() {
        let mut pixels = vec![0; 81];
        pixels[40] = 250;
        let images = Images::new(1, 9, 9, pixels).unwrap();
        let seen = camera(Optic::Blur, 90, 90, 0.0).inputs(&images).unwrap();
        let sum: u32 = seen.pixels().iter().map(|&p| u32::from(p)).sum();
        assert!((235..=265).contains(&sum), "{sum}");
        let (middle, beside) = (seen.get(0)[40], seen.get(0)[41]);
        assert!(
            middle < 80 && beside > 20 && beside < middle,
            "{middle} {beside}"
        );
        assert_eq!(seen.get(0)[39], beside);
    }

    #[test]
    fn noise_on_black_is_light() {
        let images = Images::new(1, 28, 28, vec![0; 784]).unwrap();
        let seen = camera(Optic::Bilinear, 640, 480, 4.0)
            .inputs(&images)
            .unwrap();
        // The positive half of a normal distribution of deviation 4 has the mean 4 / sqrt(2 pi) = 1.6, here of 392
        // pixels.
        assert!(seen.pixels().iter().all(|p| [1, 2].contains(p)));
        let other = Camera {
            seed: 8,
            ..camera(Optic::Bilinear, 640, 480, 4.0)
        };
        assert_ne!(other.inputs(&images).unwrap(), seen);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let images = images([1, 8, 8], 20);
        let camera = camera(Optic::Bilinear, 64, 48, 4.0);
        let [one, two] = [1, 2].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| camera.inputs(&images).unwrap())
        });
        assert_eq!(one, two);
    }

    #[test]
    fn frames_that_cannot_be_averaged_are_refused() {
        let of = |images: &Images, width| camera(Optic::Block, width, 8, 0.0).inputs(images);
        assert_eq!(of(&images([1, 8, 8], 1), 7), Err(FrameError::Enlarges));
        assert_eq!(of(&images([2, 8, 8], 1), 8), Err(FrameError::Output));
        assert_eq!(of(&images([1, 8, 8], 1), 0), Err(FrameError::Size));
    }
}
