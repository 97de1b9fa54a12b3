//! IDX: the bytes themselves, as the format's description gives them.

use std::fs;

use super::{Files, error_naming, error_of, gzip, images_of};
use crate::data::idx::{load_images, load_labels, write_images, write_labels};
use crate::data::{Images, Position, Problem};

/// Two grey images of 2 x 3.
const TWO_GREY: &[u8] =
    b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03\x00\x01\x02\x03\x04\x05\xfa\xfb\xfc\xfd\xfe\xff";

/// One image of 2 channels, 1 x 2.
const ONE_OF_TWO_CHANNELS: &[u8] =
    b"\0\0\x08\x04\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\x02\x0a\x0b\x14\x15";

const LABELS: &[u8] = b"\0\0\x08\x01\0\0\0\x03\x07\x00\x09";

/// A header that claims `dims`, without values.
fn header(dims: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|dim| bytes.extend(dim.to_be_bytes()));
    bytes
}

#[test]
fn images_are_read_row_by_row() {
    let images = images_of(TWO_GREY);
    assert_eq!(
        (
            images.len(),
            images.channels(),
            images.height(),
            images.width()
        ),
        (2, 1, 2, 3)
    );
    assert_eq!(images.get(0), [0, 1, 2, 3, 4, 5]);
    assert_eq!(images.get(1), [250, 251, 252, 253, 254, 255]);
}

#[test]
fn four_dimensions_are_channels_rows_and_columns() {
    let images = images_of(ONE_OF_TWO_CHANNELS);
    assert_eq!(
        (
            images.len(),
            images.channels(),
            images.height(),
            images.width()
        ),
        (1, 2, 1, 2)
    );
    assert_eq!(images.get(0), [10, 11, 20, 21]);
}

#[test]
fn gzip_is_told_by_content_not_by_name() {
    assert_eq!(images_of(&gzip(TWO_GREY)), images_of(TWO_GREY));
    let files = Files::new();
    let plain_called_gz = files.write("a.gz", TWO_GREY);
    assert_eq!(load_images(&plain_called_gz).unwrap(), images_of(TWO_GREY));
}

#[test]
fn a_gzip_file_of_two_members_is_one_stream() {
    let (start, end) = TWO_GREY.split_at(20);
    let members = [gzip(start), gzip(end)].concat();
    assert_eq!(images_of(&members), images_of(TWO_GREY));
}

#[test]
fn writing_gives_the_literal_bytes() {
    let files = Files::new();
    for content in [TWO_GREY, ONE_OF_TWO_CHANNELS] {
        let path = files.path().join("images.idx");
        write_images(&path, &images_of(content)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    let path = files.path().join("labels.idx");
    write_labels(&path, &[7, 0, 9]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), LABELS);
}

#[test]
fn gzip_is_written_where_the_name_asks_and_without_a_date() {
    let files = Files::new();
    let path = files.path().join("images.idx3.gz");
    write_images(&path, &images_of(TWO_GREY)).unwrap();
    let written = fs::read(&path).unwrap();
    // Magic, deflate, no flags (so no name), time 0, slowest compression, unknown system.
    assert_eq!(written[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    assert_eq!(load_images(&path).unwrap(), images_of(TWO_GREY));
}

#[test]
fn labels_are_read_plain_and_gzipped() {
    let files = Files::new();
    assert_eq!(load_labels(&files.write("a", LABELS)).unwrap(), [7, 0, 9]);
    assert_eq!(
        load_labels(&files.write("b", &gzip(LABELS))).unwrap(),
        [7, 0, 9]
    );
}

#[test]
fn labels_and_images_are_not_taken_for_each_other() {
    assert!(matches!(error_of(LABELS).problem, Problem::LabelsAsImages));
    assert!(matches!(
        error_of(&gzip(LABELS)).problem,
        Problem::LabelsAsImages
    ));
    let files = Files::new();
    let path = files.write("images", TWO_GREY);
    let error = error_naming(&path, load_labels(&path));
    assert!(matches!(
        error.problem,
        Problem::WrongMagic {
            found: [0, 0, 8, 3],
            ..
        }
    ));
}

#[test]
fn another_type_or_format_is_named() {
    let floats = b"\0\0\x0d\x03\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\0";
    let error = error_of(floats);
    assert!(matches!(error.problem, Problem::WrongDtype { ref found, .. } if found == "f32"));
    let files = Files::new();
    let text = files.write("text", b"1,2,3\n");
    let error = error_naming(&text, load_images(&text));
    assert!(matches!(
        error.problem,
        Problem::WrongMagic {
            found: [b'1', b',', b'2', b','],
            ..
        }
    ));
}

#[test]
fn truncation_says_where_and_by_how_much() {
    let error = error_of(&TWO_GREY[..TWO_GREY.len() - 5]);
    assert_eq!(error.position, Some(Position::Byte(16)));
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 12,
            found: 7
        }
    ));
    let error = error_of(&TWO_GREY[..10]);
    assert_eq!(error.position, Some(Position::Byte(8)));
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 4,
            found: 2
        }
    ));
    // Compressed, the end comes as a surprise only when it is reached.
    let error = error_of(&gzip(&TWO_GREY[..TWO_GREY.len() - 5]));
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 12,
            found: 7
        }
    ));
}

#[test]
fn a_cut_gzip_stream_is_a_truncated_one_wherever_it_is_cut() {
    let whole = gzip(TWO_GREY);
    for len in 2..whole.len() {
        let error = error_of(&whole[..len]);
        assert!(
            matches!(error.problem, Problem::TruncatedGzip),
            "{len}: {error}"
        );
    }
}

#[test]
fn a_wrong_gzip_checksum_is_seen_though_the_images_are_whole() {
    let mut damaged = gzip(TWO_GREY);
    let crc = damaged.len() - 8;
    damaged[crc] ^= 1;
    assert!(matches!(
        error_of(&damaged).problem,
        Problem::CorruptCompression(_)
    ));
}

#[test]
fn bytes_after_the_last_image_are_refused() {
    let error = error_of(&[TWO_GREY, b"x"].concat());
    assert_eq!(error.position, Some(Position::Byte(28)));
    assert!(matches!(error.problem, Problem::TrailingBytes));
}

#[test]
fn nothing_is_not_a_data_set() {
    assert!(matches!(error_of(b"").problem, Problem::Empty));
    assert!(matches!(error_of(&gzip(b"")).problem, Problem::Empty));
    assert!(matches!(
        error_of(&header(&[0, 28, 28])).problem,
        Problem::Empty
    ));
    assert!(matches!(
        error_of(&header(&[5, 0, 28])).problem,
        Problem::Empty
    ));
}

#[test]
fn absurd_sizes_are_refused_before_anything_is_allocated() {
    let largest = u32::MAX;
    let terabytes = header(&[1_000_000, 1000, 1000]);
    let error = error_of(&terabytes);
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 1_000_000_000_000,
            found: 0
        }
    ));
    let error = error_of(&gzip(&terabytes));
    let Problem::SizeAbsurd {
        claimed: Some(1_000_000_000_000),
        at_most,
    } = error.problem
    else {
        panic!("{error}")
    };
    assert!(at_most < 100_000, "{at_most}");
    let beyond_64_bits = header(&[largest, largest, largest, largest]);
    let error = error_of(&beyond_64_bits);
    assert!(
        matches!(
            error.problem,
            Problem::SizeAbsurd {
                claimed: None,
                at_most: 0
            }
        ),
        "{error}"
    );
}

#[test]
fn the_bound_on_compressed_sizes_lets_the_best_compression_pass() {
    let side = 3000;
    let content = [header(&[1, side, side]), vec![0; (side * side) as usize]].concat();
    let compressed = gzip(&content);
    assert!(
        content.len() > 900 * compressed.len(),
        "{} bytes",
        compressed.len()
    );
    assert_eq!(images_of(&compressed).len(), 1);
}

#[test]
fn a_missing_file_is_an_error_with_its_name() {
    let files = Files::new();
    let path = files.path().join("none");
    let error = error_naming(&path, load_images(&path));
    assert!(matches!(error.problem, Problem::Io(_)));
}

#[test]
fn a_message_stays_on_one_line_though_the_file_name_does_not() {
    let files = Files::new();
    let path = files.write("two\nlines", LABELS);
    let message = load_images(&path).unwrap_err().to_string();
    assert!(
        message.ends_with("two\\nlines: holds labels, not images"),
        "{message}"
    );
}

#[test]
fn too_many_for_32_bits_is_an_error_when_writing() {
    // Such a size needs no memory as long as there is no image of it.
    let images = Images::new(1, 1 << 33, 1, Vec::new()).unwrap();
    let files = Files::new();
    let path = files.path().join("a.idx");
    write_images(&path, &images).unwrap_err();
    assert!(!path.exists());
}
