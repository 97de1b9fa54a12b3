//! Arguments in, exit code out.

use crate::failure;
use crate::laboratory;
use crate::output::Output;
use crate::verbs;
use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsStr;
use std::io::Write;
use std::process::ExitCode;

/// Normalizing flows for devices: trains them, makes one small file of each, and says what a board
/// will decide.
#[derive(Parser)]
#[command(name = "flowgate", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER_HELP: &str = "\
MODEL is a run directory, a .safetensors with its spec, or a .flow.
PATH is an IDX file (.gz too), a .npy or .npz array, a CSV table, or a PNG, PGM or JPEG file or a directory of them.
Exit code: 0 all is well, 1 a check failed, 2 bad usage or bad input; 141 where what reads the
output of `score` or `inspect` stops early, as other commands end by SIGPIPE.";

/// 128 + SIGPIPE, as shells report a program that this signal ends.
const CLOSED_PIPE: u8 = 141;

// Arguments of verbs that were not asked for are not made: those of all take half a megabyte.
#[derive(Subcommand)]
#[command(defer = true)]
enum Verb {
    Build(verbs::build::Args),
    Data(verbs::data::Args),
    Presets(verbs::presets::Args),
    Config(verbs::config::Args),
    Train(verbs::train::Args),
    Convert(verbs::convert::Args),
    Embed(verbs::embed::Args),
    Export(verbs::export::Args),
    Calibrate(verbs::calibrate::Args),
    Score(verbs::score::Args),
    Watch(verbs::watch::Args),
    Capture(verbs::capture::Args),
    Eval(verbs::eval::Args),
    Inspect(verbs::inspect::Args),
    Verify(verbs::verify::Args),
    Golden(verbs::golden::Args),
    New(verbs::new::Args),
    Sign(verbs::sign::Args),
    Bench(laboratory::bench::Args),
    Visualize(laboratory::visualize::Args),
    Paper(laboratory::paper::Args),
    Completions(verbs::completions::Args),
    Man(verbs::man::Args),
}

/// The verbs of the help, in groups.
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "Make models",
        &[
            "build",
            "data",
            "presets",
            "config",
            "train",
            "convert",
            "embed",
            "export",
            "calibrate",
            "sign",
        ],
    ),
    (
        "Use models",
        &["score", "watch", "capture", "new", "golden"],
    ),
    (
        "Look and measure",
        &["eval", "inspect", "verify", "visualize", "bench", "paper"],
    ),
    ("Set up", &["completions", "man"]),
];

/// The command line with the arguments of all verbs, and these in groups, which clap's own list of them has none of.
pub(crate) fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    let verbs = verbs_in_groups(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{verbs}Options:\n{{options}}{{after-help}}"
    ))
}

fn verbs_in_groups(command: &Command) -> String {
    let line = |name: &&str| {
        let about = command.find_subcommand(name)?.get_about()?;
        Some(format!("  {name:<12} {about}\n"))
    };
    let group = |(title, names): &(&str, &[&str])| {
        let lines: String = names.iter().filter_map(line).collect();
        format!("{title}:\n{lines}\n")
    };
    GROUPS.iter().map(group).collect()
}

/// The command line for arguments of which this is the first: where it names a verb, the others have none.
fn command_for(first: Option<&OsStr>) -> Command {
    let command = Cli::command();
    let asked = |verb: &Command| Some(OsStr::new(verb.get_name())) == first;
    let names_a_verb = command.get_subcommands().any(asked);
    match names_a_verb {
        true => command,
        false => self::command(),
    }
}

/// Runs the command with the process's arguments.
pub fn main() -> ExitCode {
    let parsed = command_for(std::env::args_os().nth(1).as_deref()).try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    let mut out = Output::stdout();
    let outcome = run(&cli.verb, &mut out);
    // What was printed before a failure is still worth reading.
    let flushed = out.flush().map_err(anyhow::Error::from);
    match outcome.and(flushed) {
        Ok(()) if out.is_closed() && prints_its_result(&cli.verb) => ExitCode::from(CLOSED_PIPE),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

/// Verbs whose result is what they print; of others it is a file, or the exit code.
fn prints_its_result(verb: &Verb) -> bool {
    matches!(
        verb,
        Verb::Score(_)
            | Verb::Watch(_)
            | Verb::Inspect(_)
            | Verb::Bench(_)
            | Verb::Presets(_)
            | Verb::Config(_)
            | Verb::Completions(_)
    )
}

fn run(verb: &Verb, out: &mut Output) -> anyhow::Result<()> {
    match verb {
        Verb::Build(args) => args.run(out),
        Verb::Data(args) => args.run(out),
        Verb::Presets(args) => args.run(out),
        Verb::Config(args) => args.run(out),
        Verb::Train(args) => args.run(out),
        Verb::Convert(args) => args.run(out),
        Verb::Embed(args) => args.run(out),
        Verb::Export(args) => args.run(out),
        Verb::Calibrate(args) => args.run(out),
        Verb::Score(args) => args.run(out),
        Verb::Watch(args) => args.run(out),
        Verb::Capture(args) => args.run(out),
        Verb::Eval(args) => args.run(out),
        Verb::Inspect(args) => args.run(out),
        Verb::Verify(args) => args.run(out),
        Verb::Golden(args) => args.run(out),
        Verb::New(args) => args.run(out),
        Verb::Sign(args) => args.run(out),
        Verb::Bench(args) => args.run(out),
        Verb::Visualize(args) => args.run(out),
        Verb::Paper(args) => args.run(out),
        Verb::Completions(args) => args.run(command(), out),
        Verb::Man(args) => args.run(command(), out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_arguments_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_verb_is_in_one_group_of_the_help() {
        let help = command().render_help().to_string();
        for verb in Cli::command().get_subcommands() {
            let listed = format!("\n  {} ", verb.get_name());
            assert_eq!(help.matches(&listed).count(), 1, "{}", verb.get_name());
        }
    }

    /// Flags of a command and of its verbs.
    fn flags(command: &Command) -> BTreeSet<String> {
        let own = command.get_arguments().filter_map(|a| a.get_long());
        let own = own.map(|long| format!("--{long}"));
        let verbs = command.get_subcommands().flat_map(flags);
        own.chain(verbs).chain(["--help".to_owned()]).collect()
    }

    /// The flags in a piece of text; those of other programs have no place in it.
    fn flags_in(text: &str) -> impl Iterator<Item = &str> {
        let is_word = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
        let words = text.split(is_word);
        words.filter(|word| word.starts_with("--") && word.len() > 2)
    }

    /// The documents of the repository that name verbs and flags.
    fn documents() -> Vec<(String, String)> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = vec![root.join("README.md"), root.join("tools/README.md")];
        let documents = std::fs::read_dir(root.join("documents")).unwrap();
        files.extend(documents.map(|entry| entry.unwrap().path()));
        let text = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            (path.display().to_string(), text.replace("\\\n", " "))
        };
        files.retain(|path| path.extension().is_some_and(|e| e == "md"));
        files.iter().map(text).collect()
    }

    #[test]
    fn arguments_of_other_verbs_are_not_made() {
        let made = |first: Option<&str>| {
            let command = command_for(first.map(OsStr::new));
            let verbs = command.get_subcommands();
            verbs
                .map(|verb| verb.get_arguments().count())
                .sum::<usize>()
        };
        assert_eq!(made(Some("watch")), 0);
        assert!(made(Some("help")) > 100 && made(None) > 100);
    }

    /// Everything after "flowgate VERB" on a line, up to the end of the code or the next command.
    #[test]
    fn every_flag_in_the_documents_exists() {
        let command = command();
        let mut seen = 0;
        for (file, text) in documents() {
            for line in text.lines() {
                let calls = line.split("flowgate ").skip(1);
                for call in calls {
                    let call = call.split(['`', '#', ';', '&']).next().unwrap();
                    let name = call.split_whitespace().next().unwrap_or_default();
                    let Some(verb) = command.find_subcommand(name) else {
                        continue;
                    };
                    let known = flags(verb);
                    for flag in flags_in(call) {
                        assert!(known.contains(flag), "{file}: {name} has no {flag}: {line}");
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 20, "{seen} flags were found");
    }

    #[test]
    fn every_row_of_the_table_of_verbs_is_true() {
        let command = command();
        let text = include_str!("../README.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
        let mut verbs = BTreeSet::new();
        for row in rows {
            let name = row.split([' ', '`']).next().unwrap();
            let verb = command.find_subcommand(name);
            let known = flags(verb.unwrap_or_else(|| panic!("there is no verb {name}")));
            for flag in flags_in(row).filter(|&flag| flag != "--features") {
                assert!(known.contains(flag), "{name} has no {flag}");
            }
            verbs.insert(name);
        }
        for verb in Cli::command().get_subcommands() {
            assert!(
                verbs.contains(verb.get_name()),
                "{} is no row",
                verb.get_name()
            );
        }
    }

    #[test]
    fn every_verb_has_an_example() {
        let mut command = command();
        let verbs = command.get_subcommands_mut();
        for verb in verbs.filter(|verb| verb.get_name() != "help") {
            let help = verb.render_long_help().to_string();
            assert!(help.contains("Example"), "{}", verb.get_name());
        }
    }
}
