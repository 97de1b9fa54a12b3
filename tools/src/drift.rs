//! After how many inputs the drift alarm goes off, alone with foreign inputs and with some among
//! benign ones.

use crate::evaluation::{Drift, Set};
use crate::number;
use crate::table::{Cell, Table, Tone};
use flow_infer::drift::DriftAlarm;
use flow_infer::gate::Calibration;
use flow_infer::score::Scores;

/// Benign inputs to a false alarm, on average.
pub(crate) const AVERAGE: u32 = 1_000_000;
/// One input in so many is foreign.
const MIXTURES: [usize; 3] = [100, 10, 1];

/// Every sequence, benign inputs alone first; none where the gate says too little for an alarm.
pub(crate) fn sequences(gate: &Calibration, benign: &Set, foreign: &[Set]) -> Vec<Drift> {
    let Some(alarm) = DriftAlarm::new(gate, AVERAGE) else {
        return Vec::new();
    };
    let run = |scores: &mut dyn Iterator<Item = &Scores>| {
        let mut alarm = alarm.clone();
        // An input that has no score is for the gate to refuse.
        let mut scores = scores.map(|scores| gate.score_raw(scores));
        let found = scores.position(|raw| raw.is_some_and(|raw| alarm.push(raw)));
        found.map(|index| index + 1)
    };
    let mut all = vec![Drift {
        foreign: None,
        one_in: None,
        after: run(&mut benign.scores.iter()),
        inputs: benign.count,
    }];
    for set in foreign {
        for one_in in MIXTURES {
            // As long as there are inputs of both kinds.
            let foreign = set.count.saturating_mul(one_in);
            let inputs = if one_in == 1 {
                set.count
            } else {
                foreign.min(benign.count)
            };
            let mixed = |index: usize| match (index + 1) % one_in {
                0 => set.scores.get(index / one_in),
                _ => benign.scores.get(index),
            };
            all.push(Drift {
                foreign: Some(set.name.clone()),
                one_in: Some(one_in),
                after: run(&mut (0..inputs).filter_map(mixed)),
                inputs,
            });
        }
    }
    all
}

impl Drift {
    /// What the inputs are.
    pub(crate) fn what(&self) -> String {
        match (&self.foreign, self.one_in) {
            (Some(name), Some(1)) => name.clone(),
            (Some(name), Some(one_in)) => format!("one in {one_in} of {name}"),
            _ => "own data alone".to_owned(),
        }
    }

    /// When the alarm went off.
    pub(crate) fn when(&self) -> String {
        let grouped = |n: usize| number::grouped(n as u64);
        self.after.map_or("-".to_owned(), grouped)
    }
}

/// The sequences, one a row.
pub(crate) fn table(sequences: &[Drift]) -> Table {
    let mut table = Table::new(["inputs in turn", "how many", "drift alarm after"]).left(1);
    for drift in sequences {
        let is_right = drift.after.is_some() == drift.foreign.is_some();
        let tone = if is_right { Tone::Good } else { Tone::Plain };
        table.row([
            Cell::from(drift.what()),
            number::grouped(drift.inputs as u64).into(),
            Cell::new(drift.when(), tone),
        ]);
    }
    table
}
