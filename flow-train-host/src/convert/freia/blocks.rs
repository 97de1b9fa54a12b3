//! Coupling blocks: two-sided ones change their first part by the second, then the second by the new first.

use super::reader::{ATAN_FACTOR, Reader};
use crate::convert::ConvertError;
use crate::convert::vector::{Affine, Coupling, Dense, Network, Side, side_by_side};
use flow_infer::spec::{AffineForm, ScaleMap};

/// The clamped exponential of a block, and the factor of its argument.
struct Clamp {
    scale_map: ScaleMap,
    bound: f32,
    factor: f32,
}

impl Reader<'_, '_> {
    fn clamp(&mut self) -> Result<Clamp, ConvertError> {
        let clamp = self.assume.number("clamp");
        let (scale_map, bound, factor) = match self.assume.word("clamp_activation")? {
            "tanh" => (ScaleMap::TanhBound, clamp, 1.0),
            // 2 (sigmoid(u) - 1/2) = tanh(u / 2).
            "sigmoid" => (ScaleMap::TanhBound, clamp, 0.5),
            _ => (ScaleMap::AtanBound, clamp * ATAN_FACTOR, 1.0),
        };
        Ok(Clamp {
            scale_map,
            bound: bound as f32,
            factor,
        })
    }

    /// Adds a coupling whose layers give raw scale and shift, of the clamped kind or, without one, shift alone.
    fn clamped(
        &mut self,
        [kept, changed]: [Vec<usize>; 2],
        mut layers: Vec<Dense>,
        clamp: Option<&Clamp>,
    ) -> Result<(), ConvertError> {
        let count = changed.len();
        if let Some(last) = layers.last_mut() {
            *last = match clamp {
                Some(clamp) => {
                    let scales = (0..count).map(|row| (row, clamp.factor));
                    let shifts = (count..2 * count).map(|row| (row, 1.0));
                    last.rows(&scales.chain(shifts).collect::<Vec<_>>())
                }
                None => last.additive(),
            };
        }
        let affine = Affine {
            scale_map: clamp.map_or(ScaleMap::Exp, |clamp| clamp.scale_map),
            form: AffineForm::ScaleThenShift,
            bound: clamp.map_or(1.0, |clamp| clamp.bound),
        };
        self.chain.coupling(Coupling {
            kept,
            changed,
            network: Network::Mlp(layers),
            affine,
        })
    }

    /// The two parts of the coordinates, the first as wide as a network's input.
    fn parts(&self, first: usize) -> [Vec<usize>; 2] {
        let dims = self.chain.dims();
        let first = first.min(dims);
        [(0..first).collect(), (first..dims).collect()]
    }

    fn outputs(&self, at: &str, layers: &[Dense], wanted: usize) -> Result<(), ConvertError> {
        let found = layers.last().map_or(0, |last| last.outputs);
        if found == wanted {
            return Ok(());
        }
        let at = self.state.full_key(at);
        Err(ConvertError::Unsupported(format!(
            "{at}* gives {found} values, not the {wanted} of a block without a condition"
        )))
    }

    /// One network for each side gives s, then t.
    pub(super) fn glow(&mut self, at: &str) -> Result<(), ConvertError> {
        let ats = ["subnet1.", "subnet2."].map(|name| format!("{at}{name}"));
        let one = self.subnet(&ats[0], None)?;
        let two = self.subnet(&ats[1], None)?;
        let (Some(one), Some(two)) = (one, two) else {
            return Ok(());
        };
        self.assume.word("coupling")?;
        let clamp = self.clamp()?;
        let [first, second] = self.parts(one.first().map_or(0, |layer| layer.inputs));
        self.outputs(&ats[0], &one, 2 * second.len())?;
        self.outputs(&ats[1], &two, 2 * first.len())?;
        self.clamped([second.clone(), first.clone()], two, Some(&clamp))?;
        self.clamped([first, second], one, Some(&clamp))
    }

    /// Two networks for each side.
    pub(super) fn real_nvp(&mut self, at: &str) -> Result<(), ConvertError> {
        let names = ["subnet_s1.", "subnet_t1.", "subnet_s2.", "subnet_t2."];
        let [s1, t1, s2, t2] = names.map(|name| self.subnet(&format!("{at}{name}"), None));
        let (Some(s1), Some(t1), Some(s2), Some(t2)) = (s1?, t1?, s2?, t2?) else {
            return Ok(());
        };
        let clamp = self.clamp()?;
        let [first, second] = self.parts(s1.first().map_or(0, |layer| layer.inputs));
        let joined = |s: Vec<Dense>, t: Vec<Dense>, kept: usize, changed: usize| {
            let rows: Vec<(usize, f32)> = (0..changed).map(|row| (row, 1.0)).collect();
            let side = |layers| Side {
                layers,
                rows: rows.clone(),
            };
            let columns: Vec<usize> = (0..kept).collect();
            side_by_side(&side(s), &side(t), &columns, at)
        };
        let two = joined(s2, t2, second.len(), first.len())?;
        let one = joined(s1, t1, first.len(), second.len())?;
        self.clamped([second.clone(), first.clone()], two, Some(&clamp))?;
        self.clamped([first, second], one, Some(&clamp))
    }

    /// Shifts alone.
    pub(super) fn nice(&mut self, at: &str) -> Result<(), ConvertError> {
        let ats = ["F.", "G."].map(|name| format!("{at}{name}"));
        let f = self.subnet(&ats[0], None)?;
        let g = self.subnet(&ats[1], None)?;
        let (Some(f), Some(g)) = (f, g) else {
            return Ok(());
        };
        let [first, second] = self.parts(g.first().map_or(0, |layer| layer.inputs));
        self.outputs(&ats[0], &f, first.len())?;
        self.outputs(&ats[1], &g, second.len())?;
        self.clamped([second.clone(), first.clone()], f, None)?;
        self.clamped([first, second], g, None)
    }

    /// The second part changed by the first.
    pub(super) fn one_sided(&mut self, at: &str) -> Result<(), ConvertError> {
        let at = format!("{at}subnet.");
        let Some(layers) = self.subnet(&at, None)? else {
            return Ok(());
        };
        let clamp = self.clamp()?;
        let [first, second] = self.parts(layers.first().map_or(0, |layer| layer.inputs));
        self.outputs(&at, &layers, 2 * second.len())?;
        self.clamped([first, second], layers, Some(&clamp))
    }
}
