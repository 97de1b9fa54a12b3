//! Every bound that a test of this repository allows, with its reason: the numeric contract in one table.
//!
//! Tests cite entries by name and write no number of their own, so a change of what is allowed is a visible diff
//! here. Bounds are a few times what is measured (the tests print the worst case when run with `--nocapture`).

use std::fmt::Display;

/// How a difference is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// |found - wanted|.
    Absolute,
    /// |found - wanted| / max(1, |wanted|).
    Relative,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// What is compared with what.
    pub path: &'static str,
    /// How.
    pub measure: Measure,
    /// The largest difference allowed.
    pub bound: f64,
    /// Why this much and no less.
    pub reason: &'static str,
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident: $path:literal, $measure:ident, $bound:expr, $reason:literal;)*) => {
        $($(#[$doc])* pub const $name: Tolerance = Tolerance {
            path: $path,
            measure: Measure::$measure,
            bound: $bound,
            reason: $reason,
        };)*
        /// All rows.
        pub const TABLE: &[Tolerance] = &[$($name),*];
    };
}

table! {
    /// Layers of the reference against numbers worked out by hand.
    LAYER_BY_HAND: "reference layer, by hand", Relative, 1e-14,
        "a few additions of exactly representable products, in another order";
    /// Determinants and solutions of small matrices against what is known of them.
    LINEAR_ALGEBRA: "LU, determinant and solution", Relative, 1e-11,
        "f64 elimination of matrices with condition numbers below 1e4";
    /// log_det of the reference against a numeric Jacobian.
    LOG_DET_BY_DIFFERENCES: "reference log_det, central differences", Absolute, 1e-7,
        "rounding 2^-52 |z| / step per entry of the Jacobian, times the entries of its inverse; truncation step^2";
    /// Data to latent and back.
    ROUND_TRIP: "reference to_data(to_latent(v)) on the scale of the input", Relative, 1e-11,
        "f64 rounding times the flow's condition number, the spread of its multipliers: below 1e3 for the small models";
    /// The front end against the reference's means before their rounding.
    FRONT_END: "front end, mean before rounding", Absolute, 0.5 + 1e-9,
        "one rounding to the nearest byte; f64 sums of a few thousand weighted bytes";
    /// The front end against Pillow.
    FRONT_END_PILLOW: "front end, Pillow's box filter", Absolute, 1.0,
        "Pillow rounds twice, once a pass, the front end once: 1 + 1/2, of whole bytes 1";
    /// The front end's luma against Pillow's.
    FRONT_END_PILLOW_LUMA: "front end, Pillow's box filter and luma", Absolute, 2.0,
        "as without luma, and weights in 256ths against 65536ths: up to 0.45 of a byte";
    /// Mass of a float flow.
    QUADRATURE_FLOAT: "reference density, integrated", Absolute, 2e-6,
        "trapezoidal rule: exact to rounding where the density is smooth, second order at the kinks of relu";
    /// The combined score in integers against f64 on the same tables.
    COMBINED_SCORE: "combined score, f64 on the same tables", Relative, 5e-3,
        "ways between records have 15 bits: 2^-15 of a knot's mean and deviation, squared in the density, then through the tail's slope";
    /// Converted checkpoints against the library that wrote them, its outputs computed in f64.
    CONVERTED: "converted checkpoint, library in f64", Relative, 1e-6,
        "folded weights are rounded to f32, 6e-8 each, and the flow multiplies that by its condition number";
    /// The same, its outputs computed in f32.
    CONVERTED_FROM_F32: "converted checkpoint, library in f32", Relative, 1e-5,
        "f32 sums of 784 coordinates in an order that changes with the library's threads";
    /// The engine on the worked example of the format.
    TINY_FLOW_EVALUATION: "q8 engine on two coordinates, nats", Absolute, 3e-7,
        "one latent rounded to 2^-24 at a slope below 2, energies to 2^-24";
    /// log_prob of the float engine.
    ENGINE_FLOAT_LOG_PROB: "f32 and f16 engine, log_prob", Relative, 2e-6,
        "f32 rounding through up to forty layers, each latent's error of log_prob is z times its own";
    /// Latents of the float engine.
    ENGINE_FLOAT_LATENT: "f32 and f16 engine, latents", Relative, 5e-5,
        "f32 rounding through up to forty layers; kinks of relu do not jump";
    /// The integer engine on the same quantized model, 999 of 1000 single couplings and 99 of 100 random flows.
    EVALUATION_ERROR: "q8 engine, bits per dim", Absolute, 1e-4,
        "latents rounded to 2^-24 and tables to 2^-19, which now and then move an activation over a rounding edge: one \
         step of 16 bits, times what the rest of the conditioner makes of it";
    /// The same of trained models, 999 of 1000 images.
    EVALUATION_ERROR_TRAINED: "q8 engine, bits per dim, trained models of 28 x 28", Absolute, 2e-4,
        "measured 1.1e-4: every edge that a rounded latent moves early in the flow shifts all later activations by a \
         last place; latents of 20 bits and a grid of 1/256 octave gave 5.2e-4";
    /// The same of the committed models, whose multipliers are larger.
    EVALUATION_ERROR_DEVICE: "q8 engine, bits per dim, committed models", Absolute, 1.5e-3,
        "as above; a flat background is worth multipliers of 20 and more, which enlarge a last place of a 16-bit \
         activation (clipping activations to make it finer costs whole bits per dim)";
    /// The same on foreign images, which drive latents to where the flow was never fitted.
    EVALUATION_ERROR_FOREIGN: "q8 engine, bits per dim, committed models on digits", Absolute, 0.1,
        "measured 0.043 where some images leave the range of latents, 128: z times the error of z";
    /// The same, always: random models have z of 20 where trained ones have 3, and few coordinates.
    EVALUATION_ERROR_WORST: "q8 engine, bits per dim, largest", Absolute, 5e-3,
        "one step of the grid at z = 5, over as few as 8 coordinates";
    /// Mass of a quantized flow over the integer engine's output.
    QUADRATURE_QUANTIZED: "q8 engine's density, integrated", Absolute, 1e-5,
        "the claim; conditioners are step functions, so the trapezoidal rule meets jumps of 1e-4 along kept coordinates";
    /// What quantization costs, in the median over inputs.
    QUANTIZATION_COST: "q8 against the float model, bits per dim", Absolute, 1e-2,
        "the claim; compensated rounding of 8-bit weights costs a tenth to a quarter of it";
    /// What a coupling is said to do, and what it did to an integer latent.
    FIXED_COUPLING: "q8, log_scale and shift as seen, against the latents", Relative, 2e-5,
        "log_scale is seen before it is rounded to 1/65536 octave, latents are rounded to 2^-24";
    /// The same where the map is softsign's.
    FIXED_COUPLING_SOFTSIGN: "q8, the same with softsign_bound", Relative, 1e-3,
        "measured 1.5e-4: its second derivative jumps at 0, where cubics through nodes 1/16 apart are off by up to 1/16^2 / 6; \
         log_det counts the multiplier that is used all the same";
    /// to_data of the sampler, images on the scale of 256 grey levels.
    SAMPLER_TO_DATA: "sampler, to_data", Absolute, 1e-3,
        "f32 rounding, and 2e-6 of the largest latent on the way in, times the spread of the flow's multipliers; a grey \
         level is 1";
    /// The trainer's gradient of a tensor along a direction, as a share of the gradient's length.
    TRAINER_GRADIENT: "trainer, gradients against central differences in f64", Absolute, 5e-5,
        "measured 1.1e-5, Winograd's f32 sums included: they round a decimal coarser than direct ones, which shows in \
         single numbers and hardly in a tensor's length";
    /// Training with one of the processor's instruction sets and with another: the loss before each of the first steps.
    TRAINER_INSTRUCTIONS: "training with other instructions, loss in nats", Relative, 1e-8,
        "measured 3e-9: the rounding of thousands of sums, a multiply-add rounded once or twice, evens out in a loss; \
         a wrong gradient shows after one step as 1e-4";
    /// log_prob of the trainer.
    TRAINER_LOG_PROB: "trainer, log_prob", Relative, 2e-6,
        "f32 rounding through up to forty layers, sums in another order than the engine's";
}

impl Tolerance {
    /// How far a number lies from the one wanted, in this row's measure; NaN where one of them is NaN.
    pub fn difference(&self, found: f64, wanted: f64) -> f64 {
        let scale = match self.measure {
            Measure::Absolute => 1.0,
            Measure::Relative => wanted.abs().max(1.0),
        };
        if found == wanted {
            return 0.0; // Also of two infinities of one sign.
        }
        (found - wanted).abs() / scale
    }

    /// Asserts that a number is near enough to the one wanted.
    ///
    /// # Panics
    /// If it is not, naming what was compared, both numbers, the bound and its reason.
    #[track_caller]
    pub fn check(&self, what: impl Display, found: f64, wanted: f64) {
        let difference = self.difference(found, wanted);
        // Written so that a NaN fails.
        assert!(
            difference <= self.bound,
            "{what}: {found} instead of {wanted}: {difference:.3e} apart where {} allows {:.3e} ({})",
            self.path,
            self.bound,
            self.reason,
        );
    }

    /// Asserts that as many numbers are there as wanted and each is near enough.
    ///
    /// # Panics
    /// As [`Self::check`], or if their counts differ.
    #[track_caller]
    pub fn check_all(&self, what: impl Display, found: &[f64], wanted: &[f64]) {
        assert_eq!(found.len(), wanted.len(), "{what}: count");
        for (i, (&f, &w)) in found.iter().zip(wanted).enumerate() {
            self.check(format_args!("{what} [{i}]"), f, w);
        }
    }
}

/// The largest difference seen, to be printed beside its bound: a bound that is never nearly reached is too loose.
#[derive(Clone, Debug)]
pub struct Worst {
    row: Tolerance,
    difference: f64,
    what: String,
}

impl Worst {
    /// Nothing seen yet.
    pub fn of(row: Tolerance) -> Self {
        Self {
            row,
            difference: 0.0,
            what: String::from("nothing"),
        }
    }

    /// [`Tolerance::check`], remembered.
    ///
    /// # Panics
    /// As [`Tolerance::check`].
    #[track_caller]
    pub fn check(&mut self, what: impl Display, found: f64, wanted: f64) {
        self.row.check(&what, found, wanted);
        let difference = self.row.difference(found, wanted);
        if difference > self.difference {
            self.difference = difference;
            self.what = what.to_string();
        }
    }
}

impl Drop for Worst {
    fn drop(&mut self) {
        println!(
            "{}: worst {:.2e} of {:.2e} allowed, at {}",
            self.row.path, self.difference, self.row.bound, self.what
        );
    }
}
