//! C x H x W numbers: all that flows through a flow.

use flow_infer::spec::Shape;

/// An image-shaped array, channel by channel, row by row. A vector has H = W = 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Number of channels C.
    pub channels: usize,
    /// Number of rows H.
    pub height: usize,
    /// Number of columns W.
    pub width: usize,
    /// The C H W values.
    pub values: Vec<f64>,
}

impl Array {
    /// The array whose value at channel c, row y, column x is f(c, y, x).
    pub fn from_fn(
        (channels, height, width): (usize, usize, usize),
        mut f: impl FnMut(usize, usize, usize) -> f64,
    ) -> Self {
        let mut values = Vec::with_capacity(channels * height * width);
        for c in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    values.push(f(c, y, x));
                }
            }
        }
        Self {
            channels,
            height,
            width,
            values,
        }
    }

    /// The array of this shape with these values.
    ///
    /// # Panics
    /// If there are not C H W values.
    pub fn new(shape: Shape, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), shape.len(), "values of an array {shape}");
        Self {
            channels: shape.channels.into(),
            height: shape.height.into(),
            width: shape.width.into(),
            values,
        }
    }

    /// (C, H, W).
    pub fn size(&self) -> (usize, usize, usize) {
        (self.channels, self.height, self.width)
    }

    /// The array's size as the spec writes it.
    ///
    /// # Panics
    /// If a side does not fit 16 bits.
    pub fn shape(&self) -> Shape {
        let side = |n: usize| u16::try_from(n).expect("sides of a latent fit 16 bits");
        Shape::new(side(self.channels), side(self.height), side(self.width))
    }

    /// The value at channel c, row y, column x.
    pub fn at(&self, c: usize, y: usize, x: usize) -> f64 {
        self.values[(c * self.height + y) * self.width + x]
    }

    /// Row y of channel c.
    pub fn row(&self, c: usize, y: usize) -> &[f64] {
        &self.values[(c * self.height + y) * self.width..][..self.width]
    }

    /// f of every value.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self::from_fn(self.size(), |c, y, x| f(self.at(c, y, x)))
    }

    /// Sum with another array of the same size.
    pub fn plus(&self, other: &Self) -> Self {
        assert_eq!(self.size(), other.size());
        Self::from_fn(self.size(), |c, y, x| self.at(c, y, x) + other.at(c, y, x))
    }

    /// `count` channels from `start` on.
    pub fn channels_from(&self, start: usize, count: usize) -> Self {
        Self::from_fn((count, self.height, self.width), |c, y, x| {
            self.at(start + c, y, x)
        })
    }

    /// The channels of this array, then those of another of the same sides.
    pub fn then_channels(&self, other: &Self) -> Self {
        assert_eq!((self.height, self.width), (other.height, other.width));
        let size = (self.channels + other.channels, self.height, self.width);
        Self::from_fn(size, |c, y, x| match c.checked_sub(self.channels) {
            None => self.at(c, y, x),
            Some(c) => other.at(c, y, x),
        })
    }
}
