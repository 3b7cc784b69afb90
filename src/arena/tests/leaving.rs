//! Nobody gains by leaving.

use super::*;
use crate::ids::OriginId;

const SCHOOL: OriginId = OriginId(7);
const ELSEWHERE: OriginId = OriginId(8);
/// 2.5 s and 5 s.
const RESPAWN: i32 = 150;
const ESCAPE: u32 = 300;

impl Play {
    fn join_from(&mut self, seat: u16, origin: OriginId, lost_seats: &[u16]) {
        let lost_seats = lost_seats.iter().copied().map(SeatId).collect();
        let who = Joiner { origin: Some(origin), lost_seats, ..Joiner::person("Ann") };
        self.game.join(SeatId(seat), &who);
        self.seats.insert(seat, (neutral_row(&schema()), neutral_row(&schema()), 0));
    }

    /// Seat 0 from the school, seat 1 from elsewhere, both flying and no longer protected.
    fn class() -> Self {
        let options = ArenaOptions { rocks: Some(0), pickups: Some(0), ..ArenaOptions::default() };
        let mut play = Play::new(7, options);
        play.join_from(0, SCHOOL, &[]);
        play.join_from(1, ELSEWHERE, &[]);
        play.run(130);
        play.put(0, -200, 0, 0);
        play.put(1, 200, 0, TURN_HALF);
        play
    }

    fn hit(&mut self, seat: u16, by: u16, amount: i32) {
        let mut events = Events::default();
        self.game.hurt(seat, by, amount, WEAPON_BEAM, (0, 0), &mut events);
    }

    /// How many ticks until the ship of `seat` is out.
    fn waits(&mut self, seat: usize) -> i32 {
        let from = self.game.world.tick;
        while !self.ship(seat).alive() {
            self.tick();
            assert!(self.game.world.tick - from < 1000, "seat {seat} never appears");
        }
        self.game.world.tick - from
    }

    fn score(&self, seat: usize) -> (i32, i32) {
        let pilot = &self.game.world.pilots[seat];
        (pilot.score, pilot.kills)
    }
}

#[test]
fn who_is_dead_and_leaves_waits_on_when_coming_back() {
    let mut play = Play::class();
    play.hit(0, 1, i32::MAX / 2);
    assert_eq!(play.score(1), (100, 1));
    play.run(50);
    play.leave(0);
    play.join_from(0, SCHOOL, &[]);
    assert_eq!(play.waits(0), RESPAWN - 50);
    assert_eq!(play.score(1), (100, 1), "killed once");
}

#[test]
fn who_is_hit_and_leaves_counts_as_killed_by_the_last_who_hit() {
    let mut play = Play::class();
    play.join_from(2, ELSEWHERE, &[]);
    play.run(130);
    play.hit(0, 2, 100);
    play.hit(0, 1, 100);
    let victim = play.game.world.pilots[0].ship_id;
    play.run(ESCAPE);
    play.leave(0);
    assert_eq!((play.score(1), play.score(2)), ((100, 1), (0, 0)));
    assert_eq!(play.game.world.round.leader, Some(1));
    play.join_from(0, SCHOOL, &[]);
    play.tick();
    let told: Vec<_> = play.events.iter().filter(|(kind, ..)| *kind == EVENT_KILL).collect();
    assert_eq!(told.len(), 1);
    let (_, audience, fields) = told[0];
    assert_eq!(fields[2..], [0, 1, WEAPON_BEAM, 1], "seat, by, weapon, streak");
    assert_eq!(audience, witnesses(victim), "whoever sits in that seat now has not seen it");
    assert_eq!(play.waits(0), RESPAWN - 1, "as if destroyed when leaving");
    play.run(10);
    assert!(play.events(EVENT_KILL).is_empty(), "told once");
}

#[test]
fn after_five_seconds_without_a_hit_leaving_is_free() {
    let mut play = Play::class();
    play.hit(0, 1, 100);
    play.run(ESCAPE + 1);
    play.leave(0);
    play.join_from(0, SCHOOL, &[]);
    assert_eq!((play.waits(0), play.score(1)), (1, (0, 0)));
    // A hit that protection or nothing took hurts nobody.
    play.hit(0, 1, 100);
    play.leave(0);
    play.join_from(0, SCHOOL, &[]);
    assert_eq!((play.waits(0), play.score(1)), (1, (0, 0)));
}

#[test]
fn a_departure_burdens_one_joiner_from_the_same_origin_and_no_other() {
    let mut play = Play::class();
    play.hit(0, 1, 100);
    play.leave(0);
    play.join_from(3, ELSEWHERE, &[]);
    assert_eq!(play.waits(3), 1, "who comes from elsewhere");
    play.join(4, false);
    assert_eq!(play.waits(4), 1, "whence is not known");
    play.join(5, true);
    assert_eq!(play.waits(5), 1, "a bot");
    play.join_from(0, SCHOOL, &[]);
    play.join_from(6, SCHOOL, &[]);
    assert_eq!(play.waits(6), 1, "the second from there");
    assert_eq!(play.waits(0), RESPAWN - 4, "the first");
}

#[test]
fn leaving_again_and_watching_in_between_shorten_no_wait() {
    let mut play = Play::class();
    play.hit(0, 1, i32::MAX / 2);
    for _ in 0..10 {
        play.leave(0);
        play.run(3);
        play.join_from(0, SCHOOL, &[]);
        play.run(2);
    }
    assert_eq!(play.waits(0), RESPAWN - 50);
    assert_eq!(play.score(1), (100, 1));
    assert!(play.game.world.waits.is_empty());
}

/// Closing the page drops the seat, and a new tab has no token for it.
#[test]
fn a_lost_connection_and_a_new_tab_shorten_no_wait_either() {
    let mut play = Play::class();
    play.hit(0, 1, i32::MAX / 2);
    play.run(30);
    play.join_from(2, SCHOOL, &[0]);
    play.join_from(3, SCHOOL, &[0]);
    assert_eq!(play.waits(3), 1, "one joiner only");
    assert_eq!(play.waits(2), RESPAWN - 30 - 1);
    // The lost seat flies on, and in this life it may be left once more.
    play.run(130);
    play.hit(0, 1, 100);
    play.join_from(4, SCHOOL, &[0]);
    play.leave(0);
    assert_eq!(play.score(1), (200, 2), "its seat is freed in the end: it was hit");
    play.join_from(5, SCHOOL, &[]);
    assert_eq!(play.waits(5), 1, "another has waited already");
    assert_eq!(play.waits(4), RESPAWN - 1);
}

#[test]
fn of_several_waits_the_longest_is_taken() {
    let mut play = Play::class();
    play.join_from(2, SCHOOL, &[]);
    play.join_from(3, SCHOOL, &[]);
    play.run(130);
    play.hit(0, 1, i32::MAX / 2);
    play.run(40);
    play.hit(2, 1, i32::MAX / 2);
    play.leave(0);
    play.run(10);
    play.join_from(4, SCHOOL, &[2, 3]);
    play.join_from(5, SCHOOL, &[2, 3]);
    play.join_from(6, SCHOOL, &[2, 3]);
    assert_eq!(play.waits(6), 1);
    assert_eq!(play.waits(5), RESPAWN - 50 - 1);
    assert_eq!(play.waits(4), RESPAWN - 10 - (RESPAWN - 50));
}

#[test]
fn a_round_that_is_over_is_over() {
    let options = ArenaOptions { rocks: Some(0), round_seconds: Some(10), ..ArenaOptions::default() };
    let mut play = Play::new(7, options);
    play.join_from(0, SCHOOL, &[]);
    play.join_from(1, ELSEWHERE, &[]);
    play.run(598);
    play.hit(0, 1, 100);
    play.run(2);
    assert_eq!(play.game.world.round.phase, PHASE_RESULTS);
    play.leave(0);
    assert_eq!(play.score(1), (0, 0), "the scores are final");
    play.join_from(0, SCHOOL, &[]);
    assert_eq!(play.waits(0), 1);
    play.hit(0, 1, i32::MAX / 2);
    // Whoever leaves during the board and comes back for the next round begins it with all others.
    while play.game.world.round.phase != PHASE_READY {
        play.tick();
    }
    play.leave(0);
    while play.game.world.round.phase == PHASE_READY {
        play.tick();
    }
    play.join_from(0, SCHOOL, &[]);
    assert_eq!(play.waits(0), 1);
}

#[test]
fn who_hit_and_left_gets_no_kill_nor_whoever_sits_there_now() {
    let mut play = Play::class();
    play.hit(0, 1, 100);
    play.leave(1);
    play.run(1);
    play.join_from(1, ELSEWHERE, &[]);
    play.run(5);
    play.leave(0);
    play.tick();
    assert_eq!(play.score(1), (0, 0));
    assert!(play.events(EVENT_KILL).is_empty());
    play.join_from(0, SCHOOL, &[]);
    assert_eq!(play.waits(0), RESPAWN - 1, "and still nobody gains by leaving");
}

#[test]
fn a_bot_that_makes_way_is_a_kill_too() {
    let mut play = Play::class();
    play.join(2, true);
    play.run(150);
    play.hit(2, 0, 100);
    play.leave(2);
    assert_eq!(play.score(0).1, 1);
    assert!(play.game.world.waits.is_empty(), "nobody comes from where bots come from");
}

#[test]
fn what_is_left_to_others_is_saved() {
    let mut play = Play::class();
    play.hit(0, 1, 100);
    play.leave(0);
    play.reload();
    play.tick();
    assert_eq!(play.events(EVENT_KILL).len(), 1);
    play.reload();
    play.join_from(0, SCHOOL, &[]);
    assert_eq!(play.waits(0), RESPAWN - 1);
}
