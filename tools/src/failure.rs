//! From an error to one line and an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

/// A check that ran and failed: exit code 1, where bad usage and bad input are 2.
#[derive(Debug)]
pub(crate) struct CheckFailed(pub(crate) String);

impl std::fmt::Display for CheckFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CheckFailed {}

/// Prints what went wrong on one line and gives its exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    say(&format!("error: {}", one_line(&causes(error))));
    match error.is::<CheckFailed>() {
        true => ExitCode::from(1),
        false => ExitCode::from(2),
    }
}

/// Prints a mistake in the arguments on one line; help and version go to standard output whole.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let wants_text = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if wants_text {
        // Nobody is left to tell when even this cannot be printed.
        let _ = error.print();
        return ExitCode::from(error.exit_code() as u8);
    }
    let text = error.to_string();
    let what = text.split("\n\nUsage:").next().unwrap_or(&text);
    let what = what.split("\n\nFor more").next().unwrap_or(what);
    let what = what.replace("\n\n  tip:", "; tip:");
    say(&format!("{} (see --help)", one_line(&what)));
    ExitCode::from(2)
}

/// Tells what is doubtful, though the work goes on.
pub(crate) fn warn(text: &str) {
    say(&format!("warning: {}", one_line(text)));
}

/// Tells what is neither, where standard output is for machines.
pub(crate) fn note(text: &str) {
    say(&one_line(text));
}

/// A line on standard error. Nobody is left to tell where even that is closed, and no work ends of it.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// The error and what is behind it, each cause once: many an error has its cause in its own words as well.
fn causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// White space and control characters become single blanks.
fn one_line(text: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    let blanked: String = text.chars().map(blank).collect();
    blanked.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_one_line() {
        assert_eq!(one_line("a\n  b\tc\u{1b}[31m"), "a b c [31m");
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = anyhow::anyhow!("no such file")
            .context("a.csv: cannot be read: no such file")
            .context("scoring");
        assert_eq!(
            causes(&error),
            "scoring: a.csv: cannot be read: no such file"
        );
    }
}
