//! The page over real connections.

use super::super::decider::{Input, Seen, Stages, Verdict};
use super::server::serve;
use super::{About, AboutGate, Hub, PageArgs, Sight};
use crate::traces::Traces;
use clap::Parser;
use flow_infer::gate::Decision;
use flow_infer::spec::Shape;
use flow_train_host::windows::{ChannelSpec, WindowSpec};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    page: PageArgs,
}

fn hub() -> Arc<Hub> {
    hub_of(Sight::Frames {
        shape: Shape::new(1, 2, 2),
        file: Vec::new(),
    })
}

fn hub_of(sight: Sight) -> Arc<Hub> {
    let gate = AboutGate {
        name: "line \"a\"".to_owned(),
        score: "likelihood",
        threshold: -3.0,
        promised: 0.01,
        version: 7,
        tool: "flowgate".to_owned(),
        commit: String::new(),
        data: String::new(),
        history: vec!["trained".to_owned()],
        sight,
    };
    Arc::new(Hub::new(About::today("line.y4m", vec![gate])))
}

/// A hub of windows of two channels, sampled `millihertz` times in a thousand seconds.
fn hub_of_windows(millihertz: u32) -> Arc<Hub> {
    let channel = |name: &str| ChannelSpec {
        name: name.to_owned(),
        exponent: 1,
        offset: 0.0,
        may_be_constant: false,
        step_bits: 0,
        low: i16::MIN,
        high: i16::MAX,
    };
    let spec = WindowSpec {
        rate_millihertz: millihertz,
        length: 3,
        hop: 1,
        features: vec!["raw".parse().unwrap()],
        channels: ["x", "y<"].map(channel).into(),
    };
    hub_of(Sight::Windows(Traces::of_stream(Arc::new(spec))))
}

/// A frame that is rejected, with an alarm that begins.
fn seen(index: u64, raised: bool) -> Seen {
    seen_of(index, raised, Ok(Input::Frame(Box::from([1, 2, 3, 4]))))
}

fn seen_of(index: u64, raised: bool, input: Result<Input, String>) -> Seen {
    let is_input = input.is_ok();
    Seen {
        index,
        time: index as f64,
        verdicts: vec![Verdict {
            decision: match is_input {
                true => Decision::Reject,
                false => Decision::Invalid,
            },
            scores: None,
            score_raw: is_input.then_some(-4 << 24),
            p_value_ppm: Some(2500),
            alarm: raised,
            raised,
            moved_raw: None,
            drift: false,
            input,
        }],
        stages: Stages::default(),
        dropped: 2,
    }
}

fn served(hub: &Arc<Hub>) -> SocketAddr {
    let args = Args::parse_from(["watch", "--listen", "127.0.0.1:0"]);
    let (listener, guests) = args.page.bind().unwrap().unwrap();
    let address = listener.local_addr().unwrap();
    serve(listener, guests, Arc::clone(hub)).unwrap();
    address
}

/// What comes back for a request, head and body.
fn asked(address: SocketAddr, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    // A refused request may end with its connection.
    let _ = stream.read_to_end(&mut all);
    let end = all
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    (head, all[end + 4..].to_vec())
}

fn got(address: SocketAddr, path: &str) -> (String, Vec<u8>) {
    let rest = "Host: localhost\r\nConnection: close";
    asked(address, &format!("GET {path} HTTP/1.1\r\n{rest}\r\n\r\n"))
}

#[test]
fn everything_that_exists_is_shown_and_nothing_else() {
    let hub = hub();
    let address = served(&hub);
    let (head, _) = got(address, "/healthz");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    hub.push(&seen(0, true), 5, 6);
    for (path, kind) in [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/about", "application/json"),
        ("/metrics", "text/plain; version=0.0.4"),
        ("/healthz", "text/plain"),
        ("/frame/0.png", "image/png"),
        ("/favicon.ico", "image/png"),
        ("/alarm/0.png", "image/png"),
    ] {
        let (head, body) = got(address, path);
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(
            head.contains(&format!("content-type: {kind}")),
            "{path}: {head}"
        );
        assert!(
            head.contains("content-security-policy: default-src 'none'"),
            "{head}"
        );
        assert!(!body.is_empty());
    }
    for path in [
        "/x",
        "/frame/1.png",
        "/frame/a.png",
        "/alarm/9.png",
        "/../etc/passwd",
    ] {
        assert!(got(address, path).0.starts_with("HTTP/1.1 404"), "{path}");
    }
    let (_, body) = got(address, "/frame/0.png");
    let mut reader = png::Decoder::new(std::io::Cursor::new(body))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; 4];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, [1, 2, 3, 4]);
    let text = String::from_utf8(got(address, "/metrics").1).unwrap();
    for line in [
        "flowgate_frames_total 1",
        "flowgate_frames_dropped_total 2",
        "flowgate_frames_lost_total 5",
        "flowgate_faults_total 6",
        "flowgate_rejected_total{gate=\"line \\\"a\\\"\"} 1",
        "flowgate_alarm{gate=\"line \\\"a\\\"\"} 1",
        "flowgate_latency_seconds_count{stage=\"total\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn windows_are_shown_as_traces_and_counted_as_windows() {
    let hub = hub_of_windows(10_000);
    let address = served(&hub);
    let text = |path: &str| String::from_utf8(got(address, path).1).unwrap();
    assert_eq!(text("/healthz"), "no sample yet\n");
    hub.heard();
    assert_eq!(text("/healthz"), "ok\n");
    let window = Input::Window(Box::from([2, 0, 4, 20, 6, 10]));
    let mut window = seen_of(0, true, Ok(window));
    window.dropped = 0;
    hub.push(&window, 0, 0);
    let why = "samples are missing".to_owned();
    hub.push(&seen_of(1, true, Err(why)), 0, 1);

    let (head, svg) = got(address, "/window/0.svg");
    assert!(head.contains("content-type: image/svg+xml"), "{head}");
    let svg = String::from_utf8(svg).unwrap();
    // Samples are halves; the first channel rises in a line, the second goes up and halfway down.
    for part in [
        ">x</text>",
        ">1 to 3</text>",
        "points=\"0.0,55.0 160.0,36.0 320.0,17.0\"",
        ">y&lt;</text>",
        ">0 to 10</text>",
        "points=\"0.0,55.0 160.0,17.0 320.0,36.0\"",
        ">0.3 s</text>",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
    assert_eq!(text("/alarm/0.svg"), svg);
    // There was nothing to show when the second alarm began, and windows have no heat maps.
    for path in [
        "/alarm/1.svg",
        "/window/0.png",
        "/frame/0.svg",
        "/heat/0.svg",
    ] {
        assert!(got(address, path).0.starts_with("HTTP/1.1 404"), "{path}");
    }

    let metrics = text("/metrics");
    for line in ["flowgate_windows_total 1", "flowgate_faults_total 1"] {
        assert!(metrics.lines().any(|found| found == line), "{metrics}");
    }
    for absent in ["frames_", "\"read\"", "\"reduce\""] {
        assert!(!metrics.contains(absent), "{absent}: {metrics}");
    }
    let about: serde_json::Value = serde_json::from_str(&text("/about")).unwrap();
    assert_eq!(about["unit"], "window");
    let event: serde_json::Value = serde_json::from_str(&hub.since(0).unwrap().0).unwrap();
    assert_eq!(event["windows"], 1);
    assert_eq!(
        event["points"][1]["gates"][0]["fault"],
        "samples are missing"
    );
    assert_eq!(event["alarms"][0]["seen"], true);
    assert_eq!(event["alarms"][1]["fault"], "samples are missing");
    assert_eq!(event["alarms"][1]["seen"], false);
}

#[test]
fn a_slow_sensor_may_be_silent_for_three_samples() {
    let patience = |millihertz| hub_of_windows(millihertz).patience().as_secs();
    assert_eq!([10_000, 0, 100].map(patience), [10, 10, 30]);
    assert_eq!(hub().patience().as_secs(), 10);
}

#[test]
fn bad_requests_get_their_status() {
    let address = served(&hub());
    let own = "Host: localhost\r\nConnection: close\r\n";
    for (request, status) in [
        (format!("POST / HTTP/1.1\r\n{own}\r\n"), "405"),
        (
            format!("GET / HTTP/1.1\r\n{own}Content-Length: 9\r\n\r\n123456789"),
            "413",
        ),
        (
            "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(),
            "403",
        ),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), "403"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (
            format!("GET / HTTP/1.1\r\n{own}X: {}\r\n\r\n", "y".repeat(20_000)),
            "431",
        ),
    ] {
        let (head, _) = asked(address, &request);
        let first = head.lines().next().unwrap();
        assert!(first.contains(status), "{status}: {first}");
    }
    let (head, body) = asked(address, &format!("HEAD / HTTP/1.1\r\n{own}\r\n"));
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty());
}

#[test]
fn a_request_that_does_not_end_is_given_up_while_others_are_answered() {
    let address = served(&hub());
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localho").unwrap();
    assert!(got(address, "/about").0.starts_with("HTTP/1.1 200"));
    // Nothing more is sent; the connection ends by itself.
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    let text = String::from_utf8_lossy(&rest);
    assert!(
        rest.is_empty() || text.starts_with("HTTP/1.1 408"),
        "{text}"
    );
}

#[test]
fn ten_viewers_get_every_frame_once() {
    let hub = hub();
    let address = served(&hub);
    let open = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /events HTTP/1.1\r\nHost: [::1]\r\n\r\n")
            .unwrap();
        BufReader::new(stream)
    };
    let mut viewers: Vec<_> = (0..10).map(open).collect();
    for index in 0..5 {
        hub.push(&seen(index, index == 3), 0, 0);
    }
    for viewer in &mut viewers {
        let mut found = Vec::new();
        while found.len() < 5 {
            let mut line = String::new();
            assert_ne!(viewer.read_line(&mut line).unwrap(), 0, "the stream ended");
            let Some(json) = line.strip_prefix("data: ") else {
                continue;
            };
            let event: serde_json::Value = serde_json::from_str(json).unwrap();
            for point in event["points"].as_array().unwrap() {
                assert_eq!(point["gates"][0]["score"], -4.0);
                found.push(point["index"].as_u64().unwrap());
            }
            if found.contains(&3) {
                assert_eq!(event["alarms"][0]["index"], 3);
            }
        }
        assert_eq!(found, [0, 1, 2, 3, 4]);
    }
}

#[test]
fn what_is_kept_does_not_grow() {
    let hub = hub();
    for index in 0..2000 {
        hub.push(&seen(index, true), 0, 0);
    }
    let (json, next) = hub.since(0).unwrap();
    let event: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((next, event["frames"].as_u64()), (2000, Some(2000)));
    assert_eq!(event["points"].as_array().unwrap().len(), 200);
    assert_eq!(event["alarms"].as_array().unwrap().len(), 24);
    assert!(hub.since(next).is_none());
    assert!(hub.alarm(0).is_none() && hub.alarm(1999).is_some());
}
