//! Heartbeat and eviction, for all sessions, from outside.
//!
//! A session is polled only when its socket takes bytes. A client that stops reading freezes it: its timers do not
//! fire, a message that tells it to stop waits for ever, and nothing times the socket out. So the watch looks at what
//! the sessions' [`Outlet`]s show, and cuts the socket itself: by `shutdown` on a duplicate of its descriptor.
//! TCP_USER_TIMEOUT lies below, for what even this does not see.
//!
//! **Stuck is not slow.** A kernel tells its peer of room again when there is a whole packet's, so a minute can pass without
//! a byte at a few hundred a second: time alone does not tell a slow reader from one that has stopped. But who reads is
//! there, and says something. So who takes no byte is cut soon if it says nothing either, and late whatever it says.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient};

use super::clock::Clock;
use super::connection::Depths;
use super::outlet::Outlet;
use super::session::ToSession;
use crate::config::ServerConfig;
use crate::ids::Micros;
use crate::protocol::close::CloseReason;

/// How often the watch looks; deadlines are met to within this, but for a crowd that is cut.
const BEAT: Duration = Duration::from_millis(100);

/// Connections cut in one beat at most; others wait for the next. All of them wake their HTTP worker, which sends nothing
/// to the healthy until it has taken the last of the sessions down: about 27 us each, so less than 2 ms in one go. A
/// thousand that are stuck together are gone 1.6 s later than they might, four thousand 6.4 s.
const CUTS_PER_BEAT: usize = 64;

/// The kernel is asked about a connection so many times while a stuck one is waited for.
const LOOKS: u64 = 10;

/// Who has said so much that its frozen session has not read is not silent: its kernel may have no room for more.
const UNREAD_MAX: u64 = 32 * 1024;

/// Pings to sessions that came at the same time are spread over so many moments.
const SPREAD: u32 = 16;

/// Looks after every session's socket.
pub struct Watch {
    config: Arc<ServerConfig>,
    clock: Clock,
    entries: Vec<Entry>,
    beaten: Micros,
    /// Sessions that have come.
    entered: u32,
    /// The server shuts down: who comes now is told at once.
    ending: Option<CloseReason>,
}

struct Entry {
    outlet: Arc<Outlet>,
    session: Recipient<ToSession>,
    ping_at: Micros,
    /// By how much the second ping comes earlier, once: or sessions that came together would be pinged together for ever.
    early: Micros,
    looks_at: Micros,
    /// What the kernel said at the last look.
    depths: Option<Depths>,
    /// Since when bytes wait and none was taken; `None`: nothing waits.
    takes_nothing_since: Option<Micros>,
    /// When it last said something that a frozen session has not read.
    spoke_at: Micros,
    told_idle: bool,
}

impl Watch {
    /// Watches by these deadlines.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>, clock: Clock) -> Self {
        Self { config, clock, entries: Vec::new(), beaten: Micros::default(), entered: 0, ending: None }
    }

    fn beat(&mut self) {
        let (config, clock) = (&self.config, self.clock);
        let now = clock.now();
        let mut cuts = 0;
        self.entries.retain_mut(|entry| {
            if entry.outlet.is_gone() {
                return false;
            }
            match entry.verdict(config, clock, now) {
                Verdict::Well => {}
                Verdict::Ping => entry.tell(ToSession::Ping),
                Verdict::Idle => {
                    // It may be able to hear why. If not, it is cut all the same.
                    entry.tell(ToSession::End(CloseReason::Idle));
                    entry.outlet.cut_after(now, Micros::from_millis(config.closing_ms.into()));
                }
                // Its verdict stays, and a later beat has room for it.
                Verdict::Cut(_) if cuts == CUTS_PER_BEAT => {}
                Verdict::Cut(why) => {
                    tracing::debug!(why, "connection cut");
                    entry.outlet.cut();
                    cuts += 1;
                    return false;
                }
            }
            true
        });
    }
}

enum Verdict {
    Well,
    Ping,
    Idle,
    Cut(&'static str),
}

impl Entry {
    fn verdict(&mut self, config: &ServerConfig, clock: Clock, now: Micros) -> Verdict {
        if self.outlet.closing().is_some_and(|(since, time)| clock.waited(since) >= time) {
            return Verdict::Cut("its time to close is over");
        }
        let stuck = Micros::from_millis(config.stuck_ms.into());
        if self.looks_at <= now {
            self.looks_at = now.after(Micros(stuck.0 / LOOKS));
            self.look(now);
        }
        let silent = clock.waited(self.spoke_at.max(self.outlet.heard_at()));
        if let Some(since) = self.takes_nothing_since {
            let waited = clock.waited(since);
            if (waited >= stuck && silent >= stuck) || waited >= config.deaf_after() {
                return Verdict::Cut(CloseReason::Stuck.label());
            }
        }
        if !self.told_idle && silent >= Micros::from_millis(config.idle_ms.into()) {
            self.told_idle = true;
            return Verdict::Idle;
        }
        if now < self.ping_at {
            return Verdict::Well;
        }
        let period = Micros::from_millis(config.ping_ms.into());
        self.ping_at = now.after(period.since(std::mem::take(&mut self.early)));
        // A ping asks whether somebody is there, and how far away. Who acks has said both.
        let known = self.outlet.acks() && silent < period;
        if known { Verdict::Well } else { Verdict::Ping }
    }

    /// Asks the kernel whether the peer takes and says anything. Nobody else can: a socket that takes nothing freezes its
    /// session, which then reads nothing either.
    fn look(&mut self, now: Micros) {
        let before = std::mem::replace(&mut self.depths, self.outlet.depths());
        let Some(depths) = self.depths else {
            self.takes_nothing_since = None;
            return;
        };
        let took = depths.waiting == 0 || before.is_none_or(|before| before.taken != depths.taken);
        self.takes_nothing_since = if took {
            // From now on, if anything waits.
            (depths.waiting > 0).then_some(now)
        } else {
            self.outlet.freeze(now);
            self.takes_nothing_since.or(Some(now))
        };
        if before.is_some_and(|before| depths.unread > before.unread) || depths.unread >= UNREAD_MAX {
            self.spoke_at = now;
        }
    }

    fn tell(&self, message: ToSession) {
        if let Err(error) = self.session.try_send(message) {
            // A frozen session hears nothing and a stopped one needs nothing: the deadlines hold for both.
            tracing::debug!(%error, "a session could not be told");
        }
    }
}

impl Actor for Watch {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(BEAT, |watch, _| {
            // After an absence all the beats that were missed come at once.
            let now = watch.clock.now();
            if now.since(std::mem::replace(&mut watch.beaten, now)) >= Micros(BEAT.as_micros() as u64 / 2) {
                watch.beat();
            }
        });
    }
}

/// A session has begun.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Enter {
    /// Its socket, and what that shows.
    pub outlet: Arc<Outlet>,
    /// Itself.
    pub session: Recipient<ToSession>,
}

impl Handler<Enter> for Watch {
    type Result = ();

    fn handle(&mut self, Enter { outlet, session }: Enter, _: &mut Self::Context) {
        self.entered = self.entered.wrapping_add(1);
        let entry = Entry {
            outlet,
            session,
            // The first ping goes out at the next beat: a shot wants to know the RTT, and not every client acks.
            ping_at: Micros::default(),
            early: Micros::from_millis((self.config.ping_ms / 2 * (self.entered % SPREAD) / SPREAD).into()),
            looks_at: Micros::default(),
            depths: None,
            takes_nothing_since: None,
            spoke_at: Micros::default(),
            told_idle: false,
        };
        if let Some(reason) = self.ending {
            entry.tell(ToSession::End(reason));
        }
        self.entries.push(entry);
    }
}

/// The server ends all sessions.
#[derive(Message)]
#[rtype(result = "()")]
pub enum EndAll {
    /// Says why and gives them their time to close; who comes later is told too.
    Gently(CloseReason),
    /// Cuts what is left.
    Now,
}

impl Handler<EndAll> for Watch {
    type Result = ();

    fn handle(&mut self, message: EndAll, _: &mut Self::Context) {
        match message {
            EndAll::Gently(reason) => {
                self.ending = Some(reason);
                for entry in &self.entries {
                    entry.tell(ToSession::End(reason));
                }
            }
            EndAll::Now => {
                for entry in self.entries.drain(..) {
                    entry.outlet.cut();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::super::connection::Connection;
    use super::*;

    struct Anybody;

    impl Actor for Anybody {
        type Context = Context<Self>;
    }

    impl Handler<ToSession> for Anybody {
        type Result = ();

        fn handle(&mut self, _: ToSession, _: &mut Self::Context) {}
    }

    /// A client, and the connection that the server has to it.
    fn connect(listener: &TcpListener) -> (TcpStream, Arc<Outlet>) {
        let client = TcpStream::connect(listener.local_addr().expect("it listens")).expect("it listens");
        let (server, _) = listener.accept().expect("somebody has connected");
        (client, Arc::new(Outlet::new(Connection::new(&server).expect("descriptors are left"))))
    }

    #[actix::test]
    async fn many_that_are_to_be_cut_are_cut_some_at_a_beat_and_all_in_the_end() {
        const DUE: usize = CUTS_PER_BEAT * 2 + 1;
        let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let session = Anybody.start().recipient();
        let mut watch = Watch::new(Arc::default(), Clock::start());
        // The last one is well.
        let peers: Vec<_> = (0..=DUE).map(|_| connect(&listener)).collect();
        for (number, (_, outlet)) in peers.iter().enumerate() {
            outlet.heard(watch.clock.now());
            if number < DUE {
                outlet.cut_after(Micros::default(), Micros::default());
            }
            watch.handle(Enter { outlet: outlet.clone(), session: session.clone() }, &mut Context::new());
        }
        // Asked on this side, since the news of a cut may take its time to the other.
        let open = || peers.iter().filter(|(_, outlet)| outlet.write(b"a").is_ok()).count();
        for left in [DUE + 1, DUE + 1 - CUTS_PER_BEAT, 2, 1, 1] {
            assert_eq!((open(), watch.entries.len()), (left, left));
            watch.beat();
        }
    }
}
