//! Progress of long work, on standard error and only where somebody looks at it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{msg:<22} {bar:32} {pos}/{len}  {per_sec}  {eta} left";
const SPINNER: &str = "{spinner} {msg}";

/// A bar over `len` items; invisible unless standard error is a terminal.
pub(crate) fn bar(len: usize, doing: impl Into<String>) -> ProgressBar {
    let target = ProgressDrawTarget::stderr();
    let bar = ProgressBar::with_draw_target(Some(len as u64), target);
    bar.set_style(style(TEMPLATE));
    bar.set_message(doing.into());
    bar
}

/// A spinner for work without an end in sight.
pub(crate) fn spinner(doing: impl Into<String>) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    spinner.set_style(style(SPINNER));
    spinner.set_message(doing.into());
    spinner.enable_steady_tick(std::time::Duration::from_millis(120));
    spinner
}

pub(crate) fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_templates() {
        for template in [TEMPLATE, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
