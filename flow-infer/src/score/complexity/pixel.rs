//! One pixel as binary decisions.
//!
//! Same as left? Same as above? Equal to the prediction? Then the side, the class of the distance in powers of two
//! (unary), upper or lower half of the class, and the rest of its bits at a price of one bit each.
//!
//! The first two questions make drawings cheap: without them MNIST is 11 % longer and FashionMNIST 4 %. They are only
//! asked where two neighbours are equal; asked always, photographs would pay 1 % for nothing. The last bits stay
//! unmodelled, because every set of images got longer with counters for them: one image is too short to learn them.

use super::adaptive::{BitCoder, Coder};
use super::layout::{self, ABOVE, BELOW, EXACT, HIGHER, LEFT, Question, UPPER_HALF};
use super::log2::ONE;
use super::surroundings::Surroundings;

/// The decisions about one pixel.
pub(super) struct PixelCoder<'a, S> {
    pub(super) coder: &'a mut Coder,
    pub(super) sink: &'a mut S,
    pub(super) around: Surroundings,
}

impl<S: BitCoder> PixelCoder<'_, S> {
    /// Codes a pixel; `value` is what an encoder sees. Returns the pixel as the decisions say.
    pub(super) fn code(&mut self, value: i32) -> i32 {
        let (left, above) = (self.around.near.left, self.around.near.above);
        let prediction = self.around.prediction;
        let mut open = true;
        if self.around.near.repeat() {
            if !self.differs(&LEFT, value != left) {
                return left;
            }
            if above != left && !self.differs(&ABOVE, value != above) {
                return above;
            }
            open = prediction != left && prediction != above;
        }
        if open && !self.exceeds(value != prediction) {
            return prediction;
        }
        let below = self.below(value < prediction);
        let limit = if below { prediction } else { 255 - prediction };
        let distance = self.distance((value - prediction).abs(), limit);
        if below {
            prediction - distance
        } else {
            prediction + distance
        }
    }

    fn ask(&mut self, question: &Question, contexts: [usize; 3], bit: bool) -> bool {
        let slots = question.slots(contexts);
        self.coder.decide(slots, bit, self.sink)
    }

    fn differs(&mut self, question: &Question, bit: bool) -> bool {
        let s = &self.around;
        let contexts = [s.pattern(), s.spread, s.steps];
        self.ask(question, contexts, bit)
    }

    fn exceeds(&mut self, bit: bool) -> bool {
        let s = &self.around;
        let contexts = [s.spread, s.misses, s.steps];
        self.ask(&EXACT, contexts, bit)
    }

    /// The side on which the pixel lies, not asked where only one is possible.
    fn below(&mut self, bit: bool) -> bool {
        match self.around.prediction {
            0 => false,
            255 => true,
            _ => {
                let contexts = [self.around.tilt(), self.around.level(), 0];
                self.ask(&BELOW, contexts, bit)
            }
        }
    }

    /// A distance in 1..=limit; class k holds 2^k to 2^(k+1) - 1.
    fn distance(&mut self, distance: i32, limit: i32) -> i32 {
        let mut class = 0;
        while 2 << class <= limit {
            let contexts = layout::of_class(&self.around, class);
            if !self.ask(&HIGHER, contexts, distance >= 2 << class) {
                break;
            }
            class += 1;
        }
        let mut found = 1;
        for place in (0..class).rev() {
            let bit = (distance >> place) & 1 == 1;
            let bit = if place + 1 == class {
                let contexts = layout::of_class(&self.around, class);
                self.ask(&UPPER_HALF, contexts, bit)
            } else {
                self.sink.code(ONE / 2, bit)
            };
            found = 2 * found + i32::from(bit);
        }
        found
    }
}
