//! What came of all frames, in tenths of the run.

use super::scene::Sight;
use anyhow::{Context, Result, bail};
use flow_train_host::metrics::nearest_rank;
use flowgate::table::Table;
use serde_json::Value;
use std::collections::BTreeMap;

/// Parts of the run, each with its own figures.
pub(super) const PARTS: usize = 10;
/// Frames of one kind after which an alarm is theirs: more than the alarm looks back.
pub(super) const LOOKS_BACK: u32 = 32;

/// Frames of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Frames {
    all: u64,
    rejected: u64,
}

/// A part of the run.
#[derive(Clone, Debug, Default)]
struct Part {
    day: Frames,
    /// Alarms that began where only the day was to be seen.
    false_alarms: u64,
    /// Microseconds from a frame's last byte to its decision.
    latencies: Vec<u32>,
    /// Greatest resident memory, in KiB.
    memory: u64,
}

/// Everything that was counted.
pub(super) struct Tally {
    frames: u64,
    lines: u64,
    sights: BTreeMap<Sight, Frames>,
    parts: Vec<Part>,
    last: Option<Sight>,
    /// Frames of the same sight in a row.
    row: u32,
    alarm: bool,
}

impl Tally {
    pub(super) fn new(frames: u64) -> Self {
        Self {
            frames,
            lines: 0,
            sights: BTreeMap::new(),
            parts: vec![Part::default(); PARTS],
            last: None,
            row: 0,
            alarm: false,
        }
    }

    /// Counts a line, and refuses one that is not what must come of such a frame.
    pub(super) fn push(&mut self, sight: Sight, line: &str) -> Result<()> {
        let value: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        if value["index"].as_u64() != Some(self.lines) {
            bail!("line {} is of another frame: {line}", self.lines);
        }
        let decision = value["decision"].as_str().unwrap_or_default();
        let is_invalid = decision == "invalid";
        if is_invalid != (sight == Sight::NoFrame) || is_invalid != value["error"].is_string() {
            bail!("{}: {line}", sight.name());
        }
        let rejected = u64::from(decision == "reject");
        let frames = self.sights.entry(sight).or_default();
        frames.all += 1;
        frames.rejected += rejected;
        self.row = match self.last.replace(sight) == Some(sight) {
            true => self.row.saturating_add(1),
            false => 1,
        };
        let alarm = value["alarm"] == true;
        let raised = alarm && !std::mem::replace(&mut self.alarm, alarm);
        let is_false = raised && sight == Sight::Day && self.row > LOOKS_BACK;
        let part = self.part();
        if sight == Sight::Day {
            part.day.all += 1;
            part.day.rejected += rejected;
            part.false_alarms += u64::from(is_false);
        }
        if !is_invalid {
            let total = value["latency_us"]["total"].as_u64().unwrap_or(0);
            part.latencies
                .push(u32::try_from(total).unwrap_or(u32::MAX));
        }
        self.lines += 1;
        Ok(())
    }

    /// Keeps what the process takes at the moment.
    pub(super) fn memory(&mut self, kibibytes: u64) {
        let part = self.part();
        part.memory = part.memory.max(kibibytes);
    }

    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// KiB by which the last part takes more than the second: the first one is still filling what is kept for viewers.
    pub(super) fn growth(&self) -> u64 {
        let last = self.parts.last().map_or(0, |part| part.memory);
        let second = self.parts.get(1).map_or(0, |part| part.memory);
        last.saturating_sub(second)
    }

    fn part(&mut self) -> &mut Part {
        let part = self.lines as usize * PARTS / self.frames.max(1) as usize;
        let last = self.parts.len() - 1;
        &mut self.parts[part.min(last)]
    }

    /// Part by part.
    pub(super) fn over_time(&mut self) -> Table {
        let mut table = Table::new([
            "part of the run",
            "memory, KiB",
            "half, ms",
            "99 %, ms",
            "worst, ms",
            "frames by day",
            "rejected by day",
            "false alarms",
        ])
        .left(1);
        for (number, part) in self.parts.iter_mut().enumerate() {
            part.latencies.sort_unstable();
            let [half, most, worst] =
                [0.5, 0.99, 1.0].map(|share| milliseconds(&part.latencies, share));
            table.row([
                format!("{} of {PARTS}", number + 1),
                part.memory.to_string(),
                half,
                most,
                worst,
                part.day.all.to_string(),
                share(part.day),
                part.false_alarms.to_string(),
            ]);
        }
        table
    }

    /// Sight by sight.
    pub(super) fn by_sight(&self) -> Table {
        let mut table = Table::new(["sight", "frames", "rejected"]).left(1);
        for sight in Sight::ALL {
            let frames = self.sights.get(&sight).copied().unwrap_or_default();
            let rejected = match sight {
                Sight::NoFrame => "invalid".to_owned(),
                _ => share(frames),
            };
            table.row([sight.name().to_owned(), frames.all.to_string(), rejected]);
        }
        table
    }
}

fn share(frames: Frames) -> String {
    match frames.all {
        0 => "-".to_owned(),
        all => format!("{:.2} %", 100.0 * frames.rejected as f64 / all as f64),
    }
}

/// Of sorted microseconds, in milliseconds.
fn milliseconds(sorted: &[u32], share: f64) -> String {
    let found = nearest_rank(sorted, share).unwrap_or(0);
    format!("{:.2}", f64::from(found) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(index: u64, decision: &str, alarm: bool) -> String {
        let error = if decision == "invalid" {
            r#","error":"x""#
        } else {
            ""
        };
        format!(
            r#"{{"index":{index},"decision":"{decision}","alarm":{alarm},"latency_us":{{"total":1500}}{error}}}"#
        )
    }

    #[test]
    fn lines_are_held_against_what_was_shown() {
        let mut tally = Tally::new(10);
        tally.push(Sight::Day, &line(0, "accept", false)).unwrap();
        tally
            .push(Sight::NoFrame, &line(1, "invalid", false))
            .unwrap();
        assert!(tally.push(Sight::Day, &line(1, "accept", false)).is_err());
        assert!(tally.push(Sight::Day, &line(2, "invalid", false)).is_err());
        assert!(
            tally
                .push(Sight::NoFrame, &line(2, "reject", false))
                .is_err()
        );
        assert_eq!(tally.lines(), 2);
    }

    #[test]
    fn an_alarm_after_a_long_day_is_a_false_one() {
        let mut tally = Tally::new(100);
        for index in 0..40 {
            let alarm = index >= 36;
            tally
                .push(Sight::Day, &line(index, "reject", alarm))
                .unwrap();
        }
        let table = tally.over_time().markdown();
        assert!(table.contains("| 4 of 10 |"), "{table}");
        let fourth = table
            .lines()
            .find(|row| row.starts_with("| 4 of 10"))
            .unwrap();
        assert!(fourth.ends_with("| 10 | 100.00 % | 1 |"), "{fourth}");
        assert_eq!(milliseconds(&[1000, 2000, 3000], 0.5), "2.00");
    }

    #[test]
    fn growth_is_counted_from_the_second_part() {
        let mut tally = Tally::new(10);
        for index in 0..10 {
            tally.memory(1000 + index);
            tally
                .push(Sight::Day, &line(index, "accept", false))
                .unwrap();
        }
        assert_eq!(tally.growth(), 8);
    }
}
