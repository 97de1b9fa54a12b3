//! `cargo xtask setup`: what the other verbs need from outside, installed or asked for.
//!
//! Set-up only ever adds: where installing would take something away from the machine, it stops and
//! says the command.

use crate::{boards, process};
use anyhow::{Result, bail};
use clap::Args;
use std::collections::BTreeSet;
use std::env;
use std::io;
use std::path::Path;
use std::process::Command;

/// Install Rust targets, QEMU and defmt-print, or print the exact command where that is not allowed
/// or would remove a package. What is there already is left alone.
///
/// Example: cargo xtask setup
#[derive(Args)]
pub(crate) struct Setup {}

impl Setup {
    pub(crate) fn run(&self) -> Result<()> {
        let boards = boards::all()?;
        let of_boards = boards.iter().map(|board| board.target.as_str());
        targets(of_boards.chain([AARCH64_TARGET]))?;
        let of_boards = boards.iter().filter_map(|board| board.emulator.as_deref());
        programs(of_boards.chain([AARCH64_EMULATOR, C_COMPILER.0]))?;
        log_decoder()?;
        println!("setup: everything is there");
        Ok(())
    }
}

/// The aarch64 host; needs no C compiler, unlike the target with GNU's library.
pub(crate) const AARCH64_TARGET: &str = "aarch64-unknown-linux-musl";
/// Runs a program of that target, and takes plugins, unlike its static build.
pub(crate) const AARCH64_EMULATOR: &str = "qemu-aarch64";
/// Compiles C for the emulated M4: the program, and Debian's package of it.
pub(crate) const C_COMPILER: (&str, &str) = ("arm-none-eabi-gcc", "gcc-arm-none-eabi");

/// Programs, and Debian's packages of them.
const PACKAGES: [(&str, &str); 4] = [
    C_COMPILER,
    ("qemu-aarch64", "qemu-user"),
    ("qemu-system-arm", "qemu-system-arm"),
    ("qemu-system-riscv32", "qemu-system-misc"),
];

/// Version of the program that turns a board's log into text.
const DEFMT_PRINT: &str = "1.2.0";

/// Makes sure that Rust can build for all of `targets`.
///
/// # Errors
/// One is missing and could not be added; the message is the command to run.
pub(crate) fn targets<'a>(targets: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut missing = BTreeSet::new();
    for target in targets {
        if !has_target(target)? {
            missing.insert(target);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["target", "add"]).args(&missing);
    install(&mut add, "Rust targets are missing")
}

/// Makes sure that a compiler of this version is there.
///
/// # Errors
/// It is missing and could not be added; the message is the command to run.
pub(crate) fn toolchain(version: &str) -> Result<()> {
    let mut ask = Command::new("rustup");
    ask.args(["run", version, "rustc", "--version"]);
    if process::capture(&mut ask).is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["toolchain", "install", version, "--profile", "minimal"]);
    install(&mut add, "a compiler is missing")
}

/// Whether the standard library of `target` is there, however it came there.
fn has_target(target: &str) -> Result<bool> {
    let mut ask = Command::new("rustc");
    let folder = process::stdout(ask.args(["--print", "target-libdir", "--target", target]))?;
    let Ok(files) = Path::new(folder.trim()).read_dir() else {
        return Ok(false);
    };
    let names = files.flatten().map(|file| file.file_name());
    Ok(names
        .into_iter()
        .any(|name| name.to_string_lossy().starts_with("libcore-")))
}

/// Makes sure that all of `programs`, emulators and a compiler, can be started.
///
/// # Errors
/// One is missing and could not be installed; the message is the command to run.
pub(crate) fn programs<'a>(programs: impl Iterator<Item = &'a str>) -> Result<()> {
    let missing: BTreeSet<&str> = programs.filter(|&program| !on_path(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let known = |program: &str| PACKAGES.iter().find(|(name, _)| *name == program);
    let packages: Vec<&str> = missing
        .iter()
        .map(|&program| known(program).map_or(program, |&(_, package)| package))
        .collect();
    let mut apt = Command::new("apt-get");
    apt.args(["install", "--yes", "--no-remove", "--no-install-recommends"])
        .args(&packages);
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    if !on_path("apt-get") || !is_root() {
        bail!(
            "{missing:?} missing; QEMU 7.2 or later serves. On Debian: sudo apt-get install {}",
            packages.join(" ")
        );
    }
    install(
        Command::new("apt-get").arg("update"),
        "the package list is not there",
    )?;
    let mut trial = Command::new("apt-get");
    trial.args(["install", "--simulate", "--no-install-recommends"]);
    let trial = process::stdout(trial.args(&packages))?;
    let lost: Vec<&str> = removals(&trial).collect();
    if !lost.is_empty() {
        bail!(
            "{missing:?} missing, and installing would remove {}; nothing was done. If that is well: \
             apt-get install --no-install-recommends {}",
            lost.join(", "),
            packages.join(" ")
        );
    }
    install(&mut apt, "an emulator or a compiler is missing")
}

/// The packages that apt-get says it would remove.
fn removals(simulation: &str) -> impl Iterator<Item = &str> {
    simulation.lines().filter_map(|line| {
        let rest = line.strip_prefix("Remv ").or(line.strip_prefix("Purg "))?;
        rest.split_whitespace().next()
    })
}

/// Makes sure that a board's log can be read.
///
/// # Errors
/// The decoder is missing and could not be installed; the message is the command to run.
pub(crate) fn log_decoder() -> Result<()> {
    if on_path("defmt-print") {
        return Ok(());
    }
    let mut cargo = process::cargo();
    cargo.args([
        "install",
        "defmt-print",
        "--locked",
        "--version",
        DEFMT_PRINT,
    ]);
    install(&mut cargo, "defmt-print is missing")
}

fn install(command: &mut Command, why: &str) -> Result<()> {
    let line = process::line(command);
    eprintln!("setup: {why}: {line}");
    // Standard output belongs to the verb that needs the tool.
    if process::run(command.stdout(io::stderr())).is_err() {
        bail!("{why} and could not be installed; run: {line}");
    }
    Ok(())
}

fn on_path(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    process::stdout(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::removals;

    #[test]
    fn what_apt_would_remove_is_seen() {
        let simulation = "\
Reading package lists...
The following packages will be REMOVED:
  qemu-user-static
The following NEW packages will be installed:
  qemu-user
Remv qemu-user-static [1:7.2+dfsg-7+deb12u7]
Inst qemu-user (1:7.2+dfsg-7+deb12u7 Debian:12/stable [amd64])
Conf qemu-user (1:7.2+dfsg-7+deb12u7 Debian:12/stable [amd64])
";
        let removed: Vec<&str> = removals(simulation).collect();
        assert_eq!(removed, ["qemu-user-static"]);
        assert_eq!(removals("Inst qemu-user (1:7.2)\n").count(), 0);
    }
}
