//! What a new firmware decides about before it has a sensor.

use crate::frames;
use crate::inputs::{self, Limit};
use crate::reading::Reading;
use anyhow::{Context, Result};
use flow_infer::artifact::Artifact;
use flow_infer::front_end::{Frame, FrameSpec, PixelFormat, Reduction, Region};
use flow_train_host::data::picture::{self, Picture};
use flow_train_host::files::one_line;
use std::path::Path;

/// A frame made of a golden vector is not larger.
const MOST_BYTES: u64 = 16 * 1024;
/// Between black and white.
const EVEN: u8 = 128;

/// An input, or the rows of a frame as a camera delivers them.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) bytes: Vec<u8>,
    /// What it is called.
    pub(super) what: String,
    /// Of a frame: what it is.
    pub(super) frame: Option<FrameSpec>,
}

impl Example {
    /// The first item of a data set, or else the input of a golden vector.
    pub(super) fn of(artifact: &Artifact<'_>, path: Option<&Path>) -> Result<Self> {
        let reduction = frames::reduction(artifact.front_end());
        match (path, reduction) {
            (Some(path), Some(reduction)) => Self::picture(path, &reduction),
            (Some(path), None) => Self::item(path, artifact),
            (None, reduction) => Self::golden(artifact, reduction),
        }
    }

    fn picture(path: &Path, reduction: &Reduction) -> Result<Self> {
        let (spec, bytes) = frame_of(&picture::load(path)?)?;
        let fits = reduction.region_of(&spec);
        fits.with_context(|| one_line(path).to_string())?;
        Ok(Self {
            bytes,
            what: format!("the picture {}", super::file_name(path)),
            frame: Some(spec),
        })
    }

    fn item(path: &Path, artifact: &Artifact<'_>) -> Result<Self> {
        let data = inputs::load(path, &Reading::default(), Limit::some(0, 1), artifact)?;
        Ok(Self {
            bytes: data.input_bytes(0).into_owned(),
            what: format!("the first input of {}", super::file_name(path)),
            frame: None,
        })
    }

    fn golden(artifact: &Artifact<'_>, reduction: Option<Reduction>) -> Result<Self> {
        let vector = artifact.golden().next();
        let input = vector.map(|vector| vector.input);
        let input = input.context("no golden vector to take an example from; --example has one")?;
        let Some(reduction) = reduction else {
            return Ok(Self {
                bytes: input.to_vec(),
                what: "the input of a golden vector".to_owned(),
                frame: None,
            });
        };
        let spec = reduction.frame.unwrap_or(least_frame(&reduction));
        let own = reduction.frame.is_none() && spec.byte_len() <= MOST_BYTES;
        let (bytes, what) = match own {
            true => (
                enlarged(input, &reduction, &spec),
                "a golden vector as a frame",
            ),
            false => (even_row(&spec), "an even frame"),
        };
        Ok(Self {
            bytes,
            what: what.to_owned(),
            frame: Some(spec),
        })
    }
}

/// A picture in the order of a camera: grey, or red, green and blue of one pixel after the other.
fn frame_of(picture: &Picture) -> Result<(FrameSpec, Vec<u8>)> {
    let size = picture.size;
    let format = format_of(size.channels as usize);
    let spec = FrameSpec::new(format, size.width.try_into()?, size.height.try_into()?);
    let plane = picture.pixels.len() / (size.channels as usize).max(1);
    let pixels = (0..plane).flat_map(|i| picture.pixels.iter().skip(i).step_by(plane));
    let bytes: Vec<u8> = pixels.copied().collect();
    Frame::new(spec, &bytes)?;
    Ok((spec, bytes))
}

fn format_of(channels: usize) -> PixelFormat {
    match channels {
        1 => PixelFormat::Grey8,
        _ => PixelFormat::Rgb888,
    }
}

/// The smallest frame that a model for frames of any size reads.
fn least_frame(reduction: &Reduction) -> FrameSpec {
    let Region {
        x,
        y,
        width,
        height,
    } = region(reduction);
    let format = format_of(reduction.output.channels.into());
    FrameSpec::new(format, x.saturating_add(width), y.saturating_add(height))
}

fn region(reduction: &Reduction) -> Region {
    reduction.region.unwrap_or(Region {
        x: 0,
        y: 0,
        width: reduction.output.width,
        height: reduction.output.height,
    })
}

/// A frame whose region shows an input, every pixel of it as a patch.
fn enlarged(input: &[u8], reduction: &Reduction, spec: &FrameSpec) -> Vec<u8> {
    let (region, output) = (region(reduction), reduction.output);
    let [channels, height, width] = [output.channels, output.height, output.width].map(usize::from);
    let [columns, rows] = [region.width, region.height].map(usize::from);
    let mut bytes = Vec::new();
    for y in 0..spec.height {
        for x in 0..spec.width {
            let inside = y.checked_sub(region.y).zip(x.checked_sub(region.x));
            for channel in 0..channels {
                let pixel = inside.and_then(|(y, x)| {
                    let (row, column) = (
                        usize::from(y) * height / rows,
                        usize::from(x) * width / columns,
                    );
                    input.get((channel * height + row) * width + column)
                });
                bytes.push(pixel.copied().unwrap_or(EVEN));
            }
        }
    }
    bytes
}

/// One row, which a camera can repeat.
fn even_row(spec: &FrameSpec) -> Vec<u8> {
    let planes = 0..spec.format.planes();
    let bytes: u32 = planes.map(|plane| spec.row_bytes(plane)).sum();
    vec![EVEN; bytes as usize]
}
