//! What one address may take, so that nobody shuts the server for the others.

use serde::{Deserialize, Serialize};

use super::network::Network;
use super::{ConfigError, within};

/// What one address may take: an IPv4 address, or the first 64 bits of an IPv6 one, because whoever has one of those has
/// them all. Many people can stand behind one address (a school, a dormitory, a mobile network), so all of it is
/// generous: it stops who takes from the others and nobody else.
///
/// What is held (connections, sessions, rooms) has a share, which an address can have whatever others do, and as much
/// more as it likes while the server is less than half full. What is done (requests, joins, wrong codes) has a rate, and
/// a burst that may come at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Proxies whose word is taken for where a request comes from, in `X-Forwarded-For` or `Forwarded`. A proxy that is
    /// not named here is one address, with one address's share for all who come through it.
    pub trusted_proxies: Vec<Network>,
    /// Addresses that are not limited, unless a proxy forwarded for them. `["0.0.0.0/0", "::/0"]` limits nobody.
    pub exempt: Vec<Network>,
    /// Share of connections that are no sessions.
    pub connections: u32,
    /// Share of sessions.
    pub sessions: u32,
    /// Share of rooms in being that somebody from there began.
    pub rooms: u32,
    /// HTTP requests a second, upgrades among them.
    pub requests_per_second: u32,
    /// Requests that may come at once.
    pub requests_burst: u32,
    /// Joins a second: each session that is begun is one.
    pub joins_per_second: u32,
    /// Joins that may come at once.
    pub joins_burst: u32,
    /// Codes of no room that may be tried a minute. Who tried too many can't join by code until the next is due.
    pub wrong_codes_per_minute: u32,
    /// Wrong codes that may come at once.
    pub wrong_codes_burst: u32,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            // A proxy on the same machine is the usual one, and nobody else can come from there.
            trusted_proxies: Network::LOOPBACK.to_vec(),
            // Whoever has this machine needs no WebSocket to stop the server.
            exempt: Network::LOOPBACK.to_vec(),
            // 42 browsers that fetch the page over six connections each.
            connections: 256,
            // Two classes. 32 such addresses find their share beside one that took half of the server.
            sessions: 64,
            // Four of those people in each, as friends play.
            rooms: 8,
            // The page is some 70 files, and 64 people may open it in the same minute, twice.
            requests_per_second: 200,
            requests_burst: 10_000,
            // After a restart all of a school come back within the first second or two.
            joins_per_second: 20,
            joins_burst: 256,
            // Everybody of two classes mistypes once; then one in two seconds. With 20^8 codes, who guesses at that pace
            // for a year has found none of a thousand private rooms.
            wrong_codes_per_minute: 30,
            wrong_codes_burst: 64,
        }
    }
}

impl PolicyConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn check(&self) -> Result<(), ConfigError> {
        let many = "1 to 1000000";
        within("policy.connections", self.connections, 1..=1_000_000, many)?;
        within("policy.sessions", self.sessions, 1..=1_000_000, many)?;
        within("policy.rooms", self.rooms, 1..=1_000_000, many)?;
        within("policy.requests_per_second", self.requests_per_second, 1..=1_000_000, many)?;
        within("policy.requests_burst", self.requests_burst, 1..=1_000_000, many)?;
        within("policy.joins_per_second", self.joins_per_second, 1..=1_000_000, many)?;
        within("policy.joins_burst", self.joins_burst, 1..=1_000_000, many)?;
        within("policy.wrong_codes_per_minute", self.wrong_codes_per_minute, 1..=1_000_000, many)?;
        within("policy.wrong_codes_burst", self.wrong_codes_burst, 1..=1_000_000, many)
    }
}
