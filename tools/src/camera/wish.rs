//! What a device is asked for.

use flow_infer::front_end::PixelFormat;

/// What a device is asked for, as far as anything was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) format: Option<PixelFormat>,
    pub(super) size: Option<(u16, u16)>,
    pub(super) rate: Option<f64>,
}
