//! Directories of images: order, what counts as an image, and one size for all.

use std::fs;

use super::pictures::grey_png;
use super::{Files, error_naming};
use crate::data::{Dataset, ImageSize, ItemNames, Problem, ReadOptions, image_dir, read};

#[test]
fn a_directory_is_read_in_the_natural_order_of_paths() {
    let files = Files::new();
    files.write("b.pgm", b"P5 1 1 255\n\x02");
    files.write("10.PNG", &grey_png(1, 1, &[1]));
    files.write("2.png", &grey_png(1, 1, &[0]));
    files.write("c.jpeg", b"P5 1 1 255\n\x04"); // named wrongly, which does not matter
    fs::create_dir_all(files.path().join("bird/old")).unwrap();
    files.write("bird/1.png", &grey_png(1, 1, &[3]));
    files.write("bird/old/1.png", &grey_png(1, 1, &[5]));
    let read = read(files.path(), &ReadOptions::default()).unwrap();
    let Dataset::Images(images) = &read.dataset else {
        panic!("no images")
    };
    let names = [
        "2.png",
        "10.PNG",
        "b.pgm",
        "bird/1.png",
        "bird/old/1.png",
        "c.jpeg",
    ];
    assert_eq!(
        read.items,
        ItemNames::Files(names.map(String::from).to_vec())
    );
    assert_eq!(images.pixels(), [0, 1, 2, 3, 5, 4]);
    assert_eq!(read.notices, []);
    assert_eq!(read.items.take(1..9).get(2).to_string(), "bird/1.png");
}

#[test]
fn what_is_passed_over_is_counted_and_named() {
    let files = Files::new();
    files.write("a.png", &grey_png(1, 1, &[0]));
    files.write("b.gif", b"GIF89a");
    files.write("labels.csv", b"not an image");
    files.write("._b.png", b"nor this one, which a file manager left");
    fs::create_dir(files.path().join("more")).unwrap();
    for i in 0..7 {
        files.write(&format!("more/{i}.heic"), b"");
    }
    #[cfg(unix)]
    {
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, files.path().join(name)).unwrap();
        };
        link("nowhere.png", "gone.png");
        link("..", "more/back");
    }
    let read = read(files.path(), &ReadOptions::default()).unwrap();
    assert_eq!(read.dataset.len(), 1);
    let said: Vec<String> = read.notices.iter().map(|n| n.what.to_string()).collect();
    let mut wanted = vec![
        "8 pictures of a format that is not read passed over: b.gif, more/0.heic, more/1.heic, \
         more/2.heic, more/3.heic and 3 more",
        "1 files that are no pictures passed over: labels.csv",
        "1 hidden files passed over: ._b.png",
    ];
    #[cfg(unix)]
    wanted.extend([
        "1 links that lead nowhere passed over: gone.png",
        "1 folders that lie too deep or lead back passed over: more/back",
    ]);
    assert_eq!(said, wanted);
}

#[test]
fn the_size_of_the_model_decides_which_image_is_wrong() {
    let files = Files::new();
    let first = files.write("a.png", &grey_png(2, 1, &[0, 1]));
    files.write("b.png", &grey_png(1, 2, &[0, 1]));
    let size = ImageSize {
        channels: 1,
        height: 2,
        width: 1,
    };
    let options = ReadOptions {
        size: Some(size),
        ..ReadOptions::default()
    };
    let error = error_naming(&first, read(files.path(), &options));
    assert!(
        error
            .to_string()
            .ends_with("image of 1x1x2, but the model reads images of 1x2x1"),
        "{error}"
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
fn grey_and_colour_meet_where_nothing_is_lost() {
    let files = Files::new();
    files.write("a.ppm", b"P6 1 1 255\n\x01\x02\x03");
    files.write("b.pgm", b"P5 1 1 255\n\x07");
    let images = image_dir::load(files.path()).unwrap();
    assert_eq!(images.pixels(), [1, 2, 3, 7, 7, 7]);
    let files = Files::new();
    files.write("a.pgm", b"P5 1 1 255\n\x01");
    files.write("b.ppm", b"P6 1 1 255\n\x07\x07\x07");
    let images = image_dir::load(files.path()).unwrap();
    assert_eq!(images.pixels(), [1, 7]);
    let colour = files.write("c.ppm", b"P6 1 1 255\n\x07\x07\x08");
    let error = error_naming(&colour, image_dir::load(files.path()));
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
fn a_directory_without_images_says_what_it_holds() {
    let files = Files::new();
    files.write("readme.txt", b"");
    let error = error_naming(files.path(), crate::data::load(files.path()));
    assert!(matches!(error.problem, Problem::NoPictures(_)));
    assert!(
        error
            .to_string()
            .ends_with("holds no pictures: 1 files that are no pictures passed over: readme.txt"),
        "{error}"
    );
}
