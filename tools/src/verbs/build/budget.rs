//! What a decision may take, as arguments.

use crate::instructions::{self, Estimate};
use crate::number;

/// Multiplies of a decision where neither they nor a time are given.
const MULTIPLIES: u64 = 8_000_000;

/// What a decision may take.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Budget {
    /// Most bytes of flash that the model may take
    #[arg(long, value_name = "BYTES", value_parser = number::size, default_value = "256K")]
    pub(super) flash: u64,
    /// Most bytes of RAM: scratch, input, and sums of the front end
    #[arg(long, value_name = "BYTES", value_parser = number::size, default_value = "64K")]
    pub(super) ram: u64,
    /// Most multiplies of a decision; 8M where no time is given either
    #[arg(long, value_name = "N", value_parser = number::amount)]
    multiplies: Option<u64>,
    /// Most milliseconds of a decision on a core at a clock, one instruction a cycle, as 100 m4@64; cores are
    /// m0, m3, m4, m7, m55, riscv, aarch64-sdot and aarch64-neon
    #[arg(long, num_args = 2, value_names = ["MS", "CORE@MHz"])]
    ms: Option<Vec<String>>,
}

/// A time on a core.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Time {
    pub(super) milliseconds: f64,
    pub(super) board: String,
    pub(super) megahertz: f64,
}

impl Budget {
    /// Most multiplies, if they are bounded.
    pub(super) fn multiplies(&self) -> Option<u64> {
        match (self.multiplies, &self.ms) {
            (None, None) => Some(MULTIPLIES),
            (most, _) => most,
        }
    }

    /// Most time, if that is bounded.
    ///
    /// # Errors
    /// What is wrong with the argument.
    pub(super) fn time(&self) -> Result<Option<Time>, String> {
        let Some([milliseconds, core]) = self.ms.as_deref() else {
            return Ok(None);
        };
        time(milliseconds, core).map(Some)
    }
}

fn time(milliseconds: &str, core: &str) -> Result<Time, String> {
    let positive = |text: &str| {
        text.parse()
            .ok()
            .filter(|n: &f64| n.is_finite() && *n > 0.0)
    };
    let parts = core
        .split_once('@')
        .map(|(board, clock)| (board, positive(clock)));
    let (Some(milliseconds), Some((board, Some(megahertz)))) = (positive(milliseconds), parts)
    else {
        return Err(format!(
            "--ms {milliseconds} {core}: expected milliseconds and CORE@MHz, as 100 m4@64"
        ));
    };
    let boards = instructions::boards();
    match boards.contains(&board.to_owned()) {
        true => Ok(Time {
            milliseconds,
            board: board.to_owned(),
            megahertz,
        }),
        false => Err(format!(
            "--ms: there is no core {board}; there are {}",
            boards.join(", ")
        )),
    }
}

impl Time {
    /// Milliseconds that a model is expected to take.
    pub(super) fn of(&self, estimates: &[Estimate]) -> f64 {
        let on_board = estimates.iter().find(|e| e.board == self.board);
        let instructions = on_board.map_or(0, |e| e.instructions);
        instructions as f64 / (self.megahertz * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_core_and_a_clock() {
        let m4 = time("100", "m4@64").unwrap();
        assert_eq!((m4.milliseconds, m4.megahertz), (100.0, 64.0));
        let estimate = Estimate {
            board: "m4".to_owned(),
            core: "Cortex-M4",
            instructions: 6_400_000,
            example: "",
            clock_mhz: 1,
            milliseconds: 0.0,
        };
        assert_eq!(m4.of(&[estimate]), 100.0);
        for (ms, core) in [
            ("0", "m4@64"),
            ("x", "m4@64"),
            ("1", "m4"),
            ("1", "m4@-1"),
            ("1", "z80@4"),
        ] {
            assert!(time(ms, core).is_err(), "{ms} {core}");
        }
    }
}
