//! The lag proxy over real sockets: what only sockets can show. When bytes come out is tested beside `link.rs`, on a
//! clock of its own; here the bounds are wide enough for a busy machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickroom::tools::lag::link::{Profile, Way};
use tickroom::tools::lag::proxy::{self, BUFFER_BYTES_MAX, Config, Stats};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const LIMIT: Duration = Duration::from_secs(20);

struct Proxy {
    address: SocketAddr,
    stats: Arc<Stats>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn proxy(to: String, profile: Profile, connections_max: usize) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let stats = Arc::new(Stats::default());
    let config = Config { to, profile, seed: 1, connections_max };
    let task = tokio::spawn(proxy::serve(listener, config, Arc::clone(&stats), std::future::pending()));
    Proxy { address, stats, task }
}

/// A server that sends everything back, until its client has finished.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).await.expect("the proxy listens");
    stream.set_nodelay(true).expect("connected");
    stream
}

fn ms(count: u64) -> u64 {
    count * 1000
}

#[tokio::test]
async fn every_byte_arrives_in_order_and_the_end_after_it() {
    let worst = Profile {
        rtt_us: ms(20),
        jitter_us: ms(20),
        stall_every_us: ms(300),
        stall_us: ms(100),
        loss_per_million: 20_000,
        rate: 400_000,
        ..Profile::default()
    };
    let proxy = proxy(echo().await, worst, 8).await;
    let sent: Vec<u8> = (0..300_000_u32).map(|i| (i ^ (i >> 8)) as u8).collect();
    let (mut from, mut to) = connect(proxy.address).await.into_split();
    let copy = sent.clone();
    tokio::spawn(async move {
        for part in copy.chunks(777) {
            to.write_all(part).await.expect("the proxy reads");
        }
        to.shutdown().await
    });
    let mut got = Vec::new();
    timeout(LIMIT, from.read_to_end(&mut got)).await.expect("the end passes through").expect("an orderly end");
    assert!(got == sent, "{} bytes of {} came back, or others", got.len(), sent.len());
    assert_eq!((proxy.stats.bytes(Way::Up), proxy.stats.bytes(Way::Down)), (300_000, 300_000));
    closes(&proxy).await;
}

/// The connection's end is noticed, and nothing stays counted.
async fn closes(proxy: &Proxy) {
    let begin = Instant::now();
    while proxy.stats.open() > 0 {
        assert!(begin.elapsed() < LIMIT, "{} connections stay open", proxy.stats.open());
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((proxy.stats.held(Way::Up), proxy.stats.held(Way::Down)), (0, 0));
}

#[tokio::test]
async fn a_round_trip_takes_what_was_asked_for() {
    let profile = Profile { rtt_us: ms(100), jitter_us: ms(20), ..Profile::default() };
    let proxy = proxy(echo().await, profile, 8).await;
    let mut stream = connect(proxy.address).await;
    let mut trips = Vec::new();
    for i in 0..20_u8 {
        let begin = Instant::now();
        stream.write_all(&[i]).await.expect("the proxy reads");
        assert_eq!(timeout(LIMIT, stream.read_u8()).await.expect("in time").expect("echoed"), i);
        trips.push(begin.elapsed());
    }
    trips.sort();
    // Two delays of 50 ms, each 10 ms more or less.
    assert!(trips[0] >= Duration::from_millis(80), "{trips:?}");
    assert!((Duration::from_millis(90)..Duration::from_millis(130)).contains(&trips[10]), "{trips:?}");
}

#[tokio::test]
async fn a_stall_is_a_silence_and_then_a_burst() {
    let profile = Profile { stall_every_us: ms(1000), stall_us: ms(400), ..Profile::default() };
    let proxy = proxy(echo().await, profile, 8).await;
    let (mut from, mut to) = connect(proxy.address).await.into_split();
    let sender = tokio::spawn(async move {
        for i in 0..90_u8 {
            to.write_all(&[i]).await.expect("the proxy reads");
            sleep(Duration::from_millis(20)).await;
        }
    });
    let mut arrivals = Vec::new();
    for i in 0..90_u8 {
        assert_eq!(timeout(LIMIT, from.read_u8()).await.expect("in time").expect("echoed"), i);
        arrivals.push(Instant::now());
    }
    sender.await.expect("sent");
    let gaps: Vec<Duration> = arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().any(|gap| *gap >= Duration::from_millis(300)), "no silence: {gaps:?}");
    let quick = gaps.iter().filter(|gap| **gap < Duration::from_millis(5)).count();
    assert!(quick >= 10, "no burst, {quick} quick ones: {gaps:?}");
}

#[tokio::test]
async fn a_rate_limit_takes_its_time() {
    let profile = Profile { rate: 100_000, ..Profile::default() };
    let proxy = proxy(echo().await, profile, 8).await;
    let (mut from, mut to) = connect(proxy.address).await.into_split();
    let begin = Instant::now();
    tokio::spawn(async move {
        to.write_all(&[7; 100_000]).await.expect("the proxy reads");
        to.shutdown().await
    });
    let mut got = Vec::new();
    timeout(LIMIT, from.read_to_end(&mut got)).await.expect("in time").expect("an orderly end");
    assert_eq!(got.len(), 100_000);
    assert!(begin.elapsed() >= Duration::from_millis(950), "took {:?}", begin.elapsed());
}

#[tokio::test]
async fn what_nobody_reads_is_held_only_up_to_the_limit() {
    // A server that accepts and never reads.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("bound").to_string();
    let proxy = proxy(address, Profile::default(), 8).await;
    let mut stream = connect(proxy.address).await;
    let (_server, _) = silent.accept().await.expect("the proxy connects");
    let part = vec![0; 64 * 1024];
    let mut written = 0;
    // The kernel's buffers take some megabytes first.
    while written < 64 * BUFFER_BYTES_MAX {
        match timeout(Duration::from_millis(300), stream.write(&part)).await {
            Ok(count) => written += count.expect("the proxy stays"),
            Err(_) => break,
        }
        assert!(proxy.stats.held(Way::Up) <= BUFFER_BYTES_MAX as u64);
    }
    assert!(written < 64 * BUFFER_BYTES_MAX, "the sender was never held back");
    assert!(proxy.stats.held(Way::Up) > BUFFER_BYTES_MAX as u64 / 2, "the buffer was not used");
    drop((stream, _server));
    closes(&proxy).await;
}

#[tokio::test]
async fn too_many_connections_and_a_server_that_is_gone_are_an_end_not_a_wait() {
    let end = async |mut stream: TcpStream| {
        let mut byte = [0];
        timeout(LIMIT, stream.read(&mut byte)).await.expect("closed at once").unwrap_or(0)
    };
    let one = proxy(echo().await, Profile::default(), 1).await;
    let mut first = connect(one.address).await;
    first.write_all(b"x").await.expect("the proxy reads");
    assert_eq!(first.read_u8().await.expect("echoed"), b'x');
    assert_eq!(end(connect(one.address).await).await, 0);
    drop(first);
    closes(&one).await;
    let mut again = connect(one.address).await;
    again.write_all(b"y").await.expect("there is a place again");
    assert_eq!(again.read_u8().await.expect("echoed"), b'y');

    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("bound");
    let nobody = proxy(gone.to_string(), Profile::default(), 1).await;
    assert_eq!(end(connect(nobody.address).await).await, 0);
    closes(&nobody).await;
}
