//! MODEL on the command line: a run directory, a `.safetensors` with its spec, or a `.flow`.
//!
//! All three end as bytes of a `.flow`: a float model is lowered and packed in memory, so that
//! everything which computes goes through the one engine, whose file checks cannot be skipped.

use crate::kind;
use anyhow::{Context, Result, bail};
use flow_infer::artifact::{Artifact, MAGIC, Section};
use flow_infer::plan::Dequantization;
use flow_infer::spec::FlowSpec;
use flow_train_host::export::Source;
use flow_train_host::export::engine::FloatEngine;
use flow_train_host::export::file::FlowFile;
use flow_train_host::export::lower::lower;
use flow_train_host::export::provenance::Provenance;
use flow_train_host::files::one_line;
use flow_train_host::model::Model;
use flow_train_host::model::store::{MODEL_FILE, model_in};
use std::path::{Path, PathBuf};

/// A model that was read, in the form that the engine loads.
#[derive(Debug)]
pub(crate) struct Loaded {
    path: PathBuf,
    bytes: Vec<u8>,
    float: Option<Model>,
}

impl Loaded {
    /// Reads a model of any of the three kinds; a float model's images at the midpoint.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::open_reading(path, Dequantization::Midpoint)
    }

    /// Reads a model whose images are read in this way; a `.flow` says itself how it reads them.
    pub(crate) fn open_reading(path: &Path, dequantization: Dequantization) -> Result<Self> {
        if let Some(why) = kind::no_model(path) {
            bail!(why);
        }
        let bytes = read(path)?;
        if bytes.starts_with(&MAGIC) || has_flow_name(path) {
            if dequantization != Dequantization::Midpoint {
                bail!(
                    "{}: --draws is for float models; export put the choice into a .flow",
                    one_line(path)
                );
            }
            return Ok(Self {
                path: path.to_owned(),
                bytes,
                float: None,
            });
        }
        Self::of_model(path, Model::load(path)?, dequantization)
    }

    /// A float model that is in memory already; `path` is what it is called.
    pub(crate) fn of_model(
        path: &Path,
        model: Model,
        dequantization: Dequantization,
    ) -> Result<Self> {
        let flow = lower(Source {
            model: &model,
            dequantization,
        });
        let place = || one_line(path).to_string();
        let mut bytes = FloatEngine::new(&flow).with_context(place)?.into_bytes();
        if let Some(front_end) = model.front_end() {
            let artifact = Artifact::load(&bytes).with_context(place)?;
            let mut file = FlowFile::from_artifact(&artifact);
            file.carry(front_end).with_context(place)?;
            bytes = file.to_bytes().with_context(place)?;
        }
        Ok(Self {
            bytes,
            path: path.to_owned(),
            float: Some(model),
        })
    }

    /// Reads a `.flow` and nothing else.
    pub(crate) fn open_flow(path: &Path) -> Result<Self> {
        let loaded = Self::open(path)?;
        match loaded.is_flow() {
            true => Ok(loaded),
            false => bail!(
                "{}: a float model; `flowgate export` makes a .flow of it",
                one_line(path)
            ),
        }
    }

    /// Loads the bytes: every check of the format.
    pub(crate) fn artifact(&self) -> Result<Artifact<'_>> {
        Artifact::load(&self.bytes).with_context(|| one_line(&self.path).to_string())
    }

    /// The bytes of the `.flow`.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it was a `.flow`: integer scores mean something beyond this machine.
    pub(crate) fn is_flow(&self) -> bool {
        self.float.is_none()
    }

    /// The float model, where it is one.
    pub(crate) fn float(&self) -> Option<&Model> {
        self.float.as_ref()
    }

    /// The float model, where it was one.
    pub(crate) fn into_float(self) -> Result<Model> {
        let path = self.path;
        self.float.with_context(|| {
            format!(
                "{}: a .flow already; export reads float models",
                one_line(&path)
            )
        })
    }

    /// The architecture; a `.flow` may come without.
    pub(crate) fn spec(&self) -> Option<FlowSpec> {
        match &self.float {
            Some(model) => Some(model.spec().clone()),
            None => spec_section(&self.artifact().ok()?),
        }
    }

    /// Where it was read.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

/// The spec that a file carries, if it is there and whole.
pub(crate) fn spec_section(artifact: &Artifact<'_>) -> Option<FlowSpec> {
    match postcard::take_from_bytes(artifact.section(Section::Spec)) {
        Ok((spec, [])) => Some(spec),
        _ => None,
    }
}

/// Where the model comes from, as the file says.
pub(crate) fn provenance(artifact: &Artifact<'_>) -> Provenance {
    // A section that cannot be decoded is for other tools: it says nothing here.
    Provenance::decode(artifact.section(Section::Provenance)).unwrap_or_default()
}

fn has_flow_name(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "flow")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = match path.is_dir() {
        true => model_in(path),
        false => path.to_owned(),
    };
    if path.is_dir() && !file.exists() {
        bail!(
            "{}: no {MODEL_FILE} in this directory (a run has one after its first epoch)",
            one_line(path)
        );
    }
    let cannot = || format!("{}: cannot be read", one_line(&file));
    std::fs::read(&file).with_context(cannot)
}
