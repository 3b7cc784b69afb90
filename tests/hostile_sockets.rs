//! Clients that mean harm, or are broken: each is closed with its reason, and nobody else notices.

mod support;

use std::time::Duration;

use support::sockets::{Server, config, frame, hello, read_to_end, upgrade};
use tickroom::config::{Config, ServerConfig};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{ClientMessage, PROTOCOL_VERSION, Ping, RoomWish};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;

/// Fails unless the bytes hold Closing and a Close frame with this reason.
fn expect_close(bytes: &[u8], reason: CloseReason, what: &str) {
    let mut tail = vec![0x88, reason.text().len() as u8 + 2];
    tail.extend_from_slice(&reason.code().to_be_bytes());
    tail.extend_from_slice(reason.text().as_bytes());
    assert!(bytes.ends_with(&tail), "{what} must end in {reason:?}: {:?}", String::from_utf8_lossy(bytes));
    let closing = bytes.windows(reason.text().len()).filter(|window| *window == reason.text().as_bytes()).count();
    assert_eq!(closing, 2, "{what}: once in Closing and once in the Close frame");
}

/// These clients answer no Close frame: a tenth of a second is long enough to wait for it.
fn impatient() -> Config {
    Config { server: ServerConfig { closing_ms: 100, ..config().server }, ..config() }
}

#[tokio::test]
async fn frames_that_break_the_rules_are_refused_at_the_header() {
    let server = Server::start(impatient());
    let claim = |length: u64| [&[0x82, 0xFF][..], &length.to_be_bytes(), &[0; 4]].concat();
    for (what, bytes, reason) in [
        ("a text frame", frame(0x81, b"hello"), CloseReason::TextFrame),
        ("text that is no UTF-8", frame(0x81, &[0xFF, 0xFE]), CloseReason::TextFrame),
        ("text in fragments", frame(0x01, b"he"), CloseReason::TextFrame),
        ("a long frame", frame(0x82, &[0; 1025]), CloseReason::TooLong),
        (
            "fragments that are long together",
            [frame(0x02, &[0; 600]), frame(0x80, &[0; 600])].concat(),
            CloseReason::TooLong,
        ),
        ("a claim of 2^40 bytes", claim(1 << 40), CloseReason::TooLong),
        ("a claim of 2^63 bytes", claim(1 << 63), CloseReason::TooLong),
        ("reserved bits", frame(0xF2, b"x"), CloseReason::Malformed),
        ("an unknown opcode", frame(0x87, b"x"), CloseReason::Malformed),
        ("no mask", vec![0x82, 1, 0], CloseReason::Malformed),
        ("a control frame in fragments", frame(0x09, b"x"), CloseReason::Malformed),
        ("a long control frame", frame(0x89, &[0; 126]), CloseReason::Malformed),
        ("a continuation of nothing", frame(0x80, b"x"), CloseReason::Malformed),
        ("a Close frame of one byte", frame(0x88, &[3]), CloseReason::Malformed),
        ("a Close frame with a reserved code", frame(0x88, &[0, 7]), CloseReason::Malformed),
    ] {
        let mut socket = server.raw().await;
        socket.write_all(&bytes).await.expect("the server reads");
        let (answer, ended) = read_to_end(&mut socket, Duration::from_secs(10)).await;
        assert!(ended, "{what}: the connection must end");
        expect_close(&answer, reason, what);
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_are_refused_with_a_reason() {
    let server = Server::start(impatient());
    let mut trailing = ClientMessage::Hello(hello(RoomWish::Quick)).encode();
    trailing.push(0);
    let mut long_name = hello(RoomWish::Quick);
    long_name.name = "x".repeat(1100);
    for (what, bytes, reason) in [
        ("nothing", vec![], CloseReason::Malformed),
        ("an unknown message number", vec![77], CloseReason::Malformed),
        ("half a Hello", trailing[..3].to_vec(), CloseReason::Malformed),
        ("a Hello with more behind it", trailing.clone(), CloseReason::Malformed),
        (
            "a name that claims 2^32 bytes",
            vec![0, PROTOCOL_VERSION as u8, 0xFD, 0, 0, 0, 0, 1, 0, 0, 0],
            CloseReason::Malformed,
        ),
        ("random bytes", (0..200_u32).map(|i| (i * 167 + 13) as u8).collect(), CloseReason::Malformed),
        ("a Hello that is too long", ClientMessage::Hello(long_name).encode(), CloseReason::TooLong),
    ] {
        let mut socket = server.raw().await;
        socket.write_all(&frame(0x82, &bytes)).await.expect("the server reads");
        let (answer, ended) = read_to_end(&mut socket, Duration::from_secs(10)).await;
        assert!(ended, "{what}: the connection must end");
        expect_close(&answer, reason, what);
    }
    let (mut playing, _) = server.join(RoomWish::Quick).await;
    playing.send_raw(Message::binary(vec![9, 9, 9])).await;
    playing.ended().await.expect(CloseReason::Malformed);
}

#[tokio::test]
async fn a_flood_is_closed_with_its_reason_and_the_neighbours_play_on() {
    let server = Server::start(config());
    let (mut ann, welcome) = server.join(RoomWish::Quick).await;
    let flood = async {
        let mut socket = server.raw().await;
        let mut bytes = frame(0x82, &ClientMessage::Hello(hello(RoomWish::Quick)).encode());
        let ping = frame(0x82, &ClientMessage::Ping(Ping { time: 1, seen: 0 }).encode());
        bytes.extend(ping.repeat(20_000));
        let (mut reader, mut writer) = socket.split();
        // The server stops reading in the middle of it.
        let write = async { writer.write_all(&bytes).await.is_ok() };
        let read = async {
            let mut all = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut all).await.map(|_| all).unwrap_or_default()
        };
        tokio::join!(write, read).1
    };
    let answer = support::sockets::within("the flood to end", flood).await;
    let too_fast = CloseReason::TooFast.text().as_bytes();
    assert!(answer.windows(too_fast.len()).any(|window| window == too_fast), "the flooder must be told why");
    let seat = welcome.seat.expect("Ann plays");
    ann.input(&[50, 0, 0]).await;
    ann.mover_that(seat, |x| x > i32::from(seat) * 10 + 300).await;
}

#[tokio::test]
async fn a_flood_of_bytes_is_closed_too() {
    let limits = ServerConfig { bytes_per_second: 2048, burst_ms: 1000, ..config().server };
    let server = Server::start(Config { server: limits, ..config() });
    let mut socket = server.raw().await;
    // Pings of the longest kind: few, but long.
    socket.write_all(&frame(0x89, &[0; 125]).repeat(30)).await.expect("the server reads");
    let (answer, ended) = read_to_end(&mut socket, Duration::from_secs(10)).await;
    assert!(ended);
    expect_close(&answer, CloseReason::TooFast, "a flood of bytes");
}

#[tokio::test]
async fn a_foreign_origin_may_not_connect() {
    let friend = "https://friend.example".to_owned();
    let server_config = ServerConfig { allowed_origins: vec![friend.clone()], ..config().server };
    let server = Server::start(Config { server: server_config, ..config() });
    let own = format!("http://{}", server.address);
    for origin in [None, Some(own.as_str()), Some(friend.as_str())] {
        assert!(server.try_connect(origin).await.is_ok(), "{origin:?} may connect");
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "https://friend.example.evil.example"] {
        assert_eq!(server.try_connect(Some(origin)).await.err(), Some(403), "{origin}");
    }
}

#[tokio::test]
async fn whatever_the_first_bytes_are_the_server_goes_on() {
    let server = Server::start(config());
    let first_bytes = [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], // TLS
        b"\0\0\0\0",
        b"GET /ws HTTP/9.9\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 1\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n",
        b"GET /%00%ff%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ];
    // Each may take until a deadline for heads or silence has passed: together.
    futures_util::future::join_all(first_bytes.map(async |bytes: &[u8]| {
        let mut socket = TcpStream::connect(server.address).await.expect("the server listens");
        socket.write_all(bytes).await.expect("the server reads");
        socket.shutdown().await.expect("half of the connection can be closed");
        let (answer, ended) = read_to_end(&mut socket, Duration::from_secs(18)).await;
        assert!(ended, "{:?}", String::from_utf8_lossy(bytes));
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(&answer));
    }))
    .await;
    let long_head = [b"GET /".as_slice(), &[b'a'; 300_000]].concat();
    let mut socket = TcpStream::connect(server.address).await.expect("the server listens");
    // It may stop reading in the middle.
    let _ = socket.write_all(&long_head).await;
    read_to_end(&mut socket, Duration::from_secs(10)).await;
    server.join(RoomWish::Quick).await;
}

/// Pongs are not held back by acks, as snapshots are: here they alone fill the socket.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_pings_and_never_reads_fills_little_of_the_kernel() {
    use tickroom::tools::stress::sockdiag::SockDiag;
    /// As for every reader that stops: 64 KiB, less a quarter for what is on its way, which on one machine is nothing.
    const HELD_BYTES_MAX: u32 = 48 * 1024;
    const PINGS: u32 = 20_000;
    let server = Server::start(Config {
        server: ServerConfig { messages_per_second: 100_000, bytes_per_second: 10_000_000, ..config().server },
        ..config()
    });
    let diag = SockDiag::open().expect("Linux has sock_diag");
    let ping = frame(0x89, &[7; 125]);
    // A reader's buffer that is full at once, and one that lets the server's kernel send much in one piece, which makes it
    // take more before it says that it takes no more.
    for buffer in [4 * 1024, 512 * 1024] {
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.set_recv_buffer_size(buffer).expect("a buffer has a size");
        let socket = socket.connect(server.address).await.expect("the server listens");
        let mut socket = upgrade(socket, server.address).await;
        let mut most = 0;
        for sent in 1..PINGS {
            // In the end the server reads no more either, and the client's own socket is full.
            let written = tokio::time::timeout(Duration::from_millis(500), socket.write_all(&ping)).await;
            let Ok(written) = written else { break };
            written.expect("the server keeps the connection");
            if sent % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let address = socket.local_addr().expect("it is connected");
                most = most.max(diag.queued(server.address, address).unwrap_or(0));
            }
        }
        println!("{most} bytes in the kernel at most, behind a buffer of {buffer}");
        assert!(most > 8 * 1024, "only {most} bytes of pongs in the kernel: it was not filled");
        assert!(most <= HELD_BYTES_MAX, "{most} bytes of pongs in the kernel, behind a buffer of {buffer}");
    }
}
