//! What is said of recordings.

use super::columns::ColumnChoice;
use crate::windows::{FeatureName, WindowSpec};
use std::sync::Arc;

/// How recordings are read and cut.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingOptions {
    /// Columns that are channels, in this order; all but the clock's where nothing is said, or those of the model.
    pub channels: ColumnChoice,
    /// Column of the clock; found by its name where nothing is said.
    pub time: Option<String>,
    /// Samples a second.
    pub rate_hertz: Option<f64>,
    /// The windows.
    pub windows: WindowChoice,
    /// What becomes of windows that are no input.
    pub faulty: Faulty,
}

/// Which windows are cut.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowChoice {
    /// Those of a model.
    Known(Arc<WindowSpec>),
    /// Of these sizes, the rest to be learned from the recordings.
    Learned(LearnedWindows),
}

/// Windows as they are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedWindows {
    /// Samples of a window.
    pub length: u16,
    /// Samples from one window to the next; half a window where nothing is said.
    pub hop: Option<u16>,
    /// What is measured; chosen by the length where nothing is said.
    pub features: Vec<FeatureName>,
    /// The ends of what the sensor can say, in the unit of the recordings.
    pub range: Option<[f64; 2]>,
}

/// What becomes of windows with a channel that is stuck or saturated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Faulty {
    /// They are kept: a gate says that they are invalid.
    #[default]
    Keep,
    /// They are left out and counted: nothing is learned from them.
    LeaveOut,
}

impl RecordingOptions {
    /// Recordings for a model.
    pub fn of_model(spec: WindowSpec) -> Self {
        Self {
            channels: ColumnChoice::default(),
            time: None,
            rate_hertz: None,
            windows: WindowChoice::Known(Arc::new(spec)),
            faulty: Faulty::Keep,
        }
    }

    /// The channels that are read: those that are named, or the model's.
    pub(in crate::data) fn wanted_channels(&self) -> ColumnChoice {
        match &self.windows {
            WindowChoice::Known(spec) if self.channels.is_all() => {
                ColumnChoice(spec.channels.iter().map(|c| c.name.clone()).collect())
            }
            _ => self.channels.clone(),
        }
    }
}
