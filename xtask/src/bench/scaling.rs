//! `cargo xtask bench scaling`: how instructions and scratch grow with the image, the channels and the couplings.
//!
//! One of the three is doubled twice while the others stay. What must come out is a straight line: instructions per
//! multiply that fall a little as models grow, and scratch that grows with the width of an image, not with its area,
//! beside the latents, which are the image.

use super::cases::{instructions, multiplies, resnet};
use super::counter::Counter;
use super::machine::Machine;

use super::models::{Subject, image_flow};
use super::plot::{self, Point, Series};
use super::record::origin;
use crate::repo;
use anyhow::{Context, Result};
use clap::Args;
use flow_infer::artifact::Artifact;
use flowgate::output::Output;
use flowgate::table::Table;
use std::fs;

const SIDE: u16 = 28;
const CHANNELS: u16 = 16;
const COUPLINGS: usize = 2;

/// Count instructions and scratch of growing models.
///
/// Example: cargo xtask bench scaling --board m4
#[derive(Args)]
pub(crate) struct Scaling {
    /// Which board.
    #[arg(long, default_value = "m4")]
    board: String,
    /// Write records/scaling.csv and records/scaling.svg.
    #[arg(long)]
    record: bool,
}

/// What a model of one size costs.
struct Row {
    axis: &'static str,
    size: usize,
    multiplies: u64,
    instructions: u64,
    latent_bytes: u64,
    activation_bytes: u64,
}

impl Scaling {
    pub(crate) fn run(&self) -> Result<()> {
        let board = Machine::build(&self.board)?;
        let counter = Counter::build(std::slice::from_ref(&board))?;
        let rows = models()?.into_iter().map(|(axis, size, flow)| {
            let instructions = instructions(&flow, &counter, &board)?;
            Row::new(axis, size, &flow, instructions)
        });
        let rows = rows.collect::<Result<Vec<Row>>>()?;
        tabulate(&rows).print(&mut Output::stdout())?;
        println!(
            "\nResnets of two blocks; {SIDE}x{SIDE} pixels, {CHANNELS} channels and {COUPLINGS} couplings where not \
             said otherwise. Counted under emulation of {} (not cycles).",
            board.name()
        );
        if self.record {
            save(&rows)?;
        }
        Ok(())
    }
}

/// Each axis doubled twice.
fn models() -> Result<Vec<(&'static str, usize, Subject)>> {
    let mut models = vec![];
    for side in [SIDE / 2, SIDE, 2 * SIDE] {
        let flow = image_flow(side, COUPLINGS, resnet(CHANNELS))?;
        models.push(("side", usize::from(side), flow));
    }
    for channels in [CHANNELS / 2, CHANNELS, 2 * CHANNELS] {
        let flow = image_flow(SIDE, COUPLINGS, resnet(channels))?;
        models.push(("channels", usize::from(channels), flow));
    }
    for couplings in [COUPLINGS / 2, COUPLINGS, 2 * COUPLINGS] {
        let flow = image_flow(SIDE, couplings, resnet(CHANNELS))?;
        models.push(("couplings", couplings, flow));
    }
    Ok(models)
}

impl Row {
    fn new(axis: &'static str, size: usize, flow: &Subject, instructions: u64) -> Result<Self> {
        let artifact = Artifact::load(&flow.bytes).context("the model is refused")?;
        let need = artifact.scratch_need();
        Ok(Self {
            axis,
            size,
            multiplies: multiplies(flow)?,
            instructions,
            latent_bytes: 4 * u64::from(need.latents),
            activation_bytes: 2 * u64::from(need.activations),
        })
    }

    fn per_multiply(&self) -> f64 {
        self.instructions as f64 / self.multiplies as f64
    }
}

fn tabulate(rows: &[Row]) -> Table {
    let mut table = Table::new([
        "axis",
        "size",
        "multiplies",
        "instructions",
        "per multiply",
        "latents B",
        "activations B",
    ]);
    for row in rows {
        table.row([
            row.axis.to_owned(),
            row.size.to_string(),
            row.multiplies.to_string(),
            row.instructions.to_string(),
            format!("{:.2}", row.per_multiply()),
            row.latent_bytes.to_string(),
            row.activation_bytes.to_string(),
        ]);
    }
    table
}

fn save(rows: &[Row]) -> Result<()> {
    let mut text = origin("bench scaling")?;
    text += "axis;size;multiplies;instructions;latent_bytes;activation_bytes\n";
    for row in rows {
        let Row {
            axis,
            size,
            multiplies,
            instructions,
            latent_bytes,
            activation_bytes,
        } = row;
        text += &format!(
            "{axis};{size};{multiplies};{instructions};{latent_bytes};{activation_bytes}\n"
        );
    }
    for (name, content) in [("scaling.csv", text), ("scaling.svg", picture(rows))] {
        let path = repo::root().join("records").join(name);
        fs::write(&path, content).with_context(|| path.display().to_string())?;
        println!("written: {}", path.display());
    }
    Ok(())
}

/// Instructions against multiplies, and scratch against size, both in logarithms: a straight line is a power.
fn picture(rows: &[Row]) -> String {
    let series = |y: fn(&Row) -> f64, x: fn(&Row) -> f64| -> Vec<Series> {
        let of_axis = |rows: &[Row]| Series {
            name: rows[0].axis,
            points: rows
                .iter()
                .map(|row| Point {
                    x: x(row),
                    y: y(row),
                })
                .collect(),
        };
        rows.chunk_by(|a, b| a.axis == b.axis)
            .map(of_axis)
            .collect()
    };
    let instructions = series(
        |row| row.instructions as f64 / 1e6,
        |row| row.multiplies as f64 / 1e6,
    );
    let scratch = series(
        |row| (row.latent_bytes + row.activation_bytes) as f64 / 1024.0,
        |row| row.size as f64,
    );
    plot::svg(&[
        plot::Panel {
            x: "million multiplies",
            y: "million instructions",
            series: instructions,
        },
        plot::Panel {
            x: "pixels a side, channels, couplings",
            y: "KiB of scratch",
            series: scratch,
        },
    ])
}
