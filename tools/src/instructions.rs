//! What a model will cost on a core, from the counts that the repository holds.
//!
//! The record `instructions.csv` counts whole couplings and a dense layer on each emulated
//! machine. Per multiply, with everything around the multiplies, these carry over to other models
//! of the kind: on a Cortex-M4 `fashion-tiny` is estimated within 2 % of what is counted. A coupling
//! with a bottleneck has much that does not grow with its multiplies, so it is counted at two sizes,
//! and the line through both estimates `fashion-bottleneck` within 4 % (9 % on a Cortex-M55, 10 % on
//! aarch64). With its figure of one size alone it was 19 %.

use serde::Serialize;
use std::collections::BTreeMap;

const RECORD: &str = include_str!("../records/instructions.csv");
/// The counted cases whose figures carry over, by how their names begin.
const IMAGE_CASE: &str = "coupling, resnet";
const BOTTLENECK_CASE: &str = "coupling, autoencoder";
const VECTOR_CASE: &str = "dense";

/// Multiplies of conditioners, by what they are part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Multiplies {
    /// Of windows over images.
    pub(crate) windows: u64,
    /// Of windows over images, in conditioners with a bottleneck, and how many of these there are.
    pub(crate) bottleneck: u64,
    pub(crate) bottlenecks: u64,
    /// Of dense layers: images of one pixel.
    pub(crate) dense: u64,
}

/// Instructions that one evaluation is expected to take on a core.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    /// The emulated machine's name, and its core.
    pub(crate) board: String,
    pub(crate) core: &'static str,
    pub(crate) instructions: u64,
    /// A part that has this core, and the clock of it.
    pub(crate) example: &'static str,
    pub(crate) clock_mhz: u32,
    /// At one instruction a cycle.
    pub(crate) milliseconds: f64,
}

/// A core by its name, and a part that has it.
struct Core {
    name: &'static str,
    example: &'static str,
    clock_mhz: u32,
}

/// The estimate for each machine of the record that is somebody's.
pub(crate) fn estimates(multiplies: Multiplies) -> Vec<Estimate> {
    of_record(RECORD, multiplies)
}

/// The names of these machines.
pub(crate) fn boards() -> Vec<String> {
    let all = estimates(Multiplies::default()).into_iter();
    all.map(|estimate| estimate.board).collect()
}

fn of_record(record: &str, multiplies: Multiplies) -> Vec<Estimate> {
    let of_kinds = [
        (IMAGE_CASE, 0, multiplies.windows),
        (
            BOTTLENECK_CASE,
            multiplies.bottlenecks,
            multiplies.bottleneck,
        ),
        (VECTOR_CASE, 0, multiplies.dense),
    ];
    let of_kinds = of_kinds.map(|(case, parts, count)| (costs(record, case), parts, count));
    let estimate = |&board: &&str| {
        let instructions = |(of_case, parts, count): &(BTreeMap<&str, Cost>, u64, u64)| {
            let cost = of_case.get(board)?;
            Some(cost.fixed * *parts as f64 + cost.each * *count as f64)
        };
        let sum: Option<f64> = of_kinds.iter().map(instructions).sum();
        let core = core(board)?;
        let instructions = sum?.round() as u64;
        Some(Estimate {
            board: board.to_owned(),
            core: core.name,
            instructions,
            example: core.example,
            clock_mhz: core.clock_mhz,
            milliseconds: instructions as f64 / (f64::from(core.clock_mhz) * 1e3),
        })
    };
    of_kinds[0].0.keys().filter_map(estimate).collect()
}

/// Instructions of a part of a model: fixed ones, and those of each multiply.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    fixed: f64,
    each: f64,
}

impl Cost {
    /// The line through the first and the last of these, multiplies and instructions; of one, all is its multiplies'.
    fn through(counts: &[[f64; 2]]) -> Option<Self> {
        let (&[fewer, less], &[more, most]) = (counts.first()?, counts.last()?);
        let each = match counts.len() {
            1 => less / fewer,
            _ => (most - less) / (more - fewer),
        };
        let fixed = less - each * fewer;
        Some(Self { fixed, each })
    }
}

/// The cost of a case on each board: of one that is counted at two sizes the line through both.
fn costs<'r>(record: &'r str, case: &str) -> BTreeMap<&'r str, Cost> {
    let mut of_boards = BTreeMap::<&str, Vec<[f64; 2]>>::new();
    for (board, counts) in counts(record, case) {
        of_boards.entry(board).or_default().push(counts);
    }
    let costs = of_boards.into_iter();
    costs
        .filter_map(|(board, counts)| Some((board, Cost::through(&counts)?)))
        .collect()
}

/// Multiplies and instructions of a case on each board: lines are `case;board;multiplies;instructions`.
fn counts<'r>(record: &'r str, case: &str) -> Vec<(&'r str, [f64; 2])> {
    let counted = |line: &'r str| {
        let fields: Vec<&str> = line.split(';').collect();
        let &[name, board, multiplies, instructions] = fields.as_slice() else {
            return None;
        };
        let counts = [multiplies.parse().ok()?, instructions.parse().ok()?];
        name.starts_with(case).then_some((board, counts))
    };
    record.lines().filter_map(counted).collect()
}

fn core(board: &str) -> Option<Core> {
    let (name, example, clock_mhz) = match board {
        "m0" => ("Cortex-M0, M0+ (v6-M)", "RP2040", 133),
        "m3" => ("Cortex-M3", "STM32F103", 72),
        "m4" => ("Cortex-M4", "nRF52840", 64),
        "m33" => ("Cortex-M33", "RP2350", 150),
        "m7" => ("Cortex-M7", "STM32H743", 480),
        "m55" => ("Cortex-M55", "Alif Ensemble E1", 160),
        "riscv" => ("RV32IMAC", "ESP32-C6", 160),
        "aarch64-sdot" => ("aarch64 with dot products", "Raspberry Pi 5", 2400),
        "aarch64-neon" => ("aarch64", "Raspberry Pi 4", 1500),
        // Counted for comparison: nobody computes with it where there are others.
        _ => return None,
    };
    Some(Core {
        name,
        example,
        clock_mhz,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "# by hand\ncase;board;multiplies;instructions\n\
                       coupling, resnet of 16;m4;1000;2000\ndense, 128;m4;100;300\ndense, 128;m9;1;1\n\
                       coupling, autoencoder of 8;m4;100;450\n\
                       coupling, autoencoder of 8, smaller;m4;20;130\n";

    #[test]
    fn windows_and_dense_layers_cost_their_figures() {
        let multiplies = Multiplies {
            windows: 500,
            bottleneck: 40,
            bottlenecks: 2,
            dense: 70,
        };
        let estimates = of_record(TWO, multiplies);
        assert_eq!(estimates.len(), 1);
        // Four instructions a multiply, and fifty that every bottleneck takes.
        assert_eq!(
            estimates[0].instructions,
            500 * 2 + 40 * 4 + 2 * 50 + 70 * 3
        );
        assert_eq!(estimates[0].core, "Cortex-M4");
        // 1,470 instructions at 64 MHz.
        assert!((estimates[0].milliseconds - 0.022_968_75).abs() < 1e-12);
    }

    #[test]
    fn the_committed_record_has_nine_cores() {
        let multiplies = Multiplies {
            windows: 1_000_000,
            ..Multiplies::default()
        };
        let estimates = estimates(multiplies);
        assert_eq!(estimates.len(), 9);
        for estimate in estimates {
            assert!((100_000..20_000_000).contains(&estimate.instructions));
        }
    }

    #[test]
    fn whole_models_are_estimated_as_they_are_counted() {
        let tiny = Multiplies {
            windows: 35_951_104,
            ..Multiplies::default()
        };
        let bottleneck = Multiplies {
            windows: 373_920,
            bottleneck: 2_615_296,
            bottlenecks: 8,
            ..Multiplies::default()
        };
        // The record counts multiplies of couplings alone; the ratio net's instructions are in.
        let models = [
            ("fashion-tiny", tiny, tiny.windows),
            ("fashion-bottleneck", bottleneck, bottleneck.bottleneck),
        ];
        for (model, multiplies, of_record) in models {
            let counted = counts(RECORD, model);
            for estimate in estimates(multiplies) {
                let (_, [of_couplings, instructions]) = counted
                    .iter()
                    .find(|(board, _)| *board == estimate.board)
                    .unwrap();
                assert_eq!(*of_couplings, of_record as f64);
                let ratio = estimate.instructions as f64 / instructions;
                assert!(
                    (0.80..1.05).contains(&ratio),
                    "{model} on {}: {ratio}",
                    estimate.board
                );
            }
        }
    }
}
