//! The example of a camera's gate as one task among others: it builds for its chips, and emulated machines decide about
//! every frame as in one go.

use crate::{CheckFailed, process, repo, setup};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "thumbv7em-none-eabihf";
const EMULATOR: &str = "qemu-system-arm";

/// A program, its features, and the machine that runs it.
struct Program {
    bin: &'static str,
    features: &'static str,
    machine: Option<&'static str>,
}

const PROGRAMS: [Program; 4] = [
    Program {
        bin: "embassy",
        features: "nrf52840",
        machine: None,
    },
    Program {
        bin: "emulated",
        features: "emulated",
        machine: Some("mps2-an386"),
    },
    Program {
        bin: "rtic",
        features: "stm32f407",
        machine: None,
    },
    Program {
        bin: "rtic",
        features: "stm32f407,emulated",
        machine: Some("netduinoplus2"),
    },
];

/// Builds all of them and runs those that a machine is emulated for.
///
/// # Errors
/// A program does not build, or decides otherwise than in one go.
pub(crate) fn check() -> Result<()> {
    setup::targets([TARGET].into_iter())?;
    setup::programs([EMULATOR].into_iter())?;
    for program in PROGRAMS {
        let elf = build(&program)?;
        if let Some(machine) = program.machine {
            println!("{} on {machine}", program.bin);
            run(machine, &elf)?;
        }
    }
    Ok(())
}

fn build(program: &Program) -> Result<PathBuf> {
    let folder = repo::root().join("flow-infer/examples/camera-tasks");
    // Dependencies that the boards have built already.
    let target = repo::firmware().join("target");
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--quiet", "--locked"]);
    cargo.args(["--features", program.features, "--bin", program.bin]);
    process::run(cargo.current_dir(folder).env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join(TARGET).join("release").join(program.bin))
}

fn run(machine: &str, elf: &Path) -> Result<()> {
    let mut emulator = Command::new("timeout");
    emulator.args(["300", EMULATOR, "-M", machine, "-nographic"]);
    // Each instruction lasts a nanosecond, which is how the program counts them.
    emulator.args(["-icount", "shift=0"]);
    emulator.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
    let said = process::stdout(emulator.arg(elf))?;
    print!("{said}");
    match said.contains(" 0 wrong") {
        true => Ok(()),
        false => Err(CheckFailed(format!("{machine}: {said}")).into()),
    }
}
