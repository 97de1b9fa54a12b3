//! `flowgate export`: a float model becomes a `.flow`.

use crate::cost::{Cost, format_name};
use crate::draws::{self, Draws};
use crate::model::Loaded;
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::verbs::score::all_scores;
use crate::{inputs, json, number, place, progress, provenance};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use flow_infer::artifact::{Artifact, GoldenVector};
use flow_infer::score::Scores;
use flow_infer::spec::units::{bits_per_dim, nats_from_raw};
use flow_train_host::data::Dataset;
use flow_train_host::export::file::FlowFile;
use flow_train_host::export::{self, ExportError, Source};
use flow_train_host::files::{one_line, write_atomically};
use flow_train_host::model::Model;
use serde::Serialize;
use std::path::PathBuf;

/// Calibration inputs that are used unless `--limit` says otherwise: activation ranges settle long before.
const CALIBRATION_INPUTS: usize = 512;

/// Make a .flow of a float model
#[derive(clap::Args)]
#[command(after_help = "Example:\n  flowgate export runs/tiny --format q8 \
        --calibrate data/fashion/train-images-idx3-ubyte.gz --draws 1 --out tiny.flow")]
pub(crate) struct Args {
    /// Run directory or .safetensors
    model: PathBuf,
    /// Numbers of the .flow: 8-bit weights and integers only, floats, or floats with halved weights
    #[arg(long, value_name = "FORMAT")]
    format: Format,
    /// Training data: ranges of activations, golden vectors and the cost of quantization come from it
    #[arg(long, value_name = "PATH")]
    calibrate: PathBuf,
    /// Where the .flow goes
    #[arg(long, value_name = "MODEL.flow")]
    out: PathBuf,
    /// Use only the first N inputs [default: 512]
    #[command(flatten)]
    limit: inputs::Limit,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    draws: Draws,
    /// Golden vectors for the self-test of a board
    #[arg(long, value_name = "N", default_value_t = 4)]
    golden: usize,
    /// Version of the model, counted up by whoever ships it
    #[arg(long, value_name = "N", default_value_t = 0)]
    model_version: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was made, for machines.
#[derive(Serialize)]
struct Exported {
    format: &'static str,
    flash_bytes: u64,
    scratch_bytes: u64,
    macs: u64,
    weights: u64,
    /// Inputs that ranges, golden vectors and the cost come from.
    inputs: usize,
    golden_vectors: usize,
    bits_per_dim: f64,
    bits_per_dim_of_the_float_model: f64,
    model_version: u32,
    written: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Q8,
    F32,
    F16,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        place::file(&self.out, &[&self.model, &self.calibrate], out)?;
        let loaded = Loaded::open_reading(&self.model, self.draws.dequantization())?;
        if loaded.is_flow() {
            bail!(
                "{}: a .flow already; export reads float models",
                one_line(&self.model)
            );
        }
        let limit = self.limit.or(CALIBRATION_INPUTS);
        let reading = self.reading.without_faulty();
        let data = inputs::load(&self.calibrate, &reading, limit, &loaded.artifact()?)?;
        let float = all_scores(
            &self.calibrate,
            &loaded.artifact()?,
            &data,
            None,
            "float model",
        )?;
        let model = loaded.into_float()?;
        let mut file = self.file(&model, &data)?;
        let bytes = file.to_bytes()?;
        let artifact = Artifact::load(&bytes).map_err(ExportError::Rejected)?;
        let scores = all_scores(&self.calibrate, &artifact, &data, None, "exported model")?;
        self.set_golden(&mut file, &data, &scores);
        let bytes = file.to_bytes()?;
        write_atomically(&self.out, |w| w.write_all(&bytes))?;
        let artifact = Artifact::load(&bytes).map_err(ExportError::Rejected)?;
        if self.json {
            return json::print(&self.result(&artifact, &data, &float, &scores), out);
        }
        Ok(self.table(&artifact, &data, &float, &scores).print(out)?)
    }

    /// The file without golden vectors, which only it can compute.
    fn file(&self, model: &Model, data: &Dataset) -> Result<FlowFile> {
        let file = self.numbers(model, data);
        let mut file = file.with_context(|| one_line(&self.model).to_string())?;
        file.model_version = self.model_version;
        let mut provenance = provenance::of_model(&self.model)?;
        provenance.tool = provenance::tool();
        provenance.commit = provenance::commit().to_owned();
        provenance.history.extend_from_slice(model.history());
        let data = provenance::describe(&self.calibrate, data);
        let format = self.format.name();
        let what = format!("exported as {format}, calibrated on {data}");
        provenance.history.push(provenance::line(&what));
        file.set_provenance(&provenance);
        Ok(file)
    }

    fn numbers(&self, model: &Model, data: &Dataset) -> Result<FlowFile, ExportError> {
        let bar = progress::bar(export::rounding_inputs(data), "rounding weights");
        let source = Source {
            model,
            dequantization: self.draws.dequantization(),
        };
        let file = match self.format {
            Format::Q8 => export::quantized(source, data, &|| bar.inc(1)),
            Format::F32 => export::floating(source, false),
            Format::F16 => export::floating(source, true),
        };
        bar.finish_and_clear();
        file
    }

    fn set_golden(&self, file: &mut FlowFile, data: &Dataset, scores: &[Scores]) {
        let count = self.golden.min(data.len());
        let inputs: Vec<_> = (0..count).map(|index| data.input_bytes(index)).collect();
        let vectors = inputs
            .iter()
            .zip(scores)
            .map(|(input, scores)| GoldenVector {
                input,
                log_prob_raw: scores.log_prob_raw,
                code_length_raw: scores.code_length_raw.unwrap_or(0),
                combined_raw: None,
            });
        file.set_golden(vectors);
    }

    fn result(
        &self,
        artifact: &Artifact<'_>,
        data: &Dataset,
        float: &[Scores],
        exported: &[Scores],
    ) -> Exported {
        let cost = Cost::of(artifact);
        Exported {
            format: self.format.name(),
            flash_bytes: cost.flash_bytes,
            scratch_bytes: cost.scratch_bytes,
            macs: cost.macs,
            weights: cost.weights,
            inputs: data.len(),
            golden_vectors: artifact.golden().count(),
            bits_per_dim: mean_bits(exported, artifact),
            bits_per_dim_of_the_float_model: mean_bits(float, artifact),
            model_version: self.model_version,
            written: one_line(&self.out).to_string(),
        }
    }

    fn table(
        &self,
        artifact: &Artifact<'_>,
        data: &Dataset,
        float: &[Scores],
        exported: &[Scores],
    ) -> Table {
        let cost = Cost::of(artifact);
        let (float, exported) = (mean_bits(float, artifact), mean_bits(exported, artifact));
        let mut table = Table::facts();
        table.fact("format", format_name(artifact.number_format()));
        table.fact("flash", number::bytes(cost.flash_bytes));
        table.fact(
            "scratch",
            format!(
                "{}: latents {}, activations {}",
                number::bytes(cost.scratch_bytes),
                number::grouped(cost.latent_bytes),
                number::grouped(cost.activation_bytes)
            ),
        );
        table.fact("multiplies", number::grouped(cost.macs));
        table.fact("weights", number::grouped(cost.weights));
        table.fact("calibrated on", inputs::describe(data));
        if artifact.input().byte_len() == artifact.dims() {
            let dequantization = draws::describe(self.draws.dequantization());
            table.fact("dequantization", dequantization);
        }
        table.fact("golden vectors", artifact.golden().count().to_string());
        table.fact(
            "bits/dim",
            format!(
                "{exported:.4}, float model {float:.4}: costs {:+.4}",
                exported - float
            ),
        );
        table.fact("written", one_line(&self.out).to_string());
        table
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Q8 => "q8",
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }
}

fn mean_bits(scores: &[Scores], artifact: &Artifact<'_>) -> f64 {
    let bits = |s: &Scores| bits_per_dim(nats_from_raw(s.log_prob_raw), artifact.dims());
    scores.iter().map(bits).sum::<f64>() / scores.len() as f64
}
