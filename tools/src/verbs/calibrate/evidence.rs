//! Benign inputs that a model was not trained on, and their scores.

use super::Args;
use crate::blocks::BlockChoice;
use crate::inputs::{self, Limit, Named};
use crate::model::Loaded;
use crate::provenance;
use crate::verbs::score::all_scores;
use anyhow::{Context, Result, bail};
use flow_infer::artifact::Artifact;
use flow_infer::score::Scores;
use flow_train_host::calibrate::{self, Blocks};
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};

/// What belongs together.
#[derive(Clone, Debug, Default)]
pub(crate) enum Together {
    /// As the arguments say; without any, inputs stand alone, and held-out sets are blocks.
    #[default]
    AsSaid,
    /// Every input stands alone, held out of a model or not.
    Apart,
    Blocks {
        /// The block of every input.
        labels: Vec<String>,
        /// Blocks are stretches of one recording.
        in_order: bool,
    },
}

/// Benign inputs that the model, or the fold of it that scored them, was not trained on.
pub(super) struct Evidence {
    /// What they are called in messages.
    pub(super) place: PathBuf,
    pub(super) described: String,
    pub(super) scores: Vec<Scores>,
    pub(super) blocks: Option<Blocks>,
    pub(super) data: Dataset,
    /// Models that scored them where it is not the one to be calibrated.
    pub(super) folds: Vec<Loaded>,
    /// Which of those scored each input.
    of_fold: Vec<usize>,
    /// What the model to be calibrated is expected to score new inputs higher by, in the scores already.
    gain: Gain,
}

/// Differences of log_prob and of half the latents' squares.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gain {
    log_prob_raw: i64,
    squares_raw: i64,
}

impl Gain {
    /// Of each input: the scores by the model that has not seen it, by the others, and by the model of all.
    fn of(unseen: &[Scores], seen: &[Vec<Scores>], by_all: &[Scores]) -> Self {
        let of = |statistic: fn(&Scores) -> i64| {
            let inputs = unseen.iter().zip(seen).zip(by_all);
            let usable = inputs.filter(|((unseen, seen), all)| {
                !seen.iter().chain([*unseen, *all]).any(|s| s.saturated)
            });
            calibrate::gain_of_all(usable.map(|((unseen, seen), all)| {
                let seen = seen.iter().map(statistic).collect();
                (statistic(unseen), seen, statistic(all))
            }))
        };
        Self {
            log_prob_raw: of(|scores| scores.log_prob_raw),
            squares_raw: of(|scores| scores.squares_raw),
        }
    }

    /// Scores as the model of all would have given them.
    pub(super) fn add(self, scores: &mut [Scores]) {
        for scores in scores {
            scores.log_prob_raw = scores.log_prob_raw.saturating_add(self.log_prob_raw);
            scores.squares_raw = scores.squares_raw.saturating_add(self.squares_raw);
        }
    }
}

impl Evidence {
    /// Whether other models than the one to be calibrated have scored the inputs.
    pub(super) fn is_crossed(&self) -> bool {
        !self.folds.is_empty()
    }

    /// Scores of other inputs by the models that gave those.
    pub(super) fn corrected(&self, mut scores: Vec<Scores>) -> Vec<Scores> {
        self.gain.add(&mut scores);
        scores
    }

    /// Some of the inputs as evidence of their own.
    pub(super) fn part(&self, which: &[usize]) -> Result<Self> {
        let blocks = self.blocks.as_ref().map(|blocks| blocks.pick(which));
        let place = || one_line(&self.place).to_string();
        let fold = |&input: &usize| self.of_fold.get(input).copied();
        Ok(Self {
            place: self.place.clone(),
            described: self.described.clone(),
            scores: which.iter().map(|&input| self.scores[input]).collect(),
            blocks: blocks.transpose().with_context(place)?,
            data: self.data.pick(which),
            folds: Vec::new(),
            of_fold: which.iter().filter_map(fold).collect(),
            gain: self.gain,
        })
    }

    /// Some of the inputs, apart by the model that scored them.
    pub(super) fn by_fold(&self, which: &[usize]) -> Vec<Vec<usize>> {
        let mut apart = vec![Vec::new(); self.folds.len().max(1)];
        for &input in which {
            apart[self.of_fold.get(input).copied().unwrap_or(0)].push(input);
        }
        apart
    }
}

impl Args {
    /// Reads and scores the benign data.
    pub(super) fn evidence(&self, artifact: &Artifact<'_>) -> Result<Evidence> {
        let path = match &self.data {
            Some(path) if self.folds.is_empty() => path,
            _ => return self.crossed(artifact),
        };
        let column = self.blocks.as_ref().and_then(BlockChoice::column);
        let reading = self.reading.with_block_column(column).without_faulty();
        let named = inputs::load_named(path, &reading, self.limit, artifact)?;
        let blocks = match (&self.blocks, &self.together) {
            (Some(choice), _) => Some(choice.of(path, &named)?),
            (None, Together::AsSaid | Together::Apart) => None,
            (None, Together::Blocks { labels, in_order }) => {
                Some(blocks_of(labels, path)?.following(*in_order))
            }
        };
        let Named { data, .. } = named;
        Ok(Evidence {
            scores: all_scores(path, artifact, &data, None, "calibrating")?,
            described: provenance::describe(path, &data),
            place: path.clone(),
            blocks,
            data,
            folds: Vec::new(),
            of_fold: Vec::new(),
            gain: Gain::default(),
        })
    }

    /// What the model of all folds gains over those of the folds, which have scored the sets that they have not seen.
    fn gain(
        &self,
        artifact: &Artifact<'_>,
        folds: &[Loaded],
        (sets, unseen): (&[Dataset], &[Scores]),
        place: &Path,
    ) -> Result<Gain> {
        let scored = |model: &Artifact<'_>, set| all_scores(place, model, set, None, "calibrating");
        let by_all = sets.iter().map(|set| scored(artifact, set));
        let by_all: Vec<Scores> = by_all.collect::<Result<Vec<_>>>()?.concat();
        let mut seen: Vec<Vec<Scores>> = Vec::new();
        for (own, set) in sets.iter().enumerate() {
            let begin = seen.len();
            seen.resize(begin + set.len(), Vec::new());
            let others = folds.iter().enumerate().filter(|(fold, _)| *fold != own);
            for (_, fold) in others {
                let scores = scored(&fold.artifact()?, set)?;
                let inputs = seen[begin..].iter_mut().zip(scores);
                inputs.for_each(|(seen, scores)| seen.push(scores));
            }
        }
        Ok(Gain::of(unseen, &seen, &by_all))
    }

    /// Scores of held-out sets by models that have not seen them.
    fn crossed(&self, artifact: &Artifact<'_>) -> Result<Evidence> {
        let said = self.held_out.iter();
        let said = said.map(|(fold, path)| (PathBuf::from(fold), path.clone()));
        let given: Vec<(PathBuf, PathBuf)> = self.folds.iter().cloned().chain(said).collect();
        let (mut labels, mut scores) = (Vec::new(), Vec::new());
        let (mut folds, mut of_fold, mut sets) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (fold, path)) in given.iter().enumerate() {
            let fold = Loaded::open_flow(fold)?;
            let of_this = fold.artifact()?;
            if of_this.input().shape() != artifact.input().shape() {
                bail!("{}: reads other inputs than the model", one_line(path));
            }
            let data = inputs::load(
                path,
                &self.reading.without_faulty(),
                Limit::default(),
                &of_this,
            )?;
            let held = all_scores(path, &of_this, &data, None, "calibrating")?;
            labels.extend(vec![one_line(path).to_string(); held.len()]);
            of_fold.extend(vec![index; held.len()]);
            scores.extend(held);
            sets.push(data);
            folds.push(fold);
        }
        let (_, place) = given.last().context("--held-out: nothing was given")?;
        let blocks = match &self.together {
            Together::AsSaid => Some(blocks_of(&labels, place)?),
            Together::Apart => None,
            Together::Blocks { labels, in_order } => {
                Some(blocks_of(labels, place)?.following(*in_order))
            }
        };
        // A threshold of blocks is that of the strangest one; of single inputs it is as exact as the scores.
        let gain = match &blocks {
            None => self.gain(artifact, &folds, (&sets, &scores), place)?,
            Some(_) => Gain::default(),
        };
        gain.add(&mut scores);
        let described = given.iter().zip(&sets);
        let described = described.map(|((_, path), data)| provenance::describe(path, data));
        let described: Vec<String> = described.collect();
        Ok(Evidence {
            described: format!("sets held out of like models: {}", described.join("; ")),
            data: Dataset::joined(&sets)?,
            place: place.clone(),
            blocks,
            scores,
            folds,
            of_fold,
            gain,
        })
    }
}

fn blocks_of(labels: &[String], place: &Path) -> Result<Blocks> {
    let blocks = Blocks::named(labels.iter().map(String::as_str));
    blocks.with_context(|| one_line(place).to_string())
}
