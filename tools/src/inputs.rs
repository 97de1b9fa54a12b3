//! Data for a model: read, cut to a limit, and of the size that the model reads.

use crate::reading::Reading;
use crate::{failure, frames, kind};
use anyhow::{Result, anyhow, bail};
use clap::Args;
use flow_infer::artifact::Artifact;
use flow_infer::plan::PlannedInput;
use flow_train_host::data::{
    self, DataError, Dataset, ImageSize, ItemNames, Noticed, Position, Problem, ReadOptions,
};
use flow_train_host::files::one_line;
use flow_train_host::front_end::FrontEnd;
use flow_train_host::windows::WindowSpec;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A name and a path.
pub(crate) fn named_path(text: &str) -> std::result::Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err("expected NAME=PATH".to_owned()),
    }
}

/// A path, or a name and a path. A set without a name is called after its file, without the endings.
pub(crate) fn maybe_named_path(text: &str) -> std::result::Result<(String, PathBuf), String> {
    match named_path(text) {
        Ok(named) if !Path::new(text).exists() => Ok(named),
        _ => {
            let path = PathBuf::from(text);
            let name = path.file_name().unwrap_or(path.as_os_str());
            let name = name.to_string_lossy();
            let stem = name.split('.').next().unwrap_or_default();
            Ok((stem.to_owned(), path))
        }
    }
}

/// Which inputs of a set are used.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Limit {
    /// Leave out the first N inputs
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: u32,
    /// Use at most N inputs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

impl Limit {
    /// `count` inputs behind the first `skip`.
    pub(crate) fn some(skip: u32, count: u32) -> Self {
        Self {
            skip,
            limit: Some(count),
        }
    }

    /// These inputs, at most `most` of them where no limit is given.
    pub(crate) fn or(self, most: usize) -> Self {
        Self {
            limit: self.limit.or(u32::try_from(most).ok()),
            ..self
        }
    }

    /// The indices of these inputs, as far as there are any.
    pub(crate) fn range(self) -> Range<usize> {
        let first = self.skip as usize;
        let most = self.limit.map_or(usize::MAX, |n| n as usize);
        first..first.saturating_add(most)
    }

    /// These inputs of a set.
    pub(crate) fn cut(self, data: Dataset) -> Dataset {
        match (self.skip, self.limit) {
            (0, None) => data,
            _ => data.take(self.range()),
        }
    }
}

/// Data with the names of its items.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) data: Dataset,
    pub(crate) items: ItemNames,
    /// What a column of blocks says of each item, if one was named.
    pub(crate) blocks: Vec<String>,
}

/// Reads data for which there is no model yet, and says on standard error what its owner should
/// know.
pub(crate) fn read(path: &Path, reading: &Reading, limit: Limit) -> Result<data::Reading> {
    cut(path, limit, read_as(path, &reading.options(None))?)
}

/// The inputs that are used.
fn cut(path: &Path, limit: Limit, read: data::Reading) -> Result<data::Reading> {
    let read = data::Reading {
        items: read.items.take(limit.range()),
        blocks: match read.blocks.len().min(limit.range().end) {
            end if limit.range().start < end => read.blocks[limit.range().start..end].to_vec(),
            _ => Vec::new(),
        },
        dataset: limit.cut(read.dataset),
        ..read
    };
    match read.dataset.is_empty() {
        true => bail!("{}: nothing is left after --skip", one_line(path)),
        false => Ok(read),
    }
}

/// Reads the data that a model shall read.
pub(crate) fn load(
    path: &Path,
    reading: &Reading,
    limit: Limit,
    artifact: &Artifact<'_>,
) -> Result<Dataset> {
    load_named(path, reading, limit, artifact).map(|named| named.data)
}

/// [`load`] with the names of the items.
pub(crate) fn load_named(
    path: &Path,
    reading: &Reading,
    limit: Limit,
    artifact: &Artifact<'_>,
) -> Result<Named> {
    let size = match artifact.input() {
        PlannedInput::Image { shape, .. } => Some(ImageSize {
            channels: shape.channels.into(),
            height: shape.height.into(),
            width: shape.width.into(),
        }),
        PlannedInput::Vector { .. } | PlannedInput::Whitened { .. } => None,
    };
    let mut options = reading.options(size);
    if let Some(own) = frames::reduction(artifact.front_end()) {
        if options.reduction.is_some_and(|other| other != own) {
            bail!("--size: the model keeps how pictures become its inputs, and it is another way");
        }
        options.reduction = Some(own);
    }
    if let Some(windows) = artifact.windows() {
        if reading.asks_for_windows() {
            bail!("--window: the model keeps how recordings become its inputs");
        }
        options.recordings = reading.recordings(Some(&WindowSpec::of(&windows)));
    }
    let read = read_as(path, &options)?;
    check(path, &read.dataset, artifact)?;
    let read = cut(path, limit, read)?;
    Ok(Named {
        data: read.dataset,
        items: read.items,
        blocks: read.blocks,
    })
}

fn read_as(path: &Path, options: &ReadOptions) -> Result<data::Reading> {
    if let Some(why) = kind::no_data(path) {
        bail!(why);
    }
    let of_sensor = options.recordings.is_some();
    let read = data::read(path, options).map_err(|error| with_advice(error, of_sensor))?;
    for notice in &read.notices {
        match notice.what {
            Noticed::Remark(_) => failure::note(&notice.to_string()),
            _ => failure::warn(&notice.to_string()),
        }
    }
    Ok(read)
}

/// What went wrong with data, and which argument may help.
pub(crate) fn with_advice(error: DataError, of_sensor: bool) -> anyhow::Error {
    match (&error.problem, error.position) {
        (Problem::NotANumber(_), Some(Position::Field { .. }))
        | (Problem::NoSuchColumn { .. }, _)
            if of_sensor =>
        {
            anyhow!("{error} (--channels says which columns are channels)")
        }
        (Problem::NotANumber(_), Some(Position::Field { .. })) => {
            anyhow!("{error} (--columns says which columns are read)")
        }
        (Problem::NoPictures(_), _) => {
            anyhow!("{error} (--window cuts recordings of a sensor)")
        }
        (Problem::MixedSizes { .. }, _) => {
            anyhow!("{error} (--size says what pictures of any size are averaged to)")
        }
        _ => error.into(),
    }
}

/// Whether the model reads such inputs.
fn check(path: &Path, data: &Dataset, artifact: &Artifact<'_>) -> Result<()> {
    let (fits, wanted) = match artifact.input() {
        PlannedInput::Image { shape, .. } => {
            let sizes = [shape.channels, shape.height, shape.width].map(usize::from);
            let fits = matches!(data, Dataset::Images(_)) && data.shape() == sizes;
            (fits, format!("images of {shape}"))
        }
        PlannedInput::Vector { dims: values, .. }
        | PlannedInput::Whitened {
            measured: values, ..
        } => {
            let of_windows = data.windows().is_some() == artifact.windows().is_some();
            let fits = matches!(data, Dataset::Vectors(_)) && of_windows;
            let fits = fits && data.dims() == usize::from(*values);
            (fits, format!("vectors of {values} values"))
        }
    };
    if fits {
        return Ok(());
    }
    bail!(
        "{}: holds {}, but the model reads {wanted}",
        one_line(path),
        kind(data)
    )
}

/// What a model that is trained on these data carries.
pub(crate) fn front_end(reading: &Reading, data: &Dataset) -> Option<FrontEnd> {
    let windows = data
        .windows()
        .map(|w| FrontEnd::Windows(w.spec().as_ref().clone()));
    windows.or_else(|| reading.reduction().map(FrontEnd::Frames))
}

/// "images of 1x28x28".
pub(crate) fn kind(data: &Dataset) -> String {
    let [channels, height, width] = data.shape();
    if let Some(windows) = data.windows() {
        let [samples, of] = windows.shape();
        return format!("windows of {samples} samples x {of} channels, {channels} values");
    }
    match data {
        Dataset::Images(_) => format!("images of {channels}x{height}x{width}"),
        Dataset::Vectors(_) => format!("vectors of {channels} values"),
    }
}

/// "1,000 images of 1x28x28".
pub(crate) fn describe(data: &Dataset) -> String {
    let count = crate::number::grouped(data.len() as u64);
    format!("{count} {}", kind(data))
}

/// SHA-256 over the values of all items, whatever file they came from.
pub(crate) fn fingerprint(data: &Dataset) -> String {
    let hex = |bytes: &[u8]| data::fetch::sha256_hex(bytes);
    match data {
        Dataset::Images(images) => hex(images.pixels()),
        Dataset::Vectors(vectors) => {
            let bytes = vectors.values().iter().flat_map(|v| v.to_le_bytes());
            hex(&bytes.collect::<Vec<u8>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_told_apart() {
        assert_eq!(
            named_path("a=b=c"),
            Ok(("a".to_owned(), PathBuf::from("b=c")))
        );
        for bad in ["a", "=b", "a="] {
            assert!(named_path(bad).is_err(), "{bad}");
        }
        let own = |name: &str, path: &str| Ok((name.to_owned(), PathBuf::from(path)));
        assert_eq!(
            maybe_named_path("d/a-images.idx3.gz"),
            own("a-images", "d/a-images.idx3.gz")
        );
        assert_eq!(maybe_named_path("own=d/a.gz"), own("own", "d/a.gz"));
    }
}
