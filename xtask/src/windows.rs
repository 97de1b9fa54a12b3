//! Windows of samples on every emulated board: the same bits as on the host, features, code length and faults.

use crate::bench::models::windows_flow;
use crate::boards::Board;
use crate::inputs::Inputs;
use crate::{CheckFailed, compare, comparison};
use anyhow::Result;
use flow_train_host::data::{Dataset, Vectors, WindowSet};
use flow_train_host::windows::{ChannelSpec, WindowSpec};
use std::fmt::{self, Display};
use std::sync::Arc;

/// Where the samples begin.
const SEED: u64 = 0x5EED_0016;
/// Windows of each model.
const WINDOWS: usize = 40;

/// What was compared.
pub(crate) struct Checked {
    windows: usize,
    models: usize,
}

impl Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { windows, models } = self;
        write!(f, "{windows} windows, {models} front ends")
    }
}

/// Runs models that differ in their windows on samples as sensors give them, and on ones that none in order gives.
///
/// # Errors
/// A model could not be made or run, or a bit differs.
pub(crate) fn check(boards: &[Board]) -> Result<Checked> {
    println!("seed of the samples: {SEED:#x}");
    compare::build(boards)?;
    let specs = specs()?;
    let mut windows = 0;
    for spec in &specs {
        let inputs = inputs(spec)?;
        windows += inputs.len();
        let model = windows_flow(spec)?.bytes;
        let comparisons = compare::compare_built(boards, &model, &inputs)?;
        comparison::verdict(&comparisons)
            .map_err(|error| CheckFailed(format!("{:?}: {error}", spec.features)))?;
    }
    Ok(Checked {
        windows,
        models: specs.len(),
    })
}

/// Every feature, segments that are equal and that are not, one channel and sixteen.
fn specs() -> Result<Vec<WindowSpec>> {
    let all: [(u16, usize, &[&str]); 4] = [
        (128, 3, &["means:8", "bands:4"]),
        (100, 1, &["means:7", "differences:3"]),
        (16, 16, &["raw"]),
        (512, 2, &["bands:1x4", "differences:8"]),
    ];
    let spec = |(length, channels, features): (u16, usize, &[&str])| {
        let features = features.iter().map(|text| text.parse());
        Ok(WindowSpec {
            rate_millihertz: 50_000,
            length,
            hop: length / 2,
            features: features
                .collect::<Result<_, _>>()
                .map_err(anyhow::Error::msg)?,
            channels: (0..channels).map(channel).collect(),
        })
    };
    all.into_iter().map(spec).collect()
}

fn channel(index: usize) -> ChannelSpec {
    ChannelSpec {
        name: index.to_string(),
        exponent: 0,
        offset: 0.0,
        may_be_constant: index % 2 == 1,
        step_bits: index as u8 % 5,
        low: -20_000,
        high: 20_000,
    }
}

/// Noise, walks, ends of the range, and channels that stand still.
fn inputs(spec: &WindowSpec) -> Result<Inputs> {
    let mut state = SEED;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005);
        state = state.wrapping_add(1_442_695_040_888_963_407);
        (state >> 48) as u16 as i16
    };
    let (length, channels) = (usize::from(spec.length), spec.channels.len());
    let mut samples = Vec::with_capacity(WINDOWS * length * channels);
    for window in 0..WINDOWS {
        let mut level = vec![0i16; channels];
        for _ in 0..length {
            for level in &mut level {
                *level = match window % 5 {
                    0 => next(),
                    1 => level.saturating_add(next() / 64),
                    2 => level.saturating_add(next() / 2048),
                    3 => next() / 4096,
                    _ => *level,
                };
                samples.push(*level);
            }
        }
    }
    let set = WindowSet::new(Arc::new(spec.clone()), samples)?;
    Ok(Inputs::of(&Dataset::Vectors(Vectors::of_windows(set))))
}
