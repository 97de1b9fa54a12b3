//! `cargo xtask fuzz`: readers of strangers' files, on inputs that libFuzzer makes.
//!
//! The stable compiler can instrument for it: what `cargo fuzz` asks of a nightly one are options of
//! LLVM. The address sanitizer is left out: all that the targets run is safe code outside of the
//! kernels, which `cargo xtask sanitize` covers, and executions are four times as many without.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{process, repo};
use anyhow::{Context as _, Result, bail};
use clap::Args;

/// A program of `fuzz/`, what it reads, and the longest input that is made for it.
struct Target {
    name: &'static str,
    reads: &'static str,
    longest: usize,
}

const TARGETS: [Target; 4] = [
    Target {
        name: "artifact",
        reads: ".flow files",
        longest: 4096,
    },
    Target {
        name: "convert",
        reads: "checkpoints",
        longest: 4096,
    },
    Target {
        name: "data",
        reads: "arrays, pictures, tables",
        longest: 1024,
    },
    Target {
        name: "video",
        reads: "y4m",
        longest: 1024,
    },
];

const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks \
    -Ccodegen-units=1";

/// Fuzz the readers of foreign files: each from the inputs in fuzz/seeds, for some seconds.
///
/// Stops at the first input that panics, hangs or takes more than a gibibyte, and says where it is.
///
/// Example: cargo xtask fuzz convert --seconds 600
#[derive(Args)]
pub(crate) struct Fuzz {
    /// The targets: artifact, convert, data, video; all without a name
    targets: Vec<String>,
    /// Seconds for each
    #[arg(long, value_name = "N", default_value_t = 15)]
    seconds: u32,
    /// Write the fewest inputs that reach what all found ones reach to fuzz/seeds
    #[arg(long)]
    minimize: bool,
}

impl Fuzz {
    /// What CI runs: half a minute for all.
    pub(crate) fn smoke() -> Self {
        Self {
            targets: Vec::new(),
            seconds: 8,
            minimize: false,
        }
    }

    /// # Errors
    /// No such target, it does not build, or an input was found that a reader does not survive.
    pub(crate) fn run(&self) -> Result<()> {
        let known = |name: &String| TARGETS.iter().any(|target| target.name == *name);
        if let Some(name) = self.targets.iter().find(|name| !known(name)) {
            let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            bail!("no target is called {name}: there are {}", names.join(", "));
        }
        let programs = build()?;
        let chosen = TARGETS
            .iter()
            .filter(|t| self.targets.is_empty() || self.targets.iter().any(|name| name == t.name));
        println!("target    reads                      executions  a second  inputs kept");
        let mut all = 0;
        for target in chosen {
            let folder = Folders::of(target)?;
            let done = fuzz(&programs, target, &folder, self.seconds)?;
            all += done;
            println!(
                "{:<9} {:<26} {done:>10} {:>9} {:>12}",
                target.name,
                target.reads,
                done / u64::from(self.seconds.max(1)),
                std::fs::read_dir(&folder.corpus)?.count(),
            );
            if self.minimize {
                minimize(&programs, target, &folder)?;
            }
        }
        println!("all       {:>37}", all);
        Ok(())
    }
}

/// Where the inputs of a target lie.
struct Folders {
    /// Few, in the repository.
    seeds: PathBuf,
    /// All that were found here, kept from run to run.
    corpus: PathBuf,
}

impl Folders {
    fn of(target: &Target) -> Result<Self> {
        let root = repo::root();
        let seeds = root.join("fuzz/seeds").join(target.name);
        let corpus = root.join("target/fuzz/corpus").join(target.name);
        for folder in [&seeds, &corpus] {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        Ok(Self { seeds, corpus })
    }
}

/// Builds all targets and gives their folder.
fn build() -> Result<PathBuf> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = repo::root().join("target/fuzz");
    // The target is named so that build scripts, which the host runs, are not instrumented.
    let mut cargo = process::cargo();
    cargo
        .args([
            "build",
            "--release",
            "--quiet",
            "--locked",
            "--target",
            &triple,
        ])
        .arg("--target-dir")
        .arg(&folder)
        .current_dir(repo::root().join("fuzz"))
        .env("RUSTFLAGS", INSTRUMENTED);
    process::run(&mut cargo)?;
    Ok(folder.join(triple).join("release"))
}

fn fuzz(programs: &Path, target: &Target, folders: &Folders, seconds: u32) -> Result<u64> {
    let found = repo::root()
        .join("target/fuzz")
        .join(format!("{}-", target.name));
    let mut program = Command::new(programs.join(target.name));
    program
        .args([&folders.corpus, &folders.seeds])
        .arg(format!("-max_len={}", target.longest))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}", found.display()))
        .args(["-rss_limit_mb=1024", "-timeout=10", "-print_final_stats=1"]);
    let log = output(&mut program, target)?;
    let count = log.lines().find_map(|line| {
        let count = line.strip_prefix("stat::number_of_executed_units:")?;
        count.trim().parse().ok()
    });
    count.with_context(|| format!("{}: no count of executions", target.name))
}

/// Replaces the seeds by the fewest inputs that reach as much as all of them.
fn minimize(programs: &Path, target: &Target, folders: &Folders) -> Result<()> {
    let fewest = repo::root().join("target/fuzz/fewest").join(target.name);
    if fewest.exists() {
        std::fs::remove_dir_all(&fewest)?;
    }
    std::fs::create_dir_all(&fewest)?;
    let mut program = Command::new(programs.join(target.name));
    program
        .arg("-set_cover_merge=1")
        .arg("-use_counters=0")
        .args([&fewest, &folders.corpus, &folders.seeds])
        .arg(format!("-max_len={}", target.longest));
    output(&mut program, target)?;
    std::fs::remove_dir_all(&folders.seeds)?;
    std::fs::create_dir_all(&folders.seeds)?;
    for entry in std::fs::read_dir(&fewest)? {
        let entry = entry?;
        std::fs::copy(entry.path(), folders.seeds.join(entry.file_name()))?;
    }
    Ok(())
}

/// What a program wrote; its last lines are the error if it failed.
fn output(program: &mut Command, target: &Target) -> Result<String> {
    let output = program
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {}", target.name))?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(log);
    }
    let from = log.lines().count().saturating_sub(40);
    let end: Vec<&str> = log.lines().skip(from).collect();
    bail!("{}: {}\n{}", target.name, output.status, end.join("\n"))
}
