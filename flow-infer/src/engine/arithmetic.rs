//! What a number system must be able to do.

use super::Evaluation;
use crate::kernels::{Coordinates, Kept, Row, Tile};
use crate::plan::{Activation, LANES, NumberFormat, PlannedScale};
use crate::spec::AffineForm;

/// A number system in which the engine evaluates flows. Records are the bytes of `documents/format.md`.
pub trait Arithmetic: Sized {
    /// The format of the artifacts it runs.
    const FORMAT: NumberFormat;
    /// Number of the latent buffer.
    type Latent: Copy + Default + core::fmt::Debug;
    /// Number of the activation rings.
    type Activation: Copy + Default + core::fmt::Debug;
    /// Sum of products.
    type Accumulator: Copy + Default;
    /// Running sum of log_det, and whether a latent left its range.
    type LogDet: Default + core::fmt::Debug;
    /// What a kernel keeps of a coupling's weights from row to row.
    type PackedWeights: Default;
    /// Zero, for buffers in statics.
    const ZERO_LATENT: Self::Latent;
    /// Zero, for buffers in statics.
    const ZERO_ACTIVATION: Self::Activation;

    /// Where a channel's activation lies within its pixel, of which every four are in an order of their own; which one
    /// lies there is the same number.
    #[inline(always)]
    fn place_of(channel: usize) -> usize {
        channel
    }

    /// Activations of four channels as they lie in memory, or back.
    #[inline(always)]
    fn placed(activations: [Self::Activation; LANES]) -> [Self::Activation; LANES] {
        activations
    }

    /// Four output channels of one pixel: adds the products of the tile's window with its weights to `sums`.
    fn single(tile: &Tile<'_, Self::Activation>, sums: &mut [Self::Accumulator; LANES]);
    /// Four output channels of the tile's two pixels.
    fn pair(tile: &Tile<'_, Self::Activation>, sums: &mut [[Self::Accumulator; LANES]; 2]);

    /// Computes a whole row of a convolution, if there is a kernel for that: the same as [`pair`](Self::pair) or
    /// [`single`](Self::single) and then [`activations`](Self::activations) of each block and column.
    #[inline(always)]
    fn row(_: &mut Row<'_, Self::Activation>, _: &mut Self::PackedWeights) -> bool {
        false
    }

    /// Whether rows of every kind should be offered to [`row`](Self::row) and [`sums`](Self::sums), even such as need
    /// some kilobytes of stack to become one.
    const WHOLE_ROWS: bool = false;

    /// The sums of a whole row, pixel by pixel, with biases and not scaled, if there is a kernel for that.
    #[inline(always)]
    fn sums(
        _: &mut Row<'_, Self::Activation>,
        _: &mut Self::PackedWeights,
        _: &mut [Self::Accumulator],
    ) -> bool {
        false
    }

    /// The biases of four output channels.
    fn biases(records: &[u8]) -> [Self::Accumulator; LANES];
    /// Sums of four channels as the next layer's activations: scaled, activated, residual added.
    fn activations(
        sums: &[Self::Accumulator; LANES],
        records: &[u8],
        activation: Activation,
        residual: Option<&[Self::Activation; LANES]>,
    ) -> [Self::Activation; LANES];
    /// A ratio net's last activation in units of 2^-24 nats, of which `unit` says what one stands for.
    fn nats(activation: Self::Activation, unit: &[u8]) -> i64;
    /// A sum as raw_scale or shift.
    fn output(sum: Self::Accumulator, record: &[u8]) -> Self::Latent;
    /// Rewrites coordinates as [`output`](Self::output) and [`couple`](Self::couple) do, or the first ones of them, if there
    /// is a kernel for that; says how many.
    #[inline(always)]
    fn couple_row(
        _: &mut Coordinates<'_, Self::Latent, Self::Accumulator>,
        _: [&[u8]; 2],
        _: &ScaleAt<'_>,
        _: &mut Self::LogDet,
    ) -> usize {
        0
    }
    /// A kept coordinate (or a masked one: zero) as the conditioner reads it, and its negative.
    fn input(
        latent: Self::Latent,
        record: &[u8],
        activation: Activation,
    ) -> (Self::Activation, Self::Activation);
    /// Reads coordinates as [`input`](Self::input) does and says that it has, if there is a kernel for that.
    #[inline(always)]
    fn input_row(
        _: &mut Kept<'_, Self::Latent, Self::Activation>,
        _: &[u8],
        _: Activation,
    ) -> bool {
        false
    }
    /// gain a + offset, then the activation; no record: only the activation.
    fn map(a: Self::Activation, record: Option<&[u8]>, activation: Activation) -> Self::Activation;
    /// max(a, 0) of each activation.
    fn relu(source: &[Self::Activation], target: &mut [Self::Activation]) {
        for (target, &a) in target.iter_mut().zip(source) {
            *target = Self::map(a, None, Activation::Relu);
        }
    }
    /// hidden sigmoid(gate) + carry (1 - sigmoid(gate)).
    fn gate(
        hidden: Self::Activation,
        gate: Self::Activation,
        carry: Self::Activation,
        record: &[u8],
        sigmoid_table: &[u8],
    ) -> Self::Activation;

    /// The first latent of a byte with the midpoint as noise.
    fn pixel(byte: u8, table: &[u8], log_det: &mut Self::LogDet) -> Self::Latent;
    /// The first latent of a byte with a draw of [`dither`](super::dither()) as noise.
    fn pixel_drawn(
        byte: u8,
        draw: u16,
        table: &[u8],
        margin: f32,
        log_det: &mut Self::LogDet,
    ) -> Self::Latent;
    /// Whether it computes with given noise.
    const TAKES_NOISE: bool;
    /// The first latent of a byte with given noise in [0, 1), if it [takes any](Self::TAKES_NOISE).
    fn pixel_with_noise(
        byte: u8,
        noise: f32,
        margin: f32,
        log_det: &mut Self::LogDet,
    ) -> Self::Latent;
    /// The first latent of a measurement.
    fn measurement(value: f32, record: &[u8], log_det: &mut Self::LogDet) -> Self::Latent;
    /// Sum of products of standardized measurements with a row of a whitening.
    fn whiten(inputs: &[Self::Latent], row: &[u8], log_det: &mut Self::LogDet) -> Self::Latent;
    /// (x + shift) scale.
    fn actnorm(x: Self::Latent, record: &[u8], log_det: &mut Self::LogDet) -> Self::Latent;
    /// Sum of products of one pixel's channels with a row of weights.
    fn linear(inputs: &[Self::Latent], row: &[u8], log_det: &mut Self::LogDet) -> Self::Latent;
    /// The changed coordinate, its log_scale added to log_det.
    fn couple(
        x: Self::Latent,
        raw_scale: Self::Latent,
        shift: Self::Latent,
        map: &ScaleAt<'_>,
        log_det: &mut Self::LogDet,
    ) -> Self::Latent;
    /// log_prob: prior of the latents, collected log_det, and the constant.
    fn finish(log_det: &Self::LogDet, latents: &[Self::Latent], constant_raw: i64) -> Evaluation;
    /// Sum of log2(1 + z^2) of standardized values with 16 fraction bits, held within 32: but for a constant, -log2 of their
    /// density, each by itself and with the tails of Cauchy's law. However far a value is off, it counts by its logarithm.
    fn marginals(latents: &[Self::Latent]) -> u32;
    /// A latent in natural units, for observers.
    fn latent_value(latent: Self::Latent) -> f64;
    /// An activation as stored: an integer for `Fixed`.
    fn activation_value(activation: Self::Activation) -> f64;
}

/// The scale map of a coupling at one channel.
#[derive(Clone, Copy, Debug)]
pub struct ScaleAt<'t> {
    /// The function.
    pub scale: PlannedScale,
    /// Its table.
    pub table: &'t [u8],
    /// The channel's bound record.
    pub bound: &'t [u8],
    /// Order of shift and scale.
    pub affine: AffineForm,
}
