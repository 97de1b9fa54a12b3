//! Flat shapes one above the other, in a light, before a camera.

use crate::random::Random;

pub(super) type Colour = [f64; 3];
/// Coordinates: the longer side of a picture is 1.
pub(super) type Point = [f64; 2];

/// A shape without its colour.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Centre and radius.
    Disc(Point, f64),
    /// Centre, half of each side, sine and cosine of its turn.
    Box(Point, Point, [f64; 2]),
    /// From, to, half of the width.
    Line(Point, Point, f64),
}

impl Shape {
    /// A box that is turned by an angle.
    pub(super) fn turned(centre: Point, half: Point, angle: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self::Box(centre, half, [sin, cos])
    }

    /// A disc around everything of it: centre and radius.
    fn around(&self) -> (Point, f64) {
        match *self {
            Self::Disc(centre, radius) => (centre, radius),
            Self::Box(centre, [half_x, half_y], _) => (centre, length(half_x, half_y)),
            Self::Line([ax, ay], [bx, by], half) => {
                let centre = [(ax + bx) / 2.0, (ay + by) / 2.0];
                (centre, length(bx - ax, by - ay) / 2.0 + half)
            }
        }
    }

    /// Distance of a point from the edge, negative inside.
    fn distance(&self, [x, y]: Point) -> f64 {
        match *self {
            Self::Disc([cx, cy], radius) => length(x - cx, y - cy) - radius,
            Self::Box([cx, cy], [half_x, half_y], [sin, cos]) => {
                let (dx, dy) = (x - cx, y - cy);
                let along = (dx * cos + dy * sin).abs() - half_x;
                let across = (dy * cos - dx * sin).abs() - half_y;
                length(along.max(0.0), across.max(0.0)) + along.max(across).min(0.0)
            }
            Self::Line([ax, ay], [bx, by], half) => {
                let (dx, dy) = (bx - ax, by - ay);
                let along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).max(1e-12);
                let along = along.clamp(0.0, 1.0);
                length(x - ax - along * dx, y - ay - along * dy) - half
            }
        }
    }
}

fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

/// What lies before the camera.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) ground: Colour,
    pub(super) shapes: Vec<(Shape, Colour)>,
}

impl Scene {
    /// The colour at a point, edges as wide as a pixel of so many a unit.
    pub(super) fn colour(&self, at: Point, pixels: f64) -> Colour {
        let mut colour = self.ground;
        for (shape, of_shape) in &self.shapes {
            let ([cx, cy], radius) = shape.around();
            let (dx, dy, reach) = (at[0] - cx, at[1] - cy, radius + 1.0 / pixels);
            if dx * dx + dy * dy > reach * reach {
                continue;
            }
            let covered = (0.5 - shape.distance(at) * pixels).clamp(0.0, 1.0);
            for (channel, &over) in colour.iter_mut().zip(of_shape) {
                *channel += covered * (over - *channel);
            }
        }
        colour
    }
}

/// Light and camera of one picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exposure {
    /// Brightness, and how it changes along both sides.
    light: [f64; 3],
    tint: Colour,
    noise: f64,
    /// Turn of the camera, and the place that it looks at.
    angle: f64,
    shift: Point,
}

impl Exposure {
    pub(super) fn drawn(random: &mut Random) -> Self {
        Self {
            light: [
                random.between(0.85, 1.1),
                random.between(-0.1, 0.1),
                random.between(-0.1, 0.1),
            ],
            tint: [0; 3].map(|_| random.between(0.97, 1.03)),
            noise: random.between(2.0, 6.0),
            angle: random.between(-0.05, 0.05),
            shift: [0; 2].map(|_| random.between(-0.03, 0.03)),
        }
    }

    /// Red, green and blue, pixel by pixel.
    pub(super) fn picture(
        &self,
        scene: &Scene,
        width: u32,
        height: u32,
        random: &mut Random,
    ) -> Vec<u8> {
        let scale = f64::from(width);
        let middle = [0.5, 0.5 * f64::from(height) / scale];
        let (sin, cos) = self.angle.sin_cos();
        let mut pixels = Vec::with_capacity(3 * width as usize * height as usize);
        for row in 0..height {
            for column in 0..width {
                let x = (f64::from(column) + 0.5) / scale - middle[0];
                let y = (f64::from(row) + 0.5) / scale - middle[1];
                let at = [
                    middle[0] + x * cos - y * sin + self.shift[0],
                    middle[1] + x * sin + y * cos + self.shift[1],
                ];
                let [bright, along, across] = self.light;
                let light = bright * (1.0 + 2.0 * (along * x + across * y));
                for (channel, tint) in scene.colour(at, scale).into_iter().zip(self.tint) {
                    let value = channel * light * tint + self.noise * random.normal();
                    pixels.push(value.round().clamp(0.0, 255.0) as u8);
                }
            }
        }
        pixels
    }
}
