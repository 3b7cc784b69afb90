//! One player: a session of the public protocol from connect to close, as a state machine over a nonblocking socket.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::pilot::Pilot;
use super::reading::{Reading, Slow};
use super::schedule::{Every, ServerClock, TickTimes};
use super::session::Session;
use super::sockdiag::SockDiag;
use super::stalls::Stalls;
use super::stats::{Stats, Window};
use super::ws::{self, Frame, Inbound};
use crate::ids::Micros;
use crate::protocol::close::CloseReason;
use crate::protocol::codec;
use crate::protocol::message::{
    ClientMessage, Hello, Input, PROTOCOL_VERSION, Ping, RoomWish, ServerMessage, SnapshotHeader, Tier,
};
use crate::sim::rng::Rng;

/// From one Ping to the next.
const PING_EVERY: Micros = Micros::from_millis(1000);
/// What waits for a socket that takes nothing; an input beyond is not sent, and counted.
const OUTGOING_BYTES_MAX: usize = 16 * 1024;
/// How often a refused join is tried again, and how long after.
const ATTEMPTS_MAX: u32 = 5;
const RETRY_AFTER: Micros = Micros::from_millis(500);
/// Where a player wants to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Wherever the server puts it.
    Quick,
    /// It opens this room of the run.
    Open(usize),
    /// It joins this room of the run.
    Join(usize),
}

/// What all players share.
pub struct Shared<'a> {
    /// Where the server is.
    pub address: SocketAddr,
    /// The upgrade request.
    pub request: &'a [u8],
    /// For sockets.
    pub registry: &'a Registry,
    /// The server's clock.
    pub clock: &'a mut ServerClock,
    /// What the kernel holds, if it can be asked.
    pub diag: Option<&'a SockDiag>,
    /// The group that the player belongs to.
    pub stats: &'a mut Stats,
    /// What counts.
    pub window: Window,
    /// When the generator itself was late.
    pub stalls: &'a Stalls,
    /// Room codes, as they become known.
    pub codes: &'a mut [Option<String>],
    /// Read buffer.
    pub scratch: &'a mut [u8],
    /// Encode buffer.
    pub message: &'a mut Vec<u8>,
}

/// Fixed facts of a player.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// Its number, which is its token at the poll too.
    pub number: usize,
    /// Where it plays.
    pub wish: Wish,
    /// How snapshots come.
    pub tier: Tier,
    /// How it reads in the measurement.
    pub reading: Reading,
    /// It tells the server what it has seen.
    pub acks: bool,
    /// It comes with the storm, not before.
    pub storms: bool,
    /// Its share of the numbers.
    pub group: usize,
}

/// How far a session is.
#[derive(Debug)]
enum State {
    /// There is none. Connects at `due`, or never.
    Out { due: Option<Micros> },
    /// The socket connects; the upgrade was asked for; Hello was sent.
    Entering { upgrading: bool, answer: Vec<u8> },
    /// In a room.
    Playing(Box<Session>),
    /// Leave was sent.
    Leaving,
}

/// One player.
pub struct Player {
    /// What it is.
    pub role: Role,
    pilot: Pilot,
    flood: Option<Every>,
    rng: Rng,
    state: State,
    stream: Option<TcpStream>,
    inbound: Inbound,
    outgoing: Vec<u8>,
    /// When it should have connected: what joins are measured from.
    join_due: Micros,
    attempts: u32,
    token: Option<[u8; 16]>,
    resuming: bool,
    closing: Option<&'static str>,
    /// A Close frame came.
    close_came: bool,
    /// It reads slowly now.
    slow: Option<Slow>,
}

impl Player {
    /// A player that connects when told to.
    #[must_use]
    pub fn new(role: Role, pilot: Pilot, seed: u64) -> Self {
        Self {
            role,
            pilot,
            flood: None,
            rng: Rng::fork(!seed, role.number as u32),
            state: State::Out { due: None },
            stream: None,
            inbound: Inbound::default(),
            outgoing: Vec::new(),
            join_due: Micros(u64::MAX),
            attempts: 0,
            token: None,
            resuming: false,
            closing: None,
            close_came: false,
            slow: None,
        }
    }

    /// Connects at a moment from which its join is measured.
    pub fn connect_at(&mut self, due: Micros) {
        self.join_due = due;
        self.attempts = 0;
        self.state = State::Out { due: Some(due) };
    }

    /// The measurement begins: from now on it reads, and sends, as its role says.
    pub fn measure_from(&mut self, now: Micros, flood_per_second: Option<f64>) {
        self.slow = Slow::from(now, self.role.reading, self.role.number);
        self.flood = flood_per_second.map(|rate| Every::per_second(rate, now));
    }

    /// True in a room.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        matches!(self.state, State::Playing(_))
    }

    /// True on the way into a room.
    #[must_use]
    pub fn is_entering(&self) -> bool {
        matches!(self.state, State::Entering { .. } | State::Out { due: Some(_) })
    }

    /// True if its socket is gone and it does not come back.
    #[must_use]
    pub fn is_out(&self) -> bool {
        matches!(self.state, State::Out { due: None })
    }

    /// When it wants to act by itself.
    #[must_use]
    pub fn wake_at(&self) -> Micros {
        match &self.state {
            State::Out { due } => due.unwrap_or(Micros(u64::MAX)),
            State::Playing(session) => {
                let slow_at = self.slow.map_or(Micros(u64::MAX), |slow| slow.due());
                let flood_at = self.flood.map_or(Micros(u64::MAX), |flood| flood.due());
                self.pilot.due().min(session.ping_at).min(slow_at).min(flood_at)
            }
            State::Entering { .. } | State::Leaving => Micros(u64::MAX),
        }
    }

    // ---- What it does by itself -----------------------------------------------------------------------------------

    /// Does everything that is due.
    pub fn wake(&mut self, now: Micros, shared: &mut Shared<'_>) {
        if let State::Out { due: Some(due) } = self.state {
            // A room is joined as soon as it is open; its own player tells the code.
            if due <= now && !self.connect(now, shared) {
                self.state = State::Out { due: Some(now.after(Micros::from_millis(5))) };
            }
            return;
        }
        if let (Some(slow), Some(stream)) = (&mut self.slow, &self.stream) {
            slow.look(now, shared.diag, stream, shared.stats, shared.window);
            if let Some(most) = slow.reads(now) {
                self.read(now, shared, most);
            }
        }
        while self.is_playing() && self.pilot.due() <= now {
            self.input(self.pilot.due(), shared);
        }
        while self.is_playing() && self.flood.is_some_and(|flood| flood.due() <= now) {
            let Some(flood) = &mut self.flood else { break };
            let due = flood.due();
            flood.advance();
            self.input(due, shared);
        }
        let State::Playing(session) = &mut self.state else { return };
        if session.ping_at <= now {
            session.ping_at = now.after(PING_EVERY);
            let ping = Ping { time: now.0, seen: if self.role.acks { session.seen } else { 0 } };
            self.send(&ClientMessage::Ping(ping), now, shared);
        }
    }

    /// Closes the socket without a word and connects again at once, with its token.
    pub fn drop_and_resume(&mut self, now: Micros, shared: &mut Shared<'_>) {
        self.end(now, "dropped by us", shared);
        self.resuming = self.token.is_some();
        self.connect_at(now);
    }

    /// When its room's ticks are due.
    #[must_use]
    pub fn times(&self) -> Option<TickTimes> {
        match &self.state {
            State::Playing(session) => Some(session.times),
            _ => None,
        }
    }

    /// Says goodbye.
    pub fn leave(&mut self, now: Micros, shared: &mut Shared<'_>) {
        if self.is_playing() {
            self.send(&ClientMessage::Leave, now, shared);
        }
        match std::mem::replace(&mut self.state, State::Leaving) {
            State::Playing(session) => session.count_playing(now, shared),
            State::Out { .. } => self.state = State::Out { due: None },
            State::Entering { .. } | State::Leaving => {}
        }
        // Whoever did not read must, or it never hears the answer.
        self.slow = None;
        if self.stream.is_some() {
            self.read(now, shared, usize::MAX);
        }
    }

    /// Cuts what is still open.
    pub fn cut(&mut self, now: Micros, shared: &mut Shared<'_>) {
        if self.stream.is_some() {
            self.end(now, "did not end within the time for leaving", shared);
        }
        self.state = State::Out { due: None };
    }

    fn connect(&mut self, now: Micros, shared: &mut Shared<'_>) -> bool {
        if let Wish::Join(room) = self.role.wish
            && shared.codes[room].is_none()
        {
            return false;
        }
        self.inbound = Inbound::default();
        self.outgoing.clear();
        self.closing = None;
        self.close_came = false;
        let opened = TcpStream::connect(shared.address).and_then(|mut stream| {
            // Or the kernel holds a ping back until the input before it is acknowledged.
            stream.set_nodelay(true)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            shared.registry.register(&mut stream, Token(self.role.number), interest)?;
            Ok(stream)
        });
        match opened {
            Ok(stream) => {
                self.outgoing.extend_from_slice(shared.request);
                self.stream = Some(stream);
                self.state = State::Entering { upgrading: true, answer: Vec::new() };
            }
            Err(error) => self.failed(now, &format!("connect: {}", error.kind()), shared),
        }
        true
    }

    fn hello(&mut self, now: Micros, shared: &mut Shared<'_>) {
        let wish = match self.role.wish {
            Wish::Quick => RoomWish::Quick,
            Wish::Open(_) => RoomWish::Create { private: true },
            Wish::Join(room) => RoomWish::Code(shared.codes[room].clone().unwrap_or_default()),
        };
        let hello = Hello {
            protocol: PROTOCOL_VERSION,
            name: format!("load {}", self.role.number),
            wish,
            tier: self.role.tier,
            resume: self.token.filter(|_| self.resuming),
            features: 0,
        };
        self.send(&ClientMessage::Hello(hello), now, shared);
    }

    fn input(&mut self, due: Micros, shared: &mut Shared<'_>) {
        let is_pilots = self.pilot.due() <= due;
        let row = if is_pilots { self.pilot.act().to_vec() } else { self.pilot.row().to_vec() };
        let State::Playing(session) = &mut self.state else { return };
        if self.outgoing.len() > OUTGOING_BYTES_MAX {
            if shared.window.holds(due) {
                shared.stats.inputs_unsent += 1;
            }
            return;
        }
        session.input_goes(due, shared.clock);
        let seen = if self.role.acks { session.seen } else { 0 };
        let input = Input { seq: session.seq, tick: 0, seen, seen_ago: 0, row };
        if shared.window.holds(due) {
            shared.stats.inputs += 1;
        }
        self.send(&ClientMessage::Input(input), due, shared);
    }

    fn send(&mut self, message: &ClientMessage, now: Micros, shared: &mut Shared<'_>) {
        shared.message.clear();
        codec::encode_into(message, shared.message);
        let before = self.outgoing.len();
        ws::put_binary(&mut self.outgoing, shared.message, self.rng.next_u32());
        if shared.window.holds(now) {
            shared.stats.bytes_up += (self.outgoing.len() - before) as u64;
        }
        if before == 0 {
            self.write(now, shared);
        }
    }

    fn write(&mut self, now: Micros, shared: &mut Shared<'_>) {
        while let Some(stream) = &mut self.stream {
            if self.outgoing.is_empty() {
                return;
            }
            match stream.write(&self.outgoing) {
                Ok(written) => drop(self.outgoing.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.lost(now, &error, shared),
            }
        }
    }

    // ---- What comes -----------------------------------------------------------------------------------------------

    /// Its socket has become readable, writable or broken.
    pub fn ready(&mut self, now: Micros, event: &mio::event::Event, shared: &mut Shared<'_>) {
        if event.is_error() {
            let error = self.stream.as_ref().and_then(|stream| stream.take_error().ok().flatten());
            if let Some(error) = error {
                self.lost(now, &error, shared);
                return;
            }
        }
        if event.is_writable() {
            self.write(now, shared);
        }
        if self.slow.is_none() && (event.is_readable() || event.is_read_closed()) {
            self.read(now, shared, usize::MAX);
        }
    }

    /// Reads up to `most` bytes, or all that is there.
    fn read(&mut self, now: Micros, shared: &mut Shared<'_>, most: usize) {
        let scratch = std::mem::take(&mut shared.scratch);
        let mut left = most;
        while left > 0 {
            let Some(stream) = &mut self.stream else { break };
            let room = left.min(scratch.len());
            match stream.read(&mut scratch[..room]) {
                Ok(0) => {
                    let label = self.closing.unwrap_or("ended without a word");
                    self.closed(now, label, shared);
                }
                Ok(count) => {
                    left -= count;
                    self.take(now, &scratch[..count], shared);
                    // Fewer than asked for: the socket is empty, and the next byte brings a new event.
                    if count < room {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.lost(now, &error, shared),
            }
        }
        shared.scratch = scratch;
    }

    fn take(&mut self, now: Micros, read: &[u8], shared: &mut Shared<'_>) {
        if let State::Entering { upgrading: true, answer } = &mut self.state {
            answer.extend_from_slice(read);
            match ws::response(answer) {
                Ok(None) => {}
                Ok(Some(end)) => {
                    let rest = answer.split_off(end);
                    self.state = State::Entering { upgrading: false, answer: Vec::new() };
                    self.hello(now, shared);
                    self.frames(now, &rest, shared);
                }
                Err(error) => self.failed(now, &error.to_string(), shared),
            }
            return;
        }
        if shared.window.holds(now) {
            shared.stats.bytes_down += read.len() as u64;
        }
        self.frames(now, read, shared);
    }

    fn frames(&mut self, now: Micros, read: &[u8], shared: &mut Shared<'_>) {
        let mut inbound = std::mem::take(&mut self.inbound);
        let fed = inbound.feed(read, |frame| match frame {
            Frame::Binary(bytes) => self.message(now, bytes, shared),
            Frame::Ping(payload) => {
                ws::put_pong(&mut self.outgoing, payload, self.rng.next_u32());
                self.write(now, shared);
            }
            Frame::Pong => {}
            Frame::Close(code) => {
                ws::put_close(&mut self.outgoing, code, self.rng.next_u32());
                self.write(now, shared);
                self.closing = Some(label_of(code));
                self.close_came = true;
            }
        });
        self.inbound = inbound;
        if let Err(error) = fed {
            self.closed(now, &error.to_string(), shared);
        } else if self.close_came && self.stream.is_some() {
            self.closed(now, self.closing.unwrap_or_default(), shared);
        }
    }

    fn message(&mut self, now: Micros, bytes: &[u8], shared: &mut Shared<'_>) {
        let (message, body) = match ServerMessage::decode(bytes) {
            Ok(decoded) => decoded,
            Err(error) => {
                shared.stats.close(&format!("unreadable message: {error}"));
                return;
            }
        };
        if let State::Playing(session) = &mut self.state {
            if shared.window.holds(now) {
                shared.stats.silence_us.note(now.since(session.heard_at).0 as i64);
            }
            session.heard_at = now;
        }
        match message {
            ServerMessage::Snapshot(header) => self.snapshot(now, &header, body, shared),
            ServerMessage::Pong(pong) => {
                let rtt = now.since(Micros(pong.time));
                shared.clock.note(Micros(pong.time), now, pong.server_time);
                if shared.window.holds(now) {
                    shared.stats.rtt_us.note(rtt.0 as i64);
                }
            }
            ServerMessage::Welcome(welcome) => {
                shared.stats.joined += 1;
                if welcome.resumed {
                    shared.stats.resumed += 1;
                }
                if !self.resuming {
                    shared.stats.join_us.note(now.since(self.join_due).0 as i64);
                }
                if let Wish::Open(room) = self.role.wish {
                    shared.codes[room] = Some(welcome.code.clone());
                }
                self.token = welcome.token;
                self.pilot.begin_session(&welcome.schema.inputs, now);
                self.state = State::Playing(Box::new(Session::new(&welcome, self.role.tier, now)));
            }
            ServerMessage::Closing(closing) => {
                self.closing = Some(label_of(closing.code));
            }
            ServerMessage::Roster(_) => {}
        }
    }

    fn snapshot(&mut self, now: Micros, header: &SnapshotHeader, body: &[u8], shared: &mut Shared<'_>) {
        let State::Playing(session) = &mut self.state else { return };
        if session.seen == 0 {
            let spans = if self.resuming { &mut shared.stats.resume_us } else { &mut shared.stats.first_us };
            spans.note(now.since(self.join_due).0 as i64);
        }
        session.take(now, header, body, shared);
        if session.wants_resync(now) {
            shared.stats.resyncs += 1;
            self.send(&ClientMessage::Resync, now, shared);
        }
    }

    // ---- How it ends ----------------------------------------------------------------------------------------------

    fn lost(&mut self, now: Micros, error: &io::Error, shared: &mut Shared<'_>) {
        let label = match (self.closing, error.kind()) {
            (Some(label), _) => label.to_owned(),
            (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "cut by the server".to_owned(),
            (None, kind) => format!("socket: {kind}"),
        };
        self.closed(now, &label, shared);
    }

    /// The server ended the session, or never began it.
    fn closed(&mut self, now: Micros, label: &str, shared: &mut Shared<'_>) {
        if matches!(self.state, State::Entering { .. }) {
            self.failed(now, label, shared);
        } else {
            let flooding = self.flood.is_some() && self.is_playing();
            if let Some(slow) = self.slow.filter(|_| self.is_playing()) {
                slow.count_cut(now, shared.stats);
            }
            self.end(now, label, shared);
            if flooding {
                // It comes back, as somebody does who means harm.
                self.resuming = self.token.is_some();
                self.connect_at(now.after(RETRY_AFTER));
            }
        }
    }

    /// It did not get in; it tries again a few times.
    fn failed(&mut self, now: Micros, label: &str, shared: &mut Shared<'_>) {
        self.end(now, &format!("not let in: {label}"), shared);
        self.attempts += 1;
        // Its seat may have been freed meanwhile.
        if self.resuming && label == CloseReason::SeatGone.label() {
            self.resuming = false;
        }
        if self.attempts < ATTEMPTS_MAX {
            self.state = State::Out { due: Some(now.after(Micros(RETRY_AFTER.0 * u64::from(self.attempts)))) };
        }
    }

    fn end(&mut self, now: Micros, label: &str, shared: &mut Shared<'_>) {
        if let Some(mut stream) = self.stream.take() {
            // Either call fails only on a socket that is gone already.
            let _ = shared.registry.deregister(&mut stream);
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let State::Playing(session) = std::mem::replace(&mut self.state, State::Out { due: None }) {
            session.count_playing(now, shared);
        }
        shared.stats.close(label);
    }

    /// The measurement is over: what it did until now counts.
    pub fn settle(&mut self, now: Micros, shared: &mut Shared<'_>) {
        if let State::Playing(session) = &mut self.state {
            session.count_playing(now, shared);
            session.since = now;
            if self.role.reading == Reading::Healthy {
                shared.stats.silence_us.note(now.since(session.heard_at).0 as i64);
            }
        }
    }
}

fn label_of(code: u16) -> &'static str {
    CloseReason::from_code(code).map_or("a close code without a meaning", CloseReason::label)
}
