//! Turns in the order A B C A B C, so that a noisy neighbour disturbs all sides alike.

use super::case::Case;
use super::peer::Peer;
use super::protocol::{Ask, Turn};
use crate::failure::CheckFailed;
use anyhow::Result;
use flow_train_host::metrics::median;
use indicatif::ProgressBar;
use std::time::Duration;

/// Steps before the first round; their losses are compared.
const WARM_UP: usize = 3;
/// Largest relative difference of two losses. Both are sums in f32 in different orders: 1e-7 was
/// the most seen, where an update left out shows as 1e-4 and more.
pub(super) const LOSS_TOLERANCE: f64 = 1e-5;
/// After every turn: the threads of the side before keep their cores busy for a while before they
/// sleep.
pub(super) const PAUSE: Duration = Duration::from_millis(250);

/// Whose process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// This project's trainer.
    Ours,
    /// PyTorch with its usual memory layout.
    Nchw,
    /// PyTorch with channels innermost.
    ChannelsLast,
}

impl Side {
    /// The side's name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "flowgate",
            Self::Nchw => "PyTorch, NCHW",
            Self::ChannelsLast => "PyTorch, channels_last",
        }
    }

    /// The layout as the script is told it; none on this side.
    pub(super) fn layout(self) -> Option<&'static str> {
        match self {
            Self::Ours => None,
            Self::Nchw => Some("nchw"),
            Self::ChannelsLast => Some("channels_last"),
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What one side did in a case.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    pub(super) side: Side,
    pub(super) torch: String,
    /// Of every round: median milliseconds of a step.
    pub(super) step_ms: Vec<f64>,
    /// Of every round: median milliseconds of an evaluation of the batch.
    pub(super) eval_ms: Vec<f64>,
    /// Loss before each of the first steps, in nats per item.
    pub(super) loss_nats: Vec<f64>,
    pub(super) peak_kib: u64,
}

impl Timed {
    fn take(&mut self, ask: Ask, turn: &Turn) {
        self.peak_kib = self.peak_kib.max(turn.peak_kib);
        match ask {
            Ask::Step(_) => self.step_ms.push(median(&turn.ms)),
            _ => self.eval_ms.push(median(&turn.ms)),
        }
    }
}

/// Has all sides train a case for some rounds.
pub(super) fn run(
    case: Case,
    peers: &mut [Peer<Side>],
    rounds: usize,
    bar: &ProgressBar,
) -> Result<Vec<Timed>> {
    let mut all = Vec::new();
    for peer in peers.iter_mut() {
        let first = peer.ask(Ask::Step(WARM_UP))?;
        all.push(Timed {
            side: peer.side,
            torch: peer.greeting.library.clone(),
            step_ms: Vec::new(),
            eval_ms: Vec::new(),
            loss_nats: first.loss_nats,
            peak_kib: first.peak_kib,
        });
        std::thread::sleep(PAUSE);
    }
    compare(case, &all)?;
    for _ in 0..rounds {
        for ask in [Ask::Step(case.steps()), Ask::Eval(case.steps())] {
            for (peer, timed) in peers.iter_mut().zip(&mut all) {
                timed.take(ask, &peer.ask(ask)?);
                std::thread::sleep(PAUSE);
            }
        }
        bar.inc(1);
    }
    Ok(all)
}

/// Whether all sides computed the same thing.
fn compare(case: Case, all: &[Timed]) -> Result<()> {
    for other in all.iter().skip(1) {
        let worst = difference(&all[0].loss_nats, &other.loss_nats);
        if worst.is_nan() || worst > LOSS_TOLERANCE {
            let (ours, theirs) = (&all[0].loss_nats, &other.loss_nats);
            return Err(CheckFailed(format!(
                "{}: the losses {ours:?} and {theirs:?} of {} are not those of the same flow",
                case.name(),
                other.side.name()
            ))
            .into());
        }
    }
    Ok(())
}

/// Largest relative difference of losses.
pub(super) fn difference(a: &[f64], b: &[f64]) -> f64 {
    let relative = a.iter().zip(b).map(|(a, b)| (a - b).abs() / b.abs());
    relative.fold(
        0.0,
        |worst: f64, d| if d.is_nan() { d } else { worst.max(d) },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(loss: f64) -> Timed {
        Timed {
            side: Side::Ours,
            torch: String::new(),
            step_ms: Vec::new(),
            eval_ms: Vec::new(),
            loss_nats: vec![1700.0, loss],
            peak_kib: 0,
        }
    }

    #[test]
    fn other_losses_stop_the_comparison() {
        let run = |loss| compare(Case::Mlp, &[timed(1650.0), timed(loss)]);
        run(1650.01).unwrap();
        let error = run(1650.1).unwrap_err();
        assert!(error.is::<CheckFailed>());
        assert!(run(f64::NAN).is_err());
    }

    #[test]
    fn a_round_counts_by_its_median() {
        let mut timed = timed(1.0);
        let turn = Turn {
            ms: vec![5.0, 100.0, 4.0],
            loss_nats: vec![0.0; 3],
            peak_kib: 7,
        };
        timed.take(Ask::Step(3), &turn);
        timed.take(Ask::Eval(3), &turn);
        assert_eq!((timed.step_ms, timed.eval_ms), (vec![5.0], vec![5.0]));
        assert_eq!(timed.peak_kib, 7);
    }
}
