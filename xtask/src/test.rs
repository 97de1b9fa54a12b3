//! `cargo xtask test`: everything CI runs, stopping at the first failure. Two cores take 40 minutes for it.

use crate::boards::{Board, Program};
use crate::inputs::Inputs;
use crate::side_by_side::side_by_side;
use crate::{
    aarch64, architectures, bench, boards, c_programs, chip_images, compare, comparison,
    example_tasks, frames, fuzz, gate, interface, lowest, new, page, panic_free, process,
    recording, repo, sanitize, session, setup, size, slots, soak, windows,
};
use anyhow::{Context, Result, bail};
use clap::Args;
use flowgate::output::Output;
use flowgate::table::Table;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::NamedTempFile;

/// Targets that flow-infer and flow-slots must build for, without std.
const ENGINE_TARGETS: [&str; 5] = [
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabihf",
    "riscv32imac-unknown-none-elf",
    "riscv32imc-unknown-none-elf",
];

/// Members of the workspace that stay in the repository.
const NOT_PUBLISHED: [&str; 3] = ["flow-reference", "flow-tests", "xtask"];

/// Inputs of each committed sample that every board must score like the host: emulators took minutes of CI with
/// 50, and `records/host-against-boards.md` has a thousand.
const INPUTS_PER_SAMPLE: usize = 20;

/// The emulated boards whose processors multiply most differently.
const WINDOWS_BOARDS: [&str; 3] = ["m0", "m4", "riscv"];

/// A chip with a worked sensor, the feature that brings it, and the chip with a model of what it senses.
type Sensor = (&'static str, &'static str, fn(Board) -> Board);

const SENSORS: [Sensor; 3] = [
    ("nrf52840", "lis3dh", |chip| {
        chip.with_model(repo::vectors_model())
    }),
    ("nrf52840", "lis3dh", |chip| {
        chip.with_windows(repo::windows_model())
    }),
    ("stm32f407", "ov7670", |chip| {
        chip.with_model(repo::frames_model())
    }),
];

/// Run everything that CI runs: what needs the host for itself, then boards, and some steps beside them.
///
/// Example: cargo xtask test
#[derive(Args)]
pub(crate) struct Test {
    /// Only the steps whose names contain this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// The steps that run beside those of boards.
    #[arg(long, hide = true, conflicts_with = "only")]
    aside: bool,
}

/// A step: its name and what it does.
type Step = (&'static str, fn() -> Result<()>);

/// What needs this host for itself: it builds everything that follows runs, or must answer in time.
const FIRST: &[Step] = &[
    ("setup", || setup::Setup {}.run()),
    ("format", format),
    ("lints", lints),
    ("documentation", documentation),
    ("public interface", interface::Interface::check),
    ("packages", packages),
    ("host tests", host_tests),
    ("a made camera", soak::Soak::check),
    ("the page in a browser", page::Page::check),
];

/// What runs in a process of its own beside the boards: linking their programs is one core's work.
const ASIDE: &[Step] = &[
    ("kernels under a sanitizer", || sanitize::Sanitize {}.run()),
    ("engine without std", engine_without_std),
    ("engine on aarch64", || aarch64::check(&samples()?)),
    ("readers on made inputs", || fuzz::Fuzz::smoke().run()),
    ("lowest compilers", lowest::check),
];

const BOARDS: &[Step] = &[
    ("firmware lints", firmware_lints),
    ("example firmware", example_firmware),
    ("example of tasks", example_tasks::check),
    ("firmware of one's own", new::check),
    ("no panic path", no_panic_path),
    ("boards against host", boards_against_host),
    ("architectures on boards", architectures_on_boards),
    ("gate on boards", gate_on_boards),
    ("images of chips", images_of_chips),
    ("models in slots on a board", slots::check),
    ("programs in C", c_programs::check),
    ("instructions on boards", bench::Device::check),
    ("steps of an evaluation", bench::Steps::check),
    ("instructions of the front end", bench::FrontEnd::check),
    // From here on boards carry other models, and their programs are built anew.
    ("frames on boards", frames_on_boards),
    ("windows on boards", windows_on_boards),
    ("a recording everywhere", recording::check),
    ("chips with sensors", || with_sensors("build", &[])),
    // From here on one has another memory.
    ("firmware size", || size::check(&boards::find("m4")?)),
];

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        if self.aside {
            return take(ASIDE.iter());
        }
        if let Some(text) = &self.only {
            let all = || [FIRST, ASIDE, BOARDS].into_iter().flatten();
            if all().any(|(name, _)| name.contains(text)) {
                return take(all().filter(|(name, _)| name.contains(text)));
            }
            let names: Vec<_> = all().map(|(name, _)| *name).collect();
            bail!(
                "no step has such a name: the steps are {}",
                names.join(", ")
            );
        }
        take(FIRST.iter())?;
        let aside = Aside::start()?;
        take(BOARDS.iter())?;
        aside.end()
    }
}

/// Takes steps one after another, up to the first that fails; a table of their times.
fn take<'s>(steps: impl Iterator<Item = &'s Step>) -> Result<()> {
    let mut table = Table::new(["step", "seconds"]);
    for (name, step) in steps {
        println!("== {name}");
        let began = Instant::now();
        step().with_context(|| format!("step `{name}`"))?;
        let seconds = format!("{:.1}", began.elapsed().as_secs_f64());
        table.row([(*name).to_owned(), seconds]);
    }
    println!();
    Ok(table.print(&mut Output::stdout())?)
}

/// The process of the steps aside, and what it says until it has ended.
struct Aside {
    process: Child,
    said: NamedTempFile,
}

impl Aside {
    fn start() -> Result<Self> {
        let said = NamedTempFile::new()?;
        let lines = said.reopen()?;
        let mut command = Command::new(env::current_exe()?);
        command.args(["test", "--aside"]).stdin(Stdio::null());
        command.stdout(lines.try_clone()?).stderr(lines);
        let process = command.spawn().context("cannot start the steps aside")?;
        Ok(Self { process, said })
    }

    /// Waits for it and says what it said.
    fn end(mut self) -> Result<()> {
        let status = self.process.wait()?;
        print!("{}", fs::read_to_string(self.said.path())?);
        match status.success() {
            true => Ok(()),
            false => bail!("a step aside failed: {status}"),
        }
    }
}

impl Drop for Aside {
    /// A failure beside it ends it.
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `cargo WORDS` in the repository's root.
fn cargo(words: &str) -> Command {
    let mut command = process::cargo();
    command.args(words.split(' ')).current_dir(repo::root());
    command
}

fn format() -> Result<()> {
    process::run(&mut cargo("fmt --all --check"))?;
    process::run(cargo("fmt --all --check").current_dir(repo::firmware()))
}

fn lints() -> Result<()> {
    process::run(&mut cargo(
        "clippy --workspace --all-targets --quiet -- -D warnings",
    ))?;
    // Devices of Linux are a feature.
    process::run(&mut cargo(
        "clippy -p flowgate --lib --features camera --quiet -- -D warnings",
    ))
}

fn documentation() -> Result<()> {
    let mut host = cargo("doc --workspace --no-deps --quiet");
    process::run(host.env("RUSTDOCFLAGS", "-D warnings"))?;
    for board in boards::with_own_code()? {
        let mut firmware = board.cargo("doc");
        process::run(firmware.arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

/// What would be published has all its files, and the crate for devices builds from nothing else.
fn packages() -> Result<()> {
    let mut all = cargo("package --workspace --no-verify --allow-dirty --quiet");
    for crate_name in NOT_PUBLISHED {
        all.args(["--exclude", crate_name]);
    }
    process::run(&mut all)?;
    process::run(&mut cargo("package -p flow-infer --allow-dirty --quiet"))
}

fn host_tests() -> Result<()> {
    process::run(&mut cargo("test --workspace --quiet"))?;
    let words = "test --quiet -p flowgate-stream -p flowgate-sensors --features lis3dh";
    let mut firmware = cargo(words);
    process::run(firmware.current_dir(repo::firmware()))
}

fn engine_without_std() -> Result<()> {
    for target in ENGINE_TARGETS {
        // Machine code for each of them is what the boards are built of.
        let words =
            "check -p flow-infer --quiet --no-default-features --features full,defmt --target";
        process::run(cargo(words).arg(target))?;
        process::run(cargo("check -p flow-slots --quiet --target").arg(target))?;
    }
    let without_parts = "test -p flow-infer --quiet --no-default-features --lib";
    process::run(&mut cargo(without_parts))
}

fn firmware_lints() -> Result<()> {
    for board in boards::with_own_code()? {
        process::run(board.cargo("clippy").args(["--", "-D", "warnings"]))?;
    }
    // What only a model of one's own needs.
    let own = boards::find("m4")?.with_model(repo::frames_model());
    process::run(
        own.cargo_of("clippy", Program::Gate)
            .args(["--", "-D", "warnings"]),
    )?;
    with_sensors("clippy", &["--", "-D", "warnings"])
}

/// What a stranger copies: outside of all workspaces, so that only its own manifest counts.
fn example_firmware() -> Result<()> {
    let folder = repo::root().join("flow-infer/examples/firmware");
    let mut build = cargo("build --release --quiet");
    build.current_dir(folder);
    // Dependencies that the boards have built already.
    process::run(build.env("CARGO_TARGET_DIR", repo::firmware().join("target")))
}

/// That a path is noticed is the linker's doing: shown of one board a target.
fn no_panic_path() -> Result<()> {
    let boards = boards::all()?;
    boards.iter().try_for_each(panic_free::prove)?;
    let firsts: BTreeMap<_, _> = boards
        .iter()
        .rev()
        .map(|board| (&board.target, board))
        .collect();
    firsts.into_values().try_for_each(panic_free::prove_noticed)
}

/// `cargo VERB` of every chip that has a worked sensor, with its driver: that it links says that it cannot panic.
fn with_sensors(verb: &str, words: &[&str]) -> Result<()> {
    let boards = boards::all()?;
    SENSORS.iter().try_for_each(|(name, feature, with_model)| {
        let board = boards.iter().find(|board| board.name == *name);
        let board = board.with_context(|| format!("no board `{name}`"))?;
        let mut cargo = with_model(board.clone()).cargo_of(verb, Program::Gate);
        process::run(cargo.args(["--features", feature]).args(words))
    })
}

fn boards_against_host() -> Result<()> {
    let inputs = samples()?;
    let boards = boards::emulated()?;
    compare::build(&boards)?;
    for path in repo::committed_models() {
        println!("{}", path.display());
        let comparisons = compare::compare_built(&boards, &fs::read(path)?, &inputs)?;
        comparison::tabulate(&comparisons, inputs.len()).print(&mut Output::stdout())?;
        comparison::verdict(&comparisons)?;
    }
    Ok(())
}

fn architectures_on_boards() -> Result<()> {
    let boards = boards::emulated()?;
    let models = architectures::check(&boards)?;
    println!(
        "{models} models on {} boards: 0 differing bits",
        boards.len()
    );
    Ok(())
}

fn gate_on_boards() -> Result<()> {
    let model = fs::read(repo::device_model())?;
    let inputs = samples()?;
    let boards = boards::emulated()?;
    // One build at a time, before any board is waited for.
    for board in &boards {
        session::build(board, Program::Gate)?;
    }
    let runs = side_by_side(&boards, |board| gate::check(board, &model, &inputs))?;
    for (board, run) in boards.iter().zip(&runs) {
        println!("{}", gate::describe(board, run));
    }
    Ok(())
}

fn images_of_chips() -> Result<()> {
    for sentence in chip_images::check()? {
        println!("{sentence}");
    }
    Ok(())
}

fn frames_on_boards() -> Result<()> {
    let boards = boards::emulated()?;
    let checked = frames::check(&boards)?;
    println!("{checked} on {} boards: 0 differing bits", boards.len());
    Ok(())
}

fn windows_on_boards() -> Result<()> {
    let boards = WINDOWS_BOARDS.map(boards::find);
    let boards = boards.into_iter().collect::<Result<Vec<_>>>()?;
    let checked = windows::check(&boards)?;
    println!("{checked} on {} boards: 0 differing bits", boards.len());
    Ok(())
}

/// The beginnings of both committed samples.
fn samples() -> Result<Inputs> {
    let mut inputs = Inputs::default();
    for sample in repo::samples() {
        inputs.append(&Inputs::load(&sample, Some(INPUTS_PER_SAMPLE))?)?;
    }
    Ok(inputs)
}
