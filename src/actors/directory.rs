//! What the lobby knows of its rooms, and how it chooses among them. Plain data: no actor, no clock, no randomness.

use std::collections::{BTreeMap, HashMap};

use crate::ids::RoomId;
use crate::room::RoomInfo;

/// Every room that takes joins, by number.
#[derive(Debug, Default)]
pub struct Directory {
    rooms: BTreeMap<RoomId, Listing>,
    codes: HashMap<String, RoomId>,
    last: u32,
}

/// A room as the lobby knows it.
#[derive(Debug)]
struct Listing {
    info: RoomInfo,
    private: bool,
    /// Joins on their way to it.
    seats_reserved: u16,
    spectators_reserved: u16,
}

impl Listing {
    fn seats_taken(&self) -> u16 {
        self.info.people.saturating_add(self.seats_reserved)
    }

    fn has_place(&self, spectate: bool) -> bool {
        if spectate {
            self.info.spectators.saturating_add(self.spectators_reserved) < self.info.spectators_max
        } else {
            self.seats_taken() < self.info.seats_max
        }
    }

    fn reserved(&mut self, spectate: bool) -> &mut u16 {
        if spectate { &mut self.spectators_reserved } else { &mut self.seats_reserved }
    }
}

impl Directory {
    /// How many rooms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    /// True if a room has this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.codes.contains_key(code)
    }

    /// Enters a new room, empty as yet. Numbers are never used twice: a resume token names one.
    pub fn add(&mut self, code: String, private: bool, seats_max: u16, spectators_max: u16) -> RoomId {
        self.last += 1;
        let room = RoomId(self.last);
        self.codes.insert(code.clone(), room);
        let info = RoomInfo { code, people: 0, bots: 0, seats_max, spectators: 0, spectators_max, tick: 0, skipped: 0 };
        self.rooms.insert(room, Listing { info, private, seats_reserved: 0, spectators_reserved: 0 });
        room
    }

    /// Strikes a room out. False if it was not there.
    pub fn remove(&mut self, room: RoomId) -> bool {
        let Some(listing) = self.rooms.remove(&room) else { return false };
        self.codes.remove(&listing.info.code);
        true
    }

    /// The fullest public room with a place, for somebody who does not care which; `tried` are not looked at again.
    #[must_use]
    pub fn fullest(&self, spectate: bool, tried: &[RoomId]) -> Option<RoomId> {
        let open = self
            .rooms
            .iter()
            .filter(|(room, listing)| !listing.private && listing.has_place(spectate) && !tried.contains(room));
        // The oldest among equals, so that two who come at once meet.
        open.min_by_key(|(_, listing)| std::cmp::Reverse(listing.seats_taken())).map(|(room, _)| *room)
    }

    /// The room with this code, as somebody typed it.
    #[must_use]
    pub fn by_code(&self, typed: &str) -> Option<RoomId> {
        self.codes.get(&typed.trim().to_ascii_uppercase()).copied()
    }

    /// True if the room is known.
    #[must_use]
    pub fn contains(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    /// Somebody is on the way to the room.
    pub fn reserve(&mut self, room: RoomId, spectate: bool) {
        if let Some(listing) = self.rooms.get_mut(&room) {
            *listing.reserved(spectate) += 1;
        }
    }

    /// The same has come, or will not.
    pub fn release(&mut self, room: RoomId, spectate: bool) {
        if let Some(listing) = self.rooms.get_mut(&room) {
            let reserved = listing.reserved(spectate);
            *reserved = reserved.saturating_sub(1);
        }
    }

    /// What the room says of itself.
    pub fn update(&mut self, room: RoomId, info: RoomInfo) {
        if let Some(listing) = self.rooms.get_mut(&room) {
            listing.info = info;
        }
    }

    /// How many are on the way to the room.
    #[must_use]
    pub fn on_the_way(&self, room: RoomId) -> u32 {
        self.rooms
            .get(&room)
            .map_or(0, |listing| u32::from(listing.seats_reserved) + u32::from(listing.spectators_reserved))
    }

    /// True if nobody is on the way to the room, so that it may end if it is idle.
    #[must_use]
    pub fn may_end(&self, room: RoomId) -> bool {
        self.on_the_way(room) == 0
    }

    /// All public rooms, the fullest first.
    #[must_use]
    pub fn public(&self) -> Vec<RoomInfo> {
        let mut list: Vec<&Listing> = self.rooms.values().filter(|listing| !listing.private).collect();
        list.sort_by_key(|listing| std::cmp::Reverse(listing.seats_taken()));
        list.into_iter().map(|listing| listing.info.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_people(directory: &mut Directory, code: &str, private: bool, people: u16) -> RoomId {
        let room = directory.add(code.into(), private, 4, 1);
        let info = RoomInfo { people, ..directory.rooms[&room].info.clone() };
        directory.update(room, info);
        room
    }

    #[test]
    fn quick_join_finds_the_fullest_public_room_with_a_free_seat() {
        let mut directory = Directory::default();
        let two = with_people(&mut directory, "TWO", false, 2);
        let three = with_people(&mut directory, "THREE", false, 3);
        with_people(&mut directory, "FULL", false, 4);
        with_people(&mut directory, "HIDDEN", true, 3);
        assert_eq!(directory.fullest(false, &[]), Some(three));
        assert_eq!(directory.fullest(false, &[three]), Some(two));
        directory.reserve(three, false);
        assert_eq!(directory.fullest(false, &[]), Some(two), "the last seat is on its way to somebody");
        directory.release(three, false);
        assert_eq!(directory.fullest(false, &[]), Some(three));
        assert_eq!(directory.fullest(false, &[two, three]), None);
    }

    #[test]
    fn a_private_room_is_found_by_its_code_alone() {
        let mut directory = Directory::default();
        let hidden = directory.add("BCDFG".into(), true, 4, 4);
        assert_eq!(directory.by_code(" bcdfg "), Some(hidden));
        assert!(directory.public().is_empty());
        assert_eq!(directory.fullest(false, &[]), None);
        assert_eq!(directory.fullest(true, &[]), None);
    }

    #[test]
    fn a_room_may_end_only_when_nobody_is_on_the_way() {
        let mut directory = Directory::default();
        let room = directory.add("BCDF".into(), false, 4, 4);
        assert!(directory.may_end(room));
        directory.reserve(room, true);
        assert!(!directory.may_end(room));
        directory.release(room, true);
        assert!(directory.may_end(room));
        assert!(directory.remove(room));
        assert!(!directory.remove(room));
        assert_eq!(directory.by_code("BCDF"), None);
        assert_ne!(directory.add("BCDF".into(), false, 4, 4), room, "a number is never used twice");
    }
}
