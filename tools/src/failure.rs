//! From an error to one line and an exit code.

use std::io;
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
    if is_closed_pipe(error) {
        // `flowgate score ... | head` has read enough: nothing went wrong.
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {}", one_line(&format!("{error:#}")));
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
    eprintln!("{} (see --help)", one_line(&what));
    ExitCode::from(2)
}

/// White space and control characters become single blanks.
fn one_line(text: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    let blanked: String = text.chars().map(blank).collect();
    blanked.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        let error = cause.downcast_ref::<io::Error>();
        error.is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_one_line() {
        assert_eq!(one_line("a\n  b\tc\u{1b}[31m"), "a b c [31m");
    }

    #[test]
    fn only_a_closed_pipe_is_silent() {
        let broken = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(
            &anyhow::Error::new(broken).context("while printing")
        ));
        assert!(!is_closed_pipe(&anyhow::anyhow!(
            "a broken pipe in the cellar"
        )));
    }
}
