//! Rows out of two places that a DMA fills by turns, as fast or as slow as a camera is.

use flow_infer::front_end::YuvRange;
use flow_infer::{Frame, FrameSpec, Gate, Model, PixelFormat, Workspace};
use flowgate_sensors::{Captured, DoubleBuffer, Interface, Source, SourceError};

const PARTS: &[u8] = include_bytes!("../../../flow-infer/tests/data/parts.flow");
const SPEC: FrameSpec = FrameSpec::new(PixelFormat::Yuyv, 20, 12).with_range(YuvRange::Full);
const ROW: usize = 40;
const PATIENCE: u32 = 1000;

/// What a camera sends between two looks at the interface.
#[derive(Clone, Copy)]
enum Sends {
    Bytes(usize),
    Nothing,
    /// The rest of the frame, at once.
    All,
}

/// A camera that shows frame after frame, and the DMA of one frame from its beginning. Bytes tell frame and place.
struct Made {
    frames: Vec<Vec<u8>>,
    /// The frame that is being captured, and its bytes so far.
    frame: usize,
    sent: usize,
    places: [[u8; ROW]; 2],
    pace: Box<dyn FnMut(usize) -> Sends>,
    overrun: bool,
}

impl Made {
    fn new(frames: Vec<Vec<u8>>, pace: impl FnMut(usize) -> Sends + 'static) -> Self {
        Self {
            frames,
            frame: usize::MAX,
            sent: 0,
            places: [[0; ROW]; 2],
            pace: Box::new(pace),
            overrun: false,
        }
    }

    fn send(&mut self, count: usize) {
        let frame = &self.frames[self.frame];
        for _ in 0..count.min(frame.len() - self.sent) {
            let (row, at) = (self.sent / ROW, self.sent % ROW);
            self.places[row % 2][at] = frame[self.sent];
            self.sent += 1;
        }
    }
}

impl Interface for Made {
    fn start(&mut self) {
        self.frame = self.frame.wrapping_add(1);
        self.sent = 0;
    }

    fn captured(&mut self) -> Captured {
        match (self.pace)(self.sent) {
            Sends::Bytes(count) => self.send(count),
            Sends::All => self.send(usize::MAX),
            Sends::Nothing => {}
        }
        Captured {
            rows: (self.sent / ROW) as u32,
            begun: self.sent % ROW != 0,
            ended: self.sent == self.frames[self.frame].len(),
            overrun: self.overrun,
        }
    }

    fn copy(&self, second: bool, row: &mut [u8]) {
        row.copy_from_slice(&self.places[usize::from(second)]);
    }
}

fn frame(number: usize, bytes: usize) -> Vec<u8> {
    (0..bytes)
        .map(|i| (90 + (7 * number + i) % 60) as u8)
        .collect()
}

/// A frame's bytes, or why it was lost.
fn next(source: &mut impl Source) -> Result<Vec<u8>, SourceError> {
    let spec = source.next_frame()?;
    let mut bytes = vec![];
    for _ in 0..spec.height {
        bytes.extend(source.row()?[0]);
    }
    Ok(bytes)
}

#[test]
fn frames_come_whole_at_any_pace_that_leaves_time_for_a_row() {
    for step in [1, 3, ROW / 2, ROW] {
        let whole = 12 * ROW;
        let frames = vec![frame(0, whole), frame(1, whole), frame(2, whole)];
        let made = Made::new(frames.clone(), move |_| Sends::Bytes(step));
        let mut memory = [0; ROW];
        let mut source = DoubleBuffer::new(made, &mut memory, SPEC, PATIENCE).unwrap();
        for frame in frames {
            // Two looks a row; a whole row between them, and its place is written again.
            match step == ROW {
                true => assert_eq!(next(&mut source), Err(SourceError::FrameLost)),
                false => assert_eq!(next(&mut source), Ok(frame), "step {step}"),
            }
        }
    }
}

#[test]
fn a_gate_says_of_rows_what_it_says_of_the_frame() {
    let model = Model::load(PARTS).unwrap();
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace).unwrap();
    let bytes = frame(3, 12 * ROW);
    let wanted = gate.assess_frame(&Frame::new(SPEC, &bytes).unwrap());
    let made = Made::new(vec![bytes], |_| Sends::Bytes(7));
    let mut memory = [0; ROW];
    let mut source = DoubleBuffer::new(made, &mut memory, SPEC, PATIENCE).unwrap();
    let mut rows = gate.frame(source.next_frame().unwrap()).unwrap();
    while rows.missing() > 0 {
        rows.push_row(&source.row().unwrap()[..1]).unwrap();
    }
    assert_eq!(rows.assess(), Ok(wanted.unwrap()));
}

#[test]
fn rows_that_come_too_fast_are_a_lost_frame_and_the_next_one_is_whole() {
    let whole = 12 * ROW;
    let (first, second) = (frame(0, whole), frame(1, whole));
    // From the fifth row of the first frame on, everything comes at once.
    let mut burst = true;
    let pace = move |sent: usize| match burst && sent >= 4 * ROW {
        true => {
            burst = false;
            Sends::All
        }
        false => Sends::Bytes(10),
    };
    let made = Made::new(vec![first, second.clone()], pace);
    let mut memory = [0; ROW];
    let mut source = DoubleBuffer::new(made, &mut memory, SPEC, PATIENCE).unwrap();
    assert_eq!(next(&mut source), Err(SourceError::FrameLost));
    assert_eq!(next(&mut source), Ok(second));
}

#[test]
fn frames_of_another_size_are_lost() {
    let whole = 12 * ROW;
    let sizes = [whole - ROW, whole - 1, whole + 1, whole + ROW, 0];
    let frames = sizes.iter().enumerate();
    let mut frames: Vec<_> = frames.map(|(n, &size)| frame(n, size)).collect();
    frames.push(frame(9, whole));
    let made = Made::new(frames.clone(), |_| Sends::Bytes(10));
    let mut memory = [0; ROW];
    let mut source = DoubleBuffer::new(made, &mut memory, SPEC, PATIENCE).unwrap();
    for size in sizes {
        let lost = next(&mut source);
        assert_eq!(lost, Err(SourceError::FrameLost), "{size} bytes");
    }
    assert_eq!(next(&mut source), Ok(frames[5].clone()));
}

#[test]
fn an_overrun_is_a_lost_frame() {
    let mut made = Made::new(vec![frame(0, 12 * ROW)], |_| Sends::Bytes(10));
    made.overrun = true;
    let mut memory = [0; ROW];
    let mut source = DoubleBuffer::new(made, &mut memory, SPEC, PATIENCE).unwrap();
    assert_eq!(next(&mut source), Err(SourceError::FrameLost));
}

#[test]
fn a_camera_that_falls_silent_has_failed() {
    let pace = |sent| match sent >= 3 * ROW {
        true => Sends::Nothing,
        false => Sends::Bytes(10),
    };
    let made = Made::new(vec![frame(0, 12 * ROW)], pace);
    let mut memory = [0; ROW];
    let mut source = DoubleBuffer::new(made, &mut memory, SPEC, PATIENCE).unwrap();
    assert_eq!(next(&mut source), Err(SourceError::Device));
}

#[test]
fn several_planes_and_large_rows_are_refused() {
    let refused = |spec, bytes: usize| {
        let (made, mut memory) = (Made::new(vec![], |_| Sends::Nothing), vec![0; bytes]);
        DoubleBuffer::new(made, &mut memory, spec, PATIENCE).err()
    };
    assert_eq!(refused(SPEC, ROW), None);
    assert_eq!(refused(SPEC, ROW - 1), Some(SourceError::OtherInput));
    let planes = FrameSpec::new(PixelFormat::Nv12, 20, 12);
    assert_eq!(refused(planes, 4 * ROW), Some(SourceError::OtherInput));
}
