//! Two write to a socket: the session's wire, and the courier that writes past it. What arrives must be whole frames all
//! the same, in an order that a view can follow, however little the socket takes at a time. With a wire that asked for
//! bytes before the socket had taken the last (`actors/wire.rs`) this fails.

mod support;

use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use support::sockets::{Server, config, hello, upgrade};
use tickroom::protocol::message::{ClientMessage, Hello, Input, Ping, RoomWish, ServerMessage, Tier};
use tickroom::protocol::view::View;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// How long the reader reads in bursts.
const RUN: Duration = Duration::from_secs(4);

const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

/// A masked client frame; a mask of zeros is a mask.
fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![head, 0x80 | u8::try_from(payload.len()).expect("short"), 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// Takes one frame off the front, if it is whole: its first byte and its payload.
fn take_frame(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (head, length) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    assert!(length <= 65_536, "a frame that claims {length} bytes: the stream is torn");
    let payload = bytes.get(head..head + length)?.to_vec();
    let first = bytes[0];
    bytes.drain(..head + length);
    Some((first, payload))
}

/// What the client has understood so far.
#[derive(Default)]
struct Reader {
    bytes: Vec<u8>,
    view: Option<View>,
    snapshots: u32,
    pongs: u32,
    control_pongs: u32,
}

impl Reader {
    fn read(&mut self, seed: u64) {
        while let Some((first, payload)) = take_frame(&mut self.bytes) {
            match first {
                PONG => self.control_pongs += 1,
                PING => {}
                BINARY => self.understand(&payload, seed),
                other => panic!("seed {seed}: {other:#x} begins no frame of ours: the stream is torn"),
            }
        }
    }

    fn understand(&mut self, payload: &[u8], seed: u64) {
        let (message, body) = ServerMessage::decode(payload).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        match message {
            ServerMessage::Welcome(welcome) => self.view = Some(View::new(&welcome.schema)),
            ServerMessage::Snapshot(header) => {
                let view = self.view.as_mut().expect("the Welcome comes first");
                view.apply(&header, body).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                self.snapshots += 1;
            }
            ServerMessage::Pong(_) => self.pongs += 1,
            ServerMessage::Roster(_) => {}
            ServerMessage::Closing(closing) => panic!("seed {seed}: {}", closing.text),
        }
    }
}

async fn connect(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    // As little as the system allows, so that every large frame is taken in parts.
    socket.set_recv_buffer_size(2048).expect("an option");
    upgrade(socket.connect(server.address).await.expect("the server listens"), server.address).await
}

async fn read_in_bursts(tier: Tier, seed: u64) {
    let mut settings = config();
    settings.game = serde_json::json!({ "mines": 1500, "sees_all": true });
    settings.server.messages_per_second = 2_000;
    let server = Server::start(settings);
    let mut socket = connect(&server).await;
    let hello = ClientMessage::Hello(Hello { tier, ..hello(RoomWish::Quick) });
    socket.write_all(&frame(BINARY, &hello.encode())).await.expect("the server reads");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut reader = Reader::default();
    let mut chunk = vec![0; 64 * 1024];
    let (mut seq, mut pings) = (0, 0);
    let end = Instant::now() + RUN;
    while Instant::now() < end {
        let most = rng.random_range(1..chunk.len());
        if let Ok(read) = tokio::time::timeout(Duration::from_millis(20), socket.read(&mut chunk[..most])).await {
            let read = read.expect("the server keeps the connection");
            assert!(read > 0, "the server closed");
            reader.bytes.extend_from_slice(&chunk[..read]);
            reader.read(seed);
        }
        if reader.view.is_some() {
            seq += 1;
            pings += 1;
            let input = Input { seq, tick: 0, seen: 0, seen_ago: 0, row: vec![seq as i32 % 100, 0, seq as i32 & 0xFF] };
            let mut out = frame(BINARY, &ClientMessage::Input(input).encode());
            out.extend(frame(BINARY, &ClientMessage::Ping(Ping { time: seq.into(), seen: 0 }).encode()));
            out.extend(frame(PING, b"are you there?"));
            socket.write_all(&out).await.expect("the server reads");
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..30))).await;
    }
    assert!(reader.snapshots > 10, "seed {seed}: only {} snapshots", reader.snapshots);
    assert!(pings > 20, "seed {seed}: only {pings} pings were sent");
    assert!(reader.pongs > pings / 2 && reader.control_pongs > pings / 2, "seed {seed}: {} pongs", reader.pongs);
}

#[actix::test]
async fn frames_stay_whole_when_a_slow_socket_gets_large_snapshots_between_pongs() {
    let seed = std::env::var("TICKROOM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    read_in_bursts(Tier::Full, seed).await;
}

#[actix::test]
async fn frames_stay_whole_when_small_deltas_race_with_pongs() {
    let seed = std::env::var("TICKROOM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2);
    read_in_bursts(Tier::Delta, seed).await;
}
