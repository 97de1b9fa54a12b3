//! How large activations get: the float engine runs the calibration data and is watched.

use super::ExportError;
use super::engine::FloatEngine;
use super::lower::{LoweredFlow, LoweredStep};
use crate::data::Dataset;
use flow_infer::artifact::Artifact;
use flow_infer::engine::{F32, Noise, Observer, ScratchMut, evaluate};
use rayon::prelude::*;

/// Largest magnitude in every buffer of every step, on the calibration data.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges(pub Vec<Vec<f32>>);

impl Ranges {
    fn empty(flow: &LoweredFlow) -> Self {
        let networks = flow.steps.iter().map(LoweredStep::network);
        Self(
            networks
                .map(|n| vec![0.0; n.map_or(0, |n| n.buffers.len())])
                .collect(),
        )
    }

    fn join(mut self, other: &Self) -> Self {
        let steps = self.0.iter_mut().zip(&other.0);
        for (mine, theirs) in steps.flat_map(|(a, b)| a.iter_mut().zip(b)) {
            *mine = mine.max(*theirs);
        }
        self
    }
}

struct Watch<'w> {
    flow: &'w LoweredFlow,
    ranges: Ranges,
}

impl Observer<F32> for Watch<'_> {
    fn row(&mut self, step: usize, layer: usize, _: usize, row: &[f32]) {
        let Some(coupling) = self.flow.steps[step].network() else {
            return;
        };
        let Some(target) = coupling.layers[layer].target else {
            return;
        };
        let most = &mut self.ranges.0[step][usize::from(target)];
        *most = row.iter().fold(*most, |m, a| m.max(a.abs()));
    }
}

/// Runs the data through the float engine.
pub fn measure(flow: &LoweredFlow, data: &Dataset) -> Result<Ranges, ExportError> {
    let engine = FloatEngine::new(flow)?;
    let artifact = engine.artifact()?;
    check_data(&artifact, data)?;
    let need = artifact.scratch_need();
    let chunk = data.len().div_ceil(4 * rayon::current_num_threads()).max(1);
    let starts: Vec<usize> = (0..data.len()).step_by(chunk).collect();
    let parts = starts.into_par_iter().map(|start| {
        let mut latents = vec![0.0; need.latents as usize];
        let mut activations = vec![0.0; need.activations as usize];
        let mut watch = Watch {
            flow,
            ranges: Ranges::empty(flow),
        };
        for index in start..(start + chunk).min(data.len()) {
            let scratch = ScratchMut::<F32> {
                latents: &mut latents,
                activations: &mut activations,
            };
            let input = data.flow_bytes(index);
            let result = evaluate(&artifact, &input, Noise::Planned, scratch, &mut watch);
            if !result.is_ok_and(|e| !e.saturated) {
                return Err(ExportError::CalibrationValues);
            }
        }
        Ok(watch.ranges)
    });
    let parts: Result<Vec<_>, _> = parts.collect();
    Ok(parts?
        .iter()
        .fold(Ranges::empty(flow), |all, part| all.join(part)))
}

/// The data's inputs have the size that the model reads.
pub fn check_data(artifact: &Artifact<'_>, data: &Dataset) -> Result<(), ExportError> {
    if data.is_empty() {
        return Err(ExportError::NoCalibrationData);
    }
    let wanted = artifact.input().byte_len();
    let found = data.flow_bytes(0).len();
    if wanted == found {
        Ok(())
    } else {
        Err(ExportError::CalibrationSize { wanted, found })
    }
}
