//! Slow is not stuck: who is cut for taking nothing, and who is not. A kernel tells its peer of room in its buffer by whole
//! packets, so a reader of a few hundred bytes a second seems to take nothing for up to a minute, again and again.
#![cfg(target_os = "linux")]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use support::sockets::{Server, config, enter_full, frame};
use tickroom::config::{Config, RoomConfig, ServerConfig};
use tickroom::protocol::message::{ClientMessage, Ping};
use tickroom::tools::stress::sockdiag::SockDiag;
use tokio::io::AsyncReadExt;

/// How often readers read, and those that talk say something: as often as players do.
const BEAT: Duration = Duration::from_millis(100);
const WORDS_PER_BEAT: usize = 6;

const BUFFERS: [u32; 2] = [4 * 1024, 64 * 1024];
const BYTES_PER_SECOND: [usize; 3] = [100, 400, 2000];

/// Long messages to readers that do not ack: what fills sockets soonest.
fn torrent(server: ServerConfig) -> Config {
    let room = RoomConfig { tick_rate: 60, ticks_per_snapshot: 1, seats_max: 64, fill_to: 0, ..RoomConfig::default() };
    Config { server, room, game: serde_json::json!({ "sees_all": true, "mines": 800 }), ..config() }
}

/// What a reader does.
#[derive(Clone, Copy, Debug)]
struct Habit {
    buffer: u32,
    bytes_per_second: usize,
    talks: bool,
}

/// Reads and talks like that; when the server cut it, if it did within that time, and for how long at most the server's
/// kernel had bytes for it of which none was taken.
async fn read(server: SocketAddr, habit: Habit, time: Duration) -> (Option<Duration>, Duration) {
    let diag = SockDiag::open().expect("Linux has sock_diag");
    let mut socket = enter_full(server, Some(habit.buffer)).await;
    let own = socket.local_addr().expect("it is connected");
    let says = frame(0x82, &ClientMessage::Ping(Ping { time: 1, seen: 0 }).encode()).repeat(WORDS_PER_BEAT);
    let mut unsaid = Vec::new();
    let mut chunk = vec![0; habit.bytes_per_second / 10];
    let mut beat = tokio::time::interval(BEAT);
    let start = Instant::now();
    let (mut queued, mut same_since, mut longest) = (None, Instant::now(), Duration::ZERO);
    while start.elapsed() < time {
        beat.tick().await;
        // In a read of nothing there is no end to see, and what was read before is not over: the kernel is asked.
        let Some(now) = diag.queued(server, own) else { return (Some(start.elapsed()), longest) };
        if now == 0 || queued != Some(now) {
            (queued, same_since) = (Some(now), Instant::now());
        }
        longest = longest.max(same_since.elapsed());
        if !chunk.is_empty() {
            // There is always something, and if not: it comes.
            let _ = tokio::time::timeout(Duration::from_millis(1), socket.read_exact(&mut chunk)).await;
        }
        if habit.talks {
            // The server may read nothing while it is not read: what its kernel does not take is said later.
            if unsaid.is_empty() {
                unsaid.extend_from_slice(&says);
            }
            if let Ok(said) = socket.try_write(&unsaid) {
                unsaid.drain(..said);
            }
        }
    }
    (None, longest)
}

/// All of them at once.
async fn read_all(server: &Server, habits: Vec<Habit>, time: Duration) -> Vec<(Habit, Option<Duration>, Duration)> {
    let readers = habits.into_iter().map(async |habit| {
        let (cut, longest) = read(server.address, habit, time).await;
        (habit, cut, longest)
    });
    futures_util::future::join_all(readers).await
}

fn habits(bytes_per_second: &[usize], talks: bool) -> Vec<Habit> {
    let of = |&bytes_per_second| BUFFERS.map(|buffer| Habit { buffer, bytes_per_second, talks });
    bytes_per_second.iter().flat_map(of).collect()
}

/// Fails unless each was cut in that time, counted from when it had filled its kernel's buffers, which takes a moment.
fn expect_cut(readers: &[(Habit, Option<Duration>, Duration)], from: Duration, until: Duration) {
    for (habit, cut, _) in readers {
        let cut = cut.unwrap_or_else(|| panic!("{habit:?} was not cut"));
        assert!((from..until).contains(&cut), "{habit:?} was cut after {cut:?}, not within {from:?} and {until:?}");
    }
}

#[tokio::test]
async fn a_slow_reader_lives_and_a_stopped_one_is_cut_soon_if_it_is_silent_and_late_if_it_talks() {
    const STUCK: Duration = Duration::from_millis(500);
    const SLACK: Duration = Duration::from_secs(2);
    let server = ServerConfig {
        stuck_ms: STUCK.as_millis() as u32,
        // Only being stuck may end a session.
        idle_ms: 600_000,
        ping_ms: 500_000,
        // What is said while a session is frozen comes all at once, and is no flood.
        messages_per_second: 100,
        burst_ms: 1000,
        ..config().server
    };
    let server = Server::start(torrent(server));
    let (silent, talking, slow) = tokio::join!(
        read_all(&server, habits(&[0], false), STUCK + SLACK),
        read_all(&server, habits(&[0], true), STUCK * 12 + SLACK),
        read_all(&server, habits(&BYTES_PER_SECOND, true), STUCK * 11),
    );
    expect_cut(&silent, STUCK, STUCK + SLACK);
    expect_cut(&talking, STUCK * 12, STUCK * 12 + SLACK);
    for (habit, cut, _) in &slow {
        assert_eq!(*cut, None, "{habit:?}");
    }
    // As it is with minutes.
    let seemed_stuck = slow.iter().filter(|(_, _, longest)| *longest > STUCK * 2).count();
    assert!(seemed_stuck > 0, "they must have seemed to be stuck, or nothing was tested: {slow:?}");
}

#[tokio::test]
#[ignore = "takes two and a half minutes: the deadlines that servers have"]
async fn a_slow_reader_lives_for_minutes() {
    let server = Server::start(torrent(config().server));
    let (silent, talking, slow) = tokio::join!(
        read_all(&server, habits(&[0], false), Duration::from_secs(20)),
        read_all(&server, habits(&[0], true), Duration::from_secs(130)),
        read_all(&server, habits(&BYTES_PER_SECOND, true), Duration::from_secs(150)),
    );
    for reader in silent.iter().chain(&talking).chain(&slow) {
        println!("{reader:?}");
    }
    expect_cut(&silent, Duration::from_secs(10), Duration::from_secs(15));
    expect_cut(&talking, Duration::from_secs(120), Duration::from_secs(126));
    for (habit, cut, longest) in &slow {
        // Behind a large buffer a kernel may have nothing to tell for so long.
        let took_nothing = *longest >= Duration::from_secs(119);
        assert!(cut.is_none() || took_nothing, "{habit:?} took something every {longest:?} and was cut after {cut:?}");
    }
    let lived = slow.iter().filter(|(_, cut, _)| cut.is_none()).count();
    assert!(lived >= 5, "{slow:?}");
}
