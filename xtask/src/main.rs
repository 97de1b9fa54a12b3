//! The repository's own commands: one verb, one file.
//!
//! What needs a cross compiler, an emulator or more than one crate lives here; what a user of the
//! product needs is the `flowgate` command.

mod aarch64;
mod architectures;
mod bench;
mod board;
mod boards;
mod c_programs;
mod chip_images;
mod compare;
mod comparison;
mod demo;
mod example_tasks;
mod frames;
mod fuzz;
mod gate;
mod host;
mod inputs;
mod interface;
mod log;
mod lowest;
mod machine;
mod made_windows;
mod new;
mod page;
mod panic_free;
mod process;
mod progress;
mod random;
mod recording;
mod repo;
mod sanitize;
mod session;
mod setup;
mod side_by_side;
mod size;
mod slots;
mod soak;
mod test;
mod watched;
mod windows;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Builds, runs and proves what a single crate cannot.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Setup(setup::Setup),
    Board(board::Board),
    Compare(compare::Compare),
    Size(size::Size),
    Sanitize(sanitize::Sanitize),
    Fuzz(fuzz::Fuzz),
    PanicFree(panic_free::PanicFree),
    Interface(interface::Interface),
    CPrograms(c_programs::CPrograms),
    Bench(bench::Bench),
    Soak(soak::Soak),
    Page(page::Page),
    Test(test::Test),
    Demo(demo::Demo),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Setup(verb) => verb.run(),
        Verb::Board(verb) => verb.run(),
        Verb::Compare(verb) => verb.run(),
        Verb::Size(verb) => verb.run(),
        Verb::Sanitize(verb) => verb.run(),
        Verb::Fuzz(verb) => verb.run(),
        Verb::PanicFree(verb) => verb.run(),
        Verb::Interface(verb) => verb.run(),
        Verb::CPrograms(verb) => verb.run(),
        Verb::Bench(verb) => verb.run(),
        Verb::Soak(verb) => verb.run(),
        Verb::Page(verb) => verb.run(),
        Verb::Test(verb) => verb.run(),
        Verb::Demo(verb) => verb.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(error.downcast_ref::<CheckFailed>().map_or(2, |_| 1))
        }
    }
}

/// A check that ran and failed: exit code 1, where bad usage and bad input are 2.
#[derive(Debug)]
struct CheckFailed(String);

impl std::fmt::Display for CheckFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CheckFailed {}
