//! Routes: the client's files, the WebSocket upgrade, the list of rooms, health. The only file that upgrades.

pub mod files;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix::Addr;
use actix_http::ws::Codec;
use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{self, WebsocketContext};

use self::files::Files;
use crate::actors::courier::Worker;
use crate::actors::guard::{Guard, Verdict};
use crate::actors::limiter::Limiter;
use crate::actors::lobby::{ListRooms, Lobby};
use crate::actors::outlet::{Outlet, Output};
use crate::actors::session::{Door, Session};
use crate::actors::watch::Connection;
use crate::protocol::codec::CLIENT_MESSAGE_BYTES_MAX;

/// Sessions beyond `sessions_max` that are upgraded all the same, to be told that the server is busy: a page cannot
/// read why an upgrade was refused. Above these, the answer is a bare 503.
const TOLD_BUSY_MAX: u32 = 64;

/// The lobby answers at once unless it is drowning.
const LIST_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest code that a link may carry.
const CODE_CHARS_MAX: usize = 16;

/// What a page from here may do: load from here, open a WebSocket (a client may name another server), nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; \
     style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the routes share.
pub struct Site {
    /// For sessions.
    pub door: Arc<Door>,
    /// For the list of rooms.
    pub lobby: Addr<Lobby>,
    /// What lies under `/`.
    pub client: Files,
    /// What lies under `/assets/`.
    pub assets: Files,
}

/// Lays the routes out.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/ws", web::get().to(upgrade))
        .route("/api/rooms", web::get().to(rooms))
        .route("/health", web::get().to(health))
        .route("/r/{code}", web::get().to(room_link))
        .route("/assets/{path:.*}", web::get().to(asset))
        .route("/assets/{path:.*}", web::head().to(asset))
        .route("/{path:.*}", web::get().to(client_file))
        .route("/{path:.*}", web::head().to(client_file));
}

/// Headers that belong on every answer.
#[must_use]
pub fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // A link out of the page must not carry the code of a private room.
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add(("cross-origin-opener-policy", "same-origin"))
        .add(("cross-origin-resource-policy", "same-origin"))
}

async fn client_file(site: web::Data<Site>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    let path = if path.is_empty() { "index.html" } else { path.as_str() };
    site.client.answer(path, &request).await
}

async fn asset(site: web::Data<Site>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    site.assets.answer(&path, &request).await
}

/// A room's short link leads to the page with the code, where the page's own links are right.
async fn room_link(code: web::Path<String>) -> HttpResponse {
    let is_code = |code: &str| code.len() <= CODE_CHARS_MAX && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_code(&code) {
        return HttpResponse::NotFound().body("There is no match with this code.\n");
    }
    HttpResponse::Found()
        .insert_header((header::LOCATION, format!("/?room={}", code.to_ascii_uppercase())))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

async fn health(site: web::Data<Site>) -> HttpResponse {
    let draining = site.door.draining.load(Ordering::Acquire);
    let mut answer = if draining { HttpResponse::ServiceUnavailable() } else { HttpResponse::Ok() };
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    answer.content_type("text/plain; charset=utf-8").body(if draining { "shutting down\n" } else { "ok\n" })
}

async fn rooms(site: web::Data<Site>) -> HttpResponse {
    match site.lobby.send(ListRooms).timeout(LIST_TIMEOUT).await {
        Ok(rooms) => HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(rooms),
        Err(error) => {
            tracing::warn!(%error, "the lobby did not list its rooms");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}

/// The way to a session: who may not have one is told with HTTP, everybody else with Closing.
async fn upgrade(
    site: web::Data<Site>,
    worker: web::Data<Worker>,
    request: HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let door = &site.door;
    if !origin_may_connect(&request, &door.config.allowed_origins) {
        tracing::debug!("an upgrade from a foreign origin was refused");
        return Ok(HttpResponse::Forbidden().body("This origin may not connect: see server.allowed_origins.\n"));
    }
    let mut answer = ws::handshake(&request)?;
    // Without a duplicate of its descriptor a session could not be cut.
    let connection = request.conn_data::<Arc<Connection>>();
    let full = door.sessions.load(Ordering::Acquire) >= door.config.sessions_max + TOLD_BUSY_MAX;
    let Some(connection) = connection.filter(|_| !full && !door.draining.load(Ordering::Acquire)) else {
        return Ok(HttpResponse::ServiceUnavailable().finish());
    };
    let outlet = Arc::new(Outlet::new(connection));
    let verdict: Verdict = Rc::default();
    let guard = Guard::new(
        payload,
        CLIENT_MESSAGE_BYTES_MAX,
        Limiter::new(&door.config, door.clock.now()),
        verdict.clone(),
        outlet.clone(),
        door.clock,
    );
    let session = Session::new(door.clone(), &worker, outlet.clone(), verdict);
    // The guard has bounded everything already; the codec's own limit stands behind it.
    let codec = Codec::new().max_size(CLIENT_MESSAGE_BYTES_MAX);
    let own = WebsocketContext::with_codec(session, guard, codec);
    Ok(answer.streaming(Output::new(own, outlet)))
}

/// True without an Origin (no browser), for this server's own pages, and for configured ones.
fn origin_may_connect(request: &HttpRequest, allowed: &[String]) -> bool {
    let mut origins = request.headers().get_all(header::ORIGIN);
    let Some(origin) = origins.next() else { return true };
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    if allowed.iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
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
