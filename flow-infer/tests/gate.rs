//! Opening a gate establishes what deciding relies on.

#![cfg(all(feature = "std", feature = "full"))]

use flow_infer::{
    Decision, FixedWorkspace, Gate, InputError, InputShape, LoadError, Model, OpenError, Workspace,
};
use std::path::Path;

const PUMP: &[u8] = include_bytes!("data/pump.flow");

flow_infer::gate!(Pump = "data/pump.flow");

fn committed(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/models");
    std::fs::read(folder.join(name)).unwrap()
}

/// The bytes with these changed and the checksum mended.
fn changed(bytes: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = byte;
    let end = bytes.len() - 4;
    let sum = flow_infer::artifact::checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn an_included_gate_is_opened_once() {
    let mut gate = Pump::take().unwrap();
    assert_eq!(gate.decide(&[2.0f32, -1.5]), Ok(Decision::Accept));
    assert_eq!(Pump::take().err(), Some(OpenError::AlreadyTaken));
    assert_eq!(gate.self_test(), Ok(2));
}

#[test]
fn a_gate_may_live_in_a_struct_and_move() {
    struct Application {
        gate: Gate<'static>,
        rejected: u32,
    }
    let bytes: &'static [u8] = PUMP;
    let memory = Box::leak(Box::new(FixedWorkspace::<2, 4>::new()));
    let application = Application {
        gate: Gate::open(bytes, memory).unwrap(),
        rejected: 0,
    };
    let thread = std::thread::spawn(move || {
        let mut moved = application;
        let decision = moved.gate.decide(&[60i16, 20]).unwrap();
        moved.rejected += u32::from(!decision.accepted());
        moved.rejected
    });
    assert_eq!(thread.join().unwrap(), 1);
}

#[test]
fn numbers_mean_the_same_as_floats_integers_and_bytes() {
    let model = Model::load(PUMP).unwrap();
    assert_eq!(model.input(), InputShape::Vector { len: 2 });
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace).unwrap();
    let integers = gate.assess(&[3i16, -1]).unwrap();
    let floats = gate.assess(&[3.0f32, -1.0]).unwrap();
    let bytes = [3.0f32.to_le_bytes(), (-1.0f32).to_le_bytes()].concat();
    assert_eq!(integers, floats);
    assert_eq!(gate.assess(&bytes), Ok(floats));
    let squares: i64 = gate.latent_squares().map(i64::from).sum();
    // From 24 fraction bits to 16, each latent rounded down.
    let whole = floats.scores.squares_raw >> 8;
    assert!((whole - 2..=whole).contains(&squares), "{squares} {whole}");
}

#[test]
fn an_image_gate_decides_about_bytes() {
    let bytes = committed("fashion-tiny.flow");
    let model = Model::load(&bytes).unwrap();
    let shape = InputShape::Image {
        channels: 1,
        height: 28,
        width: 28,
    };
    assert_eq!(
        (model.input(), shape.elements(), shape.byte_len()),
        (shape, 784, 784)
    );
    assert_eq!(model.false_alarm_ppm(), Some(10_000));
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace).unwrap();
    assert_eq!(gate.self_test(), Ok(4));
    assert!(!gate.decide(&[0u8; 784]).unwrap().accepted());
    assert_eq!(gate.decide(&[0.0f32; 784]), Err(InputError::NotAnImage));
    let short = InputError::Length {
        expected: 784,
        given: 783,
    };
    assert_eq!(gate.decide(&[0u8; 783]), Err(short));
    assert!(gate.drift_alarm(1000).is_some());
}

#[test]
fn an_input_that_is_none_is_an_error() {
    let mut workspace = FixedWorkspace::<2, 4>::new();
    let mut gate = Gate::open(PUMP, &mut workspace).unwrap();
    let length = |expected, given| Err(InputError::Length { expected, given });
    assert_eq!(gate.decide(&[1.0f32; 3]), length(2, 3));
    assert_eq!(gate.decide(&[0i16; 0]), length(2, 0));
    assert_eq!(gate.decide(&[0u8; 7]), length(8, 7));
    for value in [f32::NAN, f32::INFINITY] {
        assert_eq!(gate.decide(&[0.0, value]), Err(InputError::NotFinite));
    }
    assert_eq!(gate.decide(&[1.0f32, -2.0]), Ok(Decision::Accept));
}

#[test]
fn a_gate_does_not_open_without_what_it_relies_on() {
    let damaged = [&PUMP[..PUMP.len() - 1], &[!PUMP[PUMP.len() - 1]]].concat();
    let mut workspace = FixedWorkspace::<2, 4>::new();
    let mut refused = |bytes: &[u8]| Gate::open(bytes, &mut workspace).err();
    assert_eq!(
        refused(&damaged),
        Some(OpenError::Load(LoadError::Checksum))
    );

    let mut small = FixedWorkspace::<2, 3>::new();
    let error = Gate::open(PUMP, &mut small).err();
    let Some(OpenError::Workspace { needed, given }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(needed - given, 2, "one activation");
}

/// The last golden vector ends the file but for checksum: its expected log_prob stands before eight zeros.
#[test]
fn a_gate_does_not_open_where_a_golden_vector_comes_out_otherwise() {
    let at = PUMP.len() - 4 - 16;
    let bytes = changed(PUMP, at, PUMP[at] ^ 1);
    let mut workspace = FixedWorkspace::<2, 4>::new();
    let error = Gate::open(&bytes, &mut workspace).err();
    assert!(
        matches!(error, Some(OpenError::SelfTest(failed)) if failed.vector == 1),
        "{error:?}"
    );
}

/// The pump's gate calibrated for one false alarm in a hundred; scores of its inputs made up.
fn assessed(gate: &mut Gate<'_>, score_raw: i64) -> flow_infer::Assessment {
    let mut assessment = gate.assess(&[1i16, -2]).unwrap();
    assessment.score_raw = score_raw;
    assessment
}

#[test]
fn a_site_has_a_threshold_of_its_own() {
    use flow_infer::{SiteCalibration, SiteError};
    let mut workspace = FixedWorkspace::<2, 4>::new();
    let mut gate = Gate::open(PUMP, &mut workspace).unwrap();
    let factory = gate.artifact().calibration().unwrap().threshold_raw;
    let mut site = SiteCalibration::<2>::new(&gate, 1000).unwrap();
    // 98 inputs promise nothing, 99 the lowest score.
    for i in 0..99 {
        assert_eq!((site.missing(), site.threshold_raw()), (99 - i, factory));
        let benign = assessed(&mut gate, factory + 100 + i64::from(i * 37 % 99));
        site.learn(&benign).unwrap();
    }
    assert_eq!((site.missing(), site.threshold_raw()), (0, factory + 100));
    assert!(!site.is_at_bound());
    let decided =
        [factory + 99, factory + 100].map(|score| site.decide(&assessed(&mut gate, score)));
    assert_eq!(decided, [Decision::Reject, Decision::Accept]);
    // One of a hundred at or below; between the kept scores; beyond them nothing is known.
    assert_eq!(site.p_value_ppm(factory + 99), 10_000);
    assert_eq!(site.p_value_ppm(factory + 100), 20_000);
    assert_eq!(site.p_value_ppm(factory + 101), 1_000_000);
    // What is far below is not benign.
    let foreign = assessed(&mut gate, factory - 1001);
    assert_eq!(site.learn(&foreign), Err(SiteError::TooFar));
    // 100 more far above: k = 2, and the lowest two are those from before.
    for _ in 0..100 {
        site.learn(&assessed(&mut gate, factory + 50_000)).unwrap();
    }
    assert_eq!((site.samples(), site.threshold_raw()), (199, factory + 101));
    let mut high = SiteCalibration::<2>::new(&gate, 1000).unwrap();
    for _ in 0..99 {
        high.learn(&assessed(&mut gate, factory + 50_000)).unwrap();
    }
    assert!(high.is_at_bound());
    assert_eq!(high.threshold_raw(), factory + 1000);
    high.reset();
    assert_eq!(high.threshold_raw(), factory);
    assert_eq!(SiteCalibration::<0>::new(&gate, 1000), None);
    assert_eq!(SiteCalibration::<2>::new(&gate, -1), None);
}

#[test]
fn a_site_outlives_a_power_loss_with_its_model() {
    use flow_infer::{SiteCalibration, SiteError};
    let mut workspace = FixedWorkspace::<2, 4>::new();
    let mut gate = Gate::open(PUMP, &mut workspace).unwrap();
    let mut site = SiteCalibration::<3>::new(&gate, i64::MAX).unwrap();
    for i in 0..150 {
        site.learn(&assessed(&mut gate, i * 7919 % 150)).unwrap();
    }
    let mut page = [0xff; 64];
    assert_eq!(site.save(&mut [0; 43]), Err(SiteError::Memory));
    let saved = site.save(&mut page).unwrap().to_vec();
    assert_eq!((saved.len(), &saved[..4]), (44, &b"FGS\x01"[..]));
    let mut fresh = SiteCalibration::<3>::new(&gate, i64::MAX).unwrap();
    fresh.restore(&saved).unwrap();
    assert_eq!(fresh, site);
    for at in 0..saved.len() {
        let mut damaged = saved.clone();
        damaged[at] ^= 4;
        assert_eq!(
            fresh.restore(&damaged),
            Err(SiteError::Damaged),
            "byte {at}"
        );
    }
    assert_eq!(fresh.restore(&saved[..43]), Err(SiteError::Damaged));
    assert_eq!(fresh.restore(&[]), Err(SiteError::Damaged));
    assert_eq!(fresh, site, "a refused restore changes nothing");
    // Another version of the model has another checksum.
    let other = changed(PUMP, 20, PUMP[20] + 1);
    let mut workspace = FixedWorkspace::<2, 4>::new();
    let gate = Gate::open(&other, &mut workspace).unwrap();
    let mut other = SiteCalibration::<3>::new(&gate, i64::MAX).unwrap();
    assert_eq!(other.restore(&saved), Err(SiteError::OtherModel));
    assert_eq!(other.samples(), 0);
}
