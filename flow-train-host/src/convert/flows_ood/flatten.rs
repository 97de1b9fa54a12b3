//! The reference code's order of latents, for comparisons with its outputs.

use flow_infer::spec::{FlowSpec, View};

/// For each position of the reference code's flat z, the offset in our image-shaped latent.
///
/// It concatenates what is factored out of the first level, of the second, ..., and last what reaches the end, each
/// part by channel, row and column as that level sees it. Our latent never moves.
pub fn flatten_order(spec: &FlowSpec) -> Vec<usize> {
    let mut order = Vec::with_capacity(spec.input.shape().len());
    let mut view = View::whole(spec.input.shape());
    for (level, steps) in spec.levels.iter().enumerate() {
        if level > 0 {
            view = view.factor_out();
        }
        view = steps.steps.iter().fold(view, |view, step| view.after(step));
        let last = level + 1 == spec.levels.len();
        let handed_on = if last { 0 } else { view.channels() / 2 };
        let shape = view.shape();
        for c in handed_on..view.channels() {
            for y in 0..usize::from(shape.height) {
                order.extend((0..usize::from(shape.width)).map(|x| view.offset(c, y, x)));
            }
        }
    }
    order
}
