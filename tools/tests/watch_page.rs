//! The page of a running watch: a disturbance in front of the camera is an alarm on the page.

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
    camera: ChildStdin,
    address: String,
}

impl Watch {
    fn begin(place: &Place) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_flowgate"))
            .arg("watch")
            .arg(repository().join("firmware/models/fashion-bottleneck.flow"))
            .args(["-", "--listen", "127.0.0.1:0", "--alarm", "3/3", "--json"])
            .current_dir(place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut camera = child.stdin.take().unwrap();
        camera
            .write_all(b"YUV4MPEG2 W28 H28 F30:1 Cmono\n")
            .unwrap();
        camera.flush().unwrap();
        let mut line = String::new();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        err.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("page: http://");
        let address = address.unwrap_or_else(|| panic!("{line}"));
        let address = address.trim_end_matches('/').to_owned();
        Self {
            child,
            camera,
            address,
        }
    }

    fn show(&mut self, frame: &[u8]) {
        self.camera.write_all(b"FRAME\n").unwrap();
        self.camera.write_all(frame).unwrap();
        self.camera.flush().unwrap();
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
