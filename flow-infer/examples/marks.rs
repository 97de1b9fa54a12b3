//! The engine under a counter of instructions: one evaluation after another, between marks.
//!
//! ```text
//! marks MODEL.flow INPUTS.bin KERNEL
//! ```
//!
//! What `firmware/emulated` does on boards, for a host's kernels: `cargo xtask bench device` runs it. Standard output gets
//! the log_probs in their raw bytes.
#![allow(unsafe_code)] // the name of the mark

use flow_infer::artifact::Artifact;
use flow_infer::engine::{Fixed, Noise, ScratchMut, evaluate};
use flow_infer::kernels::choice;
use std::error::Error;
use std::io::Write;

/// What the counter outside looks for: it notes the instructions executed so far at every call.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn count_mark() {
    std::hint::black_box(());
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, inputs, kernel] = arguments.as_slice() else {
        return Err("usage: marks MODEL.flow INPUTS.bin KERNEL".into());
    };
    if !choice::choose(kernel) {
        return Err(format!("no kernel {kernel}").into());
    }
    let (model, inputs) = (std::fs::read(model)?, std::fs::read(inputs)?);
    let artifact = Artifact::load(&model)?;
    let need = artifact.scratch_need();
    let mut latents = vec![0; need.latents as usize];
    let mut activations = vec![0; need.activations as usize];
    let mut out = std::io::stdout().lock();
    for input in inputs.chunks(artifact.input_len()) {
        let scratch = ScratchMut::<Fixed> {
            latents: &mut latents,
            activations: &mut activations,
        };
        count_mark();
        let evaluation = evaluate(&artifact, input, Noise::Planned, scratch, &mut ());
        count_mark();
        out.write_all(&evaluation?.log_prob_raw.to_le_bytes())?;
    }
    Ok(())
}
