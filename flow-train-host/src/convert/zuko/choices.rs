//! What no tensor of zuko tells.

use crate::convert::assume::{Choice, NEGATIVE_SLOPE, PREFIX, Values, can, cannot};

const NO_SUCH_ACTIVATION: &str = "the conditioners of flowgate have ReLUs, leaky or not";
const NO_SUCH_TRANSFORM: &str = "flowgate has affine and additive couplings";

/// All of them.
pub const CHOICES: &[Choice] = &[
    Choice {
        key: "univariate",
        aliases: &["coupling"],
        what: "what couplings with two parameters a coordinate are",
        values: Values::Words(&[can("monotonic_affine"), cannot("other", NO_SUCH_TRANSFORM)]),
    },
    Choice {
        key: "slope",
        aliases: &[],
        what: "the least slope of a MonotonicAffineTransform",
        values: Values::Number {
            default: 1e-3,
            least: 1e-30,
            most: 0.999,
        },
    },
    Choice {
        key: "activation",
        aliases: &[],
        what: "the activation of the hyper networks",
        values: Values::Words(&[
            can("relu"),
            can("leaky_relu"),
            cannot("elu", NO_SUCH_ACTIVATION),
            cannot("tanh", NO_SUCH_ACTIVATION),
            cannot("gelu", NO_SUCH_ACTIVATION),
            cannot("silu", NO_SUCH_ACTIVATION),
            cannot("softplus", NO_SUCH_ACTIVATION),
            cannot("sigmoid", NO_SUCH_ACTIVATION),
        ]),
    },
    NEGATIVE_SLOPE,
    Choice {
        key: "matrix",
        aliases: &[],
        what: "what a transform with one matrix is",
        values: Values::Told(&[
            can("lu"),
            cannot(
                "rotation",
                "the matrix exponential of a rotation is not computed here",
            ),
        ]),
    },
    Choice {
        key: "transforms",
        aliases: &["flows", "layers"],
        what: "the number of transforms",
        values: Values::Count,
    },
    Choice {
        key: "tensorless",
        aliases: &[],
        what: "what a transform without tensors is",
        values: Values::Told(&[
            can("identity"),
            cannot("softclip", NO_SUCH_TRANSFORM),
            cannot("circular_shift", NO_SUCH_TRANSFORM),
            cannot("sigmoid", NO_SUCH_TRANSFORM),
            cannot("cos", NO_SUCH_TRANSFORM),
            cannot("sin", NO_SUCH_TRANSFORM),
        ]),
    },
    Choice {
        key: "base",
        aliases: &[],
        what: "the distribution of z",
        values: Values::Words(&[
            can("diag_normal"),
            cannot("box_uniform", "flowgate has a normal one"),
            cannot("mixture", "flowgate has a normal one"),
        ]),
    },
    PREFIX,
];
