//! What is kept of a coupling from row to row.

use super::super::groups::Room;
use super::super::row::Row;
use super::pack::PackedPairs;
use super::winograd::Winograd;

/// A coupling's weights, as rows are multiplied with them and transformed.
#[derive(Debug)]
pub struct PackedWeights {
    pub(super) pairs: PackedPairs,
    pub(super) winograd: Winograd,
}

impl Default for PackedWeights {
    #[inline(always)]
    fn default() -> Self {
        Self {
            pairs: PackedPairs::default(),
            winograd: Winograd::default(),
        }
    }
}

impl Room for PackedWeights {
    #[inline]
    fn takes(row: &Row<'_, i16>) -> bool {
        PackedPairs::takes(row)
    }
}
