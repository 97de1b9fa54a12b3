//! The curve of a training: bits per dim of training and validation data over the epochs.

use super::parts;
use crate::axis::Axis;
use crate::html::{Element, el};
use anyhow::{Context, Result, bail};
use flow_train_host::files::one_line;
use std::path::Path;

/// The log of a run.
const LOG: &str = "log.csv";
const TRAIN: &str = "train_bits_per_dim";
const VALIDATION: &str = "validation_bits_per_dim";
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = HEIGHT - 32.0;

/// What a training said of itself after every epoch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TrainingLog {
    epochs: Vec<Epoch>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Epoch {
    number: f64,
    train: f64,
    validation: f64,
}

impl TrainingLog {
    /// The log of a run directory, if the model is one and has one.
    pub(crate) fn of_run(model: &Path) -> Result<Option<Self>> {
        let path = model.join(LOG);
        match path.is_file() {
            true => Self::read(&path).map(Some),
            false => Ok(None),
        }
    }

    /// Reads a `log.csv` as `train` writes it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("{}: cannot be read", one_line(path)))?;
        Self::parse(&text).with_context(|| one_line(path).to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let head: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let column = |name: &str| {
            let found = head.iter().position(|column| *column == name);
            found.with_context(|| format!("no log of a training: no column {name}"))
        };
        let columns = [column("epoch")?, column(TRAIN)?, column(VALIDATION)?];
        let epoch = |(index, line): (usize, &str)| {
            let fields: Vec<&str> = line.split(',').collect();
            let [number, train, validation] = columns.map(|column| {
                let field = fields
                    .get(column)
                    .and_then(|field| field.parse::<f64>().ok());
                field.filter(|value| value.is_finite())
            });
            let epoch = number.zip(train).zip(validation);
            let epoch = epoch.map(|((number, train), validation)| Epoch {
                number,
                train,
                validation,
            });
            epoch.with_context(|| format!("line {}: no epoch", index + 2))
        };
        let epochs = lines.enumerate().map(epoch).collect::<Result<Vec<_>>>()?;
        match epochs.is_empty() {
            true => bail!("no epoch"),
            false => Ok(Self { epochs }),
        }
    }
}

/// The section of the page.
pub(super) fn section(log: &TrainingLog) -> Element {
    let last = log.epochs.last();
    let last = last.map_or(String::new(), |last| {
        format!(
            " After epoch {}: {:.3} in training, {:.3} in validation.",
            last.number, last.train, last.validation
        )
    });
    let note = format!(
        "Bits per dim after every epoch: grey of the training data, green of the validation data. \
         Where they part, the flow learns its training data by heart.{last}"
    );
    let figure = el("figure").class("chart loss").child(chart(log));
    parts::section("Training", &note).child(figure)
}

fn chart(log: &TrainingLog) -> Element {
    let values = log.epochs.iter().flat_map(|e| [e.train, e.validation]);
    // The first epochs are far above the rest, which is what one looks at.
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let third = &log.epochs[log.epochs.len() / 10];
    let high = third.train.max(third.validation).max(low);
    let ends = log.epochs.first().zip(log.epochs.last());
    let (first, last) = ends.map_or((0.0, 1.0), |(a, b)| (a.number, b.number));
    let x = Axis::new((first, last), (LEFT, RIGHT));
    let y = Axis::new((low, high), (BOTTOM, TOP));
    let line = |class: &str, of: fn(&Epoch) -> f64| {
        let points = log.epochs.iter().map(|epoch| {
            let (x, y) = (x.at(epoch.number), y.at(of(epoch)));
            format!("{x:.1},{y:.1}")
        });
        let points = points.collect::<Vec<_>>().join(" ");
        el("polyline").class(class).attr("points", points)
    };
    el("svg")
        .attr("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .attr("role", "img")
        .attr("aria-label", "bits per dim over epochs")
        .child(grid(&x, &y))
        .child(line("train", |e| e.train))
        .child(line("validation", |e| e.validation))
}

fn grid(x: &Axis, y: &Axis) -> Element {
    let across = y.ticks(4).into_iter().flat_map(|(value, label)| {
        let at = y.at(value);
        let line = el("line").attr("x1", LEFT).attr("x2", RIGHT);
        let line = line.attr("y1", at).attr("y2", at).class("grid");
        let text = el("text").attr("x", LEFT - 6.0).attr("y", at + 4.0);
        [line, text.attr("text-anchor", "end").text(label)]
    });
    let below = x.ticks(8).into_iter().map(|(value, label)| {
        let text = el("text").attr("x", x.at(value)).attr("y", HEIGHT - 12.0);
        text.attr("text-anchor", "middle").text(label)
    });
    el("g").class("axis").children(across).children(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_as_train_writes_it_is_read_and_another_file_is_named() {
        let committed = include_str!("../../../records/fashion-tiny-training.csv");
        let log = TrainingLog::parse(committed).unwrap();
        assert_eq!(log.epochs.len(), 16);
        assert_eq!(log.epochs[0].validation, 3.754_749);
        assert_eq!(section(&log).to_string().matches("<polyline").count(), 2);
        let wrong = |text: &str| format!("{:#}", TrainingLog::parse(text).unwrap_err());
        assert!(wrong("a,b\n1,2\n").contains("no column epoch"));
        let head = committed.lines().next().unwrap();
        assert!(wrong(&format!("{head}\n1,2,x,4\n")).contains("line 2"));
        assert!(wrong(head).contains("no epoch"));
    }
}
