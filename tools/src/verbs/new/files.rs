//! The files of a crate.

use super::board::Board;
use super::example::Example;
use super::fit::Need;
use super::template::{fill, strings};
use crate::number::grouped;
use anyhow::{Context, Result, bail};
use flow_infer::artifact::Artifact;
use flow_infer::front_end::windows::Windows;
use flow_infer::front_end::{FrameSpec, PixelFormat};
use flow_infer::plan::PlannedInput;
use flow_train_host::files::one_line;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const MANIFEST: &str = include_str!("../../../templates/Cargo.toml.in");
const CONFIG: &str = include_str!("../../../templates/config.toml.in");
const IGNORE: &str = include_str!("../../../templates/gitignore.in");
const README: &str = include_str!("../../../templates/README.md.in");
const BUILD: &str = include_str!("../../../templates/build.rs.in");
const MAIN_IMAGE: &str = include_str!("../../../templates/main_image.rs.in");
const MAIN_VECTOR: &str = include_str!("../../../templates/main_vector.rs.in");
const MAIN_FRAMES: &str = include_str!("../../../templates/main_frames.rs.in");
const MAIN_WINDOWS: &str = include_str!("../../../templates/main_windows.rs.in");
const CAMERA: &str = include_str!("../../../templates/camera.rs.in");

/// What the files say.
pub(super) struct Files<'f> {
    pub(super) board: &'static Board,
    pub(super) package: String,
    /// What the model's file is called.
    pub(super) model: String,
    pub(super) artifact: &'f Artifact<'f>,
    pub(super) example: &'f Example,
    pub(super) need: Need,
    /// Where the manifest gets flow-infer from.
    pub(super) source: String,
}

/// # Errors
/// The directory is there and not empty.
pub(super) fn check(dir: &Path) -> Result<()> {
    let name = || one_line(dir).to_string();
    match fs::read_dir(dir) {
        Ok(entries) => match entries.count() {
            0 => Ok(()),
            _ => bail!("{}: is not empty, and nothing in it is replaced", name()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(name),
    }
}

impl Files<'_> {
    /// Writes the crate beside its place, then puts it there: there is a whole crate or none.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        let name = dir.file_name().context("the directory has no name")?;
        let unfinished = format!(".{}.{}", name.to_string_lossy(), std::process::id());
        let unfinished = dir.with_file_name(unfinished);
        let written = self
            .write_all(&unfinished)
            .and_then(|()| put(&unfinished, dir));
        if written.is_err() {
            // What there was to say is in the error already.
            let _ = fs::remove_dir_all(&unfinished);
        }
        written.with_context(|| one_line(dir).to_string())
    }

    fn write_all(&self, dir: &Path) -> Result<()> {
        for (path, content) in self.all() {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            fs::write(path, content)?;
        }
        Ok(())
    }

    /// Every file, with its place in the crate.
    fn all(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let values = self.values();
        let mut texts = vec![
            ("Cargo.toml", MANIFEST),
            (".cargo/config.toml", CONFIG),
            (".gitignore", IGNORE),
            ("README.md", README),
            ("build.rs", BUILD),
            ("src/board.rs", self.board.source),
            ("src/main.rs", self.main()),
        ];
        if self.example.frame.is_some() {
            texts.push(("src/camera.rs", CAMERA));
        }
        texts.extend(self.board.scripts);
        let texts = texts.into_iter();
        let texts = texts.map(|(path, text)| (path, fill(text, &values).into_bytes()));
        let data = [
            ("model.flow", self.artifact.bytes().to_vec()),
            ("example.bin", self.example.bytes.clone()),
        ];
        let all = texts.chain(data);
        all.map(|(path, content)| (PathBuf::from(path), content))
            .collect()
    }

    fn main(&self) -> &'static str {
        match (self.example.frame, self.artifact.input()) {
            (Some(_), _) => MAIN_FRAMES,
            _ if self.artifact.windows().is_some() => MAIN_WINDOWS,
            (None, PlannedInput::Image { .. }) => MAIN_IMAGE,
            (None, _) => MAIN_VECTOR,
        }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let board = self.board;
        let input_len = self.artifact.input_len();
        let mut features = vec!["full"];
        features.extend(self.example.frame.map(|_| "frames"));
        features.extend(self.artifact.windows().map(|_| "windows"));
        let mut values = vec![
            ("package", self.package.clone()),
            ("name", board.name.to_owned()),
            ("board", board.what.to_owned()),
            ("model", self.model.clone()),
            ("example", self.example.what.clone()),
            ("source", self.source.clone()),
            ("features", strings(features)),
            ("dependencies", board.dependencies.to_owned()),
            ("target", board.target.to_owned()),
            ("runner", board.runner.to_owned()),
            ("rustflags", rustflags(board)),
            ("install", board.install.to_owned()),
            ("pin", board.pin.to_owned()),
            (
                "scripts",
                strings(board.scripts.iter().map(|(name, _)| *name)),
            ),
            (
                "link_arguments",
                strings(board.link_arguments.iter().copied()),
            ),
            ("flash_need", grouped(self.need.flash)),
            ("flash", grouped(board.flash)),
            ("ram_need", grouped(self.need.ram)),
            ("ram", grouped(board.ram)),
            ("code", grouped(board.code)),
            ("reserve", grouped(board.reserve)),
            ("input_len", input_len.to_string()),
            ("values", (input_len / size_of::<f32>()).to_string()),
        ];
        values.extend(self.example.frame.map(frame_values).into_iter().flatten());
        let of_windows = self.artifact.windows().map(|w| window_values(&w));
        values.extend(of_windows.into_iter().flatten());
        values
    }
}

fn window_values(windows: &Windows<'_>) -> [(&'static str, String); 3] {
    let names: Vec<&str> = windows.names().collect();
    let rate = match windows.rate_millihertz() {
        0 => String::new(),
        rate => format!(", {} samples a second", f64::from(rate) / 1000.0),
    };
    [
        ("channels", windows.channels().to_string()),
        ("channel_names", strings(names)),
        ("rate", rate),
    ]
}

fn frame_values(spec: FrameSpec) -> [(&'static str, String); 4] {
    [
        ("format", variant(spec.format)),
        ("range", format!("{:?}", spec.range)),
        ("columns", spec.width.to_string()),
        ("rows", spec.height.to_string()),
    ]
}

/// A line of cargo's configuration, where the compiler has to know the core.
fn rustflags(board: &Board) -> String {
    let line = |core| format!("\nrustflags = [\"-Ctarget-cpu={core}\"]");
    board.core.map(line).unwrap_or_default()
}

/// The format's name in Rust.
fn variant(format: PixelFormat) -> String {
    format!("{format:?}")
}

/// An empty directory may be in the way.
fn put(from: &Path, to: &Path) -> Result<()> {
    if to.is_dir() {
        fs::remove_dir(to)?;
    }
    Ok(fs::rename(from, to)?)
}
