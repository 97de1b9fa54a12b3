//! One image, or one image-shaped array of numbers, as a small picture: a pixel a coordinate.
//!
//! Arrays of several channels become their planes, one below the other.

use super::colour::{BLANK, Rgb, diverging, grey};
use super::raster::Raster;
use flow_infer::spec::{CouplingMask, Shape, View};
use flow_train_host::trace::Field;

/// An image: colours where it has three channels, else its first channel in grey.
pub(crate) fn photo(bytes: &[u8], shape: Shape) -> Raster {
    let (height, width) = (usize::from(shape.height), usize::from(shape.width));
    let plane = height * width;
    Raster::from_fn(width, height, |x, y| {
        let at = y * width + x;
        match shape.channels {
            3 => [0, 1, 2].map(|c| bytes[c * plane + at]),
            _ => grey(bytes[at]),
        }
    })
}

/// Numbers, coloured relative to a range.
pub(crate) fn array(values: &[f32], shape: Shape, range: f32) -> Raster {
    planes(shape, |i| diverging(values[i] / range))
}

/// Numbers at some coordinates, the others blank.
pub(crate) fn field(values: &Field, shape: Shape, range: f32) -> Raster {
    planes(shape, |i| values[i].map_or(BLANK, |v| diverging(v / range)))
}

/// Grey levels at some coordinates of the first channel, the others blank.
pub(crate) fn grey_field(bytes: &[Option<u8>], shape: Shape) -> Raster {
    planes(shape, |i| bytes[i].map_or(BLANK, grey))
}

fn planes(shape: Shape, mut colour: impl FnMut(usize) -> Rgb) -> Raster {
    let width = usize::from(shape.width);
    let height = usize::from(shape.channels) * usize::from(shape.height);
    Raster::from_fn(width, height, |x, y| colour(y * width + x))
}

/// A field without the gaps that a checkerboard or a split of channels leaves: each of them takes
/// the mean of the nearest values around it. Halves and quadrants stay as they are.
pub(crate) fn without_gaps(values: &Field, mask: CouplingMask, view: View) -> Field {
    if !is_interleaved(mask) {
        return values.clone();
    }
    // No farther than two pixels of the view: what lies beyond is no gap.
    let reach = 2 << view.squeezes();
    let near = |i: usize| (1..=reach).find_map(|distance| mean_around(values, view, i, distance));
    let filled = values.iter().enumerate();
    filled.map(|(i, value)| value.or_else(|| near(i))).collect()
}

/// Whether kept and changed coordinates alternate.
pub(crate) fn is_interleaved(mask: CouplingMask) -> bool {
    matches!(
        mask,
        CouplingMask::Checkerboard { .. } | CouplingMask::Channel { .. }
    )
}

/// The mean of the values within a square around a coordinate, in its plane.
fn mean_around(values: &Field, view: View, at: usize, distance: usize) -> Option<f32> {
    let shape = view.image();
    let (height, width) = (usize::from(shape.height), usize::from(shape.width));
    let (plane, y, x) = (at / (height * width), at / width % height, at % width);
    let rows = y.saturating_sub(distance)..=(y + distance).min(height - 1);
    let columns = x.saturating_sub(distance)..=(x + distance).min(width - 1);
    let (mut sum, mut count) = (0.0, 0.0);
    for y in rows {
        for x in columns.clone() {
            if let Some(value) = values[(plane * height + y) * width + x] {
                sum += value;
                count += 1.0;
            }
        }
    }
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_infer::spec::{Half, Parity};

    #[test]
    fn gaps_of_a_checkerboard_are_filled_and_halves_are_not() {
        let view = View::whole(Shape::new(1, 2, 2));
        let values = vec![Some(1.0), None, None, Some(3.0)];
        let kept = Parity::Odd;
        let filled = without_gaps(&values, CouplingMask::Checkerboard { kept }, view);
        assert_eq!(filled, [Some(1.0), Some(2.0), Some(2.0), Some(3.0)]);
        let kept = Half::First;
        let same = without_gaps(&values, CouplingMask::Horizontal { kept }, view);
        assert_eq!(same, values);
    }

    #[test]
    fn planes_lie_below_each_other() {
        let tile = array(&[0.0, 1.0, -1.0, 0.0], Shape::new(2, 1, 2), 1.0);
        assert_eq!((tile.width(), tile.height()), (2, 2));
        let wanted = [0.0, 1.0, -1.0, 0.0].map(diverging);
        assert_eq!(tile.bytes(), wanted.as_flattened());
        let photo = photo(&[1, 2, 3, 4, 5, 6], Shape::new(3, 1, 2));
        assert_eq!(photo.bytes(), [1, 3, 5, 2, 4, 6]);
    }
}
