//! Recordings of sensors, cut into windows: CSV, NPY and WAV files, one or a folder of them.
//!
//! A recording is one stretch of samples after another: where its clock says that samples are missing, where it jumps,
//! and where the block column says so, the next stretch begins, and no window reaches over that. How windows become a
//! model's input is a [`WindowSpec`]: that of the model, or, before there is one, learned from the recordings
//! themselves, scales and all.

mod arrays;
mod clock;
mod cut;
mod files;
mod learn;
mod live;
mod recording;
mod table;
mod wav;

pub use live::{LiveSamples, LiveStep, Sample};

pub use super::recording_options::{Faulty, LearnedWindows, RecordingOptions, WindowChoice};

use super::error::{DataError, Problem};
use super::items::ItemNames;
use super::notice::{ColumnName, Notice};
use super::options::ReadOptions;
use super::source::{Source, fail};
use super::vectors::{Vectors, WindowSet};
use super::{Dataset, Reading};
use crate::windows::WindowSpec;
use recording::Recording;
use std::path::Path;
use std::sync::Arc;

/// How far a recording's rate may be from the model's.
const RATE_TOLERANCE: f64 = 0.02;

/// Reads the recordings at `path` into windows.
///
/// # Errors
/// [`DataError`] naming file and line: a value that is no number, a channel that is not there, another rate than the
/// model's; or no recording as long as a window.
pub(super) fn read(
    path: &Path,
    options: &ReadOptions,
    own: &RecordingOptions,
) -> Result<Reading, DataError> {
    if let (WindowChoice::Known(spec), false) = (&own.windows, path.is_dir())
        && let Some(samples) = arrays::windows(path, spec, options)?
    {
        let windows = windows_of(path, spec, samples)?;
        return Ok(Reading {
            columns: columns(spec),
            ..Reading::of_rows(Dataset::Vectors(windows))
        });
    }
    let mut recordings = Vec::new();
    for file in files::of(path)? {
        recordings.push(recording(&file, options, own)?);
    }
    check_alike(&recordings)?;
    let (spec, mut notices) = match &own.windows {
        WindowChoice::Known(spec) => (spec.clone(), Vec::new()),
        WindowChoice::Learned(wanted) => learn::spec(path, &recordings, own, wanted)?,
    };
    for recording in &recordings {
        check_rate(recording, &spec)?;
    }
    let cut = cut::windows(path, &recordings, &spec, own.faulty)?;
    notices.extend(recordings.iter().flat_map(|r| r.notices.iter().cloned()));
    notices.extend(cut.notices);
    Ok(Reading {
        dataset: Dataset::Vectors(windows_of(path, &spec, cut.samples)?),
        items: ItemNames::Files(cut.names),
        columns: columns(&spec),
        blocks: cut.blocks,
        notices,
    })
}

fn windows_of(
    path: &Path,
    spec: &Arc<WindowSpec>,
    samples: Vec<i16>,
) -> Result<Vectors, DataError> {
    let set = WindowSet::new(spec.clone(), samples);
    let set = set.map_err(|why| fail(path, Problem::Malformed(why.to_string())))?;
    Ok(Vectors::of_windows(set))
}

/// One file as a recording.
fn recording(
    file: &files::Named,
    options: &ReadOptions,
    own: &RecordingOptions,
) -> Result<Recording, DataError> {
    let source = Source::open(&file.path)?;
    match source.prefix() {
        [] => Err(source.error(Problem::Empty)),
        prefix if prefix.starts_with(b"\x93NUMPY") => arrays::recording(source, file, own),
        prefix if prefix.starts_with(b"RIFF") => wav::recording(source, file, own),
        prefix if super::is_text(prefix) => table::recording(source, file, options, own),
        _ => Err(source.error(Problem::Malformed(
            "no recording that is read (CSV, NPY, WAV)".to_owned(),
        ))),
    }
}

/// All recordings have the same channels.
fn check_alike(recordings: &[Recording]) -> Result<(), DataError> {
    let Some(first) = recordings.first() else {
        return Ok(());
    };
    match recordings.iter().find(|r| r.names != first.names) {
        None => Ok(()),
        Some(other) => Err(fail(
            &other.path,
            Problem::Malformed(format!(
                "has the channels {}, and {} has {}",
                other.names.join(", "),
                first.name,
                first.names.join(", ")
            )),
        )),
    }
}

/// The recording's rate is that of the model, as far as both are known.
fn check_rate(recording: &Recording, spec: &WindowSpec) -> Result<(), DataError> {
    match recording.rate.and_then(|found| other_rate(found, spec)) {
        None => Ok(()),
        Some(problem) => Err(fail(&recording.path, problem)),
    }
}

/// What is wrong with a rate; nothing where the model's is not known.
fn other_rate(found: f64, spec: &WindowSpec) -> Option<Problem> {
    let wanted = f64::from(spec.rate_millihertz) / 1e3;
    let differs = wanted > 0.0 && (found / wanted - 1.0).abs() > RATE_TOLERANCE;
    differs.then(|| {
        Problem::Malformed(format!(
            "sampled {} times a second, and {} are wanted: resample it first",
            hertz(found),
            hertz(wanted)
        ))
    })
}

/// A rate in as many digits as it is sure in.
fn hertz(rate: f64) -> String {
    let text = format!("{rate:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The values that a model reads, as a table's columns are named.
fn columns(spec: &WindowSpec) -> Vec<ColumnName> {
    let names = spec.value_names().into_iter().enumerate();
    let named = names.map(|(index, name)| ColumnName {
        number: index + 1,
        name: Some(name),
    });
    named.collect()
}

/// Something noticed in a recording.
fn noticed(path: &Path, what: String) -> Notice {
    Notice {
        path: path.to_owned(),
        what: super::Noticed::Recording(what),
    }
}
