//! Damaged files of every format: never a panic, never a message of two lines.

use std::path::Path;

use super::fixtures::{self, bytes};
use super::gzip;
use crate::data::load_bytes;

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let idx = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03abcdefghijkl".to_vec();
    vec![
        ("idx.gz", gzip(&idx)),
        ("idx", idx),
        ("npy", bytes(fixtures::NPY_F4)),
        ("big.npy", big_endian_fortran()),
        ("deflated.npz", bytes(fixtures::NPZ_DEFLATED)),
        ("stored.npz", bytes(fixtures::NPZ_STORED)),
        ("png", bytes(fixtures::PNG_PALETTE)),
        ("grey.jpeg", bytes(fixtures::JPEG_GREY)),
        ("progressive.jpeg", bytes(fixtures::JPEG_PROGRESSIVE)),
        ("rgb.jpeg", bytes(fixtures::JPEG_RGB)),
        ("pgm", b"P5 # c\n2 2 255\nabcd".to_vec()),
        ("csv", b"\"a\",b\n1.5,2\n-3e4,\"5\"\n".to_vec()),
    ]
}

/// The fixture of three dimensions with its 24 values arranged as 24 vectors.
fn big_endian_fortran() -> Vec<u8> {
    let mut content = bytes(fixtures::NPY_FORTRAN_BIG);
    let at = content
        .windows(9)
        .position(|nine| nine == b"(2, 3, 4)")
        .unwrap();
    content[at..at + 9].copy_from_slice(b"(24,  1) ");
    content
}

/// Loads whatever it is; what comes out, if anything, must be usable and be told on one line.
fn survive(name: &str, content: Vec<u8>) {
    match load_bytes(Path::new(name), content) {
        Ok(data) => assert!(!data.is_empty() && data.dims() > 0, "{name}"),
        Err(error) => {
            let message = error.to_string();
            assert!(message.starts_with(name), "{message}");
            assert!(!message.contains(char::is_control), "{message:?}");
        }
    }
}

#[test]
fn every_beginning_of_every_file_is_survived() {
    for (name, whole) in files() {
        for len in 0..whole.len() {
            survive(name, whole[..len].to_vec());
        }
    }
}

#[test]
fn every_changed_byte_of_every_file_is_survived() {
    for (name, whole) in files() {
        load_bytes(Path::new(name), whole.clone()).expect("whole, it is read");
        for place in 0..whole.len() {
            for change in [0x01, 0x80, 0xff, whole[place], b'\n' ^ whole[place]] {
                let mut damaged = whole.clone();
                damaged[place] ^= change;
                survive(name, damaged);
            }
        }
    }
}

#[test]
fn random_damage_of_every_file_is_survived() {
    let seed = 0x5eed_0fda_7a00;
    println!("seed {seed:#x}");
    let mut random = Xorshift(seed);
    for (name, whole) in files() {
        for _ in 0..300 {
            let mut damaged = whole.clone();
            for _ in 0..1 + random.below(6) {
                let place = random.below(damaged.len());
                match random.below(4) {
                    0 => damaged.truncate(place.max(1)),
                    1 => damaged.insert(place, random.below(256) as u8),
                    2 => damaged.extend_from_within(place..),
                    _ => damaged[place] = random.below(256) as u8,
                }
            }
            survive(name, damaged);
        }
    }
}

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
