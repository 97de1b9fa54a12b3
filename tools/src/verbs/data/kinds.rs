//! `flowgate data kinds`: foreign images made of benign ones.

use crate::inputs::{self, Limit};
use crate::number;
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use anyhow::{Context, Result, bail};
use flow_train_host::data::Dataset;
use flow_train_host::files::one_line;
use flow_train_host::perturb;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Benign images
    data: PathBuf,
    /// Directory for a KIND.npy each
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seed of what is drawn
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    reading: Reading,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        let Dataset::Images(images) = inputs::read(&self.data, &self.reading, self.limit)?.dataset
        else {
            bail!("{}: kinds are made of images", one_line(&self.data));
        };
        std::fs::create_dir_all(&self.out).with_context(|| one_line(&self.out).to_string())?;
        let mut table = Table::new(["file", "images"]);
        for (name, kind) in perturb::kinds(&images, images.len(), self.seed) {
            let path = self.out.join(format!("{name}.npy"));
            kind.to_npy()?.write(&path)?;
            let count = number::grouped(kind.len() as u64);
            table.row([one_line(&path).to_string(), count]);
        }
        Ok(table.print(out)?)
    }
}
