//! The calibrated model of flow-infer's own documentation: the tiny flow with a gate and golden vectors, 652 bytes.
//!
//! `FLOWGATE_WRITE=1 cargo test -p flow-tests --test pump` writes it anew.

use flow_infer::artifact::{Artifact, GoldenVector};
use flow_infer::detector::Detector;
use flow_infer::engine::{Fixed, Noise, Scratch};
use flow_infer::gate::{Calibration, QUANTILES, conformal_rank};
use flow_infer::score::ScoreKind;
use flow_infer::score::complexity::Coder;
use flow_tests::random::SplitMix64;
use flow_tests::tiny_flow::tiny_flow;
use flow_train_host::export::file::FlowFile;
use std::path::Path;

const SAMPLES: u32 = 999;
const ALPHA_PPM: u32 = 10_000;
const GOLDEN: [[f32; 2]; 2] = [[2.0, -1.5], [-0.25, -2.125]];

#[test]
fn the_committed_file_is_the_calibrated_tiny_flow() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../flow-infer/tests/data/pump.flow");
    let file = pump();
    if std::env::var_os("FLOWGATE_WRITE").is_some() {
        std::fs::write(&path, &file).expect("a writable checkout");
    }
    assert_eq!(std::fs::read(&path).expect("the committed file"), file);
}

fn pump() -> Vec<u8> {
    let bytes = tiny_flow();
    let artifact = Artifact::load(&bytes).expect("the worked example loads");
    let mut scratch = Scratch::<Fixed, 2, 4>::new();
    let mut coder = Coder::new();
    let mut detector = Detector::new(&artifact, scratch.borrow(), &mut coder);
    let mut log_prob = |input: &[u8]| {
        let scores = detector.scores(input, Noise::Planned);
        scores.expect("finite measurements").log_prob_raw
    };
    let mut file = FlowFile::from_artifact(&artifact);
    let mut random = SplitMix64::named("pump");
    let mut benign = || {
        let (x, y) = (1.0 + 2.0 * random.normal(), -2.0 + random.normal() / 3.0);
        bytes_of([x as f32, y as f32])
    };
    let mut scores: Vec<i64> = (0..SAMPLES).map(|_| log_prob(&benign())).collect();
    scores.sort_unstable();
    let rank = conformal_rank(ALPHA_PPM, SAMPLES).expect("enough samples");
    let last = scores.len() - 1;
    let quantiles = (0..QUANTILES).map(|i| scores[i * last / (QUANTILES - 1)]);
    file.set_calibration(&Calibration {
        score: ScoreKind::Likelihood,
        alpha_ppm: ALPHA_PPM,
        samples: SAMPLES,
        threshold_raw: scores[rank as usize - 1],
        typical_raw: scores[last / 2],
        quantiles_raw: quantiles.collect(),
    });
    let golden = GOLDEN.map(bytes_of);
    file.set_golden(golden.iter().map(|input| GoldenVector {
        input,
        log_prob_raw: log_prob(input),
        code_length_raw: 0,
        combined_raw: None,
    }));
    file.to_bytes().expect("a file that loads")
}

fn bytes_of(input: [f32; 2]) -> [u8; 8] {
    let [[a, b, c, d], [e, f, g, h]] = input.map(f32::to_le_bytes);
    [a, b, c, d, e, f, g, h]
}
