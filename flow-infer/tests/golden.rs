//! The committed models' golden vectors, recorded on x86-64, on whatever target this is built for.

#![cfg(all(feature = "images", feature = "autoencoder"))]

use flow_infer::artifact::Artifact;
use flow_infer::detector::Detector;
use flow_infer::engine::{Fixed, ScratchMut};
use flow_infer::score::complexity::Coder;
use std::path::Path;

#[test]
fn the_committed_models_reproduce_their_golden_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/models");
    for name in ["fashion-tiny.flow", "fashion-bottleneck.flow"] {
        let file = std::fs::read(folder.join(name)).unwrap();
        let artifact = Artifact::load(&file).unwrap();
        let need = artifact.scratch_need();
        let mut latents = vec![0; need.latents as usize];
        let mut activations = vec![0; need.activations as usize];
        let scratch = ScratchMut::<Fixed> {
            latents: &mut latents,
            activations: &mut activations,
        };
        let mut coder = Coder::new();
        let mut detector = Detector::new(&artifact, scratch, &mut coder);
        assert_eq!(detector.self_test(), Ok(4), "{name}");
    }
}
