//! Arguments in, exit code out.

use crate::failure;
use crate::output::Output;
use crate::verbs;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Normalizing flows for devices: trains them, makes one small file of each, and says what a board will decide.
#[derive(Parser)]
#[command(name = "flowgate", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER_HELP: &str = "\
MODEL is a run directory, a .safetensors with its spec, or a .flow.
PATH is an IDX file (.gz too), a .npy or .npz array, a CSV table, or a PNG, PGM or JPEG file or a directory of them.
Exit code: 0 all is well, 1 a check failed, 2 bad usage or bad input.";

#[derive(Subcommand)]
enum Verb {
    Data(verbs::data::Args),
    Train(verbs::train::Args),
    Convert(verbs::convert::Args),
    Embed(verbs::embed::Args),
    Export(verbs::export::Args),
    Calibrate(verbs::calibrate::Args),
    Score(verbs::score::Args),
    Eval(verbs::eval::Args),
    Inspect(verbs::inspect::Args),
    Verify(verbs::verify::Args),
    Golden(verbs::golden::Args),
    Sign(verbs::sign::Args),
    Bench(verbs::bench::Args),
    Visualize(verbs::visualize::Args),
}

/// Runs the command with the process's arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    let mut out = Output::stdout();
    let outcome = run(&cli.verb, &mut out);
    // What was printed before a failure is still worth reading.
    let flushed = out.flush().map_err(anyhow::Error::from);
    match outcome.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

fn run(verb: &Verb, out: &mut Output) -> anyhow::Result<()> {
    match verb {
        Verb::Data(args) => args.run(out),
        Verb::Train(args) => args.run(out),
        Verb::Convert(args) => args.run(out),
        Verb::Embed(args) => args.run(out),
        Verb::Export(args) => args.run(out),
        Verb::Calibrate(args) => args.run(out),
        Verb::Score(args) => args.run(out),
        Verb::Eval(args) => args.run(out),
        Verb::Inspect(args) => args.run(out),
        Verb::Verify(args) => args.run(out),
        Verb::Golden(args) => args.run(out),
        Verb::Sign(args) => args.run(out),
        Verb::Bench(args) => args.run(out),
        Verb::Visualize(args) => args.run(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_has_an_example() {
        for verb in Cli::command().get_subcommands_mut() {
            let help = verb.render_long_help().to_string();
            assert!(help.contains("Example"), "{}", verb.get_name());
        }
    }
}
