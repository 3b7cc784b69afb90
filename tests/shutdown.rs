//! How the server ends: with a reason to everybody, in time, and at once when told twice. And what it says meanwhile.

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use support::program::Program;
use support::sockets::{Server, config, frame, hello, read_to_end};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{ClientMessage, RoomWish};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn clients_that_answer_are_told_and_the_server_ends_at_once() {
    let mut server = Server::start(config());
    let (playing, _) = server.join(RoomWish::Quick).await;
    let (watching, _) = server.join(RoomWish::Spectate(None)).await;
    let silent = server.connect().await;
    let start = Instant::now();
    server.ask_to_stop();
    let (playing, watching, silent) = tokio::join!(playing.ended(), watching.ended(), silent.ended());
    for ended in [playing, watching, silent] {
        ended.expect(CloseReason::Shutdown);
    }
    tokio::task::spawn_blocking(move || server.stop()).await.expect("the server ends well");
    assert!(start.elapsed() < Duration::from_millis(1000), "it took {:?}", start.elapsed());
}

#[tokio::test]
async fn clients_that_do_not_answer_are_cut_after_a_second() {
    let server = Server::start(config());
    let mut socket = server.raw().await;
    socket
        .write_all(&frame(0x82, &ClientMessage::Hello(hello(RoomWish::Quick)).encode()))
        .await
        .expect("the server reads");
    let took = tokio::task::spawn_blocking(move || server.stop()).await.expect("the server ends well");
    assert!((Duration::from_millis(900)..Duration::from_millis(2000)).contains(&took), "it took {took:?}");
    let (_, ended) = read_to_end(&mut socket, Duration::from_secs(5)).await;
    assert!(ended, "the connection must be cut");
}

#[tokio::test]
async fn the_program_prints_one_line_tells_its_clients_and_exits_well() {
    let mut program = Program::start(&["--listen", "127.0.0.1:0"]);
    let address = program.address();
    let mut socket = joined(address).await;
    let start = Instant::now();
    program.signal("TERM");
    let (answer, ended) = read_to_end(&mut socket, Duration::from_secs(10)).await;
    assert!(ended);
    let told = CloseReason::Shutdown.text().as_bytes();
    assert!(answer.windows(told.len()).any(|window| window == told), "the client must be told: {answer:?}");
    let (status, errors) = program.end();
    assert!(status.success(), "{status}: {errors}");
    assert!(start.elapsed() < Duration::from_secs(4), "it took {:?}", start.elapsed());
    assert_eq!(program.stdout(), "", "one line is all that stdout gets");
}

#[tokio::test]
async fn a_second_signal_ends_the_program_at_once() {
    // Clients have an hour to close: without the second signal this test would wait that long.
    let mut program = Program::start(&["--listen", "127.0.0.1:0", "--set", "server.closing_ms=60000"]);
    let address = program.address();
    let mut socket = joined(address).await;
    program.signal("TERM");
    let told = CloseReason::Shutdown.text().as_bytes();
    let mut answer = Vec::new();
    while !answer.windows(told.len()).any(|window| window == told) {
        let (more, ended) = read_to_end(&mut socket, Duration::from_millis(200)).await;
        answer.extend(more);
        assert!(!ended, "the client has a minute");
    }
    let start = Instant::now();
    program.signal("INT");
    let (status, _) = program.end();
    assert_eq!(status.code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
}

#[tokio::test]
async fn nothing_that_a_stranger_sends_raises_the_log_level() {
    let mut program = Program::start(&["--listen", "127.0.0.1:0"]);
    let address = program.address();
    for bytes in [
        frame(0xF2, b"x"),
        frame(0x09, b"a control frame in fragments"),
        frame(0x81, b"text"),
        frame(0x82, &[0xFF; 100]),
        [&[0x82, 0xFF][..], &[0x7F; 8], &[0; 4]].concat(),
        frame(0x88, &[0, 0]),
        frame(0x89, &[]).repeat(5000),
    ] {
        let mut socket = upgraded(address).await;
        let _ = socket.write_all(&bytes).await;
        read_to_end(&mut socket, Duration::from_secs(5)).await;
    }
    for bytes in
        [&b"\x16\x03\x01\x02\0\x01\0"[..], b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\r\n\r\nPRI * HTTP/2.0\r\n\r\n"]
    {
        let mut socket = TcpStream::connect(address).await.expect("the program listens");
        let _ = socket.write_all(bytes).await;
        let _ = socket.shutdown().await;
        read_to_end(&mut socket, Duration::from_secs(1)).await;
    }
    drop(joined(address).await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    program.signal("TERM");
    let (status, errors) = program.end();
    assert!(status.success());
    assert!(!errors.contains("WARN") && !errors.contains("ERROR") && !errors.contains("panicked"), "{errors}");
    // Rooms are worth a line, sessions are not.
    assert!(errors.contains("room begins"), "{errors}");
    assert!(errors.lines().count() <= 8, "{errors}");
}

async fn upgraded(address: SocketAddr) -> TcpStream {
    support::sockets::upgrade(TcpStream::connect(address).await.expect("the program listens"), address).await
}

/// A raw client that has had something of its room, so that it is in.
async fn joined(address: SocketAddr) -> TcpStream {
    let mut socket = upgraded(address).await;
    socket
        .write_all(&frame(0x82, &ClientMessage::Hello(hello(RoomWish::Quick)).encode()))
        .await
        .expect("the program reads");
    let mut first = [0; 64];
    support::sockets::within("a Welcome", tokio::io::AsyncReadExt::read_exact(&mut socket, &mut first))
        .await
        .expect("the program answers");
    socket
}
