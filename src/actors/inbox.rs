//! The way into a room for its sessions: a bounded list that the room empties at the start of its tick.
//!
//! A mailbox would wake the room for every message and is drained before timers are looked at, so a flood would delay
//! ticks. Here a message costs a short lock; nothing happens until the tick, and inputs act on ticks anyway.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use crate::ids::{Micros, ViewerId};
use crate::protocol::close::CloseReason;
use crate::protocol::message::Input;

/// Messages of one session that a room holds until its next tick: more than an input queue keeps. Beyond them the newest
/// input takes the place of the one before, as it would there; a Resync and the parting letter have places of their own.
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
}

#[derive(Debug, Default)]
struct Tray {
    letters: Vec<Letter>,
    /// Counts how often the room has emptied it.
    round: u32,
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
        let mut tray = self.tray();
        std::mem::swap(&mut tray.letters, out);
        tray.round = tray.round.wrapping_add(1);
    }

    /// The room has ended: no letter is taken any more.
    pub fn close(&self, reason: CloseReason) {
        *self.tray() = Tray { closed: Some(reason), ..Tray::default() };
    }

    fn tray(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tray {
    fn open(&mut self) -> Result<&mut Self, Refused> {
        self.closed.map_or(Ok(self), |reason| Err(Refused::Closed(reason)))
    }

    /// Puts a letter in, if there is a place for it.
    fn put(&mut self, letter: Letter, share: &mut Share) -> Result<(), Refused> {
        if share.round != self.round {
            *share = Share { round: self.round, ..Share::default() };
        }
        let full = share.letters >= PER_SESSION_MAX;
        match (&letter.mail, share.input) {
            // It says all that the one before said, and what is new.
            (Mail::Input(_), Some(at)) if full => {
                self.letters[at] = letter;
                return Ok(());
            }
            (Mail::Input(_), _) => share.input = Some(self.letters.len()),
            // It is asked for already.
            (Mail::Resync, _) if share.resync => return Ok(()),
            (Mail::Resync, _) => share.resync = true,
            _ if full => return Err(Refused::Full),
            _ => {}
        }
        share.letters += 1;
        self.letters.push(letter);
        Ok(())
    }
}

/// What lies in the tray of one session.
#[derive(Debug, Default)]
struct Share {
    /// Since this emptying.
    round: u32,
    letters: u32,
    /// Where its last input lies.
    input: Option<usize>,
    /// One is asked for.
    resync: bool,
}

/// One session's right to write to its room. Dropping it tells the room that the session has ended.
#[derive(Debug)]
pub struct Slot {
    inbox: Arc<Inbox>,
    viewer: ViewerId,
    share: Share,
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
        Self { inbox, viewer, share: Share::default(), parting, clock }
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
        let letter = Letter { viewer: self.viewer, at: self.clock.now(), mail };
        self.inbox.tray().open()?.put(letter, &mut self.share)
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
        let letter = Letter { viewer: self.viewer, at: self.clock.now(), mail };
        // A room that has ended needs no goodbye.
        if let Ok(tray) = self.inbox.tray().open() {
            tray.letters.push(letter);
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
        let taken = (0..1000).filter(|_| flooding.push(Mail::Seen(1)).is_ok()).count();
        assert_eq!(taken, PER_SESSION_MAX as usize);
        assert_eq!(quiet.push(Mail::Seen(1)), Ok(()));
        assert_eq!(mails(&inbox).len(), taken + 1);
        assert_eq!(flooding.push(Mail::Seen(1)), Ok(()), "a new tick is a new share");
    }

    fn input(seq: u32) -> Mail {
        Mail::Input(Input { seq, tick: 0, seen: 0, seen_ago: 0, row: vec![] })
    }

    /// The inputs of a viewer, by seq, and how many letters there are of it.
    fn inputs(letters: &[Letter], of: u32) -> (Vec<u32>, usize) {
        let own = letters.iter().filter(|letter| letter.viewer == ViewerId(of));
        let seqs = own.clone().filter_map(|letter| match &letter.mail {
            Mail::Input(input) => Some(input.seq),
            _ => None,
        });
        (seqs.collect(), own.count())
    }

    #[test]
    fn the_newest_input_takes_the_place_of_the_one_before_where_there_is_no_other() {
        let inbox = Arc::new(Inbox::default());
        let (mut stalled, mut other) = (slot(&inbox, 1), slot(&inbox, 2));
        let mut letters = Vec::new();
        // Twice: what lay there before an emptying is out of reach.
        for _ in 0..2 {
            assert_eq!(other.push(input(7)), Ok(()));
            for seq in 1..=500 {
                assert_eq!(stalled.push(input(seq)), Ok(()));
                assert_eq!(other.push(input(7 + seq)), Ok(()));
            }
            inbox.empty_into(&mut letters);
            let kept: Vec<u32> = (1..PER_SESSION_MAX).chain([500]).collect();
            assert_eq!(inputs(&letters, 1), (kept, PER_SESSION_MAX as usize));
            assert_eq!(inputs(&letters, 2).0.last(), Some(&507));
        }
        // Where the share is full of something else, the first input finds a place, and the others take it.
        while stalled.push(Mail::Seen(1)).is_ok() {}
        for seq in 1..=500 {
            assert_eq!(stalled.push(input(seq)), Ok(()));
        }
        assert_eq!(stalled.push(Mail::Rtt(Micros(1))), Err(Refused::Full), "and nothing else");
        inbox.empty_into(&mut letters);
        assert_eq!(inputs(&letters, 1), (vec![500], PER_SESSION_MAX as usize + 1));
    }

    #[test]
    fn a_resync_and_a_goodbye_always_get_in_and_a_flood_of_them_does_not() {
        let inbox = Arc::new(Inbox::default());
        let mut full = slot(&inbox, 1);
        (1..=500).for_each(|seq| assert_eq!(full.push(input(seq)), Ok(())));
        (0..500).for_each(|_| assert_eq!(full.push(Mail::Resync), Ok(())));
        full.leave();
        let mails = mails(&inbox);
        assert_eq!(mails.len(), PER_SESSION_MAX as usize + 2);
        assert_eq!(mails[PER_SESSION_MAX as usize..], ["1 Resync", "1 Leave"]);
    }

    #[test]
    fn a_session_that_ends_says_so_even_after_it_has_filled_its_share() {
        let inbox = Arc::new(Inbox::default());
        let mut full = slot(&inbox, 1);
        full.settle();
        while full.push(Mail::Seen(1)).is_ok() {}
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
