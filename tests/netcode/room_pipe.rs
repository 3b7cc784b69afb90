//! A pure room of Arena behind two pipes, for the harness of tests/netcode: the harness owns the clock and the network,
//! this program owns the truth. No socket, no timer, no clock: every time comes in with a command.
//!
//! Frames both ways are a little-endian `u32` length and that many bytes; every command is answered by one frame, whose
//! first byte is 1, or 0 and a sentence. Numbers are little-endian, blobs and texts are a `u32` length and bytes.
//!
//! | command | with | answer |
//! |---|---|---|
//! | 0 create | seed u64, epoch u64, settings text (JSON: `config`, `options`) | |
//! | 1 join | now u64, spectate u8, full u8, name text | viewer u32, seat i32 (-1: none), Welcome blob |
//! | 2 advance | now u64, count u32, then per message: viewer u32, at u64, blob | see [`Pipe::advance`] |
//! | 3 rtt | viewer u32, microseconds u64 | |
//! | 4 link | seed u64, up u8, profile (7 × u64), count u32, then per send: at u64, bytes u32 | per send: out u64 |
//! | 5 stop | until u64: the process stands still, no tick is simulated before | |

#[path = "pipe/bytes.rs"]
mod bytes;
#[path = "pipe/mirror.rs"]
mod mirror;
#[path = "pipe/watched.rs"]
mod watched;

use std::collections::HashMap;
use std::io::{self, Read, Write};

use serde::Deserialize;
use tickroom::actors::limiter::Limiter;
use tickroom::arena::ArenaOptions;
use tickroom::config::{RoomConfig, ServerConfig};
use tickroom::ids::{Micros, ResumeToken, ViewerId};
use tickroom::protocol::message::{ClientMessage, Pong, ServerMessage, Tier};
use tickroom::room::{JoinRequest, Outbox, Room, SendOutcome};
use tickroom::tools::lag::link::{Link, Profile, StallWay, Way};

use bytes::{Bad, Fields, Put};
use mirror::Mirrors;
use watched::Watched;

/// The longest frame that the harness may send: a whole second of messages of a hundred clients is far less.
const FRAME_BYTES_MAX: usize = 16 << 20;

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut pipe = Pipe::default();
    let (mut frame, mut answer) = (Vec::new(), Vec::new());
    while read_frame(&mut input, &mut frame)? {
        answer.clear();
        answer.extend_from_slice(&[0; 5]);
        answer[4] = 1;
        if let Err(Bad(why)) = pipe.obey(&mut Fields(&frame), &mut answer) {
            answer.truncate(5);
            answer[4] = 0;
            answer.extend_from_slice(why.as_bytes());
        }
        let length = (answer.len() - 4) as u32;
        answer[..4].copy_from_slice(&length.to_le_bytes());
        output.write_all(&answer)?;
        output.flush()?;
    }
    Ok(())
}

/// False at the end of the input: the harness has gone, and so do we.
fn read_frame(input: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<bool> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        other => other?,
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other(format!("a frame of {length} bytes")));
    }
    frame.resize(length, 0);
    input.read_exact(frame)?;
    Ok(true)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    config: RoomConfig,
    options: ArenaOptions,
}

#[derive(Default)]
struct Pipe {
    room: Option<Room<Watched>>,
    mirrors: Mirrors,
    tokens: u64,
    /// What each session may send: a client that breaks the shipped limits is not let through here either.
    limiters: HashMap<ViewerId, Limiter>,
    limits: ServerConfig,
    stopped_until: Micros,
    post: Post,
}

impl Pipe {
    fn obey(&mut self, fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Bad> {
        match fields.u8()? {
            0 => self.create(fields)?,
            1 => self.join(fields, out)?,
            2 => self.advance(fields, out)?,
            3 => {
                let (viewer, rtt) = (ViewerId(fields.u32()?), Micros(fields.u64()?));
                self.room()?.handle_rtt(viewer, rtt);
            }
            4 => link(fields, out)?,
            5 => self.stopped_until = Micros(fields.u64()?),
            other => return Err(Bad(format!("there is no command {other}"))),
        }
        fields.end()
    }

    fn room(&mut self) -> Result<&mut Room<Watched>, Bad> {
        self.room.as_mut().ok_or_else(|| Bad("there is no room yet".into()))
    }

    fn create(&mut self, fields: &mut Fields<'_>) -> Result<(), Bad> {
        let (seed, epoch) = (fields.u64()?, Micros(fields.u64()?));
        let settings: Settings = serde_json::from_str(fields.text()?).map_err(|error| Bad(error.to_string()))?;
        self.limits = ServerConfig::default().for_rate(settings.config.tick_rate);
        let room = Room::new(settings.config, &settings.options, "PIPE".into(), seed, epoch);
        self.room = Some(room.map_err(|error| Bad(error.to_string()))?);
        (self.mirrors, self.post) = (Mirrors::default(), Post::default());
        (self.limiters, self.stopped_until) = (HashMap::new(), Micros(0));
        Ok(())
    }

    fn join(&mut self, fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Bad> {
        let now = Micros(fields.u64()?);
        let spectate = fields.u8()? == 1;
        let tier = if fields.u8()? == 1 { Tier::Full } else { Tier::Delta };
        let name = fields.text()?.to_owned();
        self.tokens += 1;
        // Nobody resumes here: a token only has to differ from the others.
        let token = ResumeToken(u128::from(self.tokens).to_le_bytes());
        let joined = self.room()?.handle_join(JoinRequest { name, tier, spectate, origin: None }, token, now);
        let joined = joined.map_err(|reason| Bad(format!("refused: {reason:?}")))?;
        self.limiters.insert(joined.viewer, Limiter::new(&self.limits, now));
        if let Some(seat) = joined.seat {
            let schema = self.room()?.schema().clone();
            self.mirrors.add(joined.viewer, seat, &schema);
        }
        out.put_u32(joined.viewer.0);
        out.put_i32(joined.seat.map_or(-1, |seat| i32::from(seat.0)));
        out.put_blob(&joined.welcome);
        Ok(())
    }

    /// Hands the room its messages, each at its time and no tick too late, and simulates all that is due by `now`.
    ///
    /// The answer: when the next tick is due u64; what was sent (count u32; viewer u32, at u64, blob); the truth of each
    /// tick (count u32; blob, see [`Watched`]); the inputs that were taken (count u32; viewer, seq, stamp, the tick that
    /// was next on arrival, the tick that took it: u32 each).
    fn advance(&mut self, fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Bad> {
        let now = Micros(fields.u64()?);
        for _ in 0..fields.u32()? {
            let (viewer, at) = (ViewerId(fields.u32()?), Micros(fields.u64()?));
            self.tick_until(at)?;
            let bytes = fields.blob()?;
            self.charge(viewer, bytes, at)?;
            let message =
                ClientMessage::decode(bytes).map_err(|error| Bad(format!("a client sent nonsense: {error}")))?;
            self.take(viewer, message, at)?;
        }
        self.tick_until(now)?;
        out.put_u64(self.room()?.next_tick_at(now).0);
        out.put_u32(self.post.sent.len() as u32);
        for (viewer, at, message) in self.post.sent.drain(..) {
            out.put_u32(viewer.0);
            out.put_u64(at.0);
            out.put_blob(&message);
        }
        let mut truths = self.room.as_ref().expect("asked above").game().take_log();
        out.put_u32(truths.len() as u32);
        truths.drain(..).for_each(|truth| out.put_blob(&truth.bytes));
        self.mirrors.report(out);
        Ok(())
    }

    /// Does what the guard of the session's socket does with a frame.
    fn charge(&mut self, viewer: ViewerId, message: &[u8], at: Micros) -> Result<(), Bad> {
        let header = if message.len() < 126 { 6 } else { 8 };
        let Some(limiter) = self.limiters.get_mut(&viewer) else { return Err(Bad("nobody joined as that".into())) };
        limiter.fill(at, self.stopped_until);
        if limiter.charge(header + message.len() as u64) { Ok(()) } else { Err(Bad("a client sends too much".into())) }
    }

    /// Does what the session's actor does with a message.
    fn take(&mut self, viewer: ViewerId, message: ClientMessage, at: Micros) -> Result<(), Bad> {
        let room = self.room.as_mut().ok_or_else(|| Bad("there is no room yet".into()))?;
        match message {
            ClientMessage::Input(input) => {
                room.handle_input(viewer, &input, at)
                    .map_err(|reason| Bad(format!("an input was refused: {reason:?}")))?;
                self.mirrors.push(viewer, &input, room.current_tick().after(1));
            }
            ClientMessage::Ping(ping) => {
                room.handle_seen(viewer, ping.seen, at);
                let pong = ServerMessage::Pong(Pong { time: ping.time, server_time: at.0 });
                self.post.sent.push((viewer, at, pong.encode()));
            }
            ClientMessage::Resync => room.handle_resync(viewer, at),
            ClientMessage::Leave => room.handle_leave(viewer, at),
            ClientMessage::Hello(_) => return Err(Bad("Hello is answered by the command join".into())),
        }
        Ok(())
    }

    fn tick_until(&mut self, until: Micros) -> Result<(), Bad> {
        let room = self.room.as_mut().ok_or_else(|| Bad("there is no room yet".into()))?;
        loop {
            let due = room.next_tick_at(self.post.now).max(self.stopped_until);
            if due > until {
                return Ok(());
            }
            self.post.now = due;
            let before = room.current_tick();
            room.tick(due);
            let made = room.current_tick().since(before);
            if made > 0 {
                let schema = room.schema().clone();
                room.game().with_last(made, |at, truth| {
                    self.mirrors.take(before.after(at + 1), &schema, &truth.inputs);
                });
            }
            room.poll_outbound(&mut self.post);
        }
    }
}

/// What the room has sent, and when.
#[derive(Default)]
struct Post {
    now: Micros,
    sent: Vec<(ViewerId, Micros, Vec<u8>)>,
}

impl Outbox for Post {
    fn is_open(&mut self, _viewer: ViewerId) -> bool {
        true
    }

    fn send(&mut self, viewer: ViewerId, message: &[u8]) -> SendOutcome {
        self.sent.push((viewer, self.now, message.to_vec()));
        SendOutcome::Accepted
    }
}

/// When sends come out of a link, so that the harness can prove its own copy of the arithmetic.
fn link(fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Bad> {
    let seed = fields.u64()?;
    let way = if fields.u8()? == 1 { Way::Up } else { Way::Down };
    let profile = Profile {
        rtt_us: fields.u64()?,
        jitter_us: fields.u64()?,
        stall_every_us: fields.u64()?,
        stall_us: fields.u64()?,
        stall_way: match fields.u64()? {
            0 => StallWay::Both,
            1 => StallWay::Up,
            2 => StallWay::Down,
            _ => StallWay::Turns,
        },
        loss_per_million: fields.u64()? as u32,
        rate: fields.u64()?,
    };
    profile.check().map_err(|error| Bad(error.to_string()))?;
    let mut link = Link::new(profile, way, seed);
    for _ in 0..fields.u32()? {
        let (at, bytes) = (fields.u64()?, fields.u32()?);
        out.put_u64(link.send(at, bytes as usize));
    }
    Ok(())
}
