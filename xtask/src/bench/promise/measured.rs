//! Figures of simulations beside those of theory.

use flowgate::table::{Cell, Table, Tone};
use std::ops::RangeInclusive;

/// What a figure counts.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Share,
    Inputs,
    Count,
    Nats,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:.3} %", 100.0 * value),
            Self::Inputs if value >= 100.0 => format!("{value:.0}"),
            Self::Inputs => format!("{value:.1}"),
            Self::Count => format!("{value:.1}"),
            Self::Nats => format!("{value:.3} nats"),
        }
    }
}

/// One figure of one seed.
#[derive(Clone)]
pub(super) struct Measured {
    what: String,
    unit: Unit,
    found: f64,
    theory: Theory,
}

/// What theory says of it.
#[derive(Clone)]
pub(super) enum Theory {
    /// It bounds it from above; the mean of simulations may be so many times that.
    AtMost(f64, f64),
    /// It expects it; the mean over seeds may be so many times that.
    Near(f64, RangeInclusive<f64>),
    /// Nothing: this is for comparison.
    Silent,
}

impl Measured {
    pub(super) fn new(what: impl Into<String>, unit: Unit, found: f64, theory: Theory) -> Self {
        Self {
            what: what.into(),
            unit,
            found,
            theory,
        }
    }
}

/// One figure of all seeds.
pub(super) struct Summary<'m>(Vec<&'m Measured>);

impl<'m> Summary<'m> {
    pub(super) fn of_seeds(seeds: &'m [Vec<Measured>]) -> Vec<Self> {
        let figures = seeds.first().map_or(0, Vec::len);
        let of_figure = |figure| Self(seeds.iter().map(|seed: &Vec<_>| &seed[figure]).collect());
        (0..figures).map(of_figure).collect()
    }

    pub(super) fn what(&self) -> &str {
        &self.0[0].what
    }

    pub(super) fn is_kept(&self) -> bool {
        let found = self.mean(|m| m.found);
        match &self.0[0].theory {
            Theory::AtMost(_, times) => found <= times * self.theory(),
            Theory::Near(_, times) => times.contains(&(found / self.theory())),
            Theory::Silent => true,
        }
    }

    fn mean(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        self.0.iter().map(|m| of(m)).sum::<f64>() / self.0.len() as f64
    }

    /// Theory knows the gate of each seed.
    fn theory(&self) -> f64 {
        self.mean(|m| match m.theory {
            Theory::AtMost(value, _) | Theory::Near(value, _) => value,
            Theory::Silent => f64::NAN,
        })
    }

    fn cells(&self) -> [Cell; 4] {
        let Measured { unit, theory, .. } = self.0[0];
        let found = || self.0.iter().map(|m| m.found);
        let (least, most) = (
            found().fold(f64::INFINITY, f64::min),
            found().fold(0.0, f64::max),
        );
        let said = unit.show(self.theory());
        let tone = match self.is_kept() {
            true => Tone::Good,
            false => Tone::Bad,
        };
        [
            self.what().into(),
            Cell::new(unit.show(self.mean(|m| m.found)), tone),
            format!("{} to {}", unit.show(least), unit.show(most)).into(),
            match theory {
                Theory::AtMost(..) => format!("at most {said}").into(),
                Theory::Near(..) => said.into(),
                Theory::Silent => "-".into(),
            },
        ]
    }
}

pub(super) fn table(summaries: &[Summary<'_>]) -> Table {
    let mut table = Table::new(["what", "found", "over seeds", "theory"]);
    summaries
        .iter()
        .for_each(|summary| table.row(summary.cells()));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_held_to_theory() {
        let one = |found, theory| vec![Measured::new("it", Unit::Count, found, theory)];
        let kept = |seeds: &[Vec<Measured>]| Summary::of_seeds(seeds)[0].is_kept();
        let near = || Theory::Near(10.0, 0.9..=1.1);
        assert!(kept(&[one(8.0, near()), one(10.5, near())]));
        assert!(!kept(&[one(8.0, near()), one(9.5, near())]));
        assert!(kept(&[one(1.0, Theory::AtMost(1.0, 1.0))]));
        assert!(!kept(&[one(1.1, Theory::AtMost(1.0, 1.0))]));
    }
}
