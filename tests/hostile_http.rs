//! Plain HTTP from clients that mean harm, or are broken: what is refused, how long each step may take, what goes on.
#![cfg(feature = "server")]

mod support;

use std::time::{Duration, Instant};

use support::program::Program;
use support::sockets::{PATIENCE, Server, config, read_to_end, until};
use tickroom::config::{Config, PolicyConfig, ServerConfig};
use tickroom::protocol::message::RoomWish;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const GET: &[u8] = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n";

/// How long an answer may take that is on its way.
const SOON: Duration = Duration::from_secs(2);

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.expect("the server listens")
}

async fn write(socket: &mut TcpStream, bytes: &[u8]) {
    socket.write_all(bytes).await.expect("the server reads");
}

/// Reads until so many answers have begun, or their end; all of it as text.
async fn answers(socket: &mut TcpStream, count: usize) -> String {
    let mut all = Vec::new();
    let mut chunk = vec![0; 65_536];
    while statuses(&String::from_utf8_lossy(&all)).len() < count {
        match tokio::time::timeout(PATIENCE, socket.read(&mut chunk)).await {
            Ok(Ok(read @ 1..)) => all.extend_from_slice(&chunk[..read]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

fn statuses(text: &str) -> Vec<u16> {
    text.match_indices("HTTP/1.1 ").filter_map(|(at, _)| text[at + 9..at + 12].parse().ok()).collect()
}

fn with(server: ServerConfig) -> Server {
    Server::start(Config { server, ..config() })
}

#[tokio::test]
async fn what_two_servers_could_read_differently_is_refused_and_the_connection_ends() {
    let server = Server::start(config());
    for (what, head, status) in [
        ("a bare LF after a header", "GET /health HTTP/1.1\r\nHost: here\nX: y\r\n\r\n", 400),
        ("a bare LF in a header", "GET /health HTTP/1.1\r\nHost: here\r\nX: y\nZ: z\r\n\r\n", 400),
        ("a bare LF after the request", "GET /health HTTP/1.1\nHost: here\r\n\r\n", 400),
        ("a bare LF as the last line", "GET /health HTTP/1.1\r\nHost: here\r\n\n", 400),
        ("a bare CR", "GET /health HTTP/1.1\r\nHost: here\r\nX: y\rZ: z\r\n\r\n", 400),
        ("a folded line", "GET /health HTTP/1.1\r\nHost: here\r\nX: y\r\n z\r\n\r\n", 400),
        ("a space before the colon", "GET /health HTTP/1.1\r\nHost: here\r\nX : y\r\n\r\n", 400),
        ("a line without colon", "GET /health HTTP/1.1\r\nHost: here\r\nX\r\n\r\n", 400),
        ("a name of nothing", "GET /health HTTP/1.1\r\nHost: here\r\n: y\r\n\r\n", 400),
        ("no Host", "GET /health HTTP/1.1\r\n\r\n", 400),
        ("two Hosts", "GET /health HTTP/1.1\r\nHost: here\r\nHost: there\r\n\r\n", 400),
        ("a Host that is none", "GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("two lengths", "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 400),
        ("a length twice", "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
        ("a list of lengths", "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 5, 5\r\n\r\n", 400),
        ("a signed length", "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: +5\r\n\r\n", 400),
        ("a length below zero", "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: -1\r\n\r\n", 400),
        ("a length in words", "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 0x5\r\n\r\n", 400),
        (
            "a length and chunks",
            "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "chunked twice",
            "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        ("another coding", "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
        ("nearly chunked", "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
        ("identity", "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: identity\r\n\r\n", 400),
        ("chunks of old", "GET /health HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("no size", "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("a size below zero", "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (
            "a chunk with LF",
            "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
            400,
        ),
        (
            "a chunk that is longer than its size",
            "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            400,
        ),
        (
            "a chunk of 2^68 bytes",
            "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
            400,
        ),
        ("two spaces", "GET  /health HTTP/1.1\r\nHost: here\r\n\r\n", 400),
        ("a target that is no path", "GET health HTTP/1.1\r\nHost: here\r\n\r\n", 400),
        ("a fragment", "GET /health#a HTTP/1.1\r\nHost: here\r\n\r\n", 400),
        ("another scheme", "GET file:///health HTTP/1.1\r\nHost: here\r\n\r\n", 400),
        ("a method that is none", "G{T /health HTTP/1.1\r\nHost: here\r\n\r\n", 400),
        ("a version to come", "GET /health HTTP/2.0\r\nHost: here\r\n\r\n", 505),
        ("TLS", "\x16\x03\x01\x02", 400),
        (
            "a body that nobody passes over",
            "POST /health HTTP/1.1\r\nHost: here\r\nContent-Length: 99999999\r\n\r\n",
            413,
        ),
    ] {
        let mut socket = connect(&server).await;
        // What is behind it may be the words of somebody else: it must not be answered.
        write(&mut socket, &[head.as_bytes(), GET].concat()).await;
        let (answer, ended) = read_to_end(&mut socket, SOON).await;
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(statuses(&text), [status], "{what}: {text}");
        assert!(ended && text.contains("connection: close\r\n"), "{what}: {text}");
        assert!(text.contains("content-security-policy: "), "{what}: {text}");
    }
}

#[tokio::test]
async fn what_is_unusual_and_clear_is_answered() {
    let server = Server::start(config());
    for (what, head, status) in [
        ("an empty line before it", "\r\nGET /health HTTP/1.1\r\nHost: here\r\n\r\n", 200),
        ("no host in the address", "GET /health HTTP/1.1\r\nHost:\r\n\r\n", 200),
        ("as to a proxy", "GET http://here/health HTTP/1.1\r\nHost: here\r\n\r\n", 200),
        ("a tab around a value", "GET /health HTTP/1.1\r\nHost:\there\t\r\n\r\n", 200),
        ("letters of the world", "GET /health HTTP/1.1\r\nHost: here\r\nX: \u{e9}\r\n\r\n", 200),
        ("a body of nothing", "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n", 200),
        ("a body", "GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc", 200),
        ("a form", "POST /api/rooms HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\na=b", 405),
    ] {
        let mut socket = connect(&server).await;
        write(&mut socket, &[head.as_bytes(), GET].concat()).await;
        let text = answers(&mut socket, 2).await;
        assert_eq!(statuses(&text), [status, 200], "{what}: {text}");
    }
    // Behind chunks no request is read: two servers may see their end in different places.
    for end in ["0\r\nX: y\r\n\r\n", "0\r\n\n", "0\r\nX: y\nZ: z\r\n\r\n"] {
        let mut chunked = connect(&server).await;
        let head = "GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n";
        write(&mut chunked, &[head.as_bytes(), end.as_bytes(), GET].concat()).await;
        let (answer, ended) = read_to_end(&mut chunked, SOON).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(ended && statuses(&text).len() == 1 && text.contains("connection: close\r\n"), "{end:?}: {text}");
    }
    let mut old = connect(&server).await;
    write(&mut old, b"GET /health HTTP/1.0\r\n\r\n").await;
    let (answer, ended) = read_to_end(&mut old, SOON).await;
    assert!(answer.starts_with(b"HTTP/1.0 200 ") && ended, "{:?}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn head_is_answered_wherever_get_is_and_tells_the_same() {
    let server = Server::start(config());
    for path in ["/", "/health", "/api/rooms", "/r/bcdf", "/assets/arena/tuning.json", "/nothing", "/r/%2F", "/ws"] {
        let get = server.http("GET", path, "").await;
        let head = server.http("HEAD", path, "").await;
        let told = |head: &str| {
            let mut lines: Vec<String> =
                head.lines().filter(|line| !line.starts_with("date: ")).map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(told(&head.1), told(&get.1), "{path}");
        assert!(head.1.contains(&format!("content-length: {}", get.2.len())), "{path}: {}", head.1);
        assert_eq!(head.2.len(), 0, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones_where_there_is_something() {
    let server = Server::start(config());
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        for path in ["/", "/health", "/api/rooms", "/assets/arena/tuning.json", "/r/bcdf", "/ws", "/protocol/index.js"]
        {
            let (status, head, _) = server.http(method, path, "").await;
            assert_eq!(status, 405, "{method} {path}");
            assert!(head.contains("allow: GET, HEAD"), "{method} {path}: {head}");
        }
        assert_eq!(server.http(method, "/nothing", "").await.0, 404, "{method}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let server = Server::start(config());
    assert_eq!(server.http("GET", &format!("/{}", "a".repeat(8000)), "").await.0, 404);
    assert_eq!(server.http("GET", &format!("/{}", "a".repeat(9000)), "").await.0, 414);
    assert_eq!(server.http("GET", "/health", &format!("X: {}\r\n", "a".repeat(12_000))).await.0, 200);
    assert_eq!(server.http("GET", "/health", &format!("X: {}\r\n", "a".repeat(17_000))).await.0, 431);
    assert_eq!(server.http("GET", "/health", &"X: y\r\n".repeat(90)).await.0, 200);
    assert_eq!(server.http("GET", "/health", &"X: y\r\n".repeat(100)).await.0, 431);
    // The client is still sending when it is refused, and reads the answer all the same.
    assert_eq!(server.http("GET", "/health", &format!("X: {}\r\n", "a".repeat(200_000))).await.0, 431);
}

/// The server's side of each has its deadline: all of them together, since each takes seconds.
#[tokio::test]
async fn every_step_of_a_connection_has_its_deadline() {
    let server = with(ServerConfig { keep_alive_ms: 1500, ..config().server });
    let chunked = b"GET /health HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
    let length = b"GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nabc".as_slice();
    let ws = b"GET /ws HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
    let expects = b"PUT /a HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n".as_slice();
    let cases = [
        // (what, its bytes, the answers, and when the server ends the connection, in seconds)
        ("nothing", b"".as_slice(), vec![], 4..7),
        ("half a request", b"GET / HT", vec![408], 4..8),
        ("a head without end", b"GET / HTTP/1.1\r\nHost: here\r\n", vec![408], 4..8),
        ("chunks that do not come", chunked, vec![200], 0..3),
        ("a body that does not come", length, vec![200], 4..8),
        ("a session's body", ws, vec![400], 0..3),
        ("a body that waits for our word", expects, vec![404], 0..3),
        ("no further request", GET, vec![200], 1..4),
    ];
    let all = cases.map(async |(what, bytes, expected, seconds)| {
        let mut socket = connect(&server).await;
        let start = Instant::now();
        write(&mut socket, bytes).await;
        let at_once = if expected == [200] { answers(&mut socket, 1).await } else { String::new() };
        assert!(expected != [200] || start.elapsed() < SOON, "{what}: answered after {:?}", start.elapsed());
        let (rest, ended) = read_to_end(&mut socket, PATIENCE).await;
        let took = start.elapsed();
        assert_eq!(statuses(&(at_once + &String::from_utf8_lossy(&rest))), expected, "{what}");
        assert!(ended && seconds.contains(&took.as_secs()), "{what}: ended after {took:?}");
    });
    futures_util::future::join_all(all).await;
}

/// A head that comes in drops, and one that is followed by endless words that are no body.
#[tokio::test]
async fn neither_drops_nor_floods_keep_a_connection() {
    let server = Server::start(config());
    let drops = async {
        let mut socket = connect(&server).await;
        let start = Instant::now();
        write(&mut socket, b"GET / HTTP/1.1\r\nX: ").await;
        while start.elapsed() < PATIENCE && socket.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        start.elapsed()
    };
    let flood = async {
        let mut socket = connect(&server).await;
        let start = Instant::now();
        write(&mut socket, b"POST /a HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n").await;
        while start.elapsed() < PATIENCE && socket.write_all(&[7; 1024]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        start.elapsed()
    };
    let (drops, flood) = tokio::join!(drops, flood);
    assert!(drops < Duration::from_secs(9), "it lived for {drops:?}");
    assert!(flood < Duration::from_secs(9), "it lived for {flood:?}");
}

#[tokio::test]
async fn a_body_that_comes_late_and_is_passed_over_does_not_end_the_connection() {
    let server = Server::start(config());
    let mut socket = connect(&server).await;
    write(&mut socket, b"GET /health HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n").await;
    assert_eq!(statuses(&answers(&mut socket, 1).await), [200], "the answer does not wait for it");
    for part in [&b"ab"[..], b"cd", b"e", GET] {
        write(&mut socket, part).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(statuses(&answers(&mut socket, 1).await), [200]);
}

#[tokio::test]
async fn keep_alive_is_a_setting() {
    // As it is set by default it outlives what it was before, nearly five seconds.
    let (long, none) = (Server::start(config()), with(ServerConfig { keep_alive_ms: 0, ..config().server }));
    let mut kept = connect(&long).await;
    write(&mut kept, GET).await;
    assert_eq!(statuses(&answers(&mut kept, 1).await), [200]);
    let mut ended = connect(&none).await;
    write(&mut ended, GET).await;
    let (answer, ends) = read_to_end(&mut ended, SOON).await;
    assert!(ends && String::from_utf8_lossy(&answer).contains("connection: close\r\n"));
    tokio::time::sleep(Duration::from_millis(5500)).await;
    write(&mut kept, GET).await;
    assert_eq!(statuses(&answers(&mut kept, 1).await), [200]);
}

#[tokio::test]
async fn requests_are_answered_one_after_the_other_in_their_order() {
    let server = Server::start(config());
    let mut socket = connect(&server).await;
    let two = b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n";
    write(&mut socket, &[GET, two].concat().repeat(50)).await;
    assert_eq!(statuses(&answers(&mut socket, 100).await), [200, 404].repeat(50));
}

/// Beyond the limit who was idle for longest goes, and nobody who comes is turned away.
#[tokio::test]
async fn idle_connections_make_way_for_those_that_come() {
    let limits = ServerConfig { workers: 1, connections_max: 16, ..config().server };
    let server = with(limits);
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut socket = connect(&server).await;
        write(&mut socket, GET).await;
        assert_eq!(statuses(&answers(&mut socket, 1).await), [200]);
        idle.push(socket);
    }
    let mut alive = Vec::new();
    for (number, mut socket) in idle.into_iter().enumerate() {
        if !read_to_end(&mut socket, Duration::from_millis(20)).await.1 {
            alive.push(number);
        }
    }
    assert!(alive.contains(&39) && !alive.contains(&0) && (14..=17).contains(&alive.len()), "{alive:?} are alive");
    // Nor do those that keep the server waiting keep anybody out.
    let mut halves = Vec::new();
    for _ in 0..40 {
        let mut socket = connect(&server).await;
        write(&mut socket, &GET[..10]).await;
        halves.push(socket);
    }
    assert_eq!(server.http("GET", "/health", "").await.0, 200);
    server.join(RoomWish::Quick).await;
}

#[tokio::test]
async fn the_list_of_rooms_is_made_once_a_second() {
    let server = Server::start(config());
    let start = Instant::now();
    assert_eq!(server.rooms().await.len(), 0);
    let (_ann, _) = server.join(RoomWish::Create { private: false }).await;
    let again = server.rooms().await.len();
    assert!(again == 0 || start.elapsed() > Duration::from_millis(900), "another list within the second");
    until("the room to be listed", async || server.rooms().await.len() == 1).await;
    assert!(start.elapsed() < Duration::from_secs(3), "it took {:?}", start.elapsed());
}

/// A client of this machine that comes from `127.0.0.<last>`.
async fn connect_from(server: &Server, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket can be made");
    socket.bind(([127, 0, 0, last], 0).into()).expect("this machine has that address");
    socket.connect(server.address).await.expect("the server listens")
}

/// What requests from there get, one after the other on one connection.
async fn asks(server: &Server, last: u8, headers: &str, count: usize) -> (Vec<u16>, String) {
    let mut socket = connect_from(server, last).await;
    let request = format!("GET /health HTTP/1.1\r\nHost: here\r\n{headers}\r\n").repeat(count);
    write(&mut socket, request.as_bytes()).await;
    let text = answers(&mut socket, count).await;
    (statuses(&text), text)
}

#[tokio::test]
async fn requests_of_one_address_are_limited_and_no_one_elses() {
    let policy = PolicyConfig { exempt: vec![], requests_per_second: 1, requests_burst: 5, ..PolicyConfig::default() };
    let server = Server::start(Config { policy, ..config() });
    let start = Instant::now();
    let (flood, text) = asks(&server, 2, "", 8).await;
    assert_eq!(flood, [200, 200, 200, 200, 200, 429, 200, 429], "{text}");
    assert!(text.contains("\r\nretry-after: 1\r\n") && text.contains("content-security-policy: "), "{text}");
    // Whoever asks too often is not even read from before it may ask again.
    assert!(start.elapsed() > Duration::from_millis(800), "eight requests took {:?}", start.elapsed());
    assert_eq!(asks(&server, 3, "", 5).await.0, [200; 5], "another address has its own");
    // Nor does a refused upgrade get a session.
    let mut socket = connect_from(&server, 3).await;
    let asks_ws = "GET /ws HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    write(&mut socket, asks_ws.repeat(3).as_bytes()).await;
    let (answer, ended) = read_to_end(&mut socket, SOON).await;
    assert_eq!((statuses(&String::from_utf8_lossy(&answer)), ended), (vec![429], true));
}

#[tokio::test]
async fn whom_a_trusted_proxy_asks_for_is_limited_and_the_proxy_is_not() {
    let policy = PolicyConfig { requests_per_second: 1, requests_burst: 5, ..PolicyConfig::default() };
    let server = Server::start(Config { policy, ..config() });
    assert_eq!(asks(&server, 1, "", 20).await.0, [200; 20], "nobody is limited on this machine");
    let start = Instant::now();
    // All of them by the proxy's one connection, which is kept, and is not waited for on the account of one of them.
    let mut socket = connect(&server).await;
    let ask =
        |client: usize| format!("GET /health HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: 192.0.2.{client}\r\n\r\n");
    write(&mut socket, (ask(1).repeat(9) + &ask(2).repeat(5)).as_bytes()).await;
    let statuses = statuses(&answers(&mut socket, 14).await);
    assert_eq!(statuses, [[200; 5].as_slice(), &[429; 4], &[200; 5]].concat());
    assert!(start.elapsed() < Duration::from_secs(3), "it took {:?}", start.elapsed());
    // Nobody else's word is taken.
    let untrusting = PolicyConfig { exempt: vec![], trusted_proxies: vec![], requests_burst: 5, ..config().policy };
    let server = Server::start(Config { policy: PolicyConfig { requests_per_second: 1, ..untrusting }, ..config() });
    let mut lies = connect(&server).await;
    write(&mut lies, (1..=6).map(ask).collect::<String>().as_bytes()).await;
    assert_eq!(self::statuses(&answers(&mut lies, 6).await), [200, 200, 200, 200, 200, 429]);
}

#[tokio::test]
async fn connections_of_one_address_are_limited_once_half_of_the_server_is_taken() {
    let server = ServerConfig { workers: 1, connections_max: 20, ..config().server };
    let policy = PolicyConfig { exempt: vec![], connections: 3, ..PolicyConfig::default() };
    let server = Server::start(Config { policy, server, ..config() });
    let get = async |last| {
        let mut socket = connect_from(&server, last).await;
        // It may be turned away before.
        let _ = socket.write_all(GET).await;
        (statuses(&answers(&mut socket, 1).await), socket)
    };
    let mut held = Vec::new();
    for _ in 0..10 {
        let (status, socket) = get(2).await;
        assert_eq!(status, [200]);
        held.push(socket);
    }
    for _ in 0..5 {
        // Its last word may be lost on the way.
        let (status, mut socket) = get(2).await;
        assert!(status.is_empty() || status == [429], "{status:?}");
        assert!(read_to_end(&mut socket, SOON).await.1, "it must have ended");
    }
    for _ in 0..3 {
        let (status, socket) = get(3).await;
        assert_eq!(status, [200], "another address has its share");
        held.push(socket);
    }
    drop(held);
    until("the address to have connections again", async || get(2).await.0 == [200]).await;
}

/// The program with an address of its own, under `ulimit -n`.
fn program(descriptors: u32) -> (Program, std::net::SocketAddr) {
    let script = format!("ulimit -n {descriptors} && exec \"$0\" --listen 127.0.0.1:0 --log error");
    let mut shell = std::process::Command::new("sh");
    let mut program = Program::spawn(shell.args(["-c", &script, env!("CARGO_BIN_EXE_tickroom")]));
    let address = program.address();
    (program, address)
}

#[tokio::test]
async fn where_descriptors_are_few_idle_connections_still_make_way() {
    let (_program, address) = program(200);
    let mut idle = Vec::new();
    for number in 0..300 {
        let mut socket = TcpStream::connect(address).await.expect("the program listens");
        write(&mut socket, GET).await;
        let text = answers(&mut socket, 1).await;
        assert_eq!(statuses(&text), [200], "connection {number}: {text:?}");
        idle.push(socket);
    }
}

/// While the server is stopped its deadlines pass, and no client is to blame for it.
#[tokio::test]
async fn a_server_that_was_stopped_blames_nobody_for_it() {
    let (program, address) = program(1000);
    let (mut half, mut body) = (
        TcpStream::connect(address).await.expect("the program listens"),
        TcpStream::connect(address).await.expect("the program listens"),
    );
    write(&mut half, &GET[..20]).await;
    write(&mut body, b"POST /health HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\n").await;
    assert_eq!(statuses(&answers(&mut body, 1).await), [405]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    program.signal("STOP");
    tokio::time::sleep(Duration::from_millis(6500)).await;
    program.signal("CONT");
    // Later than whatever was due.
    tokio::time::sleep(Duration::from_millis(500)).await;
    write(&mut half, &GET[20..]).await;
    write(&mut body, &[b"abc", GET].concat()).await;
    assert_eq!(statuses(&answers(&mut half, 1).await), [200]);
    assert_eq!(statuses(&answers(&mut body, 1).await), [200]);
}
