//! Which tests a model's combined score is made of, decided on benign data alone.
//!
//! A test that helps one model hurts another (the density of log_prob and code length takes a bottleneck flow's
//! rejected digits at one false alarm in a thousand from 45 % to 86 %, and a plain RealNVP's at one in a hundred from
//! 94 % to 76 %), and what is foreign is not known. What is known is what benign inputs look like when something has
//! happened to them: the fixed list of [`perturb`](crate::perturb). Of all sets of tests the one with most power against
//! that list is taken, where every test must bring a point.
//!
//! A ratio net is always listened to where there is one: it is there for what no list of ours has thought of. Behind a
//! camera the list alone would have left it out, and with it 96 % of digits are rejected (`records/ratio.md`).

use super::tables::{TestTable, to_bytes};
use super::{Blocks, Promise, share_below};
use flow_infer::gate::conformal_rank;
use flow_infer::score::Scores;
use flow_infer::score::combined::{Rule, TestKind, Tests};

/// A test must bring as much power to be carried.
const LEAST_GAIN: f64 = 0.01;
/// What a test that reads the trained model must bring beyond that, where models of folds have scored in the shipped one's
/// place: the others score alike, whichever of them is asked.
const TRAINED_GAIN: f64 = 0.005;
/// False-alarm rates at which power counts: the gate's, and these parts of it where the data suffice.
const SHARES: [u32; 3] = [1, 2, 4];
/// Smallest scores that are tried as thresholds where the data are too few for the rate.
const FEWEST_RANKS: usize = 3;
/// The sum must gain as much over the minimum, which can say which test spoke.
const SUM_GAIN: f64 = 0.02;

/// A family of perturbed benign inputs, scored.
#[derive(Clone, Debug)]
pub struct Perturbed {
    /// Its name.
    pub name: &'static str,
    /// Scores of its inputs.
    pub scores: Vec<Scores>,
}

/// A set of tests and how much it sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The tests.
    pub tests: Vec<TestKind>,
    /// How they are joined.
    pub rule: Rule,
    /// Share of perturbed inputs that are rejected, mean over families, and over the false-alarm rate, a half and a
    /// quarter of it as far as the data suffice.
    pub power: f64,
}

/// What was chosen, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The chosen tests.
    pub chosen: Candidate,
    /// Every test alone.
    pub alone: Vec<Candidate>,
    /// What the chosen tests reject of each family at the false-alarm rate.
    pub families: Vec<(&'static str, f64)>,
}

/// Chooses some of these tests on benign scores, of which the first half gives tables and the second thresholds, and on
/// perturbations of inputs of the second half. `None` where not even one of them exists for these inputs.
pub fn choose(
    among: &[TestKind],
    benign: &[&Scores],
    perturbed: &[Perturbed],
    alpha_ppm: u32,
) -> Option<Choice> {
    Trial::of_inputs(among, benign, perturbed, alpha_ppm)?.choice()
}

/// The same where blocks have been scored by models that have not seen them and differ, by what is rejected at the threshold
/// of their promise.
///
/// A test that scatters between blocks puts that threshold so low that others, which do not, reject no more either; so every
/// set of tests is judged as it would be shipped: the first part of the benign scores gives tables, the second, whose `blocks`
/// these are, the threshold, with the margin of [`Promise::weighed`] where it is of stretches to come.
pub fn choose_across(
    among: &[TestKind],
    benign: (&[&Scores], &[&Scores]),
    (blocks, promise): (&Blocks, Promise),
    perturbed: &[Perturbed],
    alpha_ppm: u32,
) -> Option<Choice> {
    let thresholds = Thresholds::OfBlocks {
        blocks,
        promise,
        alpha_ppm,
    };
    Trial::new(among, benign, perturbed, thresholds)?.choice()
}

impl Trial<'_> {
    /// The set with most power.
    fn choice(&self) -> Option<Choice> {
        let kinds = &self.kinds;
        let alone = kinds.iter();
        let alone = alone.map(|&kind| self.candidate(Rule::Minimum, vec![kind]));
        let alone: Vec<Candidate> = alone.collect();
        let sets = 1..1u32 << kinds.len();
        let carried = |set: &u32| {
            let ratio = kinds.iter().position(|&kind| kind == TestKind::Ratio);
            ratio.is_none_or(|bit| set >> bit & 1 == 1)
        };
        let best = |rule: Rule| {
            let all = sets.clone().filter(carried).map(|set| {
                let tests = kinds.iter().enumerate();
                let tests = tests.filter(|(bit, _)| set >> bit & 1 == 1);
                self.candidate(rule, tests.map(|(_, &kind)| kind).collect())
            });
            all.reduce(|best, next| {
                if self.worth(&next) > self.worth(&best) {
                    next
                } else {
                    best
                }
            })
        };
        let (mut chosen, sum) = (best(Rule::Minimum)?, best(Rule::Sum)?);
        if self.worth(&sum) >= self.worth(&chosen) + SUM_GAIN {
            chosen = sum;
        }
        Some(Choice {
            families: self.families(&chosen),
            chosen,
            alone,
        })
    }
}

impl Candidate {
    /// Its power, less what every test must bring.
    fn worth(&self) -> f64 {
        self.power - LEAST_GAIN * self.tests.len() as f64
    }
}

/// Ranks of the thresholds that power counts at, among so many benign scores.
fn ranks(alpha_ppm: u32, count: usize) -> Vec<usize> {
    let rank = |rate: u32| conformal_rank(rate, count as u32);
    let ranks = SHARES.iter().filter_map(|share| rank(alpha_ppm / share));
    // A threshold among the two smallest scores says more of these two than of the tests.
    let ranks = ranks.enumerate().filter(|&(i, rank)| i == 0 || rank > 2);
    let ranks: Vec<usize> = ranks.map(|(_, rank)| rank as usize).collect();
    match ranks.is_empty() {
        // Too few for the rate: the strictest thresholds that they give.
        true => (1..=FEWEST_RANKS.min(count)).collect(),
        false => ranks,
    }
}

/// The power of a score of another kind, higher for what is more like benign inputs, as that of a [`Candidate`]: of
/// benign inputs for the thresholds, and of each family. `None` where the benign inputs are too few.
pub fn power(benign: &[f64], perturbed: &[Vec<f64>], alpha_ppm: u32) -> Option<f64> {
    let mut sorted = benign.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |rank: usize| {
        let share = |scores: &Vec<f64>| {
            let rejected = scores.iter().filter(|&&s| s < sorted[rank - 1]).count();
            rejected as f64 / scores.len().max(1) as f64
        };
        perturbed.iter().map(share).sum::<f64>() / perturbed.len() as f64
    };
    let ranks = ranks(alpha_ppm, benign.len());
    let all = ranks.iter().map(|&rank| at(rank));
    let mean = all.sum::<f64>() / ranks.len() as f64;
    mean.is_finite().then_some(mean)
}

/// Logarithms of tail probabilities by the code of the test; none of a saturated input.
type Tails = Option<[i32; TestKind::ALL.len()]>;

/// What benign scores give thresholds for.
enum Thresholds<'b> {
    /// Those of these ranks.
    Ranks(Vec<usize>),
    /// That of a promise of blocks.
    OfBlocks {
        blocks: &'b Blocks,
        promise: Promise,
        alpha_ppm: u32,
    },
}

impl Thresholds<'_> {
    fn of(&self, mut benign: Vec<i64>, perturbed: &[Vec<i64>]) -> Vec<i64> {
        match self {
            Self::Ranks(ranks) => {
                benign.sort_unstable();
                ranks.iter().map(|rank| benign[rank - 1]).collect()
            }
            Self::OfBlocks {
                blocks,
                promise,
                alpha_ppm,
            } => {
                let mut blocks = blocks.group(&benign);
                blocks.iter_mut().for_each(|block| block.sort_unstable());
                let promise = promise.weighed(&blocks, perturbed, *alpha_ppm);
                let scores = promise.scores(&blocks, *alpha_ppm);
                promise.threshold(&scores, *alpha_ppm).into_iter().collect()
            }
        }
    }
}

/// Everything a candidate is judged by.
struct Trial<'b> {
    kinds: Vec<TestKind>,
    benign: Vec<Tails>,
    perturbed: Vec<(&'static str, Vec<Tails>)>,
    thresholds: Thresholds<'b>,
}

impl<'b> Trial<'b> {
    fn of_inputs(
        among: &[TestKind],
        benign: &[&Scores],
        perturbed: &[Perturbed],
        alpha_ppm: u32,
    ) -> Option<Self> {
        let (first, second) = benign.split_at(benign.len() / 2);
        let ranks = ranks(alpha_ppm, second.len());
        Self::new(among, (first, second), perturbed, Thresholds::Ranks(ranks))
    }

    /// The first inputs give tables, the second thresholds.
    fn new(
        among: &[TestKind],
        (first, second): (&[&Scores], &[&Scores]),
        perturbed: &[Perturbed],
        thresholds: Thresholds<'b>,
    ) -> Option<Self> {
        let usable: Vec<&Scores> = first.iter().copied().filter(|s| !s.saturated).collect();
        let tables = among.iter();
        let tables: Vec<TestTable> = tables
            .filter_map(|&kind| TestTable::fit(kind, &usable))
            .collect();
        let bytes = to_bytes(Rule::Minimum, &tables);
        let tests = Tests::parse(&bytes, true)?;
        let tails = |scores: &Scores| {
            let usable = Some(scores).filter(|scores| !scores.saturated)?;
            Some(tests.combine(usable)?.log_tails)
        };
        let families = perturbed.iter();
        Some(Self {
            kinds: tables.iter().map(|table| table.kind).collect(),
            benign: second.iter().map(|scores| tails(scores)).collect(),
            perturbed: families
                .map(|f| (f.name, f.scores.iter().map(tails).collect()))
                .collect(),
            thresholds,
        })
    }

    fn candidate(&self, rule: Rule, tests: Vec<TestKind>) -> Candidate {
        let mut candidate = Candidate {
            tests,
            rule,
            power: 0.0,
        };
        let shares = self.rejected(&candidate);
        let all: Vec<f64> = shares.concat();
        candidate.power = all.iter().sum::<f64>() / all.len().max(1) as f64;
        candidate
    }

    fn families(&self, candidate: &Candidate) -> Vec<(&'static str, f64)> {
        let shares = self.rejected(candidate).into_iter().next();
        let names = self.perturbed.iter().map(|(name, _)| *name);
        names.zip(shares.unwrap_or_default()).collect()
    }

    /// A candidate's power, less what its tests must bring.
    fn worth(&self, candidate: &Candidate) -> f64 {
        let trained = match self.thresholds {
            Thresholds::Ranks(_) => 0,
            Thresholds::OfBlocks { .. } => {
                candidate.tests.iter().filter(|&&t| is_trained(t)).count()
            }
        };
        candidate.worth() - TRAINED_GAIN * trained as f64
    }

    /// Share of each family that is rejected at each rate.
    fn rejected(&self, candidate: &Candidate) -> Vec<Vec<f64>> {
        let (benign, families) = self.scored(candidate);
        let thresholds = self.thresholds.of(benign, &families);
        rejected(&thresholds, &families)
    }

    /// The joined score of benign inputs and of each family.
    fn scored(&self, candidate: &Candidate) -> (Vec<i64>, Vec<Vec<i64>>) {
        let score = |tails: &Tails| {
            tails.map_or(i64::MIN, |tails| {
                let tests = candidate.tests.iter();
                let mut tails = tests.map(|kind| i64::from(tails[usize::from(kind.code())]));
                match candidate.rule {
                    Rule::Minimum => tails.min().unwrap_or(0),
                    Rule::Sum => tails.by_ref().map(|tail| tail.max(-60 << 16)).sum(),
                }
            })
        };
        let benign = self.benign.iter().map(score).collect();
        let families = self.perturbed.iter();
        let families = families.map(|(_, tails)| tails.iter().map(score).collect());
        (benign, families.collect())
    }
}

/// Whether training has a say in what the test reads.
fn is_trained(test: TestKind) -> bool {
    match test {
        TestKind::Likelihood
        | TestKind::Complexity
        | TestKind::Typicality
        | TestKind::GoodnessOfFit
        | TestKind::Ratio => true,
        TestKind::CodeLength
        | TestKind::Brightness
        | TestKind::Highlights
        | TestKind::Shadows
        | TestKind::Marginals => false,
    }
}

/// Share of each family that is rejected by each threshold.
fn rejected(thresholds: &[i64], families: &[Vec<i64>]) -> Vec<Vec<f64>> {
    let at = |&threshold: &i64| {
        let shares = families.iter();
        shares
            .map(|scores| share_below(scores, threshold))
            .collect()
    };
    thresholds.iter().map(at).collect()
}

/// What log_prob sees by itself, the lower the stranger: no test, no table.
#[derive(Clone, Debug, PartialEq)]
pub struct LogProbAlone {
    /// As of a [`Candidate`].
    pub power: f64,
    /// What it rejects of each family at the false-alarm rate.
    pub families: Vec<(&'static str, f64)>,
}

impl LogProbAlone {
    /// Of the inputs that [`choose`] takes. `None` where those are too few.
    pub fn of(benign: &[&Scores], perturbed: &[Perturbed], alpha_ppm: u32) -> Option<Self> {
        let (_, second) = benign.split_at(benign.len() / 2);
        let score = |scores: &Scores| match scores.saturated {
            true => i64::MIN,
            false => scores.log_prob_raw,
        };
        let families = perturbed.iter();
        let families: Vec<Vec<i64>> = families
            .map(|family| family.scores.iter().map(score).collect())
            .collect();
        let ranks = Thresholds::Ranks(ranks(alpha_ppm, second.len()));
        let benign = second.iter().map(|scores| score(scores)).collect();
        let shares = rejected(&ranks.of(benign, &families), &families);
        let all = shares.concat();
        let names = perturbed.iter().map(|family| family.name);
        Some(Self {
            power: all.iter().sum::<f64>() / all.len().max(1) as f64,
            families: names.zip(shares.into_iter().next()?).collect(),
        })
    }

    /// Whether chosen tests bring too little beside it.
    pub fn suffices(&self, choice: &Choice) -> bool {
        self.power >= choice.chosen.worth()
    }
}
