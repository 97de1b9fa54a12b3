//! Which reader gets a file.

use std::path::Path;

use super::fixtures::{self, bytes};
use super::{Files, error_naming, error_of};
use crate::data::{Dataset, Problem, load, load_bytes};

#[test]
fn the_content_decides_not_the_name() {
    let files = Files::new();
    let npy_called_csv = files.write("a.csv", &bytes(fixtures::NPY_F4));
    let csv_called_npy = files.write("b.npy", b"a,b,c\n0,1,2\n3,4,5\n");
    assert_eq!(
        load(&npy_called_csv).unwrap(),
        load(&csv_called_npy).unwrap()
    );
}

#[test]
fn every_format_may_be_gzipped() {
    for content in [
        bytes(fixtures::NPY_F4),
        bytes(fixtures::NPZ_STORED),
        bytes(fixtures::PNG_PALETTE),
        b"1,2\n".to_vec(),
    ] {
        let name = Path::new("a");
        let plain = load_bytes(name, content.clone()).unwrap();
        assert_eq!(load_bytes(name, super::gzip(&content)).unwrap(), plain);
    }
}

#[test]
fn a_single_image_is_a_set_of_one() {
    let one = load_bytes(Path::new("a.png"), bytes(fixtures::PNG_PALETTE)).unwrap();
    assert_eq!((one.len(), one.shape()), (1, [3, 2, 3]));
    assert!(matches!(one, Dataset::Images(_)));
}

#[test]
fn unknown_formats_are_refused() {
    for content in [
        b"\x7fELF\x02\x01\x01\x00".as_slice(),
        b"\0\0\x01\0",
        b"\xff\xfe1\0,\0",
    ] {
        assert!(
            matches!(error_of(content).problem, Problem::UnknownFormat),
            "{content:?}"
        );
    }
}

#[test]
fn a_missing_path_is_an_error_with_its_name() {
    let files = Files::new();
    let path = files.path().join("none");
    assert!(matches!(
        error_naming(&path, load(&path)).problem,
        Problem::Io(_)
    ));
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_read_like_a_file() {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"1,2\n3,4\n").unwrap();
    drop(writer);
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    assert_eq!(load(Path::new(&path)).unwrap().len(), 2);
}
