//! Turns in the order A B C A B C, after all sides have said the same of the same images.

use super::super::peer::Peer;
use super::super::protocol::Ask;
use super::super::versus::{PAUSE, difference};
use super::case::{BATCH, Case};
use super::side::{Engine, Side};
use crate::failure::CheckFailed;
use anyhow::{Context, Result};
use flow_infer::spec::units::bits_per_dim;
use flow_train_host::metrics::median;
use indicatif::ProgressBar;

/// Images whose log-likelihoods are compared.
const COMPARED: usize = 16;
/// Largest relative difference of float losses: sums in f32 in different orders.
pub(super) const FLOAT_TOLERANCE: f64 = 1e-4;
/// Largest mean difference of the quantized engine's from them: 0.001 to 0.005 were seen, where the same flows without
/// their conditioners are off by 2.4.
pub(super) const QUANTIZED_TOLERANCE_BITS: f64 = 0.05;

/// What one side did with a model.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    pub(super) side: Side,
    pub(super) library: String,
    /// Of every round: median milliseconds of a single image.
    pub(super) one_ms: Vec<f64>,
    /// Of every round: median milliseconds of an image within a batch.
    pub(super) each_ms: Vec<f64>,
    /// Mean difference of the losses from PyTorch's, in bits per dim.
    pub(super) off_bits: Option<f64>,
    pub(super) peak_kib: u64,
}

/// Has all sides score for some rounds.
pub(super) fn run(
    case: &Case,
    peers: &mut [Peer<Side>],
    rounds: usize,
    bar: &ProgressBar,
) -> Result<Vec<Timed>> {
    let off_bits = match peers.iter().any(|peer| peer.side.engine == Engine::Eager) {
        true => compare(case, peers)?,
        false => vec![None; peers.len()],
    };
    let timed = |(peer, off_bits): (&Peer<Side>, Option<f64>)| Timed {
        side: peer.side,
        library: peer.greeting.library.clone(),
        one_ms: Vec::new(),
        each_ms: Vec::new(),
        off_bits,
        peak_kib: 0,
    };
    let mut all: Vec<Timed> = peers.iter().zip(off_bits).map(timed).collect();
    for _ in 0..rounds {
        for (peer, timed) in peers.iter_mut().zip(&mut all) {
            std::thread::sleep(PAUSE);
            let one = peer.ask(Ask::One(peer.side.engine.images()))?;
            timed.one_ms.push(median(&one.ms));
        }
        for (peer, timed) in peers.iter_mut().zip(&mut all) {
            std::thread::sleep(PAUSE);
            let many = peer.ask(Ask::Many(peer.side.engine.batches()))?;
            timed.each_ms.push(median(&many.ms) / BATCH as f64);
            timed.peak_kib = many.peak_kib;
        }
        bar.inc(1);
    }
    Ok(all)
}

/// How far every side is from PyTorch.
fn compare(case: &Case, peers: &mut [Peer<Side>]) -> Result<Vec<Option<f64>>> {
    let mut all = Vec::new();
    for peer in peers {
        all.push((peer.side, peer.ask(Ask::Score(COMPARED))?.loss_nats));
    }
    let torch = all.iter().find(|(side, _)| side.engine == Engine::Eager);
    let (_, torch) = torch.context("nobody to compare with")?;
    let off = |(side, losses): &(Side, Vec<f64>)| {
        let bits = mean_difference_bits(torch, losses, case.dims());
        let agrees = match side.engine {
            Engine::Ours => bits <= QUANTIZED_TOLERANCE_BITS,
            Engine::OursFloat | Engine::Eager | Engine::Onnx => {
                difference(torch, losses) <= FLOAT_TOLERANCE
            }
            // How much 8-bit activations lose is theirs to answer for: it stands in the table.
            Engine::OnnxInt8 => true,
        };
        match agrees && losses.len() == torch.len() {
            true => Ok(Some(bits)),
            false => Err(CheckFailed(format!(
                "{}: {side} is {bits:.4} bits per dim from PyTorch: not the same flow",
                case.name
            ))
            .into()),
        }
    };
    all.iter().map(off).collect()
}

fn mean_difference_bits(a: &[f64], b: &[f64], dims: usize) -> f64 {
    let differences = a
        .iter()
        .zip(b)
        .map(|(a, b)| bits_per_dim(a - b, dims).abs());
    differences.sum::<f64>() / a.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_in_bits_per_dim() {
        let nat = std::f64::consts::LN_2;
        let found = mean_difference_bits(&[0.0, 20.0 * nat], &[10.0 * nat, 0.0], 10);
        assert!((found - 1.5).abs() < 1e-12, "{found}");
    }
}
