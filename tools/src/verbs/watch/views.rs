//! What is looked at: models, and the parts of a frame that each of them reads.

use crate::frames;
use crate::model::Loaded;
use anyhow::{Context, Result, bail};
use flow_infer::front_end::{Reduction, Region};
use flow_infer::plan::PlannedInput;
use flow_infer::{Gates, Model};
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};

/// The models on the command line and where each of them looks.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ViewArgs {
    /// A calibrated .flow
    model: PathBuf,
    /// Look at this part of a frame; several times for several parts, each with an alarm of its own
    #[arg(long, value_name = "X,Y,W,H", value_parser = frames::region)]
    region: Vec<Region>,
    /// Another model that looks at the same frames, and at which part; all share the memory of the largest
    #[arg(long, value_name = "MODEL.flow[@X,Y,W,H]", value_parser = also)]
    also: Vec<(PathBuf, Option<Region>)>,
}

/// A model's look at a part of each frame.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Index of its model.
    pub(crate) model: usize,
    /// What it is called among others.
    pub(crate) name: String,
    /// How a frame becomes its input.
    pub(crate) reduction: Reduction,
}

/// A model file with its path.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) loaded: Loaded,
}

impl ViewArgs {
    /// One model that looks at one part, or at the whole, of each frame.
    pub(crate) fn one(model: &Path, region: Option<Region>) -> Self {
        Self {
            model: model.to_owned(),
            region: region.into_iter().collect(),
            also: Vec::new(),
        }
    }

    /// Whether there is more than one look at the whole of each frame.
    pub(super) fn are_several(&self) -> bool {
        !self.region.is_empty() || !self.also.is_empty()
    }

    /// Reads the files, that of MODEL first.
    pub(crate) fn files(&self) -> Result<Vec<File>> {
        let also = self.also.iter().map(|(path, _)| path);
        let mut files: Vec<File> = Vec::new();
        for path in std::iter::once(&self.model).chain(also) {
            if files.iter().all(|file| &file.path != path) {
                let (path, loaded) = (path.clone(), Loaded::open_flow(path)?);
                files.push(File { path, loaded });
            }
        }
        Ok(files)
    }

    /// The looks at each frame, in the order of the command line.
    pub(crate) fn views(&self, files: &[File], models: &[Model<'_>]) -> Result<Vec<View>> {
        let own = match self.region.as_slice() {
            [] => vec![None],
            regions => regions.iter().copied().map(Some).collect(),
        };
        let own = own.into_iter().map(|region| (&self.model, region));
        let also = self.also.iter().map(|(path, region)| (path, *region));
        let view = |(path, region): (&PathBuf, Option<Region>)| {
            let model = files.iter().position(|file| &file.path == path);
            let model = model.context("a model that was not read")?;
            let reduction = reduction(path, &models[model], region)?;
            let name = name(path, region);
            Ok(View {
                model,
                name,
                reduction,
            })
        };
        own.chain(also).map(view).collect()
    }
}

/// The models of files.
pub(crate) fn models(files: &[File]) -> Result<Vec<Model<'_>>> {
    fn model(file: &File) -> Result<Model<'_>> {
        let place = || one_line(&file.path).to_string();
        Model::load(file.loaded.bytes()).with_context(place)
    }
    files.iter().map(model).collect()
}

/// Opens the gates of models.
pub(crate) fn gates<'m>(
    files: &[File],
    models: &'m [Model<'m>],
    memory: &'m mut flow_infer::Workspace,
) -> Result<Gates<'m>> {
    let opened = Gates::new(models, memory);
    opened.map_err(|(index, error)| {
        let path = files.get(index).map_or(Path::new("-"), |file| &file.path);
        anyhow::anyhow!("{}: {error}", one_line(path))
    })
}

/// How a frame becomes a model's input: as its file says, else the whole of the frame.
fn reduction(path: &Path, model: &Model<'_>, region: Option<Region>) -> Result<Reduction> {
    let path = one_line(path);
    let PlannedInput::Image { shape, .. } = *model.artifact().input() else {
        bail!("{path}: the model reads vectors, not frames");
    };
    let own = frames::reduction(model.artifact().front_end());
    let reduction = own.unwrap_or(Reduction::to(shape));
    let reduction = Reduction {
        region: region.or(reduction.region),
        ..reduction
    };
    reduction
        .check()
        .with_context(|| format!("{path}: --region"))?;
    Ok(reduction)
}

/// What a view is called: by its model's file, and where it looks.
pub(super) fn name(path: &Path, region: Option<Region>) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    let stem = one_line(Path::new(stem)).to_string();
    match region {
        Some(Region {
            x,
            y,
            width,
            height,
        }) => format!("{stem}@{x},{y},{width},{height}"),
        None => stem,
    }
}

fn also(text: &str) -> Result<(PathBuf, Option<Region>), String> {
    match text.rsplit_once('@') {
        Some((path, part)) => Ok((PathBuf::from(path), Some(frames::region(part)?))),
        None => Ok((PathBuf::from(text), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_model_may_have_a_part_of_its_own() {
        let region = Region {
            x: 1,
            y: 2,
            width: 3,
            height: 4,
        };
        let path = PathBuf::from("a.flow");
        assert_eq!(also("a.flow"), Ok((path.clone(), None)));
        assert_eq!(also("a.flow@1,2,3,4"), Ok((path.clone(), Some(region))));
        assert!(also("a.flow@1,2").is_err());
        assert_eq!(name(&path, None), "a");
        assert_eq!(name(&path, Some(region)), "a@1,2,3,4");
    }
}
