//! The two types that all readers give.

use crate::data::{Dataset, Images, ShapeMismatch, Vectors};

fn three_images() -> Images {
    Images::new(1, 1, 2, vec![0, 1, 2, 3, 4, 5]).unwrap()
}

#[test]
fn values_must_divide_into_items() {
    let mismatch = Images::new(3, 2, 2, vec![0; 13]).unwrap_err();
    assert_eq!(
        mismatch,
        ShapeMismatch {
            item_len: 12,
            values: 13
        }
    );
    assert_eq!(
        mismatch.to_string(),
        "13 values do not divide into items of 12"
    );
    assert_eq!(
        Vectors::new(0, vec![]),
        Err(ShapeMismatch {
            item_len: 0,
            values: 0
        })
    );
    assert!(Images::new(1, 0, 2, vec![]).is_err());
    assert!(
        Images::new(usize::MAX, 2, 2, vec![]).is_err(),
        "a product beyond usize"
    );
}

#[test]
fn a_range_is_cut_to_what_there_is() {
    let images = three_images();
    assert_eq!(images.take(1..2).pixels(), [2, 3]);
    assert_eq!(images.take(0..100), images);
    assert_eq!(images.take(2..usize::MAX).pixels(), [4, 5]);
    assert!(images.take(7..9).is_empty());
    #[allow(clippy::reversed_empty_ranges)]
    let reversed = images.take(2..1);
    assert!(reversed.is_empty());
    let vectors = Vectors::new(2, vec![0.0, 1.0, 2.0, 3.0]).unwrap();
    assert_eq!(vectors.take(1..9).values(), [2.0, 3.0]);
}

#[test]
fn items_come_in_order() {
    let images = three_images();
    let pixels: Vec<&[u8]> = images.iter().collect();
    assert_eq!(pixels, [[0, 1], [2, 3], [4, 5]]);
    assert_eq!(images.get(2), [4, 5]);
}

#[test]
fn a_data_set_says_its_size_whichever_it_is() {
    let images = Dataset::Images(three_images());
    assert_eq!(
        (images.len(), images.dims(), images.shape()),
        (3, 2, [1, 1, 2])
    );
    assert_eq!(images.take(0..2).len(), 2);
    let vectors = Dataset::Vectors(Vectors::new(4, vec![0.0; 8]).unwrap());
    assert_eq!(
        (vectors.len(), vectors.dims(), vectors.shape()),
        (2, 4, [4, 1, 1])
    );
    assert!(!vectors.is_empty() && vectors.take(0..0).is_empty());
}
