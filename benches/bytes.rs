//! How many bytes does a client take per second? Moving ships with their bolts, all of them seen; both tiers, three
//! rates, and a reader that takes every second snapshot, beside the same rows as plain structs of `f32` and as JSON, made
//! at the same moments. Not a timing.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use support::{Match, arena_for, quick};
use tickroom::arena::schema::{BOLT, SHIP};
use tickroom::config::RoomConfig;
use tickroom::game::{Encode, Game, Rows};
use tickroom::protocol::bits::{ORDER_MAX, zigzag};
use tickroom::protocol::codec;
use tickroom::protocol::delta::{AGE_ORDER, GAP_ORDER, KIND_ORDER};
use tickroom::protocol::message::{ServerMessage, Tier, flags};
use tickroom::protocol::schema::{EntityKind, Field};
use tickroom::protocol::view::View;

/// One entity as a quick first version of such a game would send it.
#[derive(Encode, serde::Serialize)]
struct Plain {
    id: u32,
    kind: u8,
    fields: Vec<f32>,
}

fn plain(game: &Match) -> Vec<Plain> {
    let mut rows = Rows::default();
    game.room.game().rows(&mut rows);
    let public = rows.iter().filter(|row| row.owner.is_none_or(|owner| owner.0 == 0));
    let schema = game.room.schema();
    public
        .map(|row| {
            let fields = &schema.kinds[usize::from(row.kind.0)].fields;
            let fields = row.fields.iter().zip(fields).map(|(&value, field)| value as f32 / field.scale as f32);
            Plain { id: row.id.get(), kind: row.kind.0, fields: fields.collect() }
        })
        .collect()
}

struct Line {
    ships: f64,
    bolts: f64,
    bytes: f64,
    messages: f64,
    structs: f64,
    json: f64,
}

/// A viewer that takes one of `every` snapshots.
fn play(ships: u16, tier: Tier, hz: u16, every: u32, seconds: u32) -> Line {
    let config = RoomConfig { tick_rate: 60, ticks_per_snapshot: 60 / hz, ..RoomConfig::default() };
    let mut game = Match::new(ships, 0, &arena_for(ships.into(), true), config, tier);
    // Everybody sees everything, so one viewer stands for all; the others' windows stay shut and cost nothing.
    game.sink.only = Some(game.viewer(0));
    game.run(300);
    game.begin();
    let mut line = Line { ships: 0.0, bolts: 0.0, bytes: 0.0, messages: 0.0, structs: 0.0, json: 0.0 };
    game.sink.keep = true;
    for tick in 1..=seconds * 60 {
        game.sink.shut = !(tick * u32::from(hz) / 60).is_multiple_of(every);
        game.tick();
        for (_, message) in &game.sink.kept {
            let (message, _) = ServerMessage::decode(message).expect("a whole message");
            assert!(matches!(message, ServerMessage::Snapshot(_)), "{message:?}");
            let plain = plain(&game);
            let count = |kind: tickroom::ids::KindId| plain.iter().filter(|row| row.kind == kind.0).count() as f64;
            line.ships += count(SHIP);
            line.bolts += count(BOLT);
            line.structs += codec::encode(&plain).len() as f64;
            line.json += serde_json::to_vec(&plain).expect("plain data").len() as f64;
        }
    }
    line.messages = game.sink.messages as f64;
    line.bytes = game.sink.bytes as f64;
    assert!(line.messages > 0.0 && line.ships > 0.0, "nothing flew");
    line.ships /= line.messages;
    line.bolts /= line.messages;
    for total in [&mut line.bytes, &mut line.messages, &mut line.structs, &mut line.json] {
        *total /= f64::from(seconds);
    }
    line
}

/// What one part of the bodies took, and what it would have taken with other orders.
#[derive(Clone, Copy, Default)]
struct Part {
    count: u64,
    bits: u64,
    /// The order in use, if the part consists of numbers, and their bits by order.
    order: Option<u8>,
    by_order: [u64; ORDER_MAX as usize + 1],
}

#[derive(Default)]
struct Parts(BTreeMap<String, Part>);

impl Parts {
    fn note(&mut self, name: String, bits: u64) {
        let part = self.0.entry(name).or_default();
        part.count += 1;
        part.bits += bits;
    }

    fn number(&mut self, name: String, value: u32, order: u8) {
        let bits = |order: u8| {
            let long = (u64::from(value) + (1 << order)).ilog2();
            u64::from(2 * long - u32::from(order) + 1)
        };
        self.note(name.clone(), bits(order));
        let part = self.0.get_mut(&name).expect("it was noted");
        part.order = Some(order);
        for (order, sum) in (0..).zip(&mut part.by_order) {
            *sum += bits(order);
        }
    }

    fn ids(&mut self, name: &str, ids: impl Iterator<Item = u32>) {
        let mut last = 0;
        for id in ids {
            self.number(format!("{name}: gaps"), id - last, GAP_ORDER);
            last = id;
        }
        self.number(format!("{name}: gaps"), 0, GAP_ORDER);
    }

    fn whole(&mut self, name: &str, fields: &[Field], tick: u32, values: &[i32]) {
        for (field, &value) in fields.iter().zip(values) {
            let told = zigzag(field.difference(field.origin(tick), value));
            self.number(format!("{name}: {}", field.name), told, field.value_order);
        }
    }

    fn change(&mut self, kind: &EntityKind, before: &[i32], now: &[i32]) {
        if kind.constant {
            return;
        }
        self.note(format!("{} held: whether it changed", kind.name), 1);
        if before == now {
            return;
        }
        let differs = |at: usize| before[at] != now[at];
        let fields = || kind.fields.iter().enumerate();
        let rest = fields().filter(|(_, field)| !field.moves()).count() as u64;
        let any = fields().any(|(at, field)| !field.moves() && differs(at));
        if rest > 0 {
            self.note(format!("{} changed: which of the rest", kind.name), 1 + if any { rest } else { 0 });
        }
        for (at, field) in fields().filter(|&(at, field)| field.moves() || differs(at)) {
            let told = zigzag(field.difference(before[at], now[at]));
            self.number(format!("{} changed: {}", kind.name, field.name), told, field.change_order);
        }
    }
}

/// Where the bytes of one viewer's deltas go: by what snapshots consist of, by field, and with which orders.
fn breakdown(ships: u16, seconds: u32) {
    let mut game = Match::new(ships, 0, &arena_for(ships.into(), true), RoomConfig::default(), Tier::Delta);
    game.sink.only = Some(game.viewer(0));
    game.sink.keep = true;
    let schema = game.room.schema().clone();
    let mut view = View::new(&schema);
    let mut parts = Parts::default();
    let (mut snapshots, mut total) = (0_u64, 0_u64);
    for tick in 0..seconds * 60 + 300 {
        game.tick();
        for (_, bytes) in &game.sink.kept {
            let (message, body) = ServerMessage::decode(bytes).expect("a whole message");
            let ServerMessage::Snapshot(header) = message else { continue };
            let before: BTreeMap<u32, Vec<i32>> = view.rows().map(|(id, _, row)| (id.get(), row.to_vec())).collect();
            view.apply(&header, body).expect("it fits");
            if tick < 300 {
                continue;
            }
            snapshots += 1;
            total += 8 * bytes.len() as u64;
            parts.note("header".into(), 8 * (bytes.len() - body.len()) as u64);
            if header.flags & flags::DIGEST != 0 {
                parts.note("digest".into(), 32);
            }
            let now: BTreeMap<u32, _> = view.rows().map(|(id, kind, row)| (id.get(), (kind, row))).collect();
            parts.ids("left", before.keys().copied().filter(|id| !now.contains_key(id)));
            parts.ids("entered", now.keys().copied().filter(|id| !before.contains_key(id)));
            for (id, (number, row)) in now {
                let kind = &schema.kinds[usize::from(number.0)];
                if let Some(before) = before.get(&id) {
                    parts.change(kind, before, row);
                } else {
                    parts.number("entered: kinds".into(), number.0.into(), KIND_ORDER);
                    parts.whole(&format!("{} entered", kind.name), &kind.fields, header.tick.into(), row);
                }
            }
            for event in view.events() {
                let kind = &schema.events[usize::from(event.kind.0)];
                parts.number("events: kinds".into(), u32::from(event.kind.0) + 1, KIND_ORDER);
                parts.number("events: ages".into(), u32::from(header.tick) - event.tick.0, AGE_ORDER);
                parts.whole(&format!("event {}", kind.name), &kind.fields, event.tick.0, event.fields);
            }
            parts.number("events: kinds".into(), 0, KIND_ORDER);
        }
    }
    let each = |bits: u64| bits as f64 / snapshots as f64;
    let known: u64 = parts.0.values().map(|part| part.bits).sum();
    assert!(known <= total && total - known < 8 * snapshots, "{total} bits, of which {known} are told");
    println!("\n{ships} seats at 30 Hz, {:.0} bits per snapshot:", each(total));
    println!("{:>8} {:>6} {:>5}  {:>10}  of what", "bits", "times", "order", "best order");
    for (name, part) in parts.0 {
        let best = part.order.and_then(|_| (0..).zip(part.by_order).min_by_key(|(_, bits)| *bits));
        let best = best.map_or(String::new(), |(order, bits)| format!("{order} ({:.1})", each(bits)));
        let order = part.order.map_or(String::new(), |order| order.to_string());
        println!("{:>8.1} {:>6.2} {order:>5}  {best:>10}  {name}", each(part.bits), each(part.count));
    }
}

fn main() {
    let quick = quick();
    let (sizes, seconds): (&[u16], u32) = if quick { (&[10], 1) } else { (&[10, 30, 100, 400], 10) };
    println!("payload per client and second, in kbit; ships and bolts alive on average, all seen, all moving\n");
    println!(
        "{:>5} {:>6} {:>6}  {:<5} {:>3} {:>5} {:>6} {:>10} {:>8} {:>10} {:>10}",
        "seats", "ships", "bolts", "tier", "Hz", "1 of", "sent", "kbit/s", "B each", "structs", "JSON"
    );
    for &ships in sizes {
        for (tier, name) in [(Tier::Delta, "delta"), (Tier::Full, "full")] {
            let mut before = f64::INFINITY;
            for (hz, every) in [(60, 1), (30, 1), (20, 1), (30, 2)] {
                let line = play(ships, tier, hz, every, seconds);
                let kbit = |bytes: f64| bytes * 8.0 / 1000.0;
                println!(
                    "{ships:>5} {:>6.1} {:>6.1}  {name:<5} {hz:>3} {every:>5} {:>6.1} {:>10.1} {:>8.0} {:>10.0} {:>10.0}",
                    line.ships,
                    line.bolts,
                    line.messages,
                    kbit(line.bytes),
                    line.bytes / line.messages,
                    kbit(line.structs),
                    kbit(line.json)
                );
                assert!(line.bytes < line.structs, "plain structs are smaller");
                assert!(line.bytes < before, "fewer snapshots took more bytes");
                before = line.bytes;
                assert!(tier == Tier::Full || line.bytes * 2.0 < line.structs, "deltas hardly help");
            }
        }
    }
    breakdown(if quick { 10 } else { 100 }, seconds);
    if quick {
        // The word that `tests/all` counts.
        println!("\nSuccess");
    }
}
