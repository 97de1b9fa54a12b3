//! Windows of samples, pushed one by one, on emulated boards: the same bits as on the host, features, code length, faults
//! and, of a gate, score, p-value and decision.

use crate::bench::models::windows_flow;
use crate::boards::{Board, Program};
use crate::inputs::Inputs;
use crate::made_windows::{SEED, samples, specs};
use crate::side_by_side::side_by_side;
use crate::{CheckFailed, compare, comparison, gate, repo, session};
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::front_end::windows::Windows;
use flow_infer::spec::ConditionerSpec;
use std::fmt::{self, Display};
use std::fs;

/// Of the made flows, two couplings each.
const CONDITIONER: ConditionerSpec = ConditionerSpec::Mlp {
    hidden: 16,
    layers: 1,
};

/// What was compared.
pub(crate) struct Checked {
    windows: usize,
    models: usize,
}

impl Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { windows, models } = self;
        write!(f, "{windows} windows, {models} front ends and a gate")
    }
}

/// Runs models that differ in their windows on samples as sensors give them, and on ones that none in order gives, by a
/// program that loads any model and by a gate that carries one.
///
/// # Errors
/// A model could not be made or run, or a bit differs.
pub(crate) fn check(boards: &[Board]) -> Result<Checked> {
    println!("seed of the samples: {SEED:#x}");
    compare::build(boards)?;
    let specs = specs()?;
    let mut windows = 0;
    for spec in &specs {
        let samples = samples(spec.length.into(), spec.channels.len());
        let section = spec.to_bytes()?;
        let described = Windows::parse(&section).context("no windows")?;
        let inputs = Inputs::of_samples(&described, &samples);
        windows += inputs.len();
        let model = windows_flow(spec, samples, 2, CONDITIONER)?.bytes;
        let comparisons = compare::compare_built(boards, &model, &inputs)?;
        comparison::verdict(&comparisons)
            .map_err(|error| CheckFailed(format!("{:?}: {error}", spec.features)))?;
    }
    windows += check_gate(boards)?;
    Ok(Checked {
        windows,
        models: specs.len(),
    })
}

/// The committed model of windows in a gate of its own; that it links says that it cannot panic.
fn check_gate(boards: &[Board]) -> Result<usize> {
    let path = repo::windows_model();
    let model = fs::read(&path)?;
    let artifact = Artifact::load(&model).context("the model is refused")?;
    let windows = artifact.windows().context("the model has no windows")?;
    let samples = samples(windows.len(), windows.channels());
    let inputs = Inputs::of_samples(&windows, &samples);
    let own = |board: &Board| board.clone().with_windows(path.clone());
    // One build at a time, before any board is waited for.
    for board in boards {
        session::build(&own(board), Program::Gate)?;
    }
    let runs = side_by_side(boards, |board| {
        gate::check_own(&own(board), &model, &inputs)
    })?;
    for (board, run) in boards.iter().zip(&runs) {
        println!("{}", gate::describe(board, run));
    }
    Ok(inputs.len())
}
