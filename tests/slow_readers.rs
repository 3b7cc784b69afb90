//! What readers that stop hold of the server's memory and of the kernel's, and when they are cut. The kernel says what
//! lies in it, the allocator counts what lies in the process; both ends of all sockets are on this machine.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait; it only hands on")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::sockets::{PATIENCE, Server, config, enter_full};
use tickroom::config::{Config, RoomConfig, ServerConfig};
use tickroom::tools::stress::sockdiag::SockDiag;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

struct Counting;

/// Bytes that are allocated now.
static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call is handed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const STUCK: Duration = Duration::from_millis(1500);
/// How much later than that one may be cut.
const SLACK: Duration = Duration::from_secs(2);
/// What a stuck reader may hold, in the process and in the kernel together: 64 KiB, of which a quarter is left for what is
/// on its way and not acknowledged. On one machine that is nothing.
const HELD_BYTES_MAX: usize = 48 * 1024;

const LOOK_EVERY: Duration = Duration::from_millis(25);

const HEALTHY: usize = 4;
/// Of each kind.
const STOPPING: usize = 12;
/// Receive buffers of those that stop: one that is full at once, and one that lets the server's kernel send much in one
/// piece, which makes it take more before it says that it takes no more.
const BUFFERS: [u32; 2] = [4 * 1024, 512 * 1024];

/// Long messages, many a second, to readers that do not ack: what fills sockets soonest.
fn torrent() -> Config {
    let room = RoomConfig { tick_rate: 120, ticks_per_snapshot: 1, seats_max: 64, fill_to: 0, ..RoomConfig::default() };
    let server = ServerConfig {
        stuck_ms: STUCK.as_millis() as u32,
        // Nobody here says anything after Hello: only being stuck may end a session.
        idle_ms: 600_000,
        messages_per_second: 200,
        ..config().server
    };
    Config { server, room, game: serde_json::json!({ "sees_all": true, "mines": 800 }), ..config() }
}

/// Reads all that comes until it is told to stop, and counts it. It keeps what it has until the end of the test, so that
/// only the server's memory changes.
async fn read(mut socket: TcpStream, stop: Arc<AtomicBool>, bytes: Arc<AtomicU64>) {
    let mut chunk = vec![0; 64 * 1024];
    while !stop.load(Ordering::Relaxed)
        && let Ok(count @ 1..) = socket.read(&mut chunk).await
    {
        bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
    std::future::pending().await
}

/// A reader that stopped, as the kernel on the server's side shows it.
#[derive(Debug)]
struct Stopped {
    address: SocketAddr,
    /// What the kernel held when it was asked last, and since when it was no other; `None` once it was cut.
    queued: Option<(u32, Instant)>,
    queued_max: u32,
    stuck_for: Duration,
}

impl Stopped {
    fn look(&mut self, diag: &SockDiag, server: SocketAddr) {
        let Some((before, since)) = self.queued else { return };
        self.stuck_for = since.elapsed();
        self.queued = diag.queued(server, self.address).map(|bytes| {
            self.queued_max = self.queued_max.max(bytes);
            (bytes, if bytes == before { since } else { Instant::now() })
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_stop_are_cut_in_time_and_hold_little_until_then() {
    let server = Server::start(torrent());
    let diag = SockDiag::open().expect("Linux has sock_diag");
    let (stop, never) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let counts: Vec<Arc<AtomicU64>> = (0..HEALTHY).map(|_| Arc::default()).collect();
    for count in &counts {
        tokio::spawn(read(enter_full(server.address, None).await, never.clone(), count.clone()));
    }
    let mut readers = Vec::new();
    for buffer in BUFFERS.iter().cycle().take(STOPPING * BUFFERS.len()) {
        let socket = enter_full(server.address, Some(*buffer)).await;
        let address = socket.local_addr().expect("it is connected");
        readers.push(Stopped { address, queued: None, queued_max: 0, stuck_for: Duration::ZERO });
        tokio::spawn(read(socket, stop.clone(), Arc::default()));
    }

    // All of them read for a while: what the process holds then, at least, is what sessions cost that are well.
    tokio::time::sleep(Duration::from_millis(1000)).await;
    let read_until = || (Instant::now(), counts.iter().map(|count| count.load(Ordering::Relaxed)).collect::<Vec<_>>());
    let all_read_from = read_until();
    let mut before = isize::MAX;
    for _ in 0..40 {
        tokio::time::sleep(LOOK_EVERY).await;
        before = before.min(LIVE.load(Ordering::Relaxed));
    }
    let stopped_at = read_until();
    stop.store(true, Ordering::Relaxed);
    for reader in &mut readers {
        reader.queued = Some((0, Instant::now()));
    }

    let mut most = before;
    while readers.iter().any(|reader| reader.queued.is_some()) {
        assert!(stopped_at.0.elapsed() < PATIENCE, "after {PATIENCE:?} some are not cut: {readers:?}");
        most = most.max(LIVE.load(Ordering::Relaxed));
        for reader in &mut readers {
            reader.look(&diag, server.address);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let all_cut_at = read_until();

    let most_in_kernel = readers.iter().map(|reader| reader.queued_max as usize).max().expect("there are readers");
    let in_process = usize::try_from(most - before).expect("it is the most") / readers.len();
    println!("{most_in_kernel} bytes in the kernel at most, {in_process} in the process on average");
    for reader in &readers {
        let Stopped { queued_max, stuck_for, .. } = reader;
        assert!(*stuck_for <= STUCK + SLACK, "cut after {stuck_for:?}: {readers:?}");
        assert!(*stuck_for >= STUCK / 2, "cut after {stuck_for:?}, but slow is not stuck: {readers:?}");
        let held = *queued_max as usize + in_process;
        assert!(held <= HELD_BYTES_MAX, "{queued_max} bytes in the kernel and {in_process} in the process");
    }
    // The machine may be busy with something else meanwhile; but whoever waits for a stuck reader reads nothing.
    let rates = |(from, before): &(Instant, Vec<u64>), (to, after): &(Instant, Vec<u64>)| {
        let seconds = (*to - *from).as_secs_f64();
        before.iter().zip(after).map(|(before, after)| (after - before) as f64 / seconds).collect::<Vec<_>>()
    };
    let (beside_all, beside_stuck) = (rates(&all_read_from, &stopped_at), rates(&stopped_at, &all_cut_at));
    for (before, after) in beside_all.iter().zip(&beside_stuck) {
        assert!(*after > before / 2.0, "bytes per second: {beside_all:?}, beside stuck readers {beside_stuck:?}");
    }
}
