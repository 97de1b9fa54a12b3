//! The inputs of a run, in the bytes that the engine reads.

use anyhow::{Result, bail};
use flow_infer::artifact::Artifact;
use flow_train_host::data::{self, Dataset, ItemName, ItemNames, ReadOptions};
use flowgate_stream::InputsHeader;
use std::path::Path;

/// Inputs of one size.
#[derive(Default)]
pub(crate) struct Inputs {
    input_bytes: usize,
    bytes: Vec<u8>,
    names: Option<ItemNames>,
}

impl Inputs {
    /// Inputs of `input_bytes` each, one after the other.
    pub(crate) fn new(input_bytes: usize, bytes: Vec<u8>) -> Self {
        Self {
            input_bytes,
            bytes,
            names: None,
        }
    }

    /// Loads the first `limit` inputs of a data set.
    ///
    /// # Errors
    /// The file is missing or is no data set.
    pub(crate) fn load(path: &Path, limit: Option<usize>) -> Result<Self> {
        let read = data::read(path, &ReadOptions::default())?;
        for notice in &read.notices {
            eprintln!("warning: {notice}");
        }
        let range = 0..limit.unwrap_or(usize::MAX);
        Ok(Self {
            names: Some(read.items.take(range.clone())),
            ..Self::of(&read.dataset.take(range))
        })
    }

    /// A data set as the engine reads it.
    pub(crate) fn of(data: &Dataset) -> Self {
        let inputs = (0..data.len()).map(|index| data.input_bytes(index));
        let bytes: Vec<u8> = inputs.flat_map(|input| input.into_owned()).collect();
        Self::new(bytes.len() / data.len().max(1), bytes)
    }

    /// Adds the inputs of another data set.
    ///
    /// # Errors
    /// They have another size.
    pub(crate) fn append(&mut self, other: &Self) -> Result<()> {
        if self.bytes.is_empty() {
            self.input_bytes = other.input_bytes;
        }
        if !other.bytes.is_empty() && self.input_bytes != other.input_bytes {
            bail!(
                "inputs of {} bytes beside inputs of {}",
                other.input_bytes,
                self.input_bytes
            );
        }
        self.bytes.extend(&other.bytes);
        self.names = None;
        Ok(())
    }

    /// Checks that the inputs have the size that a model reads.
    ///
    /// # Errors
    /// They have another; the message says both.
    pub(crate) fn check(&self, artifact: &Artifact<'_>) -> Result<()> {
        let wanted = artifact.input().byte_len();
        if self.input_bytes != wanted {
            bail!(
                "inputs of {} bytes, but the model reads {wanted}",
                self.input_bytes
            );
        }
        Ok(())
    }

    /// What an input is called: its row, where its file says nothing else.
    pub(crate) fn name(&self, index: usize) -> ItemName<'_> {
        match &self.names {
            Some(names) => names.get(index),
            None => ItemName::Row(index),
        }
    }

    /// Number of inputs.
    pub(crate) fn len(&self) -> usize {
        self.iter().len()
    }

    /// Each input's bytes.
    pub(crate) fn iter(&self) -> std::slice::ChunksExact<'_, u8> {
        self.bytes.chunks_exact(self.input_bytes.max(1))
    }

    /// The inputs file of a board.
    ///
    /// # Errors
    /// There are more inputs than its header can count.
    pub(crate) fn to_stream(&self) -> Result<Vec<u8>> {
        let header = InputsHeader {
            count: u32::try_from(self.len())?,
            input_bytes: u32::try_from(self.input_bytes)?,
        };
        Ok([&header.to_bytes(), self.bytes.as_slice()].concat())
    }
}
