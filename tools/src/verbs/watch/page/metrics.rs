//! The numbers for Prometheus, in its text format.

use super::hub::Hub;
use std::fmt::Write;

/// Everything that is counted.
pub(super) fn text(hub: &Hub) -> String {
    let (tally, lost, faults) = hub.counted();
    let mut text = String::new();
    let mut plain = |name: &str, kind: &str, help: &str, value: u64| {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
        );
    };
    plain(
        "flowgate_frames_total",
        "counter",
        "Frames decided about.",
        tally.frames,
    );
    plain(
        "flowgate_frames_dropped_total",
        "counter",
        "Frames that gave way to newer ones.",
        tally.dropped,
    );
    plain(
        "flowgate_frames_lost_total",
        "counter",
        "Frames that the driver lost.",
        lost,
    );
    plain(
        "flowgate_faults_total",
        "counter",
        "Things that came in the place of a frame.",
        faults,
    );
    let names: Vec<String> = hub.gates().iter().map(|gate| label(&gate.name)).collect();
    let mut of_gates = |name: &str, kind: &str, help: &str, values: Vec<f64>| {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (gate, value) in names.iter().zip(values) {
            let _ = writeln!(text, "{name}{{gate=\"{gate}\"}} {value}");
        }
    };
    let counts = |of: fn(&super::super::tally::Counts) -> f64| tally.views.iter().map(of).collect();
    of_gates(
        "flowgate_accepted_total",
        "counter",
        "Frames accepted.",
        counts(|c| c.accepted as f64),
    );
    of_gates(
        "flowgate_rejected_total",
        "counter",
        "Frames rejected.",
        counts(|c| c.rejected as f64),
    );
    of_gates(
        "flowgate_invalid_total",
        "counter",
        "Frames that were no input.",
        counts(|c| c.invalid as f64),
    );
    of_gates(
        "flowgate_alarms_total",
        "counter",
        "Alarms that began.",
        counts(|c| c.alarms as f64),
    );
    of_gates(
        "flowgate_alarm",
        "gauge",
        "Whether there is an alarm.",
        counts(|c| f64::from(u8::from(c.alarm))),
    );
    of_gates(
        "flowgate_drift",
        "gauge",
        "Whether inputs drift away from the calibration data.",
        counts(|c| f64::from(u8::from(c.drift))),
    );
    let promised = hub.gates().iter().map(|gate| gate.promised).collect();
    of_gates(
        "flowgate_promised_false_alarm_rate",
        "gauge",
        "Bound on the share of benign frames that are rejected.",
        promised,
    );
    let name = "flowgate_latency_seconds";
    let _ = write!(
        text,
        "# HELP {name} Time by stage.\n# TYPE {name} summary\n"
    );
    for (stage, latencies) in tally.stages() {
        for quantile in [0.5, 0.99, 1.0] {
            let value = latencies.quantile(quantile).as_secs_f64();
            let _ = writeln!(
                text,
                "{name}{{stage=\"{stage}\",quantile=\"{quantile}\"}} {value}"
            );
        }
        let (sum, count) = (latencies.sum().as_secs_f64(), latencies.count());
        let _ = writeln!(text, "{name}_sum{{stage=\"{stage}\"}} {sum}");
        let _ = writeln!(text, "{name}_count{{stage=\"{stage}\"}} {count}");
    }
    text
}

/// A label's value, escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
