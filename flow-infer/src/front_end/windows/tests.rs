use super::*;
use std::vec::Vec;

/// A section of literal bytes.
fn section(head: [u8; HEAD_LEN], features: &[[u8; 4]], channels: &[[u8; 12]]) -> Vec<u8> {
    let mut bytes = Vec::from(head);
    bytes.extend(features.as_flattened());
    bytes.extend(channels.as_flattened());
    bytes.extend(b"\x01x\x02yz"[..if channels.len() == 2 { 5 } else { 2 }].iter());
    bytes
}

/// Two channels, windows of 16 samples, a hop of 5, 12.5 samples a second; means of 2, bands of 2 segments.
const HEAD: [u8; HEAD_LEN] = [1, 2, 2, 0, 16, 0, 5, 0, 0xD4, 0x30, 0, 0];
const MEANS: [u8; 4] = [1, 2, 0, 0];
const BANDS: [u8; 4] = [3, 2, 1, 0];
/// Steps of 4, ends at -1000 and 1000, sample 0 is 1.5.
const CHANNEL: [u8; 12] = [0xFE, 1, 2, 0, 0x18, 0xFC, 0xE8, 0x03, 0, 0, 0xC0, 0x3F];

fn good() -> Vec<u8> {
    section(HEAD, &[MEANS, BANDS], &[CHANNEL; 2])
}

#[test]
fn a_section_is_read_in_place() {
    let bytes = good();
    let windows = Windows::parse(&bytes).expect("a good section");
    assert_eq!(
        (windows.channels(), windows.len(), windows.hop()),
        (2, 16, 5)
    );
    assert_eq!(windows.rate_millihertz(), 12_500);
    assert_eq!(windows.byte_len(), 64);
    let features = [
        Feature::Means { segments: 2 },
        Feature::Bands {
            segments: 2,
            parts: 1,
        },
    ];
    assert_eq!(windows.features().collect::<Vec<_>>(), features);
    // Segments of 8 samples have frequencies 1 | 2 3.
    assert_eq!(windows.dims(), 2 * (2 + 2 * 2));
    let channel = windows.channel(1).expect("two channels");
    assert_eq!(channel.to_record(), CHANNEL);
    assert_eq!((channel.exponent, channel.offset), (-2, 1.5));
    assert_eq!(
        (channel.low, channel.high, channel.step_bits),
        (-1000, 1000, 2)
    );
    assert!(channel.may_be_constant);
    assert_eq!(windows.channel(2), None);
    assert_eq!(windows.names().collect::<Vec<_>>(), ["x", "yz"]);
    for feature in features {
        assert!([MEANS, BANDS].contains(&feature.to_record()));
    }
}

#[test]
fn malformed_sections_are_refused() {
    let good = good();
    for len in 0..good.len() {
        assert_eq!(Windows::parse(&good[..len]), None, "cut at {len}");
    }
    assert_eq!(Windows::parse(&[&good[..], &[0]].concat()), None, "longer");
    let refused = |place: usize, byte: u8, why: &str| {
        let mut bytes = good.clone();
        bytes[place] = byte;
        assert_eq!(Windows::parse(&bytes), None, "{why}");
    };
    refused(0, 2, "kind");
    refused(1, 0, "no channels");
    refused(1, 17, "too many channels");
    refused(2, 0, "no features");
    refused(2, 9, "too many features");
    refused(3, 1, "reserved");
    refused(4, 1, "a window of one sample");
    refused(4, 17, "segments of 8.5 samples");
    refused(5, 9, "a window of 2320 samples");
    refused(6, 0, "no hop");
    refused(12, 4, "feature");
    refused(13, 0, "no segments");
    refused(13, 17, "segments without samples");
    refused(14, 1, "parts of means");
    refused(17, 3, "segments that are not equal");
    refused(17, 4, "segments of 4 samples");
    refused(18, 3, "octaves in three parts");
    refused(19, 1, "reserved in a feature");
    refused(20, 65, "exponent");
    refused(21, 2, "flags");
    refused(22, 16, "steps");
    refused(23, 1, "reserved in a channel");
    refused(27, 0xFB, "ends that are one");
    refused(31, 0x7F, "an offset without end");
    refused(good.len() - 1, 0xFF, "a name that is no UTF-8");
    let wide = section(
        [1, 16, 1, 0, 1, 2, 1, 0, 0, 0, 0, 0],
        &[MEANS],
        &[CHANNEL; 16],
    );
    assert_eq!(Windows::parse(&wide), None, "more than 8192 values");
}

/// Windows of a sequence by slices, of which those that end later than `len` are due every hop.
fn naive(len: usize, hop: usize, come: usize) -> Vec<usize> {
    (len..=come)
        .filter(|end| (end - len).is_multiple_of(hop))
        .collect()
}

#[test]
fn the_ring_gives_the_windows_of_a_slice() {
    for len in 2..9usize {
        for hop in 1..12usize {
            let head = [1, 2, 1, 0, len as u8, 0, hop as u8, 0, 0, 0, 0, 0];
            let bytes = section(head, &[[0; 4]], &[CHANNEL; 2]);
            let windows = Windows::parse(&bytes).expect("a good section");
            let mut memory = std::vec![0xEE; windows.byte_len()];
            let mut ring = Ring::new();
            for start in [0, 7] {
                let sample = |t: usize| [(start + t) as i16 * 3 - 20, -(t as i16)];
                let mut due = Vec::new();
                for come in 1..=40usize {
                    if !ring.push(&windows, &mut memory, &sample(come - 1)) {
                        continue;
                    }
                    due.push(come);
                    let window = ring.window(&windows, &memory);
                    for t in 0..len {
                        let wanted = sample(come - len + t).map(i32::from);
                        assert_eq!([window.at(0, t), window.at(1, t)], wanted);
                    }
                    let of_channel: Vec<i32> = window.of_channel(1).collect();
                    assert_eq!(of_channel.len(), len);
                    assert_eq!(of_channel.last(), Some(&-(come as i32 - 1)));
                }
                assert_eq!(due, naive(len, hop, 40), "windows of {len}, a hop of {hop}");
                ring.reset();
            }
        }
    }
}

#[test]
fn a_window_has_the_values_of_its_equations() {
    let features = [[0; 4], MEANS, [2, 2, 0, 0], BANDS];
    let head = [1, 1, 4, 0, 16, 0, 5, 0, 0, 0, 0, 0];
    let bytes = section(head, &features, &[CHANNEL]);
    let windows = Windows::parse(&bytes).expect("a good section");
    // A cosine of frequency 2 of 8 samples, then a ramp.
    let samples: [i16; 16] = [100, 0, -100, 0, 100, 0, -100, 0, 1, 2, 3, 4, 5, 6, 7, 9];
    let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let window = windows.window(&bytes).expect("a window's bytes");
    let values: Vec<i32> = (0..windows.dims())
        .map(|i| windows.value(window, i))
        .collect();
    assert_eq!(values[..16], samples.map(i32::from));
    // 0, and 16 37/8 = 74.
    assert_eq!(values[16..18], [0, 74]);
    // log2(1 + 16 700/7) = 10.645 and log2(1 + floor(16 9/8)) = 4.248, in 256ths, rounded down.
    assert_eq!(values[18..20], [2725, 1087]);
    // Of the cosine |X_2|^2 = 400^2: log2(1 + 16 160000) = 21.288.
    assert_eq!(values[20..22], [0, 5449]);
    assert_eq!(windows.value(window, windows.dims()), 0);
    assert_eq!(windows.window(&bytes[1..]), None);
}
