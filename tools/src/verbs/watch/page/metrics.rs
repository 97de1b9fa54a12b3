//! The numbers for Prometheus, in its text format.

use super::super::latency::Latencies;
use super::super::tally::Counts;
use super::hub::Hub;
use super::sight::Unit;
use std::fmt::Write;

/// Name, kind and help of a family of numbers.
type Family<'a> = [&'a str; 3];

/// Everything that is counted.
pub(super) fn text(hub: &Hub) -> String {
    let (tally, lost, faults) = hub.counted();
    let mut text = Text::default();
    let unit = hub.unit();
    let counted = unit.counted(&tally);
    match unit {
        Unit::Frame => {
            text.plain(FRAMES, counted);
            text.plain(DROPPED, tally.dropped);
            text.plain(LOST, lost);
        }
        Unit::Window => text.plain(WINDOWS, counted),
    }
    text.plain(FAULTS, faults);
    let names: Vec<String> = hub.gates().iter().map(|gate| label(&gate.name)).collect();
    for (family, of) in OF_GATES {
        text.of_gates(family, &names, tally.views.iter().map(of));
    }
    let promised = hub.gates().iter().map(|gate| gate.promised);
    text.of_gates(PROMISED, &names, promised);
    text.latencies(&unit.stages(&tally));
    text.0
}

const FRAMES: Family<'static> = ["flowgate_frames_total", "counter", "Frames decided about."];

const DROPPED: Family<'static> = [
    "flowgate_frames_dropped_total",
    "counter",
    "Frames that gave way to newer ones.",
];

const LOST: Family<'static> = [
    "flowgate_frames_lost_total",
    "counter",
    "Frames that the driver lost.",
];

const WINDOWS: Family<'static> = [
    "flowgate_windows_total",
    "counter",
    "Windows of a sensor decided about.",
];

const FAULTS: Family<'static> = [
    "flowgate_faults_total",
    "counter",
    "Things that came in the place of a frame or a sample.",
];

/// What is counted of a gate.
type Count = fn(&Counts) -> f64;

const OF_GATES: [(Family<'static>, Count); 6] = [
    (
        ["flowgate_accepted_total", "counter", "Inputs accepted."],
        |c| c.accepted as f64,
    ),
    (
        ["flowgate_rejected_total", "counter", "Inputs rejected."],
        |c| c.rejected as f64,
    ),
    (
        [
            "flowgate_invalid_total",
            "counter",
            "Inputs that could not be judged.",
        ],
        |c| c.invalid as f64,
    ),
    (
        ["flowgate_alarms_total", "counter", "Alarms that began."],
        |c| c.alarms as f64,
    ),
    (
        ["flowgate_alarm", "gauge", "Whether there is an alarm."],
        |c| f64::from(u8::from(c.alarm)),
    ),
    (
        [
            "flowgate_drift",
            "gauge",
            "Whether inputs drift away from the calibration data.",
        ],
        |c| f64::from(u8::from(c.drift)),
    ),
];

const PROMISED: Family<'static> = [
    "flowgate_promised_false_alarm_rate",
    "gauge",
    "Bound on the share of benign inputs that are rejected.",
];

const LATENCY: Family<'static> = ["flowgate_latency_seconds", "summary", "Time by stage."];

/// The text so far. Writing to a string does not fail.
#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, [name, kind, help]: Family<'_>) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn plain(&mut self, family: Family<'_>, value: u64) {
        self.head(family);
        let _ = writeln!(self.0, "{} {value}", family[0]);
    }

    fn of_gates(
        &mut self,
        family: Family<'_>,
        gates: &[String],
        values: impl Iterator<Item = f64>,
    ) {
        self.head(family);
        for (gate, value) in gates.iter().zip(values) {
            let _ = writeln!(self.0, "{}{{gate=\"{gate}\"}} {value}", family[0]);
        }
    }

    fn latencies(&mut self, stages: &[(&str, &Latencies)]) {
        self.head(LATENCY);
        let name = LATENCY[0];
        for (stage, latencies) in stages {
            for quantile in [0.5, 0.99, 1.0] {
                let value = latencies.quantile(quantile).as_secs_f64();
                let _ = writeln!(
                    self.0,
                    "{name}{{stage=\"{stage}\",quantile=\"{quantile}\"}} {value}"
                );
            }
            let (sum, count) = (latencies.sum().as_secs_f64(), latencies.count());
            let _ = writeln!(self.0, "{name}_sum{{stage=\"{stage}\"}} {sum}");
            let _ = writeln!(self.0, "{name}_count{{stage=\"{stage}\"}} {count}");
        }
    }
}

/// A label's value, escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
