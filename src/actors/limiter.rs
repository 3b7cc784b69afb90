//! How much a session may send: two token buckets, one for messages, one for bytes.

use crate::config::ServerConfig;
use crate::ids::Micros;

/// How long after such a time what has piled up meanwhile may take to be read.
const PILE_IS_READ_IN: Micros = Micros::from_millis(2000);

/// Fills at a rate up to a burst; a charge that it cannot pay is refused.
#[derive(Clone, Debug)]
struct Bucket {
    /// Millionths of a unit, so that a microsecond's share is a whole number.
    level: u64,
    full: u64,
    per_second: u64,
}

impl Bucket {
    fn new(per_second: u32, burst_ms: u32) -> Self {
        let full = u64::from(per_second) * u64::from(burst_ms) * 1000;
        Self { level: full, full, per_second: per_second.into() }
    }

    /// `beyond`: above the burst, too.
    fn fill(&mut self, elapsed: Micros, beyond: bool) {
        let level = self.level.saturating_add(elapsed.0.saturating_mul(self.per_second));
        self.level = if beyond { level } else { level.min(self.full) };
    }

    fn charge(&mut self, units: u64) -> bool {
        match self.level.checked_sub(units.saturating_mul(1_000_000)) {
            Some(rest) => {
                self.level = rest;
                true
            }
            None => false,
        }
    }
}

/// One session's allowance.
#[derive(Clone, Debug)]
pub struct Limiter {
    messages: Bucket,
    bytes: Bucket,
    filled: Micros,
}

impl Limiter {
    /// Full: a session may begin with a burst.
    #[must_use]
    pub fn new(config: &ServerConfig, now: Micros) -> Self {
        Self {
            messages: Bucket::new(config.messages_per_second, config.burst_ms),
            bytes: Bucket::new(config.bytes_per_second, config.burst_ms),
            filled: now,
        }
    }

    /// Adds what the time since the last call has earned. `returned`: when the server last began to read again after a time in
    /// which it did not, because it was stopped itself or because the client took nothing. What the client sent meanwhile
    /// has piled up and comes all at once, so that time counts in full for a while.
    pub fn fill(&mut self, now: Micros, returned: Micros) {
        let elapsed = now.since(self.filled);
        let beyond = returned != Micros::default() && now.since(returned) < PILE_IS_READ_IN;
        self.messages.fill(elapsed, beyond);
        self.bytes.fill(elapsed, beyond);
        self.filled = now;
    }

    /// Charges one message of `bytes`; false if it is too much.
    #[must_use]
    pub fn charge(&mut self, bytes: u64) -> bool {
        self.messages.charge(1) && self.bytes.charge(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(messages_per_second: u32, bytes_per_second: u32, burst_ms: u32) -> Limiter {
        let config = ServerConfig { messages_per_second, bytes_per_second, burst_ms, ..ServerConfig::default() };
        Limiter::new(&config, Micros(1))
    }

    #[test]
    fn a_burst_is_let_through_and_no_message_more() {
        let mut limiter = limiter(100, 1_000_000, 2000);
        assert_eq!((0..1000).filter(|_| limiter.charge(10)).count(), 200);
    }

    #[test]
    fn a_steady_sender_at_the_rate_is_never_refused_and_one_above_it_soon_is() {
        let mut steady = limiter(100, 1_000_000, 1000);
        let mut fast = steady.clone();
        for i in 1..=10_000_u64 {
            steady.fill(Micros(1 + i * 10_000), Micros(0));
            assert!(steady.charge(10), "message {i}");
        }
        let refused = (1..=10_000_u64).position(|i| {
            fast.fill(Micros(1 + i * 9_000), Micros(0));
            !fast.charge(10)
        });
        // 111 a second against 100: a burst of 100 lasts nine seconds.
        assert_eq!(refused.map(|at| at / 100), Some(9));
    }

    #[test]
    fn what_piled_up_while_nobody_read_is_let_through_and_buys_no_flood_later() {
        let mut limiter = limiter(100, 1_000_000, 2000);
        limiter.fill(Micros(1_000_000), Micros(0));
        let back = Micros::from_millis(31_000);
        limiter.fill(back, back);
        assert_eq!((0..10_000).filter(|_| limiter.charge(10)).count(), 200 + 30 * 100);
        let mut unread = limiter.clone();
        limiter.fill(back.after(Micros::from_millis(100)), back);
        assert_eq!((0..10_000).filter(|_| limiter.charge(10)).count(), 10, "as usual from now on");
        // Whoever did not need it keeps a burst.
        unread.fill(back.after(Micros::from_millis(1000)), back);
        unread.fill(back.after(Micros::from_millis(60_000)), back);
        assert_eq!((0..10_000).filter(|_| unread.charge(10)).count(), 200);
    }

    #[test]
    fn bytes_are_limited_apart_from_messages() {
        let mut limiter = limiter(1000, 1024, 1000);
        assert!(limiter.charge(1000));
        assert!(!limiter.charge(1000));
        limiter.fill(Micros(1_000_001), Micros(0));
        assert!(limiter.charge(1000));
    }
}
