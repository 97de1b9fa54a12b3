//! A frame that outlives the driver's buffer, its rows one behind the other.

use flow_infer::front_end::{Frame, FrameSpec, PixelFormat, Reduction, YuvRange};
use flow_infer::spec::Shape;
use flow_train_host::data::reduce::Reducer;

/// A copy of a frame without what a stride leaves between rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    spec: FrameSpec,
    bytes: Vec<u8>,
}

impl Whole {
    /// Copies a frame.
    pub(crate) fn of(frame: &Frame<'_>) -> Self {
        let old = frame.spec();
        let spec = FrameSpec::new(old.format, old.width, old.height).with_range(old.range);
        let planes = 0..spec.format.planes();
        let bytes = planes.flat_map(|plane| plane_of(frame, plane));
        Self {
            spec,
            bytes: bytes.flatten().copied().collect(),
        }
    }

    /// What its bytes mean.
    pub(crate) fn spec(&self) -> FrameSpec {
        self.spec
    }

    /// Its bytes as a frame of a y4m video; none where such a video cannot hold them as they are.
    pub(crate) fn planar(&self) -> Option<Vec<u8>> {
        let bytes = &self.bytes;
        let every = |offset: usize, step: usize| bytes.iter().skip(offset).step_by(step).copied();
        Some(match self.spec.format {
            PixelFormat::Grey8 | PixelFormat::I420 | PixelFormat::I422 | PixelFormat::I444 => {
                bytes.clone()
            }
            PixelFormat::Yuyv => self.unpacked([0, 1, 3]),
            PixelFormat::Uyvy => self.unpacked([1, 0, 2]),
            PixelFormat::Nv12 => {
                let luma = self.spec.columns() as usize * self.spec.rows() as usize;
                let (cb, cr) = (every(luma, 2), every(luma + 1, 2));
                bytes[..luma].iter().copied().chain(cb).chain(cr).collect()
            }
            _ => return None,
        })
    }

    /// Planes of pairs that lie as four bytes, Y, Cb and Cr at these offsets.
    fn unpacked(&self, [y, cb, cr]: [usize; 3]) -> Vec<u8> {
        let width = self.spec.columns() as usize;
        let rows = || self.bytes.chunks_exact(self.spec.row_bytes(0) as usize);
        let luma = rows().flat_map(|row| row.iter().skip(y).step_by(2).take(width));
        let chroma = |at| rows().flat_map(move |row| row.iter().skip(at).step_by(4));
        let all = luma.chain(chroma(cb)).chain(chroma(cr));
        all.copied().collect()
    }

    /// The first line of a y4m video of such frames; none where there can be none.
    pub(crate) fn y4m_header(&self, rate: Option<f64>) -> Option<String> {
        let colour = match self.spec.format {
            PixelFormat::Grey8 => "mono",
            PixelFormat::I420 | PixelFormat::Nv12 => "420jpeg",
            PixelFormat::I422 | PixelFormat::Yuyv | PixelFormat::Uyvy => "422",
            PixelFormat::I444 => "444",
            _ => return None,
        };
        let range = match self.spec.range {
            YuvRange::Full => "FULL",
            YuvRange::Limited => "LIMITED",
        };
        let (width, height) = (self.spec.width, self.spec.height);
        let rate = rate.map_or("0:0".to_owned(), |rate| {
            format!("{}:1000", (rate * 1000.0).round() as u64)
        });
        Some(format!(
            "YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C{colour} XCOLORRANGE={range}\n"
        ))
    }

    /// Its size with samples of grey, or of red, green and blue, as the front end of a model reads it.
    pub(crate) fn samples(&self) -> anyhow::Result<(png::ColorType, Vec<u8>)> {
        let frame = Frame::new(self.spec, &self.bytes)?;
        let (colour, channels) = match self.spec.format {
            PixelFormat::Grey8 => (png::ColorType::Grayscale, 1),
            _ => (png::ColorType::Rgb, 3),
        };
        let shape = Shape::new(channels, self.spec.height, self.spec.width);
        let mut reducer = Reducer::new(&Reduction::to(shape))?;
        let planes = reducer.frame(&frame)?;
        let plane = planes.len() / usize::from(channels);
        let pixel = |at: usize| planes.iter().skip(at).step_by(plane).copied();
        Ok((colour, (0..plane).flat_map(pixel).collect()))
    }
}

/// The rows of a plane.
fn plane_of<'b>(frame: &Frame<'b>, plane: usize) -> impl Iterator<Item = &'b [u8]> {
    let spec = frame.spec();
    let rows = spec.format.plane_rows(plane, spec.rows());
    // Row y of the pixels whose row of this plane is the one asked for.
    let step = match spec.format.plane_row(plane, 2) {
        1 => 2,
        _ => 1,
    };
    let frame = *frame;
    (0..rows).map(move |row| frame.row(row * step)[plane])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(format: PixelFormat, width: u16, height: u16) -> Whole {
        let spec = FrameSpec::new(format, width, height);
        let bytes: Vec<u8> = (0..spec.byte_len())
            .map(|at| (at * 7 % 251) as u8)
            .collect();
        Whole::of(&Frame::new(spec, &bytes).unwrap())
    }

    /// What a model of three colours reads of a frame.
    fn read(spec: FrameSpec, bytes: &[u8]) -> Vec<u8> {
        let shape = Shape::new(3, spec.height, spec.width);
        let mut reducer = Reducer::new(&Reduction::to(shape)).unwrap();
        let frame = Frame::new(spec, bytes).unwrap();
        reducer.frame(&frame).unwrap().to_vec()
    }

    #[test]
    fn a_frame_in_a_video_is_read_as_it_was() {
        for format in PixelFormat::ALL {
            for (width, height) in [(6, 4), (5, 3)] {
                let whole = whole(format, width, height);
                let Some(planar) = whole.planar() else {
                    assert!(!format.is_yuv() && whole.y4m_header(None).is_none());
                    continue;
                };
                let header = whole.y4m_header(Some(25.0)).unwrap();
                let header = flow_train_host::data::y4m::header(header.trim_end().as_bytes());
                let header = header.unwrap();
                assert_eq!(header.rate, Some(25.0));
                assert_eq!(planar.len() as u64, header.spec.byte_len(), "{format}");
                let range = header.spec.range;
                assert_eq!(range, whole.spec.range, "{format}");
                let found = read(header.spec, &planar);
                assert_eq!(found, read(whole.spec, &whole.bytes), "{format}");
            }
        }
    }

    #[test]
    fn nothing_of_a_stride_is_kept() {
        let tight = FrameSpec::new(PixelFormat::I420, 4, 4);
        let wide = tight.with_stride(8);
        let mut bytes = vec![0xee; wide.byte_len() as usize];
        let (mut next, mut wanted) = (0u8, Vec::new());
        for (start, rows, len, stride) in [(0, 4, 4, 8), (32, 2, 2, 4), (40, 2, 2, 4)] {
            for row in 0..rows {
                for byte in &mut bytes[start + row * stride..][..len] {
                    next += 1;
                    *byte = next;
                    wanted.push(next);
                }
            }
        }
        let whole = Whole::of(&Frame::new(wide, &bytes).unwrap());
        assert_eq!((whole.spec, &whole.bytes), (tight, &wanted));
    }
}
