//! Images to code: samples of real ones, and drawn ones of every shape and kind.

use flow_infer::spec::Shape;
use flow_tests::fixtures::sample_images;
use flow_tests::random::SplitMix64;
use flow_train_host::data::Dataset;

/// An image with its shape and a name for messages.
pub(crate) struct Picture {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) bytes: Vec<u8>,
}

/// Shape of the committed samples.
pub(crate) const SAMPLE_SHAPE: Shape = Shape::new(1, 28, 28);

/// The first images of a committed sample.
pub(crate) fn sample(name: &str, count: usize) -> Vec<Picture> {
    let Dataset::Images(images) = sample_images(name) else {
        panic!("{name} does not hold images");
    };
    let picture = |(index, bytes): (usize, &[u8])| Picture {
        name: format!("{name} {index}"),
        shape: SAMPLE_SHAPE,
        bytes: bytes.to_vec(),
    };
    images.iter().take(count).enumerate().map(picture).collect()
}

/// An image given by a function of channel, row and column.
pub(crate) fn drawn(
    name: &str,
    shape: Shape,
    mut at: impl FnMut(usize, usize, usize) -> u8,
) -> Picture {
    let [channels, height, width] = [shape.channels, shape.height, shape.width].map(usize::from);
    let mut bytes = Vec::with_capacity(shape.len());
    for c in 0..channels {
        for y in 0..height {
            for x in 0..width {
                bytes.push(at(c, y, x));
            }
        }
    }
    let name = format!("{name} {shape}");
    Picture { name, shape, bytes }
}

/// Shapes with every border: single pixels, rows, columns, two by two, colour, more channels than three.
pub(crate) const SHAPES: [Shape; 12] = [
    Shape::new(1, 1, 1),
    Shape::new(1, 1, 2),
    Shape::new(1, 2, 1),
    Shape::new(1, 2, 2),
    Shape::new(1, 1, 40),
    Shape::new(1, 40, 1),
    Shape::new(1, 3, 200),
    Shape::new(1, 28, 28),
    Shape::new(2, 1, 1),
    Shape::new(3, 1, 9),
    Shape::new(3, 17, 16),
    Shape::new(5, 7, 6),
];

/// Every kind of content in one shape.
pub(crate) fn kinds(shape: Shape, random: &mut SplitMix64) -> Vec<Picture> {
    let mut walk = 128i64;
    let mut low = random.clone();
    vec![
        drawn("black", shape, |_, _, _| 0),
        drawn("white", shape, |_, _, _| 255),
        drawn("grey", shape, |_, _, _| 77),
        drawn("checkerboard", shape, |_, y, x| 255 * ((y + x) % 2) as u8),
        drawn("gradient", shape, |c, y, x| {
            (40 * c + 3 * y + 5 * x).min(255) as u8
        }),
        drawn("blocks", shape, |c, y, x| {
            ((y / 5) * 91 + (x / 7) * 57 + c * 13) as u8
        }),
        drawn("walk", shape, |_, _, _| {
            walk = (walk + low.below(15) as i64 - 7).clamp(0, 255);
            walk as u8
        }),
        drawn("two values", shape, |_, _, _| {
            [3, 250][random.below(2) as usize]
        }),
        drawn("noise", shape, |_, _, _| random.bits() as u8),
    ]
}
