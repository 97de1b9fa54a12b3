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
