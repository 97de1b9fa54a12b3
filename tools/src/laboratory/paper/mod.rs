//! `flowgate paper`: the claims of the paper one by one, and what we measure for each at the size
//! that runs here.
//!
//! `runs` trains what is missing, `measure` evaluates it, `records` reads what longer runs have
//! left in the repository, `claims` puts them side by side, `page` writes them down.

mod claims;
mod measure;
mod page;
mod records;
mod runs;

use crate::output::Output;
use crate::place;
use crate::table::{Cell, Table, Tone};
use anyhow::Result;
use claims::{Claim, Verdict};
use flow_train_host::files::one_line;
use measure::Measured;
use runs::Lab;
use std::io::Write;
use std::path::PathBuf;

/// Measure the claims of "Why Normalizing Flows Fail to Detect Out-of-Distribution Data" (2020), one page
#[derive(clap::Args)]
#[command(
    after_help = "Trains eleven small flows, ten minutes to an hour; goes on where it was \
    interrupted, and trains nothing twice.\n\nExample (in a checkout):\n  flowgate paper --data data --records \
    records --out paper"
)]
pub(crate) struct Args {
    /// Directory of FashionMNIST and MNIST; what is missing is fetched
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The repository's records, for what takes longer than this command
    #[arg(long, value_name = "DIR")]
    records: PathBuf,
    /// Directory for the page, the runs and their pictures
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Training images of a run
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(64..))]
    images: u32,
    /// Passes over them
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Images of each set that are evaluated
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(32..=5000))]
    evaluated: u32,
    /// Seed of every run
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u32,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        place::directory(&self.out)?;
        let lab = Lab {
            data: self.data.clone(),
            out: self.out.clone(),
            images: self.images,
            epochs: self.epochs,
            seed: self.seed,
        };
        lab.fetch()?;
        let mut all = Vec::new();
        for run in runs::ALL {
            let directory = lab.train(&run)?;
            let evaluation = measure::evaluation(&lab, &run, &directory, self.evaluated)?;
            all.push((run.name, evaluation));
        }
        let measured = Measured {
            runs: all,
            records: self.records.clone(),
            pictures: lab.pictures()?,
        };
        let claims = claims::all(&measured)?;
        let page = page::write(&self.out, &claims, &lab, self.evaluated)?;
        table(&claims).print(out)?;
        writeln!(out)?;
        let mut facts = Table::facts();
        facts.fact("page", one_line(&page).to_string());
        Ok(facts.print(out)?)
    }
}

fn table(claims: &[Claim<'_>]) -> Table {
    let mut table = Table::new(["claim", "paper", "here"]).left(3);
    for claim in claims {
        let tone = match claim.verdict {
            Verdict::Confirmed => Tone::Good,
            Verdict::NotConfirmed => Tone::Bad,
            Verdict::Shown | Verdict::NotMeasured => Tone::Plain,
        };
        table.row([
            Cell::from(claim.title),
            claim.place.into(),
            Cell::new(claim.verdict.text(), tone),
        ]);
    }
    table
}
