//! `flowgate golden`: golden vectors as files, with their provenance, for the tests of other code and boards.

use crate::inputs;
use crate::model::Loaded;
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::{date, number, place, provenance};
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, F16, F32, Fixed, Noise};
use flow_infer::plan::NumberFormat;
use flow_infer::score::Scores;
use flow_infer::score::complexity::Coder;
use flow_train_host::data::Dataset;
use flow_train_host::data::fetch::sha256_hex;
use flow_train_host::data::npy::{NpyArray, NpyValues};
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::files::{one_line, write_atomically};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Inputs that are used unless `--limit` says otherwise.
const INPUTS: usize = 16;
/// Latents that are kept: they are as large as the inputs, and a first difference is enough to look at.
const LATENTS: usize = 4;

/// Write golden vectors: inputs, and the raw scores that every machine must give
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  flowgate golden fashion-tiny.flow --data images.idx3.gz --out golden/tiny"
)]
pub(crate) struct Args {
    /// The .flow
    model: PathBuf,
    /// Inputs
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Directory for inputs.npy, log_prob_raw.npy, code_length_raw.npy, squares_raw.npy, combined_raw.npy, latents.npy and provenance.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    limit: inputs::Limit,
    #[command(flatten)]
    reading: Reading,
}

/// Where the vectors come from.
#[derive(Serialize)]
struct Provenance {
    generator: String,
    commit: &'static str,
    date: String,
    model: String,
    model_sha256: String,
    format: &'static str,
    trained_on: String,
    training_seed: u64,
    data: String,
    inputs: usize,
    latents: usize,
    units: &'static str,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        place::directory(&self.out)?;
        let loaded = Loaded::open_flow(&self.model)?;
        let artifact = loaded.artifact()?;
        let data = inputs::load(&self.data, &self.reading, self.limit.or(INPUTS), &artifact)?;
        let vectors = match artifact.number_format() {
            NumberFormat::Q8 => vectors::<Fixed>(&artifact, &data, |l| NpyValues::I32(l.concat())),
            NumberFormat::F32 => vectors::<F32>(&artifact, &data, |l| NpyValues::F32(l.concat())),
            NumberFormat::F16 => vectors::<F16>(&artifact, &data, |l| NpyValues::F32(l.concat())),
        };
        let (scores, latents) = vectors.with_context(|| one_line(&self.data).to_string())?;
        let origin = self.provenance(&loaded, &artifact, &data);
        std::fs::create_dir_all(&self.out).with_context(|| one_line(&self.out).to_string())?;
        let mut table = Table::new(["file", "content"]).left(2);
        for (name, shape, values) in arrays(&data, &scores, latents) {
            let path = self.out.join(name);
            let content = format!("{shape:?}");
            NpyArray::new(shape, values)?.write(&path)?;
            table.row([one_line(&path).to_string(), content]);
        }
        let path = self.out.join("provenance.json");
        let json = serde_json::to_string_pretty(&origin)?;
        write_atomically(&path, |w| writeln!(w, "{json}"))?;
        table.row([
            one_line(&path).to_string(),
            number::count(data.len(), "input"),
        ]);
        Ok(table.print(out)?)
    }

    fn provenance(&self, loaded: &Loaded, artifact: &Artifact<'_>, data: &Dataset) -> Provenance {
        let trained = crate::model::provenance(artifact);
        Provenance {
            generator: provenance::tool(),
            commit: provenance::commit(),
            date: date::today(),
            model: loaded.name(),
            model_sha256: sha256_hex(loaded.bytes()),
            format: crate::cost::format_name(artifact.number_format()),
            trained_on: trained.data,
            training_seed: trained.seed,
            data: provenance::describe(Path::new(&self.data), data),
            inputs: data.len(),
            latents: LATENTS.min(data.len()),
            units: "raw scores in 2^-24 nats; latents of q8 in 2^-20, of floats as they are",
        }
    }
}

type Arrays = Vec<(&'static str, Vec<usize>, NpyValues)>;

fn arrays(data: &Dataset, scores: &[Scores], latents: NpyValues) -> Arrays {
    let count = data.len();
    let shape = data.shape();
    let (item, inputs) = match data {
        Dataset::Vectors(vectors) if vectors.windows().is_some() => {
            let windows = vectors
                .windows()
                .map_or(&[][..], |windows| windows.samples());
            let item = vectors.windows().map_or([0; 2], |windows| windows.shape());
            (
                item.to_vec(),
                NpyValues::I32(windows.iter().map(|&s| s.into()).collect()),
            )
        }
        Dataset::Images(images) => (shape.to_vec(), NpyValues::U8(images.pixels().to_vec())),
        Dataset::Vectors(vectors) => (vec![shape[0]], NpyValues::F32(vectors.values().to_vec())),
    };
    let of = |n: usize| [&[n], item.as_slice()].concat();
    let latents_of = |n: usize| match data.windows() {
        Some(_) => vec![n, shape[0]],
        None => of(n),
    };
    let raw = |value: fn(&Scores) -> i64| NpyValues::I64(scores.iter().map(value).collect());
    vec![
        ("inputs.npy", of(count), inputs),
        ("log_prob_raw.npy", vec![count], raw(|s| s.log_prob_raw)),
        ("squares_raw.npy", vec![count], raw(|s| s.squares_raw)),
        (
            "combined_raw.npy",
            vec![count],
            raw(|s| s.combined.map_or(0, |combined| combined.score_raw)),
        ),
        (
            "code_length_raw.npy",
            vec![count],
            raw(|s| s.code_length_raw.unwrap_or(0)),
        ),
        ("latents.npy", latents_of(LATENTS.min(count)), latents),
    ]
}

/// Scores of every input, latents of the first few.
fn vectors<A: Arithmetic>(
    artifact: &Artifact<'_>,
    data: &Dataset,
    encode: impl FnOnce(&[Vec<A::Latent>]) -> NpyValues,
) -> Result<(Vec<Scores>, NpyValues)> {
    let (mut scratch, mut coder) = (HeapScratch::<A>::new(artifact), Coder::new());
    let mut detector = Detector::<A>::new(artifact, scratch.borrow(), &mut coder);
    let (mut scores, mut latents) = (Vec::new(), Vec::new());
    for index in 0..data.len() {
        scores.push(detector.scores(&data.input_bytes(index), Noise::Planned)?);
        if index < LATENTS {
            latents.push(detector.latents()[..artifact.dims()].to_vec());
        }
    }
    Ok((scores, encode(&latents)))
}
