//! An adaptive Rice code for the differences of neighbouring samples.
//!
//! A difference becomes a number that is not negative, [`folded`]; its quotient by 2^k is written as so many ones and a
//! zero, its rest as k bits. k follows the mean of the last eight to sixteen numbers, so the code of a channel at rest
//! is one bit a sample and that of a busy one grows with the logarithm of how busy it is. A quotient of
//! [`MOST_ONES`] or more is written as that many ones and the number itself, which bounds what one sample costs.

/// Bits of the first sample of a channel, as it is.
pub const FIRST_BITS: u32 = 17;
/// Ones that announce a number written out.
pub const MOST_ONES: u32 = 24;
/// Bits of a number written out.
pub const WHOLE_BITS: u32 = 18;
/// Numbers after which the older ones begin to count half.
const MEMORY: u32 = 16;
/// What numbers are taken to be before one has come: steps are chosen so that benign ones are about so large.
const FIRST_MEAN: u32 = 32;

/// The state of the code of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rice {
    sum: u32,
    count: u32,
    /// The parameter of the number before, from which the next is not far.
    last: u32,
}

impl Default for Rice {
    fn default() -> Self {
        Self::new()
    }
}

impl Rice {
    /// A code that has seen nothing.
    pub const fn new() -> Self {
        Self {
            sum: FIRST_MEAN,
            count: 1,
            last: 0,
        }
    }

    /// Bits of a number's rest: the first power of two that is not below the mean.
    pub fn parameter(&self) -> u32 {
        let mut k = self.last;
        while k > 0 && self.count << (k - 1) >= self.sum {
            k -= 1;
        }
        while self.count << k < self.sum && k < WHOLE_BITS {
            k += 1;
        }
        k
    }

    /// Learns from a number that was coded.
    pub fn learn(&mut self, number: u32) {
        self.sum += number;
        self.count += 1;
        if self.count == MEMORY {
            (self.sum, self.count) = (self.sum / 2, self.count / 2);
        }
    }

    /// Bits of the next number, from which the code then learns.
    pub fn bits(&mut self, number: u32) -> u32 {
        let k = self.parameter();
        self.last = k;
        self.learn(number);
        match number >> k {
            quotient if quotient < MOST_ONES => quotient + 1 + k,
            _ => MOST_ONES + WHOLE_BITS,
        }
    }
}

/// A sample in whole steps of 2^bits, the nearest, halves up.
pub const fn stepped(sample: i32, bits: u8) -> i32 {
    (sample + ((1 << bits) >> 1)) >> bits
}

/// A difference as a number that is not negative: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
pub const fn folded(difference: i32) -> u32 {
    ((difference << 1) ^ (difference >> 31)) as u32
}

/// The difference of a number.
pub const fn unfolded(number: u32) -> i32 {
    (number >> 1) as i32 ^ -((number & 1) as i32)
}
