//! The boards of the firmware workspace: a folder each, nothing to register.

use crate::{process, repo};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the model that the gate carries, to `firmware/app`.
const MODEL: &str = "FLOWGATE_MODEL";
/// The boards' features for models that read frames, or windows of a sensor's samples.
const FRAMES: &str = "frames";
const WINDOWS: &str = "windows";
/// The features of programs that run any model.
const ANY_MODEL: &str = "frames,windows";

/// A folder under `firmware/boards`.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    /// The folder's name.
    pub(crate) name: String,
    /// Rust's name for the machine, from the board's `.cargo/config.toml`.
    pub(crate) target: String,
    /// The emulator that its runner starts; `None` for a real chip.
    pub(crate) emulator: Option<String>,
    /// The emulator's arguments, up to the program.
    pub(crate) arguments: Vec<String>,
    folder: PathBuf,
    /// What the gate carries instead of the committed model, and the feature that it takes.
    own_model: Option<(PathBuf, &'static str)>,
}

/// The programs of an emulated board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The committed model in flash; real chips have it as well.
    Gate,
    /// Any model, from a file of the host.
    Score,
    /// [`Score`](Self::Score) without gate and answers, between marks for a counter of
    /// instructions.
    Bench,
    /// [`Bench`](Self::Bench) with a mark after every step; the Cortex-M4 alone has it.
    Steps,
}

impl Program {
    const ALL: [Self; 4] = [Self::Gate, Self::Score, Self::Bench, Self::Steps];

    fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Score => "score",
            Self::Bench => "bench",
            Self::Steps => "steps",
        }
    }

    /// Features of the board's crate: any model may read frames or windows, and the committed one does not.
    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Gate | Self::Steps => &[],
            Self::Score | Self::Bench => &["--features", ANY_MODEL],
        }
    }
}

impl Board {
    /// Name of the binary.
    pub(crate) fn binary(&self, program: Program) -> String {
        format!("{}-{}", self.name, program.name())
    }

    /// Name of the package.
    pub(crate) fn package(&self) -> String {
        format!("board-{}", self.name)
    }

    /// The programs that it has, together those with the same features: a real chip has the gate only.
    pub(crate) fn programs(&self) -> Vec<Vec<Program>> {
        let bins = self.folder.join("src/bin");
        let has = |program: &Program| match program {
            Program::Gate => true,
            other => bins.join(other.name()).with_extension("rs").is_file(),
        };
        let there = Program::ALL.into_iter().filter(has);
        let (plain, frames): (Vec<_>, _) = there.partition(|program| program.features().is_empty());
        let together = [plain, frames].into_iter();
        together.filter(|programs| !programs.is_empty()).collect()
    }

    /// The board's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// `cargo VERB --release`, run in the board's folder, where its target and runner are found.
    pub(crate) fn cargo(&self, verb: &str) -> Command {
        let mut command = process::cargo();
        command
            .args([verb, "--release", "--quiet"])
            .current_dir(&self.folder);
        command
    }

    /// `cargo VERB --release` for one program.
    pub(crate) fn cargo_of(&self, verb: &str, program: Program) -> Command {
        let mut command = self.cargo(verb);
        self.choose(&mut command, program);
        command
    }

    /// `cargo VERB --release` for programs with the same features.
    pub(crate) fn cargo_of_all(&self, verb: &str, programs: &[Program]) -> Command {
        let mut command = self.cargo(verb);
        for program in programs {
            command.args(["--bin", &self.binary(*program)]);
        }
        command.args(
            programs
                .first()
                .map_or(&[][..], |program| program.features()),
        );
        command
    }

    /// The same board, its gate with another model.
    pub(crate) fn with_model(self, model: PathBuf) -> Self {
        self.with_model_of(model, FRAMES)
    }

    /// The same board, its gate with a model of windows.
    pub(crate) fn with_windows(self, model: PathBuf) -> Self {
        self.with_model_of(model, WINDOWS)
    }

    fn with_model_of(self, model: PathBuf, feature: &'static str) -> Self {
        Self {
            own_model: Some((model, feature)),
            ..self
        }
    }

    /// Says which program, and which model its gate carries.
    fn choose(&self, command: &mut Command, program: Program) {
        command.args(["--bin", &self.binary(program)]);
        command.args(program.features());
        if let (Some((model, feature)), Program::Gate) = (&self.own_model, program) {
            command.args(["--features", feature]).env(MODEL, model);
        }
    }

    /// `cargo run` for a program, to be run in any folder: cargo is told both configurations that
    /// it would find from the board's.
    pub(crate) fn cargo_run(&self, program: Program) -> Command {
        let mut command = process::cargo();
        for folder in [&repo::firmware(), &self.folder] {
            command
                .arg("--config")
                .arg(folder.join(".cargo/config.toml"));
        }
        command.args(["run", "--release", "--quiet", "--manifest-path"]);
        command.arg(self.folder.join("Cargo.toml"));
        self.choose(&mut command, program);
        command
    }

    /// Where cargo puts the linked program.
    pub(crate) fn elf(&self, program: Program) -> Result<PathBuf> {
        let folder = target_folder()?.join(&self.target).join("release");
        Ok(folder.join(self.binary(program)))
    }

    /// What the board's manifest says in `package.metadata`.
    ///
    /// # Errors
    /// Cargo does not tell.
    pub(crate) fn metadata(&self) -> Result<serde_json::Value> {
        let mut metadata = process::cargo();
        metadata
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(&self.folder);
        let metadata: serde_json::Value = serde_json::from_str(&process::stdout(&mut metadata)?)?;
        let packages = metadata["packages"].as_array().context("no packages")?;
        let name = self.package();
        let mut packages = packages.iter();
        let package = packages.find(|package| package["name"] == name.as_str());
        Ok(package.context("no package of the board")?["metadata"].clone())
    }

    fn read(folder: PathBuf) -> Result<Self> {
        let file = folder.join(".cargo/config.toml");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let value = |key: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{key} = \"")));
            let value = line.and_then(|rest| rest.strip_suffix('"'));
            value.with_context(|| format!("{}: no line `{key} = \"...\"`", file.display()))
        };
        let mut words = value("runner")?.split(' ').map(str::to_owned);
        let emulator = words.next().unwrap_or_default();
        Ok(Self {
            name: folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            target: value("target")?.to_owned(),
            emulator: emulator.starts_with("qemu-").then_some(emulator),
            arguments: words.collect(),
            folder,
            own_model: None,
        })
    }
}

/// All boards, by name.
///
/// # Errors
/// A board's folder lacks its configuration.
pub(crate) fn all() -> Result<Vec<Board>> {
    let folder = repo::firmware().join("boards");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut boards = vec![];
    for entry in entries {
        boards.push(Board::read(entry?.path())?);
    }
    boards.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(boards)
}

/// Boards whose own code is worth a look: every chip, and of the emulated boards, which differ in what they are built
/// for, one.
///
/// # Errors
/// As [`all`].
pub(crate) fn with_own_code() -> Result<Vec<Board>> {
    let (emulated, mut boards): (Vec<_>, Vec<_>) = all()?
        .into_iter()
        .partition(|board| board.emulator.is_some());
    boards.extend(emulated.into_iter().find(|board| board.name == "m4"));
    Ok(boards)
}

/// The emulated boards, by name.
///
/// # Errors
/// As [`all`].
pub(crate) fn emulated() -> Result<Vec<Board>> {
    Ok(all()?
        .into_iter()
        .filter(|board| board.emulator.is_some())
        .collect())
}

/// The emulated board of that name.
///
/// # Errors
/// There is none; the message lists those there are.
pub(crate) fn find(name: &str) -> Result<Board> {
    let boards = emulated()?;
    let names: Vec<&str> = boards.iter().map(|board| board.name.as_str()).collect();
    match boards.iter().find(|board| board.name == name) {
        Some(board) => Ok(board.clone()),
        None => bail!("no emulated board `{name}`; there are {}", names.join(", ")),
    }
}

/// The firmware workspace's target folder.
///
/// # Errors
/// Cargo does not tell.
pub(crate) fn target_folder() -> Result<PathBuf> {
    repo::target_folder(&repo::firmware())
}
