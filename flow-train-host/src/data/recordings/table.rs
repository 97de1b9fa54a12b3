//! A recording in a table: one sample a line.

use super::clock::{self, Clock};
use super::files::Named;
use super::recording::{Recording, stretches};
use super::{RecordingOptions, hertz, noticed};
use crate::data::columns::ColumnChoice;
use crate::data::csv::{Record, Records, finite, names};
use crate::data::error::{DataError, Position, Problem};
use crate::data::notice::Notice;
use crate::data::options::{Header, ReadOptions};
use crate::data::source::Source;
use std::path::Path;

/// What `--blocks` says for one block a recording: no column.
const RECORDINGS: &str = "recordings";

/// Which columns are what.
pub(super) struct Columns {
    pub(super) channels: Vec<usize>,
    names: Vec<String>,
    /// Index and name of the clock's.
    pub(super) time: Option<(usize, String)>,
    block: Option<usize>,
}

pub(super) fn recording(
    source: Source<'_>,
    file: &Named,
    options: &ReadOptions,
    own: &RecordingOptions,
) -> Result<Recording, DataError> {
    let mut records = Records::new(source);
    let Some(first) = records.next()? else {
        return Err(records.source.error(Problem::Empty));
    };
    let named = match options.header {
        Header::Yes => true,
        Header::No => false,
        Header::Auto => records.is_header(&first.fields),
    };
    let header = named.then(|| names(&first.fields));
    let columns = Columns::of(first.fields.len(), header.as_deref(), options, own);
    let columns = columns.map_err(|problem| records.source.error(problem))?;
    let mut found = Found::default();
    let mut next = if named { records.next()? } else { Some(first) };
    while let Some(record) = next {
        found
            .push(&record, &columns)
            .map_err(|(position, problem)| records.source.error_at(position, problem))?;
        next = records.next()?;
    }
    if found.lines.is_empty() {
        return Err(records.source.error(Problem::Empty));
    }
    found.into_recording(&records.source, file, columns, own)
}

impl Columns {
    pub(super) fn of(
        width: usize,
        header: Option<&[String]>,
        options: &ReadOptions,
        own: &RecordingOptions,
    ) -> Result<Self, Problem> {
        let one = |name: &String| {
            let found = ColumnChoice(vec![name.clone()]).resolve(width, header)?;
            Ok(found.first().copied())
        };
        let block = match &options.block_column {
            Some(name) if name != RECORDINGS => one(name)?,
            _ => None,
        };
        let wanted = own.wanted_channels();
        let mut channels = wanted.resolve(width, header)?;
        let name_of = |index: usize| match header {
            Some(names) => names[index].clone(),
            None => (index + 1).to_string(),
        };
        let time = match &own.time {
            Some(name) => one(name)?,
            None => {
                let clock = |&index: &usize| clock::is_clock(&name_of(index));
                let unnamed = |index: &usize| wanted.is_all() || !channels.contains(index);
                (0..width).filter(unnamed).find(clock)
            }
        };
        channels.retain(|&index| Some(index) != time && Some(index) != block);
        if channels.is_empty() {
            return Err(Problem::Malformed("no column is a channel".to_owned()));
        }
        Ok(Self {
            names: channels.iter().map(|&index| name_of(index)).collect(),
            time: time.map(|index| (index, name_of(index))),
            channels,
            block,
        })
    }
}

/// What the lines hold.
#[derive(Default)]
struct Found {
    values: Vec<f64>,
    times: Vec<f64>,
    lines: Vec<u64>,
    blocks: Vec<String>,
}

impl Found {
    fn push(&mut self, record: &Record, columns: &Columns) -> Result<(), (Position, Problem)> {
        let number = |index: usize| {
            let value = finite(&record.fields[index]);
            value.map_err(|problem| (record.position(index), problem))
        };
        for &index in &columns.channels {
            self.values.push(number(index)?);
        }
        if let Some((index, _)) = columns.time {
            self.times.push(number(index)?);
        }
        if let Some(index) = columns.block {
            let label = String::from_utf8_lossy(&record.fields[index]);
            self.blocks.push(label.into_owned());
        }
        self.lines.push(record.number);
        Ok(())
    }

    fn into_recording(
        self,
        source: &Source<'_>,
        file: &Named,
        columns: Columns,
        own: &RecordingOptions,
    ) -> Result<Recording, DataError> {
        let (mut rate, mut begins, mut notices) = (own.rate_hertz, Vec::new(), Vec::new());
        if let (Some((_, name)), true) = (&columns.time, self.times.len() > 1) {
            let clock = Clock::of(&self.times, name, own.rate_hertz);
            let clock = clock.map_err(|why| source.error(Problem::Malformed(why)))?;
            notices = remarks(&clock, &self.lines, &file.path);
            begins.extend(clock.gaps.iter().map(|(index, _)| *index));
            begins.extend(&clock.jumps);
            rate = Some(said(&clock, own, source)?);
        }
        begins.extend((1..self.blocks.len()).filter(|&i| self.blocks[i] != self.blocks[i - 1]));
        let block = |index: usize| self.blocks.get(index).unwrap_or(&file.block).clone();
        Ok(Recording {
            path: file.path.clone(),
            name: file.name.clone(),
            stretches: stretches(self.lines.len(), begins, block),
            names: columns.names,
            rate,
            values: self.values,
            lines: self.lines,
            notices,
        })
    }
}

/// The clock's rate, unless another one was said.
fn said(clock: &Clock, own: &RecordingOptions, source: &Source<'_>) -> Result<f64, DataError> {
    match own.rate_hertz {
        Some(rate) if (clock.rate / rate - 1.0).abs() > super::RATE_TOLERANCE => {
            let (found, rate) = (hertz(clock.rate), hertz(rate));
            let why = format!("its clock says {found} samples a second, and --rate says {rate}");
            Err(source.error(Problem::Malformed(why)))
        }
        _ => Ok(clock.rate),
    }
}

/// What a clock's owner should know, with the first place.
fn remarks(clock: &Clock, lines: &[u64], path: &Path) -> Vec<Notice> {
    let mut said = Vec::new();
    let times = |count: usize| match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    if let Some(&(first, seconds)) = clock.gaps.first() {
        said.push(format!(
            "samples are missing {}, as {seconds:.3} s before line {}: no window reaches over that",
            times(clock.gaps.len()),
            lines[first]
        ));
    }
    if let Some(&first) = clock.jumps.first() {
        said.push(format!(
            "the clock stands still or jumps back {}, as at line {}: no window reaches over that",
            times(clock.jumps.len()),
            lines[first]
        ));
    }
    if let Some(share) = clock.jitter {
        said.push(format!(
            "the clock jitters: {:.0} % of the steps differ from the usual one by more than a fifth",
            100.0 * share
        ));
    }
    said.into_iter().map(|what| noticed(path, what)).collect()
}
