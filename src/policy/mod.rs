//! What one address may take, so that nobody shuts the server for the others. No clock, no lock, no socket: whoever asks
//! brings the time, and the async half has one of these for the whole server.
//!
//! - [`address`]: whom a limit means: an IPv4 address, or an IPv6 one by its /64.
//! - [`forwarded`]: whom a trusted proxy asks for.
//! - [`rate`]: how often something may be done.
//!
//! What is *held* (connections, sessions, rooms) has a share: an address within its share is never refused here, and
//! one beyond it only once half of the server is taken. So whoever takes all they can get takes half, and the other half
//! is there for the shares of others: with `n` addresses holding something, no more than `half + n * share` is held.
//!
//! What is *done* (requests, joins, wrong codes) has a rate and a burst.
//!
//! The memory is bounded. An address is forgotten once it holds nothing and its rates are whole again, which is when a
//! fresh one would be treated alike; never before. When more addresses are remembered than there is room for, those
//! that come then share an allowance, some here and some there: a flood from everywhere grows no table, and reaches few.

pub mod address;
pub mod forwarded;
pub mod rate;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

pub use address::{Address, Caller, Trust};

use self::rate::{FullAt, Rate};
use crate::config::PolicyConfig;
use crate::ids::{Micros, OriginId};

/// Addresses that are remembered at least, before those that come share an allowance. Some 100 bytes each.
const ADDRESSES_MIN: usize = 16_384;

/// What newcomers share when no more addresses can be remembered.
const CROWDS: u64 = 256;

/// Below so many addresses nobody looks for those that can be forgotten.
const SWEEP_MIN: usize = 1024;

/// When all places are taken, how long it is until they are looked through again.
const SWEEP_EVERY: Micros = Micros::from_millis(1000);

/// An address that reaches a limit is told of once in this time.
const TOLD_EVERY: Micros = Micros::from_millis(60_000);

/// How often addresses are told of, whichever they are: a flood from many must not fill a disk.
const TOLD: Rate = Rate::per_minute(60, 30);

/// A page can't read why an upgrade was refused, so it is let in to be told; but telling costs as much as playing. A dozen
/// people hear it at once, and who goes on asking has heard it.
const TOLD_IN_SESSIONS: Rate = Rate::per_second(2, 16);

/// What is held gives no sign of when it will be given back: try again then.
const HELD_RETRY: Micros = Micros::from_millis(5000);

/// What an address holds until it gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// A connection that is no session.
    Connection,
    /// A WebSocket session.
    Session,
    /// A room that somebody from there began.
    Room,
}

/// What an address does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// An HTTP request.
    Request,
    /// A session that is begun.
    Join,
    /// A code that no room has.
    WrongCode,
    /// A session that is let in only to be told that it is one too many.
    Told,
}

/// A limit of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Of what is held.
    Held(Hold),
    /// Of what is done.
    Done(Act),
}

impl Limit {
    /// The setting that says how much it is, for the log.
    #[must_use]
    pub fn setting(self) -> &'static str {
        match self {
            Self::Held(Hold::Connection) => "policy.connections",
            Self::Held(Hold::Session) => "policy.sessions",
            Self::Held(Hold::Room) => "policy.rooms",
            Self::Done(Act::Request) => "policy.requests_per_second",
            Self::Done(Act::Join | Act::Told) => "policy.joins_per_second",
            Self::Done(Act::WrongCode) => "policy.wrong_codes_per_minute",
        }
    }
}

/// An address has had what it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of what.
    pub limit: Limit,
    /// Before then asking again is of no use.
    pub retry_after: Micros,
    /// Nobody has been told of this address for a minute: it is time to log it.
    pub tell: bool,
}

impl Refusal {
    /// For the header `Retry-After`: whole seconds, at least one.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        self.retry_after.0.div_ceil(1_000_000).max(1)
    }
}

/// Something that an address holds. It counts until [`Policy::give_back`] has it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "it counts until it is given back"]
pub struct Holding {
    hold: Hold,
    /// Under which name it is counted; `None`: nobody's limit.
    entry: Option<Name>,
}

impl Holding {
    /// True if it is counted as this caller's own.
    #[must_use]
    pub fn is_of(&self, caller: Caller) -> bool {
        self.entry == caller.limited().map(Name::Own)
    }
}

/// How many of each an address may hold, and how many there are of it in all.
#[derive(Clone, Copy, Debug)]
struct Pool {
    share: u32,
    /// Half of what the server has.
    half: u32,
    held: u32,
}

/// What there is to share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Connections that are no sessions.
    pub connections: u32,
    /// Sessions.
    pub sessions: u32,
    /// Rooms.
    pub rooms: u32,
}

/// Under what an address is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Name {
    Own(Address),
    /// One of those that share an allowance, because there was no room for their own.
    Crowd(u64),
}

/// What is remembered of an address.
#[derive(Clone, Debug, Default)]
struct Entry {
    held: [u32; 3],
    full_at: [FullAt; 4],
    /// When it was last told that it reached a limit.
    told: Option<Micros>,
}

impl Entry {
    /// True if an address of which nothing is known would be treated alike.
    fn says_nothing(&self, now: Micros) -> bool {
        self.held == [0; 3]
            && self.full_at.iter().all(|full_at| full_at.is_full(now))
            && self.told.is_none_or(|told| now.since(told) >= TOLD_EVERY)
    }
}

/// What every address has taken.
#[derive(Debug)]
pub struct Policy {
    pools: [Pool; 3],
    rates: [Rate; 4],
    entries: HashMap<Name, Entry>,
    addresses_max: usize,
    /// As soon as so many are remembered, those that say nothing are forgotten.
    sweep_at: usize,
    swept: Micros,
    told: FullAt,
    /// Its key is the process's own: who knows an address can't know where it lies, nor what its origin is.
    hasher: RandomState,
}

impl Policy {
    /// Nobody has taken anything yet.
    #[must_use]
    pub fn new(config: &PolicyConfig, capacity: Capacity) -> Self {
        let pool = |share, all: u32| Pool { share, half: all / 2, held: 0 };
        Self {
            pools: [
                pool(config.connections, capacity.connections),
                pool(config.sessions, capacity.sessions),
                pool(config.rooms, capacity.rooms),
            ],
            rates: [
                Rate::per_second(config.requests_per_second, config.requests_burst),
                Rate::per_second(config.joins_per_second, config.joins_burst),
                Rate::per_minute(config.wrong_codes_per_minute, config.wrong_codes_burst),
                TOLD_IN_SESSIONS,
            ],
            entries: HashMap::new(),
            // Each connection can be somebody else's, and there must be places beside them for who comes and goes.
            addresses_max: ADDRESSES_MIN.max(4 * (capacity.connections as usize + capacity.sessions as usize)),
            sweep_at: SWEEP_MIN,
            swept: Micros::default(),
            told: FullAt::default(),
            hasher: RandomState::new(),
        }
    }

    /// Takes one of what can be held, for as long as the [`Holding`] is not given back.
    ///
    /// # Errors
    /// The address has its share, and half of the server is taken.
    pub fn take(&mut self, caller: Caller, hold: Hold, now: Micros) -> Result<Holding, Refusal> {
        let Some(address) = caller.limited() else {
            self.pools[hold as usize].held += 1;
            return Ok(Holding { hold, entry: None });
        };
        let name = self.name(address, now);
        let pool = &mut self.pools[hold as usize];
        let entry = self.entries.entry(name).or_default();
        let held = &mut entry.held[hold as usize];
        if *held >= pool.share && pool.held >= pool.half {
            return Err(self.refuse(name, Limit::Held(hold), HELD_RETRY, now));
        }
        *held += 1;
        pool.held += 1;
        Ok(Holding { hold, entry: Some(name) })
    }

    /// What was taken is free again.
    pub fn give_back(&mut self, holding: Holding) {
        self.pools[holding.hold as usize].held -= 1;
        if let Some(entry) = holding.entry.and_then(|name| self.entries.get_mut(&name)) {
            entry.held[holding.hold as usize] -= 1;
        }
    }

    /// Does something once.
    ///
    /// # Errors
    /// It was done too often; a refusal is not counted as another time.
    pub fn act(&mut self, caller: Caller, act: Act, now: Micros) -> Result<(), Refusal> {
        self.charge(caller, act, now, FullAt::charge)
    }

    /// Whether something could be done now, without doing it.
    ///
    /// # Errors
    /// It was done too often.
    pub fn may(&mut self, caller: Caller, act: Act, now: Micros) -> Result<(), Refusal> {
        self.charge(caller, act, now, |full_at, rate, now| full_at.clone().charge(rate, now))
    }

    fn charge(
        &mut self,
        caller: Caller,
        act: Act,
        now: Micros,
        charge: impl FnOnce(&mut FullAt, Rate, Micros) -> Result<(), Micros>,
    ) -> Result<(), Refusal> {
        let Some(address) = caller.limited() else { return Ok(()) };
        let name = self.name(address, now);
        let full_at = &mut self.entries.entry(name).or_default().full_at[act as usize];
        charge(full_at, self.rates[act as usize], now)
            .map_err(|retry_after| self.refuse(name, Limit::Done(act), retry_after, now))
    }

    /// Where somebody comes from, for whoever must not know addresses. Who is not limited has one too.
    #[must_use]
    pub fn origin(&self, caller: Caller) -> OriginId {
        OriginId(self.hasher.hash_one(caller.address))
    }

    /// How many of it are held, by all.
    #[must_use]
    pub fn held(&self, hold: Hold) -> u32 {
        self.pools[hold as usize].held
    }

    /// How many addresses are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.entries.len()
    }

    fn refuse(&mut self, name: Name, limit: Limit, retry_after: Micros, now: Micros) -> Refusal {
        let told = &mut self.entries.entry(name).or_default().told;
        let due = told.is_none_or(|told| now.since(told) >= TOLD_EVERY);
        let tell = due && self.told.charge(TOLD, now).is_ok();
        if tell {
            *told = Some(now);
        }
        Refusal { limit, retry_after, tell }
    }

    /// Under what an address is remembered, which it is from now on.
    fn name(&mut self, address: Address, now: Micros) -> Name {
        let own = Name::Own(address);
        if self.entries.contains_key(&own) {
            return own;
        }
        self.sweep(now);
        if self.entries.len() < self.addresses_max { own } else { Name::Crowd(self.hasher.hash_one(address) % CROWDS) }
    }

    /// Forgets who says nothing, once so many are remembered that it pays: each time after as many have come as were
    /// left, or a while later where that is not possible any more.
    fn sweep(&mut self, now: Micros) {
        let full = self.entries.len() >= self.addresses_max;
        if self.entries.len() < self.sweep_at || (full && now.since(self.swept) < SWEEP_EVERY) {
            return;
        }
        self.swept = now;
        self.entries.retain(|_, entry| !entry.says_nothing(now));
        self.sweep_at = (2 * self.entries.len()).clamp(SWEEP_MIN, self.addresses_max);
        self.entries.shrink_to(self.sweep_at);
    }
}

#[cfg(test)]
mod tests;
