//! What the connections of one worker share, and the way of each of them: through plain HTTP, and perhaps to a session.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use actix_http::{Request, Response, ServiceConfig};
use actix_service::boxed::{self, BoxService};
use actix_service::{Service, ServiceFactory, fn_factory, fn_service, map_config};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, web};

use super::connection::Connection;
use super::pace::Pace;
use super::places::Places;
use super::upgrade::{self, Admitted};
use super::{Site, routes};
use crate::actors::clock::Clock;
use crate::actors::connection;
use crate::actors::courier::Worker;
use crate::actors::shares::Shares;
use crate::ids::Micros;
use crate::policy::Caller;

/// Makes the future that completes when the server begins to stop.
pub type Stopping = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>>>;

/// What the connections of one worker share.
pub(super) struct Shared {
    pub(super) pace: Pace,
    /// How long a connection may wait for its next request; zero: there is none.
    pub(super) keep_alive: Micros,
    pub(super) stopping: Stopping,
    /// For codecs: it knows the date.
    pub(super) codec: ServiceConfig,
    places: Rc<Places>,
    site: web::Data<Site>,
    worker: Rc<Worker>,
    routes: BoxService<Request, ServiceResponse<BoxBody>, Error>,
}

/// Takes connections on one worker, at most `connections_max` that are no sessions.
pub fn service(
    site: web::Data<Site>,
    worker: Worker,
    connections_max: usize,
    stopping: Stopping,
) -> impl ServiceFactory<
    TcpStream,
    Config = (),
    Response = (),
    Error = Error,
    InitError = (),
    Service: 'static,
    Future: 'static,
> {
    let worker = Rc::new(worker);
    fn_factory(move || {
        let (site, worker, stopping) = (site.clone(), worker.clone(), stopping.clone());
        async move {
            let app = App::new().app_data(site.clone()).configure(routes);
            // What links in answers would need to know, and ours have none.
            let app = map_config(app, |()| AppConfig::default()).new_service(()).await?;
            let shared = Rc::new(Shared {
                pace: Pace::new(),
                keep_alive: Micros::from_millis(site.door.config.keep_alive_ms.into()),
                stopping,
                codec: ServiceConfig::default(),
                places: Places::new(connections_max),
                site,
                worker,
                routes: boxed::service(app),
            });
            Ok(fn_service(move |socket| connect(shared.clone(), socket)))
        }
    })
}

/// One connection, from its beginning to its end.
async fn connect(shared: Rc<Shared>, socket: TcpStream) -> Result<(), Error> {
    if let Err(error) = connection::prepare(&socket, &shared.site.door.config).and_then(|()| is_patient(&socket)) {
        tracing::debug!(%error, "a connection went as it came");
        return Ok(());
    }
    let Ok(peer) = socket.peer_addr() else { return Ok(()) };
    let peer = peer.ip();
    let taken = match shared.shares().connection(shared.shares().peer(peer)) {
        Ok(taken) => taken,
        Err(_) => {
            turn_away(&socket);
            return Ok(());
        }
    };
    let place = shared.places.take();
    let left = tokio::select! {
        left = shared.pace.charge(Connection::new(&shared, &place, socket, peer, taken).serve()) => left,
        () = place.lost() => None,
    };
    // A session's is counted elsewhere.
    drop(place);
    if let Some((admitted, socket, early)) = left {
        admitted.wire(socket, early).await;
    }
    Ok(())
}

/// As a session's, but for the kernel's own deadline: behind a small window that counts whoever reads slowly as stuck,
/// until the whole of a piece has gone. A session sets it anew.
fn is_patient(socket: &TcpStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(socket).set_tcp_user_timeout(None)?;
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
    Ok(())
}

/// A connection too many of its address ends with a word and at once: whoever waits for an answer to be read holds it.
fn turn_away(socket: &TcpStream) {
    const ANSWER: &[u8] =
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 47\r\n\r\n\
          Too many connections are open from this address";
    // What is unread when it is closed would take the answer along. Neither is more than an attempt.
    let _ = socket.try_read(&mut [0; 4096]);
    let _ = socket.try_write(ANSWER);
}

impl Shared {
    pub(super) fn clock(&self) -> Clock {
        self.site.door.clock
    }

    pub(super) fn shares(&self) -> &Shares {
        &self.site.door.shares
    }

    pub(super) fn draining(&self) -> bool {
        self.site.door.draining.load(Ordering::Acquire)
    }

    /// Whether it is a session is decided here, before the router.
    pub(super) async fn answer(
        &self,
        request: Request,
        caller: Caller,
        socket: &TcpStream,
    ) -> (Response<BoxBody>, Option<Admitted>) {
        let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if !upgrade::asks(&request) {
            let found = self.find(request).await;
            // Where there is nothing, no method is right.
            let answer = if only_reads || found.status() == StatusCode::NOT_FOUND { found } else { not_allowed() };
            return (answer, None);
        }
        if !only_reads {
            return (not_allowed(), None);
        }
        match upgrade::admit(&self.site.door, &self.worker, &request, caller, socket) {
            Ok((answer, admitted)) => (answer, Some(admitted)),
            Err(answer) => (answer, None),
        }
    }

    /// What the router has there, for GET: HEAD differs only in what is sent of it.
    async fn find(&self, mut request: Request) -> Response<BoxBody> {
        request.head_mut().method = Method::GET;
        match self.routes.call(request).await {
            Ok(response) => response.into(),
            Err(error) => Response::from(error),
        }
    }
}

fn not_allowed() -> Response<BoxBody> {
    Response::build(StatusCode::METHOD_NOT_ALLOWED)
        .insert_header((header::ALLOW, "GET, HEAD"))
        .content_type("text/plain; charset=utf-8")
        .body("Only GET and HEAD.\n")
        .map_into_boxed_body()
}
