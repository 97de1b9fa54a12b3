//! What the lossless code of the complexity score pays at every pixel.

use flow_infer::score::complexity::{BitCoder, Canvas, Coder, UNITS_PER_BIT, code};
use flow_infer::spec::Shape;
use flow_infer::spec::units::LN_2;
use std::cell::Cell;

/// Probabilities of decisions have so many fraction bits.
const PROBABILITY_BITS: i32 = 16;
/// Bits of a pixel that is written as it is.
const PLAIN_BITS: f64 = 8.0;

/// Nats of every coordinate, image-shaped; together the code length, whose first bit (whether what
/// follows is coded or plain) is shared by all.
pub(super) fn prices(image: &[u8], shape: Shape) -> Vec<f64> {
    let spent = Cell::new(0.0);
    let mut canvas = Receipts {
        image,
        spent: &spent,
        bits: vec![0.0; shape.len()],
    };
    let mut coder = Coder::new();
    code(&mut canvas, shape, &mut coder, &mut Meter(&spent));
    let mut bits = canvas.bits;
    let plain = PLAIN_BITS * bits.len() as f64;
    if bits.iter().sum::<f64>() > plain {
        bits.fill(PLAIN_BITS);
    }
    let first = 1.0 / bits.len().max(1) as f64;
    bits.iter().map(|bits| (bits + first) * LN_2).collect()
}

/// Adds up the bits of decisions since the last pixel.
struct Meter<'c>(&'c Cell<f64>);

impl BitCoder for Meter<'_> {
    fn code(&mut self, probability_of_one: u32, bit: bool) -> bool {
        debug_assert!(u64::from(probability_of_one) < UNITS_PER_BIT);
        let one = f64::from(probability_of_one) / 2f64.powi(PROBABILITY_BITS);
        let chance = if bit { one } else { 1.0 - one };
        self.0.set(self.0.get() - chance.log2());
        bit
    }
}

/// The image, and what each of its pixels took.
struct Receipts<'i> {
    image: &'i [u8],
    spent: &'i Cell<f64>,
    bits: Vec<f64>,
}

impl Canvas for Receipts<'_> {
    fn get(&self, index: usize) -> u8 {
        self.image.get(index).copied().unwrap_or(0)
    }

    fn put(&mut self, index: usize, _value: u8) {
        if let Some(bits) = self.bits.get_mut(index) {
            *bits = self.spent.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;
    use flow_infer::score::complexity::code_length;

    #[test]
    fn together_pixels_pay_the_code_length() {
        let shape = Shape::new(3, 9, 7);
        let seed = 0x5EED_0040;
        println!("seed {seed:#x}");
        let mut random = SplitMix64(seed);
        // One that is coded, one that is cheaper plain.
        for span in [4, 256] {
            let bytes = (0..shape.len()).map(|i| (i / 21 + random.below(span)) as u8);
            let image: Vec<u8> = bytes.collect();
            let wanted = code_length(&image, shape, &mut Coder::new()).unwrap();
            let wanted = wanted.units() as f64 / UNITS_PER_BIT as f64 * LN_2;
            let found: f64 = prices(&image, shape).iter().sum();
            assert!((found - wanted).abs() < 0.05, "{span}: {found} {wanted}");
        }
    }

    #[test]
    fn what_cannot_be_foreseen_is_dear() {
        let mut image = vec![9; 8 * 8];
        image[36] = 200;
        let prices = prices(&image, Shape::new(1, 8, 8));
        let dearest = (0..64).max_by(|&a, &b| prices[a].total_cmp(&prices[b]));
        assert_eq!(dearest, Some(36));
    }
}
