//! Several models in the memory of one.

use super::gate::{assess, check};
use super::{Assessment, BorrowedMemory, Input, InputError, Memory, Model, OpenError};
use crate::detector::Detector;
use crate::engine::{Fixed, ScratchMut};
use crate::score::complexity::Coder;

/// Calibrated models that decide one after the other in one workspace, which is as large as the largest needs: a line
/// of bottles with a model each, or two products in turn.
#[derive(Debug)]
pub struct Gates<'m> {
    models: &'m [Model<'m>],
    scratch: ScratchMut<'m, Fixed>,
    coder: &'m mut Coder,
}

impl<'m> Gates<'m> {
    /// The gates of these models, each tested as [`Gate::new`](super::Gate::new) does.
    ///
    /// # Errors
    /// The index of the first model of which something does not hold, and what.
    pub fn new(
        models: &'m [Model<'m>],
        memory: &'m mut impl Memory,
    ) -> Result<Self, (usize, OpenError)> {
        let (mut memory, _) = memory.lend();
        for (index, model) in models.iter().enumerate() {
            check(&model.0, &mut memory).map_err(|error| (index, error))?;
        }
        let BorrowedMemory { scratch, coder } = memory;
        Ok(Self {
            models,
            scratch,
            coder,
        })
    }

    /// The models.
    pub fn models(&self) -> &'m [Model<'m>] {
        self.models
    }

    /// What the gate of a model says of an input; `None` where there is no model of this index.
    pub fn assess(
        &mut self,
        model: usize,
        input: &(impl Input + ?Sized),
    ) -> Option<Result<Assessment, InputError>> {
        let artifact = &self.models.get(model)?.0;
        let mut detector = Detector::new(artifact, self.scratch.reborrow(), self.coder);
        Some(assess(&mut detector, input.elements()))
    }
}
