//! A normal blur that loses nothing at the edges.

/// Weights reach so many deviations.
const REACH: f64 = 3.0;

/// Every value strewn over its neighbours; the sum stays what it was.
pub(super) fn smoothed(values: &[f64], [height, width]: [usize; 2], deviation: f64) -> Vec<f64> {
    let strewn_along = |values: &[f64], count: usize, stride: usize, starts: &[usize]| {
        let weights = weights(count, deviation);
        let mut out = vec![0.0; values.len()];
        for &start in starts {
            for (from, line) in weights.iter().enumerate() {
                let value = values[start + from * stride];
                for &(to, weight) in line {
                    out[start + to * stride] += weight * value;
                }
            }
        }
        out
    };
    let rows: Vec<usize> = (0..height).map(|y| y * width).collect();
    let columns: Vec<usize> = (0..width).collect();
    let across = strewn_along(values, width, 1, &rows);
    strewn_along(&across, height, width, &columns)
}

/// Of every place: where its value goes and how much of it; together one.
fn weights(count: usize, deviation: f64) -> Vec<Vec<(usize, f64)>> {
    let reach = (REACH * deviation).ceil() as usize;
    let of_place = |from: usize| {
        let near = from.saturating_sub(reach)..(from + reach + 1).min(count);
        let weight = |to: usize| {
            let distance = (to.abs_diff(from) as f64) / deviation.max(f64::MIN_POSITIVE);
            (to, (-distance * distance / 2.0).exp())
        };
        let line: Vec<(usize, f64)> = near.map(weight).collect();
        let sum: f64 = line.iter().map(|(_, weight)| weight).sum();
        line.into_iter().map(|(to, w)| (to, w / sum)).collect()
    };
    (0..count).map(of_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_a_peak_stays_where_it_is() {
        for at in [0, 17, 34] {
            let mut values = vec![0.0; 35];
            values[at] = 2.0;
            let out = smoothed(&values, [5, 7], 1.2);
            assert!((out.iter().sum::<f64>() - 2.0).abs() < 1e-12);
            let top = (0..35).max_by(|&a, &b| out[a].total_cmp(&out[b]));
            assert!(out[at] < 1.5 && (at != 17 || top == Some(17)), "{out:?}");
        }
    }

    #[test]
    fn a_deviation_of_zero_changes_nothing() {
        let values: Vec<f64> = (0..6).map(f64::from).collect();
        assert_eq!(smoothed(&values, [2, 3], 0.0), values);
    }
}
