//! What comes into a room: joins, inputs, acks, leaves and drops. Nothing is simulated here: events are noted, ticks act.

use std::sync::Arc;

use super::seats::{Link, Person, Seat};
use super::viewers::Viewer;
use super::{JoinRequest, Joined, Room, SeatChange, names};
use crate::game::{Game, Joiner};
use crate::ids::{InputSeq, Micros, ResumeToken, SeatId, Tick, ViewerId};
use crate::protocol::close::CloseReason;
use crate::protocol::codec;
use crate::protocol::message::{Input, PROTOCOL_VERSION, ServerMessage, Tier, Welcome};
use crate::protocol::schema::Schema;
use crate::sim::input::{Arrival, InputQueue};

impl<G: Game> Room<G> {
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
        let name = names::clean(&who.name);
        let lost_seats = who.origin.map(|origin| self.seats.lost_from(origin)).unwrap_or_default();
        let joiner = Joiner { name: name.clone(), bot: false, origin: who.origin, lost_seats };
        self.changes.push(SeatChange::Join(seat, joiner));
        *self.seats.get_mut(seat) = Seat::Person(Person {
            name,
            origin: who.origin,
            // Replaced below, as soon as the viewer has its number.
            link: Link::Dropped { by: None, kept_until: now },
            token,
            previous_token: None,
            inputs: InputQueue::new(&self.schema, self.config.tick_rate),
        });
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
        person.inputs = InputQueue::new(&self.schema, self.config.tick_rate);
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
    pub fn handle_input(&mut self, viewer: ViewerId, input: &Input, now: Micros) -> Result<(), CloseReason> {
        if input.row.len() != self.schema.inputs.len() {
            return Err(CloseReason::OutOfOrder);
        }
        let next = self.clock.tick().after(1);
        let schema = Arc::clone(&self.schema);
        if let Some(person) = self.heard_from(viewer, Tick(input.seen), now) {
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
    pub fn handle_seen(&mut self, viewer: ViewerId, seen: u32, now: Micros) {
        self.heard_from(viewer, Tick(seen), now);
    }

    /// A viewer's round trip, as its session measured it by a WebSocket ping.
    pub fn handle_rtt(&mut self, viewer: ViewerId, rtt: Micros) {
        if let Some(viewer) = self.viewers.get_mut(viewer) {
            viewer.acks.handle_pong(rtt);
        }
    }

    /// A viewer cannot trust its view.
    pub fn handle_resync(&mut self, viewer: ViewerId, now: Micros) {
        self.heard_from(viewer, Tick(0), now);
        if let Some(viewer) = self.viewers.get_mut(viewer) {
            viewer.resync(now);
        }
    }

    /// A viewer leaves for good: its seat is free at once and its tokens are dead.
    pub fn handle_leave(&mut self, viewer: ViewerId, now: Micros) {
        let seat = match self.viewers.remove(viewer) {
            Some(viewer) => viewer.seat,
            // Its session was found closed while the room was sending, before this was read.
            None => self.seats.dropped_by(viewer),
        };
        if let Some(seat) = seat {
            self.vacate(seat);
        }
        self.note_empty(now);
    }

    /// A viewer's session ended otherwise: its seat is kept.
    pub fn handle_drop(&mut self, viewer: ViewerId, now: Micros) {
        let Some(viewer) = self.viewers.remove(viewer) else { return };
        if let Some(seat) = viewer.seat {
            if let Some(person) = self.seats.person_mut(seat) {
                person.inputs = InputQueue::new(&self.schema, self.config.tick_rate);
            }
            self.seats.keep(seat, viewer.id, now.after(Micros::from_millis(self.config.seat_kept_ms.into())));
            self.note_occupant(seat);
        }
        self.note_empty(now);
    }

    /// Makes the viewer, links its seat to it, and writes its Welcome.
    fn welcome(&mut self, seat: Option<SeatId>, tier: Tier, replaced: Option<ViewerId>, now: Micros) -> Joined {
        if self.empty_since.is_some() {
            // It was resting: the time until now is skipped, not caught up with.
            self.clock.rest(now);
        }
        let events = self.events.end();
        let turn = self.viewers.next_turn(self.config.ticks_per_snapshot);
        let viewer = self.viewers.add(|id| Viewer::new(id, seat, tier, turn, events, now));
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

    pub(super) fn vacate(&mut self, seat: SeatId) {
        *self.seats.get_mut(seat) = Seat::Free;
        self.changes.push(SeatChange::Leave(seat));
        self.note_occupant(seat);
    }

    pub(super) fn note_occupant(&mut self, seat: SeatId) {
        self.roster.set(seat, self.seats.get(seat).occupant());
    }

    pub(super) fn note_empty(&mut self, now: Micros) {
        match (self.viewers.is_empty(), self.visited_since) {
            (false, None) => self.visited_since = Some(now),
            (true, Some(since)) => {
                self.visited = self.visited.after(now.since(since));
                self.visited_since = None;
            }
            _ => {}
        }
        let empty = self.viewers.is_empty() && self.seats.people() == 0;
        self.empty_since = empty.then(|| self.empty_since.unwrap_or(now));
        if !empty {
            return;
        }
        // Whoever left last is told nothing more, and nobody is told of a tick that lies before the rest.
        self.unsent = None;
    }

    /// Notes that a session lives: the snapshots it has seen, and that it got its Welcome, so that the token before it
    /// dies. Returns who sits in its seat.
    fn heard_from(&mut self, viewer: ViewerId, seen: Tick, now: Micros) -> Option<&mut Person> {
        self.look_at_time(now);
        let viewer = self.viewers.get_mut(viewer)?;
        viewer.acks.handle_seen(seen, now);
        let person = self.seats.person_mut(viewer.seat?)?;
        person.previous_token = None;
        Some(person)
    }
}
