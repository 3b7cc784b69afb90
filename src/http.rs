//! Plain HTTP, from a connection's first byte: the client's files, the list of rooms, health; and the way to a session.
//!
//! To read in this order: [`service`] (a connection's way), `connection` (its loop), `head` (what is refused before it is
//! decoded), `pace` and `places` (what HTTP may take of a worker); [`upgrade`] leads out of here. It knows no room.

mod connection;
mod deadline;
pub mod files;
mod head;
mod opening;
mod pace;
mod places;
pub mod rooms;
pub mod service;
pub mod upgrade;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use self::files::Files;
use self::rooms::Rooms;
use crate::actors::session::Door;

/// The longest code that a link may carry.
const CODE_CHARS_MAX: usize = 16;

/// What a page from here may do: load from here, open a WebSocket (a client may name another server), nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; \
     style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the routes share.
pub struct Site {
    /// For sessions.
    pub door: Arc<Door>,
    /// The list of rooms.
    pub rooms: Rooms,
    /// What lies under `/`.
    pub client: Files,
    /// What lies under `/assets/`.
    pub assets: Files,
}

/// Lays the routes out, all of them for GET: what other methods get follows from that.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/api/rooms", web::get().to(rooms))
        .route("/health", web::get().to(health))
        .route("/r/{code}", web::get().to(room_link))
        .route("/assets/{path:.*}", web::get().to(asset))
        .route("/{path:.*}", web::get().to(client_file));
}

/// Headers that belong on every answer.
fn security_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A link out of the page must not carry the code of a private room.
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

async fn client_file(site: web::Data<Site>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    let path = if path.is_empty() { "index.html" } else { path.as_str() };
    site.client.answer(path, &request).await
}

async fn asset(site: web::Data<Site>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    site.assets.answer(&path, &request).await
}

/// A room's short link leads to the page with the code, where the page's own links are right: beside `/r/`, since what
/// lies before that is known to the proxy alone that serves the game under a path of its own.
async fn room_link(code: web::Path<String>) -> HttpResponse {
    let is_code = |code: &str| code.len() <= CODE_CHARS_MAX && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_code(&code) {
        return HttpResponse::NotFound().body("There is no match with this code.\n");
    }
    HttpResponse::Found()
        .insert_header((header::LOCATION, format!("../?room={}", code.to_ascii_uppercase())))
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
    let Some(json) = site.rooms.json().await else { return HttpResponse::ServiceUnavailable().finish() };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).content_type("application/json").body(json)
}
