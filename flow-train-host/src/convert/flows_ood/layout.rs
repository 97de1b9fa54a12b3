//! What is found of a state dict.

use flow_infer::spec::FlowSpec;

/// The architecture, and where its tensors are.
pub(super) struct Layout {
    pub(super) class: String,
    pub(super) spec: FlowSpec,
    /// Key prefixes of the steps that have tensors, in the order of the spec.
    pub(super) prefixes: Vec<String>,
    /// Where the image size comes from; `None` for vectors and given specs.
    pub(super) image_source: Option<&'static str>,
}
