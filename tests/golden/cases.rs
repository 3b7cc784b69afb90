//! What the vectors are made of.

use std::fmt::Debug;

use serde::Serialize;
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::codec::{self, CodecError, Decode, Encode};
use tickroom::protocol::hex;
use tickroom::protocol::message::*;
use tickroom::protocol::schema::*;

/// One value of one type with its bytes; in `refused`, the error instead of the value.
pub(crate) struct Block {
    of: &'static str,
    bytes: Vec<u8>,
    value: String,
}

impl Block {
    pub(crate) fn line(&self, key: &str) -> String {
        format!(r#"{{"type": "{}", "hex": "{}", "{key}": {}}}"#, self.of, hex::encode(&self.bytes), self.value)
    }
}

fn block<T: Encode + Decode<()> + Serialize + PartialEq + Debug>(of: &'static str, value: T) -> Block {
    let bytes = codec::encode(&value);
    assert_eq!(codec::decode::<T>(&bytes, 512).as_ref(), Ok(&value), "{of}");
    Block { of, bytes, value: serde_json::to_string(&value).unwrap() }
}

/// Each type at each marker boundary.
pub(crate) fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = [0, 1, 127, 128, 250, 251, 255].map(|v: u8| block("u8", v)).into();
    blocks.extend([0, 1, 127, -1, -128].map(|v: i8| block("i8", v)));
    blocks.extend([false, true].map(|v| block("bool", v)));
    blocks.extend([0, 1, 250, 251, 252, 255, 256, 65_535].map(|v: u16| block("u16", v)));
    blocks.extend([0, 250, 251, 65_535, 65_536, 16_777_216, u32::MAX].map(|v| block("u32", v)));
    let u64s = [0, 250, 251, 65_535, 65_536, 4_294_967_295, 4_294_967_296, (1 << 53) - 1];
    blocks.extend(u64s.map(|v: u64| block("u64", v)));
    let i32s = [0, -1, 1, -2, 124, 125, -125, -126, 126, 32_767, -32_768, 32_768, -32_769, i32::MAX, i32::MIN];
    blocks.extend(i32s.map(|v| block("i32", v)));
    blocks.extend([0, 1, 251, 0x0403_0201, u32::MAX].map(|v| block("fixed u32", FixedU32::from(v))));
    blocks.extend(["", "Ada", "Zoë", "船", "🚀"].map(|v| block("text", v.to_owned())));
    blocks.push(block("text", "x".repeat(251)));
    blocks.extend([None, Some(0), Some(65_535)].map(|v: Option<u16>| block("option of u16", v)));
    blocks.extend([None, Some("Ada")].map(|v| block("option of text", v.map(str::to_owned))));
    blocks.extend([vec![], vec![0], vec![1, -1, 300]].map(|v: Vec<i32>| block("list of i32", v)));
    blocks
}

fn longer<T: Decode<()> + Serialize>(of: &'static str, text: &str) -> Block {
    let bytes = hex::decode(text).unwrap();
    let value = codec::decode::<T>(&bytes, 64).unwrap_or_else(|error| panic!("{of} {text}: {error}"));
    Block { of, bytes, value: serde_json::to_string(&value).unwrap() }
}

/// Longer forms than needed, which bincode accepts.
pub(crate) fn longer_blocks() -> Vec<Block> {
    vec![
        longer::<u16>("u16", "fb0500"),
        longer::<u32>("u32", "fb0500"),
        longer::<u32>("u32", "fc05000000"),
        longer::<u64>("u64", "fb0500"),
        longer::<u64>("u64", "fc05000000"),
        longer::<u64>("u64", "fd0500000000000000"),
        longer::<i32>("i32", "fb0500"),
        longer::<i32>("i32", "fc05000000"),
        longer::<String>("text", "fb0300416461"),
    ]
}

fn refused_block<T: Decode<()> + Debug>(of: &'static str, text: &str) -> Block {
    let bytes = hex::decode(text).unwrap();
    let error = codec::decode::<T>(&bytes, 64).expect_err(text);
    Block { of, bytes, value: format!("\"{}\"", error_word(&error)) }
}

/// Bytes that are no value of their type.
pub(crate) fn refused_blocks() -> Vec<Block> {
    vec![
        refused_block::<u8>("u8", ""),
        refused_block::<bool>("bool", "02"),
        refused_block::<u16>("u16", "fb05"),
        refused_block::<u16>("u16", "fc05000000"),
        refused_block::<u16>("u16", "ff"),
        refused_block::<u32>("u32", "fc050000"),
        refused_block::<u32>("u32", "fd0500000000000000"),
        refused_block::<u32>("u32", "fe05000000000000000000000000000000"),
        refused_block::<u32>("u32", "ff"),
        refused_block::<u64>("u64", "fd05000000000000"),
        refused_block::<u64>("u64", "fe05000000000000000000000000000000"),
        refused_block::<i32>("i32", "fd0500000000000000"),
        refused_block::<FixedU32>("fixed u32", "010203"),
        refused_block::<String>("text", "034164"),
        refused_block::<String>("text", "01ff"),
        refused_block::<String>("text", "03eda080"),
        refused_block::<String>("text", "fdffffffffffffff7f"),
        refused_block::<Option<u16>>("option of u16", "02"),
        refused_block::<Option<u16>>("option of u16", "01"),
        refused_block::<Vec<i32>>("list of i32", "0201"),
        refused_block::<Vec<i32>>("list of i32", "fc00000001"),
    ]
}

/// The word for an error in the vectors.
pub(crate) fn error_word(error: &CodecError) -> &'static str {
    match error {
        CodecError::TooLong { .. } => "too_long",
        CodecError::Malformed(_) => "malformed",
        CodecError::Truncated => "truncated",
        CodecError::Trailing(_) => "trailing",
    }
}

/// A token that shows its byte order.
pub(crate) const TOKEN: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255];

/// The Hello of the examples.
pub(crate) fn hello() -> Hello {
    Hello {
        protocol: PROTOCOL_VERSION,
        name: "Ada".into(),
        wish: RoomWish::Quick,
        tier: Tier::Delta,
        resume: None,
        features: 0,
    }
}

/// Every client message and variant.
pub(crate) fn client_messages() -> Vec<(&'static str, ClientMessage)> {
    let with = |change: fn(&mut Hello)| {
        let mut hello = hello();
        change(&mut hello);
        ClientMessage::Hello(hello)
    };
    let input = Input { seq: 7, tick: 1200, seen: 1180, seen_ago: 52, row: vec![1, -1, 0, 300] };
    vec![
        ("Hello: quick join, delta tier", with(|_| {})),
        ("Hello: full tier", with(|hello| hello.tier = Tier::Full)),
        ("Hello: no name", with(|hello| hello.name.clear())),
        ("Hello: a name that is not ASCII", with(|hello| hello.name = "Zoë 船".into())),
        ("Hello: by code", with(|hello| hello.wish = RoomWish::Code("K7QX".into()))),
        ("Hello: create, public", with(|hello| hello.wish = RoomWish::Create { private: false })),
        ("Hello: create, private", with(|hello| hello.wish = RoomWish::Create { private: true })),
        ("Hello: watch the fullest room", with(|hello| hello.wish = RoomWish::Spectate(None))),
        ("Hello: watch by code", with(|hello| hello.wish = RoomWish::Spectate(Some("K7QX".into())))),
        ("Hello: resume", with(|hello| hello.resume = Some(TOKEN))),
        ("Hello: all feature bits", with(|hello| hello.features = u32::MAX)),
        ("Hello: another protocol version", with(|hello| hello.protocol = 65_535)),
        ("Input", ClientMessage::Input(input.clone())),
        (
            "Input: the simplest, no ack, no tick, no row",
            ClientMessage::Input(Input { seq: 1, tick: 0, seen: 0, seen_ago: 0, row: vec![] }),
        ),
        (
            "Input: every number at its largest",
            ClientMessage::Input(Input {
                seq: u32::MAX,
                tick: u32::MAX,
                seen: u32::MAX,
                seen_ago: u16::MAX,
                row: vec![i32::MAX, i32::MIN],
            }),
        ),
        ("Ping", ClientMessage::Ping(Ping { time: 12_345_678, seen: 1180 })),
        ("Ping: the largest time that vectors carry", ClientMessage::Ping(Ping { time: (1 << 53) - 1, seen: 0 })),
        ("Resync", ClientMessage::Resync),
        ("Leave", ClientMessage::Leave),
    ]
}

/// A schema with one of each: every interpolation, a private kind, a level, a press counter, both neutrals, an event.
pub(crate) fn schema() -> Schema {
    Schema {
        game: "toy".into(),
        rules: 3,
        kinds: vec![
            EntityKind::public(
                "mover",
                vec![Field::linear("x", 4096, 10).orders(4, 9), Field::angle("heading", 8), Field::step("score")],
            ),
            EntityKind::private("purse", vec![Field::step("coins")]),
            EntityKind::constant("gate", vec![Field::step("x").scaled(4096, 10).orders(0, 9), Field::tick("shuts_at")]),
        ],
        inputs: vec![
            InputField::level("push", -1, 1, Neutral::Value(0)),
            InputField::level("aim", 0, 65_535, Neutral::Hold),
            InputField::press("jump"),
        ],
        events: vec![EventKind::new("bump", vec![Field::step("a"), Field::step("b")])],
    }
}

/// The Welcome of the examples.
pub(crate) fn welcome() -> Welcome {
    let schema = schema();
    let tuning = br#"{"speed":5}"#.to_vec();
    Welcome {
        protocol: PROTOCOL_VERSION,
        features: 0,
        rules_hash: rules_hash(&schema, &tuning),
        schema,
        tuning,
        seat: Some(2),
        token: Some(TOKEN),
        seat_kept_ms: 30_000,
        resumed: false,
        code: "K7QX".into(),
        tick_rate: 60,
        ticks_per_snapshot: 2,
        epoch: 5_000_000,
        tick: 1180,
        skipped: 0,
    }
}

/// The header of the examples.
pub(crate) fn header() -> SnapshotHeader {
    SnapshotHeader { tick: 1180.into(), base: 2, ack: 7, margin: -3, flags: flags::STARVED, lateness: 12, skipped: 0 }
}

/// Every server message and variant, and a snapshot's body.
pub(crate) fn server_messages() -> Vec<(String, ServerMessage, Vec<u8>)> {
    let occupant = |name: &str, presence| Some(Occupant { name: name.into(), presence });
    let mut spectator = welcome();
    (spectator.seat, spectator.token, spectator.tuning) = (None, None, vec![]);
    spectator.rules_hash = rules_hash(&spectator.schema, &spectator.tuning);
    let mut resumed = welcome();
    (resumed.resumed, resumed.skipped, resumed.epoch) = (true, 300, (1 << 53) - 1);
    let empty = Schema { game: String::new(), rules: 0, kinds: vec![], inputs: vec![], events: vec![] };
    let bare = Welcome { schema: empty, ..welcome() };
    // Nothing left, nothing held, nothing entered, no event.
    let nothing = vec![0, 0];
    let largest = SnapshotHeader {
        tick: u32::MAX.into(),
        base: u32::MAX,
        ack: u32::MAX,
        margin: i8::MIN,
        flags: 0,
        lateness: u16::MAX,
        skipped: u32::MAX,
    };
    let digest = SnapshotHeader { base: 0, margin: 127, flags: flags::DIGEST | flags::NO_INPUT, ..header() };
    let entries = vec![
        RosterEntry { seat: 0, who: occupant("Ada", Presence::Here) },
        RosterEntry { seat: 1, who: None },
        RosterEntry { seat: 2, who: occupant("Zoë", Presence::Away) },
        RosterEntry { seat: 300, who: occupant("", Presence::Bot) },
    ];
    let mut messages = vec![
        ("Welcome".into(), ServerMessage::Welcome(Box::new(welcome())), vec![]),
        ("Welcome: a spectator".into(), ServerMessage::Welcome(Box::new(spectator)), vec![]),
        ("Welcome: a seat taken back".into(), ServerMessage::Welcome(Box::new(resumed)), vec![]),
        ("Welcome: an empty schema".into(), ServerMessage::Welcome(Box::new(bare)), vec![]),
        ("Roster: forget all".into(), ServerMessage::Roster(Roster { since: 0, version: 1, entries: vec![] }), vec![]),
        ("Roster: changes".into(), ServerMessage::Roster(Roster { since: 4, version: 9, entries }), vec![]),
        ("Snapshot: nothing but the header".into(), ServerMessage::Snapshot(header()), nothing.clone()),
        ("Snapshot: every number at its largest".into(), ServerMessage::Snapshot(largest), nothing.clone()),
        (
            "Snapshot: base 0 and the digest of nothing".into(),
            ServerMessage::Snapshot(digest),
            [nothing, vec![0; 4]].concat(),
        ),
        ("Pong".into(), ServerMessage::Pong(Pong { time: 12_345_678, server_time: 24_666_667 }), vec![]),
    ];
    messages.extend(CloseReason::ALL.map(|reason| {
        let closing = Closing { code: reason.code(), text: reason.text().into() };
        (format!("Closing: {}", reason.label()), ServerMessage::Closing(closing), vec![])
    }));
    messages
}

/// Well-formed client messages to cut, lengthen and bend.
pub(crate) fn client_messages_to_break() -> Vec<(&'static str, Vec<u8>)> {
    let resume = Hello { resume: Some(TOKEN), wish: RoomWish::Code("K7QX".into()), ..hello() };
    vec![
        ("Hello", ClientMessage::Hello(resume).encode()),
        (
            "Input",
            ClientMessage::Input(Input { seq: 7, tick: 1200, seen: 1180, seen_ago: 52, row: vec![1, -1, 300] })
                .encode(),
        ),
        ("Ping", ClientMessage::Ping(Ping { time: 12_345_678, seen: 1180 }).encode()),
        ("Resync", ClientMessage::Resync.encode()),
        ("Leave", ClientMessage::Leave.encode()),
    ]
}

/// Well-formed server messages to cut, lengthen and bend.
pub(crate) fn server_messages_to_break() -> Vec<(&'static str, Vec<u8>)> {
    let who = Some(Occupant { name: "Ada".into(), presence: Presence::Here });
    let roster = Roster { since: 0, version: 1, entries: vec![RosterEntry { seat: 0, who }] };
    vec![
        ("Roster", ServerMessage::Roster(roster).encode()),
        ("Pong", ServerMessage::Pong(Pong { time: 12_345_678, server_time: 24_666_667 }).encode()),
        ("Closing", ServerMessage::Closing(Closing { code: 4006, text: "Over.".into() }).encode()),
        // A snapshot's body is not part of its header's decoding: only the header is cut here.
        ("Snapshot header", ServerMessage::Snapshot(header()).encode()),
    ]
}

/// Each message cut at every byte and with a byte too many, and what no message begins with.
pub(crate) fn refused(
    whole: &[(&'static str, Vec<u8>)],
    decode: impl Fn(&[u8]) -> Result<(), CodecError>,
) -> Vec<(String, Vec<u8>, CodecError)> {
    let mut list: Vec<(String, Vec<u8>)> = vec![
        ("no byte at all".into(), vec![]),
        ("a message number that nothing has".into(), vec![5]),
        ("a message number that nothing has, with a marker".into(), vec![251, 0, 1]),
        ("a message number with a marker too wide".into(), vec![253, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("marker 255".into(), vec![255]),
        ("a text instead of bytes".into(), b"{\"type\":\"Hello\"}".to_vec()),
    ];
    for (name, bytes) in whole {
        decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        for length in 1..bytes.len() {
            list.push((format!("{name} cut after {length}"), bytes[..length].to_vec()));
        }
        if !name.starts_with("Snapshot") {
            list.push((format!("{name} and one byte"), [bytes.as_slice(), &[0]].concat()));
        }
    }
    if whole.iter().any(|(name, _)| *name == "Hello") {
        list.push(("longer than a client's message may be".into(), vec![0; codec::CLIENT_MESSAGE_BYTES_MAX + 1]));
    }
    let bent: &[(&str, &str, usize, u8)] = &[
        ("Hello", "a name that is not UTF-8", 3, 0xff),
        ("Hello", "a wish that does not exist", 6, 4),
        ("Hello", "a tier that does not exist", 12, 2),
        ("Hello", "an option that is neither there nor not", 13, 2),
        ("Input", "a row that claims more than there is", 9, 250),
        ("Roster", "a presence that does not exist", 10, 3),
        ("Closing", "a text that claims more than there is", 4, 250),
    ];
    for &(name, what, at, byte) in bent {
        if let Some((_, bytes)) = whole.iter().find(|(known, _)| *known == name) {
            let mut bytes = bytes.clone();
            assert_ne!(bytes[at], byte);
            bytes[at] = byte;
            list.push((format!("{name}: {what}"), bytes));
        }
    }
    list.into_iter()
        .map(|(name, bytes)| {
            let error = decode(&bytes).err().unwrap_or_else(|| panic!("{name} is not refused"));
            (name, bytes, error)
        })
        .collect()
}

/// First messages of a session that the server refuses, and with which reason.
pub(crate) fn refused_first() -> Vec<(&'static str, Vec<u8>, CloseReason)> {
    let hello_with = |change: fn(&mut Hello)| {
        let mut hello = hello();
        change(&mut hello);
        ClientMessage::Hello(hello).encode()
    };
    let input = ClientMessage::Input(Input { seq: 1, tick: 0, seen: 0, seen_ago: 0, row: vec![] });
    vec![
        ("no byte at all", vec![], CloseReason::Malformed),
        ("an unknown message number", vec![5], CloseReason::Malformed),
        ("a Hello that is cut short", hello_with(|_| {})[..4].to_vec(), CloseReason::Malformed),
        ("a Hello and one byte", [hello_with(|_| {}).as_slice(), &[0]].concat(), CloseReason::Malformed),
        ("an Input before Hello", input.encode(), CloseReason::OutOfOrder),
        ("a Ping before Hello", ClientMessage::Ping(Ping { time: 1, seen: 0 }).encode(), CloseReason::OutOfOrder),
        ("a Resync before Hello", ClientMessage::Resync.encode(), CloseReason::OutOfOrder),
        ("a Leave before Hello", ClientMessage::Leave.encode(), CloseReason::OutOfOrder),
        ("another protocol version", hello_with(|hello| hello.protocol = 65_535), CloseReason::WrongVersion),
        (
            "a room code that no room has",
            hello_with(|hello| hello.wish = RoomWish::Code("0".into())),
            CloseReason::UnknownRoom,
        ),
        (
            "a code to watch that no room has",
            hello_with(|hello| hello.wish = RoomWish::Spectate(Some("0".into()))),
            CloseReason::UnknownRoom,
        ),
        ("a token that fits no seat", hello_with(|hello| hello.resume = Some([170; 16])), CloseReason::SeatGone),
    ]
}
