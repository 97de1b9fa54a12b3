//! Where data are few: every input but those of the test trains *and* calibrates.
//!
//! The training part is cut into folds, whole blocks in each. A model of all folds but one scores the one that it has not
//! seen, and the gate of the model of all is set by those scores.

use super::Args;
use super::models::Crew;
use super::recipe::Recipe;
use super::split::Split;
use super::starts;
use super::state::{self, Key, State};
use crate::number::count;
use crate::output::Output;
use anyhow::{Context, Result};
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use std::path::PathBuf;

/// Folds where nobody says how many: each model has four fifths of what the last one has.
const FOLDS: usize = 5;
/// Most inputs that are cut into folds where they stand alone. A tenth tests; of 2,000 inputs the others give a threshold
/// that is the twelfth score from below instead of the fourth.
const MOST: usize = 2000;
/// Most inputs that are in blocks: a few blocks apart say little of others, however many inputs they hold.
const MOST_IN_BLOCKS: usize = 5000;

/// What `--folds` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    None,
    Folds(usize),
}

pub(super) fn choice(text: &str) -> Result<Choice, String> {
    match (text, text.parse()) {
        ("none", _) => Ok(Choice::None),
        (_, Ok(folds @ 2..=100)) => Ok(Choice::Folds(folds)),
        _ => Err("expected a number from 2 to 100, or `none`".to_owned()),
    }
}

/// Whether inputs are cut into folds.
pub(super) fn wanted(chosen: Option<Choice>, items: usize, in_blocks: bool) -> Option<usize> {
    let most = match in_blocks {
        true => MOST_IN_BLOCKS,
        false => MOST,
    };
    match chosen {
        Some(Choice::None) => None,
        Some(Choice::Folds(folds)) => Some(folds),
        None => (items <= most).then_some(FOLDS),
    }
}

/// The fold of each of so many units, which stay in their order: blocks of one time are in one fold.
pub(super) fn of_units(units: usize, folds: usize) -> impl Iterator<Item = usize> {
    let folds = folds.min(units);
    (0..units).map(move |unit| unit * folds / units)
}

impl Args {
    /// The model that has not seen a fold, and the fold.
    pub(super) fn fold_files(&self, fold: usize) -> (PathBuf, PathBuf) {
        let file = |ending: &str| self.folds().join(format!("{fold}.{ending}"));
        (file("flow"), file("npy"))
    }

    fn folds(&self) -> PathBuf {
        self.out.join("folds")
    }

    /// The folds whose model is still to be made, with the keys of their stages.
    pub(super) fn open_folds(&self, split: &Split, key: &Key, state: &State) -> Vec<(usize, Key)> {
        let keyed = (0..split.fold_count()).map(|fold| {
            let key = key.then(&[&format!("fold {fold} of {:?}", split.folds)]);
            (fold, key)
        });
        let open = keyed.filter(|(fold, key)| {
            let (flow, held) = self.fold_files(*fold);
            !(state.is_done(&stage(*fold), key) && flow.exists() && held.exists())
        });
        open.collect()
    }

    /// Trains and exports the model that does not see a fold; what came of it, in words.
    pub(super) fn train_fold(
        &self,
        (fold, key): (usize, &Key),
        (split, data): (&Split, &Dataset),
        recipe: &Recipe,
        crew: &Crew,
    ) -> Result<String> {
        let (held, rest) = split.fold(fold);
        let name = format!("fold {} of {}", fold + 1, split.fold_count());
        let folder = self.folds();
        std::fs::create_dir_all(&folder).with_context(|| one_line(&folder).to_string())?;
        let run = folder.join(format!("{fold}-{}", key.short()));
        let seen = data.pick(&rest);
        let validating = split.train.pick(&rest).validating();
        let said = recipe.train(&seen, validating, &run, (&name, crew))?;
        let (flow, held_file) = self.fold_files(fold);
        let ranges = run.join("seen.npy");
        seen.to_npy()?.write(&ranges)?;
        let run = starts::likeliest(&run);
        self.export(&run, &ranges, &flow, &mut Output::nowhere())?;
        std::fs::remove_file(&ranges).with_context(|| one_line(&ranges).to_string())?;
        data.pick(&held).to_npy()?.write(&held_file)?;
        Ok(format!("{said}, {} held out", count(held.len(), "input")))
    }

    /// What the models of the folds are.
    pub(super) fn key_of_folds(&self, split: &Split) -> Result<String> {
        let of_fold = |fold| {
            let (flow, _) = self.fold_files(fold);
            let key = state::content(&flow)?;
            let key = key.with_context(|| format!("{}: is not there", one_line(&flow)))?;
            Ok(key.text().to_owned())
        };
        let keys: Result<Vec<String>> = (0..split.fold_count()).map(of_fold).collect();
        Ok(keys?.concat())
    }
}

pub(super) fn stage(fold: usize) -> String {
    format!("fold {fold}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_inputs_are_cut_into_folds() {
        assert_eq!(wanted(None, 600, false), Some(FOLDS));
        assert_eq!(wanted(None, 3000, false), None);
        assert_eq!(wanted(None, 3000, true), Some(FOLDS));
        assert_eq!(wanted(Some(Choice::None), 600, false), None);
        assert_eq!(wanted(choice("2").ok(), 60_000, false), Some(2));
        assert!(choice("1").is_err() && choice("many").is_err());
    }

    #[test]
    fn no_fold_is_empty_and_time_is_kept() {
        assert_eq!(
            of_units(9, 5).collect::<Vec<_>>(),
            [0, 0, 1, 1, 2, 2, 3, 3, 4]
        );
        assert_eq!(of_units(3, 5).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(of_units(0, 5).count(), 0);
    }
}
