//! How a player reads: at once, or slowly in one of three ways; and what the kernel holds for a slow one meanwhile.

use mio::net::TcpStream;

use super::sockdiag::SockDiag;
use super::stats::{Stats, Window};
use crate::ids::Micros;

/// A crawling reader takes this much every [`CRAWL_EVERY`]: 2 kB/s.
const CRAWL_BYTES: usize = 200;
const CRAWL_EVERY: Micros = Micros::from_millis(100);
/// A bursting reader takes everything this often.
const BURST_EVERY: Micros = Micros::from_millis(1000);
/// How often the kernel is asked what it holds for a slow reader.
const LOOK_EVERY: Micros = Micros::from_millis(100);

/// How a player reads, once the measurement has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// At once.
    Healthy,
    /// Not at all.
    Stopped,
    /// 2 kB/s.
    Crawling,
    /// Everything, once a second.
    Bursting,
}

/// A reader that is slow now.
#[derive(Clone, Copy, Debug)]
pub struct Slow {
    reading: Reading,
    /// Since when.
    since: Micros,
    read_at: Micros,
    look_at: Micros,
    /// What the kernel held on the server's side when it was asked last, and since when it was no other.
    queued: Option<(u32, Micros)>,
}

impl Slow {
    /// From now on; `None` for one that is not. Each looks at a moment of its own, so that no healthy player waits until
    /// all have looked.
    #[must_use]
    pub fn from(now: Micros, reading: Reading, number: usize) -> Option<Self> {
        let read_at = match reading {
            Reading::Healthy => return None,
            Reading::Stopped => Micros(u64::MAX),
            Reading::Crawling => now.after(CRAWL_EVERY),
            Reading::Bursting => now.after(BURST_EVERY),
        };
        let look_at = now.after(Micros(LOOK_EVERY.0 * (number as u64 % 64) / 64));
        Some(Self { reading, since: now, read_at, look_at, queued: None })
    }

    /// When it reads or looks next.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.read_at.min(self.look_at)
    }

    /// How many bytes it reads now, if it is time to.
    pub fn reads(&mut self, now: Micros) -> Option<usize> {
        let crawls = self.reading == Reading::Crawling;
        let due = self.read_at <= now;
        if due {
            self.read_at = now.after(if crawls { CRAWL_EVERY } else { BURST_EVERY });
        }
        due.then_some(if crawls { CRAWL_BYTES } else { usize::MAX })
    }

    /// Asks, if it is time to, what the kernel holds for it on the server's side, if that is this machine.
    pub fn look(
        &mut self,
        now: Micros,
        diag: Option<&SockDiag>,
        stream: &TcpStream,
        stats: &mut Stats,
        window: Window,
    ) {
        if self.look_at > now {
            return;
        }
        self.look_at = now.after(LOOK_EVERY);
        let (Ok(server), Ok(own)) = (stream.peer_addr(), stream.local_addr()) else { return };
        let Some(bytes) = diag.and_then(|diag| diag.queued(server, own)) else { return };
        if window.holds(now) {
            stats.kernel_bytes_max = stats.kernel_bytes_max.max(Some(bytes));
        }
        if self.queued.is_none_or(|(before, _)| before != bytes) {
            self.queued = Some((bytes, now));
        }
    }

    /// The server closed its connection: counts for how long it had been stopped, and stuck.
    pub fn count_cut(&self, now: Micros, stats: &mut Stats) {
        if self.reading == Reading::Stopped {
            stats.cut_us.note(now.since(self.since).0 as i64);
            if let Some((_, since)) = self.queued {
                stats.stuck_us.note(now.since(since).0 as i64);
            }
        }
    }
}
