//! From a float model to a `.flow` file: lower, quantize, find places, write.

pub mod engine;
pub mod file;
pub mod float;
pub mod gptq;
mod input;
pub mod lower;
pub mod numbers;
pub mod pack;
pub mod pixels;
pub mod provenance;
pub mod quantize;
pub mod ranges;
pub mod rings;
pub mod statistics;
pub mod volume;

use crate::data::Dataset;
use crate::model::tensors::{TensorSpec, tensor_list};
use crate::model::{Model, Tensor};
use crate::windows::WindowSpecError;
use flow_infer::artifact::LoadError;
use flow_infer::plan::PlanError;
use flow_infer::spec::FlowSpec;
use gptq::Gptq;
pub use lower::Source;

/// Why a model cannot become a `.flow` file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Nothing to calibrate on.
    #[error("there is no data to calibrate on")]
    NoCalibrationData,
    /// Calibration data of another size than the model reads.
    #[error("the calibration data has {found} values an input, the model reads {wanted}")]
    CalibrationSize {
        /// Bytes (images) or values (vectors) that an input of the model has.
        wanted: usize,
        /// What the data has.
        found: usize,
    },
    /// Calibration data with NaN or infinite values, or values that the float model cannot follow.
    #[error("the model gives no finite numbers on the calibration data")]
    CalibrationValues,
    /// A step's numbers do not fit the integer format: which, and what.
    #[error("step {step}: {what} does not fit the integer format")]
    Range {
        /// Index of the step in the plan.
        step: usize,
        /// What does not fit.
        what: &'static str,
    },
    /// More layers, channels or bytes than the format holds.
    #[error("the model is too large for the format: {0}")]
    TooLarge(&'static str),
    /// An invertible_linear whose matrix is singular.
    #[error("step {step}: the matrix is singular")]
    Singular {
        /// Index of the step in the plan.
        step: usize,
    },
    /// The written file does not load: a defect of the exporter, caught before anything is stored.
    #[error("the exported file would not load: {0}")]
    Rejected(LoadError),
    /// Windows that no file can hold.
    #[error("{0}")]
    Windows(#[from] WindowSpecError),
}

impl From<PlanError> for ExportError {
    fn from(error: PlanError) -> Self {
        Self::Rejected(LoadError::Plan(error))
    }
}

/// Most calibration inputs whose windows are sampled for the rounding; the ranges come from all of
/// them.
const ROUNDING_INPUTS: usize = 256;

/// How many inputs of a calibration set are sampled for the rounding.
pub fn rounding_inputs(calibration: &Dataset) -> usize {
    calibration.len().min(ROUNDING_INPUTS)
}

/// A model as integers: activations scaled by their ranges on the calibration data, weights rounded
/// with compensation. `finished` is called after each input sampled for the rounding.
pub fn quantized<'m>(
    source: impl Into<Source<'m>>,
    calibration: &Dataset,
    finished: &dyn Fn(),
) -> Result<file::FlowFile, ExportError> {
    let source = source.into();
    let flow = lower::lower(source);
    let ranges = ranges::measure(&flow, calibration)?;
    let sampled = calibration.take(0..rounding_inputs(calibration));
    let statistics = statistics::collect(&flow, &sampled, finished)?;
    let rounding = Gptq::new(&statistics, &layers_of_steps(&flow));
    let numbers = quantize::QuantizedNumbers::new(&flow, &ranges, rounding);
    finish(source.model, pack::pack(&flow, &numbers)?)
}

/// A model as integers whose rounding nobody cares for: what it takes on a board, before it is trained.
///
/// # Errors
/// As [`quantized`].
pub fn planned<'m>(
    source: impl Into<Source<'m>>,
    inputs: &Dataset,
) -> Result<file::FlowFile, ExportError> {
    let source = source.into();
    let flow = lower::lower(source);
    let ranges = ranges::measure(&flow, inputs)?;
    let numbers = quantize::QuantizedNumbers::new(&flow, &ranges, quantize::Nearest);
    finish(source.model, pack::pack(&flow, &numbers)?)
}

/// A model as floats, the weights with 16 bits if `half`.
pub fn floating<'m>(
    source: impl Into<Source<'m>>,
    half: bool,
) -> Result<file::FlowFile, ExportError> {
    let source = source.into();
    let flow = lower::lower(source);
    finish(
        source.model,
        pack::pack(&flow, &float::FloatNumbers { half })?,
    )
}

/// Whether the format holds the layers of every conditioner of this flow: what can be said before
/// there are weights.
///
/// # Errors
/// [`ExportError::TooLarge`] if it does not.
pub fn check_layers(spec: &FlowSpec) -> Result<(), ExportError> {
    let zeros = tensor_list(spec)
        .into_iter()
        .map(|TensorSpec { name, shape }| {
            let values = vec![0.0; shape.iter().product()];
            (name, Tensor { shape, values })
        });
    let Ok(model) = Model::new(spec.clone(), zeros.collect()) else {
        // Whoever makes a model of it is told why.
        return Ok(());
    };
    let flow = lower::lower(&model);
    let networks = flow.steps.iter().filter_map(lower::LoweredStep::network);
    networks
        .map(pack::skeleton)
        .try_for_each(|plan| plan.map(drop))
}

fn finish(model: &Model, packed: pack::Packed) -> Result<file::FlowFile, ExportError> {
    let mut file = file::FlowFile::new(packed);
    file.set_spec(model.spec());
    if let Some(front_end) = model.front_end() {
        file.carry(front_end)?;
    }
    file.to_bytes().map(|_| file)
}

fn layers_of_steps(flow: &lower::LoweredFlow) -> Vec<usize> {
    let networks = flow.steps.iter().map(lower::LoweredStep::network);
    networks.map(|n| n.map_or(0, |n| n.layers.len())).collect()
}
