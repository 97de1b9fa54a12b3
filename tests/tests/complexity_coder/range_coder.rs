//! A binary arithmetic coder behind the complexity coder's decisions: what proves that its length is that of a code.
//!
//! The interval is kept as its two ends, 32 bits each; bytes on which both agree are written. (The arrangement of
//! public-domain coders since Witten, Neal and Cleary 1987, without carries.)

use flow_infer::score::complexity::{BitCoder, Canvas, Coder, code};
use flow_infer::spec::Shape;

/// Writes decisions as bytes.
struct Encoder {
    low: u32,
    high: u32,
    bytes: Vec<u8>,
}

/// Reads decisions from bytes.
struct Decoder<'a> {
    low: u32,
    high: u32,
    code: u32,
    bytes: std::slice::Iter<'a, u8>,
}

/// The last value of the interval's part that means "one".
fn split(low: u32, high: u32, probability_of_one: u32) -> u32 {
    let width = u64::from(high - low);
    low + ((width * u64::from(probability_of_one)) >> 16) as u32
}

impl BitCoder for Encoder {
    fn code(&mut self, probability_of_one: u32, bit: bool) -> bool {
        let middle = split(self.low, self.high, probability_of_one);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.bytes.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = (self.high << 8) | 0xff;
        }
        bit
    }
}

impl BitCoder for Decoder<'_> {
    fn code(&mut self, probability_of_one: u32, _bit: bool) -> bool {
        let middle = split(self.low, self.high, probability_of_one);
        let bit = self.code <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = (self.high << 8) | 0xff;
            self.code = (self.code << 8) | self.next_byte();
        }
        bit
    }
}

impl Decoder<'_> {
    /// The next byte; zeros after the end.
    fn next_byte(&mut self) -> u32 {
        u32::from(self.bytes.next().copied().unwrap_or(0))
    }
}

/// Flag at the beginning of a code: the bytes themselves follow.
const STORED: bool = true;
/// Probability of one half.
const HALF: u32 = 1 << 15;

/// The shorter of both codes of an image.
pub(crate) fn encode(image: &[u8], shape: Shape) -> Vec<u8> {
    let with = |stored: bool| {
        let mut encoder = Encoder {
            low: 0,
            high: u32::MAX,
            bytes: Vec::new(),
        };
        encoder.code(HALF, stored);
        if stored {
            store(&mut { image }, shape.len(), &mut encoder);
        } else {
            code(&mut { image }, shape, &mut Coder::new(), &mut encoder);
        }
        encoder.bytes.extend(encoder.high.to_be_bytes());
        encoder.bytes
    };
    let (coded, stored) = (with(!STORED), with(STORED));
    if stored.len() < coded.len() {
        stored
    } else {
        coded
    }
}

/// The image of a code. Every sequence of bytes is the code of some image.
pub(crate) fn decode(bytes: &[u8], shape: Shape) -> Vec<u8> {
    let mut decoder = Decoder {
        low: 0,
        high: u32::MAX,
        code: 0,
        bytes: bytes.iter(),
    };
    for _ in 0..4 {
        decoder.code = (decoder.code << 8) | decoder.next_byte();
    }
    // Not zeros: a decision that looked at a pixel before it is decoded would show.
    let mut image = vec![0xa5; shape.len()];
    let mut canvas = image.as_mut_slice();
    if decoder.code(HALF, false) == STORED {
        store(&mut canvas, shape.len(), &mut decoder);
    } else {
        code(&mut canvas, shape, &mut Coder::new(), &mut decoder);
    }
    image
}

/// All bits of all bytes at one half.
fn store(canvas: &mut impl Canvas, len: usize, sink: &mut impl BitCoder) {
    for index in 0..len {
        let seen = canvas.get(index);
        let byte = (0..8).rev().fold(0, |byte, place| {
            2 * byte + u8::from(sink.code(HALF, (seen >> place) & 1 == 1))
        });
        canvas.put(index, byte);
    }
}
