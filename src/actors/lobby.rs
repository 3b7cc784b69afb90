//! Finds seats, begins rooms, and is the only one that ends them (unless a room fails).
//!
//! A seeker gets a ticket and its room a reservation; the room settles the ticket. While a reservation is open, the
//! room is not ended, so nobody is sent to a room that is about to go. All joins to a room come from here, through one
//! mailbox, so "end" is certain to be the last thing that a room hears.

use std::collections::HashMap;
use std::time::Duration;

use actix::dev::{MessageResponse, OneshotSender};
use actix::prelude::SendError;
use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, Recipient};
use rand::TryRng;
use rand::rngs::SysRng;

use super::clock::Clock;
use super::courier::Route;
use super::directory::Directory;
use super::missed::Missed;
use super::room::{NewRoom, ToRoom, room_of_token};
use super::session::ToSession;
use super::shares::{Shares, Taken};
use crate::host::process;
use crate::ids::{Micros, OriginId, ResumeToken, RoomId};
use crate::policy::Caller;
use crate::protocol::close::CloseReason;
use crate::protocol::message::{RoomWish, Tier};
use crate::room::RoomInfo;

/// Letters of a room's code that nobody confuses, in print or aloud; no vowels, so that no code is a word.
const CODE_LETTERS: [u8; 20] = *b"BCDFGHJKMNPQRSTVWXYZ";
/// 160,000 codes: typed from a friend's screen.
const PUBLIC_CODE_LETTERS: usize = 4;
/// 25.6 billion, because the code is all that guards a private room: no more than can be read aloud and typed.
const PRIVATE_CODE_LETTERS: usize = 8;
/// Rooms that a seeker who does not care which is sent to, one after the other.
const TRIES_MAX: usize = 3;
/// How often expired tickets are looked for.
const EXPIRY_BEAT: Duration = Duration::from_millis(250);
/// How long after the last room its memory is given back: its actor must have ended by then.
const MEMORY_KEPT: Micros = Micros::from_millis(500);
/// Places in the mailbox beyond one per sender: seekers and rooms each have their own.
const MAILBOX: usize = 64;

/// Names a join on its way.
pub type Ticket = u64;

/// Somebody wants a place.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Seek {
    /// Where.
    pub wish: RoomWish,
    /// As typed.
    pub name: String,
    /// How snapshots should come.
    pub tier: Tier,
    /// Takes a dropped seat back; `wish` is then not used.
    pub resume: Option<ResumeToken>,
    /// Whose limits count.
    pub caller: Caller,
    /// Whence, for games; `None`: nobody knows.
    pub origin: Option<OriginId>,
    /// Whom to answer.
    pub session: Recipient<ToSession>,
    /// Where the room may send.
    pub route: Route,
}

impl Seek {
    /// True for somebody who watches.
    #[must_use]
    pub fn spectates(&self) -> bool {
        self.resume.is_none() && matches!(self.wish, RoomWish::Spectate(_))
    }

    /// True if any room will do.
    fn is_easy(&self) -> bool {
        self.resume.is_none() && matches!(self.wish, RoomWish::Quick | RoomWish::Spectate(None))
    }

    fn refuse(&self, reason: CloseReason) {
        if self.session.try_send(ToSession::End(reason)).is_err() {
            tracing::debug!(reason = reason.label(), "a seeker was gone before it was refused");
        }
    }
}

/// What rooms tell.
#[derive(Message)]
#[rtype(result = "()")]
pub enum FromRoom {
    /// A join has had its answer.
    Settled {
        /// Which.
        ticket: Ticket,
        /// By whom.
        room: RoomId,
        /// If not, why not.
        result: Result<(), CloseReason>,
        /// The room after it.
        info: RoomInfo,
    },
    /// Now and then, and when somebody came or went.
    Report {
        /// By whom.
        room: RoomId,
        /// How it stands.
        info: RoomInfo,
        /// Nobody has needed it for the configured time.
        idle: bool,
        /// Ticks that it skipped since the last report, because they were due too late.
        missed: u32,
    },
    /// Its game panicked; it has ended.
    Failed(RoomId),
}

/// Starts a room's actor on an arbiter.
pub type StartRoom = Box<dyn FnMut(NewRoom, Addr<Lobby>) -> Recipient<ToRoom>>;

/// What the lobby decides by.
#[derive(Clone, Copy, Debug)]
pub struct LobbyConfig {
    /// Rooms at a time.
    pub rooms_max: u32,
    /// How long a join may be on its way.
    pub reservation: Micros,
    /// Seats of a room.
    pub seats_max: u16,
    /// Spectators of a room.
    pub spectators_max: u16,
}

/// The lobby's actor.
pub struct Lobby {
    config: LobbyConfig,
    clock: Clock,
    start_room: StartRoom,
    directory: Directory,
    shares: Shares,
    rooms: HashMap<RoomId, Open>,
    seekers: HashMap<Ticket, Seeker>,
    last_ticket: Ticket,
    missed: Missed,
    /// When the last room ended, if what it used has not been given back since.
    emptied: Option<Micros>,
    draining: bool,
}

/// A room that takes joins.
struct Open {
    address: Recipient<ToRoom>,
    /// Whoever began it holds it until it ends.
    _taken: Taken,
}

/// Somebody on the way to a room.
struct Seeker {
    seek: Seek,
    room: RoomId,
    tried: Vec<RoomId>,
    since: Micros,
    /// It has been told that the server is busy; the room's answer is still to come, and the place is taken until then.
    given_up: bool,
}

impl Lobby {
    /// An empty lobby.
    #[must_use]
    pub fn new(config: LobbyConfig, clock: Clock, shares: Shares, start_room: StartRoom) -> Self {
        Self {
            config,
            clock,
            start_room,
            directory: Directory::default(),
            shares,
            rooms: HashMap::new(),
            seekers: HashMap::new(),
            last_ticket: 0,
            missed: Missed::default(),
            emptied: None,
            draining: false,
        }
    }

    /// Sends a seeker to a room, to another if that has gone, or away.
    fn route(&mut self, seek: Seek, mut tried: Vec<RoomId>, ctx: &mut Context<Self>) {
        for _ in 0..TRIES_MAX {
            let room = match self.choose(&seek, &tried, ctx) {
                Ok(room) => room,
                Err(reason) => return seek.refuse(reason),
            };
            let Some(Open { address, .. }) = self.rooms.get(&room) else { return seek.refuse(CloseReason::Busy) };
            let ticket = self.last_ticket + 1;
            tried.push(room);
            if self.directory.on_the_way(room) >= self.joins_max() {
                if seek.is_easy() {
                    continue;
                }
                return seek.refuse(CloseReason::Busy);
            }
            // A clone has a place in the mailbox of its own: what bounds the room's mailbox is the line above.
            if address.clone().try_send(ToRoom::Join { ticket, seek: Box::new(seek.clone()) }).is_ok() {
                self.last_ticket = ticket;
                self.directory.reserve(room, seek.spectates());
                let since = self.clock.now();
                self.seekers.insert(ticket, Seeker { seek, room, tried, since, given_up: false });
                return;
            }
            // It failed, and its word is on the way.
            self.forget(room);
            if !seek.is_easy() {
                return seek.refuse(CloseReason::RoomEnded);
            }
        }
        seek.refuse(CloseReason::Busy);
    }

    /// Joins that may be on their way to one room: one per place, so that a room that is still being made can be filled.
    fn joins_max(&self) -> u32 {
        u32::from(self.config.seats_max) + u32::from(self.config.spectators_max)
    }

    fn choose(&mut self, seek: &Seek, tried: &[RoomId], ctx: &mut Context<Self>) -> Result<RoomId, CloseReason> {
        if self.draining {
            return Err(CloseReason::Shutdown);
        }
        if let Some(token) = seek.resume {
            let room = room_of_token(token);
            return self.directory.contains(room).then_some(room).ok_or(CloseReason::SeatGone);
        }
        match &seek.wish {
            RoomWish::Quick | RoomWish::Spectate(None) if tried.len() >= TRIES_MAX => Err(CloseReason::Busy),
            RoomWish::Quick | RoomWish::Spectate(None) => match self.directory.fullest(seek.spectates(), tried) {
                Some(room) => Ok(room),
                None => self.create(false, seek.caller, ctx),
            },
            RoomWish::Code(code) | RoomWish::Spectate(Some(code)) => {
                // First, so that who tried too many can't learn of a right one either.
                self.shares.code(seek.caller).map_err(|_| CloseReason::AddressCodes)?;
                self.directory.by_code(code).ok_or_else(|| {
                    self.shares.wrong_code(seek.caller);
                    CloseReason::UnknownRoom
                })
            }
            RoomWish::Create { private } => self.create(*private, seek.caller, ctx),
        }
    }

    fn create(&mut self, private: bool, caller: Caller, ctx: &mut Context<Self>) -> Result<RoomId, CloseReason> {
        if self.directory.len() >= self.config.rooms_max as usize {
            return Err(CloseReason::Busy);
        }
        let taken = self.shares.room(caller).map_err(|_| CloseReason::AddressRooms)?;
        let (code, seed) = self.fresh_code(private).ok_or(CloseReason::Busy)?;
        let LobbyConfig { seats_max, spectators_max, .. } = self.config;
        let id = self.directory.add(code.clone(), private, seats_max, spectators_max);
        let address = (self.start_room)(NewRoom { id, code, private, seed }, ctx.address());
        self.rooms.insert(id, Open { address, _taken: taken });
        Ok(id)
    }

    /// A code that no room has, and a seed for its match. `None` if the system has no randomness, or so many rooms
    /// exist that a free code is not found.
    fn fresh_code(&self, private: bool) -> Option<(String, u64)> {
        let letters = if private { PRIVATE_CODE_LETTERS } else { PUBLIC_CODE_LETTERS };
        (0..100).find_map(|_| {
            let mut random = SysRng.try_next_u64().ok()?;
            let seed = SysRng.try_next_u64().ok()?;
            let mut code = String::new();
            for _ in 0..letters {
                code.push(char::from(CODE_LETTERS[(random % CODE_LETTERS.len() as u64) as usize]));
                random /= CODE_LETTERS.len() as u64;
            }
            (!self.directory.has_code(&code)).then_some((code, seed))
        })
    }

    fn forget(&mut self, room: RoomId) {
        self.directory.remove(room);
        self.rooms.remove(&room);
        self.emptied = self.rooms.is_empty().then(|| self.clock.now());
    }

    /// A join did not come about: another room, or the reason.
    fn try_again(&mut self, Seeker { seek, tried, .. }: Seeker, reason: CloseReason, ctx: &mut Context<Self>) {
        if seek.is_easy() {
            self.route(seek, tried, ctx);
        } else {
            seek.refuse(reason);
        }
    }

    fn settled(&mut self, ticket: Ticket, result: Result<(), CloseReason>, ctx: &mut Context<Self>) {
        let Some(seeker) = self.seekers.remove(&ticket) else { return };
        self.directory.release(seeker.room, seeker.seek.spectates());
        match result {
            Err(reason) if !seeker.given_up => self.try_again(seeker, reason, ctx),
            // One that has given up gives the seat back by itself.
            Ok(()) | Err(_) => {}
        }
    }

    fn end_idle(&mut self, room: RoomId) {
        if !self.directory.may_end(room) {
            return;
        }
        let Some(Open { address, .. }) = self.rooms.get(&room) else { return };
        match address.try_send(ToRoom::End(CloseReason::RoomEnded)) {
            // Full cannot be while nobody is on the way; if it is, the room's next report comes in a second.
            Err(SendError::Full(_)) => {}
            Ok(()) | Err(SendError::Closed(_)) => self.forget(room),
        }
    }

    fn failed(&mut self, room: RoomId, ctx: &mut Context<Self>) {
        self.forget(room);
        let lost: Vec<Ticket> =
            self.seekers.iter().filter(|(_, seeker)| seeker.room == room).map(|(ticket, _)| *ticket).collect();
        for ticket in lost {
            if let Some(seeker) = self.seekers.remove(&ticket).filter(|seeker| !seeker.given_up) {
                self.try_again(seeker, CloseReason::RoomFailed, ctx);
            }
        }
    }

    fn expire(&mut self) {
        let (clock, most) = (self.clock, self.config.reservation);
        let is_late = |seeker: &Seeker| !seeker.given_up && clock.waited(seeker.since) >= most;
        for seeker in self.seekers.values_mut().filter(|seeker| is_late(seeker)) {
            seeker.given_up = true;
            seeker.seek.refuse(CloseReason::Busy);
        }
    }

    fn give_memory_back(&mut self) {
        let now = self.clock.now();
        if self.rooms.is_empty() && self.emptied.take_if(|emptied| now.since(*emptied) >= MEMORY_KEPT).is_some() {
            process::give_memory_back();
            tracing::debug!(took_us = self.clock.now().since(now).0, "no room is left: memory was given back");
        }
    }
}

impl Actor for Lobby {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(EXPIRY_BEAT, |lobby, _| {
            lobby.expire();
            lobby.give_memory_back();
            lobby.missed.tell(lobby.clock.now());
        });
    }
}

impl Handler<Seek> for Lobby {
    type Result = ();

    fn handle(&mut self, seek: Seek, ctx: &mut Self::Context) {
        self.route(seek, Vec::new(), ctx);
    }
}

impl Handler<FromRoom> for Lobby {
    type Result = ();

    fn handle(&mut self, message: FromRoom, ctx: &mut Self::Context) {
        match message {
            FromRoom::Settled { ticket, room, result, info } => {
                self.directory.update(room, info);
                self.settled(ticket, result, ctx);
            }
            FromRoom::Report { room, info, idle, missed } => {
                self.directory.update(room, info);
                self.missed.note(missed);
                if idle {
                    self.end_idle(room);
                }
            }
            FromRoom::Failed(room) => self.failed(room, ctx),
        }
    }
}

/// Asks for the list of public rooms, the fullest first.
#[derive(Message)]
#[rtype(result = "PublicRooms")]
pub struct ListRooms;

/// The answer.
#[derive(Debug, serde::Serialize)]
pub struct PublicRooms {
    /// The rooms.
    pub rooms: Vec<RoomInfo>,
}

impl<A: Actor> MessageResponse<A, ListRooms> for PublicRooms {
    fn handle(self, _: &mut A::Context, answer: Option<OneshotSender<Self>>) {
        // Whoever asked may have gone.
        let _ = answer.map(|answer| answer.send(self));
    }
}

impl Handler<ListRooms> for Lobby {
    type Result = PublicRooms;

    fn handle(&mut self, _: ListRooms, _: &mut Self::Context) -> PublicRooms {
        PublicRooms { rooms: self.directory.public() }
    }
}

/// The server shuts down: no more joins.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Drain;

impl Handler<Drain> for Lobby {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.draining = true;
    }
}
