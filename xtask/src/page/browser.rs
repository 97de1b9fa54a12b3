//! A Chromium without a window, driven by its DevTools protocol.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket, client};

/// Names under which it is installed.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// How long it may take to start, or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first browser that is there, and its version.
pub(super) fn find() -> Option<(&'static str, String)> {
    NAMES.into_iter().find_map(|name| {
        let output = Command::new(name).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some((name, text))
    })
}

/// A browser with one page.
pub(super) struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    next: u64,
    /// What the page asked for, and what went wrong in it.
    pub(super) requests: Vec<String>,
    pub(super) complaints: Vec<String>,
    // Its profile; goes with it.
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser with an empty page.
    pub(super) fn start(name: &str) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut child = Command::new(name)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu"])
            .args(["--disable-dev-shm-usage", "--remote-debugging-port=0"])
            .args(["--no-first-run", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| name.to_owned())?;
        let said = BufReader::new(child.stderr.take().context("no standard error")?);
        let mut lines = said.lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(line.split_once("listening on ")?.1.to_owned()));
        let url = url.with_context(|| format!("{name} has not started"))?;
        // It goes on to complain of what it misses in this machine.
        std::thread::spawn(move || lines.for_each(drop));
        let host = url.strip_prefix("ws://").and_then(|u| u.split('/').next());
        let stream = TcpStream::connect(host.context("no address")?)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (socket, _) = client(url.as_str(), stream).context("DevTools")?;
        let mut browser = Self {
            child,
            socket,
            session: String::new(),
            next: 0,
            requests: Vec::new(),
            complaints: Vec::new(),
            _profile: profile,
        };
        let made = browser.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let target = json!({"targetId": made["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", target)?;
        browser.session = attached["sessionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(browser)
    }

    /// Goes to a page.
    pub(super) fn open(&mut self, url: &str) -> Result<()> {
        self.call("Page.navigate", json!({"url": url})).map(drop)
    }

    /// The value of a piece of JavaScript.
    pub(super) fn value(&mut self, script: &str) -> Result<Value> {
        let ask = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", ask)?;
        match answer.get("exceptionDetails") {
            Some(thrown) => bail!("{script}: {thrown}"),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Waits until a piece of JavaScript is true; says how long that took.
    pub(super) fn until(&mut self, script: &str) -> Result<Duration> {
        let began = Instant::now();
        while self.value(script)? != true {
            if began.elapsed() > PATIENCE {
                bail!("never came true: {script}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(began.elapsed())
    }

    /// Takes the size of a window, or of a phone.
    pub(super) fn size(&mut self, width: u32, height: u32, is_phone: bool) -> Result<()> {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone
        });
        self.call("Emulation.setDeviceMetricsOverride", size)
            .map(drop)
    }

    /// Presses a key, by its name and code, with what it writes.
    pub(super) fn press(&mut self, key: &str, code: u32, text: &str) -> Result<()> {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code
            });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }

    /// What is to be seen, as PNG in base64.
    pub(super) fn screenshot(&mut self) -> Result<String> {
        let ask = json!({"format": "png", "captureBeyondViewport": false});
        let answer = self.call("Page.captureScreenshot", ask)?;
        let data = answer["data"].as_str().context("no picture")?;
        Ok(data.to_owned())
    }

    fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        self.next += 1;
        let mut ask = json!({"id": self.next, "method": method, "params": params});
        if !self.session.is_empty() {
            ask["sessionId"] = self.session.as_str().into();
        }
        self.socket.send(Message::text(ask.to_string()))?;
        loop {
            let message = self.socket.read().with_context(|| method.to_owned())?;
            let Message::Text(text) = message else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text)?;
            if answer["id"] == self.next {
                return match answer.get("error") {
                    Some(error) => bail!("{method}: {error}"),
                    None => Ok(answer["result"].clone()),
                };
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                self.requests.push(url.to_owned());
            }
            Some("Runtime.exceptionThrown") => self.complaints.push(params.to_string()),
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => {
                self.complaints.push(params["entry"].to_string());
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked nicely it ends its helpers as well.
        self.session.clear();
        let _ = self.call("Browser.close", json!({}));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
