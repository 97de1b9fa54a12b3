//! Inputs to look at: the first of each set, the most and the least like the model's own data, the mistakes.

use crate::evaluation::{Column, Set};
use crate::html::{Element, el};
use crate::picture::file::{data_uri, encode, png_of};
use crate::picture::{range_of, tile};
use flow_infer::gate::Decision;
use flow_infer::spec::Shape;
use flow_train_host::data::{Dataset, Images};

/// Pictures of a strip.
const COUNT: usize = 14;

/// The strips of a set under the deciding score; empty for vectors, which nobody can look at.
pub(super) fn strips(set: &Set, values: &[f64], is_benign: bool) -> Vec<Element> {
    let Dataset::Images(images) = &set.data else {
        return Vec::new();
    };
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let highest = order.iter().copied().take(COUNT);
    let lowest = order.iter().rev().copied().take(COUNT);
    let strip = |title: &str, indices: Vec<usize>| {
        let pictures = indices
            .into_iter()
            .map(|i| picture(images, set, i, values[i], is_benign));
        el("div")
            .class("strip")
            .child(el("h4").text(title))
            .child(el("div").class("pictures").children(pictures))
    };
    let (near, far) = match is_benign {
        true => ("highest scores", "lowest scores: the first to be rejected"),
        false => ("highest scores: the hardest to reject", "lowest scores"),
    };
    let mut strips = vec![
        strip("as they come", (0..values.len().min(COUNT)).collect()),
        strip(near, highest.collect()),
        strip(far, lowest.collect()),
    ];
    strips.extend(boundary(images, set, values, is_benign));
    strips
}

/// The images at the threshold with their names, each above where it is odd.
fn boundary(images: &Images, set: &Set, values: &[f64], is_benign: bool) -> Option<Element> {
    let range = range_of(set.heat.iter().flat_map(|map| map.nats.iter().copied()));
    let pairs = set.boundary.iter().zip(&set.heat).map(|(near, map)| {
        let image = picture(images, set, near.index, values[near.index], is_benign);
        let shape = Shape::new(1, map.height as u16, map.width as u16); // as the model's
        let heat = png_of(&tile::array(&map.nats, shape, range));
        let heat = heat.map_or_else(|_| String::new(), |png| data_uri(&png));
        let heat = el("img").attr("src", heat).attr("alt", "where it is odd");
        image
            .child(heat)
            .child(el("figcaption").class("name").text(&near.name))
    });
    let pairs: Vec<Element> = pairs.collect();
    let title = el("h4").text("at the threshold, the rejected ones first");
    let pictures = el("div").class("pictures").children(pairs.iter().cloned());
    let strip = el("div").class("strip").child(title).child(pictures);
    (!pairs.is_empty()).then_some(strip)
}

/// The values of a set under a score.
pub(super) fn values_of(column: &Column, set: Option<usize>) -> &[f64] {
    match set {
        None => &column.benign,
        Some(index) => &column.foreign[index],
    }
}

fn picture(images: &Images, set: &Set, index: usize, score: f64, is_benign: bool) -> Element {
    let decision = set.decisions.get(index);
    let accepted = decision.map(|d| *d == Decision::Accept);
    let (class, word) = match accepted {
        None => ("open", ""),
        Some(accepted) if accepted == is_benign => {
            ("right", if accepted { "accepted" } else { "rejected" })
        }
        Some(true) => ("wrong", "accepted: a miss"),
        Some(false) => ("wrong", "rejected: a false alarm"),
    };
    let name = set.items.get(index);
    let title = format!("{} {index}, {name}: {score:.1} nats {word}", set.name);
    el("figure")
        .class(class)
        .attr("title", title.trim())
        .child(
            el("img")
                .attr("src", image_uri(images, index))
                .attr("alt", &set.name),
        )
        .child(el("figcaption").text(format!("{score:.0}")))
}

/// The image as a PNG within the page.
fn image_uri(images: &Images, index: usize) -> String {
    let (pixels, colour) = interleaved(images, index);
    // Only an image without pixels cannot be written; it has nothing to show either.
    let png = encode((images.width(), images.height()), colour, &pixels);
    png.map_or_else(|_| String::new(), |png| data_uri(&png))
}

/// Pixels as PNG wants them: RGB where there are three channels, else the first as grey.
fn interleaved(images: &Images, index: usize) -> (Vec<u8>, png::ColorType) {
    let image = images.get(index);
    let plane = images.height() * images.width();
    match images.channels() {
        3 => {
            let pixel = |i: usize| [image[i], image[plane + i], image[2 * plane + i]];
            ((0..plane).flat_map(pixel).collect(), png::ColorType::Rgb)
        }
        _ => (image[..plane].to_vec(), png::ColorType::Grayscale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_pngs_of_their_pixels() {
        let images = Images::new(3, 1, 2, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let (pixels, _) = interleaved(&images, 0);
        assert_eq!(pixels, [1, 3, 5, 2, 4, 6]);
        // The PNG signature in base64.
        assert!(image_uri(&images, 0).starts_with("data:image/png;base64,iVBORw0KGgo"));
    }
}
