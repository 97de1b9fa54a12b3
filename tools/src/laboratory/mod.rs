//! Verbs that nobody needs for a gate: they compare with peers, draw what a flow has learned, and check the paper's
//! claims. They use the other verbs, which do without them.

pub(crate) mod bench;
pub(crate) mod paper;
pub(crate) mod visualize;
