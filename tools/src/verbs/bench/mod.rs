//! `flowgate bench`: how fast this machine trains, alone and against PyTorch.
//!
//! `train` the verb, `case` what is timed, `files` a case on disk, `worker` and `peer` the two ends of a process that
//! takes turns, `versus` the turns, `python` the other side's environment, `epoch` the time between steps, `report`
//! the tables.

mod case;
mod epoch;
mod files;
mod peer;
mod python;
mod report;
mod train;
mod versus;
mod worker;

use crate::output::Output;
use anyhow::Result;
use clap::Subcommand;

/// Measure how fast this machine trains
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
#[command(after_help = "Example:\n  flowgate bench train --against torch")]
enum Verb {
    Train(train::Args),
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        match &self.verb {
            Verb::Train(args) => args.run(out),
        }
    }
}
