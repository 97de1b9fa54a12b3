//! log_scale as a function of raw_scale, and its derivatives.

use crate::nn::LANES;
use crate::nn::kernels::elementary::{self, Sixteen};
use flow_infer::spec::ScaleMap;

/// Sixteen log_scales with what their derivatives need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scaled {
    /// log_scale.
    pub(crate) log_scale: Sixteen,
    /// What a bound multiplies, sigmoid(raw_scale + offset) or softplus(raw_scale); unused otherwise.
    pub(crate) inner: Sixteen,
}

/// log_scale of raw_scale; `bound` is read by maps that have one.
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
        ScaleMap::AtanBound => {
            let inner = raw_scale.map(f32::atan);
            Scaled {
                log_scale: lanes.map(|i| bound[i] * inner[i]),
                inner,
            }
        }
        ScaleMap::SoftsignBound => {
            let inner = raw_scale.map(|raw| raw / (1.0 + raw.abs()));
            Scaled {
                log_scale: lanes.map(|i| bound[i] * inner[i]),
                inner,
            }
        }
        ScaleMap::SigmoidInverse { offset } => {
            let inner = elementary::sigmoid(raw_scale.map(|raw| raw + offset));
            Scaled {
                log_scale: inner.map(|inner| -inner.ln()),
                inner,
            }
        }
        ScaleMap::Softplus { floor, most } => {
            let inner = raw_scale.map(|raw| raw.max(0.0) + (-raw.abs()).exp().ln_1p());
            Scaled {
                log_scale: inner.map(|inner| (inner + floor).min(most).ln()),
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
        // The derivative of atan is that of its angle's cosine squared.
        ScaleMap::AtanBound => bound * inner.cos().powi(2),
        ScaleMap::SoftsignBound => bound * (1.0 - inner.abs()).powi(2),
        ScaleMap::SigmoidInverse { .. } => inner - 1.0,
        // The derivative of softplus is the sigmoid, 1 - exp(-softplus).
        ScaleMap::Softplus { floor, most } if inner + floor < most => {
            -(-inner).exp_m1() / (inner + floor)
        }
        ScaleMap::Softplus { .. } => 0.0,
        ScaleMap::Exp => 1.0,
        ScaleMap::Sigmoid { floor, .. } => inner * (1.0 - inner) / (inner + floor),
    }
}

/// A raw_scale whose log_scale is as near to the wanted one as is well inside the map's range.
pub(crate) fn raw_scale_for(map: ScaleMap, log_scale: f32, bound: f32) -> f32 {
    match map {
        ScaleMap::TanhBound => (log_scale / bound).clamp(-0.8, 0.8).atanh(),
        ScaleMap::AtanBound => (log_scale / bound).clamp(-1.2, 1.2).tan(),
        ScaleMap::SoftsignBound => {
            let inner = (log_scale / bound).clamp(-0.8, 0.8);
            inner / (1.0 - inner.abs())
        }
        ScaleMap::SigmoidInverse { offset } => {
            let inner = (-log_scale).exp().clamp(0.02, 0.98);
            (inner / (1.0 - inner)).ln() - offset
        }
        ScaleMap::Softplus { floor, most } => {
            let inner = (log_scale.exp() - floor).clamp(0.02, 0.98 * most);
            inner.exp_m1().ln()
        }
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
        let bounded = [
            ScaleMap::TanhBound,
            ScaleMap::AtanBound,
            ScaleMap::SoftsignBound,
        ];
        let softplus = ScaleMap::Softplus {
            floor: 0.001,
            most: 3.0,
        };
        for map in bounded
            .into_iter()
            .chain([ScaleMap::Exp, sigmoid, softplus])
        {
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
            ScaleMap::AtanBound,
            ScaleMap::SoftsignBound,
            ScaleMap::SigmoidInverse { offset: 2.0 },
            ScaleMap::Softplus {
                floor: 0.001,
                most: 3.0,
            },
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
                // Third derivative times h^2 / 6, and f32 rounding over h; softsign has none at 0, where its second
                // derivative jumps.
                let jumps = map == ScaleMap::SoftsignBound && raw == 0.0;
                let allowed = if jumps { f64::from(h) } else { 1e-4 };
                assert!((slope - numeric).abs() < allowed, "{map:?} at {raw}");
            }
        }
    }
}
