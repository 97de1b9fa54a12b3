use super::rice::{FIRST_BITS, MOST_ONES, Rice, WHOLE_BITS, folded, stepped, unfolded};
use super::*;
use std::vec::Vec;

/// Bits, written and read.
#[derive(Default)]
struct Bits {
    bits: Vec<bool>,
    read: usize,
}

impl Bits {
    fn write(&mut self, value: u32, count: u32) {
        self.bits
            .extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn next(&mut self) -> bool {
        self.read += 1;
        self.bits[self.read - 1]
    }

    fn read(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, _| value << 1 | u32::from(self.next()))
    }
}

/// The code of a channel, as the module describes it.
fn encode(stepped: &[i32]) -> Bits {
    let mut out = Bits::default();
    let mut code = Rice::new();
    out.write((stepped[0] + (1 << 16)) as u32, FIRST_BITS);
    for two in stepped.windows(2) {
        let number = folded(two[1] - two[0]);
        let k = code.parameter();
        match number >> k {
            quotient if quotient < MOST_ONES => {
                (0..quotient).for_each(|_| out.write(1, 1));
                out.write(0, 1);
                out.write(number & ((1 << k) - 1), k);
            }
            _ => {
                (0..MOST_ONES).for_each(|_| out.write(1, 1));
                out.write(number, WHOLE_BITS);
            }
        }
        code.learn(number);
    }
    out
}

/// So many samples of a code.
fn decode(bits: &mut Bits, count: usize) -> Vec<i32> {
    let mut code = Rice::new();
    let mut samples = std::vec![bits.read(FIRST_BITS) as i32 - (1 << 16)];
    while samples.len() < count {
        let k = code.parameter();
        let mut quotient = 0;
        while quotient < MOST_ONES && bits.next() {
            quotient += 1;
        }
        let number = match quotient {
            MOST_ONES => bits.read(WHOLE_BITS),
            quotient => quotient << k | bits.read(k),
        };
        code.learn(number);
        samples.push(samples[samples.len() - 1] + unfolded(number));
    }
    samples
}

const FREE: Expected = Expected {
    step_bits: 0,
    may_be_constant: false,
    ends: [i16::MIN, i16::MAX],
};

/// A generator of Knuth's, enough for samples.
fn random(state: &mut u64) -> i32 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as i32
}

#[test]
fn every_code_comes_back_and_has_the_length_claimed() {
    let mut state = 0x5EED;
    std::println!("seed {state:#x}");
    for case in 0..400 {
        let (len, step_bits) = (2 + case % 130, (case % 5 * 4) as u8 % 16);
        let mut level = 0;
        let samples: Vec<i32> = (0..len)
            .map(|t| match case % 8 {
                0 => -7,
                1 => [i16::MIN, i16::MAX][t % 2].into(),
                2 => random(&mut state) as i16 as i32,
                3 if t == len / 2 => 30_000,
                3 => 5,
                scale => {
                    level += random(&mut state) % (1 << (2 * scale - 4)) - (1 << (2 * scale - 5));
                    level.clamp(-32768, 32767)
                }
            })
            .collect();
        let expected = Expected { step_bits, ..FREE };
        let found = of_channel(samples.iter().copied(), &expected);
        let wanted: Vec<i32> = samples.iter().map(|&s| stepped(s, step_bits)).collect();
        let mut code = encode(&wanted);
        assert_eq!(code.bits.len() as u32, found.bits, "case {case}");
        assert_eq!(decode(&mut code, len), wanted, "case {case}");
        assert_eq!(code.read, code.bits.len());
        for (&sample, &stepped) in samples.iter().zip(&wanted) {
            let back = stepped << step_bits;
            assert!(
                2 * sample.abs_diff(back) <= 1 << step_bits,
                "{sample} as {back}"
            );
        }
    }
}

#[test]
fn a_quiet_channel_has_a_short_code_and_a_busy_one_a_longer() {
    let bits = |scale: i32| {
        let mut state = 9;
        let samples = (0..128).map(|_| random(&mut state) % (2 * scale + 1) - scale);
        of_channel(samples, &FREE).bits
    };
    // About one bit a sample for every doubling.
    assert_eq!([0, 1, 8, 64, 512, 4096].map(bits), BITS_OF_SCALES);
    assert_eq!(of_channel([3; 128].into_iter(), &FREE).bits, bits(0));
}

/// Recorded: bits stay what they are.
const BITS_OF_SCALES: [u32; 6] = [193, 345, 688, 1044, 1455, 1854];

#[test]
fn stuck_and_saturated_channels_are_named() {
    let fault =
        |samples: &[i32], expected: Expected| of_channel(samples.iter().copied(), &expected).fault;
    let ramp: Vec<i32> = (0..32).collect();
    assert_eq!(fault(&ramp, FREE), None);
    assert_eq!(fault(&[5; 32], FREE), Some(FaultKind::Stuck));
    let calm = Expected {
        may_be_constant: true,
        ..FREE
    };
    assert_eq!(fault(&[5; 32], calm), None);
    let ends = |ends| Expected { ends, ..calm };
    // 3 of 32 at or beyond an end, then 4.
    assert_eq!(fault(&ramp, ends([-1, 29])), None);
    assert_eq!(fault(&ramp, ends([-1, 28])), Some(FaultKind::Saturated));
    assert_eq!(fault(&ramp, ends([1, 30])), Some(FaultKind::Saturated));
    assert_eq!(
        fault(&[i16::MIN.into(); 9], FREE),
        Some(FaultKind::Saturated)
    );
}
