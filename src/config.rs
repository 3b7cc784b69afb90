//! What the server and its rooms are told: validated plain data. `cli.rs` fills it from file, environment and flags.
//!
//! Units stand in the names. Every limit says why it is what it is.

use serde::Deserialize;

/// How a room runs. Part of the pure crate: a test, a bench or a bot harness makes rooms from it too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomConfig {
    /// Simulation steps per second.
    pub tick_rate: u16,
    /// Ticks from one snapshot to the next: 2 at 60 Hz is 30 snapshots a second.
    pub ticks_per_snapshot: u16,
    /// People that can play; bots make way for them.
    pub seats_max: u16,
    /// People that can watch; they cost bytes but no simulation.
    pub spectators_max: u16,
    /// Bots join until people and bots together are this many.
    pub fill_to: u16,
    /// How long a dropped seat is kept.
    pub seat_kept_ms: u32,
    /// How long a room without session and kept seat goes on before it reports that it is idle.
    pub idle_ms: u32,
    /// Ticks simulated in one go when the timer was late; what is due beyond is skipped and counted.
    pub catch_up_ticks_max: u32,
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self {
            tick_rate: 60,
            ticks_per_snapshot: 2,
            seats_max: 32,
            spectators_max: 32,
            fill_to: 8,
            seat_kept_ms: 30_000,
            idle_ms: 30_000,
            // 83 ms at 60 Hz: a scheduling hiccup is made up for, a stopped process is not replayed at double speed.
            catch_up_ticks_max: 5,
        }
    }
}

/// A setting outside its range: the sentence says which and what is possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value}; it must be {must}")]
pub struct ConfigError {
    /// Its name in the configuration file.
    pub setting: &'static str,
    /// What it was.
    pub value: String,
    /// What it must be.
    pub must: &'static str,
}

impl RoomConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn check(&self) -> Result<(), ConfigError> {
        let within = |setting, value: u32, range: std::ops::RangeInclusive<u32>, must| {
            if range.contains(&value) { Ok(()) } else { Err(ConfigError { setting, value: value.to_string(), must }) }
        };
        within("room.tick_rate", self.tick_rate.into(), 1..=240, "1 to 240 ticks a second")?;
        within("room.ticks_per_snapshot", self.ticks_per_snapshot.into(), 1..=60, "1 to 60 ticks")?;
        within("room.seats_max", self.seats_max.into(), 1..=16_384, "1 to 16384 seats")?;
        within("room.spectators_max", self.spectators_max.into(), 0..=16_384, "0 to 16384 spectators")?;
        within("room.fill_to", self.fill_to.into(), 0..=u32::from(self.seats_max), "at most room.seats_max")?;
        within("room.seat_kept_ms", self.seat_kept_ms, 0..=3_600_000, "at most an hour, 3600000 ms")?;
        within("room.idle_ms", self.idle_ms, 0..=3_600_000, "at most an hour, 3600000 ms")?;
        within("room.catch_up_ticks_max", self.catch_up_ticks_max, 1..=60, "1 to 60 ticks")
    }
}
