//! Parts of benign images where they do not belong.

use super::{Picture, uniform};
use crate::random::SplitMix64;

/// A grey box over a twelfth to a half of the image.
pub(super) fn covered(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let grey = uniform(random, 0.0, 255.0).round();
    let mut span = |n: usize| {
        let len = (uniform(random, 0.3, 0.7) * n as f64).round() as usize;
        let start = random.below(n - len.min(n - 1));
        start..start + len
    };
    let (rows, columns) = (span(image.height), span(image.width));
    image.like(|c, y, x| match rows.contains(&y) && columns.contains(&x) {
        true => grey,
        false => image.at(c, y as isize, x as isize),
    })
}

/// Blocks in another order, `count` to a side; what is over at the edges stays.
fn jigsaw(image: &Picture, count: usize, random: &mut SplitMix64) -> Picture {
    let (height, width) = (image.height / count, image.width / count);
    let mut order: Vec<usize> = (0..count * count).collect();
    random.shuffle(&mut order);
    image.like(|c, y, x| {
        let (row, column) = (y.checked_div(height), x.checked_div(width));
        let (y, x) = match (row, column) {
            (Some(row), Some(column)) if row < count && column < count => {
                let from = order[row * count + column];
                let (up, left) = (from / count * height, from % count * width);
                (up + y % height, left + x % width)
            }
            _ => (y, x),
        };
        image.at(c, y as isize, x as isize)
    })
}

/// Its quarters in another order.
pub(super) fn quarters(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    jigsaw(image, 2, random)
}

/// Its sixteenths in another order.
pub(super) fn sixteenths(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    jigsaw(image, 4, random)
}

/// The mean of two.
pub(super) fn mixed(image: &Picture, other: &Picture, _: &mut SplitMix64) -> Picture {
    image.like(|c, y, x| {
        let at = |of: &Picture| of.at(c, y as isize, x as isize);
        (at(image) + at(other)) / 2.0
    })
}

/// The left half of one and the right half of another.
pub(super) fn spliced(image: &Picture, other: &Picture, _: &mut SplitMix64) -> Picture {
    image.like(|c, y, x| {
        let from = if 2 * x < image.width { image } else { other };
        from.at(c, y as isize, x as isize)
    })
}

/// Blocks of a quarter of a quarter of the side as one pixel each.
pub(super) fn pixelated(image: &Picture, _: &Picture, _: &mut SplitMix64) -> Picture {
    let block = (image.height.min(image.width) / 7).max(2);
    image.like(|c, y, x| {
        let (top, left) = (y / block * block, x / block * block);
        let rows = top..(top + block).min(image.height);
        let columns = left..(left + block).min(image.width);
        let count = (rows.len() * columns.len()) as f64;
        let pixels = rows.flat_map(|y| columns.clone().map(move |x| (y, x)));
        pixels
            .map(|(y, x)| image.at(c, y as isize, x as isize))
            .sum::<f64>()
            / count
    })
}

/// All pixels in another order, the same in every channel.
pub(super) fn permuted(image: &Picture, _: &Picture, random: &mut SplitMix64) -> Picture {
    let mut order: Vec<usize> = (0..image.height * image.width).collect();
    random.shuffle(&mut order);
    image.like(|c, y, x| {
        let from = order[y * image.width + x];
        image.at(
            c,
            (from / image.width) as isize,
            (from % image.width) as isize,
        )
    })
}
