//! Streams as they come: whole, torn, with other sizes in the middle, and with headers that lie.

use super::inputs::Inputs;
use super::raw::Raw;
use super::y4m::Y4m;
use super::{Arrival, Camera, RowSink, Sink, Step};
use flow_infer::front_end::{Frame, FrameSpec, PixelFormat, Reduction, Region};
use flow_infer::spec::Shape;
use flow_train_host::data::reduce::Reducer;
use std::io::{BufReader, Cursor, Read};
use std::time::Duration;

fn input(bytes: Vec<u8>) -> BufReader<Box<dyn Read + Send>> {
    // A small buffer, so that words lie across its end.
    BufReader::with_capacity(11, Box::new(Cursor::new(bytes)))
}

fn video(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Keeps a frame's first row.
struct FirstRow(Option<Vec<u8>>);

impl Sink for FirstRow {
    fn frame(&mut self, frame: &Frame<'_>, arrival: Arrival) {
        assert!(arrival.began <= arrival.complete);
        self.0 = Some(frame.row(0)[0].to_vec());
    }

    fn rows(&mut self, _: FrameSpec) -> Option<Box<dyn RowSink + '_>> {
        None
    }
}

/// What comes, frames as their first rows, up to the end.
fn all(camera: &mut dyn Camera) -> (Vec<Result<Vec<u8>, String>>, Option<String>) {
    let mut found = Vec::new();
    loop {
        let mut first = FirstRow(None);
        match camera.step(&mut first) {
            Ok(Step::Frame) => found.push(Ok(first.0.expect("a frame is handed over"))),
            Ok(Step::Fault(what)) => found.push(Err(what)),
            Ok(Step::End) => return (found, None),
            Ok(step) => panic!("{step:?}"),
            Err(error) => return (found, Some(error.to_string())),
        }
    }
}

fn stream(bytes: Vec<u8>, waits: bool) -> Y4m {
    Y4m::new("line".to_owned(), input(bytes), waits).unwrap()
}

const HEADER: &[u8] = b"YUV4MPEG2 W3 H1 F25:2 Cmono\n";

#[test]
fn whole_frames_come_one_by_one() {
    let bytes = video(&[HEADER, b"FRAME\nabcFRAME Ip\nde\nFRAME\nFRA"]);
    for waits in [false, true] {
        let mut stream = stream(bytes.clone(), waits);
        assert_eq!(stream.interval(), Some(Duration::from_millis(80)));
        let (frames, error) = all(&mut stream);
        let wanted = [b"abc", b"de\n", b"FRA"].map(|frame| Ok(frame.to_vec()));
        assert_eq!((frames.as_slice(), error), (&wanted[..], None));
    }
}

#[test]
fn a_torn_frame_is_said_and_the_stream_goes_on() {
    let bytes = video(&[HEADER, b"FRAME\nabcFRAME\nxFRAME\nefgFRAME\nhij"]);
    let (frames, _) = all(&mut stream(bytes.clone(), false));
    let texts: Vec<_> = frames.iter().map(|f| f.as_deref().ok()).collect();
    // The torn one swallows the head of the next, which is lost with it.
    assert_eq!(texts, [Some(&b"abc"[..]), None, None, Some(b"hij")]);
    assert!(
        frames[1].as_ref().unwrap_err().contains("byte 43"),
        "{frames:?}"
    );
    // Where looking ahead means waiting, that is known a frame later.
    let (frames, _) = all(&mut stream(bytes, true));
    let texts: Vec<_> = frames.iter().map(|f| f.as_deref().ok()).collect();
    assert_eq!(texts, [Some(&b"abc"[..]), Some(b"xFR"), None, Some(b"hij")]);
}

#[test]
fn another_header_in_the_middle_is_another_size() {
    let bytes = video(&[
        HEADER,
        b"FRAME\nabc",
        b"YUV4MPEG2 W1 H1 Cmono\n",
        b"FRAME\nd",
    ]);
    let (frames, error) = all(&mut stream(bytes, false));
    assert_eq!(frames[0], Ok(b"abc".to_vec()));
    assert!(
        frames[1].as_ref().unwrap_err().contains("1x1"),
        "{frames:?}"
    );
    assert_eq!((frames[2].clone(), error), (Ok(b"d".to_vec()), None));
}

#[test]
fn an_end_within_a_frame_is_a_fault() {
    let (frames, error) = all(&mut stream(video(&[HEADER, b"FRAME\nab"]), true));
    assert_eq!((frames.len(), error), (1, None));
    let what = frames[0].as_ref().unwrap_err();
    assert!(what.contains("truncated: 2 bytes of 3"), "{what}");
}

#[test]
fn a_header_that_lies_ends_the_stream_after_some_frames() {
    let frames: Vec<u8> = b"FRAME\n01234567".repeat(100);
    let (frames, error) = all(&mut stream(video(&[HEADER, &frames]), false));
    assert!(frames.iter().all(Result::is_err) && frames.len() < 20);
    assert!(error.unwrap().contains("not 3x1 grey8"));
}

#[test]
fn headers_that_cannot_be_true_are_refused_by_their_byte() {
    for (header, said) in [
        (&b"YUV4MPEG2 W3 H1 C420p10\n"[..], "byte 16"),
        (b"YUV4MPEG2 W3\n", "byte 12"),
        (b"YUV4MPEG2 W32767 H32767 C444\n", "more than"),
        (&[b'Y'; 5000], "byte 0"),
    ] {
        let refused = Y4m::new("line".to_owned(), input(header.to_vec()), false);
        let error = refused.err().expect("refused").to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn raw_frames_lie_one_behind_the_other() {
    let spec = FrameSpec::new(PixelFormat::Grey8, 2, 2);
    let mut raw = Raw::new("line".to_owned(), input(b"abcdefghi".to_vec()), spec);
    let (frames, error) = all(&mut raw);
    assert_eq!(frames[..2], [Ok(b"ab".to_vec()), Ok(b"ef".to_vec())]);
    assert!(frames[2].as_ref().unwrap_err().contains("1 bytes of 4"));
    assert_eq!(error, None);
}

/// Two views of two frames and a piece of a third, as text, and the last step.
fn views(spec: FrameSpec, whole: bool) -> (Vec<String>, Step) {
    let len = spec.byte_len() as usize;
    let bytes: Vec<u8> = (0..len * 5 / 2).map(|at| (at * 7 % 251) as u8).collect();
    let mut raw = Raw::new("line".to_owned(), input(bytes), spec);
    let all = Reduction::to(Shape::new(1, 2, 2));
    let right = Reduction {
        region: Some(Region {
            x: 3,
            y: 0,
            width: 3,
            height: 4,
        }),
        ..all
    };
    let mut reducers = [all, right].map(|reduction| Reducer::new(&reduction).unwrap());
    let mut found = Vec::new();
    loop {
        let mut inputs = Inputs::new(&mut reducers, whole);
        let step = raw.step(&mut inputs).unwrap();
        let Some(frame) = inputs.found else {
            return (found, step);
        };
        assert_eq!(step, Step::Frame);
        assert!(frame.arrival.began <= frame.arrival.complete);
        assert_eq!(frame.whole.is_some(), whole, "{spec:?}");
        found.push(format!("{:?} {:?}", frame.spec, frame.inputs));
    }
}

#[test]
fn rows_as_they_come_give_the_inputs_of_whole_frames() {
    for format in PixelFormat::ALL {
        // The second size has too few columns for the region of the second view.
        for (width, height) in [(6, 4), (4, 4)] {
            let spec = FrameSpec::new(format, width, height);
            let (by_rows, end) = views(spec, false);
            let whole = views(spec, true);
            assert_eq!(by_rows.len(), 2, "{format}");
            assert_eq!((&by_rows, &end), (&whole.0, &whole.1), "{format} {width}");
            assert!(
                matches!(&end, Step::Fault(what) if what.contains("truncated")),
                "{end:?}"
            );
        }
    }
}
