//! Rows that the kernel may compute.

use crate::kernels::row::Row;
use crate::plan::Activation;

/// A row that fits, with something to multiply and an activation that a bound can express.
pub(super) struct Checked<'r, 't> {
    row: &'r mut Row<'t, i16>,
    least: i32,
}

impl<'r, 't> Checked<'r, 't> {
    /// The row, if it is such a one.
    #[inline(always)]
    pub(super) fn new(row: &'r mut Row<'t, i16>) -> Option<Self> {
        let least = match row.activation {
            Activation::Identity => -0x1_0000,
            Activation::Relu => 0,
            Activation::LeakyRelu => return None,
        };
        let empty = row.window.runs().is_empty() || row.window.run_len() == 0;
        (!empty && row.fits()).then_some(Self { row, least })
    }

    /// The row.
    #[inline(always)]
    pub(super) fn row(&self) -> &Row<'t, i16> {
        self.row
    }

    /// Where the row's outputs go.
    #[inline(always)]
    pub(super) fn target(&mut self) -> *mut i16 {
        self.row.target.as_mut_ptr()
    }

    /// Least value before the residual is added.
    #[inline(always)]
    pub(super) fn least(&self) -> i32 {
        self.least
    }
}
