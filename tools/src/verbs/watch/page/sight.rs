//! What a model looks at, and pictures of it.

use super::super::decider::Input;
use super::super::latency::Latencies;
use super::super::tally::Tally;
use crate::picture::file::encode;
use crate::traces::{Traces, rate};
use flow_infer::artifact::Artifact;
use flow_infer::spec::Shape;
use flow_train_host::heat::heat;
use flow_train_host::windows::WindowSpec;
use serde::Serialize;
use std::time::Duration;

/// Without an input for so long, its source is not well.
const SILENCE: Duration = Duration::from_secs(10);
/// Samples that may be missing of a sensor that is slower than that.
const MISSING: f64 = 3.0;

/// What is decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// Of a camera.
    Frame,
    /// Of a sensor.
    Window,
}

/// What a model looks at.
#[derive(Clone, Debug)]
pub(crate) enum Sight {
    /// Frames of this shape; the file, for heat maps.
    Frames { shape: Shape, file: Vec<u8> },
    /// Windows of a sensor; no heat maps, which need windows that the model was made of.
    Windows(Traces),
}

/// A picture and its media type.
pub(super) type Picture = (&'static str, Vec<u8>);

impl Unit {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Window => "window",
        }
    }

    /// What a source is waited for.
    pub(super) fn awaited(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Window => "sample",
        }
    }

    /// What its pictures end in.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Frame => "png",
            Self::Window => "svg",
        }
    }

    /// How many there were. A frame that was torn came all the same; what is between two windows is none.
    pub(super) fn counted(self, tally: &Tally) -> u64 {
        match self {
            Self::Frame => tally.frames,
            Self::Window => tally.inputs(),
        }
    }

    /// The stages that take time: samples come one by one, and nothing is read or reduced as a whole.
    pub(super) fn stages(self, tally: &Tally) -> Vec<(&'static str, &Latencies)> {
        let of_frames = match self {
            Self::Frame => 0,
            Self::Window => 2,
        };
        tally.stages().into_iter().skip(of_frames).collect()
    }
}

impl Sight {
    pub(super) fn unit(&self) -> Unit {
        match self {
            Self::Frames { .. } => Unit::Frame,
            Self::Windows(_) => Unit::Window,
        }
    }

    pub(super) fn windows(&self) -> Option<&WindowSpec> {
        match self {
            Self::Frames { .. } => None,
            Self::Windows(traces) => Some(&traces.spec),
        }
    }

    /// How long a source may be silent.
    pub(super) fn patience(&self) -> Duration {
        let period = self.windows().and_then(rate).map(f64::recip);
        SILENCE.max(Duration::from_secs_f64(MISSING * period.unwrap_or(0.0)))
    }

    /// Learns the scale in which an input is to be drawn.
    pub(super) fn follow(&mut self, input: &Input) {
        if let (Self::Windows(traces), Input::Window(samples)) = (self, input) {
            traces.follow(samples);
        }
    }

    /// An input as the model sees it.
    pub(super) fn picture(&self, input: &Input) -> Option<Picture> {
        match (self, input) {
            (Self::Frames { shape, .. }, Input::Frame(bytes)) => {
                Some(("image/png", png(*shape, bytes)?))
            }
            (Self::Windows(traces), Input::Window(samples)) => {
                let svg = traces.picture(samples).to_string();
                Some(("image/svg+xml", svg.into_bytes()))
            }
            _ => None,
        }
    }

    /// Where an input is odd: the redder the odder, the bluer the more usual.
    pub(super) fn heat(&self, input: &Input) -> Option<Picture> {
        match (self, input) {
            (Self::Frames { file, .. }, Input::Frame(bytes)) => {
                Some(("image/png", heat_png(file, bytes)?))
            }
            _ => None,
        }
    }
}

/// Where an input is odd, as a picture.
fn heat_png(file: &[u8], input: &[u8]) -> Option<Vec<u8>> {
    let artifact = Artifact::load(file).ok()?;
    let map = heat(&artifact, input).ok()?;
    let most = map.nats.iter().fold(1.0f32, |most, v| most.max(v.abs()));
    let pixel = |&nats: &f32| {
        let pale = (255.0 * (1.0 - nats.abs() / most)) as u8;
        match nats > 0.0 {
            true => [255, pale, pale],
            false => [pale, pale, 255],
        }
    };
    let pixels: Vec<u8> = map.nats.iter().flat_map(pixel).collect();
    encode((map.width, map.height), png::ColorType::Rgb, &pixels).ok()
}

/// An input as a picture: its planes interleaved.
fn png(shape: Shape, input: &[u8]) -> Option<Vec<u8>> {
    let (height, width) = (usize::from(shape.height), usize::from(shape.width));
    let plane = height * width;
    let colour = match shape.channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    };
    let channels = usize::from(shape.channels);
    let at = |place: usize| (0..channels).filter_map(move |c| input.get(c * plane + place));
    let samples: Vec<u8> = (0..plane).flat_map(at).copied().collect();
    encode((width, height), colour, &samples).ok()
}
