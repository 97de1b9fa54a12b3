//! `flowgate man`: manual pages, one a verb.

use crate::output::Output;
use crate::place;
use anyhow::{Context, Result};
use clap::Command;
use flow_train_host::files::{one_line, write_atomically};
use std::io::Write;
use std::path::PathBuf;

/// Write manual pages, one a verb
#[derive(clap::Args)]
#[command(after_help = "Example:\n  flowgate man ~/.local/share/man/man1\n  man flowgate-train")]
pub(crate) struct Args {
    /// Directory for flowgate.1, flowgate-train.1 and so on
    dir: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, mut command: Command, out: &mut Output) -> Result<()> {
        place::directory(&self.dir)?;
        std::fs::create_dir_all(&self.dir).with_context(|| one_line(&self.dir).to_string())?;
        command.build();
        let count = self.write(&command)?;
        Ok(writeln!(
            out,
            "written: {count} pages into {}",
            one_line(&self.dir)
        )?)
    }

    /// Writes the page of a command and those of its verbs; how many there are.
    fn write(&self, command: &Command) -> Result<usize> {
        // "flowgate-train", as the commands that are built are called.
        let name = command.get_display_name().unwrap_or(command.get_name());
        let file = self.dir.join(format!("{name}.1"));
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone()).render(&mut page)?;
        write_atomically(&file, |w| w.write_all(&page))?;
        let mut verbs = command.get_subcommands().filter(|v| v.get_name() != "help");
        verbs.try_fold(1, |sum, verb| Ok(sum + self.write(verb)?))
    }
}
