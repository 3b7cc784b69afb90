//! How often something may be done: a token bucket, kept as the time at which it will be full again, so that nothing has
//! to be filled and a bucket that is full needs no memory.

use crate::ids::Micros;

const SECOND: u64 = 1_000_000;

/// So many in a time, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What one costs: the time in which the next is earned.
    each: Micros,
    /// What can be owed: the burst.
    owed_max: Micros,
}

impl Rate {
    /// `count` a second on average, 1 to 1,000,000; `burst` at once.
    #[must_use]
    pub const fn per_second(count: u32, burst: u32) -> Self {
        Self::new(SECOND, count, burst)
    }

    /// `count` a minute on average, 1 to 60,000,000; `burst` at once.
    #[must_use]
    pub const fn per_minute(count: u32, burst: u32) -> Self {
        Self::new(60 * SECOND, count, burst)
    }

    const fn new(time: u64, count: u32, burst: u32) -> Self {
        let each = time / if count == 0 { 1 } else { count as u64 };
        Self { each: Micros(each), owed_max: Micros(each * burst as u64) }
    }
}

/// When a bucket will be full again; the default is full. With more than a burst owed, the next has to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FullAt(Micros);

impl FullAt {
    /// Takes one.
    ///
    /// # Errors
    /// There is none; how long it is until there will be one.
    pub fn charge(&mut self, rate: Rate, now: Micros) -> Result<(), Micros> {
        let full_at = self.0.max(now).after(rate.each);
        let owed = full_at.since(now);
        if owed > rate.owed_max {
            return Err(owed.since(rate.owed_max));
        }
        self.0 = full_at;
        Ok(())
    }

    /// True if nothing is owed.
    #[must_use]
    pub fn is_full(&self, now: Micros) -> bool {
        self.0 <= now
    }
}
