//! A stream of snapshots as a server would send them, and what a client holds after each.

use std::collections::BTreeMap;

use serde::Serialize;
use tickroom::protocol::codec::varint;
use tickroom::protocol::delta::{put_delta, put_full, row_hash};
use tickroom::protocol::hex;
use tickroom::protocol::message::{ServerMessage, SnapshotHeader, flags};
use tickroom::protocol::schema::*;
use tickroom::protocol::view::{Applied, View};

/// A mover, a private purse, a kind with a mask of five bytes, a kind without fields; events with and without fields.
pub(crate) fn schema() -> Schema {
    let kind = |name: &str, fields| EntityKind { name: name.into(), private: false, fields };
    let mut purse = kind("purse", vec![Field::step("coins")]);
    purse.private = true;
    Schema {
        game: "toy".into(),
        rules: 1,
        kinds: vec![
            kind("mover", vec![Field::linear("x", 4096, 10), Field::angle("heading", 8), Field::step("score")]),
            purse,
            kind("wide", (0..17).map(|i| Field::step(&format!("f{i}"))).collect()),
            kind("dot", vec![]),
        ],
        inputs: vec![],
        events: vec![
            EventKind { name: "bump".into(), fields: vec![Field::step("a"), Field::step("b")] },
            EventKind { name: "bang".into(), fields: vec![] },
        ],
    }
}

type Rows = BTreeMap<u32, (u8, Vec<i32>)>;
type Event = (u8, u32, Vec<i32>);

/// What a client must do with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    /// Its view is the server's.
    Applied,
    /// It does not fit: send Resync.
    Resync,
    /// The view is broken and this is no new beginning: look away.
    Ignored,
}

#[derive(Serialize)]
struct Row {
    id: u32,
    kind: u8,
    fields: Vec<i32>,
}

#[derive(Serialize)]
struct EventRow {
    kind: u8,
    tick: u32,
    fields: Vec<i32>,
}

#[derive(Serialize)]
struct Step {
    name: String,
    hex: String,
    answer: Answer,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<Vec<Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<u32>,
}

/// The server's side of one seat, and a client that follows it.
struct Stream {
    schema: Schema,
    rows: Rows,
    tick: u32,
    view: View,
    steps: Vec<Step>,
}

/// A body by its parts, so that each can be bent.
#[derive(Default)]
struct Body {
    left: Vec<u32>,
    changed: Vec<u8>,
    entered: Vec<u8>,
    events: Vec<u8>,
    digest: Vec<u8>,
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_ids(&self.left, &mut out);
        for part in [&self.changed, &self.entered, &self.events, &self.digest] {
            out.extend(part);
        }
        out
    }
}

fn put_ids(ids: &[u32], out: &mut Vec<u8>) {
    varint::put_u32(out, ids.len() as u32);
    let mut previous = 0;
    for &id in ids {
        varint::put_u32(out, id - previous);
        previous = id;
    }
}

fn digest(rows: &Rows) -> u32 {
    rows.iter().fold(0, |sum, (&id, (kind, fields))| sum.wrapping_add(row_hash(id, *kind, fields)))
}

impl Stream {
    fn new() -> Self {
        let schema = schema();
        Self { view: View::new(&schema), schema, rows: Rows::new(), tick: 0, steps: Vec::new() }
    }

    /// The body that turns what is held into `now`; ids in `reborn` leave and enter at once.
    fn body(&self, held: &Rows, now: &Rows, reborn: &[u32], events: &[Event], with_digest: bool) -> Body {
        let stays = |id: &u32| held.contains_key(id) && now.contains_key(id) && !reborn.contains(id);
        let kept: Vec<u32> = held.keys().copied().filter(stays).collect();
        let mut body = Body { left: held.keys().copied().filter(|id| !stays(id)).collect(), ..Body::default() };
        let mut deltas = Vec::new();
        body.changed.resize(kept.len().div_ceil(8), 0);
        for (at, id) in kept.iter().enumerate() {
            let ((kind, before), (_, after)) = (&held[id], &now[id]);
            if put_delta(&self.schema.kinds[usize::from(*kind)], before, after, &mut deltas) {
                body.changed[at / 8] |= 1 << (at % 8);
            }
        }
        body.changed.extend(deltas);
        let entered: Vec<u32> = now.keys().copied().filter(|id| !stays(id)).collect();
        varint::put_u32(&mut body.entered, entered.len() as u32);
        let mut previous = 0;
        for id in entered {
            varint::put_u32(&mut body.entered, id - previous);
            previous = id;
            put_full(now[&id].0, &now[&id].1, &mut body.entered);
        }
        varint::put_u32(&mut body.events, events.len() as u32);
        for (kind, age, fields) in events {
            body.events.push(*kind);
            varint::put_u32(&mut body.events, *age);
            fields.iter().for_each(|&value| varint::put_i32(&mut body.events, value));
        }
        if with_digest {
            body.digest = digest(now).to_le_bytes().into();
        }
        body
    }

    fn send(&mut self, name: &str, header: SnapshotHeader, body: &[u8], answer: Answer, events: &[Event]) {
        let bytes = [ServerMessage::Snapshot(header).encode(), body.to_vec()].concat();
        let happened = match self.view.apply(&header, body) {
            Ok(Applied::Yes) => Answer::Applied,
            Ok(Applied::Waiting) => Answer::Ignored,
            Err(_) => Answer::Resync,
        };
        assert_eq!(happened, answer, "{name}");
        let tick = u32::from(header.tick);
        let mut step =
            Step { name: name.into(), hex: hex::encode(&bytes), answer, view: None, events: None, digest: None };
        if answer == Answer::Applied {
            let held: Rows = self.view.rows().map(|(id, kind, fields)| (id.get(), (kind.0, fields.to_vec()))).collect();
            assert_eq!(held, self.rows, "{name}: the Rust view");
            assert_eq!(self.view.digest(), digest(&self.rows), "{name}: the Rust digest");
            let row = |(&id, (kind, fields)): (&u32, &(u8, Vec<i32>))| Row { id, kind: *kind, fields: fields.clone() };
            step.view = Some(self.rows.iter().map(row).collect());
            let event =
                |(kind, age, fields): &Event| EventRow { kind: *kind, tick: tick - age, fields: fields.clone() };
            step.events = Some(events.iter().map(event).collect());
            step.digest = Some(digest(&self.rows));
        }
        self.steps.push(step);
    }

    fn header(&self, base: u32, with_digest: bool) -> SnapshotHeader {
        let flags = if with_digest { flags::DIGEST } else { 0 };
        SnapshotHeader { tick: self.tick.into(), base, ack: 0, margin: 0, flags, lateness: 0, skipped: 0 }
    }

    /// Base 0: everything anew.
    fn full(&mut self, name: &str, now: &Rows, with_digest: bool) {
        self.tick += 2;
        let body = self.body(&Rows::new(), now, &[], &[], with_digest).bytes();
        self.rows = now.clone();
        self.send(name, self.header(0, with_digest), &body, Answer::Applied, &[]);
    }

    /// `after` ticks later, relative to `base` ticks before.
    fn delta(&mut self, name: &str, (after, base): (u32, u32), now: &Rows, reborn: &[u32], events: &[Event]) {
        self.tick += after;
        let with_digest = after != 2;
        let body = self.body(&self.rows, now, reborn, events, with_digest).bytes();
        self.rows = now.clone();
        self.send(name, self.header(base, with_digest), &body, Answer::Applied, events);
    }

    /// Something that does not fit, what a client does with the next delta, and how it heals.
    fn breaks(&mut self, name: &str, base: u32, change: impl FnOnce(&mut SnapshotHeader, &mut Body)) {
        self.tick += 2;
        let mut header = self.header(base, false);
        let mut body = self.body(&self.rows, &self.rows, &[], &[], false);
        change(&mut header, &mut body);
        self.send(name, header, &body.bytes(), Answer::Resync, &[]);
        self.tick += 2;
        let next = self.body(&self.rows, &self.rows, &[], &[], false).bytes();
        self.send("a delta while the view is broken", self.header(2, false), &next, Answer::Ignored, &[]);
        let rows = self.rows.clone();
        self.full("base 0 heals it", &rows, true);
    }
}

/// The lines of `snapshots.json`.
pub(crate) fn steps() -> Vec<String> {
    let mut stream = Stream::new();
    let wide: Vec<i32> = (0..17).map(|i| if i % 2 == 0 { i * 1000 } else { -i * 1000 }).collect();

    let nothing = Rows::new();
    stream.tick = 600;
    let early = stream.body(&nothing, &nothing, &[], &[], false).bytes();
    stream.send("a delta before any base 0", stream.header(2, false), &early, Answer::Ignored, &[]);
    stream.full("an empty view", &nothing, true);
    let mut now = Rows::from([(1, (0, vec![100, 64, 0])), (4, (0, vec![-152, 0, 1])), (9, (1, vec![5]))]);
    stream.full("two movers and a purse", &now, true);

    stream.delta("nothing changes, told all the same", (2, 2), &now, &[], &[]);
    now.insert(1, (0, vec![103, 62, 0]));
    stream.delta("one moves and turns", (2, 2), &now, &[], &[]);
    now.insert(1, (0, vec![103, 250, 0]));
    now.insert(4, (0, vec![-152, 4, 1]));
    stream.delta("one turns down through zero, one up", (2, 2), &now, &[], &[]);
    now.insert(1, (0, vec![103, 5, 0]));
    now.insert(4, (0, vec![-152, 132, 1]));
    stream.delta("one turns up through zero, one by half a turn", (2, 2), &now, &[], &[]);
    now.insert(9, (1, vec![i32::MAX]));
    stream.delta("a value at its largest", (2, 2), &now, &[], &[]);
    now.insert(9, (1, vec![i32::MIN]));
    stream.delta("a difference that wraps", (2, 2), &now, &[], &[]);
    now.insert(9, (1, vec![-1]));
    now.insert(250, (2, wide.clone()));
    now.insert(600, (3, vec![]));
    now.insert(1_048_575, (0, vec![1_000_000, 255, -1]));
    stream.delta("entering with long gaps, a wide kind, a kind without fields, the largest id", (2, 2), &now, &[], &[]);
    let mut wider = wide.clone();
    (wider[0], wider[8], wider[16]) = (1, i32::MIN, 300);
    now.insert(250, (2, wider));
    stream.delta("a mask of five bytes", (2, 2), &now, &[], &[]);
    now.remove(&4);
    now.remove(&600);
    stream.delta("two leave", (2, 2), &now, &[], &[]);
    now.insert(9, (3, vec![]));
    stream.delta("an id comes back as another kind", (2, 2), &now, &[9], &[]);
    stream.delta("an entity leaves and enters unchanged", (2, 2), &now, &[1], &[]);
    let events = [(0, 0, vec![1, -4]), (1, 1, vec![]), (0, 300, vec![i32::MIN, i32::MAX])];
    stream.delta("events", (2, 2), &now, &[], &events);
    for id in 20..25 {
        now.insert(id, (1, vec![id as i32]));
    }
    stream.delta("nine are held from here", (2, 2), &now, &[], &[]);
    now.insert(1_048_575, (0, vec![1_000_001, 255, -1]));
    stream.delta("the ninth changes", (2, 2), &now, &[], &[]);
    now.remove(&20);
    now.insert(1_048_575, (0, vec![1_000_002, 255, -1]));
    stream.delta("one leaves, and the eighth of those left changes", (2, 2), &now, &[], &[]);
    now.insert(1, (0, vec![110, 5, 0]));
    stream.delta("empty ones were not sent: the base lies after the last one", (10, 2), &now, &[], &[]);
    now.insert(1, (0, vec![150, 6, 0]));
    stream.delta("after a long skip, relative to the last one", (300, 300), &now, &[], &[(1, 60, vec![])]);
    stream.tick += 2;
    let mut unknown = stream.header(2, false);
    unknown.flags = 0xF0;
    let body = stream.body(&stream.rows, &now, &[], &[], false).bytes();
    stream.send("flags that nobody knows", unknown, &body, Answer::Applied, &[]);
    stream.full("base 0 in the middle", &now.clone(), false);
    stream.full("base 0 twice", &nothing, true);
    stream.full("and once more", &now, true);

    stream.breaks("a base before the last one", 4, |_, _| {});
    stream.breaks("a base before the beginning of time", u32::MAX, |_, _| {});
    stream.breaks("a digest that differs", 2, |header, body| {
        header.flags = flags::DIGEST;
        body.digest = vec![1, 2, 3, 4];
    });
    stream.breaks("a digest that is cut short", 2, |header, body| {
        header.flags = flags::DIGEST;
        body.digest = vec![1, 2, 3];
    });
    stream.breaks("one leaves that is not held", 2, |_, body| body.left = vec![2]);
    stream.breaks("one leaves above all that are held", 2, |_, body| body.left = vec![1_048_574]);
    stream.breaks("one enters that is held", 2, |_, body| body.entered = vec![1, 1, 3]);
    stream.breaks("id 0 enters", 2, |_, body| body.entered = vec![1, 0, 3]);
    stream.breaks("a gap of 0 in the middle", 2, |_, body| body.entered = vec![2, 2, 3, 0, 3]);
    stream.breaks("an id above the largest", 2, |_, body| body.entered = vec![1, 252, 0, 0, 16, 0, 3]);
    stream.breaks("gaps whose sum leaves 32 bits", 2, |_, body| {
        body.entered = vec![2, 2, 3, 252, 255, 255, 255, 255, 3];
    });
    stream.breaks("a kind that the schema does not have", 2, |_, body| body.entered = vec![1, 2, 4]);
    stream.breaks("an event kind that the schema does not have", 2, |_, body| body.events = vec![1, 2, 0]);
    stream.breaks("a field mask beyond the kind's fields", 2, |_, body| body.changed = vec![1, 0b1000]);
    stream.breaks("a bit beyond the last entity held", 2, |_, body| body.changed = vec![0, 0x80, 0]);
    stream.breaks("a body that ends early", 2, |_, body| body.events.clear());
    stream.breaks("a byte too many", 2, |_, body| body.events.push(0));
    stream.breaks("a difference with a marker too wide", 2, |_, body| body.changed = vec![1, 1, 253]);
    stream.breaks("more entities than bytes", 2, |_, body| body.entered = vec![252, 255, 255, 255, 255]);
    stream.steps.iter().map(|step| serde_json::to_string(step).unwrap()).collect()
}
