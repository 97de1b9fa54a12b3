//! Perturbations of windows, in units of each channel's own deviation.

use super::{sign, uniform};
use crate::data::WindowSet;
use crate::random::SplitMix64;
use std::f64::consts::TAU;

/// Channel by channel, sample by sample.
pub(super) type Window = Vec<Vec<f64>>;

/// A window, another one, and the deviation of each channel over all windows.
pub(super) struct Pair {
    pub(super) window: Window,
    pub(super) other: Window,
    pub(super) deviations: Vec<f64>,
}

type OnWindow = fn(&Pair, &mut SplitMix64) -> Window;

/// Families: a name and what it does to one window.
pub(super) const FAMILIES: [(&str, OnWindow); 18] = [
    ("noise", noise),
    ("louder", louder),
    ("quieter", quieter),
    ("rest", rest),
    ("smoothed", smoothed),
    ("faster", faster),
    ("slower", slower),
    ("offset", offset),
    ("drift", drift),
    ("tone", tone),
    ("spikes", spikes),
    ("reversed", reversed),
    ("negated", negated),
    ("swapped", swapped),
    ("foreign_channel", foreign_channel),
    ("spliced", spliced),
    ("mixed", mixed),
    ("permuted", permuted),
];

/// Deviation of each channel over all windows.
pub(super) fn deviations(set: &WindowSet) -> Vec<f64> {
    let [_, channels] = set.shape();
    let of = |channel: usize| {
        let values = || set.samples().iter().skip(channel).step_by(channels);
        let n = values().count().max(1) as f64;
        let mean = values().map(|&s| f64::from(s)).sum::<f64>() / n;
        let variance = values()
            .map(|&s| (f64::from(s) - mean).powi(2))
            .sum::<f64>()
            / n;
        variance.sqrt()
    };
    (0..channels).map(of).collect()
}

/// A window of the set, channel by channel.
pub(super) fn window(set: &WindowSet, index: usize) -> Window {
    let [_, channels] = set.shape();
    let samples = set.get(index);
    let of = |channel| {
        samples
            .iter()
            .skip(channel)
            .step_by(channels)
            .map(|&s| s.into())
            .collect()
    };
    (0..channels).map(of).collect()
}

/// The samples of a window, sample by sample, rounded and held within 16 bits.
pub(super) fn samples(window: &Window) -> Vec<i16> {
    let len = window.first().map_or(0, Vec::len);
    let sample = |t: usize| window.iter().map(move |channel| channel[t].round() as i16);
    (0..len).flat_map(sample).collect()
}

/// Every sample of every channel by channel, place, value, mean of the window and deviation of the channel.
fn each(pair: &Pair, mut of: impl FnMut(usize, usize, f64, f64, f64) -> f64) -> Window {
    let channels = pair.window.iter().zip(&pair.deviations).enumerate();
    channels
        .map(|(c, (samples, &deviation))| {
            let mean = samples.iter().sum::<f64>() / samples.len().max(1) as f64;
            let samples = samples.iter().enumerate();
            samples
                .map(|(t, &v)| of(c, t, v, mean, deviation))
                .collect()
        })
        .collect()
}

/// Normal noise of a tenth of a deviation to one.
fn noise(pair: &Pair, random: &mut SplitMix64) -> Window {
    let sigma = uniform(random, 0.1, 1.0);
    each(pair, |_, _, v, _, s| v + sigma * s * random.normal())
}

/// Two to four times as far from the mean.
fn louder(pair: &Pair, random: &mut SplitMix64) -> Window {
    let by = uniform(random, 2.0, 4.0);
    each(pair, |_, _, v, mean, _| mean + by * (v - mean))
}

/// A tenth to four tenths as far from the mean.
fn quieter(pair: &Pair, random: &mut SplitMix64) -> Window {
    let by = uniform(random, 0.1, 0.4);
    each(pair, |_, _, v, mean, _| mean + by * (v - mean))
}

/// The means alone, with the noise of a sensor.
fn rest(pair: &Pair, random: &mut SplitMix64) -> Window {
    let sigma = uniform(random, 0.005, 0.05);
    each(pair, |_, _, _, mean, s| mean + sigma * s * random.normal())
}

/// Means of five to eleven neighbours.
fn smoothed(pair: &Pair, random: &mut SplitMix64) -> Window {
    let reach = 2 + random.below(4) as isize;
    each(pair, |c, t, _, _, _| {
        let near = (-reach..=reach).map(|d| at(&pair.window[c], (t as isize + d) as f64));
        near.sum::<f64>() / (2 * reach + 1) as f64
    })
}

/// One and a half to three times as fast, going on with the samples in reverse.
fn faster(pair: &Pair, random: &mut SplitMix64) -> Window {
    let by = uniform(random, 1.5, 3.0);
    each(pair, |c, t, _, _, _| at(&pair.window[c], t as f64 * by))
}

/// A third to two thirds as fast.
fn slower(pair: &Pair, random: &mut SplitMix64) -> Window {
    let by = uniform(random, 1.0 / 3.0, 2.0 / 3.0);
    each(pair, |c, t, _, _, _| at(&pair.window[c], t as f64 * by))
}

/// One channel off by one deviation to three.
fn offset(pair: &Pair, random: &mut SplitMix64) -> Window {
    let (which, by) = (
        random.below(pair.window.len()),
        sign(random) * uniform(random, 1.0, 3.0),
    );
    each(pair, |c, _, v, _, s| {
        v + if c == which { by * s } else { 0.0 }
    })
}

/// A ramp over the window, of one deviation to four at its end.
fn drift(pair: &Pair, random: &mut SplitMix64) -> Window {
    let by = sign(random) * uniform(random, 1.0, 4.0);
    each(pair, |c, t, v, _, s| {
        v + by * s * t as f64 / pair.window[c].len() as f64
    })
}

/// A sine of any frequency, half a deviation to two high.
fn tone(pair: &Pair, random: &mut SplitMix64) -> Window {
    let (size, turns) = (uniform(random, 0.5, 2.0), uniform(random, 0.01, 0.5));
    let phase = random.uniform();
    each(pair, |_, t, v, _, s| {
        v + size * s * (TAU * (phase + turns * t as f64)).sin()
    })
}

/// One to ten of a hundred samples three deviations or six off.
fn spikes(pair: &Pair, random: &mut SplitMix64) -> Window {
    let share = uniform(random, 0.01, 0.1);
    each(pair, |_, _, v, _, s| match random.uniform() < share {
        true => v + sign(random) * uniform(random, 3.0, 6.0) * s,
        false => v,
    })
}

/// Backwards.
fn reversed(pair: &Pair, _: &mut SplitMix64) -> Window {
    let reversed = pair
        .window
        .iter()
        .map(|c| c.iter().rev().copied().collect());
    reversed.collect()
}

/// One channel with the other sign.
fn negated(pair: &Pair, random: &mut SplitMix64) -> Window {
    let which = random.below(pair.window.len());
    each(pair, |c, _, v, _, _| if c == which { -v } else { v })
}

/// Each channel in the place of the one before; of a single channel, backwards.
fn swapped(pair: &Pair, random: &mut SplitMix64) -> Window {
    if pair.window.len() == 1 {
        return reversed(pair, random);
    }
    let mut window = pair.window.clone();
    window.rotate_left(1);
    window
}

/// One channel of another window.
fn foreign_channel(pair: &Pair, random: &mut SplitMix64) -> Window {
    let which = random.below(pair.window.len());
    let mut window = pair.window.clone();
    window[which].clone_from(&pair.other[which]);
    window
}

/// The first half of one window, the second of another.
fn spliced(pair: &Pair, _: &mut SplitMix64) -> Window {
    each(pair, |c, t, v, _, _| match 2 * t < pair.window[c].len() {
        true => v,
        false => pair.other[c][t],
    })
}

/// The mean of two windows.
fn mixed(pair: &Pair, _: &mut SplitMix64) -> Window {
    each(pair, |c, t, v, _, _| (v + pair.other[c][t]) / 2.0)
}

/// All samples in another order, the same one in every channel.
fn permuted(pair: &Pair, random: &mut SplitMix64) -> Window {
    let mut order: Vec<usize> = (0..pair.window.first().map_or(0, Vec::len)).collect();
    random.shuffle(&mut order);
    each(pair, |c, t, _, _, _| pair.window[c][order[t]])
}

/// The value between two samples; beyond the last one they go on in reverse.
fn at(samples: &[f64], place: f64) -> f64 {
    let last = samples.len() - 1;
    let folded = |t: usize| {
        let t = t % (2 * last).max(1);
        samples[if t > last { 2 * last - t } else { t }]
    };
    let place = place.abs();
    let (whole, rest) = (place.floor() as usize, place.fract());
    folded(whole) * (1.0 - rest) + folded(whole + 1) * rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Vectors};
    use crate::perturb::families;
    use crate::windows::{ChannelSpec, WindowSpec};
    use std::sync::Arc;

    fn set() -> WindowSet {
        let spec = WindowSpec {
            rate_millihertz: 0,
            length: 16,
            hop: 8,
            features: vec!["means:4".parse().unwrap()],
            channels: ["a", "b"].map(ChannelSpec::plain).into(),
        };
        let sample = |i: i32| (1000.0 * (f64::from(i) * 0.37).sin()) as i16 + (i % 2) as i16 * 3000;
        WindowSet::new(Arc::new(spec), (0..12 * 32).map(sample).collect()).unwrap()
    }

    #[test]
    fn every_family_makes_other_windows_always_the_same() {
        let data = Dataset::Vectors(Vectors::of_windows(set()));
        let made = |seed| families(&data, 9, seed).collect::<Vec<_>>();
        let (once, again, other) = (made(5), made(5), made(6));
        assert_eq!(once.len(), FAMILIES.len());
        assert_eq!(once, again);
        assert_ne!(once, other);
        for (name, perturbed) in once {
            let windows = perturbed.windows().expect("windows");
            assert_eq!((windows.len(), windows.shape()), (9, [16, 2]), "{name}");
            let same = (0..9).filter(|&i| windows.get(i) == set().get(i)).count();
            assert!(same < 3, "{name} leaves {same} of 9 windows as they are");
        }
    }

    #[test]
    fn families_do_what_they_are_called() {
        let set = set();
        let pair = Pair {
            window: window(&set, 0),
            other: window(&set, 1),
            deviations: deviations(&set),
        };
        let mut random = SplitMix64(3);
        assert_eq!(samples(&pair.window), set.get(0));
        assert_eq!(swapped(&pair, &mut random)[0], pair.window[1]);
        assert_eq!(reversed(&pair, &mut random)[0][0], pair.window[0][15]);
        let mixed = mixed(&pair, &mut random);
        assert_eq!(mixed[1][5], (pair.window[1][5] + pair.other[1][5]) / 2.0);
        let spliced = spliced(&pair, &mut random);
        assert_eq!(
            (spliced[0][7], spliced[0][8]),
            (pair.window[0][7], pair.other[0][8])
        );
        let spread = |w: &Window| w[0].iter().fold(0.0f64, |m, v| m.max(v.abs()));
        assert!(spread(&rest(&pair, &mut random)) < 0.5 * spread(&pair.window));
        assert_eq!(at(&[0.0, 1.0, 2.0], 2.5), 1.5, "folded at the end");
        assert_eq!(at(&[0.0, 1.0, 2.0], -0.5), 0.5, "and at the beginning");
    }
}
