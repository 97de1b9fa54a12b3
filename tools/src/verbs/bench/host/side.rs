//! Who takes turns.

use super::super::machine;
use crate::number;

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// This project's quantized engine.
    Ours,
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

    /// Its name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "flowgate",
            Self::Eager => "PyTorch eager",
            Self::Onnx => "ONNX Runtime",
            Self::OnnxInt8 => "ONNX Runtime int8",
        }
    }

    /// As the script is told it.
    pub(super) fn option(self) -> &'static str {
        match self {
            Self::Ours => "none",
            Self::Eager => "eager",
            Self::Onnx => "onnx",
            Self::OnnxInt8 => "onnx-int8",
        }
    }

    /// How many single images take about a third of a second, so that one disturbance does not make a turn's median.
    pub(super) fn images(self) -> usize {
        match self {
            Self::Ours => 400,
            Self::Eager => 50,
            Self::Onnx | Self::OnnxInt8 => 250,
        }
    }

    /// How many batches.
    pub(super) fn batches(self) -> usize {
        match self {
            Self::Ours => 11,
            Self::Eager => 3,
            Self::Onnx | Self::OnnxInt8 => 7,
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
