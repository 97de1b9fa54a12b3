//! What no tensor of nflows tells.

use crate::convert::assume::{Choice, NEGATIVE_SLOPE, PREFIX, Values, can, cannot};

const NO_SUCH_MAP: &str = "flowgate has no such scale map";
const NO_SUCH_ACTIVATION: &str = "the conditioners of flowgate have ReLUs, leaky or not";
const NO_SPLINE: &str = "flowgate has no splines";
const NO_NONLINEARITY: &str = "flowgate has no such layer";

/// All of them.
pub const CHOICES: &[Choice] = &[
    Choice {
        key: "scale_activation",
        aliases: &["scale_map"],
        what: "how affine couplings make scales",
        values: Values::Words(&[
            can("default"),
            can("general"),
            can("exp"),
            cannot("other", NO_SUCH_MAP),
        ]),
    },
    Choice {
        key: "coupling",
        aliases: &[],
        what: "what couplings with two parameters a coordinate are",
        values: Values::Words(&[
            can("affine"),
            cannot("piecewise_linear", NO_SPLINE),
            cannot("piecewise_rational_quadratic", NO_SPLINE),
        ]),
    },
    Choice {
        key: "activation",
        aliases: &[],
        what: "the activation of the conditioners",
        values: Values::Words(&[
            can("relu"),
            can("leaky_relu"),
            cannot("tanh", NO_SUCH_ACTIVATION),
            cannot("elu", NO_SUCH_ACTIVATION),
            cannot("gelu", NO_SUCH_ACTIVATION),
            cannot("silu", NO_SUCH_ACTIVATION),
            cannot("sigmoid", NO_SUCH_ACTIVATION),
            cannot("softplus", NO_SUCH_ACTIVATION),
        ]),
    },
    NEGATIVE_SLOPE,
    Choice {
        key: "activate_output",
        aliases: &[],
        what: "whether an MLP has its activation behind its last layer too",
        values: Values::Words(&[
            can("no"),
            cannot("yes", "the conditioners of flowgate end in a linear layer"),
        ]),
    },
    Choice {
        key: "transforms",
        aliases: &["flows", "layers"],
        what: "the number of transforms in the outermost list",
        values: Values::Count,
    },
    Choice {
        key: "tensorless",
        aliases: &[],
        what: "what a transform without tensors is",
        values: Values::Told(&[
            can("identity"),
            cannot("tanh", NO_NONLINEARITY),
            cannot("log_tanh", NO_NONLINEARITY),
            cannot("leaky_relu", NO_NONLINEARITY),
            cannot("sigmoid", NO_NONLINEARITY),
            cannot("logit", NO_NONLINEARITY),
            cannot("cauchy_cdf", NO_NONLINEARITY),
            cannot("gated_linear_unit", NO_NONLINEARITY),
            cannot("squeeze", "only flows of vectors are read"),
            cannot("reshape", "only flows of vectors are read"),
        ]),
    },
    Choice {
        key: "base",
        aliases: &[],
        what: "the distribution of z",
        values: Values::Words(&[
            can("standard_normal"),
            cannot("box_uniform", "flowgate has a standard normal one"),
        ]),
    },
    Choice {
        key: "lu_epsilon",
        aliases: &[],
        what: "what LULinear adds to its diagonal",
        values: Values::Number {
            default: 1e-3,
            least: 0.0,
            most: 1.0,
        },
    },
    Choice {
        key: "batch_norm_epsilon",
        aliases: &[],
        what: "what BatchNorm between transforms adds to variance and gain",
        values: Values::Number {
            default: 1e-5,
            least: 0.0,
            most: 1.0,
        },
    },
    PREFIX,
];
