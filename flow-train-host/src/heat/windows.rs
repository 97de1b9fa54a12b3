//! Where a window is odd: how much likelier it would be if a part of it were as in own windows.
//!
//! A part is a channel, a stretch of a channel's time, or one kind of a channel's values (a mean, an octave). Its values
//! are replaced by those of the own windows that are nearest in everything else, and by those that a Gaussian of own
//! windows foresees, whichever is likeliest. The nats that log_prob gains are how odd the part is: little in own windows,
//! the more the stranger it is beside the rest. Latents would say it without another evaluation, but one strange value
//! makes those look strange that the flow foresees from it, and at forty deviations they may look the strangest of all.
//! Gains of parts do not add up.

use super::foreseen::Foreseen;
use crate::data::{Dataset, Vectors};
use crate::evaluate::log_prob_all;
use crate::export::ExportError;
use crate::export::file::FlowFile;
use crate::windows::{FeatureName, ValuePlace, WindowSpec};
use flow_infer::artifact::{Artifact, Section};
use flow_infer::engine::InputError;
use flow_infer::spec::units::nats_from_raw;

/// Most parts that the time of a window is cut into.
const MOST_COLUMNS: usize = 16;
/// Own windows that values are taken from: of this many the nearest few.
const DONORS: usize = 1000;
const NEAREST: usize = 3;
/// Squares of deviations beyond this make no window farther.
const FAR: f64 = 9.0;

/// Why nothing can be said of windows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OddError {
    /// The model does not read windows.
    #[error("this model reads no windows of a sensor")]
    NoWindows,
    /// The engine refuses an input.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The model without its front end is no model.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// Own windows, and the flow behind the front end.
#[derive(Clone, Debug)]
pub struct OwnWindows {
    /// The model that reads the values of windows instead of windows.
    file: Vec<u8>,
    own: Vectors,
    foreseen: Foreseen,
    places: Vec<ValuePlace>,
    spec: WindowSpec,
    columns: usize,
}

/// Nats that a window gains where a part of it is as in own windows.
#[derive(Clone, Debug, PartialEq)]
pub struct OddWindow {
    /// By channel.
    pub channels: Vec<f64>,
    /// By channel and time, all parts of the time equally long.
    pub by_time: Vec<Vec<f64>>,
    /// By kind of values.
    pub kinds: Vec<OddKind>,
}

/// One kind of a channel's values.
#[derive(Clone, Debug, PartialEq)]
pub struct OddKind {
    /// Index of the channel.
    pub channel: usize,
    /// What is measured.
    pub feature: FeatureName,
    /// Of a band, where it begins and ends, in periods a sample.
    pub band: Option<[f64; 2]>,
    /// Nats.
    pub nats: f64,
}

impl OwnWindows {
    /// Those of a data set, for a model that reads such windows.
    ///
    /// # Errors
    /// [`OddError`].
    pub fn of(artifact: &Artifact<'_>, own: &Dataset) -> Result<Self, OddError> {
        let windows = artifact.windows().ok_or(OddError::NoWindows)?;
        let spec = WindowSpec::of(&windows);
        let Dataset::Vectors(own) = own.take(0..DONORS) else {
            return Err(OddError::NoWindows);
        };
        let mut file = FlowFile::from_artifact(artifact);
        file.set_golden(std::iter::empty());
        for section in [
            Section::FrontEnd,
            Section::Gate,
            Section::Tests,
            Section::PValues,
        ] {
            file.set(section, Vec::new());
        }
        let places = spec.places();
        Ok(Self {
            file: file.to_bytes()?,
            foreseen: Foreseen::by(&own),
            columns: columns(&places, spec.length.into()),
            places,
            own,
            spec,
        })
    }

    /// The windows.
    pub fn spec(&self) -> &WindowSpec {
        &self.spec
    }

    /// What is odd in a window of these values.
    ///
    /// # Errors
    /// [`OddError`].
    pub fn odd(&self, values: &[f32]) -> Result<OddWindow, OddError> {
        let (kinds, channels) = (self.kinds(), self.spec.channels.len());
        let of_channel = |channel| self.part(|place| place.channel == channel);
        let mut parts: Vec<Vec<bool>> = (0..channels).map(of_channel).collect();
        for channel in 0..channels {
            let at = |column| self.part(|place| self.is_at(place, channel, column));
            parts.extend((0..self.columns).map(at));
        }
        let of_kind = |kind: &OddKind| {
            self.part(|p| (p.channel, p.feature, p.band) == (kind.channel, kind.feature, kind.band))
        };
        parts.extend(kinds.iter().map(of_kind));
        let mut gains = self.gains(values, &parts)?.into_iter();
        let mut take = |count| gains.by_ref().take(count).collect::<Vec<f64>>();
        Ok(OddWindow {
            channels: take(channels),
            by_time: (0..channels).map(|_| take(self.columns)).collect(),
            kinds: kinds
                .into_iter()
                .zip(gains)
                .map(|(kind, nats)| OddKind { nats, ..kind })
                .collect(),
        })
    }

    /// Every kind of values once.
    fn kinds(&self) -> Vec<OddKind> {
        let mut kinds: Vec<OddKind> = Vec::new();
        for place in &self.places {
            let kind = OddKind {
                channel: place.channel,
                feature: place.feature,
                band: place.band,
                nats: 0.0,
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    fn part(&self, belongs: impl Fn(&ValuePlace) -> bool) -> Vec<bool> {
        self.places.iter().map(belongs).collect()
    }

    fn is_at(&self, place: &ValuePlace, channel: usize, column: usize) -> bool {
        let edge = |column: usize| column * usize::from(self.spec.length) / self.columns;
        let (from, to) = (edge(column), edge(column + 1));
        place.channel == channel && place.samples.start < to && from < place.samples.end
    }

    /// What log_prob gains by each part that is as in own windows.
    fn gains(&self, values: &[f32], parts: &[Vec<bool>]) -> Result<Vec<f64>, OddError> {
        let mut tried = values.to_vec();
        let mut ends = Vec::new();
        for part in parts {
            for donor in self.nearest(values, part) {
                let both = values.iter().zip(self.own.get(donor)).zip(part);
                tried.extend(both.map(|((&own, &donor), &is)| if is { donor } else { own }));
            }
            tried.extend(self.foreseen.changed(values, part).concat());
            ends.push(tried.len() / self.own.dims());
        }
        let log_probs = self.log_probs(tried)?;
        let before = log_probs.first().copied().unwrap_or(0.0);
        let starts = std::iter::once(1).chain(ends.iter().copied());
        let gain = |(start, &end): (usize, &usize)| {
            let tries = log_probs.get(start..end).unwrap_or(&[]);
            tries.iter().copied().fold(f64::NEG_INFINITY, f64::max) - before
        };
        Ok(starts.zip(&ends).map(gain).collect())
    }

    /// The own windows nearest in what is no part.
    fn nearest(&self, values: &[f32], part: &[bool]) -> Vec<usize> {
        let distance = |index: usize| {
            let both = values
                .iter()
                .zip(self.own.get(index))
                .zip(self.foreseen.deviations());
            let both = both.zip(part).filter(|(_, is)| !**is);
            let squares = both.map(|(((&x, &own), deviation), _)| {
                let apart = (f64::from(x) - f64::from(own)) / deviation;
                apart.powi(2).min(FAR)
            });
            squares.sum::<f64>()
        };
        let distances: Vec<f64> = (0..self.own.len()).map(distance).collect();
        let mut order: Vec<usize> = (0..distances.len()).collect();
        order.sort_by(|&a, &b| distances[a].total_cmp(&distances[b]));
        order.truncate(NEAREST);
        order
    }

    fn log_probs(&self, values: Vec<f32>) -> Result<Vec<f64>, OddError> {
        let artifact = Artifact::load(&self.file).map_err(ExportError::Rejected)?;
        let Ok(vectors) = Vectors::new(self.own.dims(), values) else {
            return Ok(Vec::new());
        };
        let found = log_prob_all(&artifact, &Dataset::Vectors(vectors));
        let found = found.map_err(|(_, error)| error)?;
        let nats = found.iter().map(|e| nats_from_raw(e.log_prob_raw));
        Ok(nats.collect())
    }
}

impl OddWindow {
    /// The channel that gains most, and the part of the time in which it does.
    pub fn oddest(&self) -> Option<(usize, usize)> {
        let channel = greatest(&self.channels)?;
        Some((channel, greatest(self.by_time.get(channel)?)?))
    }

    /// The kind of a channel's values that gains most.
    pub fn kind_of(&self, channel: usize) -> Option<&OddKind> {
        let kinds = self.kinds.iter().filter(|kind| kind.channel == channel);
        kinds.max_by(|a, b| a.nats.total_cmp(&b.nats))
    }
}

/// The index of the greatest value.
fn greatest(values: &[f64]) -> Option<usize> {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]))
}

/// As many parts as the shortest stretch that a value is measured in goes into the window.
fn columns(places: &[ValuePlace], length: usize) -> usize {
    let shortest = places.iter().map(|place| place.samples.len()).min();
    (length / shortest.unwrap_or(length).max(1)).clamp(1, MOST_COLUMNS)
}
