//! `flowgate score`: every input's scores.

use crate::draws::Draws;
use crate::inputs::{self, Limit};
use crate::line::{self, Line};
use crate::model::Loaded;
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::{number, progress};
use anyhow::{Result, bail};
use flow_infer::artifact::Artifact;
use flow_infer::gate::Decision;
use flow_infer::plan::NumberFormat;
use flow_infer::score::Scores;
use flow_train_host::data::Dataset;
use flow_train_host::data::npy::{NpyArray, NpyValues};
use flow_train_host::evaluate::score_all;
use flow_train_host::files::one_line;
use flow_train_host::metrics::{median, quantile};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Rows of the table; `--json` prints all.
const ROWS: usize = 20;

/// Score inputs: log-likelihood, scores of the gate, decision
#[derive(clap::Args)]
#[command(
    after_help = "Every score is higher for inputs more like the training data.\n\n\
    Example:\n  flowgate score fashion-tiny.flow --data images.idx3.gz --limit 100 --json"
)]
pub(crate) struct Args {
    /// Run directory, .safetensors or .flow
    model: PathBuf,
    /// What to score
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Dequantization noise in [0, 1), f32, one row an image; float models only
    #[arg(long, value_name = "FILE.npy", conflicts_with = "draws")]
    noise: Option<PathBuf>,
    #[command(flatten)]
    draws: Draws,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    limit: Limit,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let model = Loaded::open_reading(&self.model, self.draws.dequantization())?;
        let artifact = model.artifact()?;
        let named = inputs::load_named(&self.data, &self.reading, self.limit, &artifact)?;
        let (data, items) = (named.data, named.items);
        let noise = self.noise(&artifact, &data)?;
        let scores = all_scores(&self.data, &artifact, &data, noise.as_deref(), "scoring")?;
        let line = |(index, scores): (usize, &Scores)| {
            let gate = artifact.calibration();
            let line = Line::new(index, Some(scores), gate, artifact.dims(), model.is_flow());
            let line = line.with_p_value(artifact.p_value_ppm(scores));
            line.named(items.get(index))
        };
        let lines = scores.iter().enumerate().map(line);
        if self.json {
            for line in lines {
                writeln!(out, "{}", line.json())?;
            }
            return Ok(());
        }
        let lines: Vec<Line> = lines.collect();
        let mut table = line::table(model.is_flow());
        lines
            .iter()
            .take(ROWS)
            .for_each(|line| table.row(line::row(line)));
        table.print(out)?;
        if lines.len() > ROWS {
            writeln!(out, "... {} more with --json", lines.len() - ROWS)?;
        }
        writeln!(out)?;
        summary(&lines).print(out)?;
        if artifact.calibration().is_some() {
            let rejected = |l: &&Line| l.decision != Some(Decision::Accept);
            let rejected = lines.iter().filter(rejected).count();
            let share = number::percent(rejected as f64 / lines.len() as f64);
            writeln!(out, "\n{rejected} of {} rejected ({share})", lines.len())?;
        }
        Ok(())
    }

    fn noise(&self, artifact: &Artifact<'_>, data: &Dataset) -> Result<Option<Vec<f32>>> {
        let Some(path) = &self.noise else {
            return Ok(None);
        };
        if artifact.number_format() == NumberFormat::Q8 {
            bail!(
                "{}: noise is for float models; an integer model reads the midpoint",
                one_line(path)
            );
        }
        if matches!(data, Dataset::Vectors(_)) {
            bail!("{}: noise is for images", one_line(path));
        }
        read_noise(path, data).map(Some)
    }
}

fn read_noise(path: &Path, data: &Dataset) -> Result<Vec<f32>> {
    let (shape, values) = NpyArray::load(path)?.into_parts();
    let values = match values {
        NpyValues::F32(values) => values,
        NpyValues::F64(values) => values.iter().map(|&v| v as f32).collect(),
        _ => bail!("{}: noise must be floats", one_line(path)),
    };
    // A set cut by --limit takes the first rows.
    let (rows, wanted) = (shape.first().copied().unwrap_or(0), data.len());
    if rows < wanted || values.len() != rows * data.dims() {
        bail!(
            "{}: noise of shape {shape:?} for {wanted} images of {} pixels",
            one_line(path),
            data.dims()
        );
    }
    if let Some(bad) = values.iter().position(|u| !(0.0..1.0).contains(u)) {
        bail!(
            "{}: row {}: noise {} is outside [0, 1)",
            one_line(path),
            bad / data.dims(),
            values[bad]
        );
    }
    Ok(values)
}

/// Scores of every input of a set, with a bar.
pub(crate) fn all_scores(
    path: &Path,
    artifact: &Artifact<'_>,
    data: &Dataset,
    noise: Option<&[f32]>,
    doing: &str,
) -> Result<Vec<Scores>> {
    let bar = progress::bar(data.len(), doing);
    let dims = data.dims();
    let of_input = |index: usize| noise.map(|all| all[index * dims..][..dims].to_vec());
    let scores = score_all(artifact, data, &of_input, &|| bar.inc(1));
    bar.finish_and_clear();
    scores.map_err(|(index, error)| {
        anyhow::Error::new(error).context(format!("{}: input {index}", one_line(path)))
    })
}

/// Least, middle and greatest of every column.
fn summary(lines: &[Line]) -> Table {
    let mut table = Table::new(["", "least", "median", "mean", "greatest"]);
    let mut row = |name: &str, digits: usize, of: &dyn Fn(&Line) -> Option<f64>| {
        let values: Vec<f64> = lines.iter().filter_map(of).collect();
        if values.is_empty() {
            return;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let figures = [
            quantile(&values, 0.0),
            median(&values),
            mean,
            quantile(&values, 1.0),
        ];
        let cells = figures.map(|v| format!("{v:.digits$}"));
        table.row([name.to_owned()].into_iter().chain(cells));
    };
    row("bits/dim", 4, &|l| l.bits_per_dim);
    row("likelihood", 2, &|l| l.scores.likelihood);
    row("complexity", 2, &|l| l.scores.complexity);
    row("typicality", 2, &|l| l.scores.typicality);
    row("combined", 2, &|l| l.scores.combined);
    row("p-value", 4, &|l| l.p_value);
    table
}
