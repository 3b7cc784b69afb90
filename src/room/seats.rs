//! Who sits where: the life of a seat, and which one a newcomer gets.

use crate::game::InputRow;
use crate::ids::{Micros, OriginId, ResumeToken, SeatId, ViewerId};
use crate::protocol::message::{Occupant, Presence};
use crate::sim::input::InputQueue;

/// One place in the room.
pub(super) enum Seat {
    /// Nobody.
    Free,
    /// The server plays; what it did in the last tick.
    Bot { name: String, row: InputRow },
    /// Somebody's, connected or not.
    Person(Person),
}

/// Somebody who sits in a seat.
pub(super) struct Person {
    pub(super) name: String,
    /// Whence they came first.
    pub(super) origin: Option<OriginId>,
    pub(super) link: Link,
    /// What takes the seat back.
    pub(super) token: ResumeToken,
    /// The token before, valid until the new session's first message: its Welcome may have been lost.
    pub(super) previous_token: Option<ResumeToken>,
    pub(super) inputs: InputQueue,
}

/// Whether a seat's person is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// By this session.
    Up(ViewerId),
    /// No longer; the seat is kept until then. `by` is the session that was the last to be there.
    Dropped { by: Option<ViewerId>, kept_until: Micros },
}

impl Seat {
    pub(super) fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            Self::Free | Self::Bot { .. } => None,
        }
    }

    pub(super) fn person_mut(&mut self) -> Option<&mut Person> {
        match self {
            Self::Person(person) => Some(person),
            Self::Free | Self::Bot { .. } => None,
        }
    }

    /// What the roster says of it.
    pub(super) fn occupant(&self) -> Option<Occupant> {
        match self {
            Self::Free => None,
            Self::Bot { name, .. } => Some(Occupant { name: name.clone(), presence: Presence::Bot }),
            Self::Person(person) => {
                let presence = match person.link {
                    Link::Up(_) => Presence::Here,
                    Link::Dropped { .. } => Presence::Away,
                };
                Some(Occupant { name: person.name.clone(), presence })
            }
        }
    }
}

impl Person {
    /// True if `token` takes the seat back.
    pub(super) fn answers_to(&self, token: ResumeToken) -> bool {
        self.token == token || self.previous_token == Some(token)
    }
}

/// All seats of a room.
pub(super) struct Seats {
    seats: Vec<Seat>,
    /// No kept seat expires before this; `None`: none is kept. So most ticks need not look at every seat.
    next_expiry: Option<Micros>,
}

impl Seats {
    pub(super) fn new(count: u16) -> Self {
        Self { seats: (0..count).map(|_| Seat::Free).collect(), next_expiry: None }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SeatId, &Seat)> {
        self.seats.iter().enumerate().map(|(at, seat)| (SeatId(at as u16), seat))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (SeatId, &mut Seat)> {
        self.seats.iter_mut().enumerate().map(|(at, seat)| (SeatId(at as u16), seat))
    }

    pub(super) fn get(&self, seat: SeatId) -> &Seat {
        &self.seats[seat.index()]
    }

    pub(super) fn get_mut(&mut self, seat: SeatId) -> &mut Seat {
        &mut self.seats[seat.index()]
    }

    /// The person in a seat that somebody was told is theirs.
    pub(super) fn person_mut(&mut self, seat: SeatId) -> Option<&mut Person> {
        self.seats[seat.index()].person_mut()
    }

    /// The lowest free seat.
    pub(super) fn free(&self) -> Option<SeatId> {
        self.iter().find(|(_, seat)| matches!(seat, Seat::Free)).map(|(id, _)| id)
    }

    /// The highest seat that a bot plays: the one that makes way first.
    pub(super) fn last_bot(&self) -> Option<SeatId> {
        self.iter().filter(|(_, seat)| matches!(seat, Seat::Bot { .. })).last().map(|(id, _)| id)
    }

    /// Every seat that is kept is kept until then, at least.
    pub(super) fn keep_anew(&mut self, until: Micros) {
        for seat in &mut self.seats {
            if let Some(Link::Dropped { kept_until, .. }) = seat.person_mut().map(|person| &mut person.link) {
                *kept_until = until.max(*kept_until);
            }
        }
    }

    /// From now on the seat's person is away, and the seat is kept until then.
    pub(super) fn keep(&mut self, seat: SeatId, by: ViewerId, kept_until: Micros) {
        if let Some(person) = self.person_mut(seat) {
            person.link = Link::Dropped { by: Some(by), kept_until };
            self.next_expiry = Some(self.next_expiry.map_or(kept_until, |at| at.min(kept_until)));
        }
    }

    /// The seat that is kept since this session dropped.
    pub(super) fn dropped_by(&self, viewer: ViewerId) -> Option<SeatId> {
        let dropped = |person: &Person| matches!(person.link, Link::Dropped { by: Some(by), .. } if by == viewer);
        self.iter().find(|(_, seat)| seat.person().is_some_and(dropped)).map(|(id, _)| id)
    }

    /// The seats that are kept for people from there who are away.
    pub(super) fn lost_from(&self, origin: OriginId) -> Vec<SeatId> {
        let lost = |person: &Person| person.origin == Some(origin) && matches!(person.link, Link::Dropped { .. });
        self.iter().filter(|(_, seat)| seat.person().is_some_and(lost)).map(|(id, _)| id).collect()
    }

    /// A seat that was kept until `now` or before.
    pub(super) fn expired(&mut self, now: Micros) -> Option<SeatId> {
        if self.next_expiry.is_none_or(|at| now < at) {
            return None;
        }
        let kept = self.iter().filter_map(|(id, seat)| match seat.person()?.link {
            Link::Up(_) => None,
            Link::Dropped { kept_until, .. } => Some((kept_until, id)),
        });
        let first = kept.min();
        self.next_expiry = first.map(|(at, _)| at);
        first.filter(|&(at, _)| at <= now).map(|(_, id)| id)
    }

    /// The seat that a token takes back.
    pub(super) fn of_token(&self, token: ResumeToken) -> Option<SeatId> {
        self.iter().find(|(_, seat)| seat.person().is_some_and(|p| p.answers_to(token))).map(|(id, _)| id)
    }

    pub(super) fn people(&self) -> usize {
        self.seats.iter().filter(|seat| matches!(seat, Seat::Person(_))).count()
    }

    pub(super) fn bots(&self) -> usize {
        self.seats.iter().filter(|seat| matches!(seat, Seat::Bot { .. })).count()
    }
}
