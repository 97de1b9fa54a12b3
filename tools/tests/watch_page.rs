//! The page of a running watch: a disturbance in front of the camera, or at the sensor, is an alarm on the page.

mod support;

use flow_train_host::data::{Dataset, load};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;
use support::Place;

const BAD: u8 = 0xa5;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Garments, as the committed model knows them.
fn garments() -> Vec<Vec<u8>> {
    let path = repository().join("tests/data/fashion-mnist-sample-images.idx3.gz");
    let Dataset::Images(images) = load(&path).unwrap() else {
        panic!("vectors of images");
    };
    images.iter().map(<[u8]>::to_vec).collect()
}

struct Watch {
    child: Child,
    source: ChildStdin,
    address: String,
}

impl Watch {
    /// Of a camera, for the committed model of garments.
    fn begin(place: &Place) -> Self {
        let model = "firmware/models/fashion-bottleneck.flow";
        Self::of(place, model, b"YUV4MPEG2 W28 H28 F30:1 Cmono\n")
    }

    /// Of a source that begins like this.
    fn of(place: &Place, model: &str, head: &[u8]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_flowgate"))
            .arg("watch")
            .arg(repository().join(model))
            .args(["-", "--listen", "127.0.0.1:0", "--alarm", "3/3", "--json"])
            .current_dir(place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut source = child.stdin.take().unwrap();
        source.write_all(head).unwrap();
        source.flush().unwrap();
        let mut line = String::new();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        err.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("page: http://");
        let address = address.unwrap_or_else(|| panic!("{line}"));
        let address = address.trim_end_matches('/').to_owned();
        // What is warned of later has somebody who reads it.
        std::thread::spawn(move || err.lines().for_each(drop));
        Self {
            child,
            source,
            address,
        }
    }

    fn show(&mut self, frame: &[u8]) {
        self.source.write_all(b"FRAME\n").unwrap();
        self.source.write_all(frame).unwrap();
        self.source.flush().unwrap();
    }

    /// Sends samples of a sensor that swings so far, eight to a turn, as lines of a CSV.
    fn swing(&mut self, times: std::ops::Range<u32>, size: f64) {
        for t in times {
            let turn = std::f64::consts::TAU * f64::from(t) / 8.0;
            // Nothing that is measured is as smooth as a sine.
            let noise = f64::from(t * 7919 % 31) - 15.0;
            let (x, y) = (size * turn.sin() + noise, size * turn.cos() - noise);
            writeln!(self.source, "{x:.0},{y:.0}").unwrap();
        }
        self.source.flush().unwrap();
    }

    /// All of an answer.
    fn text(&self, path: &str) -> String {
        let mut text = String::new();
        self.get(path).read_to_string(&mut text).unwrap();
        text
    }

    fn get(&self, path: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let address = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        BufReader::new(stream)
    }

    /// Reads events up to one of which this is so.
    fn until(&self, events: &mut impl BufRead, is_so: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(events.read_line(&mut line).unwrap(), 0, "the events ended");
            let event = line.strip_prefix("data: ");
            let event = event.map(|json| serde_json::from_str(json).unwrap());
            if let Some(event) = event.filter(&is_so) {
                return event;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_disturbance_is_an_alarm_on_the_event_stream() {
    let place = Place::new();
    let mut watch = Watch::begin(&place);
    let mut events = watch.get("/events");
    for garment in garments().iter().take(30) {
        watch.show(garment);
    }
    let before = watch.until(&mut events, |event| event["frames"] == 30);
    assert_eq!(before["gates"][0]["alarm"], false, "{before}");
    let began = Instant::now();
    for _ in 0..3 {
        watch.show(&[BAD; 28 * 28]);
    }
    let after = watch.until(&mut events, |event| event["gates"][0]["alarm"] == true);
    println!("the alarm came after {} ms", began.elapsed().as_millis());
    assert_eq!(after["alarms"][0]["index"], 32, "{after}");
    let mut picture = Vec::new();
    watch.get("/alarm/0.png").read_to_end(&mut picture).unwrap();
    assert!(picture.windows(4).any(|bytes| bytes == b"\x89PNG"));
    let mut heat = Vec::new();
    watch.get("/heat/0.png").read_to_end(&mut heat).unwrap();
    assert!(heat.windows(4).any(|bytes| bytes == b"\x89PNG"));
}

#[test]
fn a_disturbance_at_a_sensor_is_an_alarm_with_its_traces() {
    let place = Place::new();
    let model = "flow-infer/tests/data/motion.flow";
    let mut watch = Watch::of(&place, model, b"a0,a1\n");
    let mut events = watch.get("/events");
    // Windows of 16 samples, one every 8.
    watch.swing(0..88, 200.0);
    let before = watch.until(&mut events, |event| event["windows"] == 10);
    assert_eq!(before["gates"][0]["alarm"], false, "{before}");
    assert!(watch.text("/healthz").ends_with("ok\n"));
    watch.swing(88..128, 2000.0);
    let after = watch.until(&mut events, |event| event["gates"][0]["alarm"] == true);
    let begun = &after["alarms"][0];
    assert!(begun["index"].as_u64().unwrap() >= 12, "{after}");
    let traces = watch.text("/alarm/0.svg");
    assert_eq!(traces.matches("<polyline").count(), 2, "{traces}");
    assert!(watch.text("/window/0.svg").contains("<polyline"));

    // A line that is no sample is a fault; what comes behind it is a window anew.
    watch.source.write_all(b"1,?\n").unwrap();
    watch.swing(128..144, 200.0);
    let last = watch.until(&mut events, |event| event["windows"] == 16);
    assert_eq!(
        (&last["faults"], &last["gates"][0]["invalid"]),
        (&1.into(), &1.into())
    );
    let metrics = watch.text("/metrics");
    for line in [
        "flowgate_windows_total 16",
        "flowgate_faults_total 1",
        "flowgate_alarms_total{gate=\"motion\"} 1",
        "flowgate_promised_false_alarm_rate{gate=\"motion\"} 0.01",
        "flowgate_latency_seconds_count{stage=\"total\"} 16",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
}

/// The browser, where there is one.
fn browser() -> Option<&'static str> {
    let there = |name: &&str| {
        let version = Command::new(name).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    };
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(there)
}

/// The page's own policy does not keep its script out, and the script runs to its end.
#[test]
fn a_browser_runs_the_page() {
    let Some(browser) = browser() else {
        println!("skipped: no Chromium");
        return;
    };
    let place = Place::new();
    let watch = Watch::begin(&place);
    let output = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args(["--window-size=390,1400", "--timeout=8000", "--dump-dom"])
        .arg(format!(
            "--user-data-dir={}",
            place.file("profile").display()
        ))
        .arg(format!("http://{}/", watch.address))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    assert!(dom.contains("id=\"state\""), "{dom}");
    assert!(!dom.contains("needs JavaScript"), "{dom}");
}
