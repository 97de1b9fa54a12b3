//! Directories of images: order, what counts as an image, and one size for all.

use std::fs;

use super::pictures::{grey_png, size};
use super::{Files, error_naming};
use crate::data::{ImageSize, Problem, image_dir};

#[test]
fn a_directory_is_read_in_the_order_of_names() {
    let files = Files::new();
    files.write("b.pgm", b"P5 1 1 255\n\x02");
    files.write("10.PNG", &grey_png(1, 1, &[0]));
    files.write("2.png", &grey_png(1, 1, &[1]));
    files.write("c.jpeg", b"P5 1 1 255\n\x03"); // named wrongly, which does not matter
    files.write("labels.csv", b"not an image");
    files.write("._b.png", b"nor this one, which a file manager left");
    fs::create_dir(files.path().join("d.png")).unwrap();
    let images = image_dir::load(files.path()).unwrap();
    assert_eq!(
        (size(&images), images.pixels()),
        ([1, 1, 1], &[0, 1, 2, 3][..])
    );
}

#[test]
fn many_images_keep_their_order_across_batches() {
    let files = Files::new();
    for i in 0..600u32 {
        let pixels = [(i / 256) as u8, i as u8];
        files.write(
            &format!("{i:04}.pgm"),
            &[b"P5 2 1 255\n".as_slice(), &pixels].concat(),
        );
    }
    let images = image_dir::load(files.path()).unwrap();
    assert!(
        images
            .iter()
            .map(|two| two[0] as u32 * 256 + two[1] as u32)
            .eq(0..600)
    );
}

#[test]
fn mixed_sizes_name_the_first_that_differs() {
    let files = Files::new();
    files.write("a.png", &grey_png(2, 1, &[0, 1]));
    let taller = files.write("b.png", &grey_png(1, 2, &[0, 1]));
    files.write("c.png", b"worse, but later");
    let error = error_naming(&taller, image_dir::load(files.path()));
    let grey = |height, width| ImageSize {
        channels: 1,
        height,
        width,
    };
    assert!(matches!(
        error.problem,
        Problem::MixedSizes { expected, found } if expected == grey(1, 2) && found == grey(2, 1)
    ));
    assert!(
        error
            .to_string()
            .ends_with("image of 1x2x1, those before it are 1x1x2"),
        "{error}"
    );
}

#[test]
fn grey_among_colour_is_mixed_too() {
    let files = Files::new();
    files.write("a.ppm", b"P6 1 1 255\n\x01\x02\x03");
    let grey = files.write("b.pgm", b"P5 1 1 255\n\x01");
    let error = error_naming(&grey, image_dir::load(files.path()));
    assert!(matches!(error.problem, Problem::MixedSizes { .. }));
}

#[test]
fn a_bad_image_in_a_directory_is_named() {
    let files = Files::new();
    files.write("a.png", &grey_png(1, 1, &[0]));
    let text = files.write("b.png", b"hello");
    let error = error_naming(&text, image_dir::load(files.path()));
    assert!(matches!(
        error.problem,
        Problem::WrongMagic {
            found: [b'h', b'e', b'l', b'l'],
            ..
        }
    ));
    let empty = files.write("b.png", b"");
    let error = error_naming(&empty, image_dir::load(files.path()));
    assert!(matches!(error.problem, Problem::Empty));
}

#[test]
fn a_directory_without_images_holds_no_items() {
    let files = Files::new();
    files.write("readme.txt", b"");
    let error = error_naming(files.path(), crate::data::load(files.path()));
    assert!(matches!(error.problem, Problem::Empty));
}
