//! Scores inputs with this crate alone: what an edge program does frame after frame.
//!
//! ```text
//! cargo run --release --example score --features std -- MODEL.flow INPUTS.bin [KERNEL]
//! ```
//!
//! INPUTS.bin holds inputs as the model reads them, one after another: an image's bytes, a vector's floats in little
//! endian. Each line of output is log_prob_raw, code_length_raw, squares_raw, ratio_raw, marginals, score_raw, the p-value
//! in parts per million, the decision, whether a latent left its range, the image's exposure (sum, greatest and least byte) and the
//! combined score (the score, the code of the smallest test, the bits of all and each one's logarithm), `-` where there
//! is none: the integers of `flowgate score --json`, on any machine. KERNEL chooses one of the processor's; the best computes otherwise.

use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Fixed, Noise, ScratchMut};
use flow_infer::kernels::choice;
use flow_infer::score::complexity::Coder;
use std::error::Error;
use std::fmt::Display;
use std::io::{BufWriter, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(model), Some(inputs)) = (arguments.next(), arguments.next()) else {
        return Err("usage: score MODEL.flow INPUTS.bin [KERNEL]".into());
    };
    if let Some(kernel) = arguments.next()
        && !choice::choose(&kernel)
    {
        let there: Vec<_> = choice::names().collect();
        return Err(format!(
            "no kernel {kernel}: this processor has {}",
            there.join(", ")
        )
        .into());
    }
    let (model, inputs) = (read(&model)?, read(&inputs)?);
    let artifact = Artifact::load(&model)?;
    let need = artifact.scratch_need();
    let mut latents = vec![0; need.latents as usize];
    let mut activations = vec![0; need.activations as usize];
    let scratch = ScratchMut::<Fixed> {
        latents: &mut latents,
        activations: &mut activations,
    };
    let mut coder = Coder::new();
    let mut detector = Detector::new(&artifact, scratch, &mut coder);
    detector.self_test()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for input in inputs.chunks(artifact.input_len()) {
        let scores = detector.scores(input, Noise::Planned)?;
        let gate = artifact.calibration();
        writeln!(
            out,
            "{} {} {} {} {} {} {} {} {} {} {}",
            scores.log_prob_raw,
            or_dash(scores.code_length_raw),
            scores.squares_raw,
            or_dash(scores.ratio_raw),
            or_dash(scores.marginals),
            or_dash(gate.and_then(|gate| gate.score_raw(&scores))),
            or_dash(artifact.p_value_ppm(&scores)),
            or_dash(gate.map(|gate| format!("{:?}", gate.decide(&scores)).to_lowercase())),
            or_dash(scores.saturated.then_some("saturated")),
            or_dash(
                scores
                    .exposure
                    .map(|e| format!("{},{},{}", e.sum, e.greatest, e.least))
            ),
            or_dash(scores.combined.map(|c| {
                let tails = c.log_tails.map(|tail| tail.to_string()).join(",");
                format!("{},{},{},{tails}", c.score_raw, c.smallest.code(), c.tests)
            })),
        )?;
    }
    Ok(out.flush()?)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path}: {error}"))
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}
