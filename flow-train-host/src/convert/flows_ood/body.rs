//! The layers that have tensors: `body.I.J.module1.*` of image flows, `body.I.*` of tabular ones.

use crate::convert::StateDict;
use std::collections::BTreeMap;

/// A layer with tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Actnorm,
    InvertibleLinear,
    Coupling,
}

/// Position of a layer: I, J. Tabular layers have J = 0.
pub(super) type Position = (usize, usize);

/// All layers with tensors.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) layers: BTreeMap<Position, Layer>,
    pub(super) tabular: bool,
}

impl Body {
    /// Reads the names; those that fit no layer stay behind as unexpected keys.
    pub(super) fn find(state: &StateDict<'_>) -> Self {
        let mut body = Self::default();
        for key in state.keys("body.") {
            if let Some((position, layer)) = image_layer(key) {
                body.layers.insert(position, layer);
            } else if let Some(index) = tabular_layer(key) {
                body.layers.insert((index, 0), Layer::Coupling);
                body.tabular = true;
            }
        }
        body
    }

    /// What the keys of a layer start with.
    pub(super) fn prefix(&self, (i, j): Position) -> String {
        if self.tabular {
            format!("body.{i}.")
        } else {
            format!("body.{i}.{j}.module1.")
        }
    }

    /// The outer index of the last layer.
    pub(super) fn last_index(&self) -> usize {
        self.layers.keys().next_back().map_or(0, |&(i, _)| i)
    }
}

fn index(text: &str) -> Option<usize> {
    // The reference code never counts this far; a file may.
    text.parse().ok().filter(|&index| index < 1000)
}

fn image_layer(key: &str) -> Option<(Position, Layer)> {
    let mut parts = key.splitn(5, '.').skip(1);
    let position = (index(parts.next()?)?, index(parts.next()?)?);
    if parts.next()? != "module1" {
        return None;
    }
    let rest = parts.next()?;
    let layer = match rest {
        "bias" | "logs" => Layer::Actnorm,
        "weight" => Layer::InvertibleLinear,
        _ if rest.starts_with("st_net.") || rest.starts_with("rescale.") => Layer::Coupling,
        _ => return None,
    };
    Some((position, layer))
}

fn tabular_layer(key: &str) -> Option<usize> {
    let mut parts = key.splitn(3, '.').skip(1);
    let index = index(parts.next()?)?;
    let rest = parts.next()?;
    let known = rest.starts_with("st_net.") || rest.starts_with("rescale.");
    known.then_some(index)
}
