//! Two networks of the same input, one for the scales and one for the shifts, as a single one.

use super::Dense;
use crate::convert::ConvertError;

/// One of the two: its layers, and which of its outputs are wanted, each times a factor.
pub(in crate::convert) struct Side {
    pub(in crate::convert) layers: Vec<Dense>,
    pub(in crate::convert) rows: Vec<(usize, f32)>,
}

/// Layers that give the first's outputs, then the second's; both read only these of their inputs.
///
/// # Errors
/// [`ConvertError::Unsupported`] for different numbers of layers or too few outputs, of the networks under a key.
pub(in crate::convert) fn side_by_side(
    scale: &Side,
    shift: &Side,
    columns: &[usize],
    at: &str,
) -> Result<Vec<Dense>, ConvertError> {
    let fits = |side: &Side| {
        let (first, last) = (side.layers.first(), side.layers.last());
        first.is_some_and(|first| columns.iter().all(|&column| column < first.inputs))
            && last.is_some_and(|last| side.rows.iter().all(|&(row, _)| row < last.outputs))
    };
    if scale.layers.len() != shift.layers.len() || !fits(scale) || !fits(shift) {
        let why = format!("the two networks under {at}* are not of the same form");
        return Err(ConvertError::Unsupported(why));
    }
    let last = scale.layers.len() - 1;
    let pairs = scale.layers.iter().zip(&shift.layers).enumerate();
    let layers = pairs.map(|(k, (s, t))| match k {
        0 => s.columns(columns).over(&t.columns(columns)),
        _ if k == last => s.rows(&scale.rows).beside(&t.rows(&shift.rows)),
        _ => s.beside(t),
    });
    Ok(layers.collect())
}
