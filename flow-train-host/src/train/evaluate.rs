//! log_prob of many items on all cores, in f32 as the trainer computes it.

use super::error::TrainError;
use super::input::{Dequantization, DequantizationNoise};
use super::network::Network;
use super::workers::{Batch, Workers, pool};
use crate::data::Dataset;
use crate::model::Model;
use crate::nn::Weights;
use crate::nn::kernels::Cpu;
use flow_infer::spec::{FlowSpec, InputSpec};

/// Most samples that are computed together: a few tiles of the kernels.
const TOGETHER: usize = 64;

/// log_prob_nats of every item; `threads` 0 uses all cores.
///
/// # Errors
/// [`TrainError::Data`] when the data are not what the flow reads, or given noise has another
/// length; [`TrainError::Untrainable`] for flows that only the engine can run.
pub fn log_prob(
    model: &Model,
    data: &Dataset,
    dequantization: Dequantization<'_>,
    threads: usize,
) -> Result<Vec<f64>, TrainError> {
    check_data(model.spec(), data)?;
    let wanted = data.len() * data.dims();
    if let Dequantization::Given(noise) = dequantization
        && noise.len() != wanted
    {
        let found = format!("{} numbers", noise.len());
        return Err(TrainError::Data(
            format!("noise of {wanted} numbers"),
            found,
        ));
    }
    let network = Network::new(model.spec(), data.len().min(TOGETHER), Cpu::best())?;
    let weights = Weights {
        numbers: network.parameters(model),
        backward: Vec::new(),
    };
    let pool = pool(threads)?;
    let workers = Workers::new(&network, &pool);
    let items: Vec<usize> = (0..data.len()).collect();
    Ok(workers.log_prob(
        &weights,
        Batch {
            data,
            items: &items,
            pixel_noise: DequantizationNoise::Evaluation(dequantization),
            weight: 1.0,
        },
    ))
}

/// Whether these data are what the flow reads.
pub(super) fn check_data(spec: &FlowSpec, data: &Dataset) -> Result<(), TrainError> {
    let shape = spec.input.shape();
    let wanted = [shape.channels, shape.height, shape.width].map(usize::from);
    let found = data.shape();
    let fits = match (&spec.input, data) {
        (InputSpec::Image { .. }, Dataset::Images(_)) => found == wanted,
        (InputSpec::Vector { .. } | InputSpec::Whitened { .. }, Dataset::Vectors(_)) => {
            found[0] == spec.input.measured()
        }
        _ => false,
    };
    let of_images = |s: [usize; 3]| format!("images of {}x{}x{}", s[0], s[1], s[2]);
    let of_vectors = |s: [usize; 3]| format!("vectors of {} values", s[0]);
    let wanted = match spec.input {
        InputSpec::Image { .. } => of_images(wanted),
        InputSpec::Vector { .. } | InputSpec::Whitened { .. } => {
            of_vectors([spec.input.measured(), 1, 1])
        }
    };
    let found = match data {
        Dataset::Images(_) => of_images(found),
        Dataset::Vectors(_) => of_vectors(found),
    };
    match fits {
        true => Ok(()),
        false => Err(TrainError::Data(wanted, found)),
    }
}
