//! The bytes of an artifact's tensors as numbers.

use crate::Layer;
use flow_infer::plan::{Window, lanes};

/// The tensors section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tensors<'b>(pub(super) &'b [u8]);

impl Tensors<'_> {
    /// Record `index` of N words at `offset`.
    pub(super) fn words<const N: usize>(&self, offset: u32, index: usize) -> [f64; N] {
        let start = offset as usize + index * N * 4;
        std::array::from_fn(|k| {
            let at = start + 4 * k;
            let four = &self.0[at..at + 4];
            f64::from(i32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        })
    }

    /// A row of a whitening: a word with the fraction bits, then weights of 16 bits to whole words.
    pub(super) fn whitening_row(&self, offset: u32, row: usize, measured: usize) -> Vec<f64> {
        let start = offset as usize + row * (4 + (2 * measured).next_multiple_of(4));
        let [shift] = self.words((start) as u32, 0);
        let weights = self.0[start + 4..][..2 * measured].chunks_exact(2);
        weights
            .map(|two| f64::from(i16::from_le_bytes([two[0], two[1]])) * 2f64.powf(-shift))
            .collect()
    }

    /// Weights and biases of a convolution, out x in x height x width, or with `transposed` in x out x height x
    /// width; and the multipliers of its output channels.
    ///
    /// Stored are rows of height x width x input channels, input and output channels padded to whole lanes.
    pub(super) fn convolution(
        &self,
        (weights, records): (u32, u32),
        (out, input): (usize, usize),
        window: Window,
        transposed: bool,
    ) -> (Layer, Vec<f64>) {
        let (height, width) = (usize::from(window.height), usize::from(window.width));
        let (rows, columns) = if transposed {
            (input, out)
        } else {
            (out, input)
        };
        let mut values = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let (o, i) = if transposed {
                    (column, row)
                } else {
                    (row, column)
                };
                for position in 0..height * width {
                    let at = (o * height * width + position) * lanes(input) + i;
                    values.push(f64::from(self.0[weights as usize + at] as i8));
                }
            }
        }
        let output: Vec<[f64; 2]> = (0..out).map(|o| self.words(records, o)).collect();
        let layer = Layer {
            shape: vec![rows, columns, height, width],
            weights: values,
            bias: output.iter().map(|record| record[0]).collect(),
        };
        (layer, output.iter().map(|record| record[1]).collect())
    }
}
