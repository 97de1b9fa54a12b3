//! Requests over HTTP/1.1: few at a time, none too large, none too slow.

use super::address::Guests;
use super::answer::{self, Answer};
use super::hub::Hub;
use anyhow::{Context, Result};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Connections at a time.
const CONNECTIONS: usize = 64;
/// Bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;
/// How long a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a viewer may leave an event unread.
const STUCK: Duration = Duration::from_secs(30);
/// From one event to the next.
const TICK: Duration = Duration::from_millis(100);
/// Ticks without a frame after which a comment keeps a connection alive.
const QUIET_TICKS: u32 = 50;

/// Nothing from elsewhere, nothing inline, shown in no other page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Reply = Response<Either<Full<Bytes>, Channel<Bytes, Infallible>>>;

/// Answers requests on a thread of its own, as long as the process runs.
pub(crate) fn serve(listener: TcpListener, guests: Guests, hub: Arc<Hub>) -> Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("--listen")?;
    let run = move || runtime.block_on(accept(listener, guests, hub));
    let named = std::thread::Builder::new().name("page".to_owned());
    named.spawn(run).context("--listen")?;
    Ok(())
}

async fn accept(listener: TcpListener, guests: Guests, hub: Arc<Hub>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open, or a connection ended before it began.
            tokio::time::sleep(TICK).await;
            continue;
        };
        let hub = Arc::clone(&hub);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let reply = reply(&request, guests, &hub);
                async { Ok::<_, Infallible>(reply) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(MAX_HEAD)
                .serve_connection(TokioIo::new(stream), service);
            // A viewer that went away is no error of ours.
            let _ = connection.await;
            drop(place);
        });
    }
}

fn reply(request: &Request<Incoming>, guests: Guests, hub: &Arc<Hub>) -> Reply {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let answer = if !guests.may_ask_for(host) {
        answer::refusal(StatusCode::FORBIDDEN)
    } else if !request.body().is_end_stream() {
        answer::refusal(StatusCode::PAYLOAD_TOO_LARGE)
    } else {
        answer::to(request.method(), request.uri().path(), hub)
    };
    match answer {
        Answer::Whole { status, kind, body } => {
            let body = match *request.method() == Method::HEAD {
                true => Bytes::new(),
                false => Bytes::from(body),
            };
            response(status, kind, Either::Left(Full::new(body)))
        }
        Answer::Events => {
            let (sender, channel) = Channel::new(1);
            tokio::spawn(events(sender, Arc::clone(hub)));
            response(StatusCode::OK, "text/event-stream", Either::Right(channel))
        }
    }
}

fn response(
    status: StatusCode,
    kind: &'static str,
    body: Either<Full<Bytes>, Channel<Bytes, Infallible>>,
) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, kind);
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    if status == StatusCode::METHOD_NOT_ALLOWED {
        set(header::ALLOW, "GET, HEAD");
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        set(header::CONNECTION, "close");
    }
    response
}

/// Sends what is new, ten times a second at most, until the viewer goes away.
async fn events(mut sender: Sender<Bytes, Infallible>, hub: Arc<Hub>) {
    let (mut next, mut quiet) = (0, 0);
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let text = match hub.since(next) {
            Some((json, after)) => {
                (next, quiet) = (after, 0);
                format!("data: {json}\n\n")
            }
            None if quiet >= QUIET_TICKS => {
                quiet = 0;
                ": nothing new\n\n".to_owned()
            }
            None => {
                quiet += 1;
                continue;
            }
        };
        let sent = tokio::time::timeout(STUCK, sender.send_data(text.into())).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}
