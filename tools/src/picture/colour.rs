//! Colours: what is below zero is blue, what is above it orange, zero is paper.

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// Behind everything.
pub(crate) const PAPER: Rgb = [255, 255, 255];
/// Titles.
pub(crate) const INK: Rgb = [29, 34, 40];
/// Labels.
pub(crate) const SOFT: Rgb = [92, 102, 112];
/// Coordinates without a value: a pale green, which neither numbers nor images have.
pub(crate) const BLANK: Rgb = [205, 222, 205];

/// From the lowest to the highest value, at equal distances.
const ANCHORS: [Rgb; 7] = [
    [9, 34, 92],
    [42, 105, 186],
    [145, 190, 232],
    [250, 249, 246],
    [246, 183, 124],
    [214, 92, 28],
    [104, 20, 8],
];

/// The colours of the scale, each at its share of the way.
pub(crate) fn stops() -> impl Iterator<Item = (f32, Rgb)> {
    let last = (ANCHORS.len() - 1) as f32;
    let anchors = ANCHORS.into_iter().enumerate();
    anchors.map(move |(index, colour)| (index as f32 / last, colour))
}

/// The colour of a value relative to the range: -1 and 1 are its ends, beyond them the end's colour. NaN is blank.
pub(crate) fn diverging(value: f32) -> Rgb {
    if value.is_nan() {
        return BLANK;
    }
    let last = ANCHORS.len() - 1;
    let place = (value.clamp(-1.0, 1.0) + 1.0) / 2.0 * last as f32;
    let below = (place as usize).min(last - 1);
    let share = place - below as f32;
    std::array::from_fn(|i| {
        let (low, high) = (
            f32::from(ANCHORS[below][i]),
            f32::from(ANCHORS[below + 1][i]),
        );
        (low + share * (high - low)).round() as u8
    })
}

/// A grey level.
pub(crate) fn grey(byte: u8) -> Rgb {
    [byte; 3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_has_its_ends_and_its_middle() {
        assert_eq!(diverging(0.0), ANCHORS[3]);
        assert_eq!([diverging(-1.0), diverging(-7.0)], [ANCHORS[0]; 2]);
        assert_eq!([diverging(1.0), diverging(f32::INFINITY)], [ANCHORS[6]; 2]);
        assert_eq!(diverging(f32::NAN), BLANK);
    }

    #[test]
    fn signs_are_told_apart_and_magnitudes_darken() {
        let light = |c: Rgb| c.iter().map(|&v| u32::from(v)).sum::<u32>();
        let mut values = (1..=20).map(|k| k as f32 / 20.0);
        assert!(values.all(|v| {
            let (low, high) = (diverging(-v), diverging(v));
            let nearer = v - 0.05;
            low[2] > low[0]
                && high[0] > high[2]
                && light(low) < light(diverging(-nearer))
                && light(high) < light(diverging(nearer))
        }));
    }
}
