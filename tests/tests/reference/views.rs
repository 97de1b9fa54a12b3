//! The engine's views against the reference's moving arrays: the same coordinate, found in two ways.

use flow_infer::spec::{StepSpec, View};
use flow_reference::{Array, parts, squeeze};
use flow_tests::models;

/// Walks a flow whose latent holds its own positions, and compares every array with the view of its step.
#[test]
fn views_address_what_squeeze_and_factor_out_move() {
    for named in models::small_models() {
        let spec = named.model.spec();
        let shape = spec.input.shape();
        let positions: Vec<f64> = (0..shape.len()).map(|i| i as f64).collect();
        let mut h = Array::new(shape, positions.clone());
        let mut level = 0;
        for placed in spec.steps() {
            if placed.level > level {
                h = h.channels_from(0, h.channels / 2);
                level = placed.level;
            }
            if placed.step == StepSpec::Squeeze {
                h = squeeze(&h);
            }
            assert_eq!(h, read(placed.view), "{} level {level}", named.name);
        }
        let parts = parts(spec, &positions);
        assert_eq!(parts.last, h, "{}", named.name);
        assert_eq!(parts.finished.len(), spec.levels.len() - 1);
        let mut all = parts.joined();
        all.sort_by(f64::total_cmp);
        assert_eq!(all, positions, "{}: every coordinate once", named.name);
    }
}

fn read(view: View) -> Array {
    let shape = view.shape();
    let size = (
        shape.channels.into(),
        shape.height.into(),
        shape.width.into(),
    );
    Array::from_fn(size, |c, y, x| view.offset(c, y, x) as f64)
}
