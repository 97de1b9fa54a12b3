//! Kinds of foreign images to evaluate a gate on, made of benign ones: each of one fixed strength.
//!
//! Not the families that `calibrate` chooses by (though both know noise and blur): a figure on those would be one on the
//! training data of the choice. No model, score or table is fitted to these.

use super::tone::{blur, noisy};
use super::{Picture, nothing, parts};
use crate::random::SplitMix64;

type OnPicture = fn(&Picture, &Picture, &mut SplitMix64) -> Picture;

/// A name and what is done to one image, beside which another benign one is given.
pub(super) const KINDS: [(&str, OnPicture); 25] = [
    ("upside_down", |a, _, _| {
        from(a, |[h, _], [y, x]| [h - 1 - y, x])
    }),
    ("rotated_90", |a, _, _| {
        from(a, |[h, w], [y, x]| [x * h / w, (h - 1 - y) * w / h])
    }),
    ("mirrored", |a, _, _| {
        from(a, |[_, w], [y, x]| [y, w - 1 - x])
    }),
    ("quadrants", |a, _, _| {
        from(a, |[h, w], [y, x]| [(y + h / 2) % h, (x + w / 2) % w])
    }),
    ("inverted", |a, _, _| each(a, |p| 255.0 - p)),
    ("contrast_half", |a, _, _| each(a, |p| p / 2.0)),
    ("brighter_64", |a, _, _| each(a, |p| p + 64.0)),
    ("blur_1", |a, _, _| blur(a, 1.0)),
    ("blur_2", |a, _, _| blur(a, 2.0)),
    ("noise_5", |a, _, random| noisy(a, 5.0, random)),
    ("noise_10", |a, _, random| noisy(a, 10.0, random)),
    ("noise_30", |a, _, random| noisy(a, 30.0, random)),
    ("noise_60", |a, _, random| noisy(a, 60.0, random)),
    ("shifted", |a, _, _| shifted(a)),
    ("half_size", |a, _, _| half_size(a)),
    ("half_black", |a, _, _| half(a, 0.0)),
    ("half_grey", |a, _, _| half(a, 128.0)),
    ("stuck_rows", |a, _, _| {
        a.like(|c, y, x| {
            if y % 4 == 0 {
                255.0
            } else {
                a.at(c, y as isize, x as isize)
            }
        })
    }),
    ("mixed", parts::mixed),
    ("permuted", parts::permuted),
    ("black", |a, _, _| a.like(|_, _, _| 0.0)),
    ("white", |a, _, _| a.like(|_, _, _| 255.0)),
    ("constant", nothing::constant),
    ("uniform_noise", nothing::uniform_noise),
    ("normal_noise", nothing::normal_noise),
];

/// Every pixel from the place that a map of [height, width] and [row, column] gives.
fn from(image: &Picture, map: impl Fn([usize; 2], [usize; 2]) -> [usize; 2]) -> Picture {
    let size = [image.height, image.width];
    image.like(|c, y, x| {
        let [y, x] = map(size, [y, x]);
        image.at(c, y as isize, x as isize)
    })
}

fn each(image: &Picture, of: impl Fn(f64) -> f64) -> Picture {
    let pixels = image.pixels.iter().map(|&p| of(p).clamp(0.0, 255.0));
    Picture {
        pixels: pixels.collect(),
        ..*image
    }
}

/// Down by 6 of 28 parts, black above.
fn shifted(image: &Picture) -> Picture {
    let by = image.height * 6 / 28;
    image.like(|c, y, x| match y.checked_sub(by) {
        Some(y) => image.at(c, y as isize, x as isize),
        None => 0.0,
    })
}

/// Half as large, on black.
fn half_size(image: &Picture) -> Picture {
    let (top, left) = (image.height / 4, image.width / 4);
    image.like(|c, y, x| {
        let (Some(y), Some(x)) = (y.checked_sub(top), x.checked_sub(left)) else {
            return 0.0;
        };
        let (y, x) = (2 * y, 2 * x);
        if y + 1 >= image.height || x + 1 >= image.width {
            return 0.0;
        }
        let at = |i: usize, j: usize| image.at(c, (y + i) as isize, (x + j) as isize);
        (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0
    })
}

/// The upper half in one grey.
fn half(image: &Picture, grey: f64) -> Picture {
    image.like(|c, y, x| match 2 * y < image.height {
        true => grey,
        false => image.at(c, y as isize, x as isize),
    })
}
