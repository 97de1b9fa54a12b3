//! What pictures are averaged to where nobody says it.

use flow_infer::front_end::Reduction;
use flow_infer::spec::Shape;
use flow_train_host::data::{Dataset, ImageSize};
use flow_train_host::families::Family;

/// Most inputs that are few: dense conditioners are the better choice for pictures, and vectors are smoothed.
const FEW: usize = 5000;
/// Side of what they read.
const DENSE_SIDE: u32 = 16;
/// Pixels of an input to windows, about: what a microcontroller decides on in well under a second.
const AREA: f64 = 1024.0;
/// Sides are multiples of this, which every family of windows reads.
const MULTIPLE: u32 = 4;
/// Pictures of one size with at most so many pixels are inputs as they are.
const SMALL: u32 = 48 * 48;

/// Most coordinates that are worth a whitening where nobody asks for one: its rows are their square.
const WHITENED: usize = 64;

/// Whether vectors are few: whitened, smoothed, by a small flow.
pub(super) fn is_few(data: &Dataset, items: usize) -> bool {
    match data {
        Dataset::Images(_) => false,
        Dataset::Vectors(vectors) => {
            items <= FEW && vectors.dims() <= WHITENED && vectors.windows().is_none()
        }
    }
}

/// The family of images where nobody names one: few of a size that dense conditioners read, or others.
pub(super) fn family(items: usize, height: u16, width: u16) -> Family {
    match items <= FEW && Family::Dense.reads(height, width) {
        true => Family::Dense,
        false => Family::RealNvp,
    }
}

/// Grey, no side longer than that of the smallest picture; none where pictures are inputs as they are.
pub(super) fn chosen(sizes: &[ImageSize], family: Option<Family>) -> Option<Reduction> {
    let first = sizes.first()?;
    let is_dense = match family {
        Some(family) => family == Family::Dense,
        None => sizes.len() <= FEW,
    };
    let side = |n: u32| u16::try_from(n).unwrap_or(0);
    let is_read = match is_dense {
        true => Family::Dense.reads(side(first.height), side(first.width)),
        false => {
            let whole = |side: u32| side.is_multiple_of(MULTIPLE);
            first.width * first.height <= SMALL && whole(first.width) && whole(first.height)
        }
    };
    if is_read && sizes.iter().all(|size| size == first) {
        return None;
    }
    let (width, height) = match is_dense {
        true => dense(sizes),
        false => windows(sizes),
    };
    Some(Reduction::to(Shape::new(1, height, width)))
}

fn dense(sizes: &[ImageSize]) -> (u16, u16) {
    let least = sizes.iter().map(|size| size.width.min(size.height)).min();
    match least.is_some_and(|least| least < DENSE_SIDE) {
        true => (8, 8),
        false => (16, 16),
    }
}

/// About square pixels.
fn windows(sizes: &[ImageSize]) -> (u16, u16) {
    let mut aspects: Vec<f64> = sizes
        .iter()
        .map(|size| f64::from(size.width) / f64::from(size.height.max(1)))
        .collect();
    aspects.sort_by(f64::total_cmp);
    let aspect = aspects[aspects.len() / 2].clamp(0.25, 4.0);
    let side = |length: f64, most: Option<u32>| {
        let rounded = (length / f64::from(MULTIPLE)).round() as u32;
        let most = most.unwrap_or(0) / MULTIPLE;
        let side = MULTIPLE * rounded.clamp(2, most.max(2));
        u16::try_from(side).unwrap_or(u16::MAX)
    };
    let width = side(
        (AREA * aspect).sqrt(),
        sizes.iter().map(|size| size.width).min(),
    );
    let height = side(
        (AREA / aspect).sqrt(),
        sizes.iter().map(|size| size.height).min(),
    );
    (width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(family: Option<Family>, sizes: &[(u32, u32)]) -> Option<(u16, u16)> {
        let size = |&(width, height): &(u32, u32)| ImageSize {
            channels: 3,
            height,
            width,
        };
        let sizes: Vec<ImageSize> = sizes.iter().map(size).collect();
        chosen(&sizes, family).map(|r| (r.output.width, r.output.height))
    }

    #[test]
    fn windows_follow_the_pictures() {
        let of = |sizes: &[(u32, u32)]| of(Some(Family::RealNvp), sizes);
        assert_eq!(of(&[(640, 640), (300, 320)]), Some((32, 32)));
        assert_eq!(of(&[(640, 480), (320, 240)]), Some((36, 28)));
        assert_eq!(of(&[(4000, 1000)]), Some((64, 16)));
        assert_eq!(of(&[(640, 18), (640, 480)]), Some((64, 16)));
        assert_eq!(of(&[(28, 28), (28, 28)]), None);
        assert_eq!(of(&[(27, 28), (27, 28)]), Some((24, 28)));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn few_pictures_are_for_dense_conditioners() {
        assert_eq!(of(None, &[(640, 480), (300, 320)]), Some((16, 16)));
        assert_eq!(of(None, &[(640, 480), (15, 320)]), Some((8, 8)));
        assert_eq!(of(None, &[(16, 16); 3]), None);
        assert_eq!(of(None, &vec![(28, 28); 6000]), None);
        assert_eq!(
            of(Some(Family::Dense), &vec![(28, 28); 6000]),
            Some((16, 16))
        );
        assert_eq!(family(600, 16, 16), Family::Dense);
        assert_eq!(family(600, 28, 28), Family::RealNvp);
        assert_eq!(family(60_000, 16, 16), Family::RealNvp);
    }
}
