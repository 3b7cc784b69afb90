//! A session as it happened: a room on a virtual clock, one client that plays, loses its connection, comes back and
//! leaves, and every message of both sides with its time.

use std::fmt::Write as _;

use serde::Serialize;
use tickroom::config::RoomConfig;
use tickroom::ids::{Micros, ResumeToken, ViewerId};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::hex;
use tickroom::protocol::message::*;
use tickroom::protocol::view::{Applied, View};
use tickroom::room::{JoinRequest, Joined, Outbox, Room, SendOutcome};

use crate::toy::{Toy, ToyOptions};

/// What a client holds after a snapshot.
#[derive(Serialize)]
struct Held {
    tick: u32,
    entities: usize,
    events: usize,
    digest: u32,
}

struct Recorder {
    now: Micros,
    session: u32,
    lines: Vec<String>,
    view: Option<View>,
    newest: u32,
    /// The session's socket takes nothing until then.
    busy_until: Micros,
    viewer: ViewerId,
}

impl Recorder {
    fn record(&mut self, from: &str, bytes: &[u8], value: String, held: Option<Held>) {
        let mut line = format!(
            r#"{{"at_ms": {}, "session": {}, "from": "{from}", "hex": "{}", "value": {value}"#,
            self.now.millis(),
            self.session,
            hex::encode(bytes)
        );
        if let Some(held) = held {
            write!(line, r#", "held": {}"#, serde_json::to_string(&held).unwrap()).unwrap();
        }
        self.lines.push(line + "}");
    }

    fn client(&mut self, message: &ClientMessage) {
        self.record("client", &message.encode(), serde_json::to_string(message).unwrap(), None);
    }

    fn server(&mut self, bytes: &[u8]) {
        let (message, body) = ServerMessage::decode(bytes).unwrap();
        let mut value = serde_json::to_string(&message).unwrap();
        let mut held = None;
        match &message {
            ServerMessage::Welcome(welcome) => self.view = Some(View::new(&welcome.schema)),
            ServerMessage::Snapshot(header) => {
                value.pop();
                write!(value, r#","body":"{}"}}"#, hex::encode(body)).unwrap();
                let view = self.view.as_mut().expect("Welcome comes first");
                self.newest = header.tick.into();
                assert_eq!(view.apply(header, body), Ok(Applied::Yes), "tick {}", self.newest);
                let (entities, events, digest) = (view.len(), view.events().count(), view.digest());
                held = Some(Held { tick: self.newest, entities, events, digest });
            }
            _ => {}
        }
        self.record("server", bytes, value, held);
    }
}

impl Outbox for Recorder {
    fn is_open(&mut self, viewer: ViewerId) -> bool {
        viewer != self.viewer || self.now >= self.busy_until
    }

    fn send(&mut self, viewer: ViewerId, message: &[u8]) -> SendOutcome {
        if viewer == self.viewer {
            self.server(message);
        }
        SendOutcome::Accepted
    }
}

struct Play {
    room: Room<Toy>,
    out: Recorder,
    seq: u32,
    connected: bool,
}

impl Play {
    fn sit(&mut self, joined: Joined) -> Option<[u8; 16]> {
        (self.out.viewer, self.out.session, self.seq) = (joined.viewer, self.out.session + 1, 0);
        self.connected = true;
        self.out.server(&joined.welcome);
        let (ServerMessage::Welcome(welcome), _) = ServerMessage::decode(&joined.welcome).unwrap() else { panic!() };
        welcome.token
    }

    fn pass(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.out.now = self.room.next_tick_at(self.out.now);
            self.room.tick(self.out.now);
            self.room.poll_outbound(&mut self.out);
            // Told what the client has seen, the room goes on sending.
            if self.connected && self.room.current_tick().0.is_multiple_of(12) {
                self.ping();
            }
        }
    }

    fn input(&mut self, row: [i32; 3]) {
        self.seq += 1;
        let tick = self.room.current_tick().0 + 3;
        let input = Input { seq: self.seq, tick, seen: self.out.newest, seen_ago: 40, row: row.into() };
        self.room.handle_input(self.out.viewer, &input, self.out.now).unwrap();
        self.out.client(&ClientMessage::Input(input));
    }

    fn ping(&mut self) {
        let ping = Ping { time: self.out.now.0 / 2, seen: self.out.newest };
        self.room.handle_seen(self.out.viewer, ping.seen, self.out.now);
        self.out.client(&ClientMessage::Ping(ping));
        let pong = Pong { time: ping.time, server_time: self.out.now.0 };
        self.out.server(&ServerMessage::Pong(pong).encode());
    }
}

/// The lines of `session.json`.
pub(crate) fn messages() -> Vec<String> {
    let epoch = Micros::from_millis(5_000);
    let config = RoomConfig { fill_to: 3, seats_max: 4, ..RoomConfig::default() };
    let room = Room::<Toy>::new(config, &ToyOptions::default(), "K7QX".into(), 1, epoch).unwrap();
    let out = Recorder {
        now: epoch,
        session: 0,
        lines: Vec::new(),
        view: None,
        newest: 0,
        busy_until: epoch,
        viewer: ViewerId(u32::MAX),
    };
    let mut play = Play { room, out, seq: 0, connected: false };

    let mut hello = super::cases::hello();
    play.out.session = 1;
    play.out.client(&ClientMessage::Hello(hello.clone()));
    play.out.session = 0;
    let who = JoinRequest { name: hello.name.clone(), tier: hello.tier, spectate: false, origin: None };
    let joined = play.room.handle_join(who, ResumeToken([1; 16]), epoch).unwrap();
    let token = play.sit(joined);
    play.pass(4);
    play.input([100, 0, 0]);
    play.pass(5);
    play.input([100, 20_000, 1]);
    play.pass(5);
    play.input([-50, 40_000, 3]);
    play.pass(20);
    // The session's socket is slow for a while: the next snapshot covers the gap.
    play.out.busy_until = play.out.now.after(Micros::from_millis(120));
    play.pass(30);
    play.out.client(&ClientMessage::Resync);
    play.room.handle_resync(play.out.viewer, play.out.now);
    play.pass(40);

    // The connection is lost, and taken up again a second later.
    play.room.handle_drop(play.out.viewer, play.out.now);
    play.connected = false;
    play.pass(60);
    hello.resume = token;
    play.out.session = 2;
    play.out.client(&ClientMessage::Hello(hello));
    play.out.session = 1;
    let resumed =
        play.room.handle_resume(ResumeToken([1; 16]), Tier::Delta, ResumeToken([2; 16]), play.out.now).unwrap();
    assert_eq!(play.sit(resumed), Some([2; 16]));
    play.pass(4);
    play.input([10, 0, 200]);
    play.pass(16);
    play.out.client(&ClientMessage::Leave);
    play.room.handle_leave(play.out.viewer, play.out.now);
    let reason = CloseReason::Left;
    let closing = Closing { code: reason.code(), text: reason.text().into() };
    play.out.server(&ServerMessage::Closing(closing).encode());
    play.out.lines
}
