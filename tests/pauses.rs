//! The server's process is stopped for a while, as by a debugger, a laptop's lid or a core that somebody else had. Nobody who
//! did right meanwhile is thrown out for it, and play is as before within two seconds.

mod support;

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use support::program::Program;
use support::sockets::{PATIENCE, frame, hello, take_message, upgrade};
use tickroom::protocol::message::{ClientMessage, Input, RoomWish, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

const PLAYERS: usize = 50;

/// From going on to the time in which play must be as before.
const RECOVERED: Duration = Duration::from_secs(1);
/// And how long that is looked at.
const LOOKED_AT: Duration = Duration::from_secs(1);
/// Nobody's snapshots may be fewer then than so many of a hundred that everybody had on average in the second before.
const SNAPSHOTS_MIN: usize = 60;

/// What a test tells its players.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Now {
    Playing,
    /// It is about to be.
    SoonStopped,
    /// The server is stopped.
    Stopped,
    GoesOn(Instant),
    Over,
}

/// What one player saw.
#[derive(Debug, Default)]
struct Saw {
    /// Why it ended, if it did.
    ended: Option<String>,
    snapshots: Vec<Instant>,
    /// When an input was acknowledged that was sent after the server went on.
    answered: Option<Instant>,
}

/// When it says Hello.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    Before,
    /// It is connected before, and says Hello while the server is stopped.
    GreetsWhileStopped,
    /// It connects while the server is stopped.
    WhileStopped,
}

/// Plays until all is over: an input at every 60th of a second, whatever the server does.
async fn play(address: SocketAddr, comes: Comes, mut now: watch::Receiver<Now>) -> Saw {
    let mut saw = Saw::default();
    let mut bytes = Vec::new();
    let joins = frame(0x82, &ClientMessage::Hello(hello(RoomWish::Quick)).encode());
    if comes == Comes::GreetsWhileStopped {
        now.wait_for(|now| *now == Now::SoonStopped).await.expect("the test goes on");
    }
    let mut socket = TcpStream::connect(address).await.expect("the program listens");
    if comes != Comes::WhileStopped {
        socket = upgrade(socket, address).await;
    }
    if comes != Comes::Before {
        now.wait_for(|now| *now == Now::Stopped).await.expect("the test goes on");
    }
    if comes == Comes::WhileStopped {
        let asks = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        socket.write_all(asks.as_bytes()).await.expect("the kernel takes it");
    }
    socket.write_all(&joins).await.expect("the kernel takes it");
    let mut in_head = comes == Comes::WhileStopped;
    let (mut reader, mut writer) = socket.into_split();
    let mut chunk = vec![0; 64 * 1024];
    let mut every = tokio::time::interval(Duration::from_micros(16_667));
    let (mut seq, mut seen, mut seq_after) = (0, 0, None);
    loop {
        tokio::select! {
            read = reader.read(&mut chunk) => match read {
                Ok(read @ 1..) => bytes.extend_from_slice(&chunk[..read]),
                end => {
                    saw.ended.get_or_insert(format!("{end:?}"));
                    return saw;
                }
            },
            _ = every.tick() => {
                let state = *now.borrow();
                if state == Now::Over {
                    return saw;
                }
                if seen > 0 {
                    seq += 1;
                    if let (Now::GoesOn(_), None) = (state, seq_after) {
                        seq_after = Some(seq);
                    }
                    let input = Input { seq, tick: 0, seen, seen_ago: 0, row: vec![0; 5] };
                    // An end is seen by reading.
                    let _ = writer.write_all(&frame(0x82, &ClientMessage::Input(input).encode())).await;
                }
            }
        }
        if in_head {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            assert!(bytes.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&bytes));
            bytes.drain(..end + 4);
            in_head = false;
        }
        while let Some((first, payload)) = take_message(&mut bytes) {
            match first {
                0x89 => writer.write_all(&frame(0x8A, &payload)).await.unwrap_or_default(),
                0x82 => match ServerMessage::decode(&payload).expect("a message").0 {
                    ServerMessage::Snapshot(header) => {
                        seen = header.tick.into();
                        saw.snapshots.push(Instant::now());
                        if seq_after.is_some_and(|seq| header.ack >= seq) {
                            saw.answered.get_or_insert_with(Instant::now);
                        }
                    }
                    ServerMessage::Closing(closing) => saw.ended = Some(closing.text),
                    ServerMessage::Welcome(welcome) => {
                        // The number of controls is the game's.
                        assert_eq!(welcome.schema.inputs.len(), 5);
                    }
                    ServerMessage::Roster(_) | ServerMessage::Pong(_) => {}
                },
                _ => {}
            }
        }
    }
}

/// Stops the program for so long under a crowd, and looks what became of it.
async fn survive(settings: &[&str], stop: Duration) {
    let settings = [&["--listen", "127.0.0.1:0"], settings].concat();
    let mut program = Program::spawn(Command::new(env!("CARGO_BIN_EXE_tickroom")).args(settings));
    let address = program.address();
    let (tell, now) = watch::channel(Now::Playing);
    let kinds = [(Comes::Before, PLAYERS), (Comes::GreetsWhileStopped, 3), (Comes::WhileStopped, 3)];
    let players: Vec<_> = kinds
        .into_iter()
        .flat_map(|(comes, count)| std::iter::repeat_n(comes, count))
        .map(|comes| (comes, tokio::spawn(play(address, comes, now.clone()))))
        .collect();
    tokio::time::sleep(Duration::from_millis(500) + LOOKED_AT).await;
    tell.send(Now::SoonStopped).expect("somebody plays");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopped = Instant::now();
    program.signal("STOP");
    tell.send(Now::Stopped).expect("somebody plays");
    tokio::time::sleep(stop).await;
    program.signal("CONT");
    let went_on = Instant::now();
    tell.send(Now::GoesOn(went_on)).expect("somebody plays");
    tokio::time::sleep(RECOVERED + LOOKED_AT).await;
    tell.send(Now::Over).expect("somebody plays");
    let mut all = Vec::new();
    for (comes, player) in players {
        all.push((comes, tokio::time::timeout(PATIENCE, player).await.expect("it ends").expect("it plays")));
    }
    let count =
        |saw: &Saw, from: Instant| saw.snapshots.iter().filter(|&at| (from..from + LOOKED_AT).contains(at)).count();
    let before = all.iter().map(|(_, saw)| count(saw, stopped - LOOKED_AT)).sum::<usize>() / PLAYERS;
    let after: Vec<usize> = all.iter().map(|(_, saw)| count(saw, went_on + RECOVERED)).collect();
    println!("after {stop:?}: {before} snapshots a second on average before, {after:?} after");
    assert!(before > 0);
    for (at, (comes, saw)) in all.into_iter().enumerate() {
        let what = format!("player {at}, who comes {comes:?}, after {stop:?}");
        assert_eq!(saw.ended, None, "{what}");
        assert!(after[at] * 100 >= before * SNAPSHOTS_MIN, "{what}: {} snapshots a second after {before}", after[at]);
        if comes == Comes::Before {
            let answered = saw.answered.unwrap_or_else(|| panic!("{what}: no input was answered"));
            assert!(answered - went_on < RECOVERED, "{what}: answered after {:?}", answered - went_on);
        }
    }
    program.signal("TERM");
    let (status, log) = program.end();
    assert!(status.success(), "{status}: {log}");
    let told: Vec<&str> = log.lines().filter(|line| line.contains("ticks were skipped")).collect();
    let most = RECOVERED.as_secs() + LOOKED_AT.as_secs() + 1;
    assert!((1..=most as usize).contains(&told.len()) && told[0].contains(" INFO "), "{log}");
}

/// Deadlines that are over before the server goes on, all of them.
const SHORT: [&str; 8] = [
    "--set",
    "server.hello_ms=1500",
    "--set",
    "server.idle_ms=2000",
    "--set",
    "server.ping_ms=500",
    "--set",
    "server.stuck_ms=1000",
];

#[tokio::test]
async fn who_plays_while_the_server_is_stopped_plays_on() {
    // Long enough for a client at 60 Hz to have sent more than its burst, too.
    for stop in [1.1, 7.5] {
        survive(&SHORT, Duration::from_secs_f64(stop)).await;
    }
}

#[tokio::test]
#[ignore = "takes a minute and a half: stops of every length with the deadlines that servers have"]
async fn who_plays_while_the_server_is_stopped_for_long_plays_on() {
    for stop in [1, 2, 5, 10, 17, 30] {
        survive(&[], Duration::from_secs(stop)).await;
    }
}
