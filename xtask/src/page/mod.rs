//! `cargo xtask page`: the page of a watch in a real browser.
//!
//! A disturbance in front of the camera must be on the page within a second; everything must be reached by keyboard and
//! fit a phone; nothing may come from elsewhere; ten viewers must cost next to nothing.

mod browser;
mod camera;
mod viewers;

use crate::watched::{self, Watched};
use crate::{CheckFailed, machine, process, repo};
use anyhow::{Context, Result};
use browser::Browser;
use camera::Camera;
use clap::Args;
use flow_train_host::data::{self, Dataset};
use flowgate::date;
use flowgate::output::Output;
use flowgate::table::Table;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use viewers::Viewers;

/// A disturbance is on the page no later.
const MOST_DELAY: Duration = Duration::from_secs(1);
/// What ten viewers may cost, in percent of a core.
const MOST_COST: f64 = 5.0;
/// Viewers, and how long their cost is measured.
const VIEWERS: usize = 10;
const MEASURED: Duration = Duration::from_secs(10);
/// Columns of a phone.
const PHONE: u32 = 375;
/// Presses of the tab key after which everything was reached.
const TABS: usize = 12;

/// Open the page of a running watch in Chromium, disturb its camera, use it by keyboard and on a phone.
///
/// Example: cargo xtask page --record
#[derive(Args)]
pub(crate) struct Page {
    /// Write figures and screenshots to records/.
    #[arg(long)]
    record: bool,
    /// Run the build that tests use.
    #[arg(long, conflicts_with = "record")]
    dev: bool,
    /// Run this `flowgate` instead of building one.
    #[arg(long, value_name = "PATH", conflicts_with = "dev")]
    program: Option<PathBuf>,
}

/// What is reported, and what was not as it should be.
struct Findings {
    table: Table,
    wrong: Vec<String>,
}

impl Findings {
    fn add(&mut self, what: &str, found: String, is_right: bool) {
        if !is_right {
            self.wrong.push(format!("{what}: {found}"));
        }
        self.table.row([what.to_owned(), found]);
    }
}

impl Page {
    /// Whether there is a browser; where there is none, that is said.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn check() -> Result<()> {
        if browser::find().is_none() {
            println!("SKIPPED: no Chromium is installed, the page was not looked at");
            return Ok(());
        }
        let page = Self {
            record: false,
            dev: true,
            program: None,
        };
        page.run()
    }

    /// # Errors
    /// There is no browser, or something on the page is not as it should be.
    pub(crate) fn run(&self) -> Result<()> {
        let (name, version) = browser::find().context("no Chromium is installed")?;
        let program = match &self.program {
            Some(program) => program.clone(),
            None => watched::build(self.dev)?,
        };
        let models = repo::committed_models();
        let [tiny, gate] = models.each_ref().map(|path| path.to_string_lossy());
        let args = [&gate, "--also", &tiny, "--alarm", "3/5", "--hold", "10"];
        let (watched, input, mut output) = Watched::start(&program, &args)?;
        // Its lines are not of interest here, but they have to go somewhere.
        thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        let camera = Camera::start(input, garments()?);
        let address = watched.address()?;
        let mut findings = Findings {
            table: Table::new(["what", "found"]).left(2),
            wrong: Vec::new(),
        };
        let mut browser = Browser::start(name)?;
        browser.size(1000, 900, false)?;
        browser.open(&format!("http://{address}/"))?;
        browser.until("document.getElementById('state')?.textContent === 'no alarm'")?;
        disturb(&mut browser, &camera, &mut findings)?;
        let desktop = browser.screenshot()?;
        by_keyboard(&mut browser, &mut findings)?;
        let phone = on_a_phone(&mut browser, &mut findings)?;
        camera.disturb(false);
        let calm = browser.until("document.getElementById('state').textContent !== 'alarm'");
        findings.add("the alarm goes away again", "yes".to_owned(), calm.is_ok());
        alone(&browser, &address, &mut findings);
        drop(browser);
        // What the build that tests use costs is no figure.
        let most = if self.dev { f64::INFINITY } else { MOST_COST };
        viewers(&watched, &address, most, &mut findings)?;
        drop(camera);
        let (status, _) = watched.end()?;
        findings.add("exit code", status.to_string(), status.success());
        findings.table.print(&mut Output::stdout())?;
        if let Some(wrong) = findings.wrong.first() {
            return Err(CheckFailed(wrong.clone()).into());
        }
        match self.record {
            true => record(&findings.table, &version, [&desktop, &phone]),
            false => Ok(()),
        }
    }
}

/// Something else before the camera is an alarm on the page, with its picture.
fn disturb(browser: &mut Browser, camera: &Camera, findings: &mut Findings) -> Result<()> {
    camera.disturb(true);
    let delay = browser.until("document.getElementById('state').textContent === 'alarm'")?;
    let text = format!("{} ms", delay.as_millis());
    findings.add(
        "from the disturbance to the alarm on the page",
        text,
        delay <= MOST_DELAY,
    );
    browser.until("document.querySelector('#alarms img')?.naturalWidth === 28")?;
    browser.until("document.getElementById('heat').naturalWidth === 28")?;
    let alarms = browser.value("document.querySelectorAll('#alarms li').length")?;
    findings.add(
        "alarms with a picture",
        alarms.to_string(),
        alarms.as_u64() >= Some(1),
    );
    Ok(())
}

/// Everything that does something is reached by the tab key, shows that it is, and does it.
fn by_keyboard(browser: &mut Browser, findings: &mut Findings) -> Result<()> {
    let mut reached: Vec<String> = Vec::new();
    let mut unseen = Vec::new();
    for _ in 0..TABS {
        browser.press("Tab", 9, "")?;
        let focus = browser.value(
            "(() => { const e = document.activeElement; \
             return [e.tagName + ' ' + e.textContent.trim(), getComputedStyle(e).outlineStyle]; })()",
        )?;
        let name = focus[0].as_str().unwrap_or_default().to_owned();
        if name.starts_with("BODY") || reached.contains(&name) {
            break;
        }
        if focus[1] == "none" {
            unseen.push(name.clone());
        }
        if name.contains("fashion-tiny") || name.starts_with("SUMMARY") {
            browser.press("Enter", 13, "\r")?;
        }
        reached.push(name);
    }
    let wanted = browser.value("document.querySelectorAll('button, summary, a, input').length")?;
    let text = format!("{} of {wanted}", reached.len());
    let all = wanted.as_u64() == Some(reached.len() as u64) && unseen.is_empty();
    findings.add("reached by keyboard, each with a visible focus", text, all);
    let chosen =
        browser.value("document.querySelector('nav button[aria-pressed=true]').textContent")?;
    let opened = browser.value("document.querySelector('details').open")?;
    let text = format!("{}, details open: {opened}", text_of(&chosen));
    let done = chosen == "fashion-tiny" && opened == true;
    findings.add("chosen and opened by keyboard", text, done);
    Ok(())
}

/// Nothing is wider than a phone.
fn on_a_phone(browser: &mut Browser, findings: &mut Findings) -> Result<String> {
    browser.size(PHONE, 812, true)?;
    browser.until(&format!("window.innerWidth === {PHONE}"))?;
    let width = browser.value("document.documentElement.scrollWidth")?;
    let fits = width.as_u64() <= Some(PHONE.into());
    findings.add("width on a phone of 375 pixels", width.to_string(), fits);
    browser.screenshot()
}

/// Nothing came from elsewhere, and nothing went wrong within the page.
fn alone(browser: &Browser, address: &str, findings: &mut Findings) {
    let own = format!("http://{address}/");
    let foreign = browser.requests.iter().find(|url| !url.starts_with(&own));
    let count = browser.requests.len();
    let text = foreign.map_or(format!("none of {count}"), Clone::clone);
    findings.add(
        "requests to elsewhere",
        text,
        foreign.is_none() && count > 5,
    );
    let complaint = browser.complaints.first();
    let text = complaint.map_or("none".to_owned(), Clone::clone);
    findings.add("complaints of the browser", text, complaint.is_none());
}

/// What viewers cost, in percent of a core.
fn viewers(watched: &Watched, address: &str, most: f64, findings: &mut Findings) -> Result<()> {
    let without = load(watched)?;
    let viewers = Viewers::open(address, VIEWERS);
    // The first event carries everything that is kept.
    thread::sleep(Duration::from_secs(2));
    let with = load(watched)?;
    let seen = viewers.close();
    let cost = with - without;
    let text = format!("{cost:.2} % ({without:.2} % without, {with:.2} % with)");
    findings.add("ten viewers, of one core", text, cost < most);
    let text = format!("{} to {} events", seen.least, seen.most);
    findings.add("events of a viewer", text, seen.least > 50);
    Ok(())
}

fn load(watched: &Watched) -> Result<f64> {
    let before = watched.processor_time()?;
    thread::sleep(MEASURED);
    let used = watched.processor_time()? - before;
    Ok(100.0 * used.as_secs_f64() / MEASURED.as_secs_f64())
}

fn garments() -> Result<Vec<Vec<u8>>> {
    let [garments, _] = repo::samples();
    match data::load(&garments)? {
        Dataset::Images(images) => Ok(images.iter().map(<[u8]>::to_vec).collect()),
        Dataset::Vectors(_) => anyhow::bail!("{}: no images", garments.display()),
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn record(table: &Table, browser: &str, screenshots: [&String; 2]) -> Result<()> {
    let folder = repo::root().join("records");
    let names = ["watch-page.png", "watch-page-phone.png"];
    for (name, picture) in names.iter().zip(screenshots) {
        let path = folder.join(name);
        fs::write(&path, decode(picture)).with_context(|| path.display().to_string())?;
    }
    let path = folder.join("watch-page.md");
    let text = format!(
        "# The page of a watch in a browser\n\nWritten by `cargo xtask page --record` on {}: {browser}; {}, {} cores; {}. A \
         camera of {} frames a second with garments, two gates; then a grey card in front of it. A viewer reads the events \
         and gets both pictures twice a second, as the page does.\n\n{}\n![the page](watch-page.png)\n\n![on a \
         phone](watch-page-phone.png)\n",
        date::today(),
        machine::processor(),
        machine::cores(),
        process::version("rustc")?,
        camera::RATE,
        table.markdown(),
    );
    write(&path, &text)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())?;
    println!("written: {}", path.display());
    Ok(())
}

/// RFC 4648; what is no digit of it is passed over.
fn decode(base64: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u32> = base64.bytes().filter_map(value).map(u32::from).collect();
    let group = |digits: &[u32]| {
        let word =
            digits.iter().fold(0, |word, digit| word << 6 | digit) << (6 * (4 - digits.len()));
        let bytes = word.to_be_bytes();
        bytes[1..digits.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        let known = ["Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmFy"];
        assert_eq!(
            known.map(decode),
            ["f", "fo", "foo", "foob", "foobar"].map(Vec::from)
        );
    }
}
