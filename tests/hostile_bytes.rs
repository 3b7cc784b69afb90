//! Nobody's bytes, right or wrong, can hurt who decodes them: every message goes both ways, no bytes panic, and memory
//! stays within a small multiple of the input.

#![allow(unsafe_code, reason = "a counting allocator is unsafe by its nature; it only hands through")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tickroom::protocol::bits::ORDER_MAX;
use tickroom::protocol::codec::{self, CLIENT_MESSAGE_BYTES_MAX, CodecError, MESSAGE_BYTES_MAX};
use tickroom::protocol::message::*;
use tickroom::protocol::schema::*;
use tickroom::protocol::view::View;

thread_local! {
    /// Bytes that this thread has asked for since it was set to 0.
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count(bytes: usize) {
    // A thread that is ending has no counter any more.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + bytes));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.saturating_sub(layout.size()));
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `work` asks of the allocator in all, whether it gives it back or not.
fn asked<T>(work: impl FnOnce() -> T) -> (T, usize) {
    ASKED.set(0);
    let done = work();
    (done, ASKED.get())
}

/// What decoding may ask for: 64 bytes for each of the input's (32, up to the next power of two), and a sentence.
fn allowed(bytes: usize) -> usize {
    64 * bytes + 4096
}

/// What applying a snapshot's body may ask for: an entity without fields takes ten bits, and the
/// place of one with 32, and a growing list is copied.
fn allowed_to_view(bytes: usize) -> usize {
    512 * bytes + 8192
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,30}"
}

fn token() -> impl Strategy<Value = Option<[u8; 16]>> {
    option::of(any::<[u8; 16]>())
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    let wish = prop_oneof![
        Just(RoomWish::Quick),
        text().prop_map(RoomWish::Code),
        any::<bool>().prop_map(|private| RoomWish::Create { private }),
        option::of(text()).prop_map(RoomWish::Spectate),
    ];
    let tier = prop_oneof![Just(Tier::Full), Just(Tier::Delta)];
    let hello = (any::<u16>(), text(), wish, tier, token(), any::<u32>()).prop_map(
        |(protocol, name, wish, tier, resume, features)| Hello { protocol, name, wish, tier, resume, features },
    );
    let input = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u16>(), vec(any::<i32>(), 0..12))
        .prop_map(|(seq, tick, seen, seen_ago, row)| Input { seq, tick, seen, seen_ago, row });
    prop_oneof![
        hello.prop_map(ClientMessage::Hello),
        input.prop_map(ClientMessage::Input),
        (any::<u64>(), any::<u32>()).prop_map(|(time, seen)| ClientMessage::Ping(Ping { time, seen })),
        Just(ClientMessage::Resync),
        Just(ClientMessage::Leave),
    ]
}

fn field() -> impl Strategy<Value = Field> {
    let interpolation = prop_oneof![
        Just(Interpolation::Step),
        Just(Interpolation::Linear),
        Just(Interpolation::Angle),
        Just(Interpolation::Tick)
    ];
    let orders = (0..=ORDER_MAX, 0..=ORDER_MAX);
    (text(), 1..u32::MAX, interpolation, 0..16_u8, orders).prop_map(
        |(name, scale, interpolation, drop_bits, (change_order, value_order))| Field {
            name,
            scale,
            interpolation,
            drop_bits,
            change_order,
            value_order,
        },
    )
}

fn schema() -> impl Strategy<Value = Schema> {
    let kind = (text(), any::<bool>(), any::<bool>(), vec(field(), 0..FIELDS_MAX + 1))
        .prop_map(|(name, private, constant, fields)| EntityKind { name, private, constant, fields });
    let event = (text(), vec(field(), 0..4)).prop_map(|(name, fields)| EventKind { name, fields });
    let neutral = prop_oneof![any::<i32>().prop_map(Neutral::Value), Just(Neutral::Hold)];
    let sort = prop_oneof![Just(InputSort::Level), Just(InputSort::Press)];
    let input = (text(), any::<i32>(), any::<i32>(), neutral, sort)
        .prop_map(|(name, min, max, neutral, sort)| InputField { name, min, max, neutral, sort });
    (text(), any::<u32>(), vec(kind, 0..5), vec(input, 0..INPUT_FIELDS_MAX), vec(event, 0..4))
        .prop_map(|(game, rules, kinds, inputs, events)| Schema { game, rules, kinds, inputs, events })
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let rules = (schema(), vec(any::<u8>(), 0..600), any::<u32>());
    let seat = (option::of(any::<u16>()), token(), any::<u32>(), any::<bool>(), text());
    let time = (any::<u16>(), any::<u16>(), any::<u64>(), any::<u32>(), any::<u32>());
    (any::<u16>(), any::<u32>(), rules, seat, time).prop_map(|(protocol, features, rules, seat, time)| Welcome {
        protocol,
        features,
        schema: rules.0,
        tuning: rules.1,
        rules_hash: rules.2,
        seat: seat.0,
        token: seat.1,
        seat_kept_ms: seat.2,
        resumed: seat.3,
        code: seat.4,
        tick_rate: time.0,
        ticks_per_snapshot: time.1,
        epoch: time.2,
        tick: time.3,
        skipped: time.4,
    })
}

fn header() -> impl Strategy<Value = SnapshotHeader> {
    (any::<u32>(), any::<u32>(), any::<u32>(), any::<i8>(), any::<u8>(), any::<u16>(), any::<u32>()).prop_map(
        |(tick, base, ack, margin, flags, lateness, skipped)| SnapshotHeader {
            tick: tick.into(),
            base,
            ack,
            margin,
            flags,
            lateness,
            skipped,
        },
    )
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    let presence = prop_oneof![Just(Presence::Here), Just(Presence::Away), Just(Presence::Bot)];
    let who = option::of((text(), presence).prop_map(|(name, presence)| Occupant { name, presence }));
    let entry = (any::<u16>(), who).prop_map(|(seat, who)| RosterEntry { seat, who });
    let roster = (any::<u32>(), any::<u32>(), vec(entry, 0..60)).prop_map(|(since, version, entries)| Roster {
        since,
        version,
        entries,
    });
    prop_oneof![
        welcome().prop_map(|welcome| ServerMessage::Welcome(Box::new(welcome))),
        roster.prop_map(ServerMessage::Roster),
        header().prop_map(ServerMessage::Snapshot),
        (any::<u64>(), any::<u64>()).prop_map(|(time, server_time)| ServerMessage::Pong(Pong { time, server_time })),
        (any::<u16>(), text()).prop_map(|(code, text)| ServerMessage::Closing(Closing { code, text })),
    ]
}

/// Bytes of every sort: noise, and messages that were bent a little.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let noise = vec(any::<u8>(), 0..300);
    // Markers and claims are what decoders stumble over.
    let spiced = vec(prop_oneof![0..6_u8, 248..=255_u8, any::<u8>()], 0..300);
    let message = prop_oneof![
        client_message().prop_map(|message| message.encode()),
        server_message().prop_map(|message| message.encode()),
    ];
    let bent = (message, vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), any::<prop::sample::Index>())
        .prop_map(|(mut bytes, changes, cut)| {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(1 + cut.index(bytes.len()));
            bytes
        });
    prop_oneof![noise, spiced, bent]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_client_message_goes_both_ways(message in client_message()) {
        let bytes = message.encode();
        let (decoded, asked) = asked(|| ClientMessage::decode(&bytes));
        prop_assert_eq!(decoded, Ok(message));
        prop_assert!(asked <= allowed(bytes.len()), "{} bytes asked for {}", asked, bytes.len());
    }

    #[test]
    fn every_server_message_goes_both_ways(message in server_message()) {
        let bytes = message.encode();
        let (decoded, asked) = asked(|| ServerMessage::decode(&bytes));
        match &message {
            // No server sends one, and whoever showed it could overflow.
            ServerMessage::Welcome(welcome) if welcome.schema.check().is_err() => prop_assert!(decoded.is_err()),
            _ => prop_assert_eq!(decoded, Ok((message, &[][..]))),
        }
        prop_assert!(asked <= allowed(bytes.len()), "{} bytes asked for {}", asked, bytes.len());
    }

    #[test]
    fn no_bytes_panic_or_take_memory(bytes in bytes()) {
        let (client, asked_by_client) = asked(|| ClientMessage::decode(&bytes));
        prop_assert!(asked_by_client <= allowed(bytes.len()), "{} for {} bytes", asked_by_client, bytes.len());
        let (server, asked_by_server) = asked(|| ServerMessage::decode(&bytes));
        prop_assert!(asked_by_server <= allowed(bytes.len()), "{} for {} bytes", asked_by_server, bytes.len());
        // What decodes has a shortest form of its own, which says the same.
        if let Ok(message) = client {
            prop_assert_eq!(ClientMessage::decode(&message.encode()), Ok(message));
        }
        if let Ok((message, body)) = server {
            let again = [message.encode(), body.to_vec()].concat();
            prop_assert_eq!(ServerMessage::decode(&again), Ok((message, body)));
        }
    }

    #[test]
    fn no_snapshot_breaks_a_view(
        schema in schema(),
        snapshots in vec((header(), 0..4_u32, vec(prop_oneof![0..4_u8, any::<u8>()], 0..120)), 1..12),
    ) {
        let mut view = View::new(&schema);
        let mut bytes = 0;
        let ((), asked) = asked(|| {
            for (mut header, base, body) in snapshots {
                bytes += body.len();
                // Small bases, or nothing but the first would ever be looked at.
                header.base = base;
                let _ = view.apply(&header, &body);
                let ids: Vec<u32> = view.rows().map(|(id, ..)| id.get()).collect();
                assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
                let _ = view.digest();
            }
        });
        prop_assert!(asked <= allowed_to_view(bytes) + 12 * 4096, "{} for {} bytes", asked, bytes);
    }
}

#[test]
fn a_claim_of_millions_in_a_few_bytes_takes_no_memory() {
    // Each claims the most that its width can say, wherever a message has a length.
    let claims =
        ["fc ff ff ff ff", "fd ff ff ff ff ff ff ff ff", "fd 00 00 00 00 01 00 00 00", "fb ff ff", "fc 00 00 01 00"];
    for claim in claims.map(|claim| tickroom::protocol::hex::decode(claim).unwrap()) {
        for (what, start) in [("a name", vec![0, 0]), ("a room code", vec![0, 0, 0, 1]), ("a row", vec![1, 1, 0, 0, 0])]
        {
            let bytes = [start, claim.clone()].concat();
            let (decoded, asked) = asked(|| ClientMessage::decode(&bytes));
            assert!(decoded.is_err(), "{what}");
            assert!(asked <= allowed(bytes.len()), "{what}: {asked} bytes for {} that claim {claim:?}", bytes.len());
        }
        for (what, start) in [
            ("a game's name", vec![0, 0, 0]),
            ("entity kinds", vec![0, 0, 0, 0, 0]),
            ("fields", vec![0, 0, 0, 0, 0, 1, 0, 0, 0]),
            ("inputs", vec![0, 0, 0, 0, 0, 0]),
            ("events", vec![0, 0, 0, 0, 0, 0, 0]),
            ("tuning", vec![0, 0, 0, 0, 0, 0, 0, 0]),
            ("a roster", vec![1, 0, 1]),
            ("a sentence", vec![4, 0]),
        ] {
            let bytes = [start, claim.clone()].concat();
            let (decoded, asked) = asked(|| ServerMessage::decode(&bytes).map(drop));
            assert!(decoded.is_err(), "{what}");
            assert!(asked <= allowed(bytes.len()), "{what}: {asked} bytes for {} that claim {claim:?}", bytes.len());
        }
    }
}

#[test]
fn a_message_of_the_limit_is_read_and_one_byte_more_is_not() {
    // Names of any length are well-formed; it is the message's length that is limited.
    let hello = |name: usize| {
        let hello = Hello {
            protocol: PROTOCOL_VERSION,
            name: "x".repeat(name),
            wish: RoomWish::Quick,
            tier: Tier::Full,
            resume: None,
            features: 0,
        };
        ClientMessage::Hello(hello).encode()
    };
    let overhead = hello(900).len() - 900;
    assert!(ClientMessage::decode(&hello(CLIENT_MESSAGE_BYTES_MAX - overhead)).is_ok());
    let bytes = CLIENT_MESSAGE_BYTES_MAX + 1;
    assert_eq!(
        ClientMessage::decode(&hello(bytes - overhead)),
        Err(CodecError::TooLong { bytes, limit: CLIENT_MESSAGE_BYTES_MAX })
    );
    let closing = |text: usize| ServerMessage::Closing(Closing { code: 1000, text: "x".repeat(text) }).encode();
    let overhead = closing(60_000).len() - 60_000;
    assert!(ServerMessage::decode(&closing(MESSAGE_BYTES_MAX - overhead)).is_ok());
    let bytes = MESSAGE_BYTES_MAX + 1;
    assert_eq!(
        ServerMessage::decode(&closing(bytes - overhead)),
        Err(CodecError::TooLong { bytes, limit: MESSAGE_BYTES_MAX })
    );
}

#[test]
fn the_longest_legitimate_lists_fit_the_memory_that_decoding_may_claim() {
    // As dense as it gets: entries of two and three bytes, up to the limit of a message.
    let free = |seat| RosterEntry { seat, who: None };
    let roster = Roster { since: 0, version: 1, entries: (0..16_384).map(free).collect() };
    let bytes = ServerMessage::Roster(roster.clone()).encode();
    assert!(bytes.len() < MESSAGE_BYTES_MAX);
    assert_eq!(ServerMessage::decode(&bytes), Ok((ServerMessage::Roster(roster), &[][..])));
    let row = vec![0; CLIENT_MESSAGE_BYTES_MAX - 8];
    let input = ClientMessage::Input(Input { seq: 1, tick: 0, seen: 0, seen_ago: 0, row });
    assert_eq!(ClientMessage::decode(&input.encode()), Ok(input));
    let small: Vec<RosterEntry> = (0..250).map(free).collect();
    for count in 0..small.len() {
        let roster = Roster { since: 0, version: 1, entries: small[..count].to_vec() };
        let bytes = codec::encode(&ServerMessage::Roster(roster));
        assert!(ServerMessage::decode(&bytes).is_ok(), "{count} entries");
    }
}
