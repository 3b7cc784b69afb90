//! One connection of plain HTTP/1.1: a request is read, answered, and only then the next one is read.
//!
//! So what a connection holds is bounded: one request's head, one piece of an answer. Each step has its deadline, and no
//! request is believed to have a body that somebody needs: what is announced is thrown away within bounds.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use actix_codec::{Decoder, Encoder};
use actix_http::error::ParseError;
use actix_http::h1::{Codec, Message, MessageType};
use actix_http::{ConnectionType, HttpMessage, Request, Response};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::net::TcpStream;
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWriteExt;

use super::deadline::within;
use super::head::{Refusal, Scan, check};
use super::places::Place;
use super::service::Shared;
use super::upgrade::Admitted;
use crate::actors::shares::Taken;
use crate::ids::Micros;
use crate::policy::{self, Caller};

/// From a request's first byte, or the connection's beginning, to the end of its head.
const HEAD_TIME: Micros = Micros::from_millis(5000);

/// From the answer to the end of a body that nobody needs.
const BODY_TIME: Micros = Micros::from_millis(5000);

/// Such a body's length, for the connection to go on after it.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// From one byte of an answer that the socket takes to the next. A reader of 100 B/s makes room for one after minutes.
const WRITE_TIME: Micros = Micros::from_millis(300_000);

/// After the last answer: a socket that is closed with something unread in it resets, and takes the answer along.
const LINGER_TIME: Micros = Micros::from_millis(1000);
const LINGER_BYTES_MAX: usize = 256 * 1024;

/// Whoever asked too often is not read from before it may ask again, but for so long at most.
const REST_MAX: Duration = Duration::from_secs(1);

/// Of a read, and of a piece of an answer.
const READ_BYTES: usize = 4 * 1024;
const WRITE_BYTES: usize = 16 * 1024;

/// What leaves HTTP: a session, its socket, and what came behind the request.
pub(super) type Left = (Admitted, TcpStream, Bytes);

/// See the module.
pub(super) struct Connection<'a> {
    shared: &'a Shared,
    place: &'a Place,
    socket: TcpStream,
    peer: IpAddr,
    /// What counts it as its address's.
    taken: Taken,
    codec: Codec,
    /// What came and is not used.
    read: BytesMut,
    /// What is to be written.
    write: BytesMut,
    /// Before the next request is read.
    rest: Duration,
}

/// What a request says of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// There is none, or it is here already.
    Whole,
    /// It is still to come.
    Coming,
    /// Nobody can say where a next request begins: another protocol was asked for, or the client waits for our word, or the
    /// body comes in chunks, whose decoder is lenient about what stands behind the last one.
    Endless,
}

impl<'a> Connection<'a> {
    pub(super) fn new(shared: &'a Shared, place: &'a Place, socket: TcpStream, peer: IpAddr, taken: Taken) -> Self {
        let codec = Codec::new(shared.codec.clone());
        let (read, write) = (BytesMut::new(), BytesMut::new());
        Self { shared, place, socket, peer, taken, codec, read, write, rest: Duration::ZERO }
    }

    /// To its end, or until a session has the socket.
    pub(super) async fn serve(mut self) -> Option<Left> {
        let mut first = true;
        loop {
            let answered = match self.request(std::mem::take(&mut first)).await {
                Ok(Some((request, body))) => self.answer(request, body).await,
                Ok(None) => return None,
                Err(refusal) => self.refuse(refusal).await.map(|()| Next::End),
            };
            match answered {
                Ok(Next::Request) => {}
                Ok(Next::End) => {
                    self.linger().await;
                    return None;
                }
                Ok(Next::Session(admitted)) => {
                    // A copy, which is nearly always of nothing: the buffer itself is longer.
                    return Some((*admitted, self.socket, Bytes::copy_from_slice(&self.read)));
                }
                Err(error) => {
                    tracing::debug!(%error, "an answer did not arrive");
                    return None;
                }
            }
        }
    }

    /// The next request; `None` when there will be none.
    async fn request(&mut self, first: bool) -> Result<Option<(Request, Body)>, Refusal> {
        let stopping = (self.shared.stopping)();
        let length = tokio::select! {
            biased;
            length = self.next_head(first) => length?,
            () = stopping => None,
        };
        let Some(length) = length else { return Ok(None) };
        let request = self.decode(length)?;
        let body = self.body(&request)?;
        Ok(Some((request, body)))
    }

    /// Waits for a head; its length.
    async fn next_head(&mut self, first: bool) -> Result<Option<usize>, Refusal> {
        tokio::time::sleep(std::mem::take(&mut self.rest)).await;
        if !first && self.read.is_empty() {
            self.place.step(true);
            (self.read, self.write) = (BytesMut::new(), BytesMut::new());
            if within(self.shared.clock(), self.shared.keep_alive, self.read()).await != Some(true) {
                return Ok(None);
            }
        }
        self.place.step(false);
        let clock = self.shared.clock();
        let head = async {
            let mut scan = Scan::default();
            loop {
                if let Some(length) = scan.find(&self.read)? {
                    return Ok(Some(length));
                }
                if !self.read().await {
                    return Ok(None);
                }
            }
        };
        match within(clock, HEAD_TIME, head).await {
            Some(found) => found,
            // A browser opens connections that it may need.
            None if self.read.is_empty() => Ok(None),
            None => Err(Refusal(StatusCode::REQUEST_TIMEOUT, "The request's head took longer than 5 seconds.\n")),
        }
    }

    fn decode(&mut self, length: usize) -> Result<Request, Refusal> {
        let mut head = self.read.split_to(length);
        let request = match self.codec.decode(&mut head) {
            Ok(Some(Message::Item(request))) if head.is_empty() => request,
            Err(ParseError::Version) => {
                return Err(Refusal(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "Speak HTTP/1.1 or HTTP/1.0.\n"));
            }
            _ => return Err(Refusal(StatusCode::BAD_REQUEST, "The request's head is not well formed.\n")),
        };
        check(request.method(), request.uri(), request.head().headers())?;
        Ok(request)
    }

    /// Throws away what is here of the request's body.
    fn body(&mut self, request: &Request) -> Result<Body, Refusal> {
        match self.codec.message_type() {
            MessageType::None => Ok(Body::Whole),
            MessageType::Stream => Ok(Body::Endless),
            MessageType::Payload if announced(request) > BODY_BYTES_MAX as u64 => Err(Refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                "Nothing here needs a body, and this one is too long to be passed over.\n",
            )),
            MessageType::Payload => match self.pass_over() {
                Ok(_) if request.head().expect() || request.chunked().unwrap_or(true) => Ok(Body::Endless),
                Ok(true) => Ok(Body::Whole),
                Ok(false) => Ok(Body::Coming),
                Err(_) => Err(Refusal(StatusCode::BAD_REQUEST, "The request's body is not well formed.\n")),
            },
        }
    }

    /// Throws away what is here of a body. True: that was all.
    fn pass_over(&mut self) -> Result<bool, ParseError> {
        while let Some(message) = self.codec.decode(&mut self.read)? {
            if matches!(message, Message::Chunk(None)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn answer(&mut self, request: Request, body: Body) -> io::Result<Next> {
        let mut keeps = body != Body::Endless
            && request.head().connection_type() == ConnectionType::KeepAlive
            && self.shared.keep_alive > Micros::default()
            && !self.shared.draining();
        self.shared.pace.turn().await;
        let head_only = request.method() == Method::HEAD;
        let (response, admitted) = match self.may_ask(&request) {
            Ok(caller) => self.shared.answer(request, caller, &self.socket).await,
            Err(refusal) => {
                // One connection too many: kept, it would count as its proxy's own, of which others there have need.
                keeps &= refusal.limit != policy::Limit::Held(policy::Hold::Connection);
                (too_often(&refusal), None)
            }
        };
        if let Some(admitted) = admitted {
            self.write_head(response.drop_body(), BodySize::None)?;
            self.flush().await?;
            return Ok(Next::Session(Box::new(admitted)));
        }
        self.write(response, keeps, head_only).await?;
        Ok(if keeps && (body == Body::Whole || self.passes_by().await) { Next::Request } else { Next::End })
    }

    /// Asks the policy, on behalf of whoever a trusted proxy asks for.
    fn may_ask(&mut self, request: &Request) -> Result<Caller, policy::Refusal> {
        let shares = self.shared.shares();
        let said = |name: HeaderName| request.head().headers().get_all(name).map(HeaderValue::as_bytes);
        let caller = shares.caller(self.peer, said(header::X_FORWARDED_FOR), said(header::FORWARDED));
        let asked = self.taken.pass_on(caller).and_then(|()| shares.request(caller));
        if let Err(refusal) = &asked
            && caller == shares.peer(self.peer)
        {
            // Behind a proxy, others come by the same connection.
            self.rest = Duration::from_micros(refusal.retry_after.0).min(REST_MAX);
        }
        asked.map(|()| caller)
    }

    /// Waits until a body that nobody needs is over; false if it is too long or late.
    async fn passes_by(&mut self) -> bool {
        self.place.step(false);
        let clock = self.shared.clock();
        let all = async {
            let mut came = 0;
            while came <= BODY_BYTES_MAX && self.read().await {
                came += self.read.len();
                match self.pass_over() {
                    Ok(false) => {}
                    Ok(true) => return true,
                    Err(_) => return false,
                }
            }
            false
        };
        within(clock, BODY_TIME, all).await == Some(true)
    }

    /// Says why, and that this was the last answer.
    async fn refuse(&mut self, Refusal(status, why): Refusal) -> io::Result<()> {
        // What the codec remembers of the request before is not true of this one.
        self.codec = Codec::new(self.shared.codec.clone());
        let response = Response::build(status).content_type("text/plain; charset=utf-8").body(why);
        self.write(response.map_into_boxed_body(), false, false).await
    }

    async fn write(&mut self, response: Response<BoxBody>, keeps: bool, head_only: bool) -> io::Result<()> {
        let (mut head, mut body) = response.into_parts();
        if !keeps {
            head.head_mut().set_connection_type(ConnectionType::Close);
        }
        self.write_head(head, body.size())?;
        while !head_only && let Some(chunk) = std::future::poll_fn(|cx| body.as_pin_mut().poll_next(cx)).await {
            let mut chunk = chunk.map_err(|error| io::Error::other(error.to_string()))?;
            while !chunk.is_empty() {
                let part = chunk.split_to(chunk.len().min(WRITE_BYTES));
                self.codec.encode(Message::Chunk(Some(part)), &mut self.write)?;
                if self.write.len() >= WRITE_BYTES {
                    self.flush().await?;
                    self.shared.pace.turn().await;
                }
            }
        }
        self.codec.encode(Message::Chunk(None), &mut self.write)?;
        self.flush().await
    }

    fn write_head(&mut self, mut head: Response<()>, size: BodySize) -> io::Result<()> {
        super::security_headers(head.headers_mut());
        self.codec.encode(Message::Item((head, size)), &mut self.write)
    }

    /// Until the socket has taken all that is to be written.
    async fn flush(&mut self) -> io::Result<()> {
        while !self.write.is_empty() {
            self.place.step(false);
            let taken = async {
                loop {
                    match self.socket.try_write(&self.write) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.socket.writable().await?,
                        taken => return taken,
                    }
                }
            };
            match within(self.shared.clock(), WRITE_TIME, taken).await {
                Some(Ok(taken @ 1..)) => self.write.advance(taken),
                Some(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Some(Err(error)) => return Err(error),
                None => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        Ok(())
    }

    /// Reads once, in its turn. False: nothing more will come.
    async fn read(&mut self) -> bool {
        loop {
            if self.socket.readable().await.is_err() {
                return false;
            }
            self.shared.pace.turn().await;
            let mut chunk = [0; READ_BYTES];
            match self.socket.try_read(&mut chunk) {
                Ok(read @ 1..) => {
                    self.read.extend_from_slice(&chunk[..read]);
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return false,
            }
        }
    }

    /// Ends the connection so that the client reads the last answer, whatever it is still sending.
    async fn linger(&mut self) {
        // It fails only if the peer was faster.
        let _ = self.socket.shutdown().await;
        self.place.step(false);
        let clock = self.shared.clock();
        let rest = async {
            let mut came = self.read.len();
            while came < LINGER_BYTES_MAX && self.read().await {
                came += self.read.len();
                self.read.clear();
            }
        };
        within(clock, LINGER_TIME, rest).await;
    }
}

/// How a connection goes on after an answer.
enum Next {
    Request,
    End,
    Session(Box<Admitted>),
}

/// The answer to whoever has had what the policy lets them have.
pub(super) fn too_often(refusal: &policy::Refusal) -> Response<BoxBody> {
    Response::build(StatusCode::TOO_MANY_REQUESTS)
        .insert_header((header::RETRY_AFTER, refusal.retry_after_seconds()))
        .content_type("text/plain; charset=utf-8")
        .body("Too much was asked from this address: wait a little.\n")
        .map_into_boxed_body()
}

/// A body's length, if it says one.
fn announced(request: &Request) -> u64 {
    let length = request.head().headers().get(header::CONTENT_LENGTH);
    length.and_then(|length| length.to_str().ok()?.trim().parse().ok()).unwrap_or_default()
}
