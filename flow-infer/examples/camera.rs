//! A camera in a program of one's own: frames in, a decision each, an alarm that does not flicker, and drift.
//!
//! ```text
//! ffmpeg -i VIDEO -f rawvideo -pix_fmt yuyv422 -s 640x480 - |
//!     cargo run --release --example camera -- MODEL.flow 640 480
//! ```
//!
//! One thread waits for the camera and reduces its frames to what the model reads; this one decides. What
//! `flowgate watch` says of the same frames are the same integers.

use flow_infer::front_end::{Frame, FrameReader, FrameSpec, FrontEnd, PixelFormat, Reduction};
use flow_infer::spec::Shape;
use flow_infer::{Debounce, Gate, InputShape, Model, Workspace};
use std::error::Error;
use std::io::{Read, stdin};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Frames from one that the drift alarm gets to the next: they must not be too much alike.
const DRIFT_EVERY: usize = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, width, height] = arguments.as_slice() else {
        return Err("usage: camera MODEL.flow WIDTH HEIGHT < FRAMES.yuyv".into());
    };
    let camera = FrameSpec::new(PixelFormat::Yuyv, width.parse()?, height.parse()?);

    let bytes = std::fs::read(path)?;
    let model = Model::load(&bytes)?;
    let InputShape::Image {
        channels,
        height,
        width,
    } = model.input()
    else {
        return Err("the model reads no images".into());
    };
    // A model for frames says what it reads of them; another one gets the whole.
    let reduction = match model.artifact().front_end() {
        Some(FrontEnd::Frames(reduction)) => *reduction,
        _ => Reduction::to(Shape::new(channels, height, width)),
    };
    reduction.region_of(&camera)?;
    let mut workspace = Workspace::for_model(&model);
    let mut gate = Gate::new(model, &mut workspace)?;
    let mut debounce = Debounce::new(3, 5).ok_or("3 of 5")?;
    let mut drift = gate.drift_alarm(1_000_000);

    // At most two inputs wait: the camera is held back before memory grows.
    let (sender, inputs) = sync_channel(2);
    let reader = std::thread::spawn(move || {
        let read = read_frames(&reduction, camera, &sender);
        read.map_err(|error| error.to_string())
    });
    for (index, input) in inputs.iter().enumerate() {
        let said = gate.assess(input.as_slice())?;
        let alarm = debounce.push(said.decision);
        let due = index % DRIFT_EVERY == 0;
        let drifted = match &mut drift {
            Some(drift) if due => drift.push(said.score_raw),
            Some(drift) => drift.alarm(),
            None => false,
        };
        let (score, decision) = (said.score_raw, said.decision);
        println!("{index} {score} {decision:?} alarm {alarm} drift {drifted}");
    }
    reader.join().map_err(|_| "the reader is gone")??;
    Ok(())
}

/// Reads frames up to the end and hands their inputs on.
fn read_frames(
    reduction: &Reduction,
    camera: FrameSpec,
    to: &SyncSender<Vec<u8>>,
) -> Result<(), Box<dyn Error>> {
    let mut bytes = vec![0; camera.byte_len() as usize];
    let mut sums = vec![0; reduction.accumulators()];
    let mut input = vec![0; reduction.output.len()];
    while stdin().lock().read_exact(&mut bytes).is_ok() {
        let frame = Frame::new(camera, &bytes)?;
        FrameReader::new(reduction, camera, &mut sums, &mut input)?.push_frame(&frame)?;
        if to.send(input.clone()).is_err() {
            break;
        }
    }
    Ok(())
}
