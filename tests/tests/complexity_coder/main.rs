//! The complexity coder is a lossless code, its length is the one it claims, and its bits stay what they are.

mod images;
mod range_coder;

use flow_infer::score::complexity::{Coder, UNITS_PER_BIT, WrongLength, code_length};
use flow_infer::spec::Shape;
use flow_tests::random::SplitMix64;
use images::{Picture, SAMPLE_SHAPE, SHAPES, drawn, kinds, sample};
use range_coder::{decode, encode};

/// Bits by which a code may exceed its length, whatever its size: the four bytes that end it.
const END_BITS: f64 = 32.0;
/// And by how much of its length both may differ: `cost` is exact to 2 units of 2^-16 bit a decision, and the coder's
/// interval, at least 2^24 wide but for rare straddles, rounds a probability by at most 2^-8 of 2^-12.
const RELATIVE: f64 = 1e-3;

fn units(picture: &Picture, coder: &mut Coder) -> u64 {
    match code_length(&picture.bytes, picture.shape, coder) {
        Ok(length) => length.units(),
        Err(error) => panic!("{}: {error}", picture.name),
    }
}

fn bits(picture: &Picture) -> f64 {
    units(picture, &mut Coder::new()) as f64 / UNITS_PER_BIT as f64
}

/// Codes and decodes, and compares the bytes written with the length claimed.
fn check(picture: &Picture) {
    let bytes = encode(&picture.bytes, picture.shape);
    assert!(
        decode(&bytes, picture.shape) == picture.bytes,
        "{} comes back changed",
        picture.name
    );
    let (written, claimed) = (8.0 * bytes.len() as f64, bits(picture));
    let over = written - claimed;
    let allowed = END_BITS + RELATIVE * claimed;
    assert!(
        over > -RELATIVE * claimed && over < allowed,
        "{}: {written} bits written, {claimed} claimed",
        picture.name
    );
}

#[test]
fn real_images_come_back_and_have_the_length_claimed() {
    for name in ["fashion-mnist", "mnist"] {
        sample(name, 150).iter().for_each(check);
    }
}

#[test]
fn images_of_every_shape_and_kind_come_back() {
    let seed = 20_260_711;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    for shape in SHAPES {
        kinds(shape, &mut random).iter().for_each(check);
    }
}

#[test]
fn any_bytes_decode_to_an_image_whose_code_decodes_to_it() {
    let seed = 4_711;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    for shape in SHAPES {
        for _ in 0..20 {
            let garbage: Vec<u8> = (0..random.below(200))
                .map(|_| random.bits() as u8)
                .collect();
            let bytes = decode(&garbage, shape);
            check(&Picture {
                name: format!("decoded garbage {shape}"),
                shape,
                bytes,
            });
        }
    }
}

/// Literal lengths: whoever changes a bit of the coder changes these, and with them every golden vector.
#[test]
fn lengths_of_small_images_are_these() {
    type At = fn(usize, usize, usize) -> u8;
    let (pixel, grey, colour) = (
        Shape::new(1, 1, 1),
        Shape::new(1, 8, 8),
        Shape::new(3, 8, 8),
    );
    let checkerboard: At = |_, y, x| 255 * ((y + x) % 2) as u8;
    let gradient: At = |_, y, x| (10 + 7 * y + 5 * x) as u8;
    let blocks: At = |c, y, x| ((y / 3) * 91 + (x / 4) * 57 + c * 13) as u8;
    let scattered: At = |c, y, x| (c * 17 + y * y * 29 + x * x * x * 7) as u8;
    let literal: [(&str, Shape, At, u64); 7] = [
        ("black", pixel, |_, _, _| 0, 131_072),
        ("white", pixel, |_, _, _| 255, 589_824),
        ("grey", grey, |_, _, _| 100, 1_381_497),
        ("gradient", grey, gradient, 4_472_977),
        ("checkerboard", grey, checkerboard, 27_466_779),
        ("blocks", colour, blocks, 15_271_886),
        ("scattered", colour, scattered, 48_441_666),
    ];
    let mut coder = Coder::new();
    for (name, shape, at, wanted) in literal {
        let found = units(&drawn(name, shape, at), &mut coder);
        assert_eq!(found, wanted, "{name} {shape}");
    }
}

/// The committed samples, in units of 2^-16 bit: 3.51 bits per pixel of FashionMNIST and 1.44 of MNIST.
#[test]
fn lengths_of_the_samples_are_these() {
    let total = |name| -> u64 {
        let mut coder = Coder::new();
        let pictures = sample(name, usize::MAX);
        pictures.iter().map(|p| units(p, &mut coder)).sum()
    };
    assert_eq!(total("fashion-mnist"), 180_298_603_866);
    assert_eq!(total("mnist"), 37_080_955_606);
}

#[test]
fn simpler_images_are_shorter() {
    let seed = 99;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let mut noisy = |amplitude: u64| {
        let mut at = |_, _, _| (128 + random.below(2 * amplitude + 1) - amplitude) as u8;
        bits(&drawn("noise", SAMPLE_SHAPE, &mut at))
    };
    let mut lengths = vec![
        bits(&drawn("black", SAMPLE_SHAPE, |_, _, _| 0)),
        bits(&drawn("grey", SAMPLE_SHAPE, |_, _, _| 128)),
        bits(&drawn("blocks", SAMPLE_SHAPE, |_, y, x| {
            90 * (y / 14 + x / 14) as u8
        })),
    ];
    lengths.extend([1, 2, 5, 12, 30, 70, 127].map(&mut noisy));
    println!("{lengths:.0?}");
    assert!(lengths.is_sorted_by(|a, b| a < b), "{lengths:?}");
}

#[test]
fn no_image_is_longer_than_its_bytes_and_a_bit() {
    let seed = 5;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let noise = drawn("noise", SAMPLE_SHAPE, |_, _, _| random.bits() as u8);
    assert_eq!(
        units(&noise, &mut Coder::new()),
        (8 * 784 + 1) * UNITS_PER_BIT
    );
    let empty = Picture {
        name: "empty".into(),
        shape: Shape::new(1, 0, 28),
        bytes: vec![],
    };
    assert_eq!(units(&empty, &mut Coder::new()), UNITS_PER_BIT);
}

#[test]
fn a_channel_that_repeats_another_is_nearly_free() {
    let grey = &sample("fashion-mnist", 1)[0];
    let three = Picture {
        name: "grey as colour".into(),
        shape: Shape::new(3, 28, 28),
        bytes: grey.bytes.repeat(3),
    };
    let (one, three) = (bits(grey), bits(&three));
    assert!(
        three < 1.35 * one,
        "{one} bits grey, {three} bits as three equal channels"
    );
}

#[test]
fn a_used_coder_is_as_good_as_new() {
    let pictures = sample("mnist", 3);
    let mut coder = Coder::new();
    let used = pictures
        .iter()
        .map(|p| units(p, &mut coder))
        .collect::<Vec<_>>();
    let new = pictures
        .iter()
        .map(|p| units(p, &mut Coder::new()))
        .collect::<Vec<_>>();
    assert_eq!(used, new);
}

#[test]
fn an_image_of_another_size_is_refused() {
    let mut coder = Coder::new();
    for len in [0, 783, 785] {
        let image = vec![0; len];
        assert_eq!(
            code_length(&image, SAMPLE_SHAPE, &mut coder),
            Err(WrongLength)
        );
    }
    // 65535^3 bytes do not fit in 32 bits: the product must not wrap to the length of an empty image.
    let huge = Shape::new(u16::MAX, u16::MAX, u16::MAX);
    assert_eq!(code_length(&[], huge, &mut coder), Err(WrongLength));
}

#[test]
fn energy_is_the_length_in_nats_rounded_down() {
    let mut coder = Coder::new();
    for picture in sample("fashion-mnist", 20) {
        let Ok(length) = code_length(&picture.bytes, picture.shape, &mut coder) else {
            panic!("{} is refused", picture.name);
        };
        let exact = length.units() as f64 * std::f64::consts::LN_2 * 256.0;
        let below = exact - length.nats_raw() as f64;
        // ln 2 with 32 fraction bits is off by 6e-11 of itself.
        let allowed = -6e-11 * exact..1.0;
        assert!(
            allowed.contains(&below),
            "{}: {below} units below the exact energy",
            picture.name
        );
    }
}

/// Made at compile time, so a board can keep it in a static.
static CODER: Coder = Coder::new();

#[test]
fn the_state_is_small_and_constant() {
    assert_eq!(std::mem::size_of_val(&CODER), 888);
    const { assert!(size_of::<Coder>() < 2048) };
}
