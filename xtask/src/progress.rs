//! A bar on standard error while a board works; nothing where nobody looks.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `inputs` inputs, named after what is done.
pub(crate) fn bar(inputs: usize, doing: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    ProgressBar::new(inputs as u64)
        .with_message(doing.to_owned())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
