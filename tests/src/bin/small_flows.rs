//! Writes every small model as a quantized `.flow` with inputs beside it, for machines that tests cannot run on.
//!
//! `small_flows DIRECTORY`: NAME.flow, and NAME.inputs with the bytes of a few inputs one after the other. Images are
//! read with drawn noise by every second model.

use flow_infer::plan::Dequantization;
use flow_tests::implementations::random_dataset;
use flow_tests::models::{NamedModel, small_models};
use flow_tests::random::SplitMix64;
use flow_train_host::export::{Source, quantized};
use std::error::Error;
use std::path::Path;

/// Inputs that scale the activations.
const CALIBRATION: usize = 48;
/// Inputs to be evaluated.
const INPUTS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).ok_or("which directory?")?;
    for (index, model) in small_models().iter().enumerate() {
        let dequantization = match index % 2 {
            0 => Dequantization::Midpoint,
            _ => Dequantization::Drawn { draws: 2, seed: 3 },
        };
        write(Path::new(&directory), model, dequantization)?;
    }
    Ok(())
}

fn write(
    directory: &Path,
    NamedModel { name, model }: &NamedModel,
    dequantization: Dequantization,
) -> Result<(), Box<dyn Error>> {
    let mut random = SplitMix64::named(&format!("{name}: on boards"));
    let calibration = random_dataset(model, CALIBRATION, &mut random);
    let source = Source {
        model,
        dequantization,
    };
    let file = quantized(source, &calibration, &|| ())?.to_bytes()?;
    std::fs::write(directory.join(format!("{name}.flow")), file)?;
    let inputs = random_dataset(model, INPUTS, &mut random);
    let bytes: Vec<u8> = (0..INPUTS)
        .flat_map(|i| inputs.input_bytes(i).into_owned())
        .collect();
    std::fs::write(directory.join(format!("{name}.inputs")), bytes)?;
    Ok(())
}
