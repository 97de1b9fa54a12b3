//! `flowgate data select`: one class of a labelled table.

use crate::inputs::Limit;
use crate::number::grouped;
use crate::output::Output;
use crate::place;
use crate::table::Table;
use anyhow::{Result, bail};
use flow_train_host::data::select::{Selection, select};
use flow_train_host::files::one_line;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The table: CSV, gzipped or not
    table: PathBuf,
    /// The column of labels: its name, or its number counted from one
    #[arg(long, value_name = "COLUMN")]
    column: String,
    /// The label whose rows are taken; several times for several labels
    #[arg(long, value_name = "VALUE", required = true)]
    equals: Vec<String>,
    /// Take the rows of all other labels instead
    #[arg(long)]
    others: bool,
    /// A further column to leave out; several times for several columns
    #[arg(long, value_name = "COLUMN")]
    without: Vec<String>,
    #[command(flatten)]
    limit: Limit,
    /// Where the rows go, as CSV
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        place::file(&self.out, &[&self.table], out)?;
        let selection = Selection {
            column: self.column.clone(),
            equals: self.equals.clone(),
            others: self.others,
            without: self.without.clone(),
        };
        let mut selected = select(&self.table, &selection)?;
        selected.vectors = selected.vectors.take(self.limit.range());
        if selected.vectors.is_empty() {
            bail!("{}: nothing is left after --skip", one_line(&self.table));
        }
        selected.write_csv(&self.out)?;
        let mut table = Table::new(["label", "rows in the table"]);
        for (label, count) in &selected.labels {
            table.row([label.clone(), grouped(*count as u64)]);
        }
        let written = grouped(selected.vectors.len() as u64);
        let dims = selected.vectors.dims();
        let file = one_line(&self.out);
        table.row([format!("written: {file}, {dims} columns"), written]);
        Ok(table.print(out)?)
    }
}
