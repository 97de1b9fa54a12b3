//! `cargo xtask board`: what `flowgate score` prints, computed by an emulated board.

use crate::boards::{self, Program};
use crate::inputs::Inputs;
use crate::{gate, log, progress, repo, session};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use flow_infer::artifact::Artifact;
use flowgate::line::{self, Line};
use flowgate::output::Output;
use flowgate_stream::Answer;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Run an emulated board.
///
/// Example: cargo xtask board m4 score firmware/models/fashion-tiny.flow --data images.idx3.gz
/// --json
#[derive(Args)]
pub(crate) struct Board {
    /// Folder name under firmware/boards.
    name: String,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Score(Score),
    Gate(Gate),
}

/// Run the gate in flash on a data set and check all of it: the committed model, on its compiled-in images first, or
/// one of your own.
///
/// A model of pictures of any size gets them unreduced, row by row.
#[derive(Args)]
struct Gate {
    /// A calibrated `.flow` of your own.
    model: Option<PathBuf>,
    /// What to decide on after the compiled-in images.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Only the first N inputs.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print one JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
}

/// Score a data set with a model, on the board.
#[derive(Args)]
struct Score {
    /// The model; any `.flow` runs without another firmware build.
    model: PathBuf,
    /// What to score: IDX(.gz), .npy/.npz, an image directory or CSV.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Score only the first N inputs.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print one JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// Print the board's log as well, on standard error.
    #[arg(long)]
    log: bool,
}

impl Board {
    pub(crate) fn run(&self) -> Result<()> {
        let board = boards::find(&self.name)?;
        match &self.verb {
            Verb::Score(score) => score.run(&board),
            Verb::Gate(gate) => gate.run(&board),
        }
    }
}

impl Gate {
    fn run(&self, board: &boards::Board) -> Result<()> {
        if let Some(model) = &self.model {
            return self.run_own(board, model);
        }
        let model = std::fs::read(repo::device_model())?;
        let data = self
            .data
            .as_ref()
            .map(|path| Inputs::load(path, self.limit));
        let run = gate::check(board, &model, &data.transpose()?.unwrap_or_default())?;
        // The images of the program come before the data.
        let unnamed = Inputs::default();
        print(&Artifact::load(&model)?, &unnamed, &run.answers, self.json)?;
        eprintln!("{}", gate::describe(board, &run));
        Ok(())
    }

    fn run_own(&self, board: &boards::Board, path: &Path) -> Result<()> {
        let name = || path.display().to_string();
        let path = path.canonicalize().with_context(name)?;
        let model = std::fs::read(&path).with_context(name)?;
        let artifact = Artifact::load(&model).with_context(name)?;
        let data = self.data.as_ref();
        let inputs = data.map(|data| Inputs::load_for(&artifact, data, self.limit));
        let inputs = inputs.transpose()?.unwrap_or_default();
        let board = board.clone().with_model(path);
        let run = gate::check_own(&board, &model, &inputs)?;
        print(&artifact, &inputs, &run.answers, self.json)?;
        eprintln!("{}; the host's bits", gate::describe(&board, &run));
        Ok(())
    }
}

impl Score {
    fn run(&self, board: &boards::Board) -> Result<()> {
        let name = || self.model.display().to_string();
        let model = std::fs::read(&self.model).with_context(name)?;
        let artifact = Artifact::load(&model).with_context(name)?;
        let inputs = Inputs::load_for(&artifact, &self.data, self.limit)?;
        inputs
            .check(&artifact)
            .with_context(|| self.data.display().to_string())?;
        let elf = session::build(board, Program::Score)?;
        let bar = progress::bar(inputs.len(), &board.name);
        let run = session::run(board, Program::Score, &model, &inputs, &|n| {
            bar.set_position(n)
        })?;
        bar.finish_and_clear();
        if self.log {
            eprint!("{}", log::decode(&elf, &run.log)?);
        }
        print(&artifact, &inputs, &run.answers, self.json)
    }
}

fn print(artifact: &Artifact<'_>, inputs: &Inputs, answers: &[Answer], json: bool) -> Result<()> {
    let mut out = Output::stdout();
    let lines = answers.iter().enumerate();
    let lines =
        lines.map(|(index, answer)| line_of(index, answer, artifact).named(inputs.name(index)));
    if json {
        for line in lines {
            writeln!(out, "{}", line.json())?;
        }
    } else {
        let mut table = line::table(true);
        lines.for_each(|line| table.row(line::row(&line)));
        table.print(&mut out)?;
    }
    Ok(out.flush()?)
}

/// The line of an answer, with the board's own decision and deciding score.
fn line_of(index: usize, answer: &Answer, artifact: &Artifact<'_>) -> Line {
    let gate = artifact.calibration();
    let line = Line::new(index, answer.scores.as_ref(), gate, artifact.dims(), true);
    let mut line = line.with_p_value(answer.p_value_ppm);
    line.decision = answer.decision;
    if let Some(raw) = &mut line.raw {
        raw.score_raw = if gate.is_some() {
            answer.score_raw
        } else {
            raw.log_prob_raw
        };
    }
    line
}
