//! Which real number stands for a byte of an image, as arguments.

use flow_infer::plan::Dequantization;
use std::num::NonZero;

/// Dequantization by draws of a seeded generator instead of the midpoint.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(crate) struct Draws {
    /// Average log_prob over K draws of dequantization noise, instead of the midpoint: what a flow trained on noise
    /// knows best; each draw costs an evaluation
    #[arg(long, value_name = "K")]
    draws: Option<NonZero<u8>>,
    /// Seed of the draws
    #[arg(long, value_name = "S", default_value_t = 0, requires = "draws")]
    noise_seed: u32,
}

impl Draws {
    /// The choice.
    pub(crate) fn dequantization(self) -> Dequantization {
        match self.draws {
            None => Dequantization::Midpoint,
            Some(draws) => Dequantization::Drawn {
                draws: draws.get(),
                seed: self.noise_seed,
            },
        }
    }
}

/// In words.
pub(crate) fn describe(dequantization: Dequantization) -> String {
    match dequantization {
        Dequantization::Midpoint => "midpoint".to_owned(),
        Dequantization::Drawn { draws: 1, seed } => format!("1 draw, seed {seed}"),
        Dequantization::Drawn { draws, seed } => format!("{draws} draws, seed {seed}"),
    }
}
