//! The numbers that name things. Each is a newtype, because two `u32`s in one argument list get swapped one day.
//!
//! No arithmetic here wraps silently: a tick at 60 Hz lasts 2.2 years in a `u32`, a seat's inputs likewise; where a
//! peer chooses the number, the methods saturate.

use std::fmt;

/// One step of the simulation; its number, contiguous from 0 at the room's epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u32);

impl Tick {
    /// The tick `ticks` later. At 60 Hz a `u32` lasts 2.2 years; a room that old has long been ended.
    #[must_use]
    pub fn after(self, ticks: u32) -> Self {
        Self(self.0.saturating_add(ticks))
    }

    /// The tick `ticks` earlier, or tick 0.
    #[must_use]
    pub fn before(self, ticks: u32) -> Self {
        Self(self.0.saturating_sub(ticks))
    }

    /// How many ticks this one lies after `earlier`; 0 if it does not.
    #[must_use]
    pub fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The number of one input of one session, from 1; 0 stands for "none yet" on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputSeq(pub u32);

/// A place in a room that outlives a socket. Seats are numbered from 0 within a room and reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u16);

impl SeatId {
    /// The seat's place in a table of seats.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One session as its room knows it: a player's or a spectator's. Never reused within a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewerId(pub u32);

/// Where somebody comes from, as a number that says nothing else: equal for all who come from one address (an IPv6 one by
/// its /64), different for others as good as always. Whoever knows addresses makes it, with a key that dies with the
/// process, so that neither games nor journals learn an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(pub u64);

/// A room, unique within one run of the server. People see the room's code instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u32);

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "room {}", self.0)
    }
}

/// An entity within a room: `1 ..= EntityId::MAX`. 0 is never an id, so a gap of 0 in a list of ids is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(u32);

impl EntityId {
    /// 20 bits: more entities than a room can step, and `id << 8 | kind` fits the digest's 32 bits.
    pub const MAX: u32 = (1 << 20) - 1;

    /// `None` unless `1 <= id <= EntityId::MAX`.
    #[must_use]
    pub fn new(id: u32) -> Option<Self> {
        (1..=Self::MAX).contains(&id).then_some(Self(id))
    }

    /// The number on the wire.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }

    /// The id's place in a bitset or table.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The number of an entity kind: its place in [`Schema::kinds`](crate::protocol::schema::Schema::kinds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub u8);

/// The number of an event kind: its place in [`Schema::events`](crate::protocol::schema::Schema::events).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKindId(pub u8);

/// What takes a dropped seat back: 16 bytes from the operating system's randomness, shown to its owner alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResumeToken(pub [u8; 16]);

impl fmt::Debug for ResumeToken {
    /// A token is a key: it never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeToken(..)")
    }
}

/// A point on the server's monotonic clock, or a span of it, in microseconds. Whoever owns the clock passes it in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u64);

impl Micros {
    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// The span from `earlier` to this point; zero if `earlier` lies after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// The point `span` later.
    #[must_use]
    pub fn after(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// In whole milliseconds.
    #[must_use]
    pub fn millis(self) -> u64 {
        self.0 / 1000
    }
}
