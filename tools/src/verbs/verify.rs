//! `flowgate verify`: everything about a `.flow` that can be checked without its training data.

mod constant;
mod pixels;

use crate::failure::CheckFailed;
use crate::json;
use crate::model::{self, Loaded};
use crate::number;
use crate::output::Output;
use crate::signature;
use crate::table::{Cell, Table, Tone};
use anyhow::{Result, bail};
use flow_infer::artifact::{Artifact, LoadError, Section};
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, Noise};
use flow_infer::plan::Step;
use flow_infer::score::complexity::Coder;
use flow_infer::spec::{FlowSpec, StepSpec};
use flow_train_host::by_number_format;
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::files::one_line;
use serde::Serialize;
use std::path::PathBuf;

/// Check a .flow: integrity, architecture, determinants, golden vectors, signature
#[derive(clap::Args)]
#[command(
    after_help = "Exit code 1 when a check fails, 2 when the file is no .flow of this version.\n\n\
    Example:\n  flowgate verify fashion-tiny.flow"
)]
pub(crate) struct Args {
    /// The .flow
    model: PathBuf,
    /// Public key that must have signed it, PEM; any key will do otherwise
    #[arg(long, value_name = "PUBLIC.pem")]
    key: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found, for machines.
#[derive(Serialize)]
struct Verified<'f> {
    model: String,
    /// Whether no check failed.
    ok: bool,
    checks: Vec<Check<'f>>,
}

#[derive(Serialize)]
struct Check<'f> {
    check: &'static str,
    /// `ok`, `absent` or `failed`.
    result: &'static str,
    detail: &'f str,
}

/// What came of a check.
enum Finding {
    Good(String),
    Absent(&'static str),
    Bad(String),
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        let loaded = Loaded::open_flow(&self.model)?;
        let key = self.key.as_deref().map(signature::public_key).transpose()?;
        let findings = match Artifact::load(loaded.bytes()) {
            Ok(artifact) => findings(&artifact, key.as_deref()),
            Err(error @ (LoadError::Magic | LoadError::Version(_))) => {
                bail!("{}: {error}", one_line(&self.model))
            }
            Err(error) => vec![("integrity", Finding::Bad(error.to_string()))],
        };
        match self.json {
            true => json::print(&self.result(&findings), out)?,
            false => table(&findings).print(out)?,
        }
        let failed: Vec<&str> = findings
            .iter()
            .filter(|(_, finding)| matches!(finding, Finding::Bad(_)))
            .map(|(name, _)| *name)
            .collect();
        match failed.is_empty() {
            true => Ok(()),
            false => Err(CheckFailed(format!(
                "{}: failed: {}",
                one_line(&self.model),
                failed.join(", ")
            ))
            .into()),
        }
    }

    fn result<'f>(&self, findings: &'f [(&'static str, Finding)]) -> Verified<'f> {
        let check = |(check, finding): &'f (&'static str, Finding)| {
            let (result, detail) = match finding {
                Finding::Good(detail) => ("ok", detail.as_str()),
                Finding::Absent(detail) => ("absent", *detail),
                Finding::Bad(detail) => ("failed", detail.as_str()),
            };
            Check {
                check,
                result,
                detail,
            }
        };
        Verified {
            model: one_line(&self.model).to_string(),
            ok: !findings.iter().any(|(_, f)| matches!(f, Finding::Bad(_))),
            checks: findings.iter().map(check).collect(),
        }
    }
}

fn findings(artifact: &Artifact<'_>, key: Option<&[u8; 32]>) -> Vec<(&'static str, Finding)> {
    let size = number::bytes(artifact.bytes().len() as u64);
    vec![
        (
            "integrity",
            Finding::Good(format!("{size}, checksum and structure are right")),
        ),
        ("architecture", architecture(artifact)),
        ("constant", constant::check(artifact)),
        ("input table", pixels::check(artifact)),
        ("golden vectors", golden(artifact)),
        ("signature", signed(artifact, key)),
    ]
}

fn table(findings: &[(&'static str, Finding)]) -> Table {
    let mut table = Table::new(["check", "result", "detail"]).left(3);
    for (name, finding) in findings {
        let (result, detail) = match finding {
            Finding::Good(detail) => (Cell::new("ok", Tone::Good), detail.as_str()),
            Finding::Absent(detail) => (Cell::new("-", Tone::Faint), *detail),
            Finding::Bad(detail) => (Cell::new("FAILED", Tone::Bad), detail.as_str()),
        };
        table.row([Cell::from(*name), result, detail.into()]);
    }
    table
}

/// The plan executes the architecture that the file says it has.
fn architecture(artifact: &Artifact<'_>) -> Finding {
    if artifact.section(Section::Spec).is_empty() {
        return Finding::Absent("the file carries no spec");
    }
    let Some(spec) = model::spec_section(artifact) else {
        return Finding::Bad("the spec cannot be decoded".to_owned());
    };
    if let Err(error) = spec.validate() {
        return Finding::Bad(format!("the spec: {error}"));
    }
    match differing_step(artifact, &spec) {
        _ if spec.input.shape() != artifact.input().shape() => {
            Finding::Bad("the spec's input is not the plan's".to_owned())
        }
        Some(step) => Finding::Bad(format!("step {step} of the plan is not the spec's")),
        None => {
            let count = artifact.steps().count();
            Finding::Good(format!(
                "the plan is the spec's, {}",
                number::count(count, "step")
            ))
        }
    }
}

/// The first step in which spec and plan differ.
fn differing_step(artifact: &Artifact<'_>, spec: &FlowSpec) -> Option<usize> {
    let mut wanted = spec
        .steps()
        .filter(|placed| placed.step != StepSpec::Squeeze);
    let flow = |step: &Step| !matches!(step, Step::Ratio(_));
    let mut planned = artifact.steps().filter_map(Result::ok).filter(flow);
    let same = |placed: &flow_infer::spec::PlacedStep, step: &Step| match (&placed.step, step) {
        (StepSpec::Actnorm, Step::Actnorm { view, .. })
        | (StepSpec::InvertibleLinear, Step::InvertibleLinear { view, .. }) => placed.view == *view,
        (StepSpec::Coupling(spec), Step::Coupling(plan)) => {
            placed.view == plan.view && spec.mask == plan.mask && spec.affine == plan.affine
        }
        _ => false,
    };
    (0..).find_map(|index| match (wanted.next(), planned.next()) {
        (None, None) => Some(None),
        (Some(placed), Some(step)) if same(&placed, &step) => None,
        _ => Some(Some(index)),
    })?
}

fn golden(artifact: &Artifact<'_>) -> Finding {
    if artifact.golden().next().is_none() {
        return Finding::Absent("the file carries none");
    }
    let tested = by_number_format!(artifact.number_format(), self_test(artifact));
    match tested {
        (count, None) => Finding::Good(format!(
            "{} give the recorded bits",
            number::count(count, "vector")
        )),
        (_, Some(first)) => Finding::Bad(first),
    }
}

/// How many vectors there are, and what is wrong with the first that differs.
fn self_test<A: Arithmetic>(artifact: &Artifact<'_>) -> (usize, Option<String>) {
    let (mut scratch, mut coder) = (HeapScratch::<A>::new(artifact), Coder::new());
    let mut detector = Detector::<A>::new(artifact, scratch.borrow(), &mut coder);
    let mut differs = |(index, vector): (usize, flow_infer::artifact::GoldenVector<'_>)| {
        let scores = match detector.scores(vector.input, Noise::Planned) {
            Ok(scores) => scores,
            Err(error) => return Some(format!("vector {index}: {error}")),
        };
        let combined = scores.combined.map(|combined| combined.score_raw);
        let code_length = scores.code_length_raw.unwrap_or(0);
        let found = (scores.log_prob_raw, code_length, combined);
        let wanted = (
            vector.log_prob_raw,
            vector.code_length_raw,
            vector.combined_raw,
        );
        (found != wanted).then(|| {
            format!(
                "vector {index}: (log_prob_raw, code_length_raw, combined_raw) {found:?}, recorded {wanted:?}"
            )
        })
    };
    let first = artifact.golden().enumerate().find_map(&mut differs);
    (artifact.golden().count(), first)
}

fn signed(artifact: &Artifact<'_>, key: Option<&[u8; 32]>) -> Finding {
    let Some(signed) = artifact.signed() else {
        return match key {
            None => Finding::Absent("the file is not signed"),
            Some(_) => Finding::Bad("the file is not signed".to_owned()),
        };
    };
    let by = signature::fingerprint(signed.public_key);
    match key {
        _ if !signature::is_valid(&signed) => {
            Finding::Bad(format!("not that of key {by} over this file"))
        }
        Some(key) if key != signed.public_key => Finding::Bad(format!("by another key, {by}")),
        Some(_) => Finding::Good(format!("by the given key, {by}")),
        None => Finding::Good(format!("by key {by}; --key says whose it must be")),
    }
}
