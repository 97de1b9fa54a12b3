//! A vector flow under construction, in the direction data to latent.

use super::Network;
use crate::convert::ConvertError;
use crate::model::tensors::step_prefix;
use crate::model::{Model, Tensor};
use flow_infer::spec::{
    AffineForm, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec, MAX_STEPS,
    ScaleMap, StepSpec,
};
use std::collections::BTreeMap;

/// The steps so far, and which of their coordinates is at each place of ours.
pub(in crate::convert) struct Chain {
    order: Vec<usize>,
    level: LevelSpec,
    tensors: BTreeMap<String, Tensor>,
    /// Entries of matrices that move coordinates.
    moves: usize,
}

/// Formulas of a coupling.
#[derive(Clone, Copy)]
pub(in crate::convert) struct Affine {
    pub(in crate::convert) scale_map: ScaleMap,
    pub(in crate::convert) form: AffineForm,
    /// Of a bounded map, the same for every coordinate.
    pub(in crate::convert) bound: f32,
}

/// A coupling of theirs.
pub(in crate::convert) struct Coupling {
    /// Coordinates that the network reads, in its order.
    pub(in crate::convert) kept: Vec<usize>,
    /// Coordinates that it gives raw_scale and shift of, in its order.
    pub(in crate::convert) changed: Vec<usize>,
    pub(in crate::convert) network: Network,
    pub(in crate::convert) affine: Affine,
}

/// Most entries of the matrices that move coordinates: they are not in the file, whose size bounds everything else.
const MAX_MOVES: usize = 1 << 24;

impl Chain {
    pub(in crate::convert) fn new(dims: usize) -> Result<Self, ConvertError> {
        if dims > u16::MAX.into() {
            return Err(unsupported("a vector of more than 65535 coordinates"));
        }
        Ok(Self {
            order: (0..dims).collect(),
            level: LevelSpec::default(),
            tensors: BTreeMap::new(),
            moves: 0,
        })
    }

    pub(in crate::convert) const fn dims(&self) -> usize {
        self.order.len()
    }

    /// y_j = x_p(j): only the names change.
    pub(in crate::convert) fn permute(&mut self, p: &[usize]) -> Result<(), ConvertError> {
        let mut inverse = vec![usize::MAX; self.dims()];
        for (j, &from) in p.iter().enumerate() {
            match inverse.get_mut(from) {
                Some(to) if *to == usize::MAX => *to = j,
                _ => return Err(unsupported("a permutation that is none")),
            }
        }
        if p.len() != self.dims() {
            return Err(unsupported(
                "a permutation of another number of coordinates",
            ));
        }
        for place in &mut self.order {
            *place = inverse[*place];
        }
        Ok(())
    }

    /// y_j = (x_j + shift_j) exp(log_scale_j).
    pub(in crate::convert) fn elementwise(
        &mut self,
        shift: &[f64],
        log_scale: &[f64],
    ) -> Result<(), ConvertError> {
        let at = self.push(StepSpec::Actnorm)?;
        for (name, values) in [("shift", shift), ("log_scale", log_scale)] {
            let values = self.order.iter().map(|&j| values[j] as f32).collect();
            self.put(&format!("{at}{name}"), &[self.dims()], values);
        }
        Ok(())
    }

    /// y = W x, with W row-major.
    pub(in crate::convert) fn linear(&mut self, weights: &[f64]) -> Result<(), ConvertError> {
        let at = self.push(StepSpec::InvertibleLinear)?;
        let dims = self.dims();
        let entries = self.order.iter().flat_map(|&j| {
            let row = &weights[j * dims..(j + 1) * dims];
            self.order.iter().map(|&from| row[from] as f32)
        });
        let values = entries.collect();
        self.put(&format!("{at}weights"), &[dims, dims], values);
        Ok(())
    }

    /// y = W x, with W row-major; a permutation only renames.
    pub(in crate::convert) fn matrix(&mut self, weights: &[f64]) -> Result<(), ConvertError> {
        match permutation(weights, self.dims()) {
            Some(permutation) => self.permute(&permutation),
            None => self.linear(weights),
        }
    }

    /// A coupling between halves; one coordinate more may be on either side.
    pub(in crate::convert) fn coupling(&mut self, coupling: Coupling) -> Result<(), ConvertError> {
        let Coupling {
            kept,
            changed,
            network,
            affine,
        } = coupling;
        let half = self.halve(&kept, &changed)?;
        let mask = CouplingMask::Channel { kept: half };
        let places = |half: Half| -> Vec<usize> {
            let start = half.start(self.dims());
            self.order[start..start + half.count(self.dims())].to_vec()
        };
        let columns: Vec<usize> = positions(&places(half), &kept)
            .into_iter()
            .flatten()
            .collect();
        let rows: Vec<usize> = positions(&places(half.other()), &changed)
            .into_iter()
            .flatten()
            .collect();
        let shifts = rows.iter().map(|row| (row + changed.len(), 1.0));
        let rows: Vec<(usize, f32)> = rows.iter().map(|&row| (row, 1.0)).chain(shifts).collect();
        let network = network.cut(&columns, &rows);
        let too_large = || {
            unsupported(
                "a conditioner of more than 65535 units, 255 layers, or of very different widths",
            )
        };
        let conditioner = network.spec().ok_or_else(too_large)?;
        let Affine {
            scale_map,
            form,
            bound,
        } = affine;
        let bounds = vec![bound; changed.len()];
        let spec = CouplingSpec {
            mask,
            conditioner,
            scale_map,
            affine: form,
        };
        let at = self.push(StepSpec::Coupling(spec))?;
        network.tensors(&format!("{at}conditioner."), &mut self.tensors);
        if scale_map.has_bound() {
            self.put(&format!("{at}log_scale_bound"), &[bounds.len()], bounds);
        }
        Ok(())
    }

    /// Which of our halves these coordinates are, moving coordinates if they are none yet.
    fn halve(&mut self, kept: &[usize], changed: &[usize]) -> Result<Half, ConvertError> {
        let dims = self.dims();
        let mut all: Vec<usize> = kept.iter().chain(changed).copied().collect();
        all.sort_unstable();
        if all != (0..dims).collect::<Vec<_>>() {
            return Err(unsupported(
                "a coupling does not split the coordinates in two",
            ));
        }
        let halves = [Half::First, Half::Second];
        let fits = |half: &Half| {
            half.count(dims) == kept.len() && half.other().count(dims) == changed.len()
        };
        let is_kept = positions(&self.order, kept);
        let there = |half: &Half| {
            let start = half.start(dims);
            let places = &is_kept[start..start + half.count(dims)];
            places.iter().all(Option::is_some)
        };
        if let Some(half) = halves.into_iter().find(|half| fits(half) && there(half)) {
            return Ok(half);
        }
        let half = halves.into_iter().find(fits).ok_or_else(|| {
            let (kept, dims) = (kept.len(), dims);
            unsupported(&format!(
                "a coupling keeps {kept} of {dims} coordinates, not half of them"
            ))
        })?;
        let order = match half {
            Half::First => [kept, changed].concat(),
            Half::Second => [changed, kept].concat(),
        };
        self.reorder(order)?;
        Ok(half)
    }

    fn reorder(&mut self, order: Vec<usize>) -> Result<(), ConvertError> {
        let from = positions(&order, &self.order).into_iter().flatten();
        let dims = self.dims();
        self.moves += dims * dims;
        if self.moves > MAX_MOVES {
            return Err(unsupported(
                "couplings whose halves are others each time, of too many coordinates",
            ));
        }
        let mut matrix = vec![0.0; dims * dims];
        for (place, from) in from.enumerate() {
            matrix[place * dims + from] = 1.0;
        }
        let at = self.push(StepSpec::InvertibleLinear)?;
        self.put(&format!("{at}weights"), &[dims, dims], matrix);
        self.order = order;
        Ok(())
    }

    /// Adds a step; gives the prefix of its tensors.
    fn push(&mut self, step: StepSpec) -> Result<String, ConvertError> {
        let index = self.level.steps.len();
        let full = |_| unsupported(&format!("more than {MAX_STEPS} steps"));
        self.level.steps.push(step).map_err(full)?;
        Ok(step_prefix(0, index))
    }

    fn put(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        let shape = shape.to_vec();
        self.tensors
            .insert(name.to_owned(), Tensor { shape, values });
    }

    /// The model, of inputs that are not standardized, and which of their coordinates of z each of ours is.
    pub(in crate::convert) fn finish(mut self) -> Result<(Model, Vec<usize>), ConvertError> {
        let dims = self.dims() as u16;
        for (name, value) in [("input.mean", 0.0), ("input.deviation", 1.0)] {
            self.put(name, &[dims.into()], vec![value; dims.into()]);
        }
        let input = InputSpec::Vector { dims };
        let mut spec = FlowSpec {
            input,
            levels: Default::default(),
        };
        let full = |_| unsupported("no room for a level");
        spec.levels.push(self.level).map_err(full)?;
        let model = Model::new(spec, self.tensors).map_err(ConvertError::Model)?;
        Ok((model, self.order))
    }
}

/// The permutation that a matrix is, if it is one: y_j = x_p(j).
fn permutation(weights: &[f64], dims: usize) -> Option<Vec<usize>> {
    let mut seen = vec![false; dims];
    let rows = weights.chunks_exact(dims.max(1)).map(|row| {
        let place = row.iter().position(|&weight| weight == 1.0)?;
        let rest = row.iter().filter(|&&weight| weight != 0.0).count();
        (rest == 1 && !std::mem::replace(&mut seen[place], true)).then_some(place)
    });
    rows.collect()
}

/// Where each wanted value is among others, if it is.
fn positions(wanted: &[usize], among: &[usize]) -> Vec<Option<usize>> {
    let places: BTreeMap<usize, usize> = among.iter().copied().zip(0..).collect();
    wanted
        .iter()
        .map(|value| places.get(value).copied())
        .collect()
}

fn unsupported(why: &str) -> ConvertError {
    ConvertError::Unsupported(why.to_owned())
}
