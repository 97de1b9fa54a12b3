//! `cargo xtask bench front-end`: instructions per pixel of a frame on emulated boards.

use super::counter::Counter;
use super::machine::Machine;
use super::models::frames_flow;
use crate::boards;
use crate::inputs::Inputs;
use crate::side_by_side::side_by_side;
use crate::{CheckFailed, process, repo};
use anyhow::{Context, Result};
use clap::Args;
use flow_infer::front_end::{Frame, FrameSpec, PixelFormat, Reduction};
use flow_infer::spec::Shape;
use flowgate::date;
use flowgate::output::Output;
use flowgate::table::Table;
use std::fs;

/// Columns and rows of the frames.
const FRAME: [u16; 2] = [320, 240];
/// Rows and columns of the inputs.
const INPUT: [u16; 2] = [28, 28];
/// A pixel costs no core more: the slowest reads colour from two chroma planes.
const MOST_PER_PIXEL: f64 = 250.0;

/// Count the front end's instructions per pixel on every emulated board, format by format, to grey and to colour.
#[derive(Args)]
pub(crate) struct FrontEnd {
    /// Write the tables to records/front-end.md.
    #[arg(long)]
    record: bool,
}

impl FrontEnd {
    /// Every format on every board, without a record.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn check() -> Result<()> {
        Self { record: false }.run()
    }

    /// # Errors
    /// A program failed, found another log_prob than the host, or a pixel costs too much.
    pub(crate) fn run(&self) -> Result<()> {
        let machines: Result<Vec<_>> = boards::emulated()?
            .iter()
            .map(|board| Machine::build(&board.name))
            .collect();
        let machines = machines?;
        let counter = Counter::build(&machines)?;
        let mut text = String::new();
        for (channels, name) in [(1, "grey"), (3, "colour")] {
            let (table, most) = table(&counter, &machines, channels)?;
            println!("to {name}");
            table.print(&mut Output::stdout())?;
            if most > MOST_PER_PIXEL {
                let cause =
                    format!("a pixel takes {most:.1} instructions, more than {MOST_PER_PIXEL}");
                return Err(CheckFailed(cause).into());
            }
            text += &format!("\n## To {name}\n\n{}", table.markdown());
        }
        match self.record {
            true => record(&text),
            false => Ok(()),
        }
    }
}

/// A row a format, a column a board; and the largest figure.
fn table(counter: &Counter, machines: &[Machine], channels: u16) -> Result<(Table, f64)> {
    let [height, width] = INPUT;
    let reduction = Reduction::to(Shape::new(channels, height, width));
    let model = frames_flow(reduction)?.bytes;
    let names: Vec<String> = machines.iter().map(Machine::name).collect();
    let names = names.iter().map(String::as_str);
    let mut table = Table::new(std::iter::once("format").chain(names));
    let [columns, rows] = FRAME;
    let pixels = f64::from(columns) * f64::from(rows);
    let mut most: f64 = 0.0;
    for format in PixelFormat::ALL {
        let spec = FrameSpec::new(format, columns, rows);
        let bytes = vec![0x5A; spec.byte_len() as usize];
        let inputs = Inputs::of_frames(&reduction, &[Frame::new(spec, &bytes)?])?;
        let mut cells = vec![format.name().to_owned()];
        let count = |machine: &Machine| counter.count(machine, &model, &inputs);
        for counted in side_by_side(machines, count)? {
            let per_pixel = counted.iter().sum::<u64>() as f64 / pixels;
            most = most.max(per_pixel);
            cells.push(format!("{per_pixel:.1}"));
        }
        table.row(cells);
    }
    Ok((table, most))
}

fn record(tables: &str) -> Result<()> {
    let path = repo::root().join("records/front-end.md");
    let [columns, rows] = FRAME;
    let [height, width] = INPUT;
    let sums = |channels: usize| 2 * 8 * channels * usize::from(width);
    let text = format!(
        "# The front end on boards\n\nWritten by `cargo xtask bench front-end --record` on {}: {}, {}.\n\n\
         Instructions per pixel of a frame of {columns} x {rows}, handed over row by row and averaged to \
         {height} x {width} (counted under emulation, not cycles); the bits are the host's.\n\n\
         Memory: two rows of sums of the model's width, eight bytes a sum ({} bytes to grey, {} to colour), and the \
         input itself. No row of the frame is kept: the caller's, as it comes from a DMA, is read where it lies.\n{tables}",
        date::today(),
        process::version("rustc")?,
        process::version("qemu-system-arm")?,
        sums(1),
        sums(3),
    );
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("written: {}", path.display());
    Ok(())
}
