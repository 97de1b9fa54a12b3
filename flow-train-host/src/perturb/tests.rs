use super::*;
use std::collections::BTreeSet;

/// A bright square on black, with a gradient so that no symmetry hides a change.
fn squares(count: usize, [c, h, w]: [usize; 3]) -> Dataset {
    let pixels = (0..count * c * h * w).map(|i| {
        let (y, x) = (i / w % h, i % w);
        let inside = (h / 4..3 * h / 4).contains(&y) && (w / 4..3 * w / 4).contains(&x);
        if inside {
            (100 + 5 * y + 3 * x + i / (h * w) % 7).min(255) as u8
        } else {
            0
        }
    });
    Dataset::Images(Images::new(c, h, w, pixels.collect()).unwrap())
}

fn pixels(data: &Dataset) -> &[u8] {
    match data {
        Dataset::Images(images) => images.pixels(),
        Dataset::Vectors(_) => &[],
    }
}

#[test]
fn every_family_changes_every_image_and_keeps_its_shape() {
    for shape in [[1, 28, 28], [3, 9, 14], [1, 5, 4]] {
        let data = squares(5, shape);
        let found: Vec<_> = families(&data, 3, 1).collect();
        assert_eq!(found.len(), IMAGES.len());
        let names: BTreeSet<_> = found.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), IMAGES.len());
        for (name, perturbed) in &found {
            assert_eq!((perturbed.len(), perturbed.shape()), (3, shape), "{name}");
            let same = pixels(perturbed) == &pixels(&data)[..pixels(perturbed).len()];
            assert!(!same, "{name} changes nothing");
        }
    }
}

#[test]
fn kinds_keep_the_shape_and_are_what_they_say() {
    let data = squares(3, [1, 28, 28]);
    let Dataset::Images(images) = &data else {
        panic!("images");
    };
    let of = |wanted: &str| {
        kinds(images, 3, 1)
            .find(|(name, _)| *name == wanted)
            .unwrap()
            .1
    };
    assert_eq!(kinds(images, 3, 1).count(), kinds::KINDS.len());
    assert!(kinds(images, 2, 1).all(|(_, k)| k.len() == 2 && k.shape() == [1, 28, 28]));
    let original = &pixels(&data)[..784];
    let reversed: Vec<u8> = original.rchunks(28).flatten().copied().collect();
    assert_eq!(pixels(&of("upside_down"))[..784], reversed);
    let turned = of("rotated_90");
    let at = |image: &[u8], y: usize, x: usize| image[28 * y + x];
    assert_eq!(at(pixels(&turned), 3, 7), at(original, 7, 24));
    assert!(pixels(&of("black")).iter().all(|&p| p == 0));
    assert_eq!(at(pixels(&of("half_size")), 7, 7), 0);
    assert!(at(pixels(&of("half_size")), 14, 14) > 0);
}

#[test]
fn the_same_seed_gives_the_same_images_and_another_others() {
    let data = squares(4, [1, 12, 12]);
    let of = |seed| families(&data, 4, seed).map(|f| f.1).collect::<Vec<_>>();
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
}

#[test]
fn a_negative_of_each_image_is_of_a_family_that_was_named() {
    let data = squares(40, [1, 12, 12]);
    let Dataset::Images(images) = &data else {
        panic!("images");
    };
    let named = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
        negatives(images, &names, 5, 0.0)
    };
    let inverted: Vec<u8> = images.pixels().iter().map(|p| 255 - p).collect();
    assert_eq!(named(&["inverted"]).pixels(), inverted);
    let two = named(&["inverted", "constant"]);
    let of = |negative: &[u8]| negative.iter().all(|&p| p == negative[0]);
    let constant = two.iter().filter(|negative| of(negative)).count();
    let turned = two.iter().zip(inverted.chunks(144)).filter(|(a, b)| a == b);
    assert_eq!(constant + turned.count(), 40);
    assert!((8..=32).contains(&constant), "{constant}");
    assert!(named(&["nothing"]).is_empty());
    let twice = negatives(images, &["inverted".to_owned()], 5, 1.0);
    assert_eq!(twice.pixels(), images.pixels());
    assert_eq!(named(&["inverted", "salt"]), named(&["salt", "inverted"]));
}

#[test]
fn what_some_families_do_is_exact() {
    let data = squares(2, [1, 8, 8]);
    let of = |wanted: &str| {
        families(&data, 1, 9)
            .find(|(name, _)| *name == wanted)
            .unwrap()
            .1
    };
    let original = &pixels(&data)[..64];
    let inverted: Vec<u8> = original.iter().map(|p| 255 - p).collect();
    assert_eq!(pixels(&of("inverted")), inverted);
    let (mut permuted, mut sorted) = (pixels(&of("permuted")).to_vec(), original.to_vec());
    permuted.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(permuted, sorted, "the same pixels in another order");
    let constant = of("constant");
    assert!(pixels(&constant).windows(2).all(|w| w[0] == w[1]));
}

#[test]
fn what_is_painted_black_is_the_black_of_the_sensor() {
    // A camera whose black is 1 or 2, and a picture of another that was turned upside down in light.
    let frame = (0..3 * 64).map(|i| {
        if i % 64 < 32 {
            1 + (i * 7 % 3 / 2) as u8
        } else {
            200
        }
    });
    let frames = Images::new(1, 8, 8, frame.collect()).unwrap();
    for (name, found) in families(&Dataset::Images(frames), 3, 4) {
        let least = pixels(&found).iter().min();
        assert!(
            least.is_some_and(|&p| p >= 1),
            "{name} is darker than the sensor: {least:?}"
        );
    }
    // Where black is 0 it stays, and where nothing is dark nothing is known of it.
    let clean = Images::new(1, 8, 8, (0..128).map(|i| (i % 2 * 180) as u8).collect()).unwrap();
    let bright = Images::new(1, 8, 8, (0..128).map(|i| 90 + i as u8).collect()).unwrap();
    for images in [clean, bright] {
        let lines: Vec<u8> = images.pixels()[..64].iter().map(|p| 255 - p).collect();
        let found = families(&Dataset::Images(images), 1, 4).find(|(name, _)| *name == "inverted");
        assert_eq!(pixels(&found.unwrap().1), lines);
    }
}

#[test]
fn vectors_have_families_of_their_own() {
    let values = (0..60).map(|i| (i * 37 % 23) as f32).collect();
    let data = Dataset::Vectors(Vectors::new(3, values).unwrap());
    let found: Vec<_> = families(&data, 10, 2).collect();
    assert_eq!(found.len(), vectors::FAMILIES.len());
    for (name, perturbed) in found {
        let Dataset::Vectors(perturbed) = perturbed else {
            panic!("{name}: not vectors");
        };
        assert_eq!((perturbed.len(), perturbed.dims()), (10, 3), "{name}");
        assert!(perturbed.values().iter().all(|v| v.is_finite()), "{name}");
    }
}
