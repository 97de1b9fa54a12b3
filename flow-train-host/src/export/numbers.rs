//! What number formats differ in: the bytes of every record, and the log_det of what they hold.

use super::ExportError;
use super::lower::LoweredLayer;
use flow_infer::plan::{Dequantization, NumberFormat};

/// Bytes of records, and the log_det of what they hold.
pub trait Numbers {
    /// The format's code.
    fn format(&self) -> NumberFormat;
    /// 256 entries of latent and log_det.
    fn image_table(&self, margin: f32, dequantization: Dequantization) -> Vec<u8>;
    /// Records of the standardization, and ln (dz/dx) of every measurement.
    fn standardization(
        &self,
        mean: &[f32],
        deviation: &[f32],
    ) -> Result<(Vec<u8>, Vec<f64>), ExportError>;
    /// A row of a whitening in whole words, and the numbers that are stored.
    fn whitening_row(&self, row: &[f32]) -> Result<(Vec<u8>, Vec<f64>), ExportError>;
    /// An interpolation table, where the format has them.
    fn table(&self, function: &dyn Fn(f64) -> f64) -> Option<Vec<u8>>;
    /// Records of an actnorm, and the sum of log_scale over channels.
    fn actnorm(
        &self,
        step: usize,
        shift: &[f32],
        log_scale: &[f32],
    ) -> Result<(Vec<u8>, f64), ExportError>;
    /// A matrix, and ln |det| of what is stored.
    fn linear(
        &self,
        step: usize,
        weights: &[f32],
        channels: usize,
    ) -> Result<(Vec<u8>, f64), ExportError>;
    /// Bounds of the scale map.
    fn bounds(&self, step: usize, bound: &[f32]) -> Result<Vec<u8>, ExportError>;
    /// What one of a ratio net's last activation, of this buffer, stands for.
    fn nats(&self, step: usize, last: u8) -> Result<Vec<u8>, ExportError>;
    /// Weights and records of a convolution whose channels are padded already.
    fn convolution(&self, at: At<'_>, padded: &Padded) -> Result<(Vec<u8>, Vec<u8>), ExportError>;
    /// Records of an input layer.
    fn input(&self, at: At<'_>) -> Result<Vec<u8>, ExportError>;
    /// Records of a map with gains.
    fn map(&self, at: At<'_>) -> Result<Vec<u8>, ExportError>;
    /// Records of a gate layer.
    fn gate(&self, at: At<'_>, gate: u8) -> Result<Vec<u8>, ExportError>;
}

/// A layer within its flow.
#[derive(Clone, Copy, Debug)]
pub struct At<'l> {
    /// Index of the step.
    pub step: usize,
    /// Index of the layer.
    pub index: usize,
    /// The layer.
    pub layer: &'l LoweredLayer,
}

/// Convolution weights with rows and input channels padded to whole lanes.
#[derive(Clone, Debug)]
pub struct Padded {
    /// Output channel x window x input channel.
    pub weights: Vec<f32>,
    /// One an output channel.
    pub bias: Vec<f32>,
    /// Weights of one output channel.
    pub fan_in: usize,
}

impl Padded {
    /// The weights of an output channel.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.weights[row * self.fan_in..(row + 1) * self.fan_in]
    }
}

/// Tensors one after the other, each at a multiple of 4: words can be read whole.
#[derive(Default)]
pub(super) struct Tensors(pub(super) Vec<u8>);

impl Tensors {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<u32, ExportError> {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        let offset = u32::try_from(self.0.len()).map_err(|_| ExportError::TooLarge("tensors"))?;
        self.0.extend_from_slice(bytes);
        Ok(offset)
    }
}
