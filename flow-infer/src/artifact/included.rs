//! What the compiler knows of an included file: whether it can be a gate, and how long its inputs are.

use super::header::{HEADER_LEN, SECTION_ENTRY_LEN, Section, field, scratch_need, word_at};
use crate::front_end::windows::KIND;
use crate::plan::{NumberFormat, parts};

/// Fails the build where an included file cannot be a gate: no `.flow` file of this version, cut off, in floats, or not
/// calibrated. What only a run can tell (checksum, plan, golden vectors) opening the gate tells.
///
/// # Panics
/// At compile time, with the reason. Use it in `const` items only.
pub const fn assert_gate(bytes: &[u8]) {
    // Checks magic and version.
    scratch_need(bytes);
    assert!(
        word_at(bytes, field::TOTAL_LEN.start) as usize == bytes.len(),
        "the .flow file is cut off or has something behind it"
    );
    assert!(
        matches!(
            NumberFormat::from_code(bytes[field::NUMBER_FORMAT]),
            Some(NumberFormat::Q8)
        ),
        "the model computes in floats, a gate in integers: `flowgate export --format q8`"
    );
    assert!(
        section_at(bytes, Section::Gate).is_some(),
        "the model is not calibrated: `flowgate calibrate` gives it a threshold"
    );
}

/// Whether an included `.flow` file says how frames become its inputs, in a build without the feature `frames` too.
///
/// # Panics
/// At compile time, where the bytes are no `.flow` file. Use it in `const` items only.
pub const fn reads_frames(bytes: &[u8]) -> bool {
    match section_at(bytes, Section::FrontEnd) {
        Some(place) => bytes[place] != KIND,
        None => false,
    }
}

/// Whether an included `.flow` file says how windows of a sensor's samples become its inputs, in a build without the
/// feature `windows` too.
///
/// # Panics
/// At compile time, where the bytes are no `.flow` file. Use it in `const` items only.
pub const fn reads_windows(bytes: &[u8]) -> bool {
    match section_at(bytes, Section::FrontEnd) {
        Some(place) => bytes[place] == KIND,
        None => false,
    }
}

/// Bytes of a window of an included `.flow` file; none of a file without windows, and in a build without the feature
/// `windows`.
pub(super) const fn window_len(bytes: &[u8]) -> Option<usize> {
    match section_at(bytes, Section::FrontEnd) {
        Some(place) if parts::WINDOWS && bytes[place] == KIND => {
            let len = u16::from_le_bytes([bytes[place + 4], bytes[place + 5]]);
            Some(2 * bytes[place + 1] as usize * len as usize)
        }
        _ => None,
    }
}

/// Bytes of an input of an included `.flow` file, for sizing a buffer at compile time.
///
/// # Panics
/// At compile time, where the bytes are no `.flow` file. Use it in `const` items only; at run time
/// [`Artifact::input_len`](super::Artifact::input_len) tells the same after all checks.
pub const fn input_len(bytes: &[u8]) -> usize {
    if let Some(len) = window_len(bytes) {
        return len;
    }
    let Some(plan) = section_at(bytes, Section::Plan) else {
        panic!("not a .flow file: no plan")
    };
    // The plan begins with the kind of input: 0 an image, with its shape, else so many measurements.
    let (kind, place) = varint_at(bytes, plan);
    let (first, place) = varint_at(bytes, place);
    if kind > 0 {
        return size_of::<f32>() * first;
    }
    let (height, place) = varint_at(bytes, place);
    let (width, _) = varint_at(bytes, place);
    first * height * width
}

/// Where a section begins that is there and is not empty.
pub(super) const fn section_at(bytes: &[u8], section: Section) -> Option<usize> {
    let mut index = 0;
    while index < bytes[field::SECTIONS] as usize {
        let entry = HEADER_LEN + index * SECTION_ENTRY_LEN;
        if word_at(bytes, entry) == section as u32 && word_at(bytes, entry + 8) > 0 {
            return Some(word_at(bytes, entry + 4) as usize);
        }
        index += 1;
    }
    None
}

/// An integer of seven bits a byte, lowest first, and the place behind it.
pub(super) const fn varint_at(bytes: &[u8], mut place: usize) -> (usize, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        value |= ((bytes[place] & 0x7f) as usize) << shift;
        place += 1;
        if bytes[place - 1] & 0x80 == 0 {
            return (value, place);
        }
        shift += 7;
    }
}
