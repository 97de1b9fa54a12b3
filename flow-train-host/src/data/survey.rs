//! How large the pictures of a path are, by their headers: asked before anything is decoded.

use std::path::Path;

use rayon::prelude::*;

use super::error::{DataError, ImageSize};
use super::image_dir::Listing;
use super::picture;
use super::source::Source;
use super::y4m::{self, Y4m};
use flow_infer::front_end::PixelFormat;

/// Upright sizes of the pictures of a folder in the order of its items, of one picture, or of the frames of a video;
/// none of anything else.
///
/// # Errors
/// [`DataError`] naming the first picture whose header cannot be read.
pub fn sizes(path: &Path) -> Result<Option<Vec<ImageSize>>, DataError> {
    if path.is_dir() {
        let listing = Listing::of(path)?;
        let sizes = listing
            .pictures
            .par_iter()
            .map(|name| picture::size(Source::open(&path.join(name))?));
        let sizes: Vec<Result<ImageSize, DataError>> = sizes.collect();
        return sizes.into_iter().collect::<Result<_, _>>().map(Some);
    }
    let source = Source::open(path)?;
    match source.prefix() {
        prefix if picture::is_picture(prefix) => Ok(Some(vec![picture::size(source)?])),
        y4m::MAGIC => Ok(Some(vec![size_of_frames(source)?])),
        _ => Ok(None),
    }
}

fn size_of_frames(source: Source<'_>) -> Result<ImageSize, DataError> {
    let spec = Y4m::new(source)?.spec();
    Ok(ImageSize {
        channels: match spec.format {
            PixelFormat::Grey8 => 1,
            _ => 3,
        },
        height: spec.height.into(),
        width: spec.width.into(),
    })
}
