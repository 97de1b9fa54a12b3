//! `.flow` files of strangers, who can compute a checksum: it is made right before loading, or nothing but the
//! checksum would be fuzzed. What loads is run, on zeros and on ones, as integers or floats.

#![no_main]

use flow_infer::artifact::{Artifact, checksum};
use flow_infer::detector::Detector;
use flow_infer::engine::{Arithmetic, F16, F32, Fixed, Noise};
use flow_infer::plan::NumberFormat;
use flow_infer::score::complexity::Coder;
use flow_train_host::evaluate::HeapScratch;
use libfuzzer_sys::fuzz_target;

/// Bytes of a header and its checksum.
const LEAST: usize = 36;
/// Elements of scratch beyond which a flow is not run, so that a run takes milliseconds.
const MOST_SCRATCH: u32 = 1 << 13;

fuzz_target!(|file: &[u8]| {
    let mut file = file.to_vec();
    if file.len() < LEAST {
        return;
    }
    let total = (file.len() as u32).to_le_bytes();
    file[8..12].copy_from_slice(&total);
    let end = file.len() - 4;
    let sum = checksum(&file[..end]).to_le_bytes();
    file[end..].copy_from_slice(&sum);
    let Ok(artifact) = Artifact::load(&file) else {
        return;
    };
    let need = artifact.scratch_need();
    if need.latents.max(need.activations) <= MOST_SCRATCH {
        match artifact.number_format() {
            NumberFormat::Q8 => run::<Fixed>(&artifact),
            NumberFormat::F32 => run::<F32>(&artifact),
            NumberFormat::F16 => run::<F16>(&artifact),
        }
    }
});

fn run<A: Arithmetic>(artifact: &Artifact<'_>) {
    let (mut scratch, mut coder) = (HeapScratch::<A>::new(artifact), Coder::new());
    for byte in [0x00, 0xff, 0x3f] {
        let input = vec![byte; artifact.input_len()];
        let mut detector = Detector::<A>::new(artifact, scratch.borrow(), &mut coder);
        let _ = detector.scores(&input, Noise::Planned);
    }
}
