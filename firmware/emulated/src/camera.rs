//! A camera whose rows come out of a file of the host.

use crate::host::HostFile;
use crate::memory::{ROW, take};
use flow_infer::front_end::{FrameSpec, PixelFormat};
use flowgate_app::Stop;

/// Where the row of a frame lies while it is looked at.
pub(crate) struct Camera {
    memory: &'static mut [u8],
    spec: FrameSpec,
}

impl Camera {
    /// The camera, once.
    pub(crate) fn take() -> Result<Self, Stop> {
        Ok(Self {
            memory: take(&ROW)?,
            spec: FrameSpec::new(PixelFormat::Grey8, 0, 0),
        })
    }

    /// Begins a frame.
    pub(crate) fn begin(&mut self, spec: FrameSpec) {
        self.spec = spec;
    }

    /// The next row, plane by plane.
    pub(crate) fn row(&mut self, file: &HostFile) -> Result<[&[u8]; 3], Stop> {
        let bytes = |plane| match plane < self.spec.format.planes() {
            true => self.spec.row_bytes(plane) as usize,
            false => 0,
        };
        let [a, b, c] = [0, 1, 2].map(bytes);
        let row = self.memory.get_mut(..a + b + c).ok_or(Stop::InputSize)?;
        file.read_exact(row)?;
        let (first, rest) = row.split_at_checked(a).ok_or(Stop::InputSize)?;
        let (second, third) = rest.split_at_checked(b).ok_or(Stop::InputSize)?;
        Ok([first, second, third])
    }
}
