//! Frames out of a stream, as a gate reads them.

use flow_infer::{Frame, FrameSpec, Gate, Model, PixelFormat, Workspace};
use flowgate_sensors::{Camera, Source, SourceError};

const PARTS: &[u8] = include_bytes!("../../../flow-infer/tests/data/parts.flow");

/// Bytes in the order of a camera: of each row of pixels the row of each plane.
fn in_rows(frame: &Frame<'_>) -> Vec<u8> {
    let rows = 0..frame.spec().rows();
    rows.flat_map(|y| frame.row(y).concat()).collect()
}

#[test]
fn a_gate_says_of_rows_what_it_says_of_the_frame() {
    let model = Model::load(PARTS).unwrap();
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace).unwrap();
    for format in [
        PixelFormat::Grey8,
        PixelFormat::Yuyv,
        PixelFormat::Nv12,
        PixelFormat::I420,
    ] {
        let spec = FrameSpec::new(format, 20, 12);
        let bytes: Vec<u8> = (0..spec.byte_len()).map(|i| (90 + i % 60) as u8).collect();
        let frame = Frame::new(spec, &bytes).unwrap();
        let wanted = gate.assess_frame(&frame).unwrap();
        let stream = in_rows(&frame);
        let mut memory = [0; 60];
        let mut camera = Camera::new(&stream[..], &mut memory, spec).unwrap();
        let mut rows = gate.frame(camera.next_frame().unwrap()).unwrap();
        while rows.missing() > 0 {
            let row = camera.row().unwrap();
            rows.push_row(&row[..format.planes()]).unwrap();
        }
        assert_eq!(rows.assess().unwrap(), wanted, "{format}");
        assert_eq!(camera.row().err(), Some(SourceError::End), "{format}");
    }
}

#[test]
fn a_stream_that_ends_within_a_row_is_a_failed_device() {
    let spec = FrameSpec::new(PixelFormat::Rgb888, 4, 2);
    let mut memory = [0; 12];
    let mut camera = Camera::new(&[7; 15][..], &mut memory, spec).unwrap();
    assert_eq!(camera.row().unwrap()[0], [7; 12]);
    assert_eq!(camera.row().err(), Some(SourceError::Device));
}

#[test]
fn a_row_needs_its_memory() {
    let spec = FrameSpec::new(PixelFormat::Rgb888, 4, 2);
    let too_small = Camera::new(&[][..], &mut [0; 11], spec).err();
    assert_eq!(too_small, Some(SourceError::OtherInput));
}
