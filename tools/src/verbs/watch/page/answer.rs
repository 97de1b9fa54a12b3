//! From a request's method and path to what is sent back; who asks and how long it takes is the server's.

use super::hub::Hub;
use super::metrics;
use super::sight::Picture;
use crate::picture::file::encode;
use hyper::{Method, StatusCode};

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// What is sent back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// All at once.
    Whole {
        status: StatusCode,
        kind: &'static str,
        body: Vec<u8>,
    },
    /// Events as they come.
    Events,
}

/// The answer to a request.
pub(super) fn to(method: &Method, path: &str, hub: &Hub) -> Answer {
    if method != Method::GET && method != Method::HEAD {
        return refusal(StatusCode::METHOD_NOT_ALLOWED);
    }
    let found = match path {
        "/" => Some((HTML, include_str!("page.html").into())),
        "/page.css" => Some(("text/css; charset=utf-8", include_str!("page.css").into())),
        "/page.js" => {
            let script = include_str!("page.js");
            Some(("text/javascript; charset=utf-8", script.into()))
        }
        "/favicon.ico" => icon().map(|png| ("image/png", png)),
        "/about" => Some(("application/json", hub.about().into())),
        "/metrics" => Some((
            "text/plain; version=0.0.4; charset=utf-8",
            metrics::text(hub).into(),
        )),
        "/healthz" => return health(hub),
        "/events" => return Answer::Events,
        _ => picture(path, hub),
    };
    match found {
        Some((kind, body)) => Answer::Whole {
            status: StatusCode::OK,
            kind,
            body,
        },
        None => refusal(StatusCode::NOT_FOUND),
    }
}

/// What is said to a request that gets nothing.
pub(super) fn refusal(status: StatusCode) -> Answer {
    Answer::Whole {
        status,
        kind: TEXT,
        body: format!("{status}\n").into(),
    }
}

/// A gate, which browsers ask for by themselves.
fn icon() -> Option<Vec<u8>> {
    let is_gate =
        |x, y| matches!(x, 2..5 | 11..14) && y > 1 || matches!(y, 2..5) && x > 1 && x < 14;
    let sample = |at: usize| if is_gate(at % 16, at / 16) { 24 } else { 255 };
    let samples: Vec<u8> = (0..16 * 16).map(sample).collect();
    encode((16, 16), png::ColorType::Grayscale, &samples).ok()
}

fn health(hub: &Hub) -> Answer {
    let awaited = hub.unit().awaited();
    let (status, text) = match hub.silence() {
        Some(silence) if silence < hub.patience() => (StatusCode::OK, "ok\n".to_owned()),
        Some(silence) => {
            let seconds = silence.as_secs();
            let text = format!("no {awaited} for {seconds} s\n");
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("no {awaited} yet\n"),
        ),
    };
    Answer::Whole {
        status,
        kind: TEXT,
        body: text.into(),
    }
}

/// `/frame/GATE.png`, `/heat/GATE.png`, `/alarm/ID.png`; of windows `/window/GATE.svg`, `/alarm/ID.svg`.
fn picture(path: &str, hub: &Hub) -> Option<Picture> {
    let (folder, name) = path.strip_prefix('/')?.split_once('/')?;
    let (number, extension) = name.rsplit_once('.')?;
    let unit = hub.unit();
    if extension != unit.extension() {
        return None;
    }
    match folder {
        "heat" => hub.heat(number.parse().ok()?),
        "alarm" => hub.alarm(number.parse().ok()?),
        input if input == unit.word() => hub.picture(number.parse().ok()?),
        _ => None,
    }
}
