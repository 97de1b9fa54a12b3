//! The long-run rate of false alarms, where benign inputs change slowly and at once and foreign scenes come and go.

use super::measured::{Measured, Theory, Unit};
use super::stream::{calibrated, nats, random, raw, rejected};
use super::theory::inputs_to_m_of_n;
use super::{ALPHA_PPM, SAMPLES};
use crate::random::Random;
use anyhow::{Context, Result};
use flow_infer::gate::Calibration;
use flow_infer::{AdaptiveThreshold, HoldAlarm};

/// Deviations by which benign scores fall and rise, in two waves.
const WAVE: f64 = 1.5;
/// Jumps of one deviation, down and up in turns.
const JUMPS: u32 = 20;
/// Foreign scenes, their length in inputs, and by how many deviations they score lower.
const SCENES: u32 = 40;
const OF_SCENE: u32 = 500;
const FOREIGN: f64 = 5.0;
/// The alarm of what moves: m of n, and how long it stays.
const NEEDED: u32 = 3;
const WINDOW: u32 = 5;
const HOLD: u32 = 20;

/// What comes.
#[derive(Clone, Copy)]
struct Course {
    inputs: u32,
    jumps: bool,
    scenes: bool,
}

impl Course {
    /// By how much the scores of benign inputs are lower now.
    fn drift(self, input: u32) -> f64 {
        let turn = 2.0 * std::f64::consts::TAU * f64::from(input) / f64::from(self.inputs);
        let stretch = u64::from(input) * u64::from(JUMPS) / u64::from(self.inputs);
        let jumped = self.jumps && stretch % 2 == 1;
        WAVE * turn.sin() + f64::from(u8::from(jumped))
    }

    /// How far into a foreign scene it is, if it is in one: in the middle of the stretches that it parts the stream into.
    fn scene(self, input: u32) -> Option<u32> {
        let stretch = self.inputs / SCENES;
        let into = (input % stretch).checked_sub(stretch / 2)?;
        (self.scenes && into < OF_SCENE).then_some(into)
    }
}

/// What was counted.
#[derive(Default)]
struct Counted {
    benign: u32,
    false_alarms: u32,
    at_rest: f64,
    seen: u32,
    noticed: u32,
    delay: u32,
    /// The furthest that a scene moved the threshold, in raw units.
    moved: i64,
}

pub(super) fn measure(seed: u64, inputs: u32) -> Result<Vec<Measured>> {
    let gate = calibrated(&mut random(seed, 3), SAMPLES, ALPHA_PPM)?.gate;
    let mut found = Vec::new();
    for (name, jumps, scenes) in [
        ("slow drift", false, false),
        ("drift and jumps", true, false),
        ("drift, jumps and foreign scenes", true, true),
    ] {
        let course = Course {
            inputs,
            jumps,
            scenes,
        };
        found.extend(adaptive(name, seed, &gate, course)?);
    }
    Ok(found)
}

fn adaptive(name: &str, seed: u64, gate: &Calibration, course: Course) -> Result<Vec<Measured>> {
    let counted = run(&mut random(seed, 4), gate, course)?;
    let alpha = f64::from(ALPHA_PPM) / 1e6;
    let share = |n: f64| n / f64::from(counted.benign);
    let mut found = vec![
        Measured::new(
            format!("{name}, adaptive threshold: benign inputs rejected"),
            Unit::Share,
            share(counted.false_alarms.into()),
            // The method's own bound, (2 reach + step) / (N step) with a reach of 64 steps, is 1 %; scenes and jumps that the
            // alarm takes for scenes cost the rest.
            Theory::Near(alpha, 0.9..=1.1),
        ),
        Measured::new(
            "... by the threshold at rest",
            Unit::Share,
            share(counted.at_rest),
            Theory::Near(at_rest(gate, course), 0.97..=1.03),
        ),
    ];
    if course.scenes {
        // The adaptive threshold is where alpha of the benign scores are below it, whatever they drifted by.
        let delay = inputs_to_m_of_n(NEEDED, WINDOW, alpha, rejected(gate, FOREIGN));
        found.extend([
            Measured::new(
                "... scenes noticed",
                Unit::Share,
                f64::from(counted.noticed) / f64::from(counted.seen),
                Theory::Near(1.0, 1.0..=1.0),
            ),
            Measured::new(
                format!("... {NEEDED} of {WINDOW}: inputs to the alarm"),
                Unit::Inputs,
                f64::from(counted.delay) / f64::from(counted.noticed.max(1)),
                Theory::Near(delay, 0.95..=1.05),
            ),
            Measured::new(
                "... the furthest that a scene moved the threshold",
                Unit::Nats,
                nats(counted.moved),
                Theory::AtMost(f64::from(NEEDED - 1) * step(gate), 1.0),
            ),
        ]);
    }
    Ok(found)
}

/// A step of its threshold: a 64th of what its calibration scores spread between the lowest and their median.
fn step(gate: &Calibration) -> f64 {
    let quantiles = &gate.quantiles_raw;
    nats(quantiles[quantiles.len() / 2] - quantiles[0]) / 64.0
}

/// The mean over the stream of what the calibrated threshold rejects.
fn at_rest(gate: &Calibration, course: Course) -> f64 {
    let benign = (0..course.inputs).filter(|&input| course.scene(input).is_none());
    // Slow enough that one in a hundred tells them all.
    let some = benign
        .step_by(100)
        .map(|input| rejected(gate, course.drift(input)));
    let (sum, count) = some.fold((0.0, 0), |(sum, count), p| (sum + p, count + 1));
    sum / f64::from(count)
}

fn run(random: &mut Random, gate: &Calibration, course: Course) -> Result<Counted> {
    let mut moving = AdaptiveThreshold::of(gate).context("a gate that does not move")?;
    let mut alarm = HoldAlarm::new(NEEDED, 0, WINDOW, HOLD).context("an alarm")?;
    let mut counted = Counted::default();
    let (mut before, mut noticed) = (0, false);
    for input in 0..course.inputs {
        let scene = course.scene(input);
        let lower = course.drift(input) + scene.map_or(0.0, |_| FOREIGN);
        let score = raw(random.normal() - lower);
        let decision = moving.decide(score);
        if scene == Some(0) {
            (before, noticed) = (moving.moved_raw(), alarm.alarm());
            counted.seen += 1;
            counted.noticed += u32::from(noticed);
        }
        let speaks = alarm.push(decision);
        moving.follow(decision, speaks);
        match scene {
            None => {
                counted.benign += 1;
                counted.false_alarms += u32::from(!decision.accepted());
                counted.at_rest += f64::from(u8::from(score < gate.threshold_raw));
            }
            Some(into) => {
                if speaks && !noticed {
                    noticed = true;
                    counted.noticed += 1;
                    counted.delay += into + 1;
                }
                if noticed {
                    let moved = (moving.moved_raw() - before).abs();
                    counted.moved = counted.moved.max(moved);
                }
            }
        }
    }
    Ok(counted)
}
