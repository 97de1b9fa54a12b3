//! log_scale as a function of raw_scale, and its derivatives.

use crate::nn::LANES;
use crate::nn::kernels::elementary::{self, Sixteen};
use flow_infer::spec::ScaleMap;

/// Sixteen log_scales with what their derivatives need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scaled {
    /// log_scale.
    pub(crate) log_scale: Sixteen,
    /// tanh(raw_scale) or sigmoid(raw_scale + offset); unused otherwise.
    pub(crate) inner: Sixteen,
}

/// log_scale of raw_scale; `bound` is read by `tanh_bound` only.
#[inline(always)]
pub(crate) fn apply(map: ScaleMap, raw_scale: Sixteen, bound: Sixteen) -> Scaled {
    let lanes = std::array::from_fn::<usize, LANES, _>(|lane| lane);
    match map {
        ScaleMap::TanhBound => {
            let inner = elementary::tanh(raw_scale);
            Scaled {
                log_scale: lanes.map(|i| bound[i] * inner[i]),
                inner,
            }
        }
        ScaleMap::Exp => Scaled {
            log_scale: raw_scale,
            inner: [0.0; LANES],
        },
        ScaleMap::Sigmoid { offset, floor } => {
            let inner = elementary::sigmoid(raw_scale.map(|raw| raw + offset));
            Scaled {
                log_scale: inner.map(|inner| (inner + floor).ln()),
                inner,
            }
        }
    }
}

/// [`apply`] of one number: log_scale and inner.
pub(crate) fn apply_one(map: ScaleMap, raw_scale: f32, bound: f32) -> (f32, f32) {
    let Scaled { log_scale, inner } = apply(map, [raw_scale; LANES], [bound; LANES]);
    (log_scale[0], inner[0])
}

/// Derivative of log_scale with respect to raw_scale; that with respect to the bound is `inner`.
pub(crate) fn slope(map: ScaleMap, inner: f32, bound: f32) -> f32 {
    match map {
        ScaleMap::TanhBound => bound * (1.0 - inner * inner),
        ScaleMap::Exp => 1.0,
        ScaleMap::Sigmoid { floor, .. } => inner * (1.0 - inner) / (inner + floor),
    }
}

/// A raw_scale whose log_scale is as near to the wanted one as is well inside the map's range.
pub(crate) fn raw_scale_for(map: ScaleMap, log_scale: f32, bound: f32) -> f32 {
    match map {
        ScaleMap::TanhBound => (log_scale / bound).clamp(-0.8, 0.8).atanh(),
        ScaleMap::Exp => log_scale,
        ScaleMap::Sigmoid { offset, floor } => {
            let inner = (log_scale.exp() - floor).clamp(0.02, 0.98);
            (inner / (1.0 - inner)).ln() - offset
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_scales_are_found_within_the_range() {
        let sigmoid = ScaleMap::Sigmoid {
            offset: 2.0,
            floor: 0.001,
        };
        for map in [ScaleMap::TanhBound, ScaleMap::Exp, sigmoid] {
            let back = |log_scale| apply_one(map, raw_scale_for(map, log_scale, 1.0), 1.0).0;
            assert!((back(-0.5) + 0.5).abs() < 1e-5);
            assert!(back(5.0).is_finite());
        }
        assert!(apply_one(sigmoid, raw_scale_for(sigmoid, 5.0, 1.0), 1.0).0 < 0.0);
    }

    #[test]
    fn slopes_are_the_derivatives() {
        let maps = [
            ScaleMap::TanhBound,
            ScaleMap::Exp,
            ScaleMap::Sigmoid {
                offset: 2.0,
                floor: 0.001,
            },
        ];
        for map in maps {
            for raw in [-1.5f32, -0.2, 0.0, 0.7, 2.0] {
                let h = 1e-2;
                let at = |raw| f64::from(apply_one(map, raw, 0.8).0);
                let numeric = (at(raw + h) - at(raw - h)) / f64::from(2.0 * h);
                let slope = f64::from(slope(map, apply_one(map, raw, 0.8).1, 0.8));
                // Third derivative times h^2 / 6, and f32 rounding over h.
                assert!((slope - numeric).abs() < 1e-4, "{map:?} at {raw}");
            }
        }
    }
}
