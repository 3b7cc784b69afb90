//! A whole server with the toy game on a free port of this machine, and clients that speak to it over real sockets.
//! Everything here is bounded in time: a test that waits for what never comes fails, and says for what it waited.

use std::net::{IpAddr, SocketAddr};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tickroom::config::{Config, RoomConfig, ServerConfig};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{
    ClientMessage, Hello, Input, PROTOCOL_VERSION, RoomWish, ServerMessage, Tier, Welcome,
};
use tickroom::protocol::view::View;
use tickroom::server::{ServeError, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::toy::{MOVER, Toy};

/// The longest that anything here may take: far above what it does take, because the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `what`, at most [`PATIENCE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}

/// Asks again and again until the answer is yes, at most [`PATIENCE`].
pub async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// A server's settings for tests: few threads, no bots, and a game that can be told to panic.
pub fn config() -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        server: ServerConfig { workers: 2, arbiters: 2, ..ServerConfig::default() },
        room: RoomConfig { fill_to: 0, ..RoomConfig::default() },
        game: serde_json::json!({ "panics": true, "sees_all": true }),
        ..Config::default()
    }
}

/// A server on a thread of its own.
pub struct Server {
    pub address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Server {
    pub fn start(config: Config) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (announce, announced) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let shutdown = async {
                // A server that is dropped by a failing test stops too.
                let _ = stopped.await;
            };
            actix::System::new().block_on(run::<Toy>(config, shutdown, |address| {
                announce.send(address).expect("the test waits for the address");
            }))
        });
        match announced.recv_timeout(PATIENCE) {
            Ok(address) => Self { address, stop: Some(stop), thread: Some(thread) },
            Err(_) => panic!("the server did not start: {:?}", thread.join()),
        }
    }

    /// Asks the server to shut down, without waiting.
    pub fn ask_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Shuts the server down; how long that took.
    pub fn stop(mut self) -> Duration {
        let start = Instant::now();
        self.ask_to_stop();
        let ended = self.thread.take().expect("it is stopped once").join().expect("the server does not panic");
        ended.expect("the server ends well");
        start.elapsed()
    }

    /// The answer to a plain HTTP request, as (status, head, body).
    pub async fn http(&self, method: &str, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
        let host = self.address;
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
        let mut socket = TcpStream::connect(self.address).await.expect("the server listens");
        socket.write_all(request.as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        within("an HTTP answer", socket.read_to_end(&mut answer)).await.expect("the server answers");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(answer[..end].to_vec()).expect("a head is text");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a head has a status");
        (status, head, answer[end + 4..].to_vec())
    }

    /// What `/api/rooms` says.
    pub async fn rooms(&self) -> Vec<serde_json::Value> {
        let (status, _, body) = self.http("GET", "/api/rooms", "").await;
        assert_eq!(status, 200);
        let list: serde_json::Value = serde_json::from_slice(&body).expect("the list is JSON");
        list["rooms"].as_array().expect("the list has rooms").clone()
    }

    /// A raw TCP connection on which the WebSocket upgrade is done: what is written next are frames.
    pub async fn raw(&self) -> TcpStream {
        upgrade(TcpStream::connect(self.address).await.expect("the server listens"), self.address).await
    }

    pub async fn connect(&self) -> Client {
        self.try_connect(None).await.expect("the server upgrades")
    }

    /// Upgrades with an Origin; the status if it is refused.
    pub async fn try_connect(&self, origin: Option<&str>) -> Result<Client, u16> {
        let header = origin.map(|origin| ("Origin", origin));
        self.try_connect_from([127, 0, 0, 1].into(), header.as_slice()).await
    }

    /// Upgrades from one of this machine's addresses, with these headers; the status if it is refused.
    pub async fn try_connect_from(&self, from: IpAddr, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
        let mut request = format!("ws://{}/ws", self.address).into_client_request().expect("the address is good");
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().expect("it is a header"));
        }
        let socket = TcpSocket::new_v4().expect("descriptors are left");
        socket.bind(SocketAddr::new(from, 0)).expect("all of 127.0.0.0/8 is this machine");
        let socket = socket.connect(self.address).await.expect("the server listens");
        match within("the upgrade", tokio_tungstenite::client_async(request, socket)).await {
            Ok((socket, _)) => Ok(Client { socket, view: None, seq: 0, closing: None }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("the upgrade fails: {error}"),
        }
    }

    /// A client that is in: it has had its Welcome.
    pub async fn join(&self, wish: RoomWish) -> (Client, Welcome) {
        let mut client = self.connect().await;
        client.hello(wish).await;
        let welcome = client.welcome().await;
        (client, welcome)
    }

    /// A client that took a dropped seat back.
    pub async fn resume(&self, token: [u8; 16]) -> (Client, Welcome) {
        let mut client = self.connect().await;
        client.send(&ClientMessage::Hello(Hello { resume: Some(token), ..hello(RoomWish::Quick) })).await;
        let welcome = client.welcome().await;
        (client, welcome)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub fn hello(wish: RoomWish) -> Hello {
    Hello { protocol: PROTOCOL_VERSION, name: "Ann".into(), wish, tier: Tier::Delta, resume: None, features: 0 }
}

/// Does the WebSocket upgrade on a raw connection.
pub async fn upgrade(mut socket: TcpStream, address: SocketAddr) -> TcpStream {
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: \
         13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the upgrade", socket.read_u8()).await.expect("the server upgrades"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    socket
}

/// One client over a real WebSocket.
pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
    view: Option<View>,
    seq: u32,
    closing: Option<(u16, String)>,
}

/// How a session ended, as its client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What Closing said.
    pub closing: Option<(u16, String)>,
    /// What the Close frame said; `None`: the connection broke off.
    pub frame: Option<(u16, String)>,
}

impl Ended {
    /// Fails unless both Closing and the Close frame say `reason`.
    #[track_caller]
    pub fn expect(&self, reason: CloseReason) {
        let said = Some((reason.code(), reason.text().to_owned()));
        assert_eq!(self.closing, said, "Closing must say {reason:?}: {self:?}");
        assert_eq!(self.frame, said, "the Close frame must say {reason:?}: {self:?}");
    }
}

impl Client {
    pub async fn send(&mut self, message: &ClientMessage) {
        self.send_raw(Message::binary(message.encode())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        within("the socket to take a message", self.socket.send(message)).await.expect("the socket is open");
    }

    pub async fn hello(&mut self, wish: RoomWish) {
        self.send(&ClientMessage::Hello(hello(wish))).await;
    }

    /// Plays this row from now on.
    pub async fn input(&mut self, row: &[i32]) {
        self.seq += 1;
        let input = Input { seq: self.seq, tick: 0, seen: 0, seen_ago: 0, row: row.to_vec() };
        self.send(&ClientMessage::Input(input)).await;
    }

    /// The next message; `None` once the session has ended.
    pub async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            let frame = match within("a message", self.socket.next()).await? {
                Ok(Message::Binary(bytes)) => bytes,
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => continue,
            };
            let (message, body) = ServerMessage::decode(&frame).expect("the server sends messages");
            match &message {
                ServerMessage::Welcome(welcome) => self.view = Some(View::new(&welcome.schema)),
                ServerMessage::Snapshot(header) => {
                    let view = self.view.as_mut().expect("Welcome comes first");
                    view.apply(header, body).expect("the server sends good snapshots");
                }
                ServerMessage::Closing(closing) => self.closing = Some((closing.code, closing.text.clone())),
                ServerMessage::Roster(_) | ServerMessage::Pong(_) => {}
            }
            return Some(message);
        }
    }

    pub async fn welcome(&mut self) -> Welcome {
        match self.next().await {
            Some(ServerMessage::Welcome(welcome)) => *welcome,
            other => panic!("Welcome must come first, not {other:?}"),
        }
    }

    /// Where the mover of a seat is, once a snapshot shows that `wanted` holds of it.
    pub async fn mover_that(&mut self, seat: u16, wanted: impl Fn(i32) -> bool) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no snapshot showed what was waited for");
            match self.next().await {
                Some(ServerMessage::Snapshot(_)) => {}
                Some(_) => continue,
                None => panic!("the session ended: {:?}", self.closing),
            }
            let view = self.view.as_ref().expect("a snapshot was applied");
            let mut movers = view.rows().filter(|(_, kind, row)| *kind == MOVER && row[0] == i32::from(seat));
            if let Some((_, _, row)) = movers.next()
                && wanted(row[1] << 2)
            {
                return row[1] << 2;
            }
        }
    }

    /// Reads on until the session ends, and answers the Close frame.
    pub async fn ended(mut self) -> Ended {
        let frame = within("the session to end", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => break frame.map(|it| (it.code.into(), it.reason.to_string())),
                    Some(Ok(Message::Binary(bytes))) => {
                        if let Ok((ServerMessage::Closing(closing), _)) = ServerMessage::decode(&bytes) {
                            self.closing = Some((closing.code, closing.text));
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break None,
                }
            }
        })
        .await;
        // Tungstenite answers a Close frame at the next read, which ends when the server has closed.
        while let Some(Ok(_)) = within("the connection to end", self.socket.next()).await {}
        Ended { closing: self.closing, frame }
    }

    /// Ends the connection without a word.
    pub fn drop_connection(self) {
        drop(self);
    }
}

/// One frame as a client sends it, masked with zeros.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        long @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(long as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

/// Takes one of the server's frames off the front, if it is whole: its first byte and its payload.
pub fn take_message(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (head, length) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let payload = bytes.get(head..head + length)?.to_vec();
    let first = bytes[0];
    bytes.drain(..head + length);
    Some((first, payload))
}

/// Reads a raw connection to its end; the payload of the last Close frame's code, and all bytes. Stops early at
/// `patience`, with what came.
pub async fn read_to_end(socket: &mut TcpStream, patience: Duration) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    let ended = tokio::time::timeout(patience, async {
        let mut chunk = vec![0; 65_536];
        loop {
            match socket.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(read) => all.extend_from_slice(&chunk[..read]),
            }
        }
    })
    .await
    .is_ok();
    (all, ended)
}

/// This process's resident memory, in KiB.
pub fn resident_kib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells a process its memory");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("statm has pages");
    pages * 4
}

/// The CPU time that this process has used.
pub fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells a process its times");
    let after_name = stat.rsplit(") ").next().expect("stat names the process");
    let ticks: u64 = after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// A raw client of the full tier on its way into a room, which keeps so much unread at most; `None`: what the system lets it.
pub async fn enter_full(address: SocketAddr, buffer: Option<u32>) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket can be made");
    if let Some(bytes) = buffer {
        socket.set_recv_buffer_size(bytes).expect("a buffer has a size");
    }
    let socket = socket.connect(address).await.expect("the server listens");
    let mut socket = upgrade(socket, address).await;
    let mut full = hello(RoomWish::Quick);
    full.tier = Tier::Full;
    socket.write_all(&frame(0x82, &ClientMessage::Hello(full).encode())).await.expect("the server reads");
    socket
}
