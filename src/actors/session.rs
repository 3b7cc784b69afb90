//! One WebSocket, from upgrade to close. It reads messages and hands them on; it knows no rule of a room or a game.
//!
//! The crate underneath, actix-web-actors, is deprecated and used knowingly: one actor per session is the shape of this
//! server, and the traps of its examples are closed here and around:
//! - an error that is ignored repeats for ever: every `Err` ends in a Close frame, a second one in `stop`;
//! - it checks lengths too late and buffers a flood: a [`Guard`](super::guard::Guard) stands before it;
//! - a client that does not read freezes it: heartbeat and eviction are the [`Watch`]'s, and what rooms send goes past
//!   it through the [`Outlet`];
//! - it answers neither ping nor close, assembles no fragments and checks no Origin: this file and `http/upgrade.rs` do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use actix::{Actor, ActorContext, Addr, AsyncContext, Handler, Message, Recipient, SpawnHandle, StreamHandler};
use actix_http::ws::Item;
use actix_web_actors::ws::{self, WebsocketContext};
use bytes::{Bytes, BytesMut};

use super::clock::Clock;
use super::courier::{Route, Worker};
use super::guard::Verdict;
use super::inbox::{Mail, Refused, Slot};
use super::lobby::Seek;
use super::outlet::Outlet;
use super::shares::{Shares, Taken};
use super::watch::{Enter, Watch};
use crate::config::ServerConfig;
use crate::ids::{Micros, ResumeToken};
use crate::policy::Caller;
use crate::protocol::close::CloseReason;
use crate::protocol::codec::{self, CodecError};
use crate::protocol::message::{ClientMessage, Closing, Hello, PROTOCOL_VERSION, Pong, ServerMessage};

/// Messages that others may have waiting for a session: a ping, a join's outcome, an end. Its room's stream of messages
/// does not come this way.
const MAILBOX: usize = 8;

/// The watch cuts so much later than the session would end by itself.
const CUT_SLACK: Micros = Micros::from_millis(250);

/// What every session is given: the way to the rest of the server.
pub struct Door {
    /// Limits and deadlines.
    pub config: Arc<ServerConfig>,
    /// The server's clock.
    pub clock: Clock,
    /// What each address has taken.
    pub shares: Shares,
    /// Who finds seats.
    pub lobby: Recipient<Seek>,
    /// Who cuts.
    pub watch: Addr<Watch>,
    /// Sessions that there are.
    pub sessions: Arc<AtomicU32>,
    /// True once the server shuts down.
    pub draining: AtomicBool,
}

/// One of the places that `sessions_max` counts; given back when dropped.
struct Place(Arc<AtomicU32>);

impl Place {
    fn take(sessions: &Arc<AtomicU32>) -> Self {
        sessions.fetch_add(1, Ordering::AcqRel);
        Self(sessions.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One WebSocket's actor.
pub struct Session {
    door: Arc<Door>,
    outlet: Arc<Outlet>,
    route: Route,
    verdict: Verdict,
    /// A message of which not all fragments have come; the guard bounds it.
    fragments: BytesMut,
    /// The WebSocket ping that has not been answered, by the time at which it was sent.
    pinged: Option<Micros>,
    state: State,
    /// Its client wants no seat any more.
    left: bool,
    caller: Caller,
    /// Of its address's share, or why it gets nothing.
    taken: Result<Taken, CloseReason>,
    _place: Place,
}

/// How far a session is.
enum State {
    /// Upgraded; the first message must be Hello.
    AwaitingHello { deadline: SpawnHandle },
    /// The lobby looks for a place.
    Joining,
    /// In a room, playing or watching.
    InRoom { slot: Slot },
    /// The Close frame is written; nothing is said any more, and what comes is not read.
    Closing,
}

impl Session {
    /// A session on a fresh upgrade; one that is not to be is only told why.
    pub fn new(
        door: Arc<Door>,
        worker: &Worker,
        caller: Caller,
        taken: Result<Taken, CloseReason>,
        outlet: Arc<Outlet>,
        verdict: Verdict,
    ) -> Self {
        let _place = Place::take(&door.sessions);
        Self {
            route: Route::new(worker, outlet.clone()),
            outlet,
            verdict,
            fragments: BytesMut::new(),
            pinged: None,
            state: State::AwaitingHello { deadline: SpawnHandle::default() },
            left: false,
            caller,
            taken,
            _place,
            door,
        }
    }

    fn handle_bytes(&mut self, bytes: &Bytes, ctx: &mut WebsocketContext<Self>) {
        match (self.decode(bytes), &mut self.state) {
            (_, State::Closing) => {}
            (Err(reason), _) => self.finish(reason, ctx),
            (Ok(ClientMessage::Hello(hello)), State::AwaitingHello { deadline }) => {
                ctx.cancel_future(*deadline);
                self.seek(hello, ctx);
            }
            (Ok(ClientMessage::Hello(_)), _) | (Ok(_), State::AwaitingHello { .. }) => {
                self.finish(CloseReason::OutOfOrder, ctx);
            }
            (Ok(ClientMessage::Leave), _) => {
                self.left = true;
                if let State::InRoom { slot } = std::mem::replace(&mut self.state, State::Joining) {
                    slot.leave();
                }
                self.finish(CloseReason::Left, ctx);
            }
            (Ok(ClientMessage::Ping(ping)), _) => {
                let pong = Pong { time: ping.time, server_time: self.door.clock.now().0 };
                ctx.binary(ServerMessage::Pong(pong).encode());
                self.outlet.heard_of(ping.seen);
                self.tell_room(Mail::Seen(ping.seen), ctx);
            }
            (Ok(ClientMessage::Input(_) | ClientMessage::Resync), State::Joining) => {
                self.finish(CloseReason::OutOfOrder, ctx);
            }
            (Ok(ClientMessage::Input(input)), State::InRoom { .. }) => {
                self.outlet.heard_of(input.seen);
                self.tell_room(Mail::Input(input), ctx);
            }
            (Ok(ClientMessage::Resync), State::InRoom { .. }) => self.tell_room(Mail::Resync, ctx),
        }
    }

    /// A message, or why it is none. Another version's Hello may have another shape, so its number is looked at first.
    fn decode(&self, bytes: &[u8]) -> Result<ClientMessage, CloseReason> {
        const HELLO: u32 = 0;
        if matches!(self.state, State::AwaitingHello { .. }) {
            match codec::decode_prefix::<(u32, u16)>(bytes) {
                Ok(((HELLO, version), _)) if version != PROTOCOL_VERSION => return Err(CloseReason::WrongVersion),
                _ => {}
            }
        }
        ClientMessage::decode(bytes).map_err(|error| {
            tracing::debug!(%error, "a client's bytes are no message");
            match error {
                CodecError::TooLong { .. } => CloseReason::TooLong,
                CodecError::Malformed(_) | CodecError::Truncated | CodecError::Trailing(_) => CloseReason::Malformed,
            }
        })
    }

    fn seek(&mut self, hello: Hello, ctx: &mut WebsocketContext<Self>) {
        self.state = State::Joining;
        let seek = Seek {
            wish: hello.wish,
            name: hello.name,
            tier: hello.tier,
            resume: hello.resume.map(ResumeToken),
            caller: self.caller,
            origin: Some(self.door.shares.origin(self.caller)),
            session: ctx.address().recipient(),
            route: self.route.clone(),
        };
        // A clone has a place in the mailbox of its own, so this is refused only if the lobby has stopped.
        if self.door.lobby.clone().try_send(seek).is_err() {
            self.finish(CloseReason::Busy, ctx);
        }
    }

    /// Hands mail to the room. Nothing is said of it while there is none.
    fn tell_room(&mut self, mail: Mail, ctx: &mut WebsocketContext<Self>) {
        let State::InRoom { slot } = &mut self.state else { return };
        match slot.push(mail) {
            Ok(()) => {}
            // The room holds as much of this session as a tick can use: the next message says it again.
            Err(Refused::Full) => tracing::debug!("a session sends more than its room takes"),
            Err(Refused::Closed(reason)) => self.finish(reason, ctx),
        }
    }

    /// Says why, closes, and gives the client its time to answer.
    fn finish(&mut self, reason: CloseReason, ctx: &mut WebsocketContext<Self>) {
        if matches!(self.state, State::Closing) {
            return;
        }
        tracing::debug!(reason = reason.label(), "session closes");
        let closing = Closing { code: reason.code(), text: reason.text().to_owned() };
        ctx.binary(ServerMessage::Closing(closing).encode());
        ctx.close(Some(ws::CloseReason {
            code: ws::CloseCode::from(reason.code()),
            description: Some(reason.text().to_owned()),
        }));
        self.be_closing();
        let grace = Micros::from_millis(self.door.config.closing_ms.into());
        let now = self.door.clock.now();
        self.outlet.cut_after(now, grace.after(CUT_SLACK));
        self.stop_after(grace, now, ctx);
    }

    /// Stops when so much time has passed since then, an absence of the whole process not counted.
    fn stop_after(&self, time: Micros, since: Micros, ctx: &mut WebsocketContext<Self>) {
        match self.door.clock.left(time, since) {
            Duration::ZERO => ctx.stop(),
            left => {
                ctx.run_later(left, move |session, ctx| session.stop_after(time, since, ctx));
            }
        }
    }

    /// Waits so long for Hello, an absence of the whole process not counted.
    fn await_hello(&mut self, time: Micros, since: Micros, ctx: &mut WebsocketContext<Self>) {
        if !matches!(self.state, State::AwaitingHello { .. }) {
            return;
        }
        match self.door.clock.left(time, since) {
            Duration::ZERO => self.finish(CloseReason::HelloTimeout, ctx),
            left => {
                let deadline = ctx.run_later(left, move |session, ctx| session.await_hello(time, since, ctx));
                self.state = State::AwaitingHello { deadline };
            }
        }
    }

    /// A session in a room drops out of it here, unless it has left.
    fn be_closing(&mut self) {
        self.outlet.close();
        self.fragments = BytesMut::new();
        self.state = State::Closing;
    }

    fn handle_fragment(&mut self, item: Item, ctx: &mut WebsocketContext<Self>) {
        match item {
            Item::FirstText(_) => self.finish(CloseReason::TextFrame, ctx),
            Item::FirstBinary(bytes) => {
                self.fragments.clear();
                self.fragments.extend_from_slice(&bytes);
            }
            Item::Continue(bytes) => self.fragments.extend_from_slice(&bytes),
            Item::Last(bytes) => {
                self.fragments.extend_from_slice(&bytes);
                let whole = std::mem::take(&mut self.fragments).freeze();
                self.handle_bytes(&whole, ctx);
            }
        }
    }

    fn handle_pong(&mut self, payload: &[u8], ctx: &mut WebsocketContext<Self>) {
        let Some(sent) = self.pinged.filter(|sent| payload == sent.0.to_le_bytes()) else { return };
        self.pinged = None;
        if self.door.clock.was_away_since(sent) {
            return; // nobody can say how long it took
        }
        let rtt = self.door.clock.now().since(sent);
        self.tell_room(Mail::Rtt(rtt), ctx);
    }
}

impl Actor for Session {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        let now = self.door.clock.now();
        self.outlet.heard(now);
        self.await_hello(Micros::from_millis(self.door.config.hello_ms.into()), now, ctx);
        let enter = Enter { outlet: self.outlet.clone(), session: ctx.address().recipient() };
        let full = self.door.sessions.load(Ordering::Acquire) > self.door.config.sessions_max;
        // A clone has a place in the mailbox of its own, so this is refused only if the watch has stopped.
        let unwatched = self.door.watch.clone().try_send(enter).is_err();
        if self.door.draining.load(Ordering::Acquire) {
            self.finish(CloseReason::Shutdown, ctx);
        } else if full || unwatched {
            self.finish(CloseReason::Busy, ctx);
        } else if let Err(reason) = self.taken {
            self.finish(reason, ctx);
        }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if !matches!(self.state, State::Closing) {
            tracing::debug!("session broken off: its connection ended without a Close frame");
        }
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Session {
    fn handle(&mut self, item: Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        match item {
            Ok(ws::Message::Close(reason)) => {
                if !matches!(self.state, State::Closing) {
                    tracing::debug!(reason = CloseReason::Left.label(), "session closed by its client");
                    ctx.close(reason);
                    self.be_closing();
                }
                ctx.stop();
            }
            // What comes after our Close frame is not answered.
            Ok(_) if matches!(self.state, State::Closing) => {}
            Ok(ws::Message::Binary(bytes)) => self.handle_bytes(&bytes, ctx),
            Ok(ws::Message::Continuation(item)) => self.handle_fragment(item, ctx),
            Ok(ws::Message::Ping(payload)) => ctx.pong(&payload),
            Ok(ws::Message::Pong(payload)) => self.handle_pong(&payload, ctx),
            Ok(ws::Message::Text(_)) => self.finish(CloseReason::TextFrame, ctx),
            Ok(ws::Message::Nop) => {}
            Err(error) => {
                tracing::debug!(%error, "a client's frames break off");
                // The codec may repeat an error for as long as it is asked: it is asked once more at most.
                if matches!(self.state, State::Closing) {
                    ctx.stop();
                } else {
                    self.finish(self.verdict.take().unwrap_or(CloseReason::Malformed), ctx);
                }
            }
        }
    }
}

/// What others tell a session.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ToSession {
    /// Its room has a place for it; the Welcome lies in the outlet.
    Joined(Slot),
    /// It must end.
    End(CloseReason),
    /// It is time for a WebSocket ping.
    Ping,
}

impl Handler<ToSession> for Session {
    type Result = ();

    fn handle(&mut self, message: ToSession, ctx: &mut Self::Context) {
        match (message, &self.state) {
            (ToSession::Joined(mut slot), State::Joining) => {
                slot.settle();
                self.state = State::InRoom { slot };
            }
            // It came too late: a fresh seat goes back by itself, and one that was resumed is kept, unless nobody wants it.
            (ToSession::Joined(slot), _) if self.left => slot.leave(),
            (ToSession::Joined(slot), _) => drop(slot),
            (ToSession::End(reason), _) => self.finish(reason, ctx),
            (ToSession::Ping, State::Closing) => {}
            (ToSession::Ping, _) => {
                let sent = *self.pinged.get_or_insert_with(|| self.door.clock.now());
                ctx.ping(&sent.0.to_le_bytes());
            }
        }
    }
}
