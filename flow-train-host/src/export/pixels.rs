//! The table of an image's first latents.
//!
//! At the midpoint an entry is the logit and its log_det there. For draws it is the byte's lower
//! edge and the log_det of the straight line to the next edge, of the very integers that are
//! stored: what the engine computes is then exactly normalized, however coarse the latents are.

use flow_infer::plan::Dequantization;
use flow_infer::plan::IMAGE_TABLE_ENTRIES;
use flow_infer::spec::units::LN_256;

/// How bytes become latents.
#[derive(Clone, Copy, Debug)]
pub struct Pixels {
    /// Logit margin m: p = (1 - 2 m) x / 256 + m.
    pub margin: f32,
    /// Where in [x, x + 1) a byte x stands.
    pub dequantization: Dequantization,
    /// Units of a stored latent in one.
    pub latent_one: f64,
}

impl Pixels {
    /// Latent and log_det of every byte and of the last byte's upper edge; D ln (1 - 2 m) - D ln
    /// 256 is not in them.
    pub fn entries(self) -> impl Iterator<Item = (f64, f64)> {
        (0..IMAGE_TABLE_ENTRIES).map(move |byte| match self.dequantization {
            Dequantization::Midpoint => self.midpoint(byte),
            Dequantization::Drawn { .. } => self.edge(byte),
        })
    }

    fn p(self, x: f64) -> f64 {
        let margin = f64::from(self.margin);
        (1.0 - 2.0 * margin) * x / 256.0 + margin
    }

    /// y = ln p - ln (1 - p), ln |dy/dp| = - ln p - ln (1 - p). There is nothing in the middle of
    /// the byte 256.
    fn midpoint(self, byte: usize) -> (f64, f64) {
        if byte == 256 {
            return (0.0, 0.0);
        }
        let p = self.p(byte as f64 + 0.5);
        (logit(p), -p.ln() - (-p).ln_1p())
    }

    fn edge(self, byte: usize) -> (f64, f64) {
        let stored =
            |x: usize| (logit(self.p(x as f64)) * self.latent_one).round() / self.latent_one;
        if byte == 256 {
            return (stored(byte), 0.0);
        }
        let span = 1.0 - 2.0 * f64::from(self.margin);
        let slope = (stored(byte + 1) - stored(byte)).ln() + LN_256 - span.ln();
        (stored(byte), slope)
    }
}

fn logit(p: f64) -> f64 {
    p.ln() - (-p).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(dequantization: Dequantization) -> Vec<(f64, f64)> {
        let pixels = Pixels {
            margin: 0.05,
            dequantization,
            latent_one: f64::from(1 << 24),
        };
        pixels.entries().collect()
    }

    /// The mean density of a line is that of the curve: e^log_det of both average to the same over
    /// [0, 256).
    #[test]
    fn straight_pieces_follow_the_logit() {
        let (seed, draws) = (1, 1);
        let (lines, points) = (
            pixels(Dequantization::Drawn { draws, seed }),
            pixels(Dequantization::Midpoint),
        );
        for byte in 0..256 {
            let middle = 0.5 * (lines[byte].0 + lines[byte + 1].0);
            assert!((middle - points[byte].0).abs() < 7e-4, "{byte}");
            assert!((lines[byte].1 - points[byte].1).abs() < 5e-4, "{byte}");
        }
        let spanned: f64 = lines[..256]
            .iter()
            .map(|(_, l)| l.exp() * 0.9 / 256.0)
            .sum();
        let whole = (0.95f64 / 0.05).ln() - (0.05f64 / 0.95).ln();
        assert!((spanned - whole).abs() < 1e-6, "{spanned} {whole}");
    }
}
