//! The pixels of a view, for steps that treat every pixel alike: where each channel lies among the
//! latents.

use super::step::Group;
use flow_infer::spec::View;

/// Places of the coordinates of a group of samples, pixel by pixel, sample by sample.
pub(crate) struct Pixels {
    places: Vec<usize>,
    channels: usize,
    /// Pixels of a sample.
    each: usize,
    group: Group,
}

impl Pixels {
    /// The pixels of a view.
    pub(crate) fn new(group: Group, view: View) -> Self {
        let shape = view.shape();
        let (height, width) = (usize::from(shape.height), usize::from(shape.width));
        let mut places = Vec::new();
        for sample in 0..group.samples {
            for y in 0..height {
                for x in 0..width {
                    let channels = 0..view.channels();
                    places.extend(channels.map(|c| sample * group.dims + view.offset(c, y, x)));
                }
            }
        }
        Self {
            places,
            channels: view.channels(),
            each: height * width,
            group,
        }
    }

    /// Number of coordinates of all samples that the steps change.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Number of channels.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Pixels of a sample.
    pub(crate) fn each(&self) -> usize {
        self.each
    }

    /// Numbers of a whole group of latents.
    pub(crate) fn coordinates(&self) -> usize {
        self.group.samples * self.group.dims
    }

    /// The pixels of as many samples as have `latents` numbers together: the places of all
    /// channels.
    pub(crate) fn of(&self, latents: usize) -> std::slice::ChunksExact<'_, usize> {
        let samples = latents / self.group.dims;
        self.places[..samples * self.each * self.channels].chunks_exact(self.channels)
    }
}
