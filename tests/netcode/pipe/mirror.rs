//! Which tick took which input: the same queues as the room's, fed with the same inputs. Each tick's result is compared
//! with what the game was really given, so the mirror cannot drift from the room unnoticed.

use std::collections::VecDeque;

use tickroom::game::{SeatInput, SeatInputs};
use tickroom::ids::{InputSeq, SeatId, Tick, ViewerId};
use tickroom::protocol::message::Input;
use tickroom::protocol::schema::Schema;
use tickroom::sim::input::{Arrival, InputQueue};

use crate::bytes::Put;

/// Arena's, which takes no other.
const TICK_RATE: u16 = 60;

#[derive(Default)]
pub(crate) struct Mirrors {
    list: Vec<Mirror>,
    taken: Vec<Taken>,
}

struct Mirror {
    viewer: ViewerId,
    seat: SeatId,
    queue: InputQueue,
    waiting: VecDeque<Taken>,
    schema: Schema,
}

/// One input's way through the room.
struct Taken {
    viewer: ViewerId,
    seq: u32,
    stamp: u32,
    next_on_arrival: u32,
    taken_at: u32,
}

impl Mirrors {
    pub(crate) fn add(&mut self, viewer: ViewerId, seat: SeatId, schema: &Schema) {
        let (queue, waiting) = (InputQueue::new(schema, TICK_RATE), VecDeque::new());
        self.list.push(Mirror { viewer, seat, queue, waiting, schema: schema.clone() });
    }

    pub(crate) fn push(&mut self, viewer: ViewerId, input: &Input, next: Tick) {
        let Some(mirror) = self.list.iter_mut().find(|mirror| mirror.viewer == viewer) else { return };
        let arrival =
            Arrival { seq: InputSeq(input.seq), stamp: Tick(input.tick), seen_ago: input.seen_ago, row: &input.row };
        mirror.queue.push(&arrival, &mirror.schema, next);
        let (stamp, next_on_arrival) = (input.tick, next.0);
        mirror.waiting.push_back(Taken { viewer, seq: input.seq, stamp, next_on_arrival, taken_at: 0 });
    }

    /// # Panics
    /// If the game was given anything else than this queue gives.
    pub(crate) fn take(&mut self, tick: Tick, schema: &Schema, given: &SeatInputs) {
        for mirror in &mut self.list {
            let Some(real) = given.get(mirror.seat) else { continue };
            let ours = mirror.queue.take(tick, schema);
            let ours = SeatInput { seen_ago: real.seen_ago, ..ours };
            assert_eq!(ours, *real, "seat {} at tick {}: the mirror differs from the room", mirror.seat.0, tick.0);
            let acked = mirror.queue.acked().0;
            while mirror.waiting.front().is_some_and(|waiting| waiting.seq <= acked) {
                let taken = mirror.waiting.pop_front().expect("looked at above");
                self.taken.push(Taken { taken_at: tick.0, ..taken });
            }
        }
    }

    pub(crate) fn report(&mut self, out: &mut Vec<u8>) {
        out.put_u32(self.taken.len() as u32);
        for Taken { viewer, seq, stamp, next_on_arrival, taken_at } in self.taken.drain(..) {
            [viewer.0, seq, stamp, next_on_arrival, taken_at].into_iter().for_each(|value| out.put_u32(value));
        }
    }
}
