//! A gate decides about frames as about the inputs that its front end makes of them.

#![cfg(all(feature = "std", feature = "full", feature = "frames"))]

use flow_infer::front_end::{FrameReader, FrontEnd};
use flow_infer::{
    Decision, FixedWorkspace, Frame, FrameError, FrameSpec, Gate, Model, PixelFormat, Workspace,
};
use std::task::Poll;

const PARTS: &[u8] = include_bytes!("data/parts.flow");
const PUMP: &[u8] = include_bytes!("data/pump.flow");

flow_infer::gate!(Parts = "data/parts.flow");

/// A scene like the model's: grey, brighter to the right.
fn scene(spec: &FrameSpec) -> Vec<u8> {
    let stride = u64::from(spec.stride);
    let value = |i: u64| match spec.format {
        PixelFormat::Rgb888 => 90 + (i % stride) / 3 * 3,
        _ => 90 + (i % stride) * 3,
    };
    (0..spec.byte_len()).map(|i| value(i) as u8).collect()
}

fn gate_and<T>(act: impl FnOnce(&mut Gate<'_>) -> T) -> T {
    let model = Model::load(PARTS).unwrap();
    let mut workspace = Workspace::for_model(&model);
    act(&mut Gate::new(model, &mut workspace).unwrap())
}

#[test]
fn an_included_gate_has_memory_for_its_frames() {
    let mut gate = Parts::take().unwrap();
    let spec = FrameSpec::new(PixelFormat::Grey8, 20, 12);
    let bytes = scene(&spec);
    let frame = Frame::new(spec, &bytes).unwrap();
    assert_eq!(gate.decide_frame(&frame), Ok(Decision::Accept));
    let black = vec![0; bytes.len()];
    let frame = Frame::new(spec, &black).unwrap();
    assert_eq!(gate.decide_frame(&frame), Ok(Decision::Reject));
}

#[test]
fn a_frame_is_assessed_as_the_input_that_it_becomes() {
    for format in [PixelFormat::Grey8, PixelFormat::Rgb888] {
        let spec = FrameSpec::new(format, 20, 12);
        let spec = spec.with_stride(spec.stride + 3);
        let bytes = scene(&spec);
        let frame = Frame::new(spec, &bytes).unwrap();
        let model = Model::load(PARTS).unwrap();
        let Some(FrontEnd::Frames(reduction)) = model.artifact().front_end() else {
            panic!("no front end")
        };
        let mut sums = vec![0; reduction.accumulators()];
        let mut input = vec![0; 60];
        let mut reader = FrameReader::new(reduction, spec, &mut sums, &mut input).unwrap();
        reader.push_frame(&frame).unwrap();
        let input = reader.input().unwrap();
        gate_and(|gate| {
            let wanted = gate.assess(input).unwrap();
            assert_eq!(gate.assess_frame(&frame), Ok(wanted), "{format}");
            let mut rows = gate.frame(spec).unwrap();
            for y in 0..12 {
                assert_eq!(rows.missing(), 12 - y);
                rows.push_row(&frame.row(y)[..1]).unwrap();
            }
            assert_eq!(rows.assess(), Ok(wanted), "{format} by rows");
        });
    }
}

#[test]
fn a_frame_in_steps_is_the_frame_in_one_go_and_begins_anew() {
    let spec = FrameSpec::new(PixelFormat::Grey8, 20, 12);
    let bytes = scene(&spec);
    let frame = Frame::new(spec, &bytes).unwrap();
    gate_and(|gate| {
        let wanted = gate.assess_frame(&frame).unwrap();
        let mut input = gate.frame(spec).unwrap();
        (0..7).for_each(|_| input.push_row(&[&[0; 20]]).unwrap());
        // Another frame comes before that one is whole.
        input.restart();
        (0..12).for_each(|y| input.push_row(&frame.row(y)[..1]).unwrap());
        let mut evaluation = input.begin().unwrap();
        let mut steps = 0;
        let found = loop {
            steps += 1;
            if let Poll::Ready(found) = evaluation.poll(1) {
                break found;
            }
        };
        assert_eq!(found, wanted);
        assert!(steps > 2, "{steps}");
        let missing = FrameError::Unfinished { missing: 12 };
        assert_eq!(gate.frame(spec).unwrap().begin().err(), Some(missing));
    });
}

#[test]
fn what_is_wrong_with_a_frame_is_said() {
    let spec = FrameSpec::new(PixelFormat::Grey8, 20, 12);
    let bytes = scene(&spec);
    assert_eq!(
        Frame::new(spec.with_stride(19), &bytes).err(),
        Some(FrameError::Stride { least: 20 })
    );
    let truncated = FrameError::Truncated {
        needed: 240,
        found: 239,
    };
    assert_eq!(Frame::new(spec, &bytes[1..]).err(), Some(truncated));
    gate_and(|gate| {
        let mut error = |spec| gate.frame(spec).err();
        assert_eq!(
            error(spec.with_stride(19)),
            Some(FrameError::Stride { least: 20 })
        );
        // The region reaches to column 18 and row 12.
        let small = FrameSpec::new(PixelFormat::Grey8, 17, 12);
        assert_eq!(error(small), Some(FrameError::Region));
        assert_eq!(
            error(FrameSpec::new(PixelFormat::Grey8, 20, 11)),
            Some(FrameError::Region)
        );
        assert_eq!(
            error(FrameSpec::new(PixelFormat::Grey8, 0, 12)),
            Some(FrameError::Size)
        );
        assert_eq!(
            error(FrameSpec::new(PixelFormat::Rggb8, 20, 12)),
            Some(FrameError::Mosaic)
        );
        let mut rows = gate.frame(spec).unwrap();
        let short = FrameError::Row {
            needed: 20,
            found: 19,
        };
        assert_eq!(rows.push_row(&[&bytes[..19]]), Err(short));
        assert_eq!(rows.push_row(&[]), Err(FrameError::Planes { needed: 1 }));
        assert_eq!(rows.decide(), Err(FrameError::Unfinished { missing: 12 }));
    });
}

#[test]
fn a_model_without_front_end_or_memory_takes_no_frames() {
    let spec = FrameSpec::new(PixelFormat::Grey8, 20, 12);
    let model = Model::load(PUMP).unwrap();
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace).unwrap();
    assert_eq!(gate.frame(spec).err(), Some(FrameError::NoFrontEnd));
    let mut without = FixedWorkspace::<1024, 4096>::new();
    let mut gate = Gate::open(PARTS, &mut without).unwrap();
    assert_eq!(gate.frame(spec).err(), Some(FrameError::Memory));
}
