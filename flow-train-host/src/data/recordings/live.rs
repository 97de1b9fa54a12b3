//! Samples of a sensor as they come, line by line, from a pipe without an end or from a file.
//!
//! What a recording says of itself is known when it is over; here it must be known before the first window is. So the
//! lines of one window are read ahead for what their clock says: unit, step, and whether the rate is the model's. A line
//! that is no sample, and samples that are missing, are told in their place, and the stream goes on.

use super::clock::{Clock, Pace, Taken};
use super::table::Columns;
use super::{RecordingOptions, other_rate};
use crate::data::csv::{Record, Records, finite, names};
use crate::data::error::{DataError, Position, Problem};
use crate::data::options::ReadOptions;
use crate::data::source::Source;
use crate::windows::WindowSpec;
use std::collections::VecDeque;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

/// What came next.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LiveStep {
    /// A sample.
    Sample(Sample),
    /// A line that is no sample: its number, and what is wrong.
    Fault {
        /// Counted from one.
        line: u64,
        /// With line and field.
        why: String,
    },
}

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// In the scale of the model, channel by channel.
    pub values: Vec<i16>,
    /// Its line, counted from one.
    pub line: u64,
    /// Seconds since the first sample, where there is a clock or a rate.
    pub seconds: Option<f64>,
    /// Why it does not follow the one before: no window reaches over that.
    pub gap: Option<String>,
}

/// A line as it was read.
enum Line {
    Sample {
        values: Vec<i16>,
        line: u64,
        time: Option<f64>,
    },
    Fault {
        line: u64,
        why: String,
    },
}

/// The samples of a stream, for a model whose windows are known.
pub struct LiveSamples<'s> {
    records: Records<'s>,
    columns: Columns,
    spec: Arc<WindowSpec>,
    /// The first line, where it is no header.
    first: Option<Record>,
    ahead: VecDeque<Line>,
    pace: Option<Pace>,
    /// Samples a second, where a clock or somebody says it.
    rate: Option<f64>,
    begun: Option<f64>,
    /// Time of the sample before; none behind a line that was none.
    before: Option<f64>,
    /// Samples that came.
    count: u64,
}

impl LiveSamples<'static> {
    /// The lines of a stream, called `name` in errors.
    ///
    /// # Errors
    /// [`DataError`]: nothing comes, a channel is not there, the clock says another rate than the model's.
    pub fn of_stream(
        name: &Path,
        stream: Box<dyn BufRead>,
        spec: &Arc<WindowSpec>,
        options: &RecordingOptions,
    ) -> Result<Self, DataError> {
        Self::new(Source::of_stream(name, stream)?, spec, options)
    }

    /// The lines of a file.
    ///
    /// # Errors
    /// As of [`of_stream`](Self::of_stream).
    pub fn open(
        path: &Path,
        spec: &Arc<WindowSpec>,
        options: &RecordingOptions,
    ) -> Result<Self, DataError> {
        Self::new(Source::open(path)?, spec, options)
    }
}

impl<'s> LiveSamples<'s> {
    fn new(
        source: Source<'s>,
        spec: &Arc<WindowSpec>,
        options: &RecordingOptions,
    ) -> Result<Self, DataError> {
        let mut records = Records::new(source);
        let Some(first) = records.next()? else {
            return Err(records.source.error(Problem::Empty));
        };
        let header = records.is_header(&first.fields);
        let header = header.then(|| names(&first.fields));
        let (width, reading) = (first.fields.len(), ReadOptions::default());
        let columns = Columns::of(width, header.as_deref(), &reading, options);
        let columns = columns.map_err(|problem| records.source.error(problem))?;
        let (found, wanted) = (columns.channels.len(), spec.channels.len());
        if found != wanted {
            let why = format!("{found} channels, and the model reads {wanted}");
            return Err(records.source.error(Problem::Malformed(why)));
        }
        let known = (spec.rate_millihertz > 0).then(|| f64::from(spec.rate_millihertz) / 1e3);
        let mut samples = Self {
            records,
            columns,
            spec: spec.clone(),
            first: Some(first).filter(|_| header.is_none()),
            ahead: VecDeque::new(),
            pace: None,
            rate: options.rate_hertz.or(known),
            begun: None,
            before: None,
            count: 0,
        };
        samples.look_ahead()?;
        Ok(samples)
    }

    /// The next sample, or what came in its place; none at the end.
    ///
    /// # Errors
    /// [`DataError`]: nothing more can be read.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<LiveStep>, DataError> {
        let line = match self.ahead.pop_front() {
            Some(line) => Some(line),
            None => self.line()?,
        };
        Ok(line.map(|line| match line {
            Line::Sample { values, line, time } => {
                LiveStep::Sample(self.sample(values, line, time))
            }
            Line::Fault { line, why } => {
                self.before = None;
                LiveStep::Fault { line, why }
            }
        }))
    }

    fn sample(&mut self, values: Vec<i16>, line: u64, time: Option<f64>) -> Sample {
        let counted = self.rate.map(|rate| self.count as f64 / rate);
        self.count += 1;
        let begun = *self.begun.get_or_insert(time.unwrap_or(0.0));
        let step = time.zip(self.before).map(|(now, before)| now - before);
        self.before = time;
        let clocked = time.zip(self.pace);
        let taken = step.zip(self.pace).map(|(step, pace)| pace.taken(step));
        Sample {
            values,
            line,
            seconds: clocked.map_or(counted, |(now, pace)| Some((now - begun) * pace.unit)),
            gap: match taken {
                Some(Taken::Gap(seconds)) => {
                    Some(format!("samples are missing, {seconds:.3} s of them"))
                }
                Some(Taken::Jump) => Some("the clock stands still or jumps back".to_owned()),
                _ => None,
            },
        }
    }

    /// Reads the lines of a window, and what their clock says.
    fn look_ahead(&mut self) -> Result<(), DataError> {
        let mut times = Vec::new();
        let mut count = 0;
        while count < usize::from(self.spec.length) {
            let Some(line) = self.line()? else { break };
            if let Line::Sample { time, .. } = &line {
                count += 1;
                times.extend(time);
            }
            self.ahead.push_back(line);
        }
        if count == 0 && self.ahead.is_empty() {
            return Err(self.records.source.error(Problem::Empty));
        }
        if let (Some((_, name)), true) = (&self.columns.time, times.len() > 1) {
            let clock = Clock::of(&times, name, self.rate);
            let problem = |why| self.records.source.error(Problem::Malformed(why));
            let pace = clock.map_err(problem)?.pace;
            if let Some(problem) = other_rate(pace.rate(), &self.spec) {
                return Err(self.records.source.error(problem));
            }
            self.pace = Some(pace);
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<Line>, DataError> {
        let next = match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.records.next(),
        };
        match next.and_then(|record| record.map(|record| self.parsed(&record)).transpose()) {
            Err(DataError {
                position: Some(Position::Field { line, field }),
                problem,
                ..
            }) => {
                let why = format!("line {line}, field {field}: {problem}");
                Ok(Some(Line::Fault { line, why }))
            }
            other => other,
        }
    }

    fn parsed(&self, record: &Record) -> Result<Line, DataError> {
        let number = |index: usize| {
            let at = |problem| {
                let position = record.position(index);
                self.records.source.error_at(position, problem)
            };
            finite(&record.fields[index]).map_err(at)
        };
        let both = self.columns.channels.iter().zip(&self.spec.channels);
        let values = both.map(|(&index, channel)| {
            // A finite value has a sample.
            Ok(channel.sample(number(index)?).unwrap_or_default())
        });
        Ok(Line::Sample {
            values: values.collect::<Result<_, DataError>>()?,
            line: record.number,
            time: match &self.columns.time {
                Some((index, _)) => Some(number(*index)?),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::windows::ChannelSpec;
    use std::io::Cursor;

    fn spec() -> Arc<WindowSpec> {
        let channel = |name: &str| ChannelSpec {
            exponent: 1,
            ..ChannelSpec::plain(name)
        };
        Arc::new(WindowSpec {
            rate_millihertz: 10_000,
            length: 4,
            hop: 2,
            features: vec!["means:2".parse().unwrap()],
            channels: ["a", "b"].map(channel).into(),
        })
    }

    fn opened(text: &str) -> Result<LiveSamples<'static>, DataError> {
        let spec = spec();
        let stream = Box::new(Cursor::new(text.as_bytes().to_vec()));
        let options = RecordingOptions::of_model(spec.as_ref().clone());
        LiveSamples::of_stream(Path::new("-"), stream, &spec, &options)
    }

    fn all(text: &str) -> Vec<LiveStep> {
        let mut samples = opened(text).unwrap();
        let next = || samples.next().unwrap();
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn samples_come_in_the_models_scale_with_line_and_time() {
        let text = "note,b,t_ms,a\nx,1,1000,2.5\n\ny,3,1100,-4\n";
        let sample = |values: [i16; 2], line, seconds| {
            LiveStep::Sample(Sample {
                values: values.into(),
                line,
                seconds: Some(seconds),
                gap: None,
            })
        };
        let wanted = [sample([5, 2], 2, 0.0), sample([-8, 6], 4, 0.1)];
        assert_eq!(all(text), wanted);
    }

    #[test]
    fn faults_and_gaps_are_told_in_their_place() {
        let mut text = "t,a,b\n".to_owned();
        for (t, a) in [
            (0, "1"),
            (1, "1"),
            (2, "1"),
            (3, "1"),
            (4, "x"),
            (5, "1"),
            (9, "1"),
            (8, "1"),
        ] {
            text += &format!("{:.1},{a},2\n", f64::from(t) / 10.0);
        }
        text += "0.9,1\n";
        let said = all(&text).into_iter().filter_map(|step| match step {
            LiveStep::Sample(sample) => sample.gap.map(|gap| (sample.line, gap)),
            LiveStep::Fault { line, why } => Some((line, why)),
        });
        let said: Vec<(u64, String)> = said.collect();
        let lines: Vec<u64> = said.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [6, 8, 9, 10], "{said:?}");
        assert!(said[0].1.starts_with("line 6, field 2: "), "{}", said[0].1);
        assert_eq!(said[1].1, "samples are missing, 0.300 s of them");
        assert_eq!(said[2].1, "the clock stands still or jumps back");
        assert!(said[3].1.starts_with("line 10, field 2: "), "{}", said[3].1);
    }

    #[test]
    fn what_is_of_another_model_is_refused_before_anything_is_decided() {
        let why = |text: &str| opened(text).err().map(|error| error.to_string());
        assert!(why("").is_some() && why("t,a,b\n").is_some());
        let slow = why("t,a,b\n0.0,1,2\n0.5,1,2\n1.0,2,3\n").unwrap();
        assert!(slow.contains("sampled 2 times a second, and 10"), "{slow}");
        let absent = why("t,a,c\n0.0,1,2\n").unwrap();
        assert!(absent.contains("no column \"b\""), "{absent}");
        assert!(
            why("0.0,1,2\n0.1,1,2\n").is_some(),
            "names are not in the header"
        );
    }
}
