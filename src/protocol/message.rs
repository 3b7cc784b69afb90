//! Every message, as data. PROTOCOL.md beside this file is the text that client authors read: change both in one
//! commit. The number of a message is its place in its enum.
//!
//! `Serialize` is for people and tests only: golden vectors and reports show messages as JSON. The wire is bincode's.

use super::codec::{self, CLIENT_MESSAGE_BYTES_MAX, CodecError, Decode, Encode, MESSAGE_BYTES_MAX};
use super::hex;
use super::schema::Schema;
use serde::Serialize;

/// The protocol that this server speaks. 0 was the time before delta replication; the snapshots of 1 were whole bytes.
pub const PROTOCOL_VERSION: u16 = 2;

/// Longest name that a seat shows, in characters; a longer one is cut, not refused.
pub const NAME_CHARS_MAX: usize = 20;

/// From a client.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(tag = "type")]
pub enum ClientMessage {
    /// The first message of a session, once.
    Hello(Hello),
    /// What the seat does from now on.
    Input(Input),
    /// Asks for the server's time.
    Ping(Ping),
    /// My view cannot be trusted: send a snapshot with base 0.
    Resync,
    /// Free my seat at once and close.
    Leave,
}

/// Opens a session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Hello {
    /// Must equal the server's [`PROTOCOL_VERSION`].
    pub protocol: u16,
    /// Shown to others; cleaned and cut to [`NAME_CHARS_MAX`] characters by the server. May be empty.
    pub name: String,
    /// Where to play.
    pub wish: RoomWish,
    /// How snapshots should come.
    pub tier: Tier,
    /// From an earlier Welcome: takes the dropped seat back. `wish` is then not used.
    #[serde(serialize_with = "hex::serialize_token")]
    pub resume: Option<[u8; 16]>,
    /// Optional abilities of this client, one bit each. None is defined: 0. A server ignores bits that it does not know.
    pub features: u32,
}

/// Where to play.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum RoomWish {
    /// The fullest open public room with a free seat, else a new one.
    Quick,
    /// The room with this code, upper or lower case.
    Code(String),
    /// A new room; a private one is joined by its code only.
    Create {
        /// True: not listed, not found by quick join.
        private: bool,
    },
    /// Watch the room with this code, or with `None` the fullest public one.
    Spectate(Option<String>),
}

/// How snapshots come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum Tier {
    /// Each stands alone (base 0): for clients that want to be simple.
    Full,
    /// Each is relative to the previous one sent: about a tenth of the bytes.
    Delta,
}

/// What a seat does from `tick` on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Input {
    /// 1 for the first of a session, then rising; the server drops what is not above the last one it took.
    pub seq: u32,
    /// The tick that this input is meant for; 0 = as soon as possible.
    pub tick: u32,
    /// The newest snapshot tick this client has received; 0 = this client does not ack.
    pub seen: u32,
    /// How far behind `tick` the client showed other entities, in 1/16 ticks.
    pub seen_ago: u16,
    /// One value per input field of the schema: shorter or longer rows are refused.
    pub row: Vec<i32>,
}

/// Asks for the server's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Ping {
    /// Anything; comes back in [`Pong::time`]. A clock in microseconds is usual.
    pub time: u64,
    /// As [`Input::seen`].
    pub seen: u32,
}

/// From the server.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(tag = "type")]
pub enum ServerMessage {
    /// The answer to Hello: you are in.
    Welcome(Box<Welcome>),
    /// Who sits where.
    Roster(Roster),
    /// The start of a snapshot; its body follows in the same message.
    Snapshot(SnapshotHeader),
    /// The answer to Ping.
    Pong(Pong),
    /// The last message before the server closes the WebSocket.
    Closing(Closing),
}

/// You are in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Welcome {
    /// The server's [`PROTOCOL_VERSION`].
    pub protocol: u16,
    /// Bits of [`Hello::features`] that this session uses.
    pub features: u32,
    /// What the game shows and takes.
    pub schema: Schema,
    /// The numbers that predicting clients share, in the game's own form (Arena: the bytes of its JSON file).
    #[serde(serialize_with = "hex::serialize_bytes")]
    pub tuning: Vec<u8>,
    /// [`rules_hash`] of the two fields above.
    pub rules_hash: u32,
    /// `None` for a spectator.
    pub seat: Option<u16>,
    /// What takes the seat back after a drop; `None` for a spectator. Replaces any earlier one.
    #[serde(serialize_with = "hex::serialize_token")]
    pub token: Option<[u8; 16]>,
    /// How long a dropped seat is kept, in milliseconds.
    pub seat_kept_ms: u32,
    /// True if this session took a dropped seat back.
    pub resumed: bool,
    /// The room's code, for links.
    pub code: String,
    /// Ticks per second.
    pub tick_rate: u16,
    /// Ticks from one snapshot to the next.
    pub ticks_per_snapshot: u16,
    /// The server's clock at tick 0, in microseconds; the clock of [`Pong::server_time`].
    pub epoch: u64,
    /// The tick that the room had simulated when this was sent.
    pub tick: u32,
    /// Ticks of time that were skipped so far, not simulated: `time(T) = epoch + (T + skipped) / tick_rate` seconds.
    pub skipped: u32,
}

/// FNV-1a (32 bits) over the encoded schema, then the tuning's bytes.
#[must_use]
pub fn rules_hash(schema: &Schema, tuning: &[u8]) -> u32 {
    let encoded = codec::encode(schema);
    encoded.iter().chain(tuning).fold(0x811C_9DC5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Changes of who sits where.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Roster {
    /// The version that this one changes; 0 = forget all names first.
    pub since: u32,
    /// The version that it makes.
    pub version: u32,
    /// Only seats that changed.
    pub entries: Vec<RosterEntry>,
}

/// One seat of a roster.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct RosterEntry {
    /// Which seat.
    pub seat: u16,
    /// `None`: the seat is free now.
    pub who: Option<Occupant>,
}

/// Who sits in a seat.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Occupant {
    /// As cleaned by the server.
    pub name: String,
    /// A person, a person whose connection dropped, or a bot.
    pub presence: Presence,
}

/// What sits in a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum Presence {
    /// A person with a live session.
    Here,
    /// A person whose session dropped; the seat is kept for a while.
    Away,
    /// The server plays.
    Bot,
}

/// The fixed-order start of a snapshot. What follows in the same message: left, changed, entered, events, digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct SnapshotHeader {
    /// The tick shown: four little-endian bytes.
    pub tick: FixedU32,
    /// How many ticks before `tick` the state lies that this is relative to; 0 = forget everything first.
    pub base: u32,
    /// The newest input seq that the room has consumed; 0 = none yet.
    pub ack: u32,
    /// How many ticks before it was due the latest of the inputs came that arrived since the last snapshot sent
    /// (negative: that many ticks too late). Meaningless if `NO_INPUT` is flagged.
    pub margin: i8,
    /// [`flags`].
    pub flags: u8,
    /// How late the server simulated this tick, in units of 100 microseconds, up to 65,535.
    pub lateness: u16,
    /// Ticks of time skipped so far, as in [`Welcome::skipped`].
    pub skipped: u32,
}

/// Bits of [`SnapshotHeader::flags`].
pub mod flags {
    /// No stamped input came from this seat since the last snapshot sent: `margin` says nothing.
    pub const NO_INPUT: u8 = 1;
    /// No input for so long that the seat's levels are neutral.
    pub const STARVED: u8 = 2;
    /// Events were lost to this client before it could be told of them.
    pub const EVENTS_LOST: u8 = 4;
    /// Four bytes of digest end the message.
    pub const DIGEST: u8 = 8;
    /// All of them; a client ignores others.
    pub const ALL: u8 = 15;
}

/// A `u32` that is always four little-endian bytes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(into = "u32")]
pub struct FixedU32([u8; 4]);

impl From<u32> for FixedU32 {
    fn from(value: u32) -> Self {
        Self(value.to_le_bytes())
    }
}

impl From<FixedU32> for u32 {
    fn from(value: FixedU32) -> Self {
        Self::from_le_bytes(value.0)
    }
}

/// The server's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Pong {
    /// [`Ping::time`], unchanged.
    pub time: u64,
    /// The server's monotonic clock in microseconds, when it answered.
    pub server_time: u64,
}

/// Why the server closes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Closing {
    /// The WebSocket close code that follows: one per [`CloseReason`](super::close::CloseReason).
    pub code: u16,
    /// A sentence for people.
    pub text: String,
}

impl ClientMessage {
    /// Decodes one WebSocket message from a client.
    ///
    /// # Errors
    /// Any [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes, CLIENT_MESSAGE_BYTES_MAX)
    }

    /// The bytes of one WebSocket message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

impl ServerMessage {
    /// Decodes one WebSocket message from the server. The slice is a snapshot's body, for
    /// [`View::apply`](super::view::View::apply); it is empty for every other message.
    ///
    /// # Errors
    /// Any [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), CodecError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(CodecError::TooLong { bytes: bytes.len(), limit: MESSAGE_BYTES_MAX });
        }
        let (message, used) = codec::decode_prefix(bytes)?;
        let body = &bytes[used..];
        match message {
            Self::Snapshot(_) => Ok((message, body)),
            // Whoever shows the game goes by it: orders, drops and counts must be such that nothing overflows.
            Self::Welcome(ref welcome) if welcome.schema.check().is_err() => {
                Err(CodecError::Malformed("a schema out of its ranges".into()))
            }
            _ if body.is_empty() => Ok((message, body)),
            _ => Err(CodecError::Trailing(body.len())),
        }
    }

    /// The bytes of one WebSocket message; of a snapshot, its number and header.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}
