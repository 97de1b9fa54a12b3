//! Decides about vectors or images that come on standard input, one after another as the model reads them.
//!
//! ```text
//! cargo run --release --example host -- MODEL.flow < INPUTS.bin
//! ```

use flow_infer::{Gate, Model, Workspace};
use std::error::Error;
use std::io::{Read, stdin};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: host MODEL.flow < INPUTS.bin")?;
    let bytes = std::fs::read(path)?;
    let model = Model::load(&bytes)?;
    let mut input = vec![0; model.input().byte_len()];
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace)?;
    while stdin().lock().read_exact(&mut input).is_ok() {
        println!("{:?}", gate.decide(&input)?);
    }
    Ok(())
}
