//! Who takes turns.

use super::super::machine;
use crate::number;

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// This project's quantized engine.
    Ours,
    /// This project's engine with the float model, as `score` and `eval` run it before it is
    /// exported.
    OursFloat,
    /// PyTorch, operation by operation.
    Eager,
    /// ONNX Runtime with 32-bit floats.
    Onnx,
    /// ONNX Runtime with 8-bit integers.
    OnnxInt8,
}

impl Engine {
    /// Everybody but us.
    pub(super) const OTHERS: [Self; 3] = [Self::Eager, Self::Onnx, Self::OnnxInt8];
    /// Us.
    pub(super) const OURS: [Self; 2] = [Self::Ours, Self::OursFloat];

    /// The side's name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "flowgate",
            Self::OursFloat => "flowgate f32",
            Self::Eager => "PyTorch eager",
            Self::Onnx => "ONNX Runtime",
            Self::OnnxInt8 => "ONNX Runtime int8",
        }
    }

    /// What its process is told.
    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Ours => &[],
            Self::OursFloat => &["--float"],
            Self::Eager => &["--engine", "eager"],
            Self::Onnx => &["--engine", "onnx"],
            Self::OnnxInt8 => &["--engine", "onnx-int8"],
        }
    }

    /// How many single images take about a third of a second, so that one disturbance does not make
    /// a turn's median.
    pub(super) fn images(self) -> usize {
        match self {
            Self::Ours => 400,
            Self::Eager => 50,
            Self::OursFloat | Self::Onnx | Self::OnnxInt8 => 250,
        }
    }

    /// How many batches.
    pub(super) fn batches(self) -> usize {
        match self {
            Self::Ours => 11,
            Self::Eager => 3,
            Self::OursFloat | Self::Onnx | Self::OnnxInt8 => 7,
        }
    }
}

/// An engine with a number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) engine: Engine,
    pub(super) threads: usize,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let threads = number::count(self.threads, "thread");
        write!(f, "{}, {threads}", self.engine.name())
    }
}

/// The sides of an engine: one thread, and as many as there are cores.
pub(super) fn of(engine: Engine) -> impl Iterator<Item = Side> {
    let all = Some(machine::cores()).filter(|&cores| cores > 1);
    let threads = [1].into_iter().chain(all);
    threads.map(move |threads| Side { engine, threads })
}
