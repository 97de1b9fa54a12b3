//! Which decisions there are and in which contexts each is asked.

use super::surroundings::Surroundings;

/// One kind of decision: three families of contexts, side by side in the coder's state.
pub(super) struct Question {
    /// First slot.
    start: usize,
    /// Number of contexts in each family.
    sizes: [usize; 3],
}

impl Question {
    /// The question at the beginning of the state.
    const fn first(sizes: [usize; 3]) -> Self {
        Self { start: 0, sizes }
    }

    /// The question whose slots follow another's.
    const fn after(previous: &Self, sizes: [usize; 3]) -> Self {
        Self {
            start: previous.end(),
            sizes,
        }
    }

    /// One past its last slot.
    const fn end(&self) -> usize {
        self.start + self.sizes[0] + self.sizes[1] + self.sizes[2]
    }

    /// The three slots of three contexts.
    #[inline]
    pub(super) fn slots(&self, contexts: [usize; 3]) -> [usize; 3] {
        let [a, b, _] = self.sizes;
        let [x, y, z] = contexts;
        [self.start + x, self.start + a + y, self.start + a + b + z]
    }
}

/// Values of [`Surroundings::pattern`].
pub(super) const PATTERNS: usize = 3 * 16;
/// Values of [`Surroundings::spread`].
pub(super) const SPREADS: usize = 9;
/// Values of [`Surroundings::misses`].
pub(super) const MISSES: usize = 9;
/// Values of [`Surroundings::steps`].
pub(super) const STEPS: usize = 16;
/// Values of [`Surroundings::tilt`].
pub(super) const TILTS: usize = 27;
/// Eighths of the range of values.
pub(super) const LEVELS: usize = 8;
/// Classes of a magnitude in 1..=255.
pub(super) const CLASSES: usize = 8;

/// Does the pixel differ from its left neighbour?
pub(super) const LEFT: Question = Question::first([PATTERNS, SPREADS, STEPS]);
/// Does it differ from its upper neighbour?
pub(super) const ABOVE: Question = Question::after(&LEFT, [PATTERNS, SPREADS, STEPS]);
/// Does it differ from the prediction?
pub(super) const EXACT: Question = Question::after(&ABOVE, [SPREADS, MISSES, STEPS]);
/// Does it lie below?
pub(super) const BELOW: Question = Question::after(&EXACT, [TILTS, LEVELS, 1]);
/// Is the distance in a higher class than this one?
pub(super) const HIGHER: Question = Question::after(
    &BELOW,
    [SPREADS + CLASSES - 1, MISSES + CLASSES - 1, CLASSES],
);
/// Is it in the upper half of its class?
pub(super) const UPPER_HALF: Question = Question::after(
    &HIGHER,
    [SPREADS + CLASSES - 1, MISSES + CLASSES - 1, CLASSES],
);

/// Contexts altogether.
pub(super) const SLOTS: usize = UPPER_HALF.end();

/// The contexts of a distance's class: the class less the size of what surrounds the pixel, so that the shape learnt in
/// quiet regions serves in busy ones, and the class itself. Separate contexts for every size and class need 1560 bytes
/// of state, learn more slowly and make FashionMNIST 1 % longer.
#[inline]
pub(super) fn of_class(s: &Surroundings, class: usize) -> [usize; 3] {
    let lift = (CLASSES - 1).saturating_sub(class);
    [s.spread + lift, s.misses + lift, class]
}
