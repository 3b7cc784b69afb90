//! How many bots a room has, and what they are called.

use super::seats::Seats;
use crate::ids::SeatId;

/// Short names, so that they fit above a ship.
const NAMES: [&str; 24] = [
    "Ada", "Basil", "Cleo", "Dax", "Echo", "Fern", "Gus", "Hops", "Iris", "Juno", "Kite", "Lux", "Mabel", "Nox",
    "Otto", "Pip", "Quill", "Rook", "Sable", "Tully", "Uma", "Vesper", "Wren", "Zed",
];

/// What must happen so that people and bots together are `fill_to`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BotChange {
    Join(SeatId, String),
    Leave(SeatId),
}

/// The next change, if one is due: one a tick, so that a room does not empty or fill at a stroke.
pub(super) fn next_change(seats: &Seats, fill_to: u16) -> Option<BotChange> {
    let (people, bots) = (seats.people(), seats.bots());
    let wanted = usize::from(fill_to).saturating_sub(people);
    if bots < wanted {
        let seat = seats.free()?;
        Some(BotChange::Join(seat, name(seat)))
    } else if bots > wanted {
        seats.last_bot().map(BotChange::Leave)
    } else {
        None
    }
}

/// A name of the seat's own; people may choose the same.
fn name(seat: SeatId) -> String {
    let (round, at) = (seat.index() / NAMES.len(), seat.index() % NAMES.len());
    if round == 0 { NAMES[at].to_owned() } else { format!("{} {}", NAMES[at], round + 1) }
}
