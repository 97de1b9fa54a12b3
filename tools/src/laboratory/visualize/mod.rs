//! `flowgate visualize`: what a flow makes of images, as labelled grids (SVG) on one page.

mod activations;
mod coadaptation;
mod couplings;
mod heat;
mod latents;
mod samples;
mod sets;
mod subject;

use crate::gallery::Written;
use crate::output::Output;
use crate::table::Table;
use anyhow::Result;
use flow_train_host::files::one_line;
use std::io::Write;

/// Draw what a flow makes of images: labelled grids, and one page with all of them
#[derive(clap::Args)]
#[command(
    after_help = "Each kind adds its pictures to the page of the directory.\n\n\
    Example:\n  flowgate visualize latents fashion-tiny.flow --data fashion=clothes.idx3.gz --data digits.idx3.gz \
    --out pictures"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(clap::Subcommand)]
enum Kind {
    Latents(latents::Args),
    Couplings(couplings::Args),
    Heat(heat::Args),
    Activations(activations::Args),
    Coadaptation(coadaptation::Args),
    Samples(samples::Args),
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        match &self.kind {
            Kind::Latents(args) => args.run(out),
            Kind::Couplings(args) => args.run(out),
            Kind::Heat(args) => args.run(out),
            Kind::Activations(args) => args.run(out),
            Kind::Coadaptation(args) => args.run(out),
            Kind::Samples(args) => args.run(out),
        }
    }
}

/// What was written, and what the figures are.
fn print(written: &Written, facts: &[(String, String)], out: &mut Output) -> Result<()> {
    let mut table = Table::new(["picture", "pixels"]);
    for (path, (width, height)) in &written.pictures {
        table.row([one_line(path).to_string(), format!("{width} x {height}")]);
    }
    table.print(out)?;
    writeln!(out)?;
    let mut table = Table::facts();
    for (name, value) in facts {
        table.fact(name, value.as_str());
    }
    table.fact("page", one_line(&written.page).to_string());
    Ok(table.print(out)?)
}

/// A fact with its name.
fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}
