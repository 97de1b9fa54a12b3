//! What no tensor of normflows tells.

use crate::convert::assume::{Choice, PREFIX, Values, Word, can, cannot};

const VECTORS: &str = "flowgate splits images so that its conditioners see whole rows";
const NO_OUTPUT: &str = "the conditioners of flowgate end in a linear layer";
const NO_SUCH_LAYER: &str = "flowgate has no such layer";
const NO_SUCH_INPUT: &str = "images of flowgate come through a logit layer";

const LEAKY: Choice = Choice {
    key: "leaky",
    aliases: &["leaky_slope", "negative_slope"],
    what: "the slope of the leaky ReLUs of the networks",
    values: Values::Number {
        default: 0.0,
        least: -10.0,
        most: 10.0,
    },
};

const OUTPUT_FUNCTIONS: &[Word] = &[
    can("none"),
    cannot("sigmoid", NO_OUTPUT),
    cannot("relu", NO_OUTPUT),
    cannot("tanh", NO_OUTPUT),
    cannot("clampexp", NO_OUTPUT),
];

/// Of flows of vectors.
pub const VECTOR_CHOICES: &[Choice] = &[
    Choice {
        key: "scale_map",
        aliases: &[],
        what: "the scale_map of affine coupling blocks",
        values: Values::Words(&[can("exp"), can("sigmoid"), can("sigmoid_inv")]),
    },
    Choice {
        key: "split_mode",
        aliases: &[],
        what: "the split_mode of affine coupling blocks",
        values: Values::Words(&[
            can("channel"),
            can("channel_inv"),
            can("checkerboard"),
            can("checkerboard_inv"),
        ]),
    },
    Choice {
        key: "flows",
        aliases: &["transforms", "layers"],
        what: "the number of flows, len(model.flows)",
        values: Values::Count,
    },
    Choice {
        key: "tensorless",
        aliases: &[],
        what: "what a flow without tensors is",
        values: Values::Words(&[
            can("swap"),
            cannot("logit", NO_SUCH_LAYER),
            cannot("shift", NO_SUCH_LAYER),
            cannot("periodic_shift", NO_SUCH_LAYER),
            cannot("periodic_wrap", NO_SUCH_LAYER),
            cannot("squeeze", "only vectors and Glow are read"),
        ]),
    },
    LEAKY,
    Choice {
        key: "output_fn",
        aliases: &[],
        what: "the output_fn of the networks of coupling blocks",
        values: Values::Words(OUTPUT_FUNCTIONS),
    },
    Choice {
        key: "scale_output_fn",
        aliases: &[],
        what: "the output_fn of the networks s of masked flows",
        values: Values::Words(&[
            can("none"),
            can("tanh"),
            cannot("sigmoid", NO_OUTPUT),
            cannot("relu", NO_OUTPUT),
            cannot("clampexp", NO_OUTPUT),
        ]),
    },
    Choice {
        key: "shift_output_fn",
        aliases: &[],
        what: "the output_fn of the networks t of masked flows",
        values: Values::Words(OUTPUT_FUNCTIONS),
    },
    Choice {
        key: "lu_epsilon",
        aliases: &[],
        what: "what LULinearPermute adds to its diagonal",
        values: Values::Number {
            default: 1e-3,
            least: 0.0,
            most: 1.0,
        },
    },
    PREFIX,
];

/// Of Glow.
pub const GLOW_CHOICES: &[Choice] = &[
    Choice {
        key: "scale_map",
        aliases: &[],
        what: "the scale_map of Glow blocks",
        values: Values::Words(&[can("sigmoid"), can("exp"), can("sigmoid_inv")]),
    },
    Choice {
        key: "split_mode",
        aliases: &[],
        what: "the split_mode of Glow blocks",
        values: Values::Words(&[
            can("channel"),
            can("channel_inv"),
            cannot("checkerboard", VECTORS),
            cannot("checkerboard_inv", VECTORS),
        ]),
    },
    Choice {
        key: "merge",
        aliases: &[],
        what: "the mode of the merges between levels",
        values: Values::Words(&[
            can("channel"),
            cannot(
                "channel_inv",
                "the second half of the channels leaves at a level's end",
            ),
            cannot("checkerboard", VECTORS),
            cannot("checkerboard_inv", VECTORS),
        ]),
    },
    LEAKY,
    Choice {
        key: "logscale_factor",
        aliases: &[],
        what: "the logscale_factor of the bases",
        values: Values::Number {
            default: 3.0,
            least: -1000.0,
            most: 1000.0,
        },
    },
    Choice {
        key: "input",
        aliases: &["transform"],
        what: "the transform of the images",
        values: Values::Words(&[
            can("logit"),
            cannot("none", NO_SUCH_INPUT),
            cannot("shift", NO_SUCH_INPUT),
        ]),
    },
    Choice {
        key: "logit_alpha",
        aliases: &["logit_margin", "alpha"],
        what: "the alpha of the Logit transform",
        values: Values::Number {
            default: 0.05,
            least: 1e-6,
            most: 0.49,
        },
    },
    PREFIX,
];
