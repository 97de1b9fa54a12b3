//! Literal bytes of the `.flow` format: what a reader makes of them, and what the encoder makes of the same plan.

use flow_infer::artifact::{Artifact, LoadError, Section, checksum, scratch_need};
use flow_infer::engine::{Fixed, Noise, Scratch, evaluate};
use flow_infer::plan::{
    Activation, Buffer, Coupling, Layer, LayerKind, NO_TENSOR, NumberFormat, PlanHead,
    PlannedInput, PlannedScale, ScratchNeed, Step, Window,
};
use flow_infer::spec::{AffineForm, CouplingMask, Half, Shape, View};
use flow_reference::evaluate_plan;
use flow_tests::tiny_flow::{TINY_FLOW, TINY_INPUT, tiny_flow, tiny_input};
use flow_tests::tolerance::{LAYER_BY_HAND, TINY_FLOW_EVALUATION};
use flow_train_host::export::ExportError;
use flow_train_host::export::file::FlowFile;
use heapless::Vec;

/// Every term of log_prob that does not depend on the input: ln 1/2 + ln 3 + ln 5/8 - ln 2π, 24 fraction bits.
const CONSTANT_RAW: i64 = -31_917_237;
/// ln 2 / 65536 with 44 fraction bits.
const STEP_NATS: i64 = 186_065_279;

#[test]
fn a_reader_understands_every_field() {
    let bytes = tiny_flow();
    let artifact = Artifact::load(&bytes).expect("the worked example loads");
    let need = ScratchNeed {
        latents: 2,
        activations: 4,
    };
    assert_eq!(artifact.scratch_need(), need);
    assert_eq!(scratch_need(&bytes), need);
    assert_eq!(artifact.number_format(), NumberFormat::Q8);
    assert_eq!(artifact.model_version(), 7);
    assert_eq!(artifact.dims(), 2);
    assert!(artifact.calibration().is_none());
    assert_eq!(artifact.golden().count(), 0);
    assert_eq!(artifact.plan_head(), &head());
    let steps: Result<std::vec::Vec<_>, _> = artifact.steps().collect();
    assert_eq!(steps.as_deref(), Ok(&[actnorm(), coupling()][..]));
}

#[test]
fn the_encoder_writes_these_bytes() {
    let mut buffer = [0; 256];
    let mut encoded = std::vec::Vec::new();
    encoded.extend_from_slice(postcard::to_slice(&head(), &mut buffer).expect("room"));
    for step in [actnorm(), coupling()] {
        encoded.extend_from_slice(postcard::to_slice(&step, &mut buffer).expect("room"));
    }
    let bytes = tiny_flow();
    let plan = Artifact::load(&bytes).map(|a| a.section(flow_infer::artifact::Section::Plan));
    assert_eq!(plan, Ok(encoded.as_slice()));
}

/// The document's arithmetic, done by hand in integers.
#[test]
fn the_engine_computes_what_the_document_says() {
    let bytes = tiny_flow();
    let artifact = Artifact::load(&bytes).expect("the worked example loads");
    let mut scratch = Scratch::<Fixed, 2, 4>::new();
    let input = tiny_input();
    let mut latents = Seen::default();
    let found = evaluate(
        &artifact,
        &input,
        Noise::Planned,
        scratch.borrow(),
        &mut latents,
    );
    let found = found.expect("a valid input");
    // Standardized 1/2 and 3/2; after actnorm 1 and 25/32; the first stays.
    assert_eq!(latents.0[0], [1 << 23, 3 << 23]);
    assert_eq!(latents.0[1], [1 << 24, 25 << 19]);
    // a = 4096 + 16; raw_scale = (2 a + 1000) 2^10; shift = (-3 a - 2000) 2^9.
    let (raw_scale, shift) = (9_445_376i64, -7_340_032i64);
    let steps = (raw_scale * 24_204_406 + (1 << 31)) >> 32;
    assert_eq!(steps, 207 * 256 + 238);
    // 2^(207/256) and 2^(238/65536) with 30 fraction bits.
    let mantissa = (1_880_662_405i64 * 1_076_448_081 + (1 << 29)) >> 30;
    let changed = (((25 << 19) + shift) * mantissa + (1 << 29)) >> 30;
    assert_eq!(latents.0[2], [1 << 24, changed as i32]);
    let half_square = |z: i64| (z * z + (1 << 24)) >> 25;
    let log_det = (STEP_NATS * steps + (1 << 19)) >> 20;
    let wanted = CONSTANT_RAW + log_det - half_square(1 << 24) - half_square(changed);
    assert_eq!(found.log_prob_raw, wanted);
    assert_eq!(found.log_prob_raw, -33_916_625);
    assert!(!found.saturated);
}

#[test]
fn the_reference_reads_the_same_model() {
    let bytes = tiny_flow();
    let artifact = Artifact::load(&bytes).expect("the worked example loads");
    let found = evaluate_plan(&artifact, &tiny_input());
    let [x0, x1] = TINY_INPUT.map(f64::from);
    let z0 = (x0 - 1.0) / 2.0 + 0.5;
    let y1 = ((x1 + 2.0) * 3.0 - 0.25) * 0.625;
    let log_scale = 53_230.0 / 65536.0 * 2f64.ln();
    let z1 = (y1 - 0.4375) * log_scale.exp();
    LAYER_BY_HAND.check_all("z", &found.z, &[z0, z1]);
    let log_det = (0.5 * 3.0 * 0.625f64).ln() + log_scale;
    LAYER_BY_HAND.check("log_det", found.log_det, log_det);
    let raw = flow_infer::spec::units::nats_from_raw(-33_916_625);
    TINY_FLOW_EVALUATION.check("log_prob", raw, found.log_prob_nats);
}

#[test]
fn the_checksum_is_the_usual_crc() {
    // The check value that every catalogue of CRCs gives for CRC-32/ISO-HDLC.
    assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
}

#[test]
fn a_future_version_is_named() {
    let mut bytes = tiny_flow();
    bytes[4] = 3;
    let end = bytes.len() - 4;
    let sum = checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(Artifact::load(&bytes).err(), Some(LoadError::Version(3)));
}

#[test]
fn a_signature_covers_the_file_or_is_refused() {
    let bytes = tiny_flow();
    let artifact = Artifact::load(&bytes).expect("the worked example loads");
    assert_eq!(artifact.signed(), None);
    let mut file = FlowFile::from_artifact(&artifact);
    let mut covered = 0;
    let sign = |message: &[u8]| {
        covered = message.len();
        ([1; 32], [2; 64])
    };
    file.sign(sign).expect("it fits");
    let signed_bytes = file.to_bytes().expect("it loads");
    let signed = Artifact::load(&signed_bytes).expect("it loads").signed();
    let signed = signed.expect("it is signed");
    assert_eq!((signed.public_key, signed.signature), (&[1; 32], &[2; 64]));
    assert_eq!(signed.message, &signed_bytes[..signed_bytes.len() - 100]);
    assert_eq!(signed.message.len(), covered);
    file.set(Section::Signature, std::vec![0; 95]);
    let refused = Err(ExportError::Rejected(LoadError::Signature));
    assert_eq!(file.to_bytes(), refused);
}

#[test]
fn the_table_has_no_unnamed_bytes() {
    assert!(
        TINY_FLOW
            .iter()
            .all(|(what, hex)| !what.is_empty() && !hex.is_empty())
    );
    let total: usize = TINY_FLOW
        .iter()
        .map(|(_, hex)| hex.split(' ').count())
        .sum();
    assert_eq!(total, 264);
}

/// The latents before the first step and after each.
#[derive(Default)]
struct Seen(std::vec::Vec<[i32; 2]>);

impl flow_infer::engine::Observer<Fixed> for Seen {
    fn latents(&mut self, _: usize, latents: &[i32]) {
        self.0.push([latents[0], latents[1]]);
    }
}

fn head() -> PlanHead {
    PlanHead {
        input: PlannedInput::Vector {
            dims: 2,
            records: 0,
        },
        steps: 2,
        constant_raw: CONSTANT_RAW,
        scale_table: NO_TENSOR,
        sigmoid_table: NO_TENSOR,
    }
}

fn view() -> View {
    View::whole(Shape::new(2, 1, 1))
}

fn actnorm() -> Step {
    Step::Actnorm {
        view: view(),
        records: 32,
    }
}

fn coupling() -> Step {
    let input = Layer {
        kind: LayerKind::Input { pair: false },
        source: 0,
        target: Some(0),
        residual: None,
        activation: Activation::Identity,
        weights: NO_TENSOR,
        records: 56,
    };
    let window = Window {
        height: 1,
        width: 1,
        stride: 1,
        pad: 0,
    };
    let last = Layer {
        kind: LayerKind::Conv(window),
        source: 0,
        target: None,
        residual: None,
        activation: Activation::Identity,
        weights: 64,
        records: 80,
    };
    let buffer = Buffer {
        shape: Shape::new(1, 1, 1),
        margin: 0,
        rows: 1,
        offset: 0,
    };
    Step::Coupling(Coupling {
        view: view(),
        mask: CouplingMask::Channel { kept: Half::First },
        affine: AffineForm::ShiftThenScale,
        scale: PlannedScale::Linear,
        bounds: 112,
        buffers: Vec::from_iter([buffer]),
        layers: Vec::from_iter([input, last]),
    })
}

/// Sections 4, 8 and 9 of a vector: one two-sided test of log_prob, with a table of three points.
const TESTS: &str = "00 01 00 00 02 00 03 00 \
    00 ff ff ff 00 00 f9 ff  00 00 00 00 00 00 00 00  00 02 00 00 00 00 fe ff";
/// Nineteen calibration scores, two of them kept: -3 and -1 nats.
const P_VALUES: &str =
    "13 00 00 00 00 00 00 fd ff ff ff ff 50 c3 00 00 00 00 00 ff ff ff ff ff 40 0d 03 00";

fn bytes_of(text: &str) -> std::vec::Vec<u8> {
    let bytes = text.split_whitespace();
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).expect("hex"))
        .collect()
}

fn calibration() -> flow_infer::gate::Calibration {
    flow_infer::gate::Calibration {
        score: flow_infer::score::ScoreKind::Combined,
        alpha_ppm: 50_000,
        samples: 19,
        threshold_raw: -3 << 24,
        typical_raw: 0,
        quantiles_raw: Vec::new(),
    }
}

#[test]
fn the_combined_score_is_what_the_document_says() {
    use flow_infer::score::Scores;
    use flow_infer::score::combined::TestKind;
    let bytes = tiny_flow();
    let mut file = FlowFile::from_artifact(&Artifact::load(&bytes).expect("loads"));
    file.set_calibration(&calibration());
    file.set(Section::Tests, bytes_of(TESTS));
    file.set(Section::PValues, bytes_of(P_VALUES));
    let bytes = file.to_bytes().expect("all of it fits together");
    let artifact = Artifact::load(&bytes).expect("loads");
    let tests = artifact.tests().expect("a section of tests");
    // From -1 nat (ln p = -7) over 0 (ln p = 0) to 2 nats (ln p = -2).
    let at = |log_prob_raw| Scores {
        combined: tests.combine(&Scores {
            log_prob_raw,
            ..Scores::default()
        }),
        ..Scores::default()
    };
    let score = |nats: f64| at((nats * 16_777_216.0) as i64).combined.expect("a score");
    assert_eq!(score(-0.5).score_raw, -7 << 23);
    assert_eq!(score(1.0).score_raw, -1 << 24);
    assert_eq!(
        score(-100.0).score_raw,
        -7 << 24,
        "constant beyond the ends"
    );
    assert_eq!(score(100.0).smallest, TestKind::Typicality);
    let p = |nats: f64| artifact.p_value_ppm(&at((nats * 16_777_216.0) as i64));
    assert_eq!(p(-0.5), Some(50_000), "below -3");
    assert_eq!(p(1.5), Some(200_000), "from -3 to -1");
    assert_eq!(p(0.0), Some(1_000_000));
}

#[test]
fn tests_and_p_values_that_do_not_fit_are_refused() {
    let bytes = tiny_flow();
    let file = FlowFile::from_artifact(&Artifact::load(&bytes).expect("loads"));
    let refused = |change: &dyn Fn(&mut FlowFile)| {
        let mut file = file.clone();
        change(&mut file);
        file.to_bytes().err()
    };
    let rejected = |error| Some(ExportError::Rejected(error));
    let no_tests = refused(&|file| file.set_calibration(&calibration()));
    assert_eq!(no_tests, rejected(LoadError::Tests));
    let of_images = refused(&|file| {
        let mut tests = bytes_of(TESTS);
        tests[4] = 1;
        file.set(Section::Tests, tests);
    });
    assert_eq!(of_images, rejected(LoadError::Tests));
    let no_gate = refused(&|file| file.set(Section::PValues, bytes_of(P_VALUES)));
    assert_eq!(no_gate, rejected(LoadError::PValues));
    let other_calibration = refused(&|file| {
        file.set_calibration(&calibration());
        file.set(Section::Tests, bytes_of(TESTS));
        let mut p_values = bytes_of(P_VALUES);
        p_values[0] += 1;
        file.set(Section::PValues, p_values);
    });
    assert_eq!(other_calibration, rejected(LoadError::PValues));
    let golden_of_no_vector = refused(&|file| file.set(Section::GoldenCombined, [0; 8].to_vec()));
    assert_eq!(golden_of_no_vector, rejected(LoadError::Golden));
}
