//! Which calibration inputs belong together: a stretch of time, a user, a site.
//!
//! Inputs of one block are alike, and a block to come is not one of those that were seen. So what a gate will meet is
//! told by whole blocks, never by single inputs of blocks that others of which were learned from.

use super::CalibrateError;
use std::ops::Range;

/// The block of every input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    of_input: Vec<usize>,
    names: Vec<String>,
    in_order: bool,
}

impl Blocks {
    /// Contiguous stretches of inputs in their order, of equal length but for one.
    ///
    /// # Errors
    /// [`CalibrateError::TooFewBlocks`] of fewer than two, [`CalibrateError::EmptyBlock`] of more than inputs.
    pub fn stretches(inputs: usize, count: usize) -> Result<Self, CalibrateError> {
        if count > inputs {
            return Err(CalibrateError::EmptyBlock {
                inputs,
                blocks: count,
            });
        }
        let ranges = (0..count).map(|block| Self::stretch(inputs, count, block));
        let label = |range: Range<usize>| {
            let name = format!("inputs {} to {}", range.start, range.end - 1);
            range.map(move |_| name.clone())
        };
        let labels: Vec<String> = ranges.flat_map(label).collect();
        Ok(Self::named(labels.iter().map(String::as_str))?.following(true))
    }

    /// The same, where each is the next stretch of one recording, or is not.
    #[must_use]
    pub fn following(self, in_order: bool) -> Self {
        Self { in_order, ..self }
    }

    /// Whether each is the next stretch of one recording.
    pub fn in_order(&self) -> bool {
        self.in_order
    }

    /// The inputs of a stretch.
    pub fn stretch(inputs: usize, count: usize, block: usize) -> Range<usize> {
        block * inputs / count..(block + 1) * inputs / count
    }

    /// Inputs with the same label are a block; blocks are in the order in which they come.
    ///
    /// # Errors
    /// [`CalibrateError::TooFewBlocks`] where all labels are the same.
    pub fn named<'l>(labels: impl IntoIterator<Item = &'l str>) -> Result<Self, CalibrateError> {
        let (mut of_input, mut names) = (Vec::new(), Vec::<String>::new());
        let mut known = std::collections::HashMap::new();
        for label in labels {
            let block = *known.entry(label).or_insert_with(|| {
                names.push(label.to_owned());
                names.len() - 1
            });
            of_input.push(block);
        }
        match names.len() {
            blocks @ 0..2 => Err(CalibrateError::TooFewBlocks { blocks, needed: 2 }),
            _ => Ok(Self {
                of_input,
                names,
                in_order: false,
            }),
        }
    }

    /// Number of blocks K.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// What the blocks are called.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What an input's block is called.
    pub fn name_of(&self, input: usize) -> &str {
        &self.names[self.of_input[input]]
    }

    /// The blocks of some of the inputs; those of which none is left are gone.
    ///
    /// # Errors
    /// [`CalibrateError::TooFewBlocks`] where fewer than two are left.
    pub fn pick(&self, inputs: &[usize]) -> Result<Self, CalibrateError> {
        let labels = inputs.iter().map(|&input| self.name_of(input));
        Ok(Self::named(labels)?.following(self.in_order))
    }

    /// Indices of a block's inputs.
    pub fn members(&self, block: usize) -> Vec<usize> {
        let inputs = self.of_input.iter().enumerate();
        inputs
            .filter_map(|(input, &of)| (of == block).then_some(input))
            .collect()
    }

    /// Indices of all inputs but those of a block.
    pub fn others(&self, block: usize) -> Vec<usize> {
        let inputs = self.of_input.iter().enumerate();
        inputs
            .filter_map(|(input, &of)| (of != block).then_some(input))
            .collect()
    }

    /// What belongs to the inputs, block by block.
    pub fn group<T: Copy>(&self, of_input: &[T]) -> Vec<Vec<T>> {
        let members = |block| self.members(block).into_iter().map(|i| of_input[i]);
        (0..self.count())
            .map(|block| members(block).collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_whole_and_cover_everything() {
        let blocks = Blocks::stretches(11, 3).unwrap();
        let members = [0, 1, 2].map(|b| blocks.members(b));
        assert_eq!(members[0], [0, 1, 2]);
        assert_eq!(members[1], [3, 4, 5, 6]);
        assert_eq!(members.concat(), (0..11).collect::<Vec<_>>());
        assert_eq!(blocks.names()[2], "inputs 7 to 10");
        assert_eq!(blocks.others(1), [0, 1, 2, 7, 8, 9, 10]);
        assert!(Blocks::stretches(2, 3).is_err());
        assert!(Blocks::stretches(9, 1).is_err());
    }

    #[test]
    fn labels_may_come_in_any_order() {
        let blocks = Blocks::named(["b", "a", "b"]).unwrap();
        assert_eq!(blocks.names(), ["b", "a"]);
        assert_eq!(blocks.group(&[10, 20, 30]), [vec![10, 30], vec![20]]);
        assert_eq!(blocks.pick(&[1, 2]).unwrap().names(), ["a", "b"]);
        assert!(!blocks.in_order());
        let stretches = Blocks::stretches(9, 3).unwrap();
        assert!(stretches.pick(&[1, 8]).unwrap().in_order());
        assert!(blocks.pick(&[0, 2]).is_err());
        assert_eq!(
            Blocks::named(["a", "a"]),
            Err(CalibrateError::TooFewBlocks {
                blocks: 1,
                needed: 2
            })
        );
    }
}
