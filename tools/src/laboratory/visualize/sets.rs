//! The images that pictures are made of.

use crate::inputs::{self, Limit};
use crate::picture::{Raster, tile};
use crate::progress;
use crate::reading::Reading;
use anyhow::{Context, Result, anyhow, bail};
use flow_infer::artifact::Artifact;
use flow_infer::plan::PlannedInput;
use flow_infer::spec::Shape;
use flow_train_host::data::{Dataset, Images};
use flow_train_host::files::one_line;
use flow_train_host::trace::{Trace, trace_all};
use std::path::{Path, PathBuf};

/// Where images come from.
#[derive(clap::Args)]
pub(super) struct Source {
    /// Images, which may be named; may be given several times
    #[arg(long, value_name = "[NAME=]PATH", required = true, value_parser = inputs::maybe_named_path)]
    data: Vec<(String, PathBuf)>,
    #[command(flatten)]
    limit: Limit,
}

/// Images of one kind.
pub(super) struct Set {
    pub(super) name: String,
    path: PathBuf,
    /// As files are called after it.
    pub(super) slug: String,
    pub(super) images: Images,
    /// Number of the first image in its file.
    first: usize,
}

impl Source {
    /// Reads the sets, at most `most` images of each unless `--limit` says otherwise.
    pub(super) fn load(&self, artifact: &Artifact<'_>, most: usize) -> Result<Vec<Set>> {
        let mut sets: Vec<Set> = Vec::new();
        for (name, path) in &self.data {
            if sets.iter().any(|set| set.name == *name) {
                bail!("--data {name}: two sets have this name; NAME=PATH gives another");
            }
            let data = inputs::load(path, &Reading::default(), self.limit.or(most), artifact)?;
            let Dataset::Images(images) = data else {
                bail!("{}: pictures are of images", one_line(path));
            };
            let (name, path) = (name.clone(), path.clone());
            let slug = slug(&name, sets.len());
            let first = self.limit.range().start;
            sets.push(Set {
                name,
                path,
                slug,
                images,
                first,
            });
        }
        Ok(sets)
    }
}

/// Letters and digits of a name, and the set's number where there are others: no two sets have the
/// same.
fn slug(name: &str, index: usize) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let slug: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .take(60)
        .collect();
    match slug == name {
        true => slug,
        false => format!("{slug}.{}", index + 1),
    }
}

impl Set {
    /// Number of images.
    pub(super) fn len(&self) -> usize {
        self.images.len()
    }

    /// The set as the engine reads it.
    pub(super) fn dataset(&self) -> Dataset {
        Dataset::Images(self.images.clone())
    }

    /// Number of an image in its file.
    pub(super) fn number(&self, index: usize) -> usize {
        self.first + index
    }

    /// The image itself.
    pub(super) fn photo(&self, index: usize, shape: Shape) -> Raster {
        tile::photo(self.images.get(index), shape)
    }

    /// What the engine says of an image that it refuses.
    pub(super) fn refused<E>(&self, (index, error): (usize, E)) -> anyhow::Error
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let image = format!("{}: image {}", one_line(&self.path), self.number(index));
        anyhow!(error).context(image)
    }

    /// Looks at every image, with a bar.
    pub(super) fn trace(&self, artifact: &Artifact<'_>) -> Result<Vec<Trace>> {
        let bar = progress::bar(self.len(), self.name.as_str());
        let traces = trace_all(artifact, &self.dataset(), &|| bar.inc(1));
        bar.finish_and_clear();
        traces.map_err(|refused| self.refused(refused))
    }
}

/// [`Set::trace`] of each.
pub(super) fn traces(sets: &[Set], artifact: &Artifact<'_>) -> Result<Vec<Vec<Trace>>> {
    sets.iter().map(|set| set.trace(artifact)).collect()
}

/// Shape and logit margin of the images that a model reads.
pub(super) fn image_input(artifact: &Artifact<'_>, model: &Path) -> Result<(Shape, f32)> {
    let input = match *artifact.input() {
        PlannedInput::Image { shape, margin, .. } => Some((shape, margin)),
        PlannedInput::Vector { .. } | PlannedInput::Whitened { .. } => None,
    };
    let place = || format!("{}: pictures are of images", one_line(model));
    input
        .context("this model reads vectors")
        .with_context(place)
}

/// What the planes of a tile are, where there are several.
pub(super) fn planes(shape: Shape) -> &'static str {
    match shape.channels {
        1 => "",
        3 => ", channels red, green, blue from above",
        _ => ", channels from above",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_safe_and_differ() {
        assert_eq!(slug("fashion-test_1", 0), "fashion-test_1");
        assert_eq!([slug("a/b", 0), slug("a b", 1)], ["a-b.1", "a-b.2"]);
        assert_eq!(slug("..", 2), "--.3");
        assert!(slug(&"x".repeat(300), 0).len() < 70);
    }
}
