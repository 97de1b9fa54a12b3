//! The calibrated model of frames in flow-infer's own documentation and tests: grey pictures of 10 x 6 pixels, about
//! 4 KB.
//!
//! `FLOWGATE_WRITE=1 cargo test -p flow-tests --test parts` writes it anew.

use flow_infer::artifact::{Artifact, GoldenVector};
use flow_infer::detector::Detector;
use flow_infer::engine::{Fixed, Noise, Scratch};
use flow_infer::front_end::{FrontEnd, Reduction, Region};
use flow_infer::gate::{Calibration, QUANTILES, conformal_rank};
use flow_infer::score::complexity::Coder;
use flow_infer::score::{ScoreKind, Scores};
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, FlowSpec, Parity, ScaleMap, Shape,
};
use flow_infer::{Gate, Model, OpenError, Workspace};
use flow_tests::models::{coupling, image, level, random_model};
use flow_tests::random::SplitMix64;
use flow_train_host::data::{Dataset, Images};
use flow_train_host::export::{floating, quantized};
use std::path::Path;

const SAMPLES: usize = 999;
const ALPHA_PPM: u32 = 10_000;
const GOLDEN: usize = 2;
const SHAPE: Shape = Shape::new(1, 6, 10);

#[test]
fn the_committed_file_opens_with_its_front_end() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../flow-infer/tests/data/parts.flow");
    if std::env::var_os("FLOWGATE_WRITE").is_some() {
        std::fs::write(&path, parts()).expect("a writable checkout");
    }
    let bytes = std::fs::read(&path).expect("the committed file");
    let model = Model::load(&bytes).expect("it loads");
    let mut workspace = Workspace::for_model(&model);
    let gate = Gate::new(model, &mut workspace).expect("it reproduces its golden vectors");
    assert_eq!(gate.artifact().front_end(), Some(&front_end()));
    assert_eq!(gate.artifact().golden().count(), GOLDEN);
}

/// What would say `Invalid` to every input is told of when the gate is opened, once.
#[test]
fn no_gate_opens_without_a_threshold_or_in_floats() {
    let model = random_model(spec(), &mut SplitMix64::named("parts")).expect("a model");
    let images = Images::new(1, 6, 10, vec![90; SHAPE.len()]).expect("one image");
    let uncalibrated = quantized(&model, &Dataset::Images(images), &|| ()).expect("a file");
    let float = floating(&model, false).expect("a file");
    let cases = [
        (uncalibrated, OpenError::NotCalibrated),
        (float, OpenError::NumberFormat),
    ];
    for (file, wanted) in cases {
        let bytes = file.to_bytes().expect("a file that loads");
        let model = Model::load(&bytes).expect("it loads");
        let mut workspace = Workspace::for_model(&model);
        assert_eq!(Gate::new(model, &mut workspace).err(), Some(wanted));
    }
}

fn front_end() -> FrontEnd {
    FrontEnd::Frames(Reduction {
        region: Some(Region {
            x: 1,
            y: 3,
            width: 17,
            height: 9,
        }),
        ..Reduction::to(SHAPE)
    })
}

fn spec() -> FlowSpec {
    let conditioner = ConditionerSpec::Convnet {
        channels: 4,
        layers: 2,
    };
    let step = coupling(
        CouplingMask::Checkerboard { kept: Parity::Even },
        conditioner,
        ScaleMap::TanhBound,
        AffineForm::ShiftThenScale,
    );
    image(1, SHAPE.height, SHAPE.width, &[level(&[step])])
}

fn parts() -> Vec<u8> {
    let mut random = SplitMix64::named("parts");
    let model = random_model(spec(), &mut random).expect("a model");
    // A grey scene, brighter to the right, with some noise.
    let mut pixel = |i: usize| 90.0 + 6.0 * (i % 10) as f64 + 5.0 * random.normal();
    let pixels = (0..SAMPLES * SHAPE.len()).map(|i| pixel(i) as u8).collect();
    let images = Images::new(1, 6, 10, pixels).expect("whole images");
    let data = Dataset::Images(images);
    let mut file = quantized(&model, &data, &|| ()).expect("a file");
    file.set_front_end(&front_end());
    let bytes = file.to_bytes().expect("it loads");
    let artifact = Artifact::load(&bytes).expect("it loads");
    let mut scratch = Scratch::<Fixed, 1024, 4096>::new();
    let mut coder = Coder::new();
    let mut detector = Detector::new(&artifact, scratch.borrow(), &mut coder);
    let inputs: Vec<_> = (0..SAMPLES).map(|i| data.input_bytes(i)).collect();
    let scores: Vec<Scores> = inputs
        .iter()
        .map(|input| detector.scores(input, Noise::Planned).expect("an image"))
        .collect();
    let mut sorted: Vec<i64> = scores.iter().map(|s| s.log_prob_raw).collect();
    sorted.sort_unstable();
    let rank = conformal_rank(ALPHA_PPM, SAMPLES as u32).expect("enough samples");
    let last = SAMPLES - 1;
    let quantiles = (0..QUANTILES).map(|i| sorted[i * last / (QUANTILES - 1)]);
    file.set_calibration(&Calibration {
        score: ScoreKind::Likelihood,
        alpha_ppm: ALPHA_PPM,
        samples: SAMPLES as u32,
        threshold_raw: sorted[rank as usize - 1],
        typical_raw: sorted[last / 2],
        quantiles_raw: quantiles.collect(),
    });
    let golden = inputs.iter().zip(&scores).take(GOLDEN);
    file.set_golden(golden.map(|(input, scores)| GoldenVector {
        input,
        log_prob_raw: scores.log_prob_raw,
        code_length_raw: scores.code_length_raw.unwrap_or(0),
        combined_raw: None,
    }));
    file.to_bytes().expect("a file that loads")
}
