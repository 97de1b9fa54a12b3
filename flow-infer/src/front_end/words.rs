//! Sums of bytes that lie one to four apart, eight bytes at a time.
//!
//! A word's bytes are added up in four lanes of 16 bits, by a mask for those of even places and one for those of odd
//! places. Bytes three apart have other places in each of three words.

use super::span::Span;

const WORD: usize = size_of::<u64>();
/// Words after which the places of bytes three apart repeat.
const CYCLE: usize = 3;
/// Words of which a lane holds the sum of two bytes each: 126 x 510 < 2^16.
const BLOCK: usize = 126;

/// Weighted sum of a span of samples that are `pitch` bytes apart, from the first byte on.
#[inline(always)]
pub(super) fn weighted_sum(pitch: u32, bytes: &[u8], span: Span, parts: u32) -> u32 {
    let place = |cell: u32| (cell * pitch) as usize;
    let one = |cell| u32::from(bytes.get(place(cell)).copied().unwrap_or(0));
    let from = |cell| bytes.get(place(cell)..).unwrap_or(&[]);
    span.weighted(parts, one, |cell, count| {
        sum(pitch, from(cell), count as usize)
    })
}

/// Sum of `count` bytes that are one to four apart, from the first one on.
#[inline(always)]
pub(super) fn sum(pitch: u32, bytes: &[u8], count: usize) -> u32 {
    match pitch {
        1 => sum_of_every::<1>(bytes, count),
        2 => sum_of_every::<2>(bytes, count),
        3 => sum_of_every::<3>(bytes, count),
        _ => sum_of_every::<4>(bytes, count),
    }
}

#[inline(always)]
fn sum_of_every<const PITCH: usize>(bytes: &[u8], count: usize) -> u32 {
    let Some(last) = count.checked_sub(1) else {
        return 0;
    };
    let len = last * PITCH + 1;
    let words = bytes.as_chunks::<WORD>().0;
    let words = words.get(..len / WORD).unwrap_or(words);
    let blocks = words.chunks(BLOCK);
    let total: u32 = blocks
        .map(|words| sum_of_lanes(lanes_of_words::<PITCH>(words)))
        .sum();
    let rest = bytes.get(words.len() * WORD..).unwrap_or(&[]);
    let left = len - words.len() * WORD;
    let lanes = lanes_of::<PITCH>(first_bytes(rest, left), words.len() % CYCLE);
    total + sum_of_lanes(lanes)
}

/// The first fewer than eight bytes, and zeros.
#[inline(always)]
fn first_bytes(bytes: &[u8], count: usize) -> u64 {
    if let Some(&word) = bytes.first_chunk() {
        return u64::from_le_bytes(word) & ((1 << (8 * count)) - 1);
    }
    let mut word = [0; WORD];
    for (to, &from) in word.iter_mut().zip(bytes.iter().take(count)) {
        *to = from;
    }
    u64::from_le_bytes(word)
}

#[inline(always)]
fn lanes_of_words<const PITCH: usize>(words: &[[u8; WORD]]) -> u64 {
    let of = |place: usize, &word: &[u8; WORD]| lanes_of::<PITCH>(u64::from_le_bytes(word), place);
    if PITCH != CYCLE {
        return words.iter().fold(0, |lanes, word| lanes + of(0, word));
    }
    let (cycles, rest) = words.as_chunks::<CYCLE>();
    let lanes = cycles
        .iter()
        .fold(0, |lanes, [a, b, c]| lanes + of(0, a) + of(1, b) + of(2, c));
    let rest = rest.iter().enumerate();
    rest.fold(lanes, |lanes, (place, word)| lanes + of(place, word))
}

/// Every `PITCH`th byte of a word, of bytes three apart of the word at this place of the cycle.
#[inline(always)]
fn lanes_of<const PITCH: usize>(word: u64, place: usize) -> u64 {
    let (even, odd) = match (PITCH, place) {
        (1, _) => (0x00FF_00FF_00FF_00FF, 0x00FF_00FF_00FF_00FF),
        (2, _) => (0x00FF_00FF_00FF_00FF, 0),
        (4, _) => (0x0000_00FF_0000_00FF, 0),
        (_, 0) => (0x00FF_0000_0000_00FF, 0x0000_0000_00FF_0000),
        (_, 1) => (0x0000_00FF_0000_0000, 0x00FF_0000_0000_00FF),
        (_, _) => (0x0000_0000_00FF_0000, 0x0000_00FF_0000_0000),
    };
    (word & even) + (word >> 8 & odd)
}

#[inline(always)]
fn sum_of_lanes(lanes: u64) -> u32 {
    const HALVES: u64 = 0x0000_FFFF_0000_FFFF;
    let pairs = (lanes & HALVES) + (lanes >> 16 & HALVES);
    pairs as u32 + (pairs >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn some_bytes() -> Vec<u8> {
        let mixed = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80;
        (0..9000).map(mixed).collect()
    }

    #[test]
    fn every_byte_is_added_once() {
        let bytes = some_bytes();
        for pitch in 1..=4 {
            for count in (0..60).chain([511, 1007, 1008, 1009, 2000]) {
                let bytes = &bytes[count % 8..];
                let samples = bytes.iter().step_by(pitch as usize).take(count);
                let expected: u32 = samples.map(|&byte| u32::from(byte)).sum();
                let len = (count * pitch as usize).saturating_sub(pitch as usize - 1);
                // With bytes behind the last one, and without.
                assert_eq!(sum(pitch, bytes, count), expected, "{pitch} {count}");
                assert_eq!(
                    sum(pitch, &bytes[..len], count),
                    expected,
                    "{pitch} {count}"
                );
            }
        }
        assert_eq!(sum(1, &[255; 1008], 1008), 255 * 1008);
    }

    #[test]
    fn a_span_counts_its_first_and_last_cell_in_units() {
        let bytes = some_bytes();
        for (head, whole, tail) in [(0, 5, 0), (3, 22, 0), (0, 0, 4), (2, 9, 7), (1, 0, 1)] {
            let span = Span {
                cell: 0,
                head,
                whole,
                tail,
            };
            let units = [&[head][..], &[9; 40][..whole as usize], &[tail]].concat();
            let units = units.into_iter().filter(|&units| units > 0);
            for pitch in 1..=4 {
                let samples = bytes.iter().step_by(pitch as usize);
                let terms = units.clone().zip(samples);
                let expected: u32 = terms.map(|(units, &byte)| units * u32::from(byte)).sum();
                assert_eq!(
                    weighted_sum(pitch, &bytes, span, 9),
                    expected,
                    "{pitch} {span:?}"
                );
            }
        }
    }
}
