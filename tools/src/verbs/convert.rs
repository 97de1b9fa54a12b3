//! `flowgate convert`: a checkpoint of another library becomes a float model.

mod batch_norm;

use crate::config;
use crate::inputs::Limit;
use crate::json;
use crate::output::Output;
use crate::place;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use flow_infer::spec::Shape;
use flow_train_host::convert::flows_ood::{self, ArchHint, Class, parse_image};
use flow_train_host::convert::{ConvertError, Hint, Report, freia, nflows, normflows, zuko};
use flow_train_host::files::one_line;
use flow_train_host::model::Model;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Make a model of a PyTorch checkpoint; no code of the file ever runs
#[derive(clap::Args)]
#[command(
    after_help = "Masks and image sizes leave no tensor: where the architecture cannot be found, --arch and --image say \
    what was trained.\n\nExamples:\n  flowgate convert --from flows-ood realnvp.pt --image 1x28x28 --out realnvp.safetensors\n  \
    flowgate convert --from flows-ood 80.pt --arch RealNVPCycleMask --image 1x28x28 --out cycle.safetensors\n  \
    flowgate convert --from flows-ood realnvp.pt --update-batch-norm data/fashion --limit 256 --out realnvp.safetensors"
)]
pub(crate) struct Args {
    /// The library that wrote it
    #[arg(long, value_name = "LIBRARY")]
    from: Library,
    /// The checkpoint, zip format or legacy pickle
    checkpoint: PathBuf,
    /// Estimate batch norm's mean and variance anew on this data: stored ones explode on some images
    #[arg(long, alias = "restate", value_name = "PATH")]
    update_batch_norm: Option<PathBuf>,
    #[command(flatten)]
    limit: Limit,
    /// The class that was trained (flows-ood)
    #[arg(long, value_name = "CLASS", conflicts_with = "config")]
    arch: Option<Class>,
    /// Size of its images
    #[arg(long, value_name = "CxHxW", value_parser = parse_image, conflicts_with = "config")]
    image: Option<Shape>,
    /// The whole architecture, as in config.json of a run (flows-ood, flowgate)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What no tensor tells, instead of what is assumed of the library; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = assumption)]
    assume: Vec<(String, String)>,
    /// The state dict, in a checkpoint that holds several: its keys, joined by dots
    #[arg(long, value_name = "KEY")]
    state_dict: Option<String>,
    /// Where the model goes
    #[arg(long, value_name = "MODEL.safetensors")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found, for machines.
#[derive(Serialize)]
struct Converted<'r> {
    /// The lines of the report: what was found, and what was assumed.
    report: &'r [String],
    parameters: usize,
    /// Whether batch norm's statistics are those of the data that were given.
    restated: bool,
    written: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Library {
    /// The paper's reference code
    FlowsOod,
    /// nflows: vector flows
    Nflows,
    /// normflows: vector flows and Glow
    Normflows,
    /// FrEIA: vector flows
    #[value(name = "freia")]
    Freia,
    /// zuko: vector flows
    Zuko,
    /// Safetensors with this project's own tensor names; --config where its metadata have no spec
    Flowgate,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let read = [
            Some(&self.checkpoint),
            self.update_batch_norm.as_ref(),
            self.config.as_ref(),
        ];
        let read: Vec<&Path> = read.into_iter().flatten().map(PathBuf::as_path).collect();
        place::file(&self.out, &read, out)?;
        let (mut model, report) = self.read()?;
        let healed = match &self.update_batch_norm {
            Some(data) => Some(batch_norm::run(
                &mut model,
                &self.checkpoint,
                data,
                self.limit,
            )?),
            None => None,
        };
        model.save(&self.out)?;
        if self.json {
            let tensors = model.tensors().values();
            let found = Converted {
                report: &report.lines,
                parameters: tensors.map(|tensor| tensor.values.len()).sum(),
                restated: healed.is_some(),
                written: one_line(&self.out).to_string(),
            };
            return json::print(&found, out);
        }
        write!(out, "{report}")?;
        if let Some(table) = healed {
            table.print(out)?;
        }
        writeln!(out, "written: {}", one_line(&self.out))?;
        Ok(())
    }

    fn read(&self) -> Result<(Model, Report)> {
        let hint = self.hint()?;
        if let Library::Flowgate = self.from {
            if let Some((key, _)) = self.assume.first() {
                bail!("--assume {key}: nothing is assumed of a model of flowgate");
            }
            let model = Model::load_with(&self.checkpoint, hint.spec.as_ref())?;
            let report = Report::of_model(&model);
            return Ok((model, report));
        }
        let place = || one_line(&self.checkpoint).to_string();
        let bytes = std::fs::read(&self.checkpoint).with_context(place)?;
        self.convert(&bytes, hint).with_context(place)
    }

    fn hint(&self) -> Result<ArchHint> {
        let spec = self.config.as_deref();
        let spec = spec.map(|file| config::read(file).map(|config| config.spec));
        Ok(ArchHint {
            class: self.arch,
            image: self.image,
            spec: spec.transpose()?,
            state_dict: self.state_dict.clone(),
            assume: self.assume.clone(),
        })
    }

    fn convert(&self, bytes: &[u8], hint: ArchHint) -> Result<(Model, Report), ConvertError> {
        let convert = match self.from {
            Library::FlowsOod | Library::Flowgate => return flows_ood::convert(bytes, &hint),
            Library::Nflows => nflows::convert,
            Library::Normflows => normflows::convert,
            Library::Freia => freia::convert,
            Library::Zuko => zuko::convert,
        };
        let hint = Hint {
            image: hint.image,
            state_dict: hint.state_dict,
            assume: hint.assume,
        };
        convert(bytes, &hint).map(|(model, _, report)| (model, report))
    }
}

/// A key and a value.
fn assumption(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("is not KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
