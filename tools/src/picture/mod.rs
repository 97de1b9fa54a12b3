//! Pictures of what a flow computes: colours, tiles, and figures of labelled tiles with a scale.

mod colour;
mod figure;
pub(crate) mod file;
mod raster;
pub(crate) mod tile;

pub(crate) use figure::{Band, Drawn, Figure, Row, Scale};
pub(crate) use raster::Raster;

/// The range that shows 995 of 1000 values without holding them, rounded up to two digits; 1 for
/// nothing but zeros.
pub(crate) fn range_of(values: impl Iterator<Item = f32>) -> f32 {
    let mut magnitudes: Vec<f32> = values.map(f32::abs).filter(|v| v.is_finite()).collect();
    magnitudes.sort_by(f32::total_cmp);
    let place = (magnitudes.len() as f64 * 0.995) as usize;
    let last = magnitudes.len().saturating_sub(1);
    match magnitudes.get(place.min(last)) {
        Some(&value) if value > 0.0 => rounded_up(value),
        _ => 1.0,
    }
}

fn rounded_up(value: f32) -> f32 {
    let unit = 10f64.powf(f64::from(value).log10().floor() - 1.0);
    // A hair less: what is round already stays as it is.
    ((f64::from(value) / unit - 1e-4).ceil() * unit) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_round() {
        let known = [(3.17, 3.2), (0.1, 0.1), (0.0123, 0.013), (250.0, 250.0)];
        for (value, range) in known {
            assert!((rounded_up(value) - range).abs() < 1e-6, "{value}");
        }
        assert_eq!(range_of([0.0, -0.0].into_iter()), 1.0);
        assert_eq!(range_of(std::iter::empty()), 1.0);
        let few_outliers = (0..1000).map(|i| if i == 7 { -99.0 } else { 1.0 });
        assert_eq!(range_of(few_outliers), 1.0);
    }
}
