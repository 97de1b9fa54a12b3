//! `flowgate inspect`: what a model is and what it costs.

mod memory;
mod picture;

use crate::cost::{Cost, StepCost, element_bytes, format_name, layer_cost};
use crate::json;
use crate::model::{self, Loaded};
use crate::number::{bytes, grouped};
use crate::output::Output;
use crate::place;
use crate::table::Table;
use anyhow::{Result, bail};
use flow_infer::artifact::{Artifact, Section};
use flow_infer::front_end::{FrontEnd, Reduction};
use flow_infer::gate::Calibration;
use flow_infer::plan::{Coupling, LayerKind, PlannedInput, Step};
use flow_infer::spec::{FlowSpec, units::nats_from_raw};
use flow_train_host::export::provenance::Provenance;
use flow_train_host::files::write_atomically;
use flow_train_host::windows::WindowSpec;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

/// Show a model: architecture, flash, scratch, multiplies, gate and origin
#[derive(clap::Args)]
#[command(
    after_help = "A float model is shown as the f32 file that it would be.\n\n\
    Example:\n  flowgate inspect fashion-tiny.flow --layers\n  \
    flowgate inspect fashion-tiny.flow --order 4 --picture memory.svg"
)]
pub(crate) struct Args {
    /// Run directory, .safetensors or .flow
    model: PathBuf,
    /// Show the layers of every conditioner and the rings they write
    #[arg(long, conflicts_with = "json")]
    layers: bool,
    /// Show the order in which a coupling's rows are computed, and what is in memory then
    #[arg(long, value_name = "STEP", conflicts_with = "json")]
    order: Option<usize>,
    /// Draw memory over time
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'r> {
    model: String,
    format: &'static str,
    input: Input,
    dims: usize,
    model_version: u32,
    cost: &'r Cost,
    sections: Vec<SectionBytes>,
    gate: Option<&'r Calibration>,
    front_end: Option<&'r FrontEnd>,
    windows: Option<WindowSpec>,
    golden_vectors: usize,
    signed: bool,
    provenance: &'r Provenance,
    spec: Option<FlowSpec>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Input {
    Image { shape: [u16; 3], logit_margin: f32 },
    Vector { dims: u16 },
    Whitened { measured: u16, dims: u16 },
}

#[derive(Serialize)]
struct SectionBytes {
    name: &'static str,
    bytes: usize,
}

const SECTIONS: [(Section, &str); 8] = [
    (Section::Plan, "plan"),
    (Section::Tensors, "tensors"),
    (Section::Spec, "spec"),
    (Section::Gate, "gate"),
    (Section::FrontEnd, "front end"),
    (Section::Golden, "golden"),
    (Section::Provenance, "provenance"),
    (Section::Signature, "signature"),
];

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        if let Some(path) = &self.picture {
            place::file(path, &[&self.model], out)?;
        }
        let loaded = Loaded::open(&self.model)?;
        let artifact = loaded.artifact()?;
        let cost = Cost::of(&artifact);
        let provenance = model::provenance(&artifact);
        let report = Report {
            model: loaded.name(),
            format: format_name(artifact.number_format()),
            input: input(artifact.input()),
            dims: artifact.dims(),
            model_version: artifact.model_version(),
            cost: &cost,
            sections: sections(&artifact),
            gate: artifact.calibration(),
            front_end: artifact.front_end(),
            windows: artifact.windows().map(|windows| WindowSpec::of(&windows)),
            golden_vectors: artifact.golden().count(),
            signed: !artifact.section(Section::Signature).is_empty(),
            provenance: &provenance,
            spec: loaded.spec(),
        };
        if let Some(path) = &self.picture {
            let element_bytes = element_bytes(artifact.number_format());
            let svg = picture::svg(&artifact, cost.latent_bytes, element_bytes);
            write_atomically(path, |file| file.write_all(svg.as_bytes()))?;
        }
        if self.json {
            return json::print(&report, out);
        }
        facts(&report).print(out)?;
        writeln!(out)?;
        steps(&cost.steps).print(out)?;
        if !cost.instructions.is_empty() {
            writeln!(out)?;
            instructions(&cost).print(out)?;
        }
        if self.layers {
            print_layers(&artifact, out)?;
        }
        if let Some(step) = self.order {
            print_order(&artifact, step, out)?;
        }
        if let Some(path) = &self.picture {
            writeln!(out, "\npicture: {}", path.display())?;
        }
        Ok(())
    }
}

fn input(planned: &PlannedInput) -> Input {
    match *planned {
        PlannedInput::Image { shape, margin, .. } => Input::Image {
            shape: [shape.channels, shape.height, shape.width],
            logit_margin: margin,
        },
        PlannedInput::Vector { dims, .. } => Input::Vector { dims },
        PlannedInput::Whitened { measured, dims, .. } => Input::Whitened { measured, dims },
    }
}

fn sections(artifact: &Artifact<'_>) -> Vec<SectionBytes> {
    let all = SECTIONS.into_iter().map(|(section, name)| SectionBytes {
        name,
        bytes: artifact.section(section).len(),
    });
    all.filter(|section| section.bytes > 0).collect()
}

fn facts(report: &Report<'_>) -> Table {
    let cost = report.cost;
    let mut table = Table::facts();
    table.fact("model", report.model.as_str());
    table.fact("format", report.format);
    table.fact(
        "input",
        match report.input {
            Input::Image {
                shape: [c, h, w],
                logit_margin,
            } => {
                format!("8-bit images of {c}x{h}x{w}, logit margin {logit_margin}")
            }
            Input::Vector { dims } => format!("vectors of {dims} values"),
            Input::Whitened { measured, dims } => {
                format!("vectors of {measured} values, whitened to {dims}")
            }
        },
    );
    if let Some(FrontEnd::Frames(reduction)) = report.front_end {
        front_end(reduction, &mut table);
    }
    if let Some(spec) = &report.windows {
        windows(spec, &mut table);
    }
    let sections = report
        .sections
        .iter()
        .map(|s| format!("{} {}", s.name, grouped(s.bytes as u64)));
    let sections = sections.collect::<Vec<_>>().join(", ");
    table.fact("flash", format!("{}: {sections}", bytes(cost.flash_bytes)));
    let (latents, activations) = (grouped(cost.latent_bytes), grouped(cost.activation_bytes));
    table.fact(
        "scratch",
        format!(
            "{}: latents {latents}, activations {activations}",
            bytes(cost.scratch_bytes)
        ),
    );
    let by_layer = cost.latent_bytes + cost.layer_by_layer_activation_bytes;
    let times = by_layer as f64 / cost.scratch_bytes.max(1) as f64;
    table.fact(
        "layer by layer",
        format!("{} of scratch, {times:.1} times as much", bytes(by_layer)),
    );
    table.fact("multiplies", grouped(cost.macs));
    table.fact("weights", grouped(cost.weights));
    table.fact(
        "gate",
        report.gate.map_or("none: not calibrated".to_owned(), gate),
    );
    table.fact("golden vectors", report.golden_vectors.to_string());
    table.fact("signed", if report.signed { "yes" } else { "no" });
    origin(report.provenance, &mut table);
    table
}

fn gate(gate: &Calibration) -> String {
    format!(
        "{} at least {:.2} nats, false alarms at most {}, {} calibration scores",
        gate.score.name(),
        nats_from_raw(gate.threshold_raw),
        crate::number::percent(f64::from(gate.alpha_ppm) / 1e6),
        grouped(gate.samples.into())
    )
}

fn front_end(reduction: &Reduction, table: &mut Table) {
    let frames = match reduction.frame {
        Some(f) => format!("frames of {}x{} {}", f.width, f.height, f.format),
        None => "frames and pictures of any size".to_owned(),
    };
    let region = reduction.region.map(|r| {
        format!(
            ", {}x{} pixels from column {} and row {} on",
            r.width, r.height, r.x, r.y
        )
    });
    let colour = if reduction.output.channels == 1 {
        "luma"
    } else {
        "RGB"
    };
    table.fact(
        "front end",
        format!("{frames}{}: {colour}, averaged", region.unwrap_or_default()),
    );
}

fn windows(spec: &WindowSpec, table: &mut Table) {
    let rate = match spec.rate_millihertz {
        0 => String::new(),
        rate => format!(", {} a second", f64::from(rate) / 1e3),
    };
    let names: Vec<&str> = spec.channels.iter().map(|c| c.name.as_str()).collect();
    table.fact(
        "front end",
        format!(
            "windows of {} samples{rate}, a hop of {}, of {}",
            spec.length,
            spec.hop,
            names.join(", ")
        ),
    );
    let features: Vec<String> = spec.features.iter().map(ToString::to_string).collect();
    table.fact("features", features.join(", "));
    for channel in &spec.channels {
        let offset = match channel.offset {
            0.0 => String::new(),
            offset => format!(" from {offset}"),
        };
        let calm = if channel.may_be_constant {
            ", may be constant"
        } else {
            ""
        };
        table.fact(
            &channel.name,
            format!(
                "{} to {} in samples of {}{offset}, code in steps of {} samples{calm}",
                channel.value(channel.low),
                channel.value(channel.high),
                2f64.powi(-i32::from(channel.exponent)),
                1u32 << channel.step_bits
            ),
        );
    }
}

fn origin(provenance: &Provenance, table: &mut Table) {
    if !provenance.data.is_empty() {
        table.fact(
            "trained on",
            format!("{}, seed {}", provenance.data, provenance.seed),
        );
    }
    let lines = provenance.history.iter().enumerate();
    lines.for_each(|(index, line)| {
        table.fact(if index == 0 { "history" } else { "" }, line.as_str())
    });
}

fn steps(steps: &[StepCost]) -> Table {
    let head = [
        "step",
        "kind",
        "acts on",
        "mask",
        "layers",
        "weights",
        "multiplies",
    ];
    let head = head.into_iter().chain(["activation B", "layer by layer B"]);
    let mut table = Table::new(head).left(4);
    for (index, step) in steps.iter().enumerate() {
        table.row([
            index.to_string(),
            step.kind.to_owned(),
            step.shape.clone(),
            step.mask.clone().unwrap_or_default(),
            step.layers.to_string(),
            grouped(step.weights),
            grouped(step.macs),
            grouped(step.activation_bytes),
            grouped(step.layer_by_layer_activation_bytes),
        ]);
    }
    table
}

fn instructions(cost: &Cost) -> Table {
    let mut table = Table::new(["core", "instructions (estimate)", "a multiply"]);
    for estimate in &cost.instructions {
        let each = estimate.instructions as f64 / cost.macs.max(1) as f64;
        table.row([
            estimate.core.to_owned(),
            grouped(estimate.instructions),
            format!("{each:.2}"),
        ]);
    }
    table
}

/// The rows of one coupling as `layer.row`, those that a layer computes in a row as `layer.first-last`.
fn print_order(artifact: &Artifact<'_>, index: usize, out: &mut Output) -> Result<()> {
    let step = artifact.steps().nth(index).and_then(Result::ok);
    let Some(coupling) = step.and_then(Step::into_network) else {
        bail!("step {index} has no layers: it has no rows to order");
    };
    let element_bytes = element_bytes(artifact.number_format());
    let mut table = Table::new(["layer", "rows", "then in use, B"]);
    let mut moments = memory::moments(&coupling).into_iter().peekable();
    while let Some(first) = moments.next() {
        let mut last = first;
        while let Some(next) = moments.next_if(|next| next.layer == first.layer) {
            last = next;
        }
        let rows = match last.row {
            row if row == first.row => row.to_string(),
            row => format!("{}-{row}", first.row),
        };
        let live = grouped(last.live as u64 * element_bytes);
        table.row([first.layer.to_string(), rows, live]);
    }
    writeln!(out, "\nstep {index}, in order")?;
    Ok(table.print(out)?)
}

fn print_layers(artifact: &Artifact<'_>, out: &mut Output) -> Result<()> {
    for (index, step) in artifact.steps().filter_map(Result::ok).enumerate() {
        if let Some(coupling) = step.into_network() {
            writeln!(out, "\nstep {index}")?;
            let element_bytes = element_bytes(artifact.number_format());
            layers(&coupling, element_bytes).print(out)?;
        }
    }
    Ok(())
}

fn layers(coupling: &Coupling, element_bytes: u64) -> Table {
    let mut table = Table::new([
        "layer",
        "kind",
        "reads",
        "writes",
        "rows",
        "of",
        "ring B",
        "multiplies",
    ])
    .left(4);
    for (index, layer) in coupling.layers.iter().enumerate() {
        let target = layer
            .target
            .and_then(|t| coupling.buffers.get(usize::from(t)));
        let reads = coupling.reads(layer).into_iter().flatten();
        let reads: Vec<String> = reads.map(|id| format!("b{id}")).collect();
        table.row([
            index.to_string(),
            kind(layer.kind),
            reads.join(" "),
            layer
                .target
                .map_or("coupling".to_owned(), |t| format!("b{t}")),
            target.map_or(String::new(), |b| b.rows.to_string()),
            coupling
                .output_shape(layer)
                .map_or(String::new(), |s| s.to_string()),
            target.map_or(String::new(), |b| {
                grouped(b.ring_len().unwrap_or(0) as u64 * element_bytes)
            }),
            grouped(layer_cost(coupling, index).1),
        ]);
    }
    table
}

fn kind(kind: LayerKind) -> String {
    match kind {
        LayerKind::Input { pair: true } => "input pair".to_owned(),
        LayerKind::Input { pair: false } => "input".to_owned(),
        LayerKind::Conv(w) => format!("conv {}x{} / {}", w.height, w.width, w.stride),
        LayerKind::ConvTransposed(w) => {
            format!("transposed {}x{} / {}", w.height, w.width, w.stride)
        }
        LayerKind::Map => "map".to_owned(),
        LayerKind::Gate { .. } => "gate".to_owned(),
    }
}
