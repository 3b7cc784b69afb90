//! One seat's inputs between their arrival and the tick that consumes them.

use std::collections::VecDeque;

use crate::game::{InputRow, InputStatus, SeatInput, neutral_row};
use crate::ids::{InputSeq, Tick};
use crate::protocol::schema::{INPUT_FIELDS_MAX, InputField, InputSort, Neutral, Schema};
use crate::sim::timing::{AHEAD_MS, STARVED_MS, queued_max, ticks_of};

/// Presses of one field that one tick hands to the game; more are discarded, so that a stall ends in no burst.
pub const PRESSES_MAX: u8 = 2;

/// One seat's inputs, by the rule of PROTOCOL.md ("When an input counts").
///
/// An input is due at `max(its stamp, the next tick, the due tick of the previous one)`. A tick takes all that are due:
/// the levels of the newest, and the presses since the last one taken.
#[derive(Clone, Debug)]
pub struct InputQueue {
    /// [`STARVED_MS`], [`AHEAD_MS`] and [`queued_max`] at the room's tick rate.
    starved_ticks: u32,
    ahead_ticks: u32,
    queued_max: u32,
    queued: VecDeque<Queued>,
    /// The newest seq that was queued: what is not above it is a duplicate.
    last_seq: InputSeq,
    /// The due tick of the newest that was queued.
    last_due: Tick,
    /// The newest seq that a tick took.
    acked: InputSeq,
    /// What holds until the next one.
    levels: InputRow,
    seen_ago: u16,
    /// Press counters of the last input taken; `None` until the first, which presses nothing.
    counters: Option<[u8; INPUT_FIELDS_MAX]>,
    starved: bool,
    margin: Option<i8>,
}

#[derive(Clone, Debug)]
struct Queued {
    seq: InputSeq,
    due: Tick,
    row: InputRow,
    seen_ago: u16,
}

/// One input as it arrived, its row not yet clamped.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Its number.
    pub seq: InputSeq,
    /// The tick that it is meant for; tick 0 = as soon as possible.
    pub stamp: Tick,
    /// How far behind its sender shows others, in 1/16 ticks.
    pub seen_ago: u16,
    /// One value per input field of the schema.
    pub row: &'a [i32],
}

impl InputQueue {
    /// An empty queue of a room with that many ticks a second: neutral and starved until the first input.
    #[must_use]
    pub fn new(schema: &Schema, tick_rate: u16) -> Self {
        Self {
            starved_ticks: ticks_of(STARVED_MS, tick_rate),
            ahead_ticks: ticks_of(AHEAD_MS, tick_rate),
            queued_max: queued_max(tick_rate),
            queued: VecDeque::new(),
            last_seq: InputSeq(0),
            last_due: Tick(0),
            acked: InputSeq(0),
            levels: neutral_row(schema),
            seen_ago: 0,
            counters: None,
            starved: true,
            margin: None,
        }
    }

    /// Queues an input that arrived while `next` is the next tick. Drops what is not newer than the last one.
    pub fn push(&mut self, arrival: &Arrival<'_>, schema: &Schema, next: Tick) {
        if arrival.seq <= self.last_seq {
            return;
        }
        if arrival.stamp != Tick(0) {
            let early = i64::from(arrival.stamp.0) - i64::from(next.0);
            let early = early.clamp(i64::from(i8::MIN), i64::from(i8::MAX)) as i8;
            self.margin = Some(self.margin.map_or(early, |margin| margin.min(early)));
        }
        self.last_seq = arrival.seq;
        self.last_due = arrival.stamp.min(next.after(self.ahead_ticks)).max(next).max(self.last_due);
        if self.queued.len() >= self.queued_max as usize {
            // Counters are cumulative and levels are held, so only the newer of two neighbours is needed.
            self.queued.pop_back();
        }
        self.queued.push_back(Queued {
            seq: arrival.seq,
            due: self.last_due,
            row: clamp(arrival.row, &schema.inputs),
            seen_ago: arrival.seen_ago,
        });
    }

    /// What the seat does at tick `at`; takes every input that is due.
    pub fn take(&mut self, at: Tick, schema: &Schema) -> SeatInput {
        let mut presses = [0; INPUT_FIELDS_MAX];
        let due = self.queued.iter().take_while(|queued| queued.due <= at).count();
        let newest = self.queued.drain(..due).next_back();
        let fresh = newest.is_some();
        if let Some(newest) = newest {
            self.starved = false;
            self.acked = newest.seq;
            self.seen_ago = newest.seen_ago;
            self.take_row(&newest.row, &schema.inputs, &mut presses);
        } else if !self.starved && at.since(self.last_due) > self.starved_ticks {
            self.starved = true;
            self.go_neutral(&schema.inputs);
        }
        let status = match (fresh, self.starved) {
            (true, _) => InputStatus::Fresh,
            (false, false) => InputStatus::Held,
            (false, true) => InputStatus::Starved,
        };
        SeatInput { status, levels: self.levels, presses, seen_ago: self.seen_ago }
    }

    /// The newest input that a tick took; 0 = none yet.
    #[must_use]
    pub fn acked(&self) -> InputSeq {
        self.acked
    }

    /// True while levels are neutral for want of news.
    #[must_use]
    pub fn is_starved(&self) -> bool {
        self.starved
    }

    /// How many ticks early the latest of the stamped inputs came that arrived since [`InputQueue::forget_margin`];
    /// negative: too late.
    #[must_use]
    pub fn margin(&self) -> Option<i8> {
        self.margin
    }

    /// The client has been told the margin.
    pub fn forget_margin(&mut self) {
        self.margin = None;
    }

    fn take_row(&mut self, row: &InputRow, fields: &[InputField], presses: &mut [u8; INPUT_FIELDS_MAX]) {
        let mut counters = [0; INPUT_FIELDS_MAX];
        for (i, field) in fields.iter().enumerate() {
            match field.sort {
                InputSort::Level => self.levels[i] = row[i],
                InputSort::Press => {
                    counters[i] = row[i] as u8;
                    if let Some(before) = self.counters {
                        presses[i] = counters[i].wrapping_sub(before[i]).min(PRESSES_MAX);
                    }
                }
            }
        }
        self.counters = Some(counters);
    }

    fn go_neutral(&mut self, fields: &[InputField]) {
        for (level, field) in self.levels.iter_mut().zip(fields) {
            if let (InputSort::Level, Neutral::Value(neutral)) = (field.sort, field.neutral) {
                *level = neutral;
            }
        }
    }
}

/// A row within the schema's ranges; a press counter keeps its low eight bits.
fn clamp(row: &[i32], fields: &[InputField]) -> InputRow {
    let mut clamped = [0; INPUT_FIELDS_MAX];
    for ((out, &value), field) in clamped.iter_mut().zip(row).zip(fields) {
        *out = match field.sort {
            InputSort::Level => value.clamp(field.min, field.max),
            InputSort::Press => value & 0xFF,
        };
    }
    clamped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema {
            game: "test".into(),
            rules: 1,
            kinds: vec![],
            inputs: vec![
                InputField::level("go", -10, 10, Neutral::Value(0)),
                InputField::level("aim", 0, 100, Neutral::Hold),
                InputField::press("jump"),
            ],
            events: vec![],
        }
    }

    fn queue() -> InputQueue {
        InputQueue::new(&schema(), 60)
    }

    fn push(queue: &mut InputQueue, seq: u32, stamp: u32, row: [i32; 3], next: u32) {
        let arrival = Arrival { seq: InputSeq(seq), stamp: Tick(stamp), seen_ago: 0, row: &row };
        queue.push(&arrival, &schema(), Tick(next));
    }

    #[test]
    fn an_input_waits_for_its_tick_and_then_holds() {
        let (schema, mut queue) = (schema(), queue());
        assert_eq!(queue.take(Tick(1), &schema).status, InputStatus::Starved);
        push(&mut queue, 1, 5, [99, 50, 7], 3);
        assert_eq!(queue.margin(), Some(2));
        assert_eq!(queue.take(Tick(4), &schema).levels[0], 0);
        let input = queue.take(Tick(5), &schema);
        assert_eq!((input.status, input.levels[0], input.presses[2]), (InputStatus::Fresh, 10, 0));
        assert_eq!(queue.acked(), InputSeq(1));
        let input = queue.take(Tick(6), &schema);
        assert_eq!((input.status, input.levels[0]), (InputStatus::Held, 10));
    }

    #[test]
    fn late_and_unstamped_inputs_count_at_the_next_tick() {
        let (schema, mut queue) = (schema(), queue());
        push(&mut queue, 1, 0, [1, 0, 0], 9);
        assert_eq!(queue.margin(), None, "an unstamped input has no margin");
        push(&mut queue, 2, 4, [2, 0, 0], 9);
        assert_eq!(queue.margin(), Some(-5));
        let input = queue.take(Tick(9), &schema);
        assert_eq!((input.levels[0], queue.acked()), (2, InputSeq(2)));
    }

    #[test]
    fn an_input_is_never_taken_before_an_older_one() {
        let (schema, mut queue) = (schema(), queue());
        push(&mut queue, 1, 20, [1, 0, 0], 10);
        push(&mut queue, 2, 12, [2, 0, 0], 10);
        assert_eq!(queue.take(Tick(12), &schema).status, InputStatus::Starved);
        assert_eq!(queue.take(Tick(20), &schema).levels[0], 2);
    }

    #[test]
    fn duplicates_and_old_seqs_are_dropped() {
        let (schema, mut queue) = (schema(), queue());
        push(&mut queue, 5, 0, [5, 0, 0], 1);
        push(&mut queue, 5, 0, [6, 0, 0], 1);
        push(&mut queue, 4, 0, [7, 0, 0], 1);
        assert_eq!(queue.take(Tick(1), &schema).levels[0], 5);
    }

    #[test]
    fn a_stamp_far_ahead_is_taken_as_half_a_second() {
        let (schema, mut queue) = (schema(), queue());
        push(&mut queue, 1, u32::MAX, [1, 0, 0], 10);
        assert_eq!(queue.take(Tick(39), &schema).status, InputStatus::Starved);
        assert_eq!(queue.take(Tick(40), &schema).status, InputStatus::Fresh);
    }

    #[test]
    fn presses_survive_coalescing_and_a_burst_is_cut_to_two() {
        let (schema, mut queue) = (schema(), queue());
        push(&mut queue, 1, 0, [0, 0, 254], 1);
        assert_eq!(queue.take(Tick(1), &schema).presses[2], 0, "the first input presses nothing");
        push(&mut queue, 2, 0, [0, 0, 255], 2);
        push(&mut queue, 3, 0, [0, 0, 0], 2);
        assert_eq!(queue.take(Tick(2), &schema).presses[2], 2, "the counter wraps");
        for seq in 4..204 {
            push(&mut queue, seq, 0, [0, 0, seq as i32 & 0xFF], 3);
        }
        assert!(queue.queued.len() <= 32);
        assert_eq!(queue.take(Tick(3), &schema).presses[2], 2);
        assert_eq!(queue.acked(), InputSeq(203), "a full queue loses no news");
        assert_eq!(queue.take(Tick(4), &schema).presses[2], 0, "the rest is discarded");
    }

    #[test]
    fn silence_makes_levels_neutral_but_holds_what_has_no_neutral() {
        let (schema, mut queue) = (schema(), queue());
        push(&mut queue, 1, 10, [3, 42, 0], 10);
        for at in 10..=25 {
            assert_eq!(queue.take(Tick(at), &schema).levels[0], 3, "tick {at}");
        }
        let input = queue.take(Tick(26), &schema);
        assert_eq!((input.status, input.levels[0], input.levels[1]), (InputStatus::Starved, 0, 42));
        push(&mut queue, 2, 0, [3, 42, 0], 27);
        assert_eq!(queue.take(Tick(27), &schema).status, InputStatus::Fresh);
        assert!(!queue.is_starved());
    }

    #[test]
    fn the_margin_is_the_smallest_since_it_was_told() {
        let mut queue = queue();
        push(&mut queue, 1, 14, [0; 3], 10);
        push(&mut queue, 2, 11, [0; 3], 10);
        push(&mut queue, 3, 16, [0; 3], 10);
        assert_eq!(queue.margin(), Some(1));
        queue.forget_margin();
        assert_eq!(queue.margin(), None);
        push(&mut queue, 4, 1, [0; 3], 10_000);
        assert_eq!(queue.margin(), Some(i8::MIN));
    }
}
