//! What a departure costs, so that nobody leaves to escape: who goes soon after a hit counts as killed, and what is left
//! of a wait is waited by the next one who comes from the same origin. One departure burdens one joiner at most: others
//! may share the address.

use super::Arena;
use super::schema::PHASE_PLAY;
use super::{schema::EVENT_KILL, witnesses};
use crate::game::{Decode, Encode, Events, Joiner};
use crate::ids::{OriginId, SeatId};

/// Who leaves so soon after a hit counts as killed by whoever hit: five seconds.
const ESCAPE_TICKS: i32 = 300;

/// The rest of a wait, for the next one who comes from there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Wait {
    origin: u64,
    until: i32,
}

/// A kill that happened between two ticks: it is told with the next one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Escape {
    ship_id: u32,
    fields: [i32; 6],
}

impl Arena {
    /// Counts what `seat` would escape by leaving now, and leaves the rest of its wait to its origin. Its pilot and ship are
    /// still there.
    pub(super) fn settle(&mut self, seat: SeatId) {
        let at = seat.index();
        let (ship, pilot) = (&self.world.ships[at], &self.world.pilots[at]);
        let until = self.waits_until(at);
        let wait = pilot.origin.filter(|_| !pilot.passed_on).zip(until).map(|(origin, until)| Wait { origin, until });
        if self.escapes(at) && ship.alive() {
            let (x, y, by, ship_id, weapon) = (ship.x, ship.y, pilot.hurt_by, pilot.ship_id, pilot.hurt_with);
            // Who hit may have left since, and another may sit there.
            let hunter = &self.world.pilots[usize::from(by)];
            if hunter.taken && hunter.joined_at < pilot.hurt_at {
                let streak = self.count_kill(seat.0, by);
                let fields = [x, y, i32::from(seat.0), i32::from(by), weapon, streak];
                self.world.escapes.push(Escape { ship_id, fields });
            }
        }
        let now = self.world.tick;
        self.world.waits.retain(|wait| wait.until > now);
        self.world.waits.extend(wait);
    }

    /// Tells of kills that happened since the last tick. Only those who saw the ship: another may sit in its seat by now,
    /// whom nobody killed.
    pub(super) fn tell_escapes(&mut self, events: &mut Events) {
        for Escape { ship_id, fields } in self.world.escapes.drain(..) {
            events.push(EVENT_KILL, witnesses(ship_id), &fields);
        }
    }

    /// When the ship of one who comes may appear: not before the longest wait that was left to its origin is over, which
    /// is then nobody else's.
    pub(super) fn inherit(&mut self, who: &Joiner) -> i32 {
        let now = self.world.tick;
        let Some(OriginId(origin)) = who.origin else { return now };
        let waits = self.world.waits.iter().enumerate().filter(|(_, wait)| wait.origin == origin);
        let left = waits.map(|(place, wait)| (wait.until, place)).max();
        // Somebody whose connection was lost, and who may be back in another tab: the ship is still there.
        let lost = |seat: &SeatId| {
            let pilot = self.world.pilots.get(seat.index()).filter(|pilot| pilot.taken && !pilot.passed_on)?;
            pilot.origin.filter(|&other| other == origin)?;
            Some((self.waits_until(seat.index())?, seat.index()))
        };
        let lost = who.lost_seats.iter().filter_map(lost).max();
        match (left, lost) {
            (Some((until, place)), lost) if lost.is_none_or(|(other, _)| other <= until) => {
                self.world.waits.remove(place);
                until
            }
            (_, Some((until, seat))) => {
                self.world.pilots[seat].passed_on = true;
                until
            }
            _ => now,
        }
    }

    /// How long `seat` would have to wait if it left now, in this round.
    fn waits_until(&self, seat: usize) -> Option<i32> {
        let world = &self.world;
        let ship = &world.ships[seat];
        let until = if !ship.alive() {
            ship.respawn_at
        } else if self.escapes(seat) {
            world.tick + self.tuning.ship.respawn_ticks
        } else {
            return None;
        };
        (until > world.tick).then_some(until)
    }

    /// True if `seat` was hit so lately that leaving is dying. Not after the round: the scores are final.
    fn escapes(&self, seat: usize) -> bool {
        let world = &self.world;
        let hurt_at = world.pilots[seat].hurt_at;
        world.round.phase == PHASE_PLAY && hurt_at != 0 && world.tick - hurt_at <= ESCAPE_TICKS
    }
}
