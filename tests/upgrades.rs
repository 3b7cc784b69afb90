//! How a connection leaves HTTP for a session, and how it does not: what a request must ask, what comes with it and
//! before it, and what becomes of a connection whose other end goes away.
#![cfg(feature = "server")]

mod support;

use std::time::Duration;

use support::sockets::{PATIENCE, Server, config, frame, hello, read_to_end, until, upgrade};
use tickroom::config::{Config, ServerConfig};
use tickroom::protocol::message::{ClientMessage, RoomWish, ServerMessage};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// What every request for a WebSocket has, after its first line.
const ASKS: &str = "Host: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Writes all of it at once, and reads for so long or to the end; what came, and whether the server ended it.
async fn exchange(server: &Server, bytes: &[u8], patience: Duration) -> (Vec<u8>, bool) {
    let mut socket = TcpStream::connect(server.address).await.expect("the server listens");
    socket.write_all(bytes).await.expect("the server reads");
    read_to_end(&mut socket, patience).await
}

fn has(bytes: &[u8], part: &str) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn joins() -> Vec<u8> {
    frame(0x82, &ClientMessage::Hello(hello(RoomWish::Quick)).encode())
}

#[tokio::test]
async fn frames_that_come_with_the_request_are_heard() {
    let server = Server::start(config());
    // The whole, and cut in the middle of the frame: the rest comes later.
    for behind in [joins().len(), 5] {
        let hello = joins();
        let mut bytes = format!("GET /ws HTTP/1.1\r\n{ASKS}\r\n").into_bytes();
        bytes.extend_from_slice(&hello[..behind]);
        let mut socket = TcpStream::connect(server.address).await.expect("the server listens");
        socket.write_all(&bytes).await.expect("the server reads");
        let (mut answer, _) = read_to_end(&mut socket, Duration::from_millis(200)).await;
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&answer));
        assert_eq!(has(&answer, "\x03toy"), behind == hello.len(), "Welcome comes for a whole Hello");
        socket.write_all(&hello[behind..]).await.expect("the server reads");
        answer.extend(read_to_end(&mut socket, Duration::from_millis(300)).await.0);
        assert!(has(&answer, "\x03toy"), "no Welcome: {:?}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn a_connection_may_have_asked_for_files_before_it_asks_for_a_session() {
    let server = Server::start(config());
    let mut bytes = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n".repeat(2);
    bytes.extend_from_slice(format!("GET /ws HTTP/1.1\r\n{ASKS}\r\n").as_bytes());
    bytes.extend(joins());
    let (answer, ended) = exchange(&server, &bytes, Duration::from_millis(500)).await;
    let text = String::from_utf8_lossy(&answer);
    let statuses: Vec<&str> = text.match_indices("HTTP/1.1 ").map(|(at, _)| &text[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "200", "101"], "{text}");
    assert!(has(&answer, "\x03toy") && !ended, "{text}");
}

#[tokio::test]
async fn who_asks_for_a_websocket_elsewhere_is_answered_by_what_is_there() {
    let server = Server::start(config());
    for (request, status, body) in [
        ("GET /health", "200 OK", "ok\n"),
        ("HEAD /api/rooms", "200 OK", ""),
        ("GET /nothing.js", "404 Not Found", ""),
        ("POST /ws", "405 Method Not Allowed", "Only GET"),
        ("GET /r/bcdf", "302 Found", ""),
        ("GET /protocol/index.js", "200 OK", "export"),
    ] {
        let bytes = format!("{request} HTTP/1.1\r\n{ASKS}\r\n");
        let (answer, ended) = exchange(&server, bytes.as_bytes(), PATIENCE).await;
        assert!(ended, "{request}: nobody can say where a next request begins");
        assert!(answer.starts_with(format!("HTTP/1.1 {status}\r\n").as_bytes()), "{request}: {answer:?}");
        for header in ["connection: close\r\n", "content-security-policy: ", "content-length: "] {
            assert!(has(&answer, header), "{request} has no {header}: {:?}", String::from_utf8_lossy(&answer));
        }
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        assert!(has(&answer[end..], body), "{request}: {:?}", String::from_utf8_lossy(&answer));
        assert!(!request.starts_with("HEAD") || answer.len() == end + 4, "HEAD is answered without a body");
    }
}

#[tokio::test]
async fn who_asks_in_other_words_has_an_answer_and_no_session() {
    let server = Server::start(config());
    let other = |header: &str| ASKS.replace("Upgrade: websocket\r\n", header);
    for (what, bytes, status) in [
        ("h2c", format!("GET /health HTTP/1.1\r\n{}\r\n", other("Upgrade: h2c\r\n")), "200"),
        ("h2c at /ws", format!("GET /ws HTTP/1.1\r\n{}\r\n", other("Upgrade: h2c\r\n")), "400"),
        ("no Upgrade", format!("GET /ws HTTP/1.1\r\n{}\r\n", other("")), "400"),
        ("a choice", format!("GET /ws HTTP/1.1\r\n{}\r\n", other("Upgrade: h2c, websocket\r\n")), "400"),
        ("a body", format!("GET /ws HTTP/1.1\r\n{ASKS}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"),
        ("no Connection", format!("GET /ws HTTP/1.1\r\n{}\r\n", ASKS.replace("Connection: Upgrade\r\n", "")), "400"),
        ("a tunnel", "CONNECT /ws:80 HTTP/1.1\r\nHost: here\r\n\r\n".to_owned(), "404"),
    ] {
        let (answer, _) = exchange(&server, bytes.as_bytes(), Duration::from_secs(8)).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {text}");
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{what}: {text}");
    }
}

#[tokio::test]
async fn a_request_that_does_not_keep_to_the_handshake_is_told_what_is_wrong() {
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
    let server = Server::start(config());
    let versions = ["12", "14", "8", "7", "0", "255", "13, 8", "013", "13.0", "thirteen", "-1", ""];
    let versions = versions.map(|version| ASKS.replace(VERSION, &format!("Sec-WebSocket-Version: {version}\r\n")));
    let others = [ASKS.replace(VERSION, ""), ASKS.replace(VERSION, &VERSION.repeat(2))];
    for asks in versions.iter().chain(&others) {
        let (answer, ended) = exchange(&server, format!("GET /ws HTTP/1.1\r\n{asks}\r\n").as_bytes(), PATIENCE).await;
        assert!(ended && answer.starts_with(b"HTTP/1.1 426 "), "{asks}: {:?}", String::from_utf8_lossy(&answer));
        for said in ["\r\nSec-WebSocket-Version: 13\r\n", "\r\nUpgrade: websocket\r\n", "speaks version 13"] {
            assert!(has(&answer, said), "{asks} has no {said}: {:?}", String::from_utf8_lossy(&answer));
        }
    }
    let keys =
        ["", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZWU=", "0123456789abcdef"];
    let keys = keys.map(|key| ASKS.replace(KEY, &format!("Sec-WebSocket-Key: {key}\r\n")));
    let others = [ASKS.replace(KEY, ""), ASKS.replace(KEY, &KEY.repeat(2))];
    for asks in keys.iter().chain(&others) {
        let (answer, ended) = exchange(&server, format!("GET /ws HTTP/1.1\r\n{asks}\r\n").as_bytes(), PATIENCE).await;
        assert!(ended && answer.starts_with(b"HTTP/1.1 400 "), "{asks}: {:?}", String::from_utf8_lossy(&answer));
        assert!(has(&answer, "16 bytes in base64"), "{asks}: {:?}", String::from_utf8_lossy(&answer));
    }
    let (answer, ended) = exchange(&server, format!("GET /ws HTTP/1.0\r\n{ASKS}\r\n").as_bytes(), PATIENCE).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(ended && text.starts_with("HTTP/1.") && text[8..].starts_with(" 400 "), "{text}");
}

/// One place: it is free again as soon as the session before is gone.
fn one_place() -> Server {
    Server::start(Config { server: ServerConfig { sessions_max: 1, ..config().server }, ..config() })
}

async fn a_place_comes_free(server: &Server) {
    until("the place to be free again", async || {
        let mut client = server.connect().await;
        client.hello(RoomWish::Quick).await;
        matches!(client.next().await, Some(ServerMessage::Welcome(_)))
    })
    .await;
}

#[tokio::test]
async fn a_client_that_says_no_more_is_closed_and_its_place_given_back() {
    let server = one_place();
    let mut socket = server.raw().await;
    socket.write_all(&joins()).await.expect("the server reads");
    // Half of the connection: the client still listens.
    socket.shutdown().await.expect("half of a connection can be closed");
    let (_, ended) = read_to_end(&mut socket, Duration::from_secs(3)).await;
    assert!(ended, "the server must close its half too");
    a_place_comes_free(&server).await;
}

#[tokio::test]
async fn a_client_that_resets_gives_its_place_back() {
    let server = one_place();
    let socket = server.raw().await;
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("an option");
    drop(socket);
    a_place_comes_free(&server).await;
}

#[tokio::test]
async fn an_upgrade_that_was_cut_off_leaves_nothing_behind() {
    let server = one_place();
    for length in [10, 60, ASKS.len()] {
        let bytes = format!("GET /ws HTTP/1.1\r\n{ASKS}");
        let mut socket = TcpStream::connect(server.address).await.expect("the server listens");
        socket.write_all(&bytes.as_bytes()[..length]).await.expect("the server reads");
    }
    let socket = TcpStream::connect(server.address).await.expect("the server listens");
    drop(upgrade(socket, server.address).await);
    a_place_comes_free(&server).await;
}

#[tokio::test]
async fn connections_that_wait_for_a_next_request_do_not_keep_the_server_from_stopping() {
    let mut took = Vec::new();
    // Otherwise each of them would take the time that requests are given at shutdown. The machine may be busy for once.
    for _ in 0..3 {
        let server = Server::start(config());
        let mut idle = TcpStream::connect(server.address).await.expect("the server listens");
        idle.write_all(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n").await.expect("the server reads");
        let (answer, ended) = read_to_end(&mut idle, Duration::from_millis(200)).await;
        assert!(answer.starts_with(b"HTTP/1.1 200 ") && !ended, "it is kept for the next request");
        took.push(tokio::task::spawn_blocking(move || server.stop()).await.expect("the server ends well"));
    }
    assert!(took.iter().any(|took| *took < Duration::from_millis(350)), "it took {took:?}");
}
