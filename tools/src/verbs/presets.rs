//! `flowgate presets`: the configurations that have a name.

use crate::json;
use crate::output::Output;
use crate::table::Table;
use anyhow::Result;
use flow_infer::spec::InputSpec;
use flow_train_host::families::{Family, WIDTH};
use flow_train_host::presets;
use serde::Serialize;
use std::io::Write;

/// List the presets: named training configurations, and families of them for data of any shape
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  flowgate presets\n  flowgate presets --json\n\n\
    `flowgate config NAME` prints one with all its settings."
)]
pub(crate) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Presets {
    presets: Vec<Preset>,
    families: Vec<Member>,
}

/// A family of configurations: `build` takes the widest that a budget allows.
#[derive(Serialize)]
struct Member {
    name: &'static str,
    what: &'static str,
    reads: &'static str,
}

#[derive(Serialize)]
struct Preset {
    name: &'static str,
    what: &'static str,
    /// What its flow reads.
    reads: String,
    epochs: u64,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let presets: Vec<Preset> = presets::NAMES.into_iter().filter_map(describe).collect();
        let families: Vec<Member> = Family::ALL.into_iter().map(member).collect();
        if self.json {
            return json::print(&Presets { presets, families }, out);
        }
        let mut table = Table::new(["preset", "reads", "epochs", "what"]).left(4);
        for preset in presets {
            let epochs = preset.epochs.to_string();
            table.row([preset.name, &preset.reads, &epochs, preset.what]);
        }
        table.print(out)?;
        writeln!(
            out,
            "\nFamilies, of any shape; build takes the widest that its budget allows, train {WIDTH} channels:\n"
        )?;
        let mut table = Table::new(["family", "reads", "what"]).left(3);
        for family in families {
            table.row([family.name, family.reads, family.what]);
        }
        table.print(out)?;
        Ok(writeln!(
            out,
            "\nflowgate config NAME prints one as a file, every setting explained."
        )?)
    }
}

fn member(family: Family) -> Member {
    Member {
        name: family.name(),
        what: family.about(),
        reads: family.wants(),
    }
}

fn describe((name, what): (&'static str, &'static str)) -> Option<Preset> {
    let config = presets::preset(name, 2)?;
    let reads = match config.spec.input {
        InputSpec::Image { shape, .. } => format!("images of {shape}"),
        InputSpec::Vector { .. } | InputSpec::Whitened { .. } => "vectors".to_owned(),
    };
    Some(Preset {
        name,
        what,
        reads,
        epochs: config.epochs,
    })
}
