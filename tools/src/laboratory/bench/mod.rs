//! `flowgate bench`: how fast this machine trains and scores, alone and against others.
//!
//! `train`, `host` and `watch` the verbs. Of `train`: `case` what is timed, `files` a case on disk, `worker` our side,
//! `gradients` whether both sides differentiate alike, `versus` the turns, `epoch` the time between steps, `report` the tables. Of both: `peer` a process that takes turns,
//! `protocol` what it is told and answers, `python` the other sides' environment, `machine` where all of it runs.

mod case;
mod epoch;
mod files;
mod gradients;
mod host;
mod machine;
mod peer;
mod protocol;
mod python;
mod report;
mod train;
mod versus;
mod watch;
mod worker;

use crate::output::Output;
use anyhow::Result;
use clap::Subcommand;

/// Measure how fast this machine trains and scores
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  flowgate bench train --against torch\n  flowgate bench host model.flow --against all\n  \
    flowgate bench watch model.flow --against python"
)]
enum Verb {
    Train(train::Args),
    Host(host::Args),
    Watch(watch::Args),
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        match &self.verb {
            Verb::Train(args) => args.run(out),
            Verb::Host(args) => args.run(out),
            Verb::Watch(args) => args.run(out),
        }
    }
}
