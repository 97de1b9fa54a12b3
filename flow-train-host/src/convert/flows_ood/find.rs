//! From the layers that have tensors to the steps of a flow: the reference code's classes, written as walks.
//!
//! Indices count every item of the sequential body: 0 holds the list of latents, 1 is the logit layer, squeezes and
//! splits have an index and no tensor.

use super::LOGIT_MARGIN;
use super::body::{Body, Layer};
use super::builder::Builder;
use super::hint::{ArchHint, Class};
use super::image::{self, Image};
use super::layout::Layout;
use crate::convert::{ConvertError, StateDict};
use flow_infer::spec::{CouplingMask, Half, InputSpec, Parity, Quadrant, StepSpec};

/// First index after the holder and the logit layer.
const FIRST: usize = 2;

/// Finds the layout of a state dict.
///
/// # Errors
/// [`ConvertError`] if keys are missing, the hint contradicts the tensors, or neither tells enough.
pub(super) fn find(state: &mut StateDict<'_>, hint: &ArchHint) -> Result<Layout, ConvertError> {
    let body = Body::find(state);
    if body.layers.is_empty() {
        let why = "no layer of flows_ood: no key starts with body.0, body.2, ...";
        return Err(ConvertError::Contradiction(why.to_owned()));
    }
    if let Some(spec) = &hint.spec {
        return super::given::layout(state, &body, spec);
    }
    let class = class(&body, hint)?;
    let mut builder = Builder::new(state, &body);
    match class {
        Class::Glow => glow(&mut builder)?,
        Class::RealNvp => real_nvp(&mut builder)?,
        Class::RealNvpTabular => tabular(&mut builder)?,
        _ => single_scale(&mut builder, class)?,
    }
    let built = builder.finish()?;
    let (input, image_source) = if class == Class::RealNvpTabular {
        (
            InputSpec::Vector {
                dims: built.channels,
            },
            None,
        )
    } else {
        let Image { shape, source } = image::find(built.channels, hint, &built.dense)?;
        let logit_margin = LOGIT_MARGIN;
        (
            InputSpec::Image {
                shape,
                logit_margin,
            },
            Some(source),
        )
    };
    Ok(Layout {
        class: class.to_string(),
        spec: built.spec(input)?,
        prefixes: built.prefixes,
        image_source,
    })
}

/// The class, from the layers as far as they tell.
fn class(body: &Body, hint: &ArchHint) -> Result<Class, ConvertError> {
    let told = told_class(body);
    match (told, hint.class) {
        (Some(told), None) => Ok(told),
        (Some(told), Some(given)) if told == given => Ok(given),
        (None, Some(given)) if is_single_scale(given) => Ok(given),
        (told, Some(given)) => {
            let told = told.map_or("a single-scale RealNVP", Class::name);
            let why = format!("the tensors are of {told}, not of {given}");
            Err(ConvertError::Contradiction(why))
        }
        (None, None) => {
            let count = body.layers.len();
            let why = format!(
                "{count} couplings of a single scale: masks leave no tensor, so the class must be given, one of \
                 RealNVPSmall, RealNVP8Layers, RealNVPCycleMask, RealNVPMaskHorizontal"
            );
            Err(ConvertError::Ambiguous(why))
        }
    }
}

fn told_class(body: &Body) -> Option<Class> {
    let couplings_only = body.layers.values().all(|&layer| layer == Layer::Coupling);
    if body.tabular {
        Some(Class::RealNvpTabular)
    } else if !couplings_only {
        Some(Class::Glow)
    } else if body.layers.keys().any(|&(_, j)| j > 0) {
        Some(Class::RealNvp)
    } else if body.layers.len() == 3 {
        Some(Class::RealNvpMaskHorizontal3Layers)
    } else {
        None
    }
}

const fn is_single_scale(class: Class) -> bool {
    !matches!(class, Class::RealNvp | Class::RealNvpTabular | Class::Glow)
}

fn checkerboard(reversed: bool) -> CouplingMask {
    // The reference code's mask has its top left corner at 0, and 1 is kept.
    let kept = if reversed { Parity::Even } else { Parity::Odd };
    CouplingMask::Checkerboard { kept }
}

fn channel(reversed: bool) -> CouplingMask {
    let kept = if reversed { Half::First } else { Half::Second };
    CouplingMask::Channel { kept }
}

/// Per scale three checkerboard couplings; then squeeze and three channel couplings, or one more checkerboard.
fn real_nvp(builder: &mut Builder<'_, '_>) -> Result<(), ConvertError> {
    // Indices per scale: couplings, squeeze, couplings, split; the last has couplings, coupling.
    let scales = builder.body.last_index().saturating_sub(FIRST) / 4 + 1;
    for scale in 0..scales {
        builder.level()?;
        let first = FIRST + 4 * scale;
        for j in 0..3 {
            builder.coupling((first, j), checkerboard(j == 1))?;
        }
        if scale + 1 == scales {
            builder.coupling((first + 1, 0), checkerboard(true))?;
        } else {
            builder.squeeze()?;
            for j in 0..3 {
                builder.coupling((first + 2, j), channel(j == 1))?;
            }
        }
    }
    Ok(())
}

/// Steps of actnorm, 1x1 and channel coupling; before each scale a squeeze, and before that (multi-scale) a split.
fn glow(builder: &mut Builder<'_, '_>) -> Result<(), ConvertError> {
    let mut indices: Vec<usize> = builder.body.layers.keys().map(|&(i, _)| i).collect();
    indices.dedup();
    let mut previous = FIRST - 1;
    builder.level()?;
    for index in indices {
        match index.saturating_sub(previous) {
            1 => {}
            2 => builder.squeeze()?,
            3 => {
                builder.level()?;
                builder.squeeze()?;
            }
            _ => return Err(gap(previous, index)),
        }
        builder.step((index, 0), StepSpec::Actnorm)?;
        builder.step((index, 1), StepSpec::InvertibleLinear)?;
        builder.coupling((index, 2), channel(false))?;
        previous = index;
    }
    Ok(())
}

fn gap(previous: usize, index: usize) -> ConvertError {
    let why = format!("no layer of flows_ood's Glow between body.{previous} and body.{index}");
    ConvertError::Contradiction(why)
}

fn tabular(builder: &mut Builder<'_, '_>) -> Result<(), ConvertError> {
    builder.level()?;
    for i in 0..=builder.body.last_index() {
        let kept = if i % 2 == 0 {
            Half::First
        } else {
            Half::Second
        };
        builder.coupling((i, 0), CouplingMask::Channel { kept })?;
    }
    Ok(())
}

fn single_scale(builder: &mut Builder<'_, '_>, class: Class) -> Result<(), ConvertError> {
    builder.level()?;
    for k in 0..single_scale_couplings(class, builder.body) {
        builder.coupling((FIRST + k, 0), single_scale_mask(class, k))?;
    }
    Ok(())
}

/// Number of couplings, which the reference code fixes; earlier versions of the horizontal flow had two.
fn single_scale_couplings(class: Class, body: &Body) -> usize {
    match class {
        Class::RealNvpSmall => 2,
        Class::RealNvpMaskHorizontal3Layers => 3,
        Class::RealNvpMaskHorizontal if body.last_index() <= FIRST + 1 => 2,
        _ => 8,
    }
}

/// Mask of the k-th coupling.
fn single_scale_mask(class: Class, k: usize) -> CouplingMask {
    const CYCLE: [Quadrant; 4] = [
        Quadrant::TopLeft,
        Quadrant::TopRight,
        Quadrant::BottomRight,
        Quadrant::BottomLeft,
    ];
    let odd = k % 2 == 1;
    match class {
        Class::RealNvpCycleMask => CouplingMask::Cycle { kept: CYCLE[k % 4] },
        Class::RealNvpMaskHorizontal | Class::RealNvpMaskHorizontal3Layers => {
            let kept = if odd { Half::Second } else { Half::First };
            CouplingMask::Horizontal { kept }
        }
        _ => checkerboard(odd),
    }
}
