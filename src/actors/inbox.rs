//! The way into a room for its sessions: a bounded list that the room empties at the start of its tick.
//!
//! A mailbox would wake the room for every message and is drained before timers are looked at, so a flood would delay
//! ticks. Here a message costs a short lock; nothing happens until the tick, and inputs act on ticks anyway.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use crate::ids::{Micros, ViewerId};
use crate::protocol::close::CloseReason;
use crate::protocol::message::Input;

/// Messages of one session that a room holds until its next tick: more than an input queue keeps, so what is refused
/// here would have been coalesced there.
const PER_SESSION_MAX: u32 = 64;

/// What a session tells its room.
#[derive(Debug)]
pub enum Mail {
    /// What the seat does.
    Input(Input),
    /// The newest snapshot tick that the client has, from a Ping.
    Seen(u32),
    /// The round trip, measured by a WebSocket ping.
    Rtt(Micros),
    /// The client's view cannot be trusted.
    Resync,
    /// Free the seat.
    Leave,
    /// The session has ended; keep the seat.
    Drop,
}

/// One piece of mail, as it came.
#[derive(Debug)]
pub struct Letter {
    /// From whom.
    pub viewer: ViewerId,
    /// When the session got it.
    pub at: Micros,
    /// What.
    pub mail: Mail,
}

/// Letters for one room.
#[derive(Debug, Default)]
pub struct Inbox {
    tray: Mutex<Tray>,
    /// Counts how often the room has emptied it.
    emptied: AtomicU32,
}

#[derive(Debug, Default)]
struct Tray {
    letters: Vec<Letter>,
    /// Why the room has ended.
    closed: Option<CloseReason>,
}

/// Why a letter was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// This session has sent as much as a tick may bring.
    Full,
    /// The room has ended, and why: a session may learn it here before it is told.
    Closed(CloseReason),
}

impl Inbox {
    /// Moves all letters to `out`, which is cleared first. The two lists change places, so neither grows again.
    pub fn empty_into(&self, out: &mut Vec<Letter>) {
        out.clear();
        std::mem::swap(&mut self.tray().letters, out);
        self.emptied.fetch_add(1, Ordering::Relaxed);
    }

    /// The room has ended: no letter is taken any more.
    pub fn close(&self, reason: CloseReason) {
        *self.tray() = Tray { letters: Vec::new(), closed: Some(reason) };
    }

    fn push(&self, letter: Letter) -> Result<(), Refused> {
        let mut tray = self.tray();
        if let Some(reason) = tray.closed {
            return Err(Refused::Closed(reason));
        }
        tray.letters.push(letter);
        Ok(())
    }

    fn tray(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session's right to write to its room. Dropping it tells the room that the session has ended.
#[derive(Debug)]
pub struct Slot {
    inbox: Arc<Inbox>,
    viewer: ViewerId,
    /// The count of emptyings at the last letter, and the letters since.
    seen_emptied: u32,
    since: u32,
    /// What the room is told when it is dropped: `Drop` or `Leave`.
    parting: Mail,
    clock: Clock,
}

impl Slot {
    /// A slot for `viewer`. If it is lost before the session has [settled](Self::settle), the seat is kept only if it
    /// was `resumed`: nobody knows the token of a fresh one yet.
    #[must_use]
    pub fn new(inbox: Arc<Inbox>, viewer: ViewerId, resumed: bool, clock: Clock) -> Self {
        let parting = if resumed { Mail::Drop } else { Mail::Leave };
        Self { inbox, viewer, seen_emptied: 0, since: 0, parting, clock }
    }

    /// The session has the slot and lives: from now on its end keeps the seat.
    pub fn settle(&mut self) {
        self.parting = Mail::Drop;
    }

    /// Hands `mail` to the room.
    ///
    /// # Errors
    /// [`Refused`] if the room takes no more from this session before its next tick, or none any more.
    pub fn push(&mut self, mail: Mail) -> Result<(), Refused> {
        let emptied = self.inbox.emptied.load(Ordering::Relaxed);
        if emptied != self.seen_emptied {
            self.seen_emptied = emptied;
            self.since = 0;
        }
        if self.since >= PER_SESSION_MAX {
            return Err(Refused::Full);
        }
        self.since += 1;
        self.inbox.push(Letter { viewer: self.viewer, at: self.clock.now(), mail })
    }

    /// Frees the seat, now that the client does not want it any more.
    pub fn leave(mut self) {
        self.parting = Mail::Leave;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Beyond the session's share: a parting letter must arrive, and there is only one.
        let mail = std::mem::replace(&mut self.parting, Mail::Drop);
        match self.inbox.push(Letter { viewer: self.viewer, at: self.clock.now(), mail }) {
            Ok(()) | Err(Refused::Full | Refused::Closed(_)) => {} // a room that has ended needs no goodbye
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(inbox: &Arc<Inbox>, viewer: u32) -> Slot {
        Slot::new(inbox.clone(), ViewerId(viewer), false, Clock::start())
    }

    fn mails(inbox: &Inbox) -> Vec<String> {
        let mut letters = Vec::new();
        inbox.empty_into(&mut letters);
        letters.iter().map(|letter| format!("{} {:?}", letter.viewer.0, letter.mail)).collect()
    }

    #[test]
    fn a_flooding_session_fills_its_share_and_not_its_neighbours() {
        let inbox = Arc::new(Inbox::default());
        let mut flooding = slot(&inbox, 1);
        let mut quiet = slot(&inbox, 2);
        let taken = (0..1000).filter(|_| flooding.push(Mail::Resync).is_ok()).count();
        assert_eq!(taken, PER_SESSION_MAX as usize);
        assert_eq!(quiet.push(Mail::Resync), Ok(()));
        assert_eq!(mails(&inbox).len(), taken + 1);
        assert_eq!(flooding.push(Mail::Resync), Ok(()), "a new tick is a new share");
    }

    #[test]
    fn a_session_that_ends_says_so_even_after_it_has_filled_its_share() {
        let inbox = Arc::new(Inbox::default());
        let mut full = slot(&inbox, 1);
        full.settle();
        while full.push(Mail::Resync).is_ok() {}
        drop(full);
        assert_eq!(mails(&inbox).last().map(String::as_str), Some("1 Drop"));
        slot(&inbox, 2).leave();
        assert_eq!(mails(&inbox), ["2 Leave"]);
    }

    #[test]
    fn a_seat_whose_token_nobody_got_is_freed_and_a_resumed_one_kept() {
        let inbox = Arc::new(Inbox::default());
        drop(slot(&inbox, 1));
        drop(Slot::new(inbox.clone(), ViewerId(2), true, Clock::start()));
        assert_eq!(mails(&inbox), ["1 Leave", "2 Drop"]);
    }

    #[test]
    fn a_room_that_has_ended_takes_no_letter() {
        let inbox = Arc::new(Inbox::default());
        let mut late = slot(&inbox, 1);
        inbox.close(CloseReason::RoomFailed);
        assert_eq!(late.push(Mail::Resync), Err(Refused::Closed(CloseReason::RoomFailed)));
        drop(late);
        assert!(mails(&inbox).is_empty());
    }
}
