//! A stream of snapshots as a server would send them, and what a client holds after each.

use std::collections::BTreeMap;

use serde::Serialize;
use tickroom::protocol::bits::BitWriter;
use tickroom::protocol::delta::{GAP_ORDER, KIND_ORDER};
use tickroom::protocol::delta::{Ids, put_delta, put_event, put_fields, put_kind, put_no_event, row_hash};
use tickroom::protocol::hex;
use tickroom::protocol::message::{ServerMessage, SnapshotHeader, flags};
use tickroom::protocol::schema::*;
use tickroom::protocol::view::{Applied, View};

/// A mover, a private purse, a wide kind with an order for each field, a kind without fields, one that never changes;
/// events with and without fields.
pub(crate) fn schema() -> Schema {
    let mover = vec![Field::linear("x", 4096, 10).orders(4, 9), Field::angle("heading", 8), Field::step("score")];
    Schema {
        game: "toy".into(),
        rules: 1,
        kinds: vec![
            EntityKind::public("mover", mover),
            EntityKind::private("purse", vec![Field::step("coins").orders(0, 0), Field::tick("due").orders(30, 4)]),
            EntityKind::public("wide", (0..17).map(|i| Field::step(&format!("f{i}")).orders(30 - i, i)).collect()),
            EntityKind::public("dot", vec![]),
            EntityKind::constant("gate", vec![Field::linear("x", 4096, 12), Field::tick("shuts_at")]),
        ],
        inputs: vec![],
        events: vec![
            EventKind::new("bump", vec![Field::step("a").orders(0, 30), Field::step("b").orders(0, 0)]),
            EventKind::new("bang", vec![]),
            EventKind::new("gong", vec![Field::tick("since"), Field::angle("from", 10)]),
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
    left: BitWriter,
    changed: BitWriter,
    entered: BitWriter,
    events: BitWriter,
    digest: Vec<u8>,
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        let mut out = BitWriter::default();
        for part in [&self.left, &self.changed, &self.entered, &self.events] {
            out.append(part);
        }
        [out.bytes(), &self.digest].concat()
    }
}

/// Bits as they come, for a body that no server would make: `1` and `0`, and blanks for reading.
fn bits(text: &str) -> BitWriter {
    let mut out = BitWriter::default();
    text.chars().filter(|&bit| bit != ' ').for_each(|bit| out.bit(bit == '1'));
    out
}

/// A list of these ids and what `then` puts after each.
fn list(ids: impl Iterator<Item = u32>, mut then: impl FnMut(u32, &mut BitWriter)) -> BitWriter {
    let (mut out, mut list) = (BitWriter::default(), Ids::default());
    for id in ids {
        list.put(id, &mut out);
        then(id, &mut out);
    }
    list.end(&mut out);
    out
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
        let kinds = &self.schema.kinds;
        let mut body = Body { left: list(held.keys().copied().filter(|id| !stays(id)), |_, _| {}), ..Body::default() };
        for (id, (kind, before)) in held.iter().filter(|(id, _)| stays(id)) {
            put_delta(&kinds[usize::from(*kind)], before, &now[id].1, &mut body.changed);
        }
        body.entered = list(now.keys().copied().filter(|id| !stays(id)), |id, out| {
            let (kind, row) = &now[&id];
            put_kind(*kind, out);
            put_fields(&kinds[usize::from(*kind)].fields, self.tick, row, out);
        });
        for (kind, age, fields) in events {
            put_event(*kind, *age, &mut body.events);
            put_fields(&self.schema.events[usize::from(*kind)].fields, self.tick - age, fields, &mut body.events);
        }
        put_no_event(&mut body.events);
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
    let mut now = Rows::from([(1, (0, vec![100, 64, 0])), (4, (0, vec![-152, 0, 1])), (9, (1, vec![5, 700]))]);
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
    now.insert(1, (0, vec![103, 5, -3]));
    stream.delta("only what does not move changes", (2, 2), &now, &[], &[]);
    now.insert(9, (1, vec![i32::MAX, 700]));
    stream.delta("a value at its largest, of order 0", (2, 2), &now, &[], &[]);
    now.insert(9, (1, vec![i32::MIN, 700]));
    stream.delta("a difference that wraps", (2, 2), &now, &[], &[]);
    now.insert(9, (1, vec![0, 700]));
    stream.delta("the longest number of order 0", (2, 2), &now, &[], &[]);
    now.insert(9, (1, vec![0, -1]));
    stream.delta("a tick changes by its difference", (2, 2), &now, &[], &[]);
    now.insert(250, (2, wide.clone()));
    now.insert(600, (3, vec![]));
    now.insert(601, (4, vec![-7, 621]));
    now.insert(602, (4, vec![0, i32::MIN]));
    now.insert(1_048_575, (0, vec![1_000_000, 255, -1]));
    stream.delta("entering: long gaps, a wide kind, one without fields, ticks, the largest id", (2, 2), &now, &[], &[]);
    let mut wider = wide.clone();
    (wider[0], wider[8], wider[16]) = (1, i32::MIN, 300);
    now.insert(250, (2, wider));
    stream.delta("three of seventeen fields change", (2, 2), &now, &[], &[]);
    now.insert(250, (2, vec![i32::MAX; 17]));
    stream.delta("all of seventeen fields change, of every order", (2, 2), &now, &[], &[]);
    now.remove(&4);
    now.remove(&600);
    stream.delta("two leave", (2, 2), &now, &[], &[]);
    now.insert(9, (3, vec![]));
    stream.delta("an id comes back as another kind", (2, 2), &now, &[9], &[]);
    stream.delta("an entity leaves and enters unchanged", (2, 2), &now, &[1], &[]);
    now.insert(601, (4, vec![-8, 621]));
    stream.delta("one of a constant kind changes all the same", (2, 2), &now, &[601], &[]);
    let events = [(0, 0, vec![1, -4]), (1, 1, vec![]), (0, 300, vec![i32::MIN, i32::MAX]), (2, 5, vec![600, 63])];
    stream.delta("events", (2, 2), &now, &[], &events);
    for id in 20..25 {
        now.insert(id, (1, vec![id as i32, 600]));
    }
    stream.delta("eleven are held from here", (2, 2), &now, &[], &[]);
    now.insert(1_048_575, (0, vec![1_000_001, 255, -1]));
    stream.delta("the last changes", (2, 2), &now, &[], &[]);
    now.remove(&20);
    now.insert(1_048_575, (0, vec![1_000_002, 255, -1]));
    stream.delta("one leaves, and the last of those left changes", (2, 2), &now, &[], &[]);
    now.insert(1, (0, vec![110, 5, 0]));
    stream.delta("empty ones were not sent: the base lies after the last one", (10, 2), &now, &[], &[]);
    now.insert(1, (0, vec![150, 6, 0]));
    stream.delta("after a long skip, relative to the last one", (300, 300), &now, &[], &[(1, 60, vec![])]);
    stream.tick += 2;
    let mut unknown = stream.header(2, false);
    unknown.flags = 0xF0;
    let body = stream.body(&stream.rows, &now, &[], &[], false).bytes();
    stream.send("flags that nobody knows", unknown, &body, Answer::Applied, &[]);
    let mut idle = stream.body(&stream.rows, &now, &[], &[], false);
    // The first held is a mover: changed, by 0 and 0, and of the rest the score, by 0.
    idle.changed = bits("1 00000 0000 1 1 00");
    for (kind, row) in now.values().skip(1) {
        put_delta(&stream.schema.kinds[usize::from(*kind)], row, row, &mut idle.changed);
    }
    stream.tick += 2;
    stream.send("a change by nothing", stream.header(2, false), &idle.bytes(), Answer::Applied, &[]);
    stream.full("base 0 in the middle", &now.clone(), false);
    stream.full("base 0 twice", &nothing, true);
    stream.full("and once more", &now, true);

    let number = |value: u32, order: u8| {
        let mut out = BitWriter::default();
        out.number(value, order);
        out
    };
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
    stream.breaks("one leaves that is not held", 2, |_, body| body.left = list([2].into_iter(), |_, _| {}));
    stream.breaks("one leaves above all that are held", 2, |_, body| {
        body.left = list([1, 9, 1_048_574].into_iter(), |_, _| {});
    });
    stream.breaks("one enters that is held", 2, |_, body| {
        body.entered = list([1].into_iter(), |_, out| put_kind(3, out));
    });
    stream.breaks("an id above the largest", 2, |_, body| body.entered = number(1_048_576, GAP_ORDER));
    stream.breaks("gaps whose sum leaves 32 bits", 2, |_, body| {
        body.entered = list([2].into_iter(), |_, out| {
            put_kind(3, out);
            out.number(u32::MAX, GAP_ORDER);
        });
    });
    stream.breaks("a kind that the schema does not have", 2, |_, body| {
        body.entered = list([2].into_iter(), |_, out| put_kind(5, out));
    });
    stream.breaks("a kind that no byte holds", 2, |_, body| {
        body.entered = list([2].into_iter(), |_, out| out.number(256, KIND_ORDER));
    });
    stream.breaks("an event kind that the schema does not have", 2, |_, body| body.events = number(4, KIND_ORDER));
    stream.breaks("a number with too many ones", 2, |_, body| body.left = bits(&"1".repeat(70)));
    stream.breaks("a number above the largest", 2, |_, body| {
        // 27 ones, as the largest number of order 5 has, and all bits of the rest.
        body.left = bits(&("1".repeat(27) + "0" + &"1".repeat(32) + "00000"));
    });
    stream.breaks("an event that breaks off", 2, |_, body| body.events = number(1, KIND_ORDER));
    stream.breaks("a byte too many", 2, |_, body| body.events.number(0, 20));
    stream.breaks("a padding bit", 2, |_, body| {
        // An event of six bits moves the end away from that of a byte.
        body.events.clear();
        put_event(1, 0, &mut body.events);
        put_no_event(&mut body.events);
        let used: usize = [&body.left, &body.changed, &body.entered, &body.events].map(BitWriter::len).iter().sum();
        assert_ne!(used % 8, 0, "there is padding");
        body.events.bit(true);
    });
    stream.breaks("entities without end", 2, |_, body| {
        (0..2000).for_each(|_| body.entered.bit(true));
    });
    stream.steps.iter().map(|step| serde_json::to_string(step).unwrap()).collect()
}
