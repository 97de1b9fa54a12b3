//! Which tests a gate carries, by what they see of perturbed benign inputs.

use super::against::Against;
use super::evidence::Evidence;
use super::with_tests;
use crate::model::Loaded;
use crate::number;
use crate::verbs::score::all_scores;
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::score::Scores;
use flow_infer::score::combined::TestKind;
use flow_train_host::calibrate::{
    self, Calibrated, Choice, LogProbAlone, Perturbed, Promise, Split,
};
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use flow_train_host::perturb;
use std::path::Path;

/// Inputs of each family of perturbations.
const PERTURBED: usize = 200;
/// Seed of the perturbations.
const PERTURBATION_SEED: u64 = 1;
/// A baseline with so much more power is worth a warning.
const CLEARLY_BETTER: f64 = 0.02;

/// What benign data chose, and what the baselines would have seen.
pub(super) struct Chosen {
    pub(super) choice: Choice,
    /// What log_prob sees by itself; of windows, whose features may tell all that their code length does.
    pub(super) alone: Option<LogProbAlone>,
    pub(super) baselines: Vec<(&'static str, f64)>,
    /// What all were judged by.
    pub(super) perturbed: Vec<Perturbed>,
    /// The tests that there were.
    among: Vec<TestKind>,
    /// The power of the tests that were chosen for single inputs, at the threshold of such.
    pub(super) of_inputs: f64,
}

impl Chosen {
    /// Log_prob by itself, where the chosen tests bring nothing beside it.
    pub(super) fn log_prob_alone(&self) -> Option<&LogProbAlone> {
        let alone = self.alone.as_ref();
        alone.filter(|alone| alone.suffices(&self.choice))
    }

    /// What the gate sees of perturbed inputs.
    pub(super) fn power(&self) -> f64 {
        let alone = self.log_prob_alone();
        alone.map_or(self.choice.chosen.power, |alone| alone.power)
    }

    /// The tests that see most at the threshold of a promise of blocks, which the models of folds have scored; those that
    /// were chosen where too few blocks are left. Log_prob by itself has been weighed before.
    pub(super) fn across(
        self,
        evidence: &Evidence,
        split: &Split,
        promise: Promise,
        alpha_ppm: u32,
    ) -> Self {
        let of = |which: &[usize]| -> Vec<&Scores> {
            which.iter().map(|&i| &evidence.scores[i]).collect()
        };
        let benign = (&*of(&split.tables), &*of(&split.threshold));
        let blocks = evidence.blocks.as_ref();
        let blocks = blocks.and_then(|blocks| blocks.pick(&split.threshold).ok());
        let choice = blocks.and_then(|blocks| {
            let of = (&blocks, promise);
            calibrate::choose_across(&self.among, benign, of, &self.perturbed, alpha_ppm)
        });
        Self {
            choice: choice.unwrap_or(self.choice),
            alone: None,
            ..self
        }
    }

    /// The promise of blocks, of stretches with the margin that the gate of the chosen tests can bear.
    pub(super) fn weighed(
        &self,
        promise: Promise,
        calibrated: &Calibrated,
        evidence: &Evidence,
        split: &Split,
    ) -> Result<Promise> {
        let gate = &calibrated.gate;
        let part = evidence.part(&split.threshold)?;
        let blocks = part
            .blocks
            .as_ref()
            .context("a promise of blocks without any")?;
        let scores = with_tests(calibrated, &part.scores);
        let mut stretches = calibrate::deciding_blocks(gate, &scores, blocks)?;
        stretches
            .iter_mut()
            .for_each(|scores| scores.sort_unstable());
        let perturbed = self
            .perturbed
            .iter()
            .map(|family| calibrate::deciding(gate, &with_tests(calibrated, &family.scores)));
        let perturbed = perturbed.collect::<Result<Vec<_>, _>>()?;
        Ok(promise.weighed(&stretches, &perturbed, gate.alpha_ppm))
    }

    /// Says where a baseline sees more.
    pub(super) fn warning(&self, data: &Path) -> Option<String> {
        let power = self.power();
        let better = self.baselines.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let (name, theirs) = better.filter(|(_, p)| *p > power + CLEARLY_BETTER)?;
        Some(format!(
            "{}: the baseline {name} would reject {} of the perturbed inputs, this gate rejects {}: the model \
             suits these inputs badly (train it on such inputs, or through a sensor)",
            one_line(data),
            number::percent(*theirs),
            number::percent(power)
        ))
    }
}

/// Scores perturbations of inputs and chooses by them: of inputs behind the tables, none of which gives the threshold;
/// with blocks that the model itself has scored, of the last ones. A model that has not seen an input scores what is made
/// of it. `or_log_prob` says whether log_prob may decide by itself.
pub(super) fn tests(
    artifact: &Artifact<'_>,
    evidence: &Evidence,
    split: &Split,
    alpha_ppm: u32,
    or_log_prob: bool,
) -> Result<Option<Chosen>> {
    let order = match &evidence.blocks {
        _ if evidence.is_crossed() => split.tables.clone(),
        None => split.tables.clone(),
        Some(blocks) => (0..blocks.count())
            .flat_map(|block| blocks.members(block))
            .collect(),
    };
    let (first, second) = order.split_at(order.len() / 2);
    let pick = |which: &[usize]| evidence.data.pick(which);
    let mut against = Against::new(&pick(first), &pick(second));
    let mut perturbed = Vec::new();
    for (name, families) in made(artifact, evidence, second)? {
        against.look_at(&Dataset::joined(&families.inputs)?);
        let scores = families.scores;
        perturbed.push(Perturbed { name, scores });
    }
    let benign: Vec<&Scores> = order.iter().map(|&i| &evidence.scores[i]).collect();
    // Blocks differ by more than the models of the folds do, and what is blurred is too likely: a fixed camera with tests
    // from below alone rejected 10 % of the frames to come and 15 % of blurred ones, with all of them 4 % and 100 %.
    let among = match evidence.is_crossed() && evidence.blocks.is_none() {
        true => calibrate::tests_of_folds(&evidence.scores),
        false => TestKind::ALL.to_vec(),
    };
    let choice = calibrate::choose(&among, &benign, &perturbed, alpha_ppm);
    let baselines = against.powers(alpha_ppm);
    let of_windows = or_log_prob && evidence.data.windows().is_some();
    let alone = of_windows.then(|| LogProbAlone::of(&benign, &perturbed, alpha_ppm));
    Ok(choice.map(|choice| Chosen {
        of_inputs: choice.chosen.power,
        choice,
        alone: alone.flatten(),
        baselines,
        perturbed,
        among,
    }))
}

/// A family, set by set of the models that have scored it.
#[derive(Default)]
struct Family {
    inputs: Vec<Dataset>,
    scores: Vec<Scores>,
}

/// Every family, made of some of the inputs and scored.
fn made(
    artifact: &Artifact<'_>,
    evidence: &Evidence,
    of: &[usize],
) -> Result<Vec<(&'static str, Family)>> {
    let folds = evidence.folds.iter().map(Loaded::artifact);
    let folds = folds.collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<(&'static str, Family)> = Vec::new();
    let apart = evidence.by_fold(of);
    let most = PERTURBED.div_ceil(apart.iter().filter(|part| !part.is_empty()).count().max(1));
    for (index, part) in apart
        .iter()
        .enumerate()
        .filter(|(_, part)| !part.is_empty())
    {
        let model = folds.get(index).unwrap_or(artifact);
        let seed = PERTURBATION_SEED + index as u64;
        let inputs = evidence.data.pick(part);
        let families = perturb::families(&inputs, most, seed);
        // What a ratio net was trained on would flatter it.
        let all = !model.has_ratio();
        let families = families.filter(|(name, _)| all || perturb::is_held_out(name));
        for (place, (name, inputs)) in families.enumerate() {
            let doing = format!("perturbed: {name}");
            let scores = all_scores(&evidence.place, model, &inputs, None, &doing)?;
            if place == found.len() {
                found.push((name, Family::default()));
            }
            found[place].1.scores.extend(evidence.corrected(scores));
            found[place].1.inputs.push(inputs);
        }
    }
    Ok(found)
}
