//! NPZ: NumPy's own archives, and what becomes of them when a byte is not what it was.

use super::fixtures::{self, bytes};
use super::{Files, error_of, images_of, vectors_of};
use crate::data::{Problem, ReadOptions, read};

#[test]
fn the_array_with_a_telling_name_is_chosen() {
    let images = images_of(&bytes(fixtures::NPZ_DEFLATED));
    assert_eq!((images.len(), images.height(), images.width()), (2, 3, 4));
    assert!(images.pixels().iter().copied().eq(0..24));
}

#[test]
fn the_only_array_is_chosen_whatever_its_name() {
    let vectors = vectors_of(&bytes(fixtures::NPZ_STORED));
    assert_eq!(vectors.values(), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(vectors.dims(), 2);
}

#[test]
fn several_arrays_without_a_telling_name_are_listed() {
    let error = error_of(&bytes(fixtures::NPZ_AMBIGUOUS));
    assert!(matches!(error.problem, Problem::AmbiguousArrays(ref names) if names == &["a", "b"]));
    assert!(
        error
            .to_string()
            .ends_with("holds arrays a, b: name one, --array a or FILE.npz:a"),
        "{error}"
    );
}

#[test]
fn an_array_is_named_by_an_option_or_behind_the_path() {
    let files = Files::new();
    let path = files.write("a.npz", &bytes(fixtures::NPZ_DEFLATED));
    let options = |name: &str| ReadOptions {
        array: Some(name.to_owned()),
        ..ReadOptions::default()
    };
    let images = read(&path, &options("images")).unwrap().dataset;
    let behind = files.path().join("a.npz:images");
    assert_eq!(
        read(&behind, &ReadOptions::default()).unwrap().dataset,
        images
    );
    let error = read(&path, &options("x_train")).unwrap_err().to_string();
    assert!(
        error.ends_with("no array \"x_train\": it holds y, images"),
        "{error}"
    );
    let table = files.write("a.csv", b"1,2\n");
    let error = read(&table, &options("x")).unwrap_err();
    assert!(matches!(error.problem, Problem::NoArrays(_)), "{error}");
    // A path that is there means itself.
    let odd = files.write("a.npz:y", b"1,2\n");
    assert_eq!(
        read(&odd, &ReadOptions::default()).unwrap().dataset.len(),
        1
    );
}

#[test]
fn a_changed_value_is_seen_by_its_checksum() {
    let mut damaged = bytes(fixtures::NPZ_STORED);
    let value = damaged
        .windows(4)
        .position(|four| four == 3f32.to_le_bytes())
        .unwrap();
    damaged[value] ^= 1;
    let error = error_of(&damaged);
    assert_eq!(error.member.as_deref(), Some("arr_0.npy"));
    assert!(
        matches!(error.problem, Problem::CorruptCompression(_)),
        "{error}"
    );
}

#[test]
fn a_cut_archive_is_refused_wherever_it_is_cut() {
    for fixture in [fixtures::NPZ_STORED, fixtures::NPZ_DEFLATED] {
        let whole = bytes(fixture);
        for len in 2..whole.len() {
            let error = error_of(&whole[..len]);
            assert!(
                matches!(error.problem, Problem::Malformed(_)),
                "{len}: {error}"
            );
        }
    }
}

#[test]
fn an_empty_archive_holds_no_items() {
    let only_the_end = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    assert!(matches!(error_of(&only_the_end).problem, Problem::Empty));
}

#[test]
fn an_error_inside_names_the_member() {
    // The same member called by a name that is no array: then there is none.
    let mut renamed = bytes(fixtures::NPZ_STORED);
    let names = find_all(&renamed, b"arr_0.npy");
    assert_eq!(
        names.len(),
        2,
        "in the member's header and in the directory"
    );
    for at in names {
        renamed[at..at + 9].copy_from_slice(b"arr_0.txt");
    }
    assert!(matches!(error_of(&renamed).problem, Problem::Empty));
}

fn find_all(content: &[u8], text: &[u8]) -> Vec<usize> {
    (0..content.len())
        .filter(|&at| content[at..].starts_with(text))
        .collect()
}
