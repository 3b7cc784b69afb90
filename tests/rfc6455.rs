//! The table of PROTOCOL.md part 11 over raw sockets: what the server answers to each use and misuse of WebSocket
//! frames. Every row of the table has its case here, and every case its row.
#![cfg(feature = "server")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use support::sockets::{Server, config, hello, within};
use tickroom::config::{Config, ServerConfig};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::codec::CLIENT_MESSAGE_BYTES_MAX;
use tickroom::protocol::message::{ClientMessage, Hello, Ping, RoomWish, ServerMessage, Welcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TEXT: &str = include_str!("../src/protocol/PROTOCOL.md");

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// One frame as a client sends it, with a mask that shows if it is not taken off.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

const MASK: [u8; 4] = [0x5A, 0xC3, 0x17, 0x88];

fn header(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(0x80 | length as u8),
        126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// A protocol message that the server answers with a Pong of this time.
fn ping_message(time: u64) -> Vec<u8> {
    ClientMessage::Ping(Ping { time, seen: 0 }).encode()
}

/// A connection whose every frame is looked at.
struct Raw {
    socket: TcpStream,
    input: Vec<u8>,
}

/// What the server did, snapshots, rosters and its own WebSocket pings apart.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answers {
    /// Payloads of Pong frames.
    pongs: Vec<Vec<u8>>,
    /// Times of Pong messages.
    times: Vec<u64>,
    welcome: bool,
    /// The code of the message Closing.
    closing: Option<u16>,
    /// The code of the Close frame: `Some(None)` is a frame without one.
    close: Option<Option<u16>>,
    /// The server ended the connection.
    ended: bool,
}

impl Raw {
    async fn connect(server: &Server) -> Self {
        Self { socket: server.raw().await, input: Vec::new() }
    }

    /// A session that is in a room.
    async fn seated(server: &Server) -> (Self, Welcome) {
        let mut raw = Self::connect(server).await;
        raw.write(&frame(FIN | BINARY, &ClientMessage::Hello(hello(RoomWish::Quick)).encode())).await;
        loop {
            let (first, payload) = within("Welcome", raw.frame()).await.expect("the session lives");
            if let (true, Ok((ServerMessage::Welcome(welcome), _))) =
                (first == FIN | BINARY, ServerMessage::decode(&payload))
            {
                return (raw, *welcome);
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        // A server that has already closed may reset; what it said before is read all the same.
        let _ = self.socket.write_all(bytes).await;
    }

    /// Says these last words, or ends the client's half of the connection; the time until the server ends its own.
    async fn ends_after(&mut self, last: Option<&[u8]>) -> Duration {
        let start = Instant::now();
        match last {
            Some(bytes) => self.write(bytes).await,
            None => self.socket.shutdown().await.expect("half of a connection can be closed"),
        }
        within("the end of the connection", async { while self.frame().await.is_some() {} }).await;
        start.elapsed()
    }

    /// The server's next frame: its first byte and its payload. `None` at the end.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((first, start, length)) = self.parse() {
                let payload = self.input[start..start + length].to_vec();
                self.input.drain(..start + length);
                return Some((first, payload));
            }
            let mut chunk = [0; 4096];
            match self.socket.read(&mut chunk).await {
                Ok(read @ 1..) => self.input.extend_from_slice(&chunk[..read]),
                _ => return None,
            }
        }
    }

    fn parse(&self) -> Option<(u8, usize, usize)> {
        let (&first, &second) = (self.input.first()?, self.input.get(1)?);
        assert_eq!(second & 0x80, 0, "a server does not mask");
        let number = |bytes: &[u8]| bytes.iter().fold(0_usize, |number, &byte| number << 8 | usize::from(byte));
        let (start, length) = match second {
            126 => (4, number(self.input.get(2..4)?)),
            127 => (10, number(self.input.get(2..10)?)),
            short => (2, usize::from(short)),
        };
        (self.input.len() >= start + length).then_some((first, start, length))
    }

    /// Everything that the server says until it ends, or until it has answered a last Pong message (time 999).
    async fn answers(&mut self) -> Answers {
        let mut answers = Answers::default();
        within("the server's answer", async {
            while !answers.times.contains(&999) {
                let Some((first, payload)) = self.frame().await else {
                    answers.ended = true;
                    break;
                };
                assert_eq!(first & 0x70, 0, "no reserved bit");
                match first & 0x0F {
                    BINARY => match ServerMessage::decode(&payload).expect("a message").0 {
                        ServerMessage::Pong(pong) => answers.times.push(pong.time),
                        ServerMessage::Closing(closing) => answers.closing = Some(closing.code),
                        ServerMessage::Welcome(_) => answers.welcome = true,
                        ServerMessage::Snapshot(_) | ServerMessage::Roster(_) => {}
                    },
                    PING => {}
                    PONG => answers.pongs.push(payload),
                    CLOSE => answers.close = Some(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
                    other => panic!("opcode {other}"),
                }
            }
        })
        .await;
        answers
    }
}

/// The rows of the table that were tested.
struct Table {
    server: Server,
    tested: BTreeSet<&'static str>,
}

impl Table {
    /// A seated session sends this; then a last Ping message, if it lives.
    async fn send(&mut self, row: &'static str, bytes: &[u8]) -> Answers {
        self.tested.insert(row);
        let (mut raw, _) = Raw::seated(&self.server).await;
        raw.write(bytes).await;
        raw.write(&frame(FIN | BINARY, &ping_message(999))).await;
        raw.answers().await
    }

    /// The session goes on, and has said this.
    async fn lives(&mut self, row: &'static str, bytes: &[u8], pongs: &[&[u8]], times: &[u64]) {
        let answers = self.send(row, bytes).await;
        assert_eq!(answers.pongs, pongs, "{row}");
        assert_eq!(answers.times, [times, &[999]].concat(), "{row}");
        assert_eq!((answers.closing, answers.close, answers.ended), (None, None, false), "{row}");
    }

    /// The session ends with Closing, Close and the end of the connection.
    async fn closes(&mut self, row: &'static str, bytes: &[u8], reason: CloseReason) {
        let answers = self.send(row, bytes).await;
        assert_eq!(
            (answers.closing, answers.close, answers.ended),
            (Some(reason.code()), Some(Some(reason.code())), true),
            "{row}: {bytes:02x?}"
        );
        assert_eq!(answers.times, Vec::<u64>::new(), "{row}: nothing is taken after a fault");
    }

    /// The session ends with this Close frame and no Closing.
    async fn echoes(&mut self, row: &'static str, bytes: &[u8], code: Option<u16>) {
        let answers = self.send(row, bytes).await;
        assert_eq!((answers.closing, answers.close, answers.ended), (None, Some(code), true), "{row}");
    }
}

const FRAGMENTS: &str = "a binary message in several frames";
const INTERLEAVED: &str = "Ping frames between the fragments of a message";
const UNBEGUN: &str = "a continuation frame without a beginning";
const WITHIN: &str = "a new data frame in the middle of a fragmented message";
const TEXT_FRAME: &str = "a text frame, whole or the first of several";
const UNMASKED: &str = "an unmasked frame";
const RESERVED: &str = "a frame with a reserved bit (RSV1 to RSV3) set";
const OPCODE: &str = "an unknown opcode (3 to 7, 11 to 15)";
const NOT_SHORTEST: &str = "a frame whose length is not in its shortest form";
const CONTROL: &str = "a control frame that is fragmented or longer than 125 bytes";
const AT_LIMIT: &str = "a message of exactly 1024 bytes";
const ABOVE_LIMIT: &str = "a message of 1025 bytes, in one frame or in several";
const CLAIM: &str = "a frame that claims up to 2^63 bytes";
const PING_FRAME: &str = "a Ping frame";
const PONG_FRAME: &str = "a Pong frame";
const CLOSE_FRAME: &str = "Close with a code that RFC 6455 allows, or with none";
const BAD_CODE: &str =
    "Close with a code that may not be sent (below 1000, 1004 to 1006, 1015, 1016 to 2999, 5000 and above)";
const BAD_CLOSE: &str = "Close with one byte, or a reason that is not UTF-8";
const AFTER_CLOSE: &str = "anything after its Close frame";
const HALF_CLOSED: &str = "the end of its TCP stream without a Close frame (half-closed)";
const SPLIT: &str = "frames split at any byte over any number of TCP segments";

#[tokio::test]
async fn the_server_answers_every_use_of_frames_as_the_table_says() {
    // These clients answer no Close frame: the server need not wait a second for each.
    let server = ServerConfig { closing_ms: 100, ..config().server };
    let mut table = Table { server: Server::start(Config { server, ..config() }), tested: BTreeSet::new() };
    fragments(&mut table).await;
    broken_frames(&mut table).await;
    limits(&mut table).await;
    control_frames(&mut table).await;
    closes(&mut table).await;
    half_closed(&mut table).await;
    split(&mut table).await;

    let (_, after) = TEXT.split_once("| the client sends | the server answers |").expect("the table is there");
    let rows: BTreeSet<&str> = after
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).expect("a row has cells").trim())
        .collect();
    assert_eq!(rows, table.tested, "left: PROTOCOL.md, right: tested here");
}

async fn fragments(table: &mut Table) {
    let message = ping_message(7);
    for cut in 0..=message.len() {
        let (a, b) = message.split_at(cut);
        table.lives(FRAGMENTS, &[frame(BINARY, a), frame(FIN | CONTINUATION, b)].concat(), &[], &[7]).await;
    }
    let by_byte: Vec<u8> = message.iter().flat_map(|&byte| frame(CONTINUATION, &[byte])).collect();
    let bytes = [frame(BINARY, &[]), by_byte, frame(FIN | CONTINUATION, &[])].concat();
    table.lives(FRAGMENTS, &bytes, &[], &[7]).await;

    let (a, b) = message.split_at(1);
    let bytes =
        [frame(BINARY, a), frame(FIN | PING, b"one"), frame(FIN | PING, b""), frame(FIN | CONTINUATION, b)].concat();
    table.lives(INTERLEAVED, &bytes, &[b"one", b""], &[7]).await;
    // The Pong does not wait for the message.
    let (mut raw, _) = Raw::seated(&table.server).await;
    raw.write(&[frame(BINARY, a), frame(FIN | PING, b"now")].concat()).await;
    let pong = within("a Pong in the middle of a message", async {
        loop {
            match raw.frame().await.expect("the session lives") {
                (first, payload) if first == FIN | PONG => return payload,
                _ => {}
            }
        }
    });
    assert_eq!(pong.await, b"now");

    table.closes(UNBEGUN, &frame(FIN | CONTINUATION, &message), CloseReason::Malformed).await;
    table.closes(UNBEGUN, &frame(CONTINUATION, &[]), CloseReason::Malformed).await;
    let again = [frame(BINARY, a), frame(FIN | BINARY, &message)].concat();
    table.closes(WITHIN, &again, CloseReason::Malformed).await;
    table.closes(WITHIN, &[frame(BINARY, a), frame(BINARY, b)].concat(), CloseReason::Malformed).await;
}

async fn broken_frames(table: &mut Table) {
    let message = ping_message(7);
    table.closes(TEXT_FRAME, &frame(FIN | 1, b"hello"), CloseReason::TextFrame).await;
    table.closes(TEXT_FRAME, &frame(1, b"hel"), CloseReason::TextFrame).await;
    table
        .closes(UNMASKED, &[&[FIN | BINARY, message.len() as u8], &message[..]].concat(), CloseReason::Malformed)
        .await;
    table.closes(UNMASKED, &[FIN | PING, 0], CloseReason::Malformed).await;
    for reserved in [0x40, 0x20, 0x10] {
        table.closes(RESERVED, &frame(FIN | reserved | BINARY, &message), CloseReason::Malformed).await;
        table.closes(RESERVED, &frame(FIN | reserved | PING, b""), CloseReason::Malformed).await;
    }
    for opcode in (3..=7).chain(11..=15) {
        table.closes(OPCODE, &frame(FIN | opcode, &message), CloseReason::Malformed).await;
    }
    for (length, payload) in [
        (&[126, 0, 0][..], 0),
        (&[126, 0, 125], 125),
        (&[127, 0, 0, 0, 0, 0, 0, 0, 5], 5),
        (&[127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 0),
    ] {
        for first in [FIN | BINARY, FIN | PING, BINARY, FIN | CLOSE] {
            let bytes = [&[first, 0x80 | length[0]], &length[1..], &MASK, &vec![0; payload][..]].concat();
            table.closes(NOT_SHORTEST, &bytes, CloseReason::Malformed).await;
        }
    }
    table.closes(CONTROL, &frame(FIN | PING, &[1; 126]), CloseReason::Malformed).await;
    table.closes(CONTROL, &frame(PING, b"x"), CloseReason::Malformed).await;
    table.closes(CONTROL, &frame(CLOSE, &1000_u16.to_be_bytes()), CloseReason::Malformed).await;
}

/// Limits are tried with a Hello, because only a name can be that long.
async fn limits(table: &mut Table) {
    let hello_of = |bytes: usize| {
        let with =
            |name: usize| ClientMessage::Hello(Hello { name: "x".repeat(name), ..hello(RoomWish::Quick) }).encode();
        let whole = with(bytes - (with(900).len() - 900));
        assert_eq!(whole.len(), bytes);
        whole
    };
    let (limit, above) = (hello_of(CLIENT_MESSAGE_BYTES_MAX), hello_of(CLIENT_MESSAGE_BYTES_MAX + 1));
    for bytes in [
        frame(FIN | BINARY, &limit),
        [frame(BINARY, &limit[..1000]), frame(FIN | CONTINUATION, &limit[1000..])].concat(),
    ] {
        let mut raw = Raw::connect(&table.server).await;
        raw.write(&[bytes, frame(FIN | PING, b"alive")].concat()).await;
        let welcome = within("Welcome for a message of the limit", async {
            loop {
                let (first, payload) = raw.frame().await.expect("the session lives");
                if first & 0x0F == BINARY {
                    return ServerMessage::decode(&payload).expect("a message").0;
                }
            }
        });
        assert!(matches!(welcome.await, ServerMessage::Welcome(_)), "{AT_LIMIT}");
    }
    table.tested.insert(AT_LIMIT);

    // Of what is too long, nothing but the header is sent: it must be enough.
    for bytes in [
        header(FIN | BINARY, above.len() as u64),
        [frame(BINARY, &above[..1000]), header(CONTINUATION, 25)].concat(),
        frame(FIN | BINARY, &above),
    ] {
        let mut raw = Raw::connect(&table.server).await;
        raw.write(&bytes).await;
        let answers = raw.answers().await;
        let code = CloseReason::TooLong.code();
        assert_eq!((answers.closing, answers.close, answers.ended), (Some(code), Some(Some(code)), true));
        table.tested.insert(ABOVE_LIMIT);
    }
    for claim in [1 << 20, 1 << 40, (1 << 63) - 1, 1 << 63, u64::MAX] {
        table.closes(CLAIM, &header(FIN | BINARY, claim), CloseReason::TooLong).await;
    }
}

async fn control_frames(table: &mut Table) {
    let longest = [7; 125];
    let bytes = [frame(FIN | PING, b""), frame(FIN | PING, b"payload"), frame(FIN | PING, &longest)].concat();
    table.lives(PING_FRAME, &bytes, &[b"", b"payload", &longest], &[]).await;
    let bytes = [frame(FIN | PONG, b""), frame(FIN | PONG, b"nobody asked"), frame(FIN | PONG, &longest)].concat();
    table.lives(PONG_FRAME, &bytes, &[], &[]).await;
}

async fn closes(table: &mut Table) {
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4000, 4999] {
        table.echoes(CLOSE_FRAME, &close(code, b"bye"), Some(code)).await;
    }
    table.echoes(CLOSE_FRAME, &frame(FIN | CLOSE, b""), None).await;
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        table.closes(BAD_CODE, &close(code, b""), CloseReason::Malformed).await;
    }
    table.closes(BAD_CLOSE, &frame(FIN | CLOSE, &[3]), CloseReason::Malformed).await;
    table.closes(BAD_CLOSE, &close(1000, &[0xC3, 0x28]), CloseReason::Malformed).await;
    let garbage = [close(1000, b""), vec![0xFF; 300]].concat();
    table.echoes(AFTER_CLOSE, &garbage, Some(1000)).await;
    let message = [close(1001, b""), frame(FIN | BINARY, &ping_message(7))].concat();
    table.echoes(AFTER_CLOSE, &message, Some(1001)).await;

    // Only Leave frees a seat.
    let (mut raw, welcome) = Raw::seated(&table.server).await;
    raw.write(&close(1000, b"")).await;
    assert!(raw.answers().await.ended);
    let (_, again) = table.server.resume(welcome.token.expect("a seat has a token")).await;
    assert_eq!(again.seat, welcome.seat);
}

/// Autobahn's client waits a second at most for the end of the connection, and so do others.
#[tokio::test]
async fn the_connection_ends_as_soon_as_the_client_has_said_its_last() {
    // Far longer than it may take: 50 ms on a machine that has nothing else to do.
    const SOON: Duration = Duration::from_millis(500);
    let server = ServerConfig { closing_ms: 5000, ..config().server };
    let server = Server::start(Config { server, ..config() });
    let message = ping_message(7);
    let wrong_length = [&[FIN | BINARY, 0x80 | 126, 0, message.len() as u8], &MASK[..], &message].concat();
    let faults = [
        ("text", frame(FIN | 1, b"Hello, world!")),
        ("text in fragments", [frame(1, b"Hel"), frame(FIN | CONTINUATION, b"lo")].concat()),
        ("text that is no UTF-8", frame(FIN | 1, &[0xCE, 0xBA, 0xED, 0xA0, 0x80])),
        ("empty text, and a Ping behind it", [frame(FIN | 1, b""), frame(FIN | PING, b"x")].concat()),
        ("a reserved bit", frame(FIN | 0x40 | BINARY, &message)),
        ("all reserved bits, and a message", [frame(FIN | 0x70 | PING, b""), frame(FIN | BINARY, &message)].concat()),
        ("an unknown opcode", frame(FIN | 5, b"")),
        ("an unknown control opcode", frame(FIN | 12, b"x")),
        ("no mask", [&[FIN | BINARY, message.len() as u8], &message[..]].concat()),
        ("a long Ping", frame(FIN | PING, &[0x88; 126])),
        ("a Ping in fragments", [frame(PING, b"x"), frame(FIN | CONTINUATION, b"y")].concat()),
        ("a continuation of nothing", frame(FIN | CONTINUATION, b"x")),
        ("a message in a message", [frame(BINARY, b"x"), frame(FIN | BINARY, b"y")].concat()),
        ("a length in a longer form", wrong_length),
        ("a long message", frame(FIN | BINARY, &[0x88; 5000])),
        ("bytes that are no message", frame(FIN | BINARY, &[77])),
        ("Leave", frame(FIN | BINARY, &ClientMessage::Leave.encode())),
    ];
    for (what, bytes) in &faults {
        let mut took = Vec::new();
        for goodbye in [Some(close(1000, b"")), Some(close(1002, b"because")), Some(frame(FIN | CLOSE, b"")), None] {
            let (mut raw, _) = Raw::seated(&server).await;
            raw.write(bytes).await;
            while raw.frame().await.expect("a Close frame comes").0 != FIN | CLOSE {}
            took.push(raw.ends_after(goodbye.as_deref()).await);
        }
        // The goodbye comes with the fault.
        let (mut raw, _) = Raw::seated(&server).await;
        took.push(raw.ends_after(Some(&[bytes.clone(), close(1000, b"")].concat())).await);
        assert!(took.iter().all(|took| *took < SOON), "{what}: the end came after {took:?}");
    }
    // These are the client's last words themselves.
    for last in [
        close(1000, b""),
        close(1000, &[b'x'; 123]),
        close(4999, b""),
        frame(FIN | CLOSE, b""),
        frame(FIN | CLOSE, &[3]),
        close(0, b""),
        close(1005, b""),
        close(1006, b""),
        close(2999, b""),
        close(5000, b""),
        close(65_535, b""),
        close(1000, &[0xC3, 0x28]),
        close(1000, &[0xCE, 0xBA, 0xED, 0xA0, 0x80]),
        [close(1000, b""), frame(FIN | PING, b"x"), close(1001, b"")].concat(),
    ] {
        let (mut raw, _) = Raw::seated(&server).await;
        let took = raw.ends_after(Some(&last)).await;
        assert!(took < SOON, "{last:02x?}: the end came after {took:?}");
    }
}

async fn half_closed(table: &mut Table) {
    let (mut raw, welcome) = Raw::seated(&table.server).await;
    raw.socket.shutdown().await.expect("the write half closes");
    assert!(raw.answers().await.ended, "{HALF_CLOSED}");
    let (_, again) = table.server.resume(welcome.token.expect("a seat has a token")).await;
    assert_eq!((again.seat, again.resumed), (welcome.seat, true), "{HALF_CLOSED}");
    // In the middle of a frame, too.
    let (mut raw, _) = Raw::seated(&table.server).await;
    raw.write(&frame(FIN | BINARY, &ping_message(7))[..5]).await;
    raw.socket.shutdown().await.expect("the write half closes");
    assert!(raw.answers().await.ended, "{HALF_CLOSED}");
    table.tested.insert(HALF_CLOSED);
}

async fn split(table: &mut Table) {
    let message = ping_message(999);
    let script = [
        frame(FIN | BINARY, &ClientMessage::Hello(hello(RoomWish::Spectate(None))).encode()),
        frame(FIN | PING, b"split"),
        // What comes before the Welcome has come is answered all the same.
        frame(BINARY, &message[..1]),
        frame(FIN | CONTINUATION, &message[1..]),
    ]
    .concat();
    // Somebody must play, or there is no room to watch.
    let _player = Raw::seated(&table.server).await;
    let cuts = (1..script.len()).map(|cut| vec![cut]).chain([(1..script.len()).collect()]);
    for cuts in cuts {
        let mut raw = Raw::connect(&table.server).await;
        raw.socket.set_nodelay(true).expect("a socket has this option");
        let mut from = 0;
        for cut in cuts.iter().copied().chain([script.len()]) {
            raw.write(&script[from..cut]).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
            from = cut;
        }
        let answers = raw.answers().await;
        assert_eq!(answers.pongs, [b"split"], "{SPLIT} at {cuts:?}");
        assert_eq!((answers.closing, answers.close, answers.ended), (None, None, false), "{SPLIT} at {cuts:?}");
    }
    table.tested.insert(SPLIT);
}
