//! What every kind of picture needs: a model, images, and a directory to draw into.

use super::print;
use super::sets::{Set, Source, image_input};
use crate::gallery::{self, Draft};
use crate::model::Loaded;
use crate::output::Output;
use crate::place;
use anyhow::Result;
use flow_infer::artifact::Artifact;
use flow_infer::spec::Shape;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Subject {
    /// Run directory, .safetensors or .flow
    pub(super) model: PathBuf,
    #[command(flatten)]
    pub(super) source: Source,
    /// Directory for the pictures and their page
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
}

impl Subject {
    /// Draws what `draft` makes of the model, its images' shape and the sets, of each at most `most`
    /// images unless `--limit` says otherwise; says what was written.
    pub(super) fn draw(
        &self,
        most: usize,
        out: &mut Output,
        draft: impl FnOnce(&Artifact<'_>, Shape, &[Set]) -> Result<Draft>,
    ) -> Result<()> {
        place::directory(&self.out)?;
        let loaded = Loaded::open(&self.model)?;
        let artifact = loaded.artifact()?;
        let (shape, _) = image_input(&artifact, &self.model)?;
        let sets = self.source.load(&artifact, most)?;
        let draft = draft(&artifact, shape, &sets)?;
        let facts = draft.facts.clone();
        let written = gallery::write(&self.out, &loaded, draft)?;
        print(&written, &facts, out)
    }
}
