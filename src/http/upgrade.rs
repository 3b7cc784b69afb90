//! The way to a session: the only file that upgrades.
//!
//! A request for `/ws` never comes to the router. If it may have a session, the socket is that session's from then on, and
//! HTTP is never asked again; else it is answered like any other.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_http::{Request, Response, StatusCode, ws};
use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, Version};
use actix_web::rt::net::TcpStream;
use actix_web_actors::ws::WebsocketContext;
use bytes::Bytes;

use super::connection::too_often;
use super::opening;
use crate::actors::connection::{self, Connection};
use crate::actors::courier::Worker;
use crate::actors::guard::{Guard, Verdict};
use crate::actors::limiter::Limiter;
use crate::actors::outlet::{Outlet, Output};
use crate::actors::session::{Door, Session};
use crate::actors::wire::{Incoming, Outgoing};
use crate::policy::Caller;
use crate::protocol::close::CloseReason;
use crate::protocol::codec::CLIENT_MESSAGE_BYTES_MAX;

/// Where sessions begin.
const PATH: &str = "/ws";

/// Sessions beyond `sessions_max` that are upgraded all the same, to be told that the server is busy: a page cannot
/// read why an upgrade was refused. Above these, the answer is a bare 503.
pub const TOLD_BUSY_MAX: u32 = 64;

/// A session that was let in and has no socket yet.
pub(super) struct Admitted {
    session: Session,
    outlet: Arc<Outlet>,
    verdict: Verdict,
    door: Arc<Door>,
}

/// True for a request that asks for a session, rightly or not.
pub(super) fn asks(request: &Request) -> bool {
    request.path() == PATH
}

/// Who may not have a session is told with HTTP, everybody else with Closing.
pub(super) fn admit(
    door: &Arc<Door>,
    worker: &Worker,
    request: &Request,
    caller: Caller,
    socket: &TcpStream,
) -> Result<(Response<BoxBody>, Admitted), Response<BoxBody>> {
    if !origin_may_connect(request.head().headers(), &door.config.allowed_origins) {
        tracing::debug!(address = %caller.address(), "an upgrade from a foreign origin was refused");
        return Err(says(StatusCode::FORBIDDEN, "This origin may not connect: see server.allowed_origins.\n"));
    }
    if request.method() == Method::HEAD {
        // As GET would be that asks for nothing else.
        return Err(ws::HandshakeError::NoWebsocketUpgrade.into());
    }
    if let Some(refusal) = opening::refusal(request.head()) {
        return Err(refusal.into());
    }
    let mut answer = ws::handshake(request.head())?;
    if !alone(request) {
        // What follows is not a session's to read.
        return Err(says(StatusCode::BAD_REQUEST, "Ask for a WebSocket alone, and send no body.\n"));
    }
    let full = door.sessions.load(Ordering::Acquire) >= door.config.sessions_max + TOLD_BUSY_MAX;
    if full || door.draining.load(Ordering::Acquire) {
        return Err(Response::new(StatusCode::SERVICE_UNAVAILABLE));
    }
    let taken = match door.shares.join(caller) {
        Ok(()) => door.shares.session(caller).map_err(|refusal| (refusal, CloseReason::AddressSessions)),
        Err(refusal) => Err((refusal, CloseReason::AddressJoins)),
    };
    let taken = match taken {
        Ok(taken) => Ok(taken),
        Err((refusal, _)) if door.shares.told(caller).is_err() => return Err(too_often(&refusal)),
        Err((_, reason)) => Err(reason),
    };
    // Without a duplicate of its descriptor a session could not be cut.
    let Ok(connection) = connection::prepare(socket, &door.config).and_then(|()| Connection::new(socket)) else {
        tracing::debug!("a connection could not be duplicated");
        return Err(Response::new(StatusCode::SERVICE_UNAVAILABLE));
    };
    let outlet = Arc::new(Outlet::new(connection));
    let verdict: Verdict = Rc::default();
    let session = Session::new(door.clone(), worker, caller, taken, outlet.clone(), verdict.clone());
    Ok((answer.finish().map_into_boxed_body(), Admitted { session, outlet, verdict, door: door.clone() }))
}

fn says(status: StatusCode, sentence: &'static str) -> Response<BoxBody> {
    Response::build(status).content_type("text/plain; charset=utf-8").body(sentence).map_into_boxed_body()
}

/// True if nothing but frames can follow: no body, no choice of protocols, no old version of HTTP.
fn alone(request: &Request) -> bool {
    let headers = request.head().headers();
    let mut upgrades = headers.get_all(header::UPGRADE);
    let websocket = upgrades.next().is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let body = headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING);
    websocket && upgrades.next().is_none() && !body && request.version() == Version::HTTP_11
}

impl Admitted {
    /// The task of its socket.
    pub(super) fn wire(self, socket: TcpStream, early: Bytes) -> impl Future<Output = ()> {
        let Self { session, outlet, verdict, door } = self;
        let (incoming, outgoing) = socket.into_split();
        Incoming::new(early, incoming).drive(Outgoing::new(outgoing, outlet.clone()), |incoming| {
            let limiter = Limiter::new(&door.config, door.clock.now());
            let guard = Guard::new(incoming, CLIENT_MESSAGE_BYTES_MAX, limiter, verdict, outlet.clone(), door.clock);
            // The guard has bounded everything already; the codec's own limit stands behind it.
            let codec = ws::Codec::new().max_size(CLIENT_MESSAGE_BYTES_MAX);
            Output::new(WebsocketContext::with_codec(session, guard, codec), outlet)
        })
    }
}

/// True without an Origin (no browser), for this server's own pages, and for configured ones.
fn origin_may_connect(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN);
    let Some(origin) = origins.next() else { return true };
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    if allowed.iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| is_same_origin(origin, host))
}

/// The scheme is left out: behind a proxy that speaks TLS, the server does not know the one that the browser used.
fn is_same_origin(origin: &str, host: &str) -> bool {
    let (default_port, authority) = match origin.split_once("://") {
        Some(("http", authority)) => (":80", authority),
        Some(("https", authority)) => (":443", authority),
        _ => return false,
    };
    let bare = |name: &str| name.strip_suffix(default_port).unwrap_or(name).to_ascii_lowercase();
    !authority.is_empty() && bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_our_own_if_its_host_and_port_are() {
        for (origin, host) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("https://play.example", "play.example"),
            ("https://play.example", "play.example:443"),
            ("http://PLAY.example:80", "play.EXAMPLE"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(is_same_origin(origin, host), "{origin} at {host}");
        }
        for (origin, host) in [
            ("http://127.0.0.1:8081", "127.0.0.1:8080"),
            ("https://evil.example", "play.example"),
            ("https://play.example.evil.example", "play.example"),
            ("https://evilplay.example", "play.example"),
            ("https://play.example:80", "play.example"),
            ("null", "play.example"),
            ("file://", ""),
            ("http://", ""),
            ("", ""),
        ] {
            assert!(!is_same_origin(origin, host), "{origin} at {host}");
        }
    }
}
