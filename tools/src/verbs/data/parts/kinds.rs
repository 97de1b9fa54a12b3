//! What parts there are, and how they break.

use super::scene::{Colour, Point, Scene, Shape};
use crate::random::Random;
use clap::ValueEnum;
use std::f64::consts::TAU;

/// A kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A gear on wood, turned anyhow: teeth are missing, it is cracked, or it rusts
    Gear,
    /// A circuit board: a chip is missing, has moved, or burned
    Board,
    /// A tray of ten pills: one is missing, cut in half, or of another kind
    Tray,
}

/// Ways in which each kind breaks.
const WAYS: usize = 3;
const TEETH: usize = 12;
const STEEL: Colour = [186.0, 189.0, 196.0];
const WOOD: Colour = [96.0, 76.0, 58.0];
const CHIP: Colour = [36.0, 36.0, 40.0];
const FOIL: Colour = [150.0, 154.0, 160.0];
const PILL: Colour = [232.0, 226.0, 214.0];
/// Centre and half of each side.
const CHIPS: [[f64; 4]; 6] = [
    [0.28, 0.26, 0.09, 0.09],
    [0.54, 0.23, 0.06, 0.06],
    [0.77, 0.24, 0.08, 0.05],
    [0.27, 0.48, 0.05, 0.05],
    [0.52, 0.46, 0.10, 0.06],
    [0.77, 0.47, 0.07, 0.07],
];

impl Kind {
    /// Height over width.
    pub(super) fn aspect(self) -> f64 {
        match self {
            Self::Gear => 1.0,
            Self::Board => 0.7,
            Self::Tray => 0.5,
        }
    }

    /// A part; a whole and a broken one of one generator are the same part.
    pub(super) fn scene(self, random: &mut Random, broken: bool) -> Scene {
        let way = random.below(WAYS);
        let way = broken.then_some(way);
        match self {
            Self::Gear => gear(random, way),
            Self::Board => board(random, way),
            Self::Tray => tray(random, way),
        }
    }
}

/// A point at a distance and an angle from another.
fn polar([x, y]: Point, radius: f64, angle: f64) -> Point {
    [x + radius * angle.cos(), y + radius * angle.sin()]
}

fn gear(random: &mut Random, way: Option<usize>) -> Scene {
    let middle = [0.5, 0.5];
    let radius = random.between(0.35, 0.38);
    let turn = random.between(0.0, TAU);
    let (first, at) = (random.below(TEETH), random.between(0.0, TAU));
    let size = random.between(0.06, 0.09);
    let mut shapes = Vec::new();
    for _ in 0..12 {
        let (y, tone) = (random.uniform(), random.between(-9.0, 9.0));
        let line = Shape::Line([-0.2, y], [1.2, y + random.between(-0.02, 0.02)], 0.006);
        shapes.push((line, WOOD.map(|c| c + tone)));
    }
    shapes.push((Shape::Disc(middle, 0.85 * radius), STEEL));
    for tooth in 0..TEETH {
        let is_missing = way == Some(0) && (tooth == first || tooth == (first + 1) % TEETH);
        let angle = turn + TAU * tooth as f64 / TEETH as f64;
        let half = [0.14 * radius, 0.11 * radius];
        if !is_missing {
            let tooth = Shape::turned(polar(middle, 0.9 * radius, angle), half, angle);
            shapes.push((tooth, STEEL));
        }
    }
    shapes.push((Shape::Disc(middle, 0.3 * radius), WOOD));
    match way {
        Some(1) => {
            let knee = polar(middle, 0.6 * radius, at + 0.15);
            for (from, to) in [
                (polar(middle, 0.3 * radius, at), knee),
                (knee, polar(middle, 0.86 * radius, at)),
            ] {
                shapes.push((Shape::Line(from, to, 0.016), [40.0, 36.0, 34.0]));
            }
        }
        Some(2) => {
            let rust = Shape::Disc(polar(middle, 0.57 * radius, at), size);
            shapes.push((rust, [128.0, 72.0, 38.0]));
        }
        _ => {}
    }
    Scene {
        ground: WOOD,
        shapes,
    }
}

fn board(random: &mut Random, way: Option<usize>) -> Scene {
    let chosen = random.below(CHIPS.len());
    let push = [random.between(0.05, 0.07), random.between(0.04, 0.06)];
    let sign = [0; 2].map(|_| if random.below(2) == 0 { -1.0 } else { 1.0 });
    let burned = [random.between(0.2, 0.8), random.between(0.2, 0.5)];
    let size = random.between(0.06, 0.09);
    let plate = Shape::turned([0.5, 0.35], [0.42, 0.26], 0.0);
    let mut shapes = vec![(plate, [22.0, 104.0, 52.0])];
    for track in 0..16 {
        let x = 0.13 + 0.05 * f64::from(track);
        let line = Shape::Line([x, 0.12], [x, 0.58], 0.003);
        shapes.push((line, [28.0, 124.0, 64.0]));
    }
    for (x, y) in [(0.12, 0.13), (0.88, 0.13), (0.12, 0.57), (0.88, 0.57)] {
        shapes.push((Shape::Disc([x, y], 0.02), [208.0, 180.0, 92.0]));
    }
    for (index, [mut x, mut y, half_x, half_y]) in CHIPS.into_iter().enumerate() {
        x += random.between(-0.003, 0.003);
        y += random.between(-0.003, 0.003);
        match way {
            Some(0) if index == chosen => continue,
            Some(1) if index == chosen => {
                x += sign[0] * push[0];
                y += sign[1] * push[1];
            }
            _ => {}
        }
        let pins = Shape::turned([x, y], [half_x, half_y + 0.012], 0.0);
        shapes.push((pins, [176.0, 176.0, 168.0]));
        shapes.push((Shape::turned([x, y], [half_x, half_y], 0.0), CHIP));
    }
    if way == Some(2) {
        shapes.push((Shape::Disc(burned, size), [74.0, 58.0, 36.0]));
        shapes.push((Shape::Disc(burned, 0.6 * size), [22.0, 18.0, 14.0]));
    }
    Scene {
        ground: [202.0, 202.0, 199.0],
        shapes,
    }
}

fn tray(random: &mut Random, way: Option<usize>) -> Scene {
    let (chosen, at) = (random.below(10), random.between(0.0, TAU));
    let plate = Shape::turned([0.5, 0.25], [0.46, 0.21], 0.0);
    let mut shapes = vec![(plate, FOIL)];
    for index in 0..10 {
        let place = [
            0.14 + 0.18 * f64::from(index % 5),
            0.15 + 0.2 * f64::from(index / 5),
        ];
        let middle = place.map(|x| x + random.between(-0.006, 0.006));
        let is_chosen = index as usize == chosen;
        shapes.push((Shape::Disc(place, 0.075), FOIL.map(|c| c - 34.0)));
        match way {
            Some(0) if is_chosen => continue,
            Some(2) if is_chosen => {
                shapes.push((Shape::Disc(middle, 0.06), [112.0, 58.0, 74.0]));
            }
            _ => shapes.push((Shape::Disc(middle, 0.06), PILL)),
        }
        if way == Some(1) && is_chosen {
            let half = Shape::turned(polar(middle, 0.035, at), [0.035, 0.062], at);
            shapes.push((half, FOIL.map(|c| c - 34.0)));
        }
    }
    Scene {
        ground: [62.0, 66.0, 82.0],
        shapes,
    }
}
