//! `flowgate completions`: what a shell needs to complete verbs and flags.

use crate::output::Output;
use anyhow::Result;
use clap::Command;
use clap_complete::Shell;
use std::io::Write;

/// Print a script that makes a shell complete verbs and flags
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  flowgate completions bash > ~/.local/share/bash-completion/completions/flowgate\n  \
    flowgate completions zsh > ~/.zfunc/_flowgate\n  \
    flowgate completions fish > ~/.config/fish/completions/flowgate.fish"
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub(crate) fn run(&self, mut command: Command, out: &mut Output) -> Result<()> {
        // clap panics where its output fails; memory does not.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "flowgate", &mut script);
        Ok(out.write_all(&script)?)
    }
}
