//! What the compiler tells of an included file.

#![cfg(all(feature = "std", feature = "full"))]

use flow_infer::artifact::{assert_gate, field, input_len, reads_frames};
use std::panic::catch_unwind;

const PARTS: &[u8] = include_bytes!("data/parts.flow");
const PUMP: &[u8] = include_bytes!("data/pump.flow");

fn committed(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/models");
    std::fs::read(std::path::Path::new(folder).join(name)).unwrap()
}

/// Why a build stops; nothing where it goes on.
fn refusal(bytes: &[u8]) -> String {
    let refused = catch_unwind(|| assert_gate(bytes)).err();
    let text = refused.map(|panic| match panic.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => panic.downcast_ref::<String>().cloned().unwrap_or_default(),
    });
    text.unwrap_or_default()
}

#[test]
fn the_length_of_an_input_is_known_at_compile_time() {
    const LENS: [usize; 2] = [input_len(PARTS), input_len(PUMP)];
    assert_eq!(LENS, [60, 8]);
    for name in ["fashion-tiny.flow", "fashion-bottleneck.flow"] {
        assert_eq!(input_len(&committed(name)), 784, "{name}");
    }
}

#[test]
fn whether_frames_are_read_is_known_at_compile_time() {
    const READS: [bool; 2] = [reads_frames(PARTS), reads_frames(PUMP)];
    assert_eq!(READS, [true, false]);
}

#[test]
fn what_can_be_no_gate_does_not_compile() {
    const _: () = assert_gate(PARTS);
    assert_eq!(refusal(PUMP), "");
    assert!(refusal(b"").contains("shorter than its header"));
    assert!(refusal(&[b'x'; 64]).contains("wrong magic"));
    assert!(refusal(&PUMP[..PUMP.len() - 1]).contains("cut off"));
    assert!(refusal(&[PUMP, b"\n"].concat()).contains("something behind it"));
    let changed = |at: usize, to: u8| {
        let mut bytes = PUMP.to_vec();
        bytes[at] = to;
        refusal(&bytes)
    };
    assert!(changed(field::VERSION.start, 99).contains("another format version"));
    assert!(changed(field::NUMBER_FORMAT, 1).contains("floats"));
    // The gate's section is none once its number is that of no section.
    let entry = (32..).step_by(12).find(|&at| PUMP[at] == 4).unwrap();
    assert!(changed(entry, 200).contains("not calibrated"));
}
