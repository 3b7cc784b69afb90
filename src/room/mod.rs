//! The pure room: seats, inputs, ticks, and what each viewer is sent. No actor, no timer, no socket, no file, no system
//! clock: time, seeds and tokens come in as parameters.
//!
//! `handle_*` takes an event in, [`Room::tick`] advances, `poll_*` yields effects.

mod bots;
mod events;
mod outbound;
mod roster;
mod seats;
mod tables;
mod viewers;

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use self::bots::BotChange;
use self::events::EventRing;
use self::outbound::{InputNews, Moment, Outbound};
use self::roster::RosterBook;
use self::seats::{Link, Person, Seat, Seats};
use self::tables::Tables;
use self::viewers::{Viewer, Viewers};
use crate::config::{ConfigError, RoomConfig};
use crate::game::{Events, Game, InputStatus, Joiner, SeatInput, SeatInputs, neutral_row};
use crate::ids::{InputSeq, Micros, ResumeToken, SeatId, Tick, ViewerId};
use crate::protocol::close::CloseReason;
use crate::protocol::codec;
use crate::protocol::message::{Input, NAME_CHARS_MAX, PROTOCOL_VERSION, ServerMessage, Tier, Welcome, rules_hash};
use crate::protocol::schema::{INPUT_FIELDS_MAX, InputSort, Schema, SchemaError};
use crate::sim::clock::TickClock;
use crate::sim::input::{Arrival, InputQueue};

pub use self::outbound::{Outbox, SendOutcome};

/// The furthest that a shot looks back, whatever its sender says.
const REWIND_MAX: Micros = Micros::from_millis(400);
/// A shot may look back by its sender's measured RTT and this: the interpolation delay of an honest client.
const REWIND_SLACK: Micros = Micros::from_millis(150);
/// How long an idle room sleeps between looks at the clock.
const RESTING: Micros = Micros::from_millis(250);

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
    /// Since when there has been neither session nor kept seat.
    empty_since: Option<Micros>,
    inputs: SeatInputs,
    tick_events: Events,
    events: EventRing,
    tables: Tables,
    outbound: Outbound,
    /// When the last tick was simulated, if no snapshot of it has been made yet.
    snapshot_due: Option<Micros>,
    snapshots: u32,
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
    /// The session that held the seat until now: close it with [`CloseReason::Replaced`].
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
        Ok(Self {
            code,
            rules_hash: rules_hash(&schema, &tuning),
            clock: TickClock::new(epoch, config.tick_rate, config.catch_up_ticks_max),
            game: G::new(seed, options),
            seats: Seats::new(config.seats_max),
            viewers: Viewers::default(),
            roster: RosterBook::new(),
            changes: Vec::new(),
            empty_since: Some(epoch),
            inputs: SeatInputs::default(),
            tick_events: Events::default(),
            events: EventRing::default(),
            tables: Tables::default(),
            outbound: Outbound::default(),
            snapshot_due: None,
            snapshots: 0,
            schema: Arc::new(schema),
            tuning,
            config,
        })
    }

    // ---- What comes in --------------------------------------------------------------------------------------------

    /// Somebody new. A bot makes way if all other seats are taken. `token` must be fresh randomness.
    ///
    /// # Errors
    /// [`CloseReason::RoomFull`] or [`CloseReason::SpectatorsFull`].
    pub fn handle_join(&mut self, who: JoinRequest, token: ResumeToken, now: Micros) -> Result<Joined, CloseReason> {
        if who.spectate {
            if self.viewers.spectators() >= usize::from(self.config.spectators_max) {
                return Err(CloseReason::SpectatorsFull);
            }
            return Ok(self.welcome(None, who.tier, None, now));
        }
        let seat = self.free_seat().ok_or(CloseReason::RoomFull)?;
        let name = clean_name(&who.name);
        self.changes.push(SeatChange::Join(seat, Joiner { name: name.clone(), bot: false }));
        *self.seats.get_mut(seat) = Seat::Person(Box::new(Person {
            name,
            // Replaced below, as soon as the viewer has its number.
            link: Link::Dropped { kept_until: now },
            token,
            previous_token: None,
            inputs: InputQueue::new(&self.schema),
        }));
        Ok(self.welcome(Some(seat), who.tier, None, now))
    }

    /// Somebody who sat here before. The seat's newest session wins; `token` replaces the one that was shown, which
    /// stays valid until this session's first message.
    ///
    /// # Errors
    /// [`CloseReason::SeatGone`] if `resume` fits no seat that is kept; nothing has changed then.
    pub fn handle_resume(
        &mut self,
        resume: ResumeToken,
        tier: Tier,
        token: ResumeToken,
        now: Micros,
    ) -> Result<Joined, CloseReason> {
        let seat = self.seats.of_token(resume).ok_or(CloseReason::SeatGone)?;
        let person = self.seats.person_mut(seat).ok_or(CloseReason::SeatGone)?;
        person.previous_token = Some(resume);
        person.token = token;
        person.inputs = InputQueue::new(&self.schema);
        let replaced = match person.link {
            Link::Up(viewer) => Some(viewer),
            Link::Dropped { .. } => None,
        };
        if let Some(viewer) = replaced {
            self.viewers.remove(viewer);
        }
        Ok(self.welcome(Some(seat), tier, replaced, now))
    }

    /// A viewer's input. A spectator's is ignored.
    ///
    /// # Errors
    /// [`CloseReason::OutOfOrder`] if the row has not one value per input field.
    pub fn handle_input(&mut self, viewer: ViewerId, input: &Input) -> Result<(), CloseReason> {
        if input.row.len() != self.schema.inputs.len() {
            return Err(CloseReason::OutOfOrder);
        }
        let next = self.clock.tick().after(1);
        let schema = Arc::clone(&self.schema);
        if let Some(person) = self.heard_from(viewer, Tick(input.seen)) {
            let arrival = Arrival {
                seq: InputSeq(input.seq),
                stamp: Tick(input.tick),
                seen_ago: input.seen_ago,
                row: &input.row,
            };
            person.inputs.push(&arrival, &schema, next);
        }
        Ok(())
    }

    /// What a viewer's Ping says of the snapshots that it has.
    pub fn handle_seen(&mut self, viewer: ViewerId, seen: u32) {
        self.heard_from(viewer, Tick(seen));
    }

    /// A viewer's round trip, as its session measured it.
    pub fn handle_rtt(&mut self, viewer: ViewerId, rtt: Micros) {
        if let Some(viewer) = self.viewers.get_mut(viewer) {
            viewer.rtt = Some(rtt);
        }
    }

    /// A viewer cannot trust its view.
    pub fn handle_resync(&mut self, viewer: ViewerId, now: Micros) {
        self.heard_from(viewer, Tick(0));
        if let Some(viewer) = self.viewers.get_mut(viewer) {
            viewer.resync(now);
        }
    }

    /// A viewer leaves for good: its seat is free at once and its tokens are dead.
    pub fn handle_leave(&mut self, viewer: ViewerId, now: Micros) {
        let Some(viewer) = self.viewers.remove(viewer) else { return };
        if let Some(seat) = viewer.seat {
            self.vacate(seat);
        }
        self.note_empty(now);
    }

    /// A viewer's session ended otherwise: its seat is kept.
    pub fn handle_drop(&mut self, viewer: ViewerId, now: Micros) {
        let Some(viewer) = self.viewers.remove(viewer) else { return };
        if let Some(seat) = viewer.seat {
            if let Some(person) = self.seats.person_mut(seat) {
                let kept = Micros::from_millis(self.config.seat_kept_ms.into());
                person.link = Link::Dropped { kept_until: now.after(kept) };
                person.inputs = InputQueue::new(&self.schema);
            }
            self.note_occupant(seat);
        }
        self.note_empty(now);
    }

    // ---- Time -----------------------------------------------------------------------------------------------------

    /// Simulates every tick that is due by `now`: at most `catch_up_ticks_max`. A room that nobody is in, and in which
    /// no seat is kept, rests: its time is skipped.
    pub fn tick(&mut self, now: Micros) {
        self.free_expired_seats(now);
        if self.empty_since.is_some() {
            self.tell_changes();
            self.clock.rest(now);
            return;
        }
        let before = self.clock.tick();
        let due = self.clock.advance(now);
        for ahead in 1..=due {
            self.step(before.after(ahead));
        }
        let every = u32::from(self.config.ticks_per_snapshot);
        if self.clock.tick().0 / every > before.0 / every {
            self.snapshot_due = Some(now);
        }
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
        self.events.push(tick, &self.tick_events);
    }

    fn change_bots(&mut self) {
        let (seat, new) = match bots::next_change(&self.seats, self.config.fill_to) {
            Some(BotChange::Join(seat, name)) => {
                self.changes.push(SeatChange::Join(seat, Joiner { name: name.clone(), bot: true }));
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
                    let rtt = match person.link {
                        Link::Up(viewer) => self.viewers.get(viewer).and_then(|viewer| viewer.rtt),
                        Link::Dropped { .. } => None,
                    };
                    input.seen_ago = input.seen_ago.min(rewind_max(rtt.unwrap_or_default(), self.config.tick_rate));
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

    /// Makes and sends what is due after [`Room::tick`]: for each viewer whose window is open a roster, if names
    /// changed, and a snapshot, if a snapshot tick was simulated.
    pub fn poll_outbound(&mut self, out: &mut impl Outbox) {
        let Some(now) = self.snapshot_due.take() else { return };
        let tick = self.clock.tick();
        self.snapshots = self.snapshots.wrapping_add(1);
        let moment = Moment {
            now,
            tick,
            lateness: self.clock.lateness(now),
            skipped: self.clock.skipped(),
            snapshot: self.snapshots,
            snapshots_per_second: u32::from(self.config.tick_rate / self.config.ticks_per_snapshot),
        };
        self.tables.push(tick, &self.schema, |rows| self.game.rows(rows));
        self.outbound.begin();
        let mut closed = Vec::new();
        for viewer in self.viewers.iter_mut() {
            if !out.is_open(viewer.id) || !viewer.window_is_open(self.config.tick_rate, self.config.ticks_per_snapshot)
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
            let message = self.outbound.snapshot(viewer, &mut self.tables, &self.events, &self.schema, news, moment);
            let Some(message) = message else {
                self.outbound.commit(viewer, &self.events, tick);
                continue;
            };
            match out.send(viewer.id, message) {
                SendOutcome::Accepted => {
                    self.outbound.commit(viewer, &self.events, tick);
                    (viewer.sent, viewer.sent_at) = (tick, now);
                    (viewer.told_ack, viewer.told_starved) = (news.ack, news.starved);
                    viewer.events_lost = false;
                    if let Some(person) = viewer.seat.and_then(|seat| self.seats.person_mut(seat)) {
                        person.inputs.forget_margin();
                    }
                }
                SendOutcome::Full => {}
                SendOutcome::Closed => closed.push(viewer.id),
            }
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

    // ---- Inside ---------------------------------------------------------------------------------------------------

    /// Makes the viewer, links its seat to it, and writes its Welcome.
    fn welcome(&mut self, seat: Option<SeatId>, tier: Tier, replaced: Option<ViewerId>, now: Micros) -> Joined {
        if self.empty_since.is_some() {
            // It was resting: the time until now is skipped, not caught up with.
            self.clock.rest(now);
        }
        let events = self.events.end();
        let viewer = self.viewers.add(|id| Viewer::new(id, seat, tier, events, now));
        let mut token = None;
        let mut resumed = false;
        if let Some(seat) = seat {
            if let Some(person) = self.seats.person_mut(seat) {
                person.link = Link::Up(viewer);
                token = Some(person.token.0);
                resumed = person.previous_token.is_some();
            }
            self.note_occupant(seat);
        }
        self.note_empty(now);
        let message = ServerMessage::Welcome(Box::new(Welcome {
            protocol: PROTOCOL_VERSION,
            features: 0,
            schema: Schema::clone(&self.schema),
            tuning: self.tuning.clone(),
            rules_hash: self.rules_hash,
            seat: seat.map(|seat| seat.0),
            token,
            seat_kept_ms: self.config.seat_kept_ms,
            resumed,
            code: self.code.clone(),
            tick_rate: self.config.tick_rate,
            ticks_per_snapshot: self.config.ticks_per_snapshot,
            epoch: self.clock.epoch().0,
            tick: self.clock.tick().0,
            skipped: self.clock.skipped(),
        }));
        Joined { viewer, seat, welcome: codec::encode(&message).into(), replaced }
    }

    /// The seat for a newcomer: a free one, else a bot's, which leaves.
    fn free_seat(&mut self) -> Option<SeatId> {
        if let Some(seat) = self.seats.free() {
            return Some(seat);
        }
        let seat = self.seats.last_bot()?;
        self.vacate(seat);
        Some(seat)
    }

    fn vacate(&mut self, seat: SeatId) {
        *self.seats.get_mut(seat) = Seat::Free;
        self.changes.push(SeatChange::Leave(seat));
        self.note_occupant(seat);
    }

    fn note_occupant(&mut self, seat: SeatId) {
        self.roster.set(seat, self.seats.get(seat).occupant());
    }

    fn note_empty(&mut self, now: Micros) {
        let empty = self.viewers.is_empty() && self.seats.people() == 0;
        self.empty_since = empty.then(|| self.empty_since.unwrap_or(now));
        if !empty {
            return;
        }
        // Whoever left last is told nothing more, and nobody is told of a tick that lies before the rest.
        self.snapshot_due = None;
    }

    /// Notes that a session lives: the snapshots it has seen, and that it got its Welcome, so that the token before it
    /// dies. Returns who sits in its seat.
    fn heard_from(&mut self, viewer: ViewerId, seen: Tick) -> Option<&mut Person> {
        let viewer = self.viewers.get_mut(viewer)?;
        viewer.see(seen);
        let person = self.seats.person_mut(viewer.seat?)?;
        person.previous_token = None;
        Some(person)
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
    let span = REWIND_MAX.min(rtt.after(REWIND_SLACK));
    u16::try_from(span.0 * u64::from(tick_rate) * 16 / 1_000_000).unwrap_or(u16::MAX)
}

/// A name that fits above a ship: no control or invisible characters, nothing that turns the direction of the text
/// around it, no runs of blanks, at most [`NAME_CHARS_MAX`] characters.
fn clean_name(typed: &str) -> String {
    let invisible =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let blank = |c: char| c.is_whitespace() || c.is_control() || invisible(c);
    let words = typed.split(blank).filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words {
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(word);
        if name.chars().count() >= NAME_CHARS_MAX {
            break;
        }
    }
    let cut: String = name.chars().take(NAME_CHARS_MAX).collect();
    let cut = cut.trim_end();
    if cut.is_empty() { "Player".to_owned() } else { cut.to_owned() }
}
