//! Pictures of many sizes that become inputs of one.

use std::path::Path;

use flow_infer::front_end::{FrameError, FrameSpec, PixelFormat, Reduction, Region};
use flow_infer::spec::Shape;

use super::{Files, error_naming};
use crate::data::{DataError, Dataset, Images, Problem, ReadOptions, read};

/// Data as inputs of a reduction.
pub(super) fn load_as(path: &Path, reduction: Reduction) -> Result<Dataset, DataError> {
    let options = ReadOptions {
        reduction: Some(reduction),
        ..ReadOptions::default()
    };
    read(path, &options).map(|reading| reading.dataset)
}

fn images(files: &Files, reduction: Reduction) -> Images {
    match load_as(files.path(), reduction).unwrap() {
        Dataset::Images(images) => images,
        Dataset::Vectors(_) => panic!("vectors of pictures"),
    }
}

/// A grey picture of 2 x 2, a grey one of 4 x 2 and a coloured one of 2 x 2.
fn mixed() -> Files {
    let files = Files::new();
    files.write("a.pgm", b"P5 2 2 255\n\x0a\x14\x1e\x28");
    files.write("b.pgm", b"P5 4 2 255\n\x00\x02\x08\x0a\x10\x12\x18\x1a");
    let pixels = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]].concat();
    files.write("c.ppm", &[&b"P6 2 2 255\n"[..], &pixels].concat());
    files
}

#[test]
fn sizes_and_colours_may_differ() {
    let grey = images(&mixed(), Reduction::to(Shape::new(1, 1, 2)));
    assert_eq!(grey.len(), 3);
    // (10 + 30) / 2, (20 + 40) / 2; (0 + 2 + 16 + 18) / 4, (8 + 10 + 24 + 26) / 4; luma (77 + 29) 255/512 and
    // (150 255 / 256 + 9) / 2.
    assert_eq!(grey.pixels(), [20, 30, 9, 17, 53, 79]);
    let colour = images(&mixed(), Reduction::to(Shape::new(3, 1, 1)));
    assert_eq!(colour.pixels(), [25, 25, 25, 13, 13, 13, 66, 66, 66]);
}

#[test]
fn a_region_is_the_same_in_every_picture() {
    let region = Region {
        x: 1,
        y: 1,
        width: 1,
        height: 1,
    };
    let reduction = Reduction {
        region: Some(region),
        ..Reduction::to(Shape::new(1, 1, 1))
    };
    assert_eq!(images(&mixed(), reduction).pixels(), [40, 18, 9]);
}

#[test]
fn the_picture_that_cannot_be_reduced_is_named() {
    let files = mixed();
    let region = Region {
        x: 1,
        y: 0,
        width: 3,
        height: 2,
    };
    let beyond = Reduction {
        region: Some(region),
        ..Reduction::to(Shape::new(1, 1, 1))
    };
    let found = load_as(files.path(), beyond);
    let error = error_naming(&files.path().join("a.pgm"), found);
    assert!(matches!(error.problem, Problem::Frame(FrameError::Region)));
    let large = Reduction::to(Shape::new(1, 2, 3));
    let error = load_as(files.path(), large).unwrap_err();
    assert!(matches!(
        error.problem,
        Problem::Frame(FrameError::Enlarges)
    ));
    let only = Reduction {
        frame: Some(FrameSpec::new(PixelFormat::Yuyv, 2, 2)),
        ..Reduction::to(Shape::new(1, 1, 1))
    };
    let found = load_as(files.path(), only);
    let error = error_naming(&files.path().join("b.pgm"), found);
    assert!(matches!(
        error.problem,
        Problem::Frame(FrameError::OtherFrame)
    ));
}

#[test]
fn arrays_of_an_inputs_shape_are_inputs() {
    let files = Files::new();
    let idx = [
        &[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2][..],
        &[1, 2, 3, 6],
    ]
    .concat();
    let path = files.write("a.idx3", &idx);
    let read = |shape, region| {
        let reduction = Reduction {
            region,
            ..Reduction::to(shape)
        };
        match load_as(&path, reduction).unwrap() {
            Dataset::Images(images) => images.pixels().to_vec(),
            Dataset::Vectors(_) => panic!("vectors of images"),
        }
    };
    let corner = Some(Region {
        x: 0,
        y: 0,
        width: 1,
        height: 1,
    });
    assert_eq!(read(Shape::new(1, 1, 1), None), [3]);
    assert_eq!(read(Shape::new(1, 1, 1), corner), [1]);
    assert_eq!(read(Shape::new(1, 2, 2), None), [1, 2, 3, 6]);
}
