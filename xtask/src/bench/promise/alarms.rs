//! False alarms of the three alarms, and how soon they come when the scores fall.

use super::measured::{Measured, Theory, Unit};
use super::stream::{below, calibrated, nats, random, raw, rejected};
use super::theory::{Drift, Wagers, inputs_to_m_of_n, noticed};
use super::{ALPHA_PPM, SAMPLES};
use anyhow::{Context, Result};
use flow_infer::gate::{Calibration, PValues};
use flow_infer::{DriftAlarm, HoldAlarm, SequenceAlarm};
use flow_train_host::calibrate::Calibrated;

/// Benign inputs before a change, and changes of each kind.
const BEFORE: u32 = 10_000;
const CHANGES: u32 = 20;
/// Deviations by which scores fall.
const SHIFTS: [f64; 3] = [1.0, 2.0, 4.0];
/// An input at which an alarm that has not come will not come.
const LAST: u32 = 200_000;
/// m of n.
const NEEDED: u32 = 3;
const WINDOW: u32 = 5;
/// The sequence alarm's probability, in lives of which many can be simulated, and as a device has it.
const LIVES: u32 = 1000;
const OF_LIFE: u32 = 1000;
const LIVES_PPM: u32 = 100_000;
const LEVEL_PPM: u32 = 1000;
/// The drift alarm's mean time.
const MEAN_TIME: u32 = 100_000;

pub(super) fn measure(seed: u64, inputs: u32) -> Result<Vec<Measured>> {
    let calibrated = calibrated(&mut random(seed, 5), SAMPLES, ALPHA_PPM)?;
    Ok([
        hold(seed, &calibrated.gate, inputs)?,
        sequence(seed, &calibrated, inputs)?,
        drift(seed, &calibrated.gate, inputs)?,
    ]
    .concat())
}

fn hold(seed: u64, gate: &Calibration, inputs: u32) -> Result<Vec<Measured>> {
    let alarm = HoldAlarm::new(NEEDED, 0, WINDOW, 1).context("an alarm")?;
    let mut random = random(seed, 6);
    let mut push = |alarm: &mut HoldAlarm, shift: f64| {
        let accepted = raw(random.normal() - shift) >= gate.threshold_raw;
        alarm.push(match accepted {
            true => flow_infer::Decision::Accept,
            false => flow_infer::Decision::Reject,
        })
    };
    let benign = rejected(gate, 0.0);
    let mut benign_alarm = alarm;
    let mut alarms = 0u32;
    for _ in 0..inputs {
        if push(&mut benign_alarm, 0.0) {
            alarms += 1;
            benign_alarm.reset();
        }
    }
    let expected = f64::from(inputs) / inputs_to_m_of_n(NEEDED, WINDOW, 0.0, benign);
    let mut found = vec![Measured::new(
        format!("HoldAlarm {NEEDED} of {WINDOW}: alarms in {inputs} benign inputs"),
        Unit::Count,
        alarms.into(),
        Theory::Near(expected, 0.5..=1.6),
    )];
    for shift in SHIFTS {
        let mut sum = 0;
        let changes = 20 * CHANGES;
        for _ in 0..changes {
            let mut alarm = alarm;
            (0..WINDOW).for_each(|_| _ = push(&mut alarm, 0.0));
            sum += (1..LAST)
                .find(|_| push(&mut alarm, shift))
                .context("no alarm")?;
        }
        let after = rejected(gate, shift);
        found.push(delay(
            shift,
            f64::from(sum) / f64::from(changes),
            Theory::Near(inputs_to_m_of_n(NEEDED, WINDOW, benign, after), 0.9..=1.1),
        ));
    }
    Ok(found)
}

fn delay(shift: f64, found: f64, theory: Theory) -> Measured {
    let what = format!("... scores lower by {shift:.1} deviations: inputs to the alarm");
    Measured::new(what, Unit::Inputs, found, theory)
}

fn sequence(seed: u64, calibrated: &Calibrated, inputs: u32) -> Result<Vec<Measured>> {
    let samples = calibrated.gate.samples;
    let new = |level| SequenceAlarm::new(samples, level).context("too few to wager on");
    let p_values = PValues::parse(&calibrated.p_values).context("no p-values")?;
    let mut random = random(seed, 7);
    let mut push = |alarm: &mut SequenceAlarm, shift: f64| {
        alarm.push(p_values.ppm(raw(random.normal() - shift)))
    };
    let mut alarm = new(LEVEL_PPM)?;
    let alarms = (0..inputs).any(|_| push(&mut alarm, 0.0));
    let mut found = vec![
        lives(seed)?,
        Measured::new(
            format!("... at level 0.001: streams of {inputs} benign inputs with an alarm"),
            Unit::Share,
            f64::from(u8::from(alarms)),
            // One of a few streams would say nothing; of none, one in a thousand is all that may come.
            Theory::AtMost(f64::from(LEVEL_PPM) / 1e6, 1.0),
        ),
    ];
    let wagers = Wagers::new(samples.into(), f64::from(LEVEL_PPM) / 1e6);
    let edges = edges(&p_values);
    for shift in SHIFTS {
        let mut sum = 0;
        for _ in 0..CHANGES {
            let mut alarm = new(LEVEL_PPM)?;
            (0..BEFORE).for_each(|_| _ = push(&mut alarm, 0.0));
            sum += (1..LAST)
                .find(|_| push(&mut alarm, shift))
                .context("no alarm")?;
        }
        let reached = |t| {
            let shift = if t <= BEFORE { 0.0 } else { shift };
            edges.map(|edge| below(edge + shift))
        };
        let theory = noticed(&wagers, reached, LAST).context("never")? - BEFORE;
        let mean = f64::from(sum) / f64::from(CHANGES);
        found.push(delay(shift, mean, Theory::Near(theory.into(), 0.75..=1.25)));
    }
    let falls = |t: u32| 2.0 * f64::from(t) / f64::from(inputs);
    let mut alarm = new(LEVEL_PPM)?;
    let after = (1..inputs).find(|&t| push(&mut alarm, falls(t)));
    let theory = noticed(
        &wagers,
        |t| edges.map(|edge| below(edge + falls(t))),
        inputs,
    );
    found.push(Measured::new(
        "... scores fall slowly, by 2 deviations in all: by how many at the alarm",
        Unit::Nats,
        falls(after.context("no alarm")?),
        // Where gains begin, chance is worth as much as they are.
        Theory::Near(falls(theory.context("never")?), 0.5..=1.25),
    ));
    Ok(found)
}

/// Lives with an alarm, a calibration of its own each.
fn lives(seed: u64) -> Result<Measured> {
    let mut random = random(seed, 8);
    let mut with_alarm = 0u32;
    for _ in 0..LIVES {
        let own = calibrated(&mut random, SAMPLES, ALPHA_PPM)?;
        let p_values = PValues::parse(&own.p_values).context("no p-values")?;
        let alarm = SequenceAlarm::new(own.gate.samples, LIVES_PPM);
        let mut alarm = alarm.context("too few to wager on")?;
        let alarms = (0..OF_LIFE).any(|_| alarm.push(p_values.ppm(raw(random.normal()))));
        with_alarm += u32::from(alarms);
    }
    Ok(Measured::new(
        format!("SequenceAlarm at level 0.1: lives of {OF_LIFE} benign inputs with an alarm"),
        Unit::Share,
        f64::from(with_alarm) / f64::from(LIVES),
        Theory::AtMost(f64::from(LIVES_PPM) / 1e6, 1.1),
    ))
}

/// The scores below which p-values are at most 4^-1, 4^-2, ...
fn edges(p_values: &PValues<'_>) -> [f64; 4] {
    [1, 2, 3, 4].map(|level| {
        let points = p_values.points();
        let within = points.filter(|&(_, ppm)| u64::from(ppm) << (2 * level) <= 1_000_000);
        within
            .last()
            .map_or(f64::NEG_INFINITY, |(score, _)| nats(score))
    })
}

fn drift(seed: u64, gate: &Calibration, inputs: u32) -> Result<Vec<Measured>> {
    let alarm = DriftAlarm::new(gate, MEAN_TIME).context("too few for a drift alarm")?;
    let mut random = random(seed, 9);
    let mut alarms = 0u32;
    let mut benign = alarm.clone();
    for _ in 0..inputs {
        if benign.push(raw(random.normal())) {
            alarms += 1;
            benign.reset();
        }
    }
    let mut found = vec![Measured::new(
        format!("DriftAlarm at a mean time of {MEAN_TIME}: alarms in {inputs} benign inputs"),
        Unit::Count,
        alarms.into(),
        Theory::AtMost(f64::from(inputs) / f64::from(MEAN_TIME), 1.1),
    )];
    for shift in [0.5, 1.0, 2.0] {
        let mut sum = 0;
        for _ in 0..CHANGES {
            let mut alarm = alarm.clone();
            (0..BEFORE).for_each(|_| _ = alarm.push(raw(random.normal())));
            let after = (1..LAST).find(|_| alarm.push(raw(random.normal() - shift)));
            sum += after.context("no alarm")?;
        }
        let shift_at = |t| if t <= BEFORE { 0.0 } else { shift };
        let theory = Drift::new(gate, MEAN_TIME)
            .noticed(shift_at, LAST)
            .context("never")?;
        let mean = f64::from(sum) / f64::from(CHANGES);
        let theory = Theory::Near((theory - BEFORE).into(), 0.75..=1.25);
        found.push(delay(shift, mean, theory));
    }
    Ok(found)
}
