//! How many bytes does a client take per second? Moving ships with their bolts, all of them seen; both tiers and three
//! rates, beside the same rows as plain structs of `f32` and as JSON, made at the same moments. Not a timing.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use support::{Match, arena_for, quick};
use tickroom::arena::schema::{BOLT, SHIP};
use tickroom::config::RoomConfig;
use tickroom::game::{Encode, Game, Rows};
use tickroom::protocol::codec;
use tickroom::protocol::message::{ServerMessage, Tier};
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

fn play(ships: u16, tier: Tier, hz: u16, seconds: u32) -> Line {
    let config = RoomConfig { tick_rate: 60, ticks_per_snapshot: 60 / hz, ..RoomConfig::default() };
    let mut game = Match::new(ships, 0, &arena_for(ships.into(), true), config, tier);
    // Everybody sees everything, so one viewer stands for all; the others' windows stay shut and cost nothing.
    game.sink.only = Some(game.viewer(0));
    game.run(300);
    game.begin();
    let mut line = Line { ships: 0.0, bolts: 0.0, bytes: 0.0, messages: 0.0, structs: 0.0, json: 0.0 };
    game.sink.keep = true;
    for _ in 0..seconds * 60 {
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

/// Where the bytes of one viewer's deltas go: by what snapshots consist of, and by field.
fn breakdown(ships: u16, seconds: u32) {
    let mut game = Match::new(ships, 0, &arena_for(ships.into(), true), RoomConfig::default(), Tier::Delta);
    game.sink.only = Some(game.viewer(0));
    game.sink.keep = true;
    let schema = game.room.schema().clone();
    let mut view = View::new(&schema);
    let mut parts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut note = |part: String, bytes: usize| {
        let part = parts.entry(part).or_default();
        *part = (part.0 + 1, part.1 + bytes as u64);
    };
    let (mut snapshots, mut total) = (0, 0);
    let varint = |value: i32| {
        let mut bytes = Vec::new();
        codec::varint::put_i32(&mut bytes, value);
        bytes.len()
    };
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
            total += bytes.len();
            let mut known = bytes.len() - body.len();
            note("header".into(), known);
            let mut held = 0;
            for (id, kind, row) in view.rows() {
                let kind = &schema.kinds[usize::from(kind.0)];
                let Some(before) = before.get(&id.get()) else {
                    let bytes = 2 + row.iter().map(|&value| varint(value)).sum::<usize>();
                    note(format!("{} entered", kind.name), bytes);
                    known += bytes;
                    continue;
                };
                held += 1;
                if before == row {
                    continue;
                }
                note(format!("{} changed: mask", kind.name), 1);
                known += 1;
                for ((field, &before), &now) in kind.fields.iter().zip(before).zip(row).filter(|((_, a), b)| a != b) {
                    let bytes = varint(field.difference(before, now));
                    note(format!("{} changed: {}", kind.name, field.name), bytes);
                    known += bytes;
                }
            }
            note("a bit for each entity held".into(), usize::div_ceil(held, 8));
            known += usize::div_ceil(held, 8);
            note("left, events, digest, counts (the rest)".into(), bytes.len().saturating_sub(known));
        }
    }
    let each = f64::from(snapshots);
    println!("\n{ships} seats at 30 Hz, {:.0} bytes per snapshot:", total as f64 / each);
    for (part, (count, bytes)) in parts {
        println!("  {:>6.1} bytes in {:>5.1}  {part}", bytes as f64 / each, count as f64 / each);
    }
}

fn main() {
    let quick = quick();
    let (sizes, seconds): (&[u16], u32) = if quick { (&[10], 1) } else { (&[10, 30, 100, 400], 10) };
    println!("payload per client and second, in kbit; ships and bolts alive on average, all seen, all moving\n");
    println!(
        "{:>5} {:>6} {:>6}  {:<5} {:>3} {:>6} {:>10} {:>8} {:>10} {:>10}",
        "seats", "ships", "bolts", "tier", "Hz", "sent", "kbit/s", "B each", "structs", "JSON"
    );
    for &ships in sizes {
        for (tier, name) in [(Tier::Delta, "delta"), (Tier::Full, "full")] {
            for hz in [20, 30, 60] {
                let line = play(ships, tier, hz, seconds);
                let kbit = |bytes: f64| bytes * 8.0 / 1000.0;
                println!(
                    "{ships:>5} {:>6.1} {:>6.1}  {name:<5} {hz:>3} {:>6.1} {:>10.1} {:>8.0} {:>10.0} {:>10.0}",
                    line.ships,
                    line.bolts,
                    line.messages,
                    kbit(line.bytes),
                    line.bytes / line.messages,
                    kbit(line.structs),
                    kbit(line.json)
                );
                assert!(line.bytes < line.structs, "plain structs are smaller");
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
