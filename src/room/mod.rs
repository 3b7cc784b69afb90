//! The pure room: seats, inputs, ticks, and what each viewer is sent. No actor, no timer, no socket, no file, no system
//! clock: time, seeds and tokens come in as parameters.
//!
//! `handle_*` takes an event in, [`Room::tick`] advances, `poll_*` yields effects.

mod acks;
pub mod attendance;
mod bots;
mod events;
mod flaws;
mod inbound;
mod names;
mod outbound;
mod roster;
mod seats;
mod tables;
mod trial;
mod viewers;

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use self::attendance::Attendance;
use self::bots::BotChange;
use self::events::EventRing;
use self::flaws::Flaws;
use self::outbound::{InputNews, Moment, Outbound, VIEW_ROWS_MAX};
use self::roster::RosterBook;
use self::seats::{Link, Seat, Seats};
use self::tables::Tables;
use self::viewers::Viewers;
use crate::config::{ConfigError, RoomConfig};
use crate::game::{Events, Game, InputStatus, Joiner, SeatInput, SeatInputs, Setup, neutral_row};
use crate::ids::{Micros, OriginId, SeatId, Tick, ViewerId};
use crate::protocol::codec::{self, MESSAGE_BYTES_MAX};
use crate::protocol::message::{Tier, rules_hash};
use crate::protocol::schema::{INPUT_FIELDS_MAX, InputSort, Schema, SchemaError};
use crate::sim::clock::TickClock;
use crate::sim::timing::{CATCH_UP_MS, REWIND_MAX_MS, REWIND_SLACK_MS, ticks_of};

pub use self::flaws::Flaw;
pub use self::outbound::{Outbox, SendOutcome};
pub use self::trial::try_out;

/// An empty room is not abandoned before: who reloads the page, or sends the code to a friend, has gone for so long.
const ABANDONED_AFTER: Micros = Micros::from_millis(3000);

/// All numbers of a Welcome at their longest.
const WELCOME_REST_BYTES: usize = 80;
/// How long an idle room sleeps between looks at the clock: often enough not to seem absent.
const RESTING: Micros = Micros::from_millis(500);

/// One match.
pub struct Room<G: Game> {
    config: RoomConfig,
    code: String,
    schema: Arc<Schema>,
    tuning: Vec<u8>,
    rules_hash: u32,
    clock: TickClock,
    game: G,
    seats: Seats,
    viewers: Viewers,
    roster: RosterBook,
    /// Joins and leaves since the last tick, in the order in which they came: the game hears of them at the next.
    changes: Vec<SeatChange>,
    /// Whether the process was there all the time.
    attendance: Attendance,
    /// Ticks that were skipped while somebody was there to play them, and not told of.
    missed: u32,
    /// Since when there has been neither session nor kept seat.
    empty_since: Option<Micros>,
    /// Since when there has been a session, and how long there was one before.
    visited_since: Option<Micros>,
    visited: Micros,
    inputs: SeatInputs,
    tick_events: Events,
    events: EventRing,
    tables: Tables,
    outbound: Outbound,
    unsent: Option<Unsent>,
    flaws: Flaws,
}

/// Ticks that were simulated and of which nobody has been told.
#[derive(Clone, Copy)]
struct Unsent {
    /// The tick before them.
    after: Tick,
    /// When the last of them was simulated.
    now: Micros,
}

enum SeatChange {
    Join(SeatId, Joiner),
    Leave(SeatId),
}

/// Who wants to come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// As typed; the room cleans and cuts it.
    pub name: String,
    /// How snapshots should come.
    pub tier: Tier,
    /// Watch instead of play.
    pub spectate: bool,
    /// Whence; `None`: nobody knows.
    pub origin: Option<OriginId>,
}

/// Somebody is in.
#[derive(Clone, Debug)]
pub struct Joined {
    /// What the session calls itself from now on.
    pub viewer: ViewerId,
    /// `None`: a spectator.
    pub seat: Option<SeatId>,
    /// The whole Welcome message: the first to send.
    pub welcome: Bytes,
    /// The session that held the seat until now: close it with [`CloseReason::Replaced`](crate::protocol::close::CloseReason::Replaced).
    pub replaced: Option<ViewerId>,
}

/// What is publicly known of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomInfo {
    /// What people type to join.
    pub code: String,
    /// People who sit in it, connected or not.
    pub people: u16,
    /// Bots.
    pub bots: u16,
    /// People that could play.
    pub seats_max: u16,
    /// People who watch.
    pub spectators: u16,
    /// People that could watch.
    pub spectators_max: u16,
    /// Ticks simulated.
    pub tick: u32,
    /// Ticks of time that were not.
    pub skipped: u32,
}

/// Why a room cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// The configuration is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The game's schema cannot be served.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The game refuses its setup, in its own words.
    #[error("{0}")]
    Setup(String),
    /// The schema is another one each time it is asked for.
    #[error(
        "`schema` and `tuning` give something else each time: for equal options they must be the same, in every process"
    )]
    Unsteady,
    /// Nobody could be let in.
    #[error(
        "a Welcome would have {bytes} bytes, but a message has {MESSAGE_BYTES_MAX} at most: the schema takes {schema} of them and the \
         tuning {tuning}. Shorten names, or leave to the client what it can know by itself"
    )]
    WelcomeTooLong {
        /// How long it would be.
        bytes: usize,
        /// What of it the schema is.
        schema: usize,
        /// What of it the tuning is.
        tuning: usize,
    },
    /// Seen as soon as the game is played.
    #[error(transparent)]
    Flaw(Flaw),
}

impl<G: Game> Room<G> {
    /// A room at tick 0, which lies at `epoch`.
    ///
    /// # Errors
    /// [`RoomError`] if the configuration or the game's schema is out of range.
    pub fn new(
        config: RoomConfig,
        options: &G::Options,
        code: String,
        seed: u64,
        epoch: Micros,
    ) -> Result<Self, RoomError> {
        config.check()?;
        let schema = G::schema(options);
        schema.check()?;
        let tuning = G::tuning(options);
        if G::schema(options) != schema || G::tuning(options) != tuning {
            return Err(RoomError::Unsteady);
        }
        let bytes = [codec::encode(&schema).len(), tuning.len(), code.len()];
        let all = bytes.iter().sum::<usize>() + WELCOME_REST_BYTES;
        if all > MESSAGE_BYTES_MAX {
            return Err(RoomError::WelcomeTooLong { bytes: all, schema: bytes[0], tuning: bytes[1] });
        }
        let RoomConfig { tick_rate, ticks_per_snapshot, seats_max, .. } = config;
        let catch_up_ticks = match config.catch_up_ticks_max {
            0 => ticks_of(CATCH_UP_MS, tick_rate),
            ticks => ticks,
        };
        let setup = Setup { seed, tick_rate, seats_max, options: options.clone() };
        G::check(&setup).map_err(RoomError::Setup)?;
        Ok(Self {
            code,
            rules_hash: rules_hash(&schema, &tuning),
            clock: TickClock::new(epoch, tick_rate, catch_up_ticks),
            game: G::new(&setup),
            seats: Seats::new(config.seats_max),
            viewers: Viewers::default(),
            roster: RosterBook::new(),
            changes: Vec::new(),
            attendance: Attendance::new(epoch),
            missed: 0,
            empty_since: Some(epoch),
            visited_since: None,
            visited: Micros::default(),
            inputs: SeatInputs::default(),
            tick_events: Events::default(),
            events: EventRing::new(tick_rate),
            tables: Tables::new(tick_rate, ticks_per_snapshot),
            outbound: Outbound::default(),
            unsent: None,
            flaws: Flaws::default(),
            schema: Arc::new(schema),
            tuning,
            config,
        })
    }

    // ---- Time -----------------------------------------------------------------------------------------------------

    /// Simulates every tick that is due by `now`: at most `catch_up_ticks_max`. A room that nobody is in, and in which
    /// no seat is kept, rests: its time is skipped.
    pub fn tick(&mut self, now: Micros) {
        self.look_at_time(now);
        self.free_expired_seats(now);
        if self.empty_since.is_some() {
            self.tell_changes();
            self.clock.rest(now);
            return;
        }
        let (before, skipped) = (self.clock.tick(), self.clock.skipped());
        let due = self.clock.advance(now);
        self.missed = self.missed.saturating_add(self.clock.skipped() - skipped);
        for ahead in 1..=due {
            self.step(before.after(ahead));
        }
        if due > 0 {
            let after = self.unsent.map_or(before, |unsent| unsent.after);
            self.unsent = Some(Unsent { after, now });
        }
    }

    /// Notices that nobody was there for a time: then nothing of it counts against those who wait, and whoever is waited
    /// for has their whole time again.
    fn look_at_time(&mut self, now: Micros) {
        if !self.attendance.look(now) {
            return;
        }
        self.seats.keep_anew(now.after(Micros::from_millis(self.config.seat_kept_ms.into())));
        self.empty_since = self.empty_since.map(|_| now);
        for viewer in self.viewers.iter_mut() {
            viewer.acks.handle_absence(now);
        }
    }

    /// How many ticks were skipped since this was asked last, because they were due too late. Those of a room that rests
    /// do not count.
    pub fn poll_missed(&mut self) -> u32 {
        std::mem::take(&mut self.missed)
    }

    /// When to call [`Room::tick`] again.
    #[must_use]
    pub fn next_tick_at(&self, now: Micros) -> Micros {
        if self.empty_since.is_some() { now.after(RESTING) } else { self.clock.next_at() }
    }

    /// One tick, in this order: bots come and go, joins and leaves, inputs by seat, the game's step, its events.
    fn step(&mut self, tick: Tick) {
        self.change_bots();
        self.tell_changes();
        self.take_inputs(tick);
        self.tick_events.clear();
        self.game.step(&self.inputs, &mut self.tick_events);
        self.events.push(tick, &self.tick_events, &self.schema, &mut self.flaws);
    }

    fn change_bots(&mut self) {
        let (seat, new) = match bots::next_change(&self.seats, self.config.fill_to) {
            Some(BotChange::Join(seat, name)) => {
                self.changes.push(SeatChange::Join(seat, Joiner::bot(name.clone())));
                (seat, Seat::Bot { name, row: neutral_row(&self.schema) })
            }
            Some(BotChange::Leave(seat)) => {
                self.changes.push(SeatChange::Leave(seat));
                (seat, Seat::Free)
            }
            None => return,
        };
        *self.seats.get_mut(seat) = new;
        self.note_occupant(seat);
    }

    fn tell_changes(&mut self) {
        for change in self.changes.drain(..) {
            match change {
                SeatChange::Join(seat, who) => self.game.join(seat, &who),
                SeatChange::Leave(seat) => self.game.leave(seat),
            }
        }
    }

    fn take_inputs(&mut self, tick: Tick) {
        self.inputs.clear();
        for (id, seat) in self.seats.iter_mut() {
            let input = match seat {
                Seat::Free => continue,
                Seat::Bot { row, .. } => {
                    let before = *row;
                    self.game.steer_bot(id, row);
                    bot_input(&self.schema, &before, row)
                }
                Seat::Person(person) => {
                    let mut input = person.inputs.take(tick, &self.schema);
                    // Every sender may look back so far; who looks further does so by leave of its RTT.
                    if input.seen_ago > rewind_max(Micros::default(), self.config.tick_rate) {
                        let rtt = match person.link {
                            Link::Up(viewer) => self.viewers.get(viewer).and_then(|viewer| viewer.acks.rtt()),
                            Link::Dropped { .. } => None,
                        };
                        let most = rewind_max(rtt.unwrap_or_default(), self.config.tick_rate);
                        input.seen_ago = input.seen_ago.min(most);
                    }
                    input
                }
            };
            self.inputs.push(id, input);
        }
    }

    fn free_expired_seats(&mut self, now: Micros) {
        while let Some(seat) = self.seats.expired(now) {
            self.vacate(seat);
            self.note_empty(now);
        }
    }

    // ---- What goes out --------------------------------------------------------------------------------------------

    /// Makes and sends what is due after [`Room::tick`]: for each viewer whose turn it is and whose window is open a
    /// roster, if names changed, and a snapshot.
    pub fn poll_outbound(&mut self, out: &mut impl Outbox) {
        let Some(Unsent { after, now }) = self.unsent.take() else { return };
        let RoomConfig { tick_rate, ticks_per_snapshot, .. } = self.config;
        let tick = self.clock.tick();
        if !self.viewers.iter_mut().any(|viewer| viewer.is_its_turn(after, tick, ticks_per_snapshot)) {
            return;
        }
        let moment = Moment {
            now,
            tick,
            lateness: self.clock.lateness(now),
            skipped: self.clock.skipped(),
            period: tick.0 / u32::from(ticks_per_snapshot),
            periods_per_second: u32::from(tick_rate / ticks_per_snapshot),
        };
        self.tables.push(tick, &self.schema, |rows| self.game.rows(rows));
        self.outbound.begin();
        let mut closed = Vec::new();
        for viewer in self.viewers.iter_mut() {
            if !viewer.is_its_turn(after, tick, ticks_per_snapshot)
                || !viewer.acks.window_is_open(now, tick_rate, ticks_per_snapshot)
                || !out.is_open(viewer.id)
            {
                continue;
            }
            if let Some((version, message)) = self.outbound.roster(viewer, &self.roster, now) {
                match out.send(viewer.id, message) {
                    SendOutcome::Accepted => (viewer.roster, viewer.roster_sent_at) = (version, Some(now)),
                    SendOutcome::Full => continue,
                    SendOutcome::Closed => {
                        closed.push(viewer.id);
                        continue;
                    }
                }
            }
            let from = self.game.viewpoint(viewer.seat);
            self.outbound.look(self.tables.newest(), viewer, from, |from, set| self.game.visible(from, set));
            let inputs = viewer.seat.and_then(|seat| self.seats.get(seat).person()).map(|person| &person.inputs);
            let news = inputs.map_or_else(InputNews::default, |inputs| InputNews {
                ack: inputs.acked(),
                starved: inputs.is_starved(),
                margin: inputs.margin(),
            });
            let (tables, events) = (&mut self.tables, &mut self.events);
            let message = self.outbound.snapshot(viewer, tables, events, &self.schema, news, moment);
            match message.map(|message| out.send(viewer.id, message)) {
                None => self.outbound.commit(viewer, &self.events, tick),
                Some(SendOutcome::Accepted) => {
                    self.outbound.commit(viewer, &self.events, tick);
                    viewer.acks.handle_sent(tick, now);
                    viewer.sent_at = now;
                    (viewer.told_ack, viewer.told_starved) = (news.ack, news.starved);
                    viewer.events_lost = false;
                    if let Some(person) = viewer.seat.and_then(|seat| self.seats.person_mut(seat)) {
                        person.inputs.forget_margin();
                    }
                }
                Some(SendOutcome::Full) => {}
                Some(SendOutcome::Closed) => closed.push(viewer.id),
            }
        }
        if let Some(rows) = self.outbound.take_crowd() {
            self.flaws.note_rows(rows, VIEW_ROWS_MAX);
        }
        for viewer in closed {
            self.handle_drop(viewer, now);
        }
    }

    // ---- What can be asked ----------------------------------------------------------------------------------------

    /// True if the room has had neither session nor kept seat for the configured time.
    #[must_use]
    pub fn is_idle(&self, now: Micros) -> bool {
        self.empty_since.is_some_and(|since| now.since(since) >= Micros::from_millis(self.config.idle_ms.into()))
    }

    /// True if the room has had neither session nor kept seat for some seconds, and for as long as anybody was there: so
    /// one that was begun and left is, and one that people came back to is not before it is idle.
    #[must_use]
    pub fn is_abandoned(&self, now: Micros) -> bool {
        self.empty_since.is_some_and(|since| now.since(since) >= self.visited.max(ABANDONED_AFTER))
    }

    /// What is publicly known of it.
    #[must_use]
    pub fn info(&self) -> RoomInfo {
        RoomInfo {
            code: self.code.clone(),
            people: self.seats.people() as u16,
            bots: self.seats.bots() as u16,
            seats_max: self.config.seats_max,
            spectators: self.viewers.spectators() as u16,
            spectators_max: self.config.spectators_max,
            tick: self.clock.tick().0,
            skipped: self.clock.skipped(),
        }
    }

    /// Something that the game gets wrong and that has not been told yet.
    pub fn poll_flaw(&mut self) -> Option<Flaw> {
        self.flaws.poll()
    }

    /// How many sessions the room has.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.viewers.len()
    }

    /// The last tick simulated.
    #[must_use]
    pub fn current_tick(&self) -> Tick {
        self.clock.tick()
    }

    /// The game, to look at.
    #[must_use]
    pub fn game(&self) -> &G {
        &self.game
    }

    /// What the game shows and takes.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

/// A bot's row as an input: always fresh, its presses counted like anybody's.
fn bot_input(schema: &Schema, before: &[i32; INPUT_FIELDS_MAX], row: &[i32; INPUT_FIELDS_MAX]) -> SeatInput {
    let mut input = SeatInput {
        status: InputStatus::Fresh,
        levels: [0; INPUT_FIELDS_MAX],
        presses: [0; INPUT_FIELDS_MAX],
        seen_ago: 0,
    };
    for (i, field) in schema.inputs.iter().enumerate() {
        match field.sort {
            InputSort::Level => input.levels[i] = row[i].clamp(field.min, field.max),
            InputSort::Press => input.presses[i] = (row[i] as u8).wrapping_sub(before[i] as u8).min(2),
        }
    }
    input
}

/// The cap of `seen_ago`, in 1/16 ticks.
fn rewind_max(rtt: Micros, tick_rate: u16) -> u16 {
    let ms = |ms: u32| Micros::from_millis(ms.into());
    // Rounded down, because this is a limit and no promise.
    let span = ms(REWIND_MAX_MS).min(rtt.after(ms(REWIND_SLACK_MS)));
    u16::try_from(span.0 * u64::from(tick_rate) * 16 / 1_000_000).unwrap_or(u16::MAX)
}
