//! What is known of a checkpoint from elsewhere.

use flow_infer::spec::Shape;

/// What the user knows and no tensor tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hint {
    /// Size of the images, of a flow of images.
    pub image: Option<Shape>,
    /// Keys of the state dict in a checkpoint that holds several, joined by dots.
    pub state_dict: Option<String>,
    /// Keys and values of the library's choices, as `--assume KEY=VALUE` tells them.
    pub assume: Vec<(String, String)>,
}

impl Hint {
    /// The hint, with one more choice told.
    #[must_use]
    pub fn assuming(mut self, key: &str, value: &str) -> Self {
        self.assume.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The hint, with the size of the images told.
    #[must_use]
    pub const fn of_images(mut self, shape: Shape) -> Self {
        self.image = Some(shape);
        self
    }
}
