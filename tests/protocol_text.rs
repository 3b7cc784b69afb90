//! PROTOCOL.md against the code: each message, field, variant, flag, close reason and limit of one is in the other, and
//! the worked examples decode to what stands beside their bytes.

#[path = "protocol_text/source.rs"]
mod source;
#[path = "protocol_text/text.rs"]
mod text;

use std::collections::BTreeMap;

use serde_json::Value;
use tickroom::game::Game;
use tickroom::ids::EntityId;
use tickroom::protocol::bits::{BitWriter, ORDER_MAX};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::codec::{CLIENT_MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX};
use tickroom::protocol::delta::{AGE_ORDER, GAP_ORDER, KIND_ORDER};
use tickroom::protocol::message::*;
use tickroom::protocol::schema::*;
use tickroom::protocol::view::{Applied, View};
use tickroom::sim::input::PRESSES_MAX;
use tickroom::sim::timing;

const TEXT: &str = include_str!("../src/protocol/PROTOCOL.md");
const SOURCES: [&str; 2] = [include_str!("../src/protocol/message.rs"), include_str!("../src/protocol/schema.rs")];

#[test]
fn every_field_of_every_record_has_its_row_with_its_type() {
    let in_code = source::records(&SOURCES.concat());
    let in_text: BTreeMap<String, Vec<(String, String)>> = text::tables(TEXT, "| field | type |")
        .into_iter()
        .map(|(name, rows)| (name, rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()))
        .collect();
    assert!(in_code.len() >= 14, "only {} records were found in the code", in_code.len());
    for (name, fields) in &in_code {
        assert_eq!(in_text.get(name), Some(fields), "the table of {name} (left: PROTOCOL.md, right: the code)");
    }
    for name in in_text.keys() {
        assert!(in_code.contains_key(name), "PROTOCOL.md describes {name}, which the code does not have");
    }
}

#[test]
fn every_variant_of_every_enum_has_its_row_with_its_number() {
    let in_code = source::enums(&SOURCES.concat());
    let mut in_text: BTreeMap<String, Vec<[String; 3]>> = text::tables(TEXT, "| number | variant |")
        .into_iter()
        .map(|(name, rows)| {
            (name, rows.into_iter().map(|row| [row[0].clone(), row[1].clone(), row[2].clone()]).collect())
        })
        .collect();
    for (part, name) in [("4. What a client sends", "ClientMessage"), ("5. What the server sends", "ServerMessage")] {
        let tables = text::tables(TEXT, "| number | message |");
        let (_, rows) = tables.iter().find(|(heading, _)| part.ends_with(heading.as_str())).expect(part);
        let with_data = |row: &Vec<String>| {
            // A message's data is the record of its own name, but Resync and Leave have none.
            let record = if row[1] == "Snapshot" { "SnapshotHeader" } else { row[1].as_str() };
            let data = if source::records(&SOURCES.concat()).contains_key(record) { record } else { "" };
            [row[0].clone(), row[1].clone(), data.to_owned()]
        };
        in_text.insert(name.into(), rows.iter().map(with_data).collect());
    }
    assert!(in_code.len() >= 7, "only {} enums were found in the code", in_code.len());
    for (name, variants) in &in_code {
        assert_eq!(in_text.get(name), Some(variants), "the table of {name} (left: PROTOCOL.md, right: the code)");
    }
    for name in in_text.keys() {
        assert!(in_code.contains_key(name), "PROTOCOL.md describes {name}, which the code does not have");
    }
}

#[test]
fn every_close_reason_has_its_row() {
    let tables = text::tables(TEXT, "| code | reason |");
    let in_text: Vec<(String, String)> = tables[0].1.iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let in_code = CloseReason::ALL.map(|reason| (reason.code().to_string(), reason.label().to_owned()));
    assert_eq!(in_text, in_code, "left: PROTOCOL.md, right: the code");
    for row in &tables[0].1 {
        let reaction = row[3].split([':', ',']).next().unwrap();
        assert!(["again", "new", "stop"].contains(&reaction), "{}: what should a client do?", row[0]);
    }
}

#[test]
fn every_flag_has_its_row() {
    let tables = text::tables(TEXT, "| bit | name |");
    let in_text: Vec<(u8, &str)> = tables[0].1.iter().map(|row| (row[0].parse().unwrap(), row[1].as_str())).collect();
    let in_code = [
        (flags::NO_INPUT, "NO_INPUT"),
        (flags::STARVED, "STARVED"),
        (flags::EVENTS_LOST, "EVENTS_LOST"),
        (flags::DIGEST, "DIGEST"),
    ];
    assert_eq!(in_text, in_code);
    assert_eq!(in_code.iter().fold(0, |all, (bit, _)| all | bit), flags::ALL, "the code has a flag without a row");
}

#[test]
fn every_limit_has_its_row_with_its_value() {
    let in_code: BTreeMap<&str, u64> = BTreeMap::from([
        ("CLIENT_MESSAGE_BYTES_MAX", CLIENT_MESSAGE_BYTES_MAX as u64),
        ("MESSAGE_BYTES_MAX", MESSAGE_BYTES_MAX as u64),
        ("NAME_CHARS_MAX", NAME_CHARS_MAX as u64),
        ("KINDS_MAX", KINDS_MAX as u64),
        ("FIELDS_MAX", FIELDS_MAX as u64),
        ("INPUT_FIELDS_MAX", INPUT_FIELDS_MAX as u64),
        ("TURN", TURN as u64),
        ("EntityId::MAX", EntityId::MAX.into()),
        ("TICK_RATE_MIN", timing::TICK_RATE_MIN.into()),
        ("TICK_RATE_MAX", timing::TICK_RATE_MAX.into()),
        ("TICKS_PER_SNAPSHOT_MAX", timing::TICKS_PER_SNAPSHOT_MAX.into()),
        ("AHEAD_MS", timing::AHEAD_MS.into()),
        ("QUEUED_MIN", timing::QUEUED_MIN.into()),
        ("STARVED_MS", timing::STARVED_MS.into()),
        ("QUARANTINE_MS", timing::QUARANTINE_MS.into()),
        ("EVENT_KEPT_MS", timing::EVENT_KEPT_MS.into()),
        ("TABLES_KEPT_MS", timing::TABLES_KEPT_MS.into()),
        ("TABLES_INTERVALS_MIN", timing::TABLES_INTERVALS_MIN.into()),
        ("REWIND_MAX_MS", timing::REWIND_MAX_MS.into()),
        ("REWIND_SLACK_MS", timing::REWIND_SLACK_MS.into()),
        ("PRESSES_MAX", PRESSES_MAX.into()),
        ("ORDER_MAX", ORDER_MAX.into()),
        ("PROTOCOL_VERSION", PROTOCOL_VERSION.into()),
    ]);
    let tables = text::tables(TEXT, "| limit | value |");
    let in_text: BTreeMap<&str, u64> =
        tables[0].1.iter().map(|row| (row[2].as_str(), row[1].parse().unwrap())).collect();
    assert_eq!(in_text, in_code, "left: PROTOCOL.md, right: the code");

    // And the list above misses none.
    let sources = [
        SOURCES.concat(),
        include_str!("../src/protocol/bits.rs").to_owned(),
        include_str!("../src/protocol/codec.rs").to_owned(),
        include_str!("../src/sim/input.rs").to_owned(),
        include_str!("../src/sim/timing.rs").to_owned(),
    ];
    for name in source::constants(&sources.concat()) {
        let is_flag = ["NO_INPUT", "STARVED", "EVENTS_LOST", "DIGEST", "ALL"].contains(&name.as_str());
        let is_no_clients_business = ["HISTORY_MS", "CATCH_UP_MS"].contains(&name.as_str());
        assert!(
            is_flag || is_no_clients_business || in_code.contains_key(name.as_str()),
            "{name} is a limit of the code without a row"
        );
    }
}

#[test]
fn every_setting_has_its_default() {
    let defaults = serde_json::to_value(tickroom::config::Config::default()).unwrap();
    let tables = text::tables(TEXT, "| setting | default |");
    assert!(tables[0].1.len() >= 13, "the table of settings was not found");
    for row in &tables[0].1 {
        let value = row[0].split('.').fold(&defaults, |value, part| &value[part]);
        assert_eq!(value.to_string(), row[1], "{}", row[0]);
    }
}

#[test]
fn the_demo_games_schema_stands_in_the_text() {
    let schema = tickroom::arena::Arena::schema(&Default::default());
    let show = |fields: &[Field]| -> String {
        let show = |field: &Field| {
            let dropped = if field.drop_bits == 0 { String::new() } else { format!(" >> {}", field.drop_bits) };
            format!("`{}` {:?} {}{dropped}", field.name, field.interpolation, field.scale)
        };
        fields.iter().map(show).collect::<Vec<_>>().join(", ")
    };
    let mut expected = String::from("| number | kind | seen by | fields |\n|---|---|---|---|\n");
    for (number, kind) in schema.kinds.iter().enumerate() {
        let by = if kind.private { "its owner" } else { "everybody near" };
        let by = if kind.constant { format!("{by}; constant") } else { by.to_owned() };
        expected += &format!("| {number} | `{}` | {by} | {} |\n", kind.name, show(&kind.fields));
    }
    expected += "\n| number | event | fields |\n|---|---|---|\n";
    for (number, event) in schema.events.iter().enumerate() {
        expected += &format!("| {number} | `{}` | {} |\n", event.name, show(&event.fields));
    }
    expected += "\n| number | input | sort | range | neutral |\n|---|---|---|---|---|\n";
    for (number, input) in schema.inputs.iter().enumerate() {
        let InputField { name, min, max, neutral, sort } = input;
        expected += &format!("| {number} | `{name}` | {sort:?} | {min} to {max} | {neutral:?} |\n");
    }
    assert!(TEXT.contains(&expected), "PROTOCOL.md part 14 must hold:\n\n{expected}");
}

#[test]
fn the_worked_examples_decode_to_what_stands_beside_their_bytes() {
    let mut shown = Vec::new();
    for (side, lines) in text::blocks(TEXT, "hex ").into_iter().filter(|(side, _)| *side != "snapshot") {
        let example = text::Example::parse(&lines);
        let decoded = match side {
            "client" => serde_json::to_value(ClientMessage::decode(&example.bytes).expect("a client's example")),
            "server" => serde_json::to_value(ServerMessage::decode(&example.bytes).expect("a server's example").0),
            other => panic!("an example of {other}"),
        };
        let mut leaves = text::leaves(&decoded.unwrap());
        let name = leaves.remove("type").expect("messages have a type");
        assert_eq!(example.says, leaves, "the example of {name} (left: beside the bytes, right: what they decode to)");
        shown.push(format!("{side} {name}").replace('"', ""));
    }
    let enums = source::enums(&SOURCES.concat());
    for (side, name) in [("client", "ClientMessage"), ("server", "ServerMessage")] {
        for [_, message, _] in &enums[name] {
            let wanted = format!("{side} {message}");
            assert!(message == "Snapshot" || shown.contains(&wanted), "{wanted} has no worked example");
        }
    }
}

#[test]
fn the_worked_snapshots_make_the_views_that_stand_below_them() {
    let welcome = text::blocks(TEXT, "hex server")
        .iter()
        .find_map(|(_, lines)| match ServerMessage::decode(&text::Example::parse(lines).bytes) {
            Ok((ServerMessage::Welcome(welcome), _)) => Some(welcome),
            _ => None,
        })
        .expect("an example of Welcome");
    assert_eq!(welcome.rules_hash, rules_hash(&welcome.schema, &welcome.tuning));
    let snapshots = text::blocks(TEXT, "hex snapshot");
    let views = text::blocks(TEXT, "view");
    assert_eq!((snapshots.len(), views.len()), (2, 2));
    let mut view = View::new(&welcome.schema);
    for ((_, snapshot), (_, expected)) in snapshots.iter().zip(&views) {
        let example = text::Example::parse(snapshot);
        let (ServerMessage::Snapshot(header), body) = ServerMessage::decode(&example.bytes).unwrap() else {
            panic!("an example of a snapshot that is none");
        };
        let decoded = text::leaves(&serde_json::to_value(header).unwrap());
        assert_eq!(example.says, decoded, "left: beside the bytes, right: what they decode to");
        assert_eq!(view.apply(&header, body), Ok(Applied::Yes));
        assert_eq!(text::show(&view, &welcome.schema), *expected);
    }
}

#[test]
fn the_small_examples_in_the_running_text_are_right() {
    use tickroom::protocol::codec::encode;
    use tickroom::protocol::hex;
    for (value, shown) in [(250_u32, "fa"), (251, "fb fb 00"), (65_535, "fb ff ff"), (65_536, "fc 00 00 01 00")] {
        assert_eq!(Some(encode(&value)), hex::decode(shown));
        assert!(TEXT.contains(&format!("{value} is `{shown}`")), "{value}");
    }
    for (value, shown) in [(1_i32, "02"), (-1, "01"), (125, "fa"), (-126, "fb fb 00")] {
        assert_eq!(Some(encode(&value)), hex::decode(shown));
        assert!(TEXT.contains(&format!("{value} is `{shown}`")), "{value}");
    }
    assert_eq!(Field::linear("x", 4096, 10).quantise(410_624), 401);
    let tables = text::tables(TEXT, "| order | number | bits |");
    assert_eq!(tables[0].1.len(), 7);
    for row in &tables[0].1 {
        let (mut made, mut shown) = (BitWriter::default(), BitWriter::default());
        made.number(row[1].parse().unwrap(), row[0].parse().unwrap());
        text::put_shown(&row[2], &mut shown);
        assert_eq!((made.len(), made.bytes()), (shown.len(), shown.bytes()), "{row:?}");
    }
}

#[test]
fn every_order_that_no_field_has_has_its_row() {
    let tables = text::tables(TEXT, "| number | order |");
    let in_text: Vec<(&str, u8)> = tables[0].1.iter().map(|row| (row[2].as_str(), row[1].parse().unwrap())).collect();
    let in_code = [("GAP_ORDER", GAP_ORDER), ("KIND_ORDER", KIND_ORDER), ("AGE_ORDER", AGE_ORDER)];
    assert_eq!(in_text, in_code, "left: PROTOCOL.md, right: the code");
    let constants = source::constants(include_str!("../src/protocol/delta.rs"));
    assert_eq!(constants, in_code.map(|(name, _)| name));
}

#[test]
fn the_parts_that_a_minimal_client_needs_are_marked() {
    let marked: Vec<&str> = TEXT.lines().filter(|line| line.starts_with('#') && line.ends_with('◆')).collect();
    for wanted in
        ["## 1. ", "## 2. ", "### 3.1 ", "## 4. ", "## 5. ", "### 6.1 ", "### 6.2 ", "### 6.3 ", "## 9. ", "## 10. "]
    {
        assert!(marked.iter().any(|line| line.starts_with(wanted)), "{wanted} lost its mark");
    }
    assert_eq!(marked.len(), 10, "{marked:?}");
}

#[test]
fn numbers_and_parts_that_the_text_refers_to_exist() {
    let headings: Vec<&str> =
        TEXT.lines().filter(|line| line.starts_with('#')).filter_map(|line| line.split_whitespace().nth(1)).collect();
    for part in TEXT.split(['(', ' ', ',']).filter_map(|word| {
        let word = word.trim_end_matches([')', '.', ',', ':', ';']);
        let (major, minor) = word.split_once('.')?;
        let is_reference = (1..=14).contains(&major.parse::<u32>().ok()?) && minor.parse::<u32>().ok()? <= 9;
        (is_reference && word.len() <= 4).then_some(word)
    }) {
        let is_measure = ["0.5", "3.25", "0.1"].contains(&part);
        assert!(is_measure || headings.contains(&part), "the text refers to {part}, which it does not have");
    }
    assert_eq!(Value::from(headings.len() > 40), Value::Bool(true), "the headings were not found");
}
