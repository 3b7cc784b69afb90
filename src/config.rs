//! What the server and its rooms are told: validated plain data. `cli.rs` fills it from file, environment and flags.
//!
//! Units stand in the names. Every limit says why it is what it is.

mod address;
mod network;
mod origin;
mod policy;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ids::Micros;

pub use address::listen_address;
pub use network::Network;
pub use policy::PolicyConfig;

/// Everything that a server is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen, as [`listen_address`] reads it; port 0 lets the system choose.
    #[serde(deserialize_with = "address::deserialize")]
    pub listen: SocketAddr,
    /// Serves the client's files from this folder, instead of those built in: for people who edit them.
    pub client_dir: Option<PathBuf>,
    /// Serves what lies under `/assets/` from this folder, instead of what is built in.
    pub assets_dir: Option<PathBuf>,
    /// Sessions, limits and deadlines.
    pub server: ServerConfig,
    /// What one address may take of that.
    pub policy: PolicyConfig,
    /// How rooms run.
    pub room: RoomConfig,
    /// What the game is told, in its own words.
    pub game: serde_json::Value,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // This machine only: whoever wants to be reached from outside says so.
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            client_dir: None,
            assets_dir: None,
            server: ServerConfig::default(),
            policy: PolicyConfig::default(),
            room: RoomConfig::default(),
            game: serde_json::Value::Object(serde_json::Map::new()),
        }
    }
}

impl Config {
    /// Checks every range, and what two settings demand of each other.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.room.check()?;
        self.server.check()?;
        self.policy.check()?;
        // An honest client sends an input per tick, a ping or two a second, and the odd Resync.
        let needed = u32::from(self.room.tick_rate) + 10;
        if (1..needed).contains(&self.server.messages_per_second) {
            return Err(ConfigError {
                setting: "server.messages_per_second",
                value: self.server.messages_per_second.to_string(),
                must: "at least room.tick_rate + 10, or honest clients are closed for sending too fast (0: follows the \
                       tick rate)",
            });
        }
        Ok(())
    }
}

/// Sessions: how many, how fast, how patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Threads that serve HTTP and sockets; 0 = as many as there are cores.
    pub workers: u16,
    /// Threads that run rooms, apart from the workers so that a heavy room delays no socket; 0 = as many as cores.
    pub arbiters: u16,
    /// WebSocket sessions at a time. Each takes two descriptors and some 40 KiB.
    pub sessions_max: u32,
    /// Rooms at a time. Each simulates, people or not, until it ends.
    pub rooms_max: u32,
    /// Connections at a time that are no sessions: browsers that fetch files, balancers. Beyond them, the one that has
    /// been idle for longest is closed.
    pub connections_max: u32,
    /// How long such a connection is kept for its next request; 0: each has one.
    pub keep_alive_ms: u32,
    /// Origins besides the server's own whose pages may open a WebSocket here, as `https://example.com`.
    pub allowed_origins: Vec<String>,
    /// A session that has not sent Hello by then is closed.
    pub hello_ms: u32,
    /// How long the way into a room may take before the session is told that the server is busy, and how long the
    /// lobby keeps the room open for it.
    pub reservation_ms: u32,
    /// After Closing, how long a client has to answer the Close frame before its socket is cut.
    pub closing_ms: u32,
    /// From one WebSocket ping to the next; their answers measure the RTT of clients that do not ack. Who acks is pinged
    /// only after so much silence.
    pub ping_ms: u32,
    /// A client that sends nothing at all for so long, not even pongs, is closed.
    pub idle_ms: u32,
    /// A client that takes no byte of what waits for it for so long, and says nothing either, is cut. Slow is not stuck: one
    /// that says something is given [twelve times as long](Self::deaf_after).
    pub stuck_ms: u32,
    /// Messages and control frames that a session may send, on average; 0 = by the tick rate, see [`ServerConfig::for_rate`].
    pub messages_per_second: u32,
    /// Bytes that a session may send, on average, frame headers included; 0 = by the tick rate.
    pub bytes_per_second: u32,
    /// How much of the two rates may come at once: what a network held back for so long arrives in one go.
    pub burst_ms: u32,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            workers: 0,
            arbiters: 0,
            sessions_max: 4096,
            rooms_max: 1024,
            // Browsers open six each, for the second that a page takes to load.
            connections_max: 2048,
            // Longer than balancers keep theirs, which is a minute as a rule: who closes first must not be the server, or
            // a request that is on its way meets a closed door.
            keep_alive_ms: 75_000,
            allowed_origins: Vec::new(),
            hello_ms: 5000,
            reservation_ms: 5000,
            closing_ms: 1000,
            ping_ms: 2000,
            // Seven pings unanswered. A hidden tab's browser answers them without the page.
            idle_ms: 15_000,
            // Longer than the pauses of a phone that changes cells, shorter than anybody waits for a frozen picture.
            stuck_ms: 10_000,
            messages_per_second: 0,
            bytes_per_second: 0,
            burst_ms: 4000,
        }
    }
}

impl ServerConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn check(&self) -> Result<(), ConfigError> {
        let hour = "1 to 3600000 ms";
        within("server.workers", self.workers.into(), 0..=1024, "0 (as many as cores) to 1024")?;
        within("server.arbiters", self.arbiters.into(), 0..=1024, "0 (as many as cores) to 1024")?;
        within("server.sessions_max", self.sessions_max, 1..=1_000_000, "1 to 1000000")?;
        within("server.rooms_max", self.rooms_max, 1..=100_000, "1 to 100000")?;
        origin::check(&self.allowed_origins)?;
        within("server.connections_max", self.connections_max, 16..=1_000_000, "16 to 1000000")?;
        within("server.keep_alive_ms", self.keep_alive_ms, 0..=3_600_000, "at most an hour, 3600000 ms")?;
        within("server.hello_ms", self.hello_ms, 1..=3_600_000, hour)?;
        within("server.reservation_ms", self.reservation_ms, 1..=3_600_000, hour)?;
        within("server.closing_ms", self.closing_ms, 1..=60_000, "1 to 60000 ms")?;
        within("server.ping_ms", self.ping_ms, 1..=3_600_000, hour)?;
        within("server.idle_ms", self.idle_ms, 1..=3_600_000, hour)?;
        within("server.stuck_ms", self.stuck_ms, 1..=3_600_000, hour)?;
        let by_rate = "0 (by the tick rate) or 1 to 1000000";
        within("server.messages_per_second", self.messages_per_second, 0..=1_000_000, by_rate)?;
        if self.bytes_per_second != 0 {
            let must = "0 (by the tick rate) or 1024 to 1000000000";
            within("server.bytes_per_second", self.bytes_per_second, 1024..=1_000_000_000, must)?;
        }
        within("server.burst_ms", self.burst_ms, 100..=60_000, "100 to 60000 ms")?;
        if self.idle_ms <= self.ping_ms {
            return Err(ConfigError {
                setting: "server.idle_ms",
                value: self.idle_ms.to_string(),
                must: "above server.ping_ms, or a client that only listens is closed between two pings",
            });
        }
        Ok(())
    }

    /// The same with the rates that follow from the tick rate filled in: an honest client sends an input a tick.
    #[must_use]
    pub fn for_rate(&self, tick_rate: u16) -> Self {
        // Slow rooms have clients that were written for quick ones, and remind the server ten times a second all the same.
        let rate = u32::from(tick_rate).max(60);
        let or = |set: u32, by_rate: u32| if set == 0 { by_rate } else { set };
        Self {
            // Twice that.
            messages_per_second: or(self.messages_per_second, 2 * rate),
            // An input is under 30 bytes with its frame header: twice that many, four times over; 16 KiB at 60 Hz.
            bytes_per_second: or(self.bytes_per_second, 16 * 1024 * rate / 60),
            ..self.clone()
        }
    }

    /// How long a client that takes no byte is borne, whatever it says: 120 s of the default. Between two bytes of a reader of
    /// 100 a second lie up to 67 s, which is how its kernel tells of room.
    #[must_use]
    pub fn deaf_after(&self) -> Micros {
        Micros::from_millis(12 * u64::from(self.stuck_ms))
    }

    /// Descriptors that the server needs.
    #[must_use]
    pub fn descriptors(&self) -> u64 {
        let sessions = 2 * u64::from(self.sessions_max); // each socket, and its duplicate for eviction
        let rooms = u64::from(self.rooms_max); // a timer each
        let pages = 2 * u64::from(self.connections_max); // each socket, and perhaps a file that is being read
        sessions + rooms + pages + OWN_DESCRIPTORS
    }

    /// Lowers what there are no descriptors for. What is shared out among addresses must be there: half of what the system
    /// does not give would be all of it.
    pub fn fit(&mut self, descriptors: u64) {
        if descriptors >= self.descriptors() {
            return;
        }
        let lowered = |most: u32, to: u64| most.min(u32::try_from(to).unwrap_or(u32::MAX).max(1));
        // Each may need another for a file: pages take half of what there is at most, whatever sessions need.
        self.connections_max = lowered(self.connections_max, descriptors / 4);
        let left = descriptors.saturating_sub(2 * u64::from(self.connections_max) + OWN_DESCRIPTORS);
        let rooms = u64::from(self.rooms_max).min(left / 3);
        self.sessions_max = lowered(self.sessions_max, (left - rooms) / 2);
    }
}

/// Descriptors besides: listeners, event queues, standard streams, client files being read.
const OWN_DESCRIPTORS: u64 = 128;

/// How a room runs. Part of the pure crate: a test, a bench or a bot harness makes rooms from it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomConfig {
    /// Simulation steps per second. A game may insist on one.
    pub tick_rate: u16,
    /// Ticks from one snapshot to the next: 2 at 60 Hz is 30 snapshots a second.
    pub ticks_per_snapshot: u16,
    /// People that can play; bots make way for them. A view holds 3,072 rows: a game that shows everything to everybody has
    /// fewer seats than that by its rows for each.
    pub seats_max: u16,
    /// People that can watch; they cost bytes but no simulation.
    pub spectators_max: u16,
    /// Bots join until people and bots together are this many.
    pub fill_to: u16,
    /// How long a dropped seat is kept.
    pub seat_kept_ms: u32,
    /// How long a room without session and kept seat goes on before it reports that it is idle.
    pub idle_ms: u32,
    /// Ticks simulated in one go when the timer was late; what is due beyond is skipped and counted. 0 = as many as last
    /// [`CATCH_UP_MS`](crate::sim::timing::CATCH_UP_MS): 5 at 60 Hz.
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
            catch_up_ticks_max: 0,
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

fn within(
    setting: &'static str,
    value: u32,
    range: std::ops::RangeInclusive<u32>,
    must: &'static str,
) -> Result<(), ConfigError> {
    if range.contains(&value) { Ok(()) } else { Err(ConfigError { setting, value: value.to_string(), must }) }
}

impl RoomConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn check(&self) -> Result<(), ConfigError> {
        // The numbers are those of `sim::timing`, which a test holds them to: configuration is below the simulation.
        let rates = "5 to 240 ticks a second: slower rooms answer too late to be played, faster ones outrun timers";
        within("room.tick_rate", self.tick_rate.into(), 5..=240, rates)?;
        within("room.ticks_per_snapshot", self.ticks_per_snapshot.into(), 1..=60, "1 to 60 ticks")?;
        within("room.seats_max", self.seats_max.into(), 1..=16_384, "1 to 16384 seats")?;
        within("room.spectators_max", self.spectators_max.into(), 0..=16_384, "0 to 16384 spectators")?;
        within("room.fill_to", self.fill_to.into(), 0..=u32::from(self.seats_max), "at most room.seats_max")?;
        within("room.seat_kept_ms", self.seat_kept_ms, 0..=3_600_000, "at most an hour, 3600000 ms")?;
        within("room.idle_ms", self.idle_ms, 0..=3_600_000, "at most an hour, 3600000 ms")?;
        within("room.catch_up_ticks_max", self.catch_up_ticks_max, 0..=60, "0 (by the tick rate) or 1 to 60 ticks")
    }
}
