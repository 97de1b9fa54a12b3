//! How recordings become windows, on the command line.

use clap::Args;
use flow_train_host::data::ColumnChoice;
use flow_train_host::data::recordings::{Faulty, LearnedWindows, RecordingOptions, WindowChoice};
use flow_train_host::windows::{FeatureName, WindowSpec};

/// What windows recordings are cut into.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WindowArgs {
    /// Cut recordings (CSV, NPY, WAV; a file or a folder) into windows of N samples; the model keeps it, and a board does the
    /// same
    #[arg(long, value_name = "N", help_heading = "Recordings of sensors", value_parser = clap::value_parser!(u16).range(2..=2048))]
    window: Option<u16>,
    /// Samples from one window to the next; half a window by default
    #[arg(long, value_name = "N", help_heading = "Recordings of sensors", requires = "window",
          value_parser = clap::value_parser!(u16).range(1..))]
    hop: Option<u16>,
    /// Columns that are channels: names, or numbers from 1; all but that of the time by default
    #[arg(
        long,
        value_name = "NAMES|NUMBERS",
        help_heading = "Recordings of sensors",
        value_delimiter = ','
    )]
    channels: Vec<String>,
    /// Samples a second; told by a column of times, or by a WAV file
    #[arg(long = "rate", value_name = "HZ", help_heading = "Recordings of sensors", value_parser = rate)]
    rate_hertz: Option<f64>,
    /// Column of times; by default one whose name says so (t, time, timestamp_ms)
    #[arg(long, value_name = "NAME", help_heading = "Recordings of sensors")]
    time: Option<String>,
    /// What is measured of every channel: raw, means:SEGMENTS, differences:SEGMENTS, bands:SEGMENTS[xPARTS], parted by commas;
    /// by default means, and energies of octaves
    #[arg(
        long,
        value_name = "LIST",
        help_heading = "Recordings of sensors",
        requires = "window",
        value_delimiter = ','
    )]
    features: Vec<FeatureName>,
    /// The least and the greatest value that the sensor can give: a window with an eighth of a channel there is invalid
    #[arg(long, value_name = "LOW,HIGH", help_heading = "Recordings of sensors", requires = "window",
          allow_hyphen_values = true, value_parser = range)]
    range: Option<Range>,
}

/// The ends of what a sensor can give.
#[derive(Clone, Copy, Debug)]
struct Range([f64; 2]);

impl WindowArgs {
    /// What was asked for, with the windows of a model or a configuration where there are such. None where nothing is
    /// cut into windows.
    pub(crate) fn options(
        &self,
        known: Option<&WindowSpec>,
        faulty: Faulty,
    ) -> Option<RecordingOptions> {
        let windows = match (self.window, known) {
            (None, Some(spec)) => {
                return Some(self.add(RecordingOptions::of_model(spec.clone()), faulty));
            }
            (None, None) => return None,
            (Some(length), _) => WindowChoice::Learned(LearnedWindows {
                length,
                hop: self.hop,
                features: self.features.clone(),
                range: self.range.map(|Range(ends)| ends),
            }),
        };
        let options = RecordingOptions {
            channels: ColumnChoice::default(),
            time: None,
            rate_hertz: None,
            windows,
            faulty,
        };
        Some(self.add(options, faulty))
    }

    /// The same for windows that are known.
    pub(crate) fn of_others(&self) -> Self {
        Self {
            window: None,
            hop: None,
            features: Vec::new(),
            range: None,
            ..self.clone()
        }
    }

    /// Whether windows of its own were asked for.
    pub(crate) fn asks(&self) -> bool {
        self.window.is_some()
    }

    fn add(&self, options: RecordingOptions, faulty: Faulty) -> RecordingOptions {
        RecordingOptions {
            channels: ColumnChoice(self.channels.clone()),
            time: self.time.clone(),
            rate_hertz: self.rate_hertz,
            faulty,
            ..options
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (1e-3..=4e6).contains(&rate) => Ok(rate),
        _ => Err("a rate lies between 0.001 and 4000000 samples a second".to_owned()),
    }
}

fn range(text: &str) -> Result<Range, String> {
    let ends = text.split_once(',');
    let ends =
        ends.and_then(|(low, high)| Some([low.trim().parse().ok()?, high.trim().parse().ok()?]));
    match ends {
        Some([low, high]) if f64::is_finite(low) && f64::is_finite(high) && low < high => {
            Ok(Range([low, high]))
        }
        _ => Err("expected LOW,HIGH, as -2,2".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_ranges_are_numbers() {
        assert_eq!(rate("50"), Ok(50.0));
        assert!(rate("0").is_err() && rate("x").is_err() && rate("nan").is_err());
        assert_eq!(range("-2, 2.5").map(|r| r.0), Ok([-2.0, 2.5]));
        for bad in ["", "2", "2,2", "a,b", "0,inf"] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }
}
