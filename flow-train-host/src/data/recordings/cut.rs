//! Windows out of recordings.

use super::Faulty;
use super::noticed;
use super::recording::Recording;
use crate::data::error::{DataError, Problem};
use crate::data::notice::Notice;
use crate::data::source::fail;
use crate::windows::WindowSpec;
use std::path::Path;

/// What was cut.
pub(super) struct Cut {
    /// Window by window, sample by sample.
    pub(super) samples: Vec<i16>,
    pub(super) names: Vec<String>,
    pub(super) blocks: Vec<String>,
    pub(super) notices: Vec<Notice>,
}

/// Every window of every stretch, a hop apart.
pub(super) fn windows(
    path: &Path,
    recordings: &[Recording],
    spec: &WindowSpec,
    faulty: Faulty,
) -> Result<Cut, DataError> {
    let mut cut = Cut {
        samples: Vec::new(),
        names: Vec::new(),
        blocks: Vec::new(),
        notices: Vec::new(),
    };
    let (mut short, mut left_out) = (Counted::default(), Counted::default());
    for recording in recordings {
        for stretch in &recording.stretches {
            let length = usize::from(spec.length);
            if stretch.samples.len() < length {
                short.add(|| format!("{}, {}", recording.name, recording.place(&stretch.samples)));
            }
            let mut start = stretch.samples.start;
            while start + length <= stretch.samples.end {
                let range = start..start + length;
                start += usize::from(spec.hop);
                let values = recording.values.chunks_exact(spec.channels.len());
                let rows = values.skip(range.start).take(length);
                let sampled = rows.flat_map(|row| row.iter().zip(&spec.channels));
                // Values of a recording are finite.
                let samples: Vec<i16> = sampled.filter_map(|(v, c)| c.sample(*v)).collect();
                let place = || format!("{}, {}", recording.name, recording.place(&range));
                if let (Faulty::LeaveOut, Some(why)) = (faulty, spec.fault(&samples)) {
                    left_out.add(|| format!("{}: {why}", place()));
                    continue;
                }
                cut.samples.extend(samples);
                cut.names.push(place());
                cut.blocks.push(stretch.block.clone());
            }
        }
    }
    if cut.names.is_empty() {
        let what = match left_out.first {
            Some(why) => format!("no window is in order, as {why}"),
            None => format!(
                "holds no stretch of {} samples, as a window has",
                spec.length
            ),
        };
        return Err(fail(path, Problem::Malformed(what)));
    }
    let mut say = |what: Option<String>| cut.notices.extend(what.map(|what| noticed(path, what)));
    say(short.text(
        &format!("shorter than a window of {} samples left out", spec.length),
        "stretch",
    ));
    say(left_out.text("left out", "window"));
    Ok(cut)
}

/// So many of something, and the first of them.
#[derive(Default)]
struct Counted {
    count: usize,
    first: Option<String>,
}

impl Counted {
    fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(what);
    }

    fn text(self, what: &str, thing: &str) -> Option<String> {
        let first = self.first?;
        Some(match self.count {
            1 => format!("1 {thing} {what}: {first}"),
            count if thing == "stretch" => format!("{count} stretches {what}, as {first}"),
            count => format!("{count} {thing}s {what}, as {first}"),
        })
    }
}
