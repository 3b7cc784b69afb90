//! The server's one [`Policy`], as everybody asks it: HTTP when a connection is taken, at each request and when a
//! session begins, the lobby for rooms and codes. Its lock is held for one look-up at a time.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::clock::Clock;
use crate::config::Config;
use crate::ids::{Micros, OriginId};
use crate::policy::{Act, Caller, Capacity, Hold, Holding, Policy, Refusal, Trust};

/// What every address has taken. Clones are the same.
#[derive(Clone)]
pub struct Shares(Arc<Inner>);

struct Inner {
    trust: Trust,
    policy: Mutex<Policy>,
    clock: Clock,
}

impl Shares {
    /// Nobody has taken anything yet.
    #[must_use]
    pub fn new(config: &Config, clock: Clock) -> Self {
        let capacity = Capacity {
            connections: config.server.connections_max,
            sessions: config.server.sessions_max,
            rooms: config.server.rooms_max,
        };
        let policy = Mutex::new(Policy::new(&config.policy, capacity));
        Self(Arc::new(Inner { trust: Trust::new(&config.policy), policy, clock }))
    }

    /// Who opened a connection. For whom is known once it has asked for something: see [`Taken::pass_on`].
    #[must_use]
    pub fn peer(&self, peer: IpAddr) -> Caller {
        self.0.trust.peer(peer)
    }

    /// Who asks, as [`Trust::caller`] says.
    #[must_use]
    pub fn caller<'a>(
        &self,
        peer: IpAddr,
        x_forwarded_for: impl Iterator<Item = &'a [u8]>,
        forwarded: impl Iterator<Item = &'a [u8]>,
    ) -> Caller {
        self.0.trust.caller(peer, x_forwarded_for, forwarded)
    }

    /// A connection that is no session.
    ///
    /// # Errors
    /// The address holds too many.
    pub fn connection(&self, caller: Caller) -> Result<Taken, Refusal> {
        self.take(caller, Hold::Connection)
    }

    /// A WebSocket session.
    ///
    /// # Errors
    /// The address holds too many.
    pub fn session(&self, caller: Caller) -> Result<Taken, Refusal> {
        self.take(caller, Hold::Session)
    }

    /// A room in being.
    ///
    /// # Errors
    /// The address holds too many.
    pub fn room(&self, caller: Caller) -> Result<Taken, Refusal> {
        self.take(caller, Hold::Room)
    }

    /// An HTTP request.
    ///
    /// # Errors
    /// Too many came.
    pub fn request(&self, caller: Caller) -> Result<(), Refusal> {
        self.ask(caller, |policy, now| policy.act(caller, Act::Request, now))
    }

    /// A session that is begun.
    ///
    /// # Errors
    /// Too many came.
    pub fn join(&self, caller: Caller) -> Result<(), Refusal> {
        self.ask(caller, |policy, now| policy.act(caller, Act::Join, now))
    }

    /// One that is let in to be told why it is refused.
    ///
    /// # Errors
    /// It was told often enough: HTTP's answer must do.
    pub fn told(&self, caller: Caller) -> Result<(), Refusal> {
        self.ask(caller, |policy, now| policy.act(caller, Act::Told, now))
    }

    /// Whether a code may be looked up. To be asked first: who tried too many wrong ones must not learn of a right one.
    ///
    /// # Errors
    /// Too many were wrong.
    pub fn code(&self, caller: Caller) -> Result<(), Refusal> {
        self.ask(caller, |policy, now| policy.may(caller, Act::WrongCode, now))
    }

    /// A code was wrong.
    pub fn wrong_code(&self, caller: Caller) {
        // Whether it was one too many is for the next to hear, from `code`.
        let _ = self.policy().act(caller, Act::WrongCode, self.0.clock.now());
    }

    /// Where somebody comes from, for games.
    #[must_use]
    pub fn origin(&self, caller: Caller) -> OriginId {
        self.policy().origin(caller)
    }

    fn take(&self, caller: Caller, hold: Hold) -> Result<Taken, Refusal> {
        let holding = self.ask(caller, |policy, now| policy.take(caller, hold, now))?;
        Ok(Taken { shares: self.clone(), hold, holding: Some(holding) })
    }

    /// Asks, and logs what is refused, as often as the policy lets it.
    fn ask<T>(
        &self,
        caller: Caller,
        ask: impl FnOnce(&mut Policy, Micros) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let answer = ask(&mut self.policy(), self.0.clock.now());
        if let Err(refusal) = &answer
            && refusal.tell
        {
            tracing::info!(
                address = %caller.address(),
                limit = refusal.limit.setting(),
                "an address has reached its limit, and more from it is refused. If it is a proxy of yours, name it in \
                 policy.trusted_proxies; if it is yours otherwise, in policy.exempt; if many play behind it, raise the limit"
            );
        }
        answer
    }

    fn policy(&self) -> std::sync::MutexGuard<'_, Policy> {
        // Counts are changed in one go: one that panicked has left no half of it.
        self.0.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that an address holds, given back when dropped.
#[must_use = "it is given back when dropped"]
pub struct Taken {
    shares: Shares,
    hold: Hold,
    holding: Option<Holding>,
}

impl Taken {
    /// It is somebody else's from now on: a proxy's connection is held by whom it asks for.
    ///
    /// # Errors
    /// They hold too many; it stays whose it was.
    pub fn pass_on(&mut self, caller: Caller) -> Result<(), Refusal> {
        if self.holding.as_ref().is_some_and(|holding| holding.is_of(caller)) {
            return Ok(());
        }
        *self = self.shares.take(caller, self.hold)?;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(holding) = self.holding.take() {
            self.shares.policy().give_back(holding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PolicyConfig, ServerConfig};

    fn shares() -> Shares {
        let policy = PolicyConfig { exempt: vec![], connections: 2, sessions: 2, ..PolicyConfig::default() };
        let server = ServerConfig { sessions_max: 4, connections_max: 4, ..ServerConfig::default() };
        Shares::new(&Config { policy, server, ..Config::default() }, Clock::start())
    }

    fn held(shares: &Shares) -> (u32, u32) {
        let policy = shares.policy();
        (policy.held(Hold::Connection), policy.held(Hold::Session))
    }

    #[test]
    fn what_is_dropped_is_given_back_also_by_a_task_that_panics() {
        let shares = shares();
        let caller = shares.peer(IpAddr::from([192, 0, 2, 1]));
        let taken: Vec<Taken> = (0..2).map(|_| shares.session(caller).expect("its share")).collect();
        assert!(shares.session(caller).is_err());
        let thread = std::thread::spawn(move || {
            let _taken = taken;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert_eq!(held(&shares), (0, 0));
        drop(shares.session(caller).expect("all is free again"));
        assert_eq!(held(&shares), (0, 0));
    }

    #[test]
    fn a_connection_is_passed_on_to_whom_its_proxy_asks_for() {
        let shares = shares();
        let proxy = IpAddr::from([127, 0, 0, 1]);
        let client = |last: u8| {
            let address = format!("192.0.2.{last}");
            shares.caller(proxy, std::iter::once(address.as_bytes()), std::iter::empty())
        };
        let mut connection = shares.connection(shares.peer(proxy)).expect("nobody has any");
        connection.pass_on(client(1)).expect("it has none");
        connection.pass_on(client(1)).expect("it is its own");
        connection.pass_on(client(2)).expect("it has none either");
        assert_eq!(held(&shares), (1, 0));
        drop(connection);
        assert_eq!(held(&shares), (0, 0));
    }
}
