//! All-in-one blocks: y = R (scale (coupling of x) + offset), with R⁻¹ before the coupling too where that is told.

use super::reader::Reader;
use crate::convert::ConvertError;
use crate::convert::vector::{Affine, Coupling, Network, product, softplus, transposed};
use flow_infer::spec::{AffineForm, ScaleMap};

/// Times all outputs of the network.
const OUTPUT_FACTOR: f32 = 0.1;

impl Reader<'_, '_> {
    pub(super) fn all_in_one(&mut self, at: &str) -> Result<(), ConvertError> {
        let dims = self.chain.dims();
        let rotation = self.rotation(at)?;
        let scale = self.row(&format!("{at}global_scale"))?;
        let offset = self.row(&format!("{at}global_offset"))?;
        let first = dims - dims / 2;
        let subnet_at = format!("{at}subnet.");
        let subnet = self.subnet(&subnet_at, Some(first))?;
        let (Some(rotation), Some(scale), Some(offset), Some(mut layers)) =
            (rotation, scale, offset, subnet)
        else {
            return Ok(());
        };
        self.assume.word("gin_block")?;
        if self.assume.word("reverse_permutation")? == "yes" {
            self.chain.matrix(&transposed(&rotation, dims))?;
        }
        let count = dims - first;
        match layers.last_mut() {
            Some(last) if last.outputs == 2 * count => {
                let rows: Vec<(usize, f32)> =
                    (0..2 * count).map(|row| (row, OUTPUT_FACTOR)).collect();
                *last = last.rows(&rows);
            }
            _ => {
                let at = self.state.full_key(&subnet_at);
                let why = format!("{at}* does not give two values for each of {count} coordinates");
                return Err(ConvertError::Unsupported(why));
            }
        }
        let bound = self.assume.number("affine_clamping") as f32;
        self.chain.coupling(Coupling {
            kept: (0..first).collect(),
            changed: (first..dims).collect(),
            network: Network::Mlp(layers),
            affine: Affine {
                scale_map: ScaleMap::TanhBound,
                form: AffineForm::ScaleThenShift,
                bound,
            },
        })?;
        let map = match self.assume.word("global_affine_type")? {
            "sigmoid" => |a: f64| 10.0 / (1.0 + (2.0 - a).exp()),
            "exp" => f64::exp,
            _ => |a: f64| 0.1 * 2.0 * softplus(0.5 * a),
        };
        let scale: Vec<f64> = scale.into_iter().map(map).collect();
        let shift: Vec<f64> = offset.iter().zip(&scale).map(|(o, s)| o / s).collect();
        let log_scale: Vec<f64> = scale.iter().map(|scale| scale.ln()).collect();
        self.chain.elementwise(&shift, &log_scale)?;
        self.chain.matrix(&rotation)
    }

    /// The matrix R, stored, or the product of a stored one and learned reflections.
    fn rotation(&mut self, at: &str) -> Result<Option<Vec<f64>>, ConvertError> {
        let dims = self.chain.dims();
        let whole = format!("{at}w_perm");
        let reflected = format!("{at}vk_householder");
        let start = format!("{at}w_0");
        if !self.state.has(&reflected) && !self.state.has(&start) {
            self.state.discard(&format!("{at}w_perm_inv"));
            return self.state.values(&whole, &[dims, dims]);
        }
        let count = self
            .state
            .shape(&reflected)
            .and_then(|shape| shape.first())
            .copied();
        let vectors = self.state.values(&reflected, &[count.unwrap_or(0), dims])?;
        let matrix = self.state.values(&start, &[dims, dims])?;
        let (Some(vectors), Some(mut matrix)) = (vectors, matrix) else {
            return Ok(None);
        };
        // What a run of the module has left there.
        self.state.discard(&whole);
        self.state.discard(&format!("{at}w_perm_inv"));
        for vector in vectors.chunks_exact(dims.max(1)) {
            let square: f64 = vector.iter().map(|v| v * v).sum();
            let entry = |at: usize| {
                let (i, j) = (at / dims, at % dims);
                f64::from(u8::from(i == j)) - 2.0 * vector[i] * vector[j] / square
            };
            let reflection: Vec<f64> = (0..dims * dims).map(entry).collect();
            matrix = product(&matrix, &reflection, dims);
        }
        Ok(Some(matrix))
    }
}
