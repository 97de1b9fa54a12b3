//! Windows: features against the f64 reference and numpy, and the file that flow-infer's documentation carries.
//!
//! `FLOWGATE_WRITE=1 cargo test -p flow-tests --test windows` writes that file anew.

use flow_infer::artifact::{Artifact, GoldenVector, LoadError, Section, front_end_need, input_len};
use flow_infer::detector::Detector;
use flow_infer::engine::{Fixed, Noise, Scratch};
use flow_infer::front_end::windows::{Feature, Windows};
use flow_infer::gate::{Calibration, Decision, QUANTILES, conformal_rank};
use flow_infer::score::complexity::Coder;
use flow_infer::score::{ScoreKind, Scores};
use flow_infer::spec::{AffineForm, ConditionerSpec, CouplingMask, FlowSpec, Half, ScaleMap};
use flow_infer::{FaultKind, Gate, Model, WindowError, Workspace};
use flow_reference::windows::{bands, energies, features, logarithm};
use flow_tests::models::{coupling, vector};
use flow_tests::random::SplitMix64;
use flow_train_host::data::{Dataset, Vectors};
use flow_train_host::export::file::FlowFile;
use flow_train_host::export::{ExportError, quantized};
use flow_train_host::train::{TrainConfig, initial_model};
use flow_train_host::windows::{ChannelSpec, WindowSpec};
use std::path::Path;

fn spec(length: u16, channels: usize, features: &[&str]) -> WindowSpec {
    let channel = |index: usize| ChannelSpec {
        name: format!("a{index}"),
        exponent: 0,
        offset: 0.0,
        may_be_constant: false,
        step_bits: 2,
        low: i16::MIN,
        high: i16::MAX,
    };
    WindowSpec {
        rate_millihertz: 50_000,
        length,
        hop: length / 2,
        features: features
            .iter()
            .map(|f| f.parse().expect("a feature"))
            .collect(),
        channels: (0..channels).map(channel).collect(),
    }
}

fn bytes_of(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|s| s.to_le_bytes()).collect()
}

/// Samples as sensors give them and as none does.
fn random_samples(random: &mut SplitMix64, count: usize) -> Vec<i16> {
    let scale = [1.0, 40.0, 2000.0, 40_000.0][random.below(4) as usize];
    let step = random.below(2) as f64;
    let mut level = 0.0;
    let sample = |_| {
        level = step * level + scale * random.normal();
        level.clamp(-32768.0, 32767.0) as i16
    };
    (0..count).map(sample).collect()
}

#[test]
fn features_are_those_of_the_reference() {
    let mut random = SplitMix64::named("windows");
    println!("seed {:#x}", random.seed());
    for case in 0..400 {
        let length = [8, 16, 64, 128, 256][case % 5];
        let segments = [1, 1, 2, 4, 1][case % 5];
        let parts = [1, 2, 4][case % 3];
        let bands = format!("bands:{segments}x{parts}");
        let channels = 1 + case % 3;
        let spec = spec(
            length,
            channels,
            &["raw", "means:3", "differences:4", &bands],
        );
        let section = spec.to_bytes().expect("windows");
        let windows = Windows::parse(&section).expect("a section");
        let samples = random_samples(&mut random, usize::from(length) * channels);
        let bytes = bytes_of(&samples);
        let window = windows.window(&bytes).expect("a window");
        let rows = samples.chunks_exact(channels);
        let rows: Vec<Vec<f64>> = rows
            .map(|row| row.iter().map(|&s| s.into()).collect())
            .collect();
        let wanted = features(&windows, &rows);
        assert_eq!(wanted.len(), windows.dims());
        let greatest = samples
            .iter()
            .map(|s| f64::from(*s).abs())
            .fold(0.0, f64::max);
        let mut index = 0;
        for feature in windows.features() {
            let count = feature.count(windows.len()).expect("of this length") * channels;
            for _ in 0..count {
                let (found, exact) = (f64::from(windows.value(window, index)), wanted[index]);
                let bound = bound(feature, usize::from(length), greatest, exact);
                assert!(
                    (found - exact).abs() <= bound,
                    "case {case}, {feature:?}, value {index}: {found}, exactly {exact}"
                );
                index += 1;
            }
        }
    }
}

/// How far a value may lie from the exact one: rounding for means; a 256th of an octave, rounded down within a 40th, for
/// logarithms, whose argument is rounded down itself; and for energies what sines of 14 bits leave, at most half a unit
/// of the last place in each of n products, and rounding of both parts of an amplitude to quarters.
fn bound(feature: Feature, length: usize, greatest: f64, exact: f64) -> f64 {
    let log_slope = |value: f64| 256.0 / (1.0 + value) / 2f64.ln();
    let value = 2f64.powf(exact / 256.0) - 1.0;
    match feature {
        Feature::Raw => 0.0,
        Feature::Means { .. } => 0.5,
        Feature::Differences { .. } => 1.03 + log_slope((value - 1.0).max(0.0)),
        Feature::Bands { segments, .. } => {
            let n = length / usize::from(segments);
            let error = n as f64 * greatest / 32768.0 + 0.125;
            // Of a band of m frequencies, whose amplitudes have the energy, each part may be off by the error.
            let amplitude = 4.0 * (n as f64).sqrt() * error;
            let root = value.sqrt();
            let low = (root - amplitude).max(0.0).powi(2);
            let high = (root + amplitude).powi(2);
            let (low, high) = (logarithm(low), logarithm(high));
            1.03 + (exact - low).max(high - exact)
        }
    }
}

/// Knuth's generator, as numpy was given its numbers.
fn fixture(length: usize, mut state: u64) -> Vec<i16> {
    let next = |t: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005);
        state = state.wrapping_add(1_442_695_040_888_963_407);
        let noise = (state >> 48) % 4001;
        (noise as i64 - 2000 + (t as i64 * 37) % 1000) as i16
    };
    (0..length).map(next).collect()
}

/// Sums of `abs(numpy.fft.rfft(x)) ** 2` over octaves, numpy 2.4.6.
const NUMPY_64: [f64; 5] = [
    22586519.232953556,
    324668880.990028,
    962770165.0648332,
    786867773.3655045,
    1229056412.3466806,
];
const NUMPY_128: [f64; 6] = [
    75794291.03965126,
    610317384.2720659,
    929832836.3653487,
    1001499271.533917,
    2978620172.701909,
    5646242920.087109,
];

#[test]
fn energies_are_those_of_numpy() {
    for (length, seed, numpy) in [(64, 1, &NUMPY_64[..]), (128, 2, &NUMPY_128[..])] {
        let samples = fixture(length, seed);
        let floats: Vec<f64> = samples.iter().map(|&s| s.into()).collect();
        for (ours, theirs) in energies(&floats, 1).iter().zip(numpy) {
            assert!((ours / theirs - 1.0).abs() < 1e-9, "{ours} and {theirs}");
        }
        let section = spec(length as u16, 1, &["bands:1"])
            .to_bytes()
            .expect("windows");
        let windows = Windows::parse(&section).expect("a section");
        let bytes = bytes_of(&samples);
        let window = windows.window(&bytes).expect("a window");
        assert_eq!(
            (windows.dims(), bands(length, 1).len()),
            (numpy.len(), numpy.len())
        );
        for (index, theirs) in numpy.iter().enumerate() {
            let (found, exact) = (windows.value(window, index), logarithm(16.0 * theirs));
            assert!(
                (f64::from(found) - exact).abs() < 1.5,
                "{found} and {exact}"
            );
        }
    }
}

const SAMPLES: usize = 999;
const ALPHA_PPM: u32 = 10_000;
const GOLDEN: usize = 2;

fn motion_spec() -> WindowSpec {
    WindowSpec {
        hop: 8,
        ..spec(16, 2, &["means:2", "bands:1"])
    }
}

/// Two axes that swing, with noise.
fn motion_windows(random: &mut SplitMix64) -> Vec<i16> {
    let mut window = |_| {
        let (phase, size) = (random.uniform(), 200.0 + 60.0 * random.uniform());
        let mut samples = Vec::new();
        for t in 0..16 {
            let turn = std::f64::consts::TAU * (phase + f64::from(t) / 8.0);
            for swing in [turn.sin(), turn.cos()] {
                samples.push((size * swing + 15.0 * random.normal()) as i16);
            }
        }
        samples
    };
    (0..SAMPLES).flat_map(&mut window).collect()
}

fn flow(dims: u16) -> FlowSpec {
    let step = coupling(
        CouplingMask::Channel { kept: Half::First },
        ConditionerSpec::Mlp {
            hidden: 8,
            layers: 1,
        },
        ScaleMap::TanhBound,
        AffineForm::ShiftThenScale,
    );
    vector(dims, &[step])
}

fn motion() -> Vec<u8> {
    let mut random = SplitMix64::named("motion");
    let spec = motion_spec();
    let section = spec.to_bytes().expect("windows");
    let windows = Windows::parse(&section).expect("a section");
    let samples = motion_windows(&mut random);
    let inputs: Vec<Vec<u8>> = samples.chunks(32).map(bytes_of).collect();
    let values = inputs.iter().flat_map(|input| {
        let window = windows.window(input).expect("a window");
        (0..windows.dims()).map(move |index| windows.value(window, index) as f32)
    });
    let values: Vec<f32> = values.collect();
    let data = Dataset::Vectors(Vectors::new(windows.dims(), values).expect("whole vectors"));
    // Standardized by the data, and not trained: a product of normal densities.
    let config = TrainConfig::new(flow(windows.dims() as u16));
    let model = initial_model(&config, &data).expect("a model");
    let mut file = quantized(&model, &data, &|| ()).expect("a file");
    file.set_windows(&spec).expect("windows");
    let bytes = file.to_bytes().expect("it loads");
    let artifact = Artifact::load(&bytes).expect("it loads");
    let mut scratch = Scratch::<Fixed, 1024, 4096>::new();
    let mut coder = Coder::new();
    let mut detector = Detector::new(&artifact, scratch.borrow(), &mut coder);
    let mut score = |input: &Vec<u8>| detector.scores(input, Noise::Planned).expect("a window");
    let scores: Vec<Scores> = inputs.iter().map(&mut score).collect();
    let deciding = |s: &Scores| s.raw(ScoreKind::Complexity, 0).expect("a code length");
    let mut sorted: Vec<i64> = scores.iter().map(deciding).collect();
    sorted.sort_unstable();
    let rank = conformal_rank(ALPHA_PPM, SAMPLES as u32).expect("enough samples");
    let last = SAMPLES - 1;
    let quantiles = (0..QUANTILES).map(|i| sorted[i * last / (QUANTILES - 1)]);
    file.set_calibration(&Calibration {
        score: ScoreKind::Complexity,
        alpha_ppm: ALPHA_PPM,
        samples: SAMPLES as u32,
        threshold_raw: sorted[rank as usize - 1],
        typical_raw: 0,
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

fn committed() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../flow-infer/tests/data/motion.flow");
    if std::env::var_os("FLOWGATE_WRITE").is_some() {
        std::fs::write(&path, motion()).expect("a writable checkout");
    }
    std::fs::read(&path).expect("the committed file")
}

#[test]
fn the_committed_file_decides_about_samples_as_about_windows() {
    let bytes = committed();
    assert_eq!((input_len(&bytes), front_end_need(&bytes).input), (64, 64));
    let model = Model::load(&bytes).expect("it loads");
    let shape = model.windows().expect("a model of windows");
    assert_eq!((shape.channels(), shape.samples(), shape.hop()), (2, 16, 8));
    assert_eq!(shape.sample(1, 3.5), Some(4));
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace).expect("it reproduces its golden vectors");
    assert_eq!(gate.artifact().golden().count(), GOLDEN);
    let mut random = SplitMix64::named("swings");
    println!("seed {:#x}", random.seed());
    let samples = motion_windows(&mut random);
    let (mut due, mut accepted) = (0, 0);
    for (come, sample) in samples[..6400].chunks(2).enumerate() {
        let found = gate.push(sample).expect("a sample");
        let end = 2 * (come + 1);
        assert_eq!(found.is_some(), end >= 32 && (end - 32).is_multiple_of(16));
        if let Some(found) = found {
            let whole = bytes_of(&samples[end - 32..end]);
            assert_eq!(gate.assess(&whole).expect("a window"), found);
            due += 1;
            accepted += usize::from(found.decision.accepted());
        }
    }
    // Every other window is of two swings, of which the model knows nothing.
    assert_eq!(due, 399);
    assert!(accepted >= 190, "{accepted} accepted");
    gate.restart_window();
    for come in 1..=16 {
        let found = gate.push(&[7, come]).expect("a sample");
        assert_eq!(found.is_some(), come == 16);
        if let Some(found) = found {
            assert_eq!(found.decision, Decision::Invalid);
            let fault = found.scores.fault.expect("a stuck channel");
            assert_eq!((fault.channel, fault.kind), (0, FaultKind::Stuck));
        }
    }
    assert_eq!(
        gate.push(&[1, 2, 3]),
        Err(WindowError::Channels {
            expected: 2,
            given: 3
        })
    );
    assert!(
        gate.decide(&[0.5f32; 16]).is_err(),
        "features are no window"
    );
}

#[test]
fn an_evaluation_in_pieces_gives_the_same() {
    let bytes = committed();
    let model = Model::load(&bytes).expect("it loads");
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace).expect("a gate");
    let mut random = SplitMix64::named("pieces");
    println!("seed {:#x}", random.seed());
    let samples = motion_windows(&mut random);
    for end in (32..640).step_by(16) {
        let whole = bytes_of(&samples[end - 32..end]);
        let wanted = gate.assess(&whole).expect("a window");
        for sample in samples[if end == 32 { 0 } else { end - 16 }..end].chunks(2) {
            let begun = gate.push_and_begin(sample).expect("a sample");
            let Some(mut evaluation) = begun else {
                continue;
            };
            let found = loop {
                if let core::task::Poll::Ready(found) = evaluation.poll(1) {
                    break found;
                }
            };
            assert_eq!(found, wanted);
        }
    }
}

#[test]
fn windows_that_do_not_lead_to_the_input_do_not_load() {
    let bytes = committed();
    let artifact = Artifact::load(&bytes).expect("it loads");
    let refused = |section: Vec<u8>| {
        let mut file = FlowFile::from_artifact(&artifact);
        file.set(Section::FrontEnd, section);
        match file.to_bytes() {
            Err(ExportError::Rejected(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let section = |features: &[&str]| {
        WindowSpec {
            hop: 8,
            ..spec(16, 2, features)
        }
        .to_bytes()
        .expect("windows")
    };
    assert_eq!(refused(section(&["means:2"])), LoadError::FrontEnd);
    assert_eq!(refused(vec![1]), LoadError::FrontEnd);
    assert_eq!(refused(vec![2]), LoadError::FrontEnd);
    // Golden vectors are windows, of another length than features.
    assert_eq!(refused(Vec::new()), LoadError::Golden);
}
