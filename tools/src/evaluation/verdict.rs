//! What an evaluation must not hide: sets that mostly pass, and baselines that do better.

use super::{Column, Set};
use crate::number::percent;
use serde::Serialize;

/// Share of a foreign set that a gate worth its flash rejects; below it the page says why it does
/// not.
const WANTED: f64 = 0.9;
/// Differences of AUROC that count as equal.
const EQUAL_AUROC: f64 = 0.002;
/// Differences of rejected shares that count as equal.
const EQUAL_SHARE: f64 = 0.02;
/// Share of a set that another score must reject more of to be named as the reason.
const TELLING_SHARE: f64 = 0.05;
/// Below this AUROC a score is no use against a set.
const USELESS: f64 = 0.9;

/// A baseline that does better than the deciding score on a foreign set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ahead {
    pub(crate) baseline: &'static str,
    pub(crate) set: String,
    pub(crate) auroc: f64,
    pub(crate) rejected_at_1_percent: f64,
    /// The deciding score's.
    pub(crate) deciding_auroc: f64,
    pub(crate) deciding_rejected_at_1_percent: f64,
}

impl Ahead {
    /// "mixture on letters (AUROC 0.982 against 0.941, 80 % against 40 % rejected)".
    pub(crate) fn sentence(&self) -> String {
        format!(
            "{} on {} (AUROC {:.4} against {:.4}, {} against {} rejected at 1 %)",
            self.baseline,
            self.set,
            self.auroc,
            self.deciding_auroc,
            percent(self.rejected_at_1_percent),
            percent(self.deciding_rejected_at_1_percent)
        )
    }
}

/// Every baseline that is ahead of the deciding score somewhere.
pub(crate) fn ahead(columns: &[Column], deciding: &Column, foreign: &[Set]) -> Vec<Ahead> {
    let baselines = columns.iter().filter(|column| column.baseline);
    let pairs = baselines.flat_map(|column| foreign.iter().map(move |set| (column, set)));
    let found = pairs.filter_map(|(column, set)| {
        let (its, own) = (column.against(set)?, deciding.against(set)?);
        let better = its.auroc > own.auroc + EQUAL_AUROC
            || its.rejected_at_1_percent > own.rejected_at_1_percent + EQUAL_SHARE;
        better.then(|| Ahead {
            baseline: column.name,
            set: set.name.clone(),
            auroc: its.auroc,
            rejected_at_1_percent: its.rejected_at_1_percent,
            deciding_auroc: own.auroc,
            deciding_rejected_at_1_percent: own.rejected_at_1_percent,
        })
    });
    found.collect()
}

/// Why less than nine tenths of a foreign set are rejected; nothing where they are.
pub(crate) fn shortfall(set: &Set, deciding: &Column, columns: &[Column]) -> Option<String> {
    let own = deciding.against(set)?;
    let promised = set.rejected_at.first().map(|at| at.share);
    let share = promised.or(set.rejected_share);
    let share = share.unwrap_or(own.rejected_at_1_percent);
    if share >= WANTED {
        return None;
    }
    if own.rejected_at_1_percent >= WANTED {
        return Some(format!(
            "{} rejected: at these data's own 1 % the same score would reject {}; the threshold \
             comes of few calibration inputs or of other ones",
            percent(share),
            percent(own.rejected_at_1_percent)
        ));
    }
    let others = columns.iter().filter(|column| column.name != deciding.name);
    let others = others.filter_map(|column| Some((column, column.against(set)?)));
    let rejected = |s: &flow_train_host::metrics::Separation| s.rejected_at_1_percent;
    let best = others
        .clone()
        .max_by(|a, b| rejected(a.1).total_cmp(&rejected(b.1)));
    if let Some((column, s)) = best.filter(|(_, s)| rejected(s) > share + TELLING_SHARE) {
        let what = if column.baseline { "baseline" } else { "score" };
        return Some(format!(
            "{} rejected: the {} {what} alone would reject {} at 1 %, which the deciding score \
             does not see",
            percent(share),
            column.name,
            percent(rejected(s))
        ));
    }
    let best = others.map(|(_, s)| s.auroc).fold(own.auroc, f64::max);
    if best < USELESS {
        return Some(format!(
            "{} rejected: no score here tells these inputs from own data (best AUROC {best:.3})",
            percent(share)
        ));
    }
    Some(format!(
        "{} rejected: an AUROC of {:.4} hides that half of these inputs look no stranger than the \
         strangest {} of own data",
        percent(share),
        own.auroc,
        percent(deciding.benign_share_below_median_of(set)?)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::set;
    use super::*;

    fn column(name: &'static str, baseline: bool, against: &Set, foreign: &[f64]) -> Column {
        let benign = (0..1000).map(f64::from).collect();
        Column::new(name, baseline, benign, vec![(against, foreign.to_vec())])
    }

    #[test]
    fn a_baseline_that_wins_is_named_and_one_that_equals_is_not() {
        let far = set("far", &[-1, -2], None);
        let deciding = column("combined", false, &far, &[-1.0, 400.0]);
        let same = column("gaussian", true, &far, &[-1.0, 400.5]);
        let better = column("mixture", true, &far, &[-1.0, -2.0]);
        let found = ahead(
            &[deciding, same, better],
            &column("combined", false, &far, &[-1.0, 400.0]),
            &[far],
        );
        let names: Vec<_> = found.iter().map(|a| a.baseline).collect();
        assert_eq!(names, ["mixture"]);
        assert!(
            found[0]
                .sentence()
                .contains("mixture on far (AUROC 1.0000 against 0.79")
        );
    }

    #[test]
    fn the_reason_is_what_is_true_of_the_set() {
        let far = set("far", &[-1, -2], None);
        let of = |foreign: &[f64]| column("combined", false, &far, foreign);
        let why = |deciding: &Column, others: &[Column]| shortfall(&far, deciding, others);
        assert_eq!(why(&of(&[-1.0, -2.0]), &[]), None);
        let near = why(&of(&[400.0, 600.0]), &[]).unwrap();
        assert!(near.contains("no score here tells"), "{near}");
        let hidden = why(&of(&[40.0, 60.0]), &[]).unwrap();
        assert!(
            hidden.contains("0.9") && hidden.contains("strangest"),
            "{hidden}"
        );
        let other = column("gaussian", true, &far, &[-1.0, -2.0]);
        let blind = why(&of(&[400.0, 600.0]), &[other]).unwrap();
        assert!(
            blind.contains("the gaussian baseline alone would reject 100"),
            "{blind}"
        );
    }
}
