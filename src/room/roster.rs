//! Who sits where, told to each viewer as changes since the version that it has.

use crate::ids::SeatId;
use crate::protocol::message::{Occupant, Roster, RosterEntry};

/// Entries in one message: 256 names of 20 characters are about 6 KiB. What is more comes in the next message.
const ENTRIES_MAX: usize = 256;

/// The names of a room, each with the version that last changed it.
pub(super) struct RosterBook {
    version: u32,
    seats: Vec<(u32, Option<Occupant>)>,
}

impl RosterBook {
    /// Nobody, in version 1: a viewer starts at 0, so that an empty roster is told too.
    pub(super) fn new() -> Self {
        Self { version: 1, seats: Vec::new() }
    }

    /// The version to compare a viewer's with.
    pub(super) fn version(&self) -> u32 {
        self.version
    }

    /// Somebody sits there now, or nobody.
    pub(super) fn set(&mut self, seat: SeatId, who: Option<Occupant>) {
        if self.seats.len() <= seat.index() {
            self.seats.resize(seat.index() + 1, (0, None));
        }
        let entry = &mut self.seats[seat.index()];
        if entry.1 != who {
            self.version += 1;
            *entry = (self.version, who);
        }
    }

    /// What a viewer at version `since` must be told next. Oldest changes first, so a message that holds only some of
    /// them makes the version of the last one in it.
    pub(super) fn changes(&self, since: u32) -> Roster {
        let mut changed: Vec<(u32, SeatId)> = self
            .seats
            .iter()
            .enumerate()
            // A newcomer need not hear of seats that were freed before it came.
            .filter(|(_, (version, who))| *version > since && (since > 0 || who.is_some()))
            .map(|(seat, (version, _))| (*version, SeatId(seat as u16)))
            .collect();
        changed.sort_unstable();
        let all = changed.len() <= ENTRIES_MAX;
        changed.truncate(ENTRIES_MAX);
        let version = if all { self.version } else { changed.last().map_or(self.version, |&(version, _)| version) };
        let entries =
            changed.iter().map(|&(_, seat)| RosterEntry { seat: seat.0, who: self.seats[seat.index()].1.clone() });
        Roster { since, version, entries: entries.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::Presence;

    fn who(name: &str) -> Option<Occupant> {
        Some(Occupant { name: name.into(), presence: Presence::Here })
    }

    #[test]
    fn a_viewer_that_hears_every_change_knows_every_name_however_many_there_are() {
        let mut book = RosterBook::new();
        for seat in 0..1000 {
            book.set(SeatId(seat), who(&format!("p{seat}")));
        }
        for seat in (0..1000).step_by(3) {
            book.set(SeatId(seat), None);
        }
        let mut known = vec![None; 1000];
        let mut at = 0;
        let mut messages = 0;
        while at < book.version() {
            let roster = book.changes(at);
            assert_eq!(roster.since, at);
            for entry in roster.entries {
                known[usize::from(entry.seat)] = entry.who;
            }
            assert!(roster.version > at, "stuck at version {at}");
            at = roster.version;
            messages += 1;
        }
        // 256 names; then, no newcomer any more, 410 names and 334 seats that were freed, at 256 a message.
        assert_eq!(messages, 4);
        for (seat, who) in known.iter().enumerate() {
            assert_eq!(who.is_some(), seat % 3 != 0, "seat {seat}");
        }
    }

    #[test]
    fn the_same_name_again_is_no_change() {
        let mut book = RosterBook::new();
        book.set(SeatId(0), who("a"));
        let version = book.version();
        book.set(SeatId(0), who("a"));
        assert_eq!(book.version(), version);
        book.set(SeatId(0), None);
        assert_eq!(book.changes(version).entries, [RosterEntry { seat: 0, who: None }]);
    }
}
