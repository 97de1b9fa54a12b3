//! Weight norm: a weight as gain times direction / |direction|, one norm for each output or one of all values.
//!
//! PyTorch has two forms of it, `weight_g` and `weight_v`, and since 2.0 `parametrizations.weight.original0` and
//! `original1`; the second are given the names of the first.

use crate::model::Tensor;

/// The key of a weight's gain.
pub(super) fn gain(key: &str) -> String {
    format!("{key}_g")
}

/// The key of a weight's direction.
pub(super) fn direction(key: &str) -> String {
    format!("{key}_v")
}

/// The name in the first form of a key in the second.
pub(super) fn first_form(key: &str) -> Option<String> {
    let (module, rest) = match key.split_once("parametrizations.") {
        Some((module, rest)) if module.is_empty() || module.ends_with('.') => (module, rest),
        _ => return None,
    };
    let (name, part) = rest.split_once('.')?;
    match part {
        "original0" => Some(format!("{module}{}", gain(name))),
        "original1" => Some(format!("{module}{}", direction(name))),
        _ => None,
    }
}

/// The weight; `None` unless there is a gain for each of the first axis, or a single one.
pub(super) fn join(gain: &Tensor, direction: &Tensor) -> Option<Tensor> {
    let outputs = *direction.shape.first()?;
    let gains = gain.values.len();
    let each = gain.shape.first().copied() == Some(gains) && gains == outputs;
    if !(each || gains == 1) || direction.values.is_empty() {
        return None;
    }
    let values = direction
        .values
        .chunks_exact(direction.values.len() / gains);
    let values = values.zip(&gain.values).flat_map(|(row, &gain)| {
        let norm = row
            .iter()
            .map(|&v| f64::from(v).powi(2))
            .sum::<f64>()
            .sqrt();
        row.iter()
            .map(move |&v| (f64::from(gain) * f64::from(v) / norm) as f32)
    });
    Some(Tensor {
        shape: direction.shape.clone(),
        values: values.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor {
            shape: shape.to_vec(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn a_weight_is_gain_times_direction() {
        let direction = tensor(&[2, 2], &[3.0, 4.0, 0.0, -2.0]);
        let each = join(&tensor(&[2, 1], &[10.0, 1.0]), &direction).unwrap();
        assert_eq!(each.values, [6.0, 8.0, 0.0, -1.0]);
        let whole = join(&tensor(&[], &[29f32.sqrt()]), &direction).unwrap();
        assert_eq!(whole.values, direction.values);
        assert_eq!(join(&tensor(&[3, 1], &[1.0; 3]), &direction), None);
    }

    #[test]
    fn new_keys_become_old_ones() {
        let old = |key| first_form(key);
        assert_eq!(
            old("a.parametrizations.weight.original0").unwrap(),
            "a.weight_g"
        );
        assert_eq!(
            old("parametrizations.weight.original1").unwrap(),
            "weight_v"
        );
        assert_eq!(old("a.parametrizations.weight.original"), None);
        assert_eq!(old("a.weight"), None);
    }
}
