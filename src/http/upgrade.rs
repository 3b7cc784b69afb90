//! The way to a session: the only file that upgrades.
//!
//! A request that asks for a WebSocket leaves the HTTP dispatcher for good, and comes to this file's [`service`] with its
//! socket. It is answered by the same routes as any other. If the one to `/ws` lets a session in, the socket is that
//! session's from then on, and HTTP is never asked again; else the connection ends with the answer.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_codec::{Encoder, Framed, FramedParts};
use actix_http::body::MessageBody;
use actix_http::h1::{self, Message};
use actix_http::{ConnectionType, HttpMessage, Request, Response, ws::Codec};
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::dev::ServiceResponse;
use actix_web::http::header;
use actix_web::rt::net::TcpStream;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{self, WebsocketContext};
use bytes::Bytes;
use tokio::io::AsyncWriteExt;

use super::{Site, opening};
use crate::actors::connection::Connection;
use crate::actors::courier::Worker;
use crate::actors::guard::{Guard, Verdict};
use crate::actors::limiter::Limiter;
use crate::actors::outlet::{Outlet, Output};
use crate::actors::session::{Door, Session};
use crate::actors::wire::{Incoming, Outgoing};
use crate::protocol::codec::CLIENT_MESSAGE_BYTES_MAX;

/// Sessions beyond `sessions_max` that are upgraded all the same, to be told that the server is busy: a page cannot
/// read why an upgrade was refused. Above these, the answer is a bare 503.
const TOLD_BUSY_MAX: u32 = 64;

/// Where [`upgrade`] finds the duplicate of the socket's descriptor and leaves the session that it lets in, for [`serve`],
/// which has the socket. It lies among the request's extensions; a request that came another way has none.
struct Entrance {
    connection: Cell<Option<Connection>>,
    admitted: Cell<Option<Admitted>>,
}

/// A session that was let in and has no socket yet.
struct Admitted {
    session: Session,
    outlet: Arc<Outlet>,
    verdict: Verdict,
    door: Arc<Door>,
}

/// Takes the requests that ask for a WebSocket, together with their sockets. `app` answers them.
pub fn service<A, B>(
    app: A,
) -> impl ServiceFactory<
    (Request, Framed<TcpStream, h1::Codec>),
    Config = (),
    Response = (),
    Error = Error,
    InitError = (),
    Service: 'static,
    Future: 'static,
>
where
    A: ServiceFactory<Request, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>,
    A::Service: 'static,
    A::Future: 'static,
    B: MessageBody + 'static,
{
    fn_factory(move || {
        let app = app.new_service(());
        async move {
            let app = Rc::new(app.await?);
            Ok(fn_service(move |(request, framed)| serve(app.clone(), request, framed)))
        }
    })
}

/// One connection, from such a request to its end.
async fn serve<A, B>(app: Rc<A>, request: Request, framed: Framed<TcpStream, h1::Codec>) -> Result<(), Error>
where
    A: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    match answer(&*app, request, framed).await {
        Ok(None) => {}
        Ok(Some((admitted, socket, early))) => admitted.wire(socket, early).await,
        Err(error) => tracing::debug!(%error, "the answer to an upgrade did not arrive"),
    }
    Ok(())
}

/// Answers as the HTTP dispatcher would. If a session was let in: that, the socket, and what lay behind the request.
async fn answer<A, B>(
    app: &A,
    request: Request,
    framed: Framed<TcpStream, h1::Codec>,
) -> io::Result<Option<(Admitted, TcpStream, Bytes)>>
where
    A: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let connection = Connection::new(framed.io_ref())
        .inspect_err(|error| tracing::debug!(%error, "a connection could not be duplicated"));
    let entrance = Rc::new(Entrance { connection: Cell::new(connection.ok()), admitted: Cell::default() });
    request.extensions_mut().insert(entrance.clone());
    let response = match app.call(request).await {
        Ok(response) => response.map_into_boxed_body().into(),
        Err(error) => Response::from(error),
    };
    let admitted = entrance.admitted.take();
    let (mut head, body) = response.into_parts();
    let FramedParts { io: mut socket, mut codec, read_buf: early, mut write_buf, .. } = framed.into_parts();
    if admitted.is_none() {
        // Where a next request would begin, nobody can say.
        head.head_mut().set_connection_type(ConnectionType::Close);
    }
    codec.encode(Message::Item((head, body.size())), &mut write_buf)?;
    socket.write_all_buf(&mut write_buf).await?;
    if let Some(admitted) = admitted {
        // A copy, which is nearly always of nothing: the buffer itself is 8 KiB.
        return Ok(Some((admitted, socket, Bytes::copy_from_slice(&early))));
    }
    let mut body = pin!(body);
    while let Some(chunk) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let chunk = chunk.map_err(|error| io::Error::other(error.to_string()))?;
        codec.encode(Message::Chunk(Some(chunk)), &mut write_buf)?;
        socket.write_all_buf(&mut write_buf).await?;
    }
    codec.encode(Message::Chunk(None), &mut write_buf)?;
    socket.write_all_buf(&mut write_buf).await?;
    socket.shutdown().await?;
    Ok(None)
}

impl Admitted {
    /// The task of its socket.
    fn wire(self, socket: TcpStream, early: Bytes) -> impl Future<Output = ()> {
        let Self { session, outlet, verdict, door } = self;
        let (incoming, outgoing) = socket.into_split();
        Incoming::new(early, incoming).drive(Outgoing::new(outgoing, outlet.clone()), |incoming| {
            let limiter = Limiter::new(&door.config, door.clock.now());
            let guard = Guard::new(incoming, CLIENT_MESSAGE_BYTES_MAX, limiter, verdict, outlet.clone(), door.clock);
            // The guard has bounded everything already; the codec's own limit stands behind it.
            let codec = Codec::new().max_size(CLIENT_MESSAGE_BYTES_MAX);
            Output::new(WebsocketContext::with_codec(session, guard, codec), outlet)
        })
    }
}

/// Who may not have a session is told with HTTP, everybody else with Closing.
pub(super) async fn upgrade(
    site: web::Data<Site>,
    worker: web::Data<Worker>,
    request: HttpRequest,
) -> actix_web::Result<HttpResponse> {
    let door = &site.door;
    if !origin_may_connect(&request, &door.config.allowed_origins) {
        tracing::debug!("an upgrade from a foreign origin was refused");
        return Ok(HttpResponse::Forbidden().body("This origin may not connect: see server.allowed_origins.\n"));
    }
    if let Some(refusal) = opening::refusal(request.head()) {
        return Ok(refusal);
    }
    let mut answer = ws::handshake(&request)?;
    let Some(entrance) = request.extensions().get::<Rc<Entrance>>().cloned() else {
        // It asks for a WebSocket in words that the HTTP dispatcher takes for none: what follows is not ours to read.
        return Ok(HttpResponse::BadRequest().body("Ask for a WebSocket alone, and send no body.\n"));
    };
    // Without a duplicate of its descriptor a session could not be cut.
    let connection = entrance.connection.take();
    let full = door.sessions.load(Ordering::Acquire) >= door.config.sessions_max + TOLD_BUSY_MAX;
    let Some(connection) = connection.filter(|_| !full && !door.draining.load(Ordering::Acquire)) else {
        return Ok(HttpResponse::ServiceUnavailable().finish());
    };
    let outlet = Arc::new(Outlet::new(connection));
    let verdict: Verdict = Rc::default();
    let session = Session::new(door.clone(), &worker, outlet.clone(), verdict.clone());
    entrance.admitted.set(Some(Admitted { session, outlet, verdict, door: door.clone() }));
    Ok(answer.finish())
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
