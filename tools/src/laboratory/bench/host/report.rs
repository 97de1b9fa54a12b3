//! The tables, and what the project asks of itself.

use super::super::report::ratio;
use super::side::Engine;
use super::versus::Timed;
use crate::number;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};
use anyhow::Result;
use flow_train_host::metrics::{median, quantile};
use std::io::Write;

/// Highest shares of the others' times.
pub(super) struct Goals {
    /// Of PyTorch eager's time for one image.
    eager: f64,
    /// Of ONNX Runtime's best, for one image and in batches.
    onnx: f64,
    onnx_batch: Option<f64>,
}

/// Wherever it runs, and with AVX2 alone.
pub(super) const GOALS: Goals = Goals {
    eager: 1.0 / 3.0,
    onnx: 0.8,
    onnx_batch: None,
};
pub(super) const AVX2_GOALS: Goals = Goals {
    onnx: 0.6,
    onnx_batch: Some(0.8),
    ..GOALS
};
/// Lowest gain of two cores.
const CORES_GOAL: f64 = 1.8;

/// A model with what every side did.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) sides: Vec<Timed>,
}

type Times = fn(&Timed) -> &[f64];

fn one(side: &Timed) -> &[f64] {
    &side.one_ms
}

fn each(side: &Timed) -> &[f64] {
    &side.each_ms
}

impl Outcome {
    /// The fastest side of these engines, by the times that `of` picks.
    fn fastest(&self, engines: &[Engine], of: Times) -> Option<&Timed> {
        let sides = self.sides.iter();
        let sides = sides.filter(|side| engines.contains(&side.side.engine));
        sides.min_by(|a, b| median(of(a)).total_cmp(&median(of(b))))
    }

    /// The quantized engine's time as a share of these engines' least, round by round.
    fn ratios(&self, engines: &[Engine], of: Times) -> Option<Vec<f64>> {
        self.ratios_of(Engine::Ours, engines, of)
    }

    /// The time of one of our engines as a share of these engines' least, round by round.
    fn ratios_of(&self, ours: Engine, engines: &[Engine], of: Times) -> Option<Vec<f64>> {
        let (ours, theirs) = (self.fastest(&[ours], of)?, self.fastest(engines, of)?);
        let both = of(ours).iter().zip(of(theirs));
        Some(both.map(|(ours, theirs)| ours / theirs).collect())
    }

    /// Images per second of all cores over those of one, round by round.
    fn gains(&self) -> Option<Vec<f64>> {
        let ours = |many: bool| {
            let mut sides = self.sides.iter();
            sides.find(|s| s.side.engine == Engine::Ours && (s.side.threads > 1) == many)
        };
        let both = ours(false)?.each_ms.iter().zip(&ours(true)?.each_ms);
        Some(both.map(|(one, all)| one / all).collect())
    }
}

/// Latency and throughput, side by side.
pub(super) fn side_table(outcomes: &[Outcome]) -> Table {
    let head = [
        "model",
        "side",
        "threads",
        "ms, one image",
        "least..greatest",
        "images/s",
        "least..greatest",
        "peak MiB",
        "bits/dim off",
    ];
    let mut table = Table::new(head).left(2);
    for outcome in outcomes {
        for side in &outcome.sides {
            let per_second = |ms: f64| number::grouped((1e3 / ms) as u64);
            let of = |times: &[f64], q| quantile(times, q);
            let (one, each) = (&side.one_ms, &side.each_ms);
            let off = side.off_bits.map(|bits| format!("{bits:.4}"));
            table.row([
                outcome.name.clone(),
                side.side.engine.name().to_owned(),
                side.side.threads.to_string(),
                format!("{:.3}", median(one)),
                format!("{:.3}..{:.3}", of(one, 0.0), of(one, 1.0)),
                per_second(median(each)),
                format!(
                    "{}..{}",
                    per_second(of(each, 1.0)),
                    per_second(of(each, 0.0))
                ),
                format!("{:.0}", side.peak_kib as f64 / 1024.0),
                off.unwrap_or_default(),
            ]);
        }
    }
    table
}

/// Ratios with their goals; of times, so below 1 we are faster, except that of the cores.
pub(super) fn ratio_table(outcomes: &[Outcome], goals: &Goals) -> Table {
    let mut table = Table::new(["model", "ratio", "median", "least..greatest", "goal"]).left(2);
    let onnx = [Engine::Onnx, Engine::OnnxInt8];
    for outcome in outcomes {
        let mut row = |what: &str, ratios: Option<Vec<f64>>, goal: Option<f64>, more: bool| {
            let Some(ratios) = ratios else { return };
            let found = median(&ratios);
            let cell = match goal {
                Some(goal) if !more => ratio(found, goal),
                Some(goal) if found < goal => Cell::new(format!("{found:.2}"), Tone::Bad),
                Some(_) => Cell::new(format!("{found:.2}"), Tone::Good),
                None => format!("{found:.2}").into(),
            };
            let spread = format!(
                "{:.2}..{:.2}",
                quantile(&ratios, 0.0),
                quantile(&ratios, 1.0)
            );
            let goal = goal.map(|goal| format!("{goal:.2}"));
            let name: Cell = outcome.name.as_str().into();
            table.row([
                name,
                what.into(),
                cell,
                spread.into(),
                goal.unwrap_or_default().into(),
            ]);
        };
        let eager = [Engine::Eager];
        row(
            "one image, PyTorch eager",
            outcome.ratios(&eager, one),
            Some(goals.eager),
            false,
        );
        row(
            "one image, ONNX Runtime's best",
            outcome.ratios(&onnx, one),
            Some(goals.onnx),
            false,
        );
        row(
            "batch, PyTorch eager",
            outcome.ratios(&eager, each),
            None,
            false,
        );
        row(
            "batch, ONNX Runtime's best",
            outcome.ratios(&onnx, each),
            goals.onnx_batch,
            false,
        );
        row(
            "batch in f32, PyTorch eager",
            outcome.ratios_of(Engine::OursFloat, &eager, each),
            None,
            false,
        );
        // The goal is one of two cores.
        let goal = Some(CORES_GOAL).filter(|_| outcome.sides.iter().any(|s| s.side.threads == 2));
        row("images/s, all cores over one", outcome.gains(), goal, true);
    }
    table
}

/// Every turn.
pub(super) fn print_json(outcomes: &[Outcome], out: &mut Output) -> Result<()> {
    for outcome in outcomes {
        for side in &outcome.sides {
            let line = serde_json::json!({
                "model": outcome.name,
                "side": side.side.engine.name(),
                "library": side.library,
                "threads": side.side.threads,
                "one_image_ms": side.one_ms,
                "image_in_batch_ms": side.each_ms,
                "bits_per_dim_off": side.off_bits,
                "peak_kib": side.peak_kib,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::side::Side;
    use super::*;

    fn timed(engine: Engine, threads: usize, one: f64, each: f64) -> Timed {
        Timed {
            side: Side { engine, threads },
            library: String::new(),
            one_ms: vec![one, 2.0 * one, one],
            each_ms: vec![each; 3],
            off_bits: None,
            peak_kib: 2048,
        }
    }

    #[test]
    fn ratios_are_those_to_the_better_number_of_threads() {
        let outcome = Outcome {
            name: "tiny".to_owned(),
            sides: vec![
                timed(Engine::Ours, 1, 0.5, 0.5),
                timed(Engine::Ours, 2, 0.6, 0.25),
                timed(Engine::OursFloat, 2, 1.0, 0.5),
                timed(Engine::Eager, 1, 4.0, 2.0),
                timed(Engine::Eager, 2, 2.0, 1.0),
                timed(Engine::Onnx, 1, 1.0, 1.0),
                timed(Engine::OnnxInt8, 2, 0.8, 2.0),
            ],
        };
        let text = ratio_table(std::slice::from_ref(&outcome), &GOALS).render(false);
        let found: Vec<&str> = text.lines().skip(2).collect();
        for (line, wanted) in found
            .iter()
            .zip(["0.25", "0.62", "0.25", "0.25", "0.50", "2.00"])
        {
            assert!(line.contains(wanted), "{line}: {wanted}");
        }
        assert_eq!(found.len(), 6, "{text}");
        let sides = side_table(&[outcome]).render(false);
        assert!(
            sides.contains("0.500..1.000") && sides.contains("4,000"),
            "{sides}"
        );
    }
}
