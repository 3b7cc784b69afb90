//! A small made-up game, unlike any that a client may know: what the runner shows.

use std::collections::BTreeMap;

use crate::protocol::bits::BitWriter;
use crate::protocol::delta::{Ids, put_delta, put_event, put_fields, put_kind, put_no_event, row_hash};
use crate::protocol::message::{ServerMessage, SnapshotHeader, Tier, flags};
use crate::protocol::schema::{EntityKind, EventKind, Field, InputField, Neutral, Schema};

/// Ticks from one snapshot to the next.
pub(super) const TICKS_PER_SNAPSHOT: u32 = 2;

/// The controls: a level with a neutral, a level that holds, a press counter, a level whose range is lopsided.
pub(super) fn schema() -> Schema {
    let moving = vec![Field::linear("px", 256, 4), Field::linear("py", 256, 4), Field::angle("nose", 8)];
    let fine = vec![Field::linear("px", 256, 0), Field::linear("py", 256, 0), Field::angle("nose", 0)];
    // Every order occurs that a client may meet, fit or unfit for what is told.
    let wide = (0..20).map(|i| Field::step(&format!("w{i}")).orders(i, 30 - i)).collect();
    Schema {
        game: "conformance".into(),
        rules: 7,
        kinds: vec![
            EntityKind::public("whale", moving),
            EntityKind::private("self", fine),
            EntityKind::public("ledger", wide),
            EntityKind::constant("buoy", vec![]),
            EntityKind::public("tally", vec![Field::step("seat"), Field::tick("due")]),
        ],
        inputs: vec![
            InputField::level("paddle", -3, 9, Neutral::Value(0)),
            InputField::level("gaze", 0, 65_535, Neutral::Hold),
            InputField::press("dive"),
            InputField::level("song", 5, 8, Neutral::Value(6)),
        ],
        events: vec![
            EventKind::new("splash", vec![Field::tick("since"), Field::step("py").scaled(256, 4)]),
            EventKind::new("gong", vec![]),
        ],
    }
}

type Rows = BTreeMap<u32, (u8, Vec<i32>)>;

/// How the next snapshot is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bend {
    /// It is right.
    None,
    /// Its digest is another view's.
    Digest,
    /// It is relative to a state before the client's.
    Base,
    /// An entity leaves that the client does not hold.
    Left,
}

/// The game's state, and what its one viewer holds.
pub(super) struct World {
    schema: Schema,
    tier: Tier,
    tick: u32,
    now: Rows,
    held: Rows,
    /// The tick of the last snapshot sent; `None`: the next has base 0.
    base: Option<u32>,
    /// The newest input that the client sent: acked in the next snapshot.
    pub(super) ack: u32,
}

impl World {
    pub(super) fn new(tier: Tier) -> Self {
        let mut world =
            Self { schema: schema(), tier, tick: 1000, now: Rows::new(), held: Rows::new(), base: None, ack: 0 };
        world.step(0);
        world
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn tick(&self) -> u32 {
        self.tick
    }

    /// The next snapshot has base 0: the client is new, or asked for it.
    pub(super) fn forget(&mut self) {
        self.base = None;
        self.held.clear();
    }

    /// `ticks` pass: whales swim and turn, some come and go, one id is reborn as another kind.
    pub(super) fn step(&mut self, ticks: u32) {
        self.tick += ticks;
        let t = self.tick as i32;
        self.now.clear();
        for id in 1..=9_u32 {
            let i = id as i32;
            // Each is away for a part of its own cycle.
            if id > 3 && (self.tick / 10 + id).is_multiple_of(4) {
                continue;
            }
            let nose = if id % 2 == 0 { t * i } else { -t * i };
            self.now.insert(id * id, (0, self.quantise(0, &[t * i * 40, -t * 3, nose & 0xFFFF])));
        }
        let own = self.quantise(1, &[t * 40, -t * 3, (t * 17) & 0xFFFF]);
        self.now.insert(300, (1, own));
        let ledger = (0..20).map(|i| if i % 7 == 0 { t / (i + 1) } else { i * 1000 - 9000 }).collect();
        self.now.insert(250, (2, ledger));
        let reborn = if (self.tick / 60).is_multiple_of(2) { (3, vec![]) } else { (4, vec![1, t]) };
        self.now.insert(70_000, reborn);
        self.now.insert(1_048_575, (4, vec![0, -t]));
    }

    fn quantise(&self, kind: usize, exact: &[i32]) -> Vec<i32> {
        exact.iter().zip(&self.schema.kinds[kind].fields).map(|(&value, field)| field.quantise(value)).collect()
    }

    /// As many buoys as a message nearly of the longest length takes, or none of them.
    pub(super) fn crowd(&mut self, there: bool) {
        self.now.retain(|&id, _| !(100_000..200_000).contains(&id));
        if there {
            // Ten bits each.
            self.now.extend((100_000..150_000).map(|id| (id, (3, vec![]))));
        }
    }

    /// The message of the snapshot of now, and what the viewer holds from then on.
    pub(super) fn snapshot(&mut self, bend: Bend) -> Vec<u8> {
        if self.tier == Tier::Full {
            self.forget();
        }
        let base = self.base.map_or(0, |base| self.tick - base);
        let with_digest =
            bend == Bend::Digest || (bend == Bend::None && (self.tick / TICKS_PER_SNAPSHOT).is_multiple_of(8));
        let header = SnapshotHeader {
            tick: self.tick.into(),
            base: if bend == Bend::Base { base + TICKS_PER_SNAPSHOT } else { base },
            ack: self.ack,
            margin: 1,
            // Two bits that no client knows.
            flags: 0x60 | if with_digest { flags::DIGEST } else { 0 },
            lateness: 3,
            skipped: 0,
        };
        let mut body = BitWriter::default();
        self.put_body(bend, &mut body);
        if with_digest {
            let hash = |(&id, (kind, fields)): (&u32, &(u8, Vec<i32>))| row_hash(id, *kind, fields);
            let right = self.now.iter().map(hash).fold(0, u32::wrapping_add);
            body.fixed_u32(if bend == Bend::Digest { !right } else { right });
        }
        self.held = self.now.clone();
        self.base = Some(self.tick);
        [ServerMessage::Snapshot(header).encode().as_slice(), body.bytes()].concat()
    }

    fn put_body(&self, bend: Bend, out: &mut BitWriter) {
        let stays = |id: &u32| {
            let (old, new) = (self.held.get(id), self.now.get(id));
            old.zip(new).is_some_and(|(old, new)| old.0 == new.0)
        };
        let mut left: Vec<u32> = self.held.keys().copied().filter(|id| !stays(id)).collect();
        if bend == Bend::Left {
            // Between the ids that are ever used.
            let at = left.partition_point(|&id| id < 299);
            left.insert(at, 299);
        }
        let mut ids = Ids::default();
        left.iter().for_each(|&id| ids.put(id, out));
        ids.end(out);
        for (id, (kind, old)) in self.held.iter().filter(|(id, _)| stays(id)) {
            put_delta(&self.schema.kinds[usize::from(*kind)], old, &self.now[id].1, out);
        }
        let mut ids = Ids::default();
        for (&id, (kind, row)) in self.now.iter().filter(|(id, _)| !stays(id)) {
            ids.put(id, out);
            put_kind(*kind, out);
            put_fields(&self.schema.kinds[usize::from(*kind)].fields, self.tick, row, out);
        }
        ids.end(out);
        if self.tick.is_multiple_of(20) {
            let happened = self.tick - 1;
            put_event(0, 1, out);
            put_fields(&self.schema.events[0].fields, happened, &[happened as i32 - 5, -70_000], out);
            put_event(1, 0, out);
        }
        put_no_event(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::codec::MESSAGE_BYTES_MAX;
    use crate::protocol::schema::Interpolation;
    use crate::protocol::view::{Applied, View};

    fn apply(view: &mut View, message: &[u8]) -> bool {
        let (ServerMessage::Snapshot(header), body) = ServerMessage::decode(message).unwrap() else { panic!() };
        view.apply(&header, body) == Ok(Applied::Yes)
    }

    #[test]
    fn a_view_follows_the_world_in_both_tiers_and_notices_each_bend() {
        for tier in [Tier::Full, Tier::Delta] {
            let mut world = World::new(tier);
            world.schema().check().unwrap();
            let mut view = View::new(world.schema());
            for step in 1..200 {
                assert!(apply(&mut view, &world.snapshot(Bend::None)), "{tier:?} step {step}");
                assert_eq!(view.len(), world.now.len());
                world.step(if step % 13 == 0 { 40 } else { TICKS_PER_SNAPSHOT });
            }
        }
        for bend in [Bend::Digest, Bend::Base, Bend::Left] {
            let mut world = World::new(Tier::Delta);
            let mut view = View::new(world.schema());
            assert!(apply(&mut view, &world.snapshot(Bend::None)));
            world.step(TICKS_PER_SNAPSHOT);
            assert!(!apply(&mut view, &world.snapshot(bend)), "{bend:?}");
            world.forget();
            world.step(TICKS_PER_SNAPSHOT);
            assert!(apply(&mut view, &world.snapshot(Bend::None)), "{bend:?}: base 0 heals");
        }
    }

    #[test]
    fn the_crowd_nearly_fills_a_message() {
        let mut world = World::new(Tier::Delta);
        world.crowd(true);
        let bytes = world.snapshot(Bend::None).len();
        assert!((60_000..=MESSAGE_BYTES_MAX).contains(&bytes), "{bytes}");
    }

    #[test]
    fn every_interpolation_and_neutral_occurs() {
        let schema = schema();
        let has = |wanted| schema.kinds.iter().flat_map(|kind| &kind.fields).any(|field| field.interpolation == wanted);
        assert!(has(Interpolation::Step) && has(Interpolation::Linear) && has(Interpolation::Angle));
        assert!(has(Interpolation::Tick) && schema.kinds.iter().any(|kind| kind.constant));
        assert!(schema.inputs.iter().any(|field| field.neutral == Neutral::Hold));
    }
}
