//! The tables at the end, and the record.

use super::case::Case;
use super::epoch::Shares;
use super::versus::{Side, Timed, difference};
use crate::number;
use crate::table::{Cell, Table, Tone};
use flow_train_host::metrics::{median, quantile};

/// One case with what every side did.
pub(super) struct Outcome {
    pub(super) case: Case,
    /// How far the gradients of both sides lie apart at most, as a share of a tensor's; none without another side.
    pub(super) gradients: Option<f64>,
    pub(super) sides: Vec<Timed>,
}

/// Highest share of PyTorch's peak memory that this project asks of itself.
const MEMORY_GOAL: f64 = 0.25;

impl Outcome {
    fn ours(&self) -> &Timed {
        &self.sides[0]
    }

    /// PyTorch's faster layout, by the times that `of` picks.
    fn better(&self, of: fn(&Timed) -> &[f64]) -> Option<&Timed> {
        let torch = self.sides.iter().filter(|s| s.side != Side::Ours);
        torch.min_by(|a, b| median(of(a)).total_cmp(&median(of(b))))
    }

    /// Our time as a share of PyTorch's, round by round.
    fn ratios(&self, of: fn(&Timed) -> &[f64]) -> Option<Vec<f64>> {
        let both = of(self.ours()).iter().zip(of(self.better(of)?));
        Some(both.map(|(ours, torch)| ours / torch).collect())
    }
}

fn steps(side: &Timed) -> &[f64] {
    &side.step_ms
}

fn evals(side: &Timed) -> &[f64] {
    &side.eval_ms
}

/// Milliseconds of a step, side by side, with the ratio to PyTorch's better layout.
pub(super) fn step_table(outcomes: &[Outcome]) -> Table {
    let head = [
        "case",
        "side",
        "ms/step",
        "least..greatest",
        "peak MiB",
        "ratio",
        "goal",
    ];
    let mut table = Table::new(head).left(2);
    for outcome in outcomes {
        for side in &outcome.sides {
            let of = &side.step_ms;
            let spread = format!("{:.1}..{:.1}", quantile(of, 0.0), quantile(of, 1.0));
            let mut row: Vec<Cell> = vec![
                outcome.case.name().into(),
                side.side.name().into(),
                format!("{:.1}", median(of)).into(),
                spread.into(),
                format!("{:.0}", side.peak_kib as f64 / 1024.0).into(),
            ];
            if side.side == Side::Ours
                && let Some(ratios) = outcome.ratios(steps)
            {
                row.push(ratio(median(&ratios), outcome.case.goal()));
                row.push(format!("{:.2}", outcome.case.goal()).into());
            }
            table.row(row);
        }
    }
    table
}

/// A ratio that should be at most the goal.
pub(super) fn ratio(found: f64, goal: f64) -> Cell {
    let tone = if found <= goal { Tone::Good } else { Tone::Bad };
    Cell::new(format!("{found:.2}"), tone)
}

/// Ratios of steps with their spread, of evaluations and of memory, and how well the losses agree.
pub(super) fn ratio_table(outcomes: &[Outcome]) -> Table {
    let head = [
        "case",
        "step",
        "least..greatest",
        "memory",
        "items/s evaluated",
        "PyTorch",
        "evaluation",
        "losses differ by",
        "gradients",
    ];
    let mut table = Table::new(head);
    for outcome in outcomes {
        let (Some(step), Some(eval), Some(torch), Some(fastest)) = (
            outcome.ratios(steps),
            outcome.ratios(evals),
            outcome.better(steps),
            outcome.better(evals),
        ) else {
            continue;
        };
        let ours = outcome.ours();
        let per_second = |side: &Timed| 1e3 * outcome.case.batch() as f64 / median(&side.eval_ms);
        let losses = outcome.sides.iter().skip(1);
        let losses = losses.map(|s| difference(&ours.loss_nats, &s.loss_nats));
        table.row([
            Cell::from(outcome.case.name()),
            ratio(median(&step), outcome.case.goal()),
            format!("{:.2}..{:.2}", quantile(&step, 0.0), quantile(&step, 1.0)).into(),
            ratio(ours.peak_kib as f64 / torch.peak_kib as f64, MEMORY_GOAL),
            number::grouped(per_second(ours) as u64).into(),
            number::grouped(per_second(fastest) as u64).into(),
            format!("{:.2}", median(&eval)).into(),
            format!("{:.0e}", losses.fold(0.0, f64::max)).into(),
            format!("{:.0e}", outcome.gradients.unwrap_or(f64::NAN)).into(),
        ]);
    }
    table
}

/// Where an epoch's time goes.
pub(super) fn epoch_table(shares: &Shares) -> Table {
    let mut table = Table::new(["an epoch of fashion-tiny", "share"]);
    let images = number::count(shares.images, "image");
    table.row([
        format!("{images}, {:.1} s", shares.seconds),
        "100 %".to_owned(),
    ]);
    table.row([
        "reading the file, once a run".to_owned(),
        number::percent(shares.loading),
    ]);
    table.row([
        "validation, model, log, checkpoint".to_owned(),
        number::percent(shares.closing),
    ]);
    let within = number::percent(shares.dequantization);
    table.row([
        "dequantization, by the workers within the steps".to_owned(),
        within,
    ]);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(side: Side, step_ms: [f64; 3], peak_kib: u64) -> Timed {
        Timed {
            side,
            torch: String::new(),
            step_ms: step_ms.to_vec(),
            eval_ms: vec![10.0; 3],
            loss_nats: vec![100.0],
            peak_kib,
        }
    }

    #[test]
    fn the_ratio_is_that_of_rounds_to_the_better_layout() {
        let outcome = Outcome {
            case: Case::Resnet64,
            gradients: Some(2e-5),
            sides: vec![
                timed(Side::Ours, [50.0, 60.0, 90.0], 51_200),
                timed(Side::Nchw, [200.0, 210.0, 220.0], 1_024_000),
                timed(Side::ChannelsLast, [100.0, 100.0, 120.0], 512_000),
            ],
        };
        let text = ratio_table(std::slice::from_ref(&outcome)).render(false);
        let row = text.lines().nth(2).unwrap();
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            cells,
            [
                "resnet-64",
                "0.60",
                "0.50..0.75",
                "0.10",
                "3,200",
                "3,200",
                "1.00",
                "0e0",
                "2e-5"
            ]
        );
        let all = step_table(&[outcome]).render(false);
        assert!(all.contains("50.0..90.0") && all.contains("0.75"));
    }
}
