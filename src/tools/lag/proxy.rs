//! The TCP proxy: a [`Link`] for each direction of each connection, and two tasks that hold its bytes back until they
//! are due. Every connection, queue and buffer is bounded; a full queue stops reading, which TCP passes on to the sender.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::link::{Link, Profile, Way};

/// How a lag proxy runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to connect to: an address and port, or a host name and port.
    pub to: String,
    /// How bad the network is.
    pub profile: Profile,
    /// The same seed and the same sends give the same delays; each connection's links take their own from it.
    pub seed: u64,
    /// Connections at a time; more are closed at once. Each takes up to two buffers of [`BUFFER_BYTES_MAX`].
    pub connections_max: usize,
}

/// Connections at a time, if nothing else is asked for: more than a room has seats.
pub const CONNECTIONS_MAX: usize = 256;
/// Most bytes held back per direction of a connection. At a second of round trip it still carries 2 MB/s.
pub const BUFFER_BYTES_MAX: usize = 1024 * 1024;
/// Fewest: one read's worth, so that a slow link moves whole reads.
const BUFFER_BYTES_MIN: usize = READ_BYTES_MAX;
/// Most bytes of one read, which come out together. Small, so that a rate limit drips and does not gush.
const READ_BYTES_MAX: usize = 4096;
/// Most reads held back per direction, since a read may bring a single byte.
const READS_MAX: usize = 4096;
/// How much of a slow link's rate its buffer holds, beyond what is on its way: a usual router.
const QUEUED_MS: u64 = 250;

/// After accepting failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a proxy has done so far. Read it from anywhere at any time.
#[derive(Debug, Default)]
pub struct Stats {
    connections: AtomicU64,
    refused: AtomicU64,
    open: AtomicI64,
    up: WayStats,
    down: WayStats,
}

#[derive(Debug, Default)]
struct WayStats {
    bytes: AtomicU64,
    held: AtomicI64,
    sends: AtomicU64,
    delay_us: AtomicU64,
    late_us_max: AtomicU64,
}

impl Stats {
    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed).max(0) as u64
    }

    /// Bytes that came out of one direction so far, over all connections.
    #[must_use]
    pub fn bytes(&self, way: Way) -> u64 {
        self.way(way).bytes.load(Relaxed)
    }

    /// Bytes that one direction holds back now, over all connections.
    #[must_use]
    pub fn held(&self, way: Way) -> u64 {
        self.way(way).held.load(Relaxed).max(0) as u64
    }

    fn way(&self, way: Way) -> &WayStats {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }
}

/// One line for people. The mean delay is since the last time that it was written, so show a `Stats` in one place only.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} open of {}", self.open(), self.connections.load(Relaxed))?;
        match self.refused.load(Relaxed) {
            0 => {}
            refused => write!(f, " ({refused} refused)")?,
        }
        for (name, way) in [("up", &self.up), ("down", &self.down)] {
            let (sends, delay_us) = (way.sends.swap(0, Relaxed), way.delay_us.swap(0, Relaxed));
            let (bytes, held) = (way.bytes.load(Relaxed), way.held.load(Relaxed).max(0));
            write!(f, " | {name} {:.1} kB, {:.1} kB held", bytes as f64 / 1e3, held as f64 / 1e3)?;
            if let Some(mean_us) = delay_us.checked_div(sends) {
                let late_us = way.late_us_max.swap(0, Relaxed);
                write!(f, ", {:.0} ms mean, up to {:.1} ms late", mean_us as f64 / 1e3, late_us as f64 / 1e3)?;
            }
        }
        Ok(())
    }
}

/// Accepts and forwards until `shutdown` is ready; then every connection is cut. The caller owns the listener, so it
/// knows the address before the first connection comes.
pub async fn serve(listener: TcpListener, config: Config, stats: Arc<Stats>, shutdown: impl Future<Output = ()>) {
    let config = Arc::new(config);
    let start = Instant::now();
    let mut connections = JoinSet::new();
    let mut number = 0_u64;
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => return, // dropping the set ends every connection
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let client = match accepted {
            Ok((client, _)) if connections.len() < config.connections_max => client,
            Ok(_) => {
                stats.refused.fetch_add(1, Relaxed);
                continue;
            }
            Err(_) => {
                // A client that has gone already, or no descriptor left: the next one may fare better, in a moment.
                stats.refused.fetch_add(1, Relaxed);
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        number += 1;
        stats.connections.fetch_add(1, Relaxed);
        let seed = config.seed.wrapping_add(number.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        let [up, down] = [(Way::Up, seed), (Way::Down, !seed)].map(|(way, seed)| Pump {
            link: Link::new(config.profile.clone(), way, seed),
            way,
            stats: Arc::clone(&stats),
            start,
            buffer_bytes: buffer_bytes(&config.profile),
        });
        connections.spawn(connection(client, Arc::clone(&config), up, down));
    }
}

/// As much as the link has on its way at its rate, and a router's queue; all that is allowed without a rate.
fn buffer_bytes(profile: &Profile) -> usize {
    if profile.rate == 0 {
        return BUFFER_BYTES_MAX;
    }
    let bytes = profile.rate.saturating_mul(profile.rtt_us / 2 + QUEUED_MS * 1000) / 1_000_000;
    usize::try_from(bytes).unwrap_or(usize::MAX).clamp(BUFFER_BYTES_MIN, BUFFER_BYTES_MAX)
}

async fn connection(client: TcpStream, config: Arc<Config>, up: Pump, down: Pump) {
    let _open = Counted::new(&up.stats, |stats| &stats.open, 1);
    // A server that is not there looks as it does without the proxy: the connection ends.
    let Ok(server) = TcpStream::connect(&config.to).await else { return };
    for stream in [&client, &server] {
        // What the kernel holds back on its own would be one more delay, and on a slow link the longest of all. Either
        // call fails only on a connection that has ended, which the first read finds out.
        let _ = stream.set_nodelay(true);
        if config.profile.rate > 0 {
            let _ = SockRef::from(stream).set_recv_buffer_size(up.buffer_bytes);
        }
    }
    let (client_out, client_in) = client.into_split();
    let (server_out, server_in) = server.into_split();
    // The first that fails ends both: a reset passes through. An orderly end passes through one direction at a time.
    let _ = tokio::try_join!(up.run(client_out, server_in), down.run(server_out, client_in));
}

/// One direction of one connection.
struct Pump {
    link: Link,
    way: Way,
    stats: Arc<Stats>,
    start: Instant,
    buffer_bytes: usize,
}

/// One read on its way. Dropping it, sent or not, gives its place back.
struct Held {
    bytes: Bytes,
    read_at: Instant,
    due: Instant,
    _room: OwnedSemaphorePermit,
    _count: Counted,
}

impl Pump {
    async fn run(self, from: OwnedReadHalf, to: OwnedWriteHalf) -> io::Result<()> {
        let (queue, held) = mpsc::channel(READS_MAX);
        let (stats, way) = (Arc::clone(&self.stats), self.way);
        tokio::try_join!(self.read(from, queue), write(held, to, stats.way(way)))?;
        Ok(())
    }

    /// Reads until the sender has finished, and hands on what came and when it is due. An empty read is the end: it
    /// takes as long as any other.
    async fn read(mut self, mut from: OwnedReadHalf, queue: mpsc::Sender<Held>) -> io::Result<()> {
        let room = Arc::new(Semaphore::new(self.buffer_bytes));
        let mut buffer = [0; READ_BYTES_MAX];
        let held_of: fn(&Stats) -> &AtomicI64 = match self.way {
            Way::Up => |stats| &stats.up.held,
            Way::Down => |stats| &stats.down.held,
        };
        loop {
            let count = from.read(&mut buffer).await?;
            let read_at = Instant::now();
            let out_us = self.link.send((read_at - self.start).as_micros() as u64, count);
            let held = Held {
                bytes: Bytes::copy_from_slice(&buffer[..count]),
                read_at,
                due: self.start + Duration::from_micros(out_us),
                _room: Arc::clone(&room).acquire_many_owned(count as u32).await.map_err(io::Error::other)?,
                _count: Counted::new(&self.stats, held_of, count as i64),
            };
            if queue.send(held).await.is_err() || count == 0 {
                return Ok(());
            }
        }
    }
}

async fn write(mut queue: mpsc::Receiver<Held>, mut to: OwnedWriteHalf, stats: &WayStats) -> io::Result<()> {
    while let Some(held) = queue.recv().await {
        tokio::time::sleep_until(held.due).await;
        if held.bytes.is_empty() {
            return to.shutdown().await;
        }
        let late_us = held.due.elapsed().as_micros() as u64;
        stats.late_us_max.fetch_max(late_us, Relaxed);
        to.write_all(&held.bytes).await?;
        stats.bytes.fetch_add(held.bytes.len() as u64, Relaxed);
        stats.sends.fetch_add(1, Relaxed);
        stats.delay_us.fetch_add((held.due - held.read_at).as_micros() as u64, Relaxed);
    }
    Ok(())
}

/// Adds to a counter for as long as it lives: a task can end at any await.
struct Counted {
    stats: Arc<Stats>,
    which: fn(&Stats) -> &AtomicI64,
    count: i64,
}

impl Counted {
    fn new(stats: &Arc<Stats>, which: fn(&Stats) -> &AtomicI64, count: i64) -> Self {
        which(stats).fetch_add(count, Relaxed);
        Self { stats: Arc::clone(stats), which, count }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.which)(&self.stats).fetch_sub(self.count, Relaxed);
    }
}
