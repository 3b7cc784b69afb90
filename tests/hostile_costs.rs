//! What hostile clients cost: memory, CPU, time. One test at a time, because they measure the whole process.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::sockets::{Server, config, cpu_time, frame, hello, resident_kib, until};
use tickroom::config::{Config, RoomConfig, ServerConfig};
use tickroom::protocol::message::{ClientMessage, RoomWish, Tier};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

/// Writes for as long as the server takes it, at most `bytes`.
async fn pour(socket: &mut TcpStream, bytes: usize) -> usize {
    let chunk = vec![0; 1 << 20];
    let mut poured = 0;
    while poured < bytes {
        match tokio::time::timeout(Duration::from_secs(2), socket.write(&chunk)).await {
            Ok(Ok(written)) if written > 0 => poured += written,
            _ => break,
        }
    }
    poured
}

#[tokio::test]
async fn a_claimed_length_takes_no_memory() {
    let _alone = alone().await;
    let server = Server::start(config());
    server.connect().await.drop_connection();
    let before = resident_kib();
    let mut most = 0;
    for _ in 0..3 {
        let mut socket = server.raw().await;
        let claim = [&[0x82, 0xFF][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
        socket.write_all(&claim).await.expect("the server reads");
        pour(&mut socket, 200 << 20).await;
        most = most.max(resident_kib());
    }
    let grown = most.saturating_sub(before);
    assert!(grown < 8 * 1024, "the process grew by {grown} KiB");
}

#[tokio::test]
async fn a_flood_of_tiny_frames_takes_no_memory() {
    let _alone = alone().await;
    let server = Server::start(config());
    server.connect().await.drop_connection();
    let before = resident_kib();
    let tiny = frame(0x02, &[]).into_iter().chain(frame(0x00, &[]).repeat(1 << 17)).collect::<Vec<u8>>();
    let mut most = 0;
    for _ in 0..20 {
        let mut socket = server.raw().await;
        // The server stops reading in the middle.
        let _ = tokio::time::timeout(Duration::from_secs(2), socket.write_all(&tiny)).await;
        most = most.max(resident_kib());
    }
    let grown = most.saturating_sub(before);
    assert!(grown < 8 * 1024, "the process grew by {grown} KiB");
}

/// Asks on so many connections and reads nothing of the answers; what the process grows by until no more is read there.
async fn asks_and_never_reads(server: &Server, connections: usize, request: &[u8]) -> u64 {
    let (_, _, _) = server.http("GET", "/health", "").await;
    let before = resident_kib();
    let mut most = 0;
    let mut asking = Vec::new();
    for _ in 0..connections {
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.set_recv_buffer_size(4096).expect("a buffer can be small");
        let mut socket = socket.connect(server.address).await.expect("the server listens");
        let _ = tokio::time::timeout(Duration::from_millis(300), socket.write_all(request)).await;
        asking.push(socket);
        most = most.max(resident_kib());
    }
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(resident_kib());
    }
    most.saturating_sub(before)
}

/// What the process may grow by: a connection has its 40 KiB.
fn kib_for(connections: usize) -> u64 {
    4 * 1024 + 40 * connections as u64
}

/// 7.5 MB of them became 1.38 GB: answers piled up while requests were read.
#[tokio::test]
async fn a_flood_of_requests_in_a_row_takes_no_memory() {
    let _alone = alone().await;
    let server = Server::start(config());
    for path in ["/arena/screens.js", "/api/rooms", "/nothing"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").repeat(20_000);
        let grown = asks_and_never_reads(&server, 10, request.as_bytes()).await;
        assert!(grown < kib_for(10), "{path}: the process grew by {grown} KiB");
    }
    assert_eq!(server.http("GET", "/health", "").await.0, 200);
}

#[tokio::test]
async fn a_large_file_that_nobody_reads_is_not_in_memory() {
    let _alone = alone().await;
    let folder = std::env::temp_dir().join(format!("tickroom-costs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    std::fs::write(folder.join("large.bin"), vec![7; 16 << 20]).expect("as above");
    let server = Server::start(Config { client_dir: Some(folder.clone()), ..config() });
    let grown = asks_and_never_reads(&server, 20, b"GET /large.bin HTTP/1.1\r\nHost: here\r\n\r\n").await;
    assert!(grown < kib_for(20), "the process grew by {grown} KiB");
    let (status, _, body) = server.http("GET", "/large.bin", "").await;
    assert_eq!((status, body.len(), body.iter().all(|&byte| byte == 7)), (200, 16 << 20, true));
    std::fs::remove_dir_all(folder).expect("it was written above");
}

#[tokio::test]
async fn a_bad_frame_burns_no_cpu_while_the_client_stays_and_after_it_has_gone() {
    let _alone = alone().await;
    let server = Server::start(config());
    let mut sockets = Vec::new();
    for _ in 0..4 {
        let mut socket = server.raw().await;
        socket.write_all(&frame(0xF2, b"x")).await.expect("the server reads");
        sockets.push(socket);
    }
    let spent = async |what: &str| {
        let before = cpu_time();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let spent = cpu_time() - before;
        assert!(spent < Duration::from_millis(200), "{what}: {spent:?} of CPU in two seconds");
    };
    spent("while they stay").await;
    drop(sockets);
    spent("after they have gone").await;
}

/// A server whose snapshots are many and long, so that a reader that stops is noticed soon.
fn torrent(stuck_ms: u32) -> Config {
    let room = RoomConfig {
        tick_rate: 240,
        ticks_per_snapshot: 1,
        seats_max: 200,
        fill_to: 200,
        seat_kept_ms: 0,
        ..RoomConfig::default()
    };
    let server = ServerConfig { stuck_ms, messages_per_second: 1000, ..config().server };
    Config { server, room, ..config() }
}

/// A raw client in the full tier, in a room, with a small receive buffer.
async fn reader(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket can be made");
    socket.set_recv_buffer_size(4096).expect("a buffer can be small");
    let socket = socket.connect(address).await.expect("the server listens");
    let mut socket = support::sockets::upgrade(socket, address).await;
    let mut full = hello(RoomWish::Quick);
    full.tier = Tier::Full;
    socket.write_all(&frame(0x82, &ClientMessage::Hello(full).encode())).await.expect("the server reads");
    socket
}

async fn people(server: &Server) -> u64 {
    server.rooms().await.first().and_then(|room| room["people"].as_u64()).unwrap_or_default()
}

#[tokio::test]
async fn a_client_that_stops_reading_is_cut_in_time_and_takes_no_memory_until_then() {
    let _alone = alone().await;
    let server = Server::start(torrent(1500));
    let mut readers = Vec::new();
    for _ in 0..8 {
        readers.push(reader(server.address).await);
    }
    until("all to be in", async || people(&server).await == 8).await;
    let before = resident_kib();
    let start = Instant::now();
    until("all to be cut", async || people(&server).await == 0).await;
    let took = start.elapsed();
    let grown = resident_kib().saturating_sub(before);
    // The kernel cuts at 6.5 seconds: before that, it was the watch. Filling the kernel's buffers takes its time too.
    assert!(took < Duration::from_secs(6), "cut after {took:?}");
    assert!(grown < 8 * 1024, "the process grew by {grown} KiB");
    for mut reader in readers {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), reader.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection must have ended");
    }
}

#[tokio::test]
async fn a_slow_reader_is_not_cut() {
    let _alone = alone().await;
    let server = Server::start(torrent(1500));
    let mut slow = reader(server.address).await;
    until("it to be in", async || people(&server).await == 1).await;
    let start = Instant::now();
    let mut read = 0;
    let mut chunk = [0; 1024];
    while start.elapsed() < Duration::from_secs(6) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        read += slow.read(&mut chunk).await.expect("the session lives");
    }
    assert!(read < 200 * 1024, "{read} bytes in six seconds are not slow");
    assert_eq!(people(&server).await, 1);
}

/// Sessions without sockets, so that the rooms can be many: each creates a room, and leaves it at once.
mod passers_by {
    use actix::{Actor, Context, Handler};
    use tickroom::actors::session::ToSession;

    pub(crate) struct PasserBy;

    impl Actor for PasserBy {
        type Context = Context<Self>;

        fn started(&mut self, ctx: &mut Self::Context) {
            ctx.set_mailbox_capacity(1000);
        }
    }

    impl Handler<ToSession> for PasserBy {
        type Result = ();

        fn handle(&mut self, message: ToSession, _: &mut Self::Context) {
            match message {
                ToSession::Joined(slot) => slot.leave(),
                ToSession::End(reason) => panic!("nobody is refused: {reason:?}"),
                ToSession::Ping => {}
            }
        }
    }
}

#[test]
fn ten_thousand_rooms_leave_nothing_behind() {
    let _alone = ONE_AT_A_TIME.blocking_lock();
    use actix::Actor;
    use tickroom::actors::clock::Clock;
    use tickroom::actors::courier::{Route, Worker, WorkerId};
    use tickroom::actors::lobby::{ListRooms, Lobby, LobbyConfig, Seek};
    use tickroom::actors::room::RoomActor;
    use tickroom::actors::shares::Shares;
    use tickroom::ids::Micros;

    const AT_ONCE: usize = 100;
    actix::System::new().block_on(async {
        let clock = Clock::start();
        let room = RoomConfig { fill_to: 8, idle_ms: 0, ..RoomConfig::default() };
        let lobby_config = LobbyConfig {
            rooms_max: AT_ONCE as u32,
            reservation: Micros::from_millis(5000),
            seats_max: room.seats_max,
            spectators_max: room.spectators_max,
        };
        let arbiters = [actix::Arbiter::new(), actix::Arbiter::new()];
        let handles: Vec<actix::ArbiterHandle> = arbiters.iter().map(actix::Arbiter::handle).collect();
        let mut turn = 0;
        let start_room = Box::new(move |new, lobby| {
            turn += 1;
            let room = room.clone();
            RoomActor::<support::toy::Toy>::start_in_arbiter(&handles[turn % 2], move |_| {
                RoomActor::new(new, room, support::toy::ToyOptions::default(), clock, lobby)
            })
            .recipient()
        });
        let shares = Shares::new(&Config::default(), clock);
        let local = shares.peer([127, 0, 0, 1].into());
        let lobby = Lobby::new(lobby_config, clock, shares, start_room).start();
        let worker = Worker::start(WorkerId(0));
        let passer_by = passers_by::PasserBy.start();
        let mut after_a_thousand = 0;
        let mut made = 0;
        while made < 10_000 {
            for _ in 0..AT_ONCE {
                let seek = Seek {
                    wish: RoomWish::Create { private: false },
                    name: "passer-by".into(),
                    tier: Tier::Delta,
                    resume: None,
                    caller: local,
                    origin: None,
                    session: passer_by.clone().recipient(),
                    route: Route::new(&worker, Arc::default()),
                };
                lobby.send(seek).await.expect("the lobby lives");
                made += 1;
            }
            let start = Instant::now();
            while !lobby.send(ListRooms).await.expect("the lobby lives").rooms.is_empty() {
                assert!(start.elapsed() < Duration::from_secs(20), "the rooms must end");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if made == 1000 {
                after_a_thousand = resident_kib();
            }
        }
        let grown = resident_kib().saturating_sub(after_a_thousand);
        assert!(grown < 5 * 1024, "9,000 rooms more left {grown} KiB behind");
        for arbiter in arbiters {
            arbiter.stop();
            arbiter.join().expect("rooms end without a panic");
        }
    });
}
