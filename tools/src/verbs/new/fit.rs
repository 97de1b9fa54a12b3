//! Whether a model fits a board.

use super::board::Board;
use crate::number::grouped;
use anyhow::{Result, bail};
use flow_infer::artifact::Artifact;
use flow_infer::score::complexity::Coder;

/// Bytes that a program around a model needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) flash: u64,
    pub(super) ram: u64,
    model: u64,
    example: u64,
}

impl Need {
    pub(super) fn of(artifact: &Artifact<'_>, example: &[u8], board: &Board) -> Self {
        let (scratch, frames) = (artifact.scratch_need(), artifact.frame_need());
        let latents = u64::from(scratch.latents) * size_of::<i32>() as u64;
        let activations = u64::from(scratch.activations) * size_of::<i16>() as u64;
        let frames = frames.sums * size_of::<u64>() + frames.input;
        let workspace = latents + activations + (size_of::<Coder>() + frames) as u64;
        let (model, example) = (artifact.bytes().len() as u64, example.len() as u64);
        Self {
            flash: model + example + board.code,
            ram: workspace + board.reserve,
            model,
            example,
        }
    }

    /// # Errors
    /// It is more than the board has; the message says by how much.
    pub(super) fn check(&self, board: &Board) -> Result<()> {
        let kinds = [
            ("flash", self.flash, board.flash, self.flash_parts(board)),
            ("RAM", self.ram, board.ram, String::new()),
        ];
        let missing = kinds.into_iter().filter(|(_, need, has, _)| need > has);
        let missing: Vec<String> = missing
            .map(|(kind, need, has, parts)| {
                let [need, has, missing] = [need, has, need - has].map(grouped);
                format!("{need} bytes of {kind}{parts} of which there are {has}, {missing} too few")
            })
            .collect();
        match missing.is_empty() {
            true => Ok(()),
            false => bail!("does not fit {}: needs {}", board.name, missing.join("; ")),
        }
    }

    /// What flash is for: a smaller model may help, or an example that is no large picture.
    fn flash_parts(&self, board: &Board) -> String {
        let [model, example, program] = [self.model, self.example, board.code].map(grouped);
        format!(" (model {model}, example {example}, program {program})")
    }
}
