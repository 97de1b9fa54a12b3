//! Video: every chroma format, ranges, and headers that are wrong at a known byte.

use flow_infer::front_end::{PixelFormat, Reduction, YuvRange};
use flow_infer::spec::Shape;

use super::reduce::load_as;
use super::{Files, error_of, gzip, images_of};
use crate::data::y4m::Y4m;
use crate::data::{Dataset, Position, Problem};

fn video(header: &str, frames: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("YUV4MPEG2 {header}\n").into_bytes();
    for frame in frames {
        bytes.extend_from_slice(b"FRAME\n");
        bytes.extend_from_slice(frame);
    }
    bytes
}

#[test]
fn frames_become_images() {
    let grey = video("W2 H1 F25:1 Cmono", &[&[1, 2], &[3, 4]]);
    assert_eq!(images_of(&grey).pixels(), [1, 2, 3, 4]);
    assert_eq!(images_of(&gzip(&grey)).pixels(), [1, 2, 3, 4]);
    // Y = 100, Cb = 128, Cr = 228, full range, in every layout of chroma.
    for (chroma, frame) in [
        ("C420jpeg", &[100, 100, 128, 228][..]),
        ("C422", &[100, 100, 128, 228]),
        ("C444", &[100, 100, 128, 128, 228, 228]),
        ("Ip", &[100, 100, 128, 228]),
    ] {
        let full = video(&format!("W2 H1 {chroma} XCOLORRANGE=FULL"), &[frame]);
        let wanted = [240, 240, 29, 29, 100, 100];
        assert_eq!(images_of(&full).pixels(), wanted, "{chroma}");
    }
    let limited = video("W1 H1 C444", &[&[16, 128, 128], &[235, 128, 128]]);
    assert_eq!(images_of(&limited).pixels(), [0, 0, 0, 255, 255, 255]);
}

#[test]
fn frames_are_reduced_one_by_one() {
    let files = Files::new();
    let path = files.write("v.y4m", &video("W2 H2 Cmono", &[&[1, 2, 3, 6], &[8; 4]]));
    let reduction = Reduction::to(Shape::new(1, 1, 1));
    let Dataset::Images(images) = load_as(&path, reduction).unwrap() else {
        panic!("vectors of frames");
    };
    assert_eq!(images.pixels(), [3, 8]);
    let mut video = Y4m::open(&path).unwrap();
    let spec = video.spec();
    assert_eq!(
        (spec.format, spec.range),
        (PixelFormat::Grey8, YuvRange::Limited)
    );
    assert_eq!(video.next_frame().unwrap(), Some(vec![1, 2, 3, 6]));
    assert_eq!(video.next_frame().unwrap(), Some(vec![8; 4]));
    assert_eq!(video.next_frame().unwrap(), None);
}

#[test]
fn a_bad_header_is_named_by_its_byte() {
    for (header, byte) in [
        ("Wx H1", 10),
        ("W0 H1", 10),
        ("W2 H99999", 13),
        ("W2 H1 C420p10", 16),
        ("W2 F25:1", 18),
    ] {
        let error = error_of(&video(header, &[&[0; 3]]));
        assert_eq!(error.position, Some(Position::Byte(byte)), "{header}");
        assert!(matches!(error.problem, Problem::Malformed(_)), "{header}");
    }
    let error = error_of(b"YUV4MPEG3 W1 H1\nFRAME\n");
    assert_eq!(error.position, Some(Position::Byte(0)));
}

#[test]
fn truncated_frames_are_refused() {
    let whole = video("W2 H1 Cmono", &[&[1, 2], &[3, 4]]);
    let start = whole.len() - 8;
    let error = error_of(&whole[..whole.len() - 1]);
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 2,
            found: 1
        }
    ));
    assert_eq!(error.position, Some(Position::Byte(whole.len() as u64 - 2)));
    for len in start + 1..start + 5 {
        let error = error_of(&whole[..len]);
        assert_eq!(error.position, Some(Position::Byte(start as u64)));
        assert!(matches!(error.problem, Problem::Malformed(_)));
    }
    assert!(matches!(
        error_of(&video("W2 H1", &[])).problem,
        Problem::Empty
    ));
    // A claim of a gigabyte allocates nothing.
    let large = error_of(&video("W32767 H32767 Cmono", &[]));
    assert!(matches!(large.problem, Problem::Frame(_)));
}
