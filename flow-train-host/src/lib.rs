//! Host side of flowgate: data, models, training, quantization and export.

#![forbid(unsafe_code)]

pub mod model;
