//! A room that is played for a moment before anybody comes, so that what a game gets wrong is known when the server
//! starts.

use super::{Flaw, JoinRequest, Outbox, Room, RoomError, SendOutcome};
use crate::config::RoomConfig;
use crate::game::Game;
use crate::ids::{Micros, ResumeToken, ViewerId};
use crate::protocol::message::Tier;

/// Plays the first two snapshot intervals of a room with a person, a spectator and bots, then without the person.
///
/// # Errors
/// [`RoomError`], if such a room cannot be, or the game tells events that no client could read.
///
/// # Panics
/// If the game does.
pub fn try_out<G: Game>(config: &RoomConfig, options: &G::Options) -> Result<(), RoomError> {
    let mut now = Micros::default();
    let mut room = Room::<G>::new(config.clone(), options, "TRIAL".into(), 0, now)?;
    let mut person = None;
    for (at, spectate) in [false, true].into_iter().enumerate() {
        let who = JoinRequest { name: String::new(), tier: Tier::Delta, spectate, origin: None };
        // A room may have no place for spectators.
        if let Ok(joined) = room.handle_join(who, ResumeToken([at as u8; 16]), now) {
            person = person.or(joined.seat.map(|_| joined.viewer));
        }
    }
    let interval = u32::from(config.ticks_per_snapshot);
    for left in (0..=2 * interval).rev() {
        now = room.next_tick_at(now);
        room.tick(now);
        room.poll_outbound(&mut Void);
        if let (Some(viewer), true) = (person, left == interval) {
            room.handle_leave(viewer, now);
        }
    }
    while let Some(flaw) = room.poll_flaw() {
        match flaw {
            // A view that is not whole can be played, and some games mean it so: who plays will be warned.
            Flaw::Rows { .. } => {}
            Flaw::EventKind { .. } | Flaw::EventFields { .. } => return Err(RoomError::Flaw(flaw)),
        }
    }
    Ok(())
}

struct Void;

impl Outbox for Void {
    fn is_open(&mut self, _: ViewerId) -> bool {
        true
    }

    fn send(&mut self, _: ViewerId, _: &[u8]) -> SendOutcome {
        SendOutcome::Accepted
    }
}
