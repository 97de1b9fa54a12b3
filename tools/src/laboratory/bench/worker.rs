//! One side of a comparison: a process that takes steps when told to, so that sides can take turns.
//!
//! It is told `step N`, `eval N` or `gradient`, as is `tools/bench/train_torch.py`. A process a side, because memory can only be told
//! apart between processes.

use super::files;
use super::protocol::{Ask, GRADIENT, Greeting, Turn, answer, peak_kib};
use crate::output::Output;
use anyhow::{Result, bail};
use flow_train_host::model::store::write_tensors;
use flow_train_host::train::Instructions;
use flow_train_host::train::bench::{self, Given, Trainer};
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

/// Serves commands until standard input ends.
pub(super) fn serve(
    directory: &Path,
    threads: usize,
    instructions: Instructions,
    out: &mut Output,
) -> Result<()> {
    let written = files::read(directory)?;
    let given = Given {
        config: &written.config,
        model: written.model,
        data: &written.data,
        noise: &written.noise,
        threads,
        instructions,
    };
    let served = bench::with_trainer(given, |trainer| {
        let (library, threads) = (String::new(), trainer.threads());
        answer(out, &Greeting { library, threads })?;
        for line in std::io::stdin().lock().lines() {
            let turn = match Ask::parse(&line?)? {
                Ask::Gradient => leave_gradient(trainer, directory)?,
                ask => turn(trainer, ask)?,
            };
            answer(out, &turn)?;
        }
        Ok(())
    });
    served?
}

fn leave_gradient(trainer: &mut Trainer<'_>, directory: &Path) -> Result<Turn> {
    write_tensors(&directory.join(GRADIENT), &trainer.gradient())?;
    Ok(Turn::default())
}

fn turn(trainer: &mut Trainer<'_>, ask: Ask) -> Result<Turn> {
    let mut turn = Turn::default();
    let count = match ask {
        Ask::Step(count) | Ask::Eval(count) => count,
        other => bail!("`{other}` is nothing to tell a trainer"),
    };
    for _ in 0..count {
        let start = Instant::now();
        let loss = match ask {
            Ask::Step(_) => trainer.step(),
            _ => {
                let all = trainer.log_prob();
                -all.iter().sum::<f64>() / all.len() as f64
            }
        };
        turn.ms.push(1e3 * start.elapsed().as_secs_f64());
        turn.loss_nats.push(loss);
    }
    turn.peak_kib = peak_kib().unwrap_or(0);
    Ok(turn)
}
