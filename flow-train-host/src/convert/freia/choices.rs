//! What no tensor of FrEIA tells.

use crate::convert::assume::{Choice, NEGATIVE_SLOPE, PREFIX, Values, can, cannot};

const NO_SUCH_ACTIVATION: &str = "the conditioners of flowgate have ReLUs, leaky or not";
const NO_SUCH_MODULE: &str = "flowgate has no such layer";

/// All of them.
pub const CHOICES: &[Choice] = &[
    Choice {
        key: "clamp_activation",
        aliases: &["scale_map"],
        what: "the clamp_activation of coupling blocks",
        values: Values::Words(&[
            can("atan"),
            can("tanh"),
            can("sigmoid"),
            cannot("other", "flowgate has no such scale map"),
        ]),
    },
    Choice {
        key: "clamp",
        aliases: &[],
        what: "the clamp of coupling blocks",
        values: Values::Number {
            default: 2.0,
            least: 1e-6,
            most: 100.0,
        },
    },
    Choice {
        key: "coupling",
        aliases: &[],
        what: "what blocks with subnet1 and subnet2 are",
        values: Values::Words(&[
            can("glow"),
            cannot("gin", "flowgate does not subtract a mean from log_scale"),
        ]),
    },
    Choice {
        key: "affine_clamping",
        aliases: &[],
        what: "the affine_clamping of all-in-one blocks",
        values: Values::Number {
            default: 2.0,
            least: 1e-6,
            most: 100.0,
        },
    },
    Choice {
        key: "gin_block",
        aliases: &[],
        what: "whether all-in-one blocks are volume-preserving",
        values: Values::Words(&[
            can("no"),
            cannot("yes", "flowgate does not subtract a mean from log_scale"),
        ]),
    },
    Choice {
        key: "global_affine_type",
        aliases: &[],
        what: "the global_affine_type of all-in-one blocks",
        values: Values::Words(&[can("softplus"), can("sigmoid"), can("exp")]),
    },
    Choice {
        key: "reverse_permutation",
        aliases: &[],
        what: "whether all-in-one blocks permute before their coupling too",
        values: Values::Words(&[can("no"), can("yes")]),
    },
    Choice {
        key: "orthogonal_clamp",
        aliases: &[],
        what: "the clamp of orthogonal transforms",
        values: Values::Number {
            default: 5.0,
            least: 1e-6,
            most: 100.0,
        },
    },
    Choice {
        key: "activation",
        aliases: &[],
        what: "the activation of the subnets",
        values: Values::Words(&[
            can("relu"),
            can("leaky_relu"),
            cannot("elu", NO_SUCH_ACTIVATION),
            cannot("tanh", NO_SUCH_ACTIVATION),
            cannot("gelu", NO_SUCH_ACTIVATION),
            cannot("silu", NO_SUCH_ACTIVATION),
            cannot("sigmoid", NO_SUCH_ACTIVATION),
            cannot("softplus", NO_SUCH_ACTIVATION),
        ]),
    },
    NEGATIVE_SLOPE,
    Choice {
        key: "gaps",
        aliases: &[],
        what: "what is between the layers of the subnets beside an activation",
        values: Values::Told(&[
            can("dropout"),
            cannot("layer_norm", "flowgate has no layer norm"),
            cannot("other", NO_SUCH_MODULE),
        ]),
    },
    Choice {
        key: "graph",
        aliases: &[],
        what: "how the modules are joined",
        values: Values::Words(&[
            can("sequence"),
            cannot("branches", "a flow of flowgate is one sequence of layers"),
        ]),
    },
    Choice {
        key: "direction",
        aliases: &[],
        what: "which direction gives z: rev=False, or rev=True",
        values: Values::Words(&[
            can("forward"),
            cannot("reverse", "its couplings would have to be turned around"),
        ]),
    },
    Choice {
        key: "modules",
        aliases: &["flows", "layers"],
        what: "the number of modules, len(inn.module_list)",
        values: Values::Count,
    },
    Choice {
        key: "tensorless",
        aliases: &[],
        what: "what a module without tensors is",
        values: Values::Told(&[
            can("flatten"),
            can("reshape"),
            cannot("invertible_sigmoid", NO_SUCH_MODULE),
            cannot("irevnet_downsampling", "only flows of vectors are read"),
            cannot("split", "a flow of flowgate is one sequence of layers"),
            cannot("concat", "a flow of flowgate is one sequence of layers"),
        ]),
    },
    PREFIX,
];
