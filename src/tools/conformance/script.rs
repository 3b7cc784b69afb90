//! The script, from the first Hello to the last close code.
//!
//! Each step that ends a connection also judges what the client does next: reconnect by itself with its token, or stay
//! away. A client that stays away must be started anew from outside, not before [`Patience::away`] has passed.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};

use super::judge;
use super::link::{Heard, Link};
use super::report::{Fault, Report, Step, Verdict};
use super::seat::{Outcome, Seat, unexpected};
use super::world::{Bend, TICKS_PER_SNAPSHOT, World};
use crate::protocol::close::CloseReason;
use crate::protocol::hex;
use crate::protocol::message::{
    ClientMessage, Closing, Hello, PROTOCOL_VERSION, RoomWish, ServerMessage, Welcome, rules_hash,
};

/// How long the script waits between connections.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A client that must not reconnect by itself is watched for so long.
    pub away: Duration,
    /// A client that must reconnect by itself has so long: 3.4 allows 8 s and a half of it.
    pub back_within: Duration,
    /// Whoever starts a client, again or for the first time, has so long.
    pub start_within: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            away: Duration::from_millis(1500),
            back_within: Duration::from_secs(15),
            start_within: Duration::from_secs(600),
        }
    }
}

/// After a close frame a client has so long to end its side.
pub(super) const END_WITHIN: Duration = Duration::from_secs(3);
/// After 1008 a client waits at least so long, of the 8 s that the text asks for.
const TOO_FAST_AWAY: Duration = Duration::from_secs(4);

/// Runs the whole script with the clients that connect to `listener`, one at a time. `done` hears of each step.
pub async fn play(listener: TcpListener, patience: Patience, done: impl FnMut(&Step)) -> Report {
    let mut script = Script { listener, patience, done, report: Report::default(), tokens: 0, token: None, next: None };
    // A script that breaks off has said why in its last step.
    let _ = script.run().await;
    script.report
}

struct Script<D> {
    listener: TcpListener,
    patience: Patience,
    done: D,
    report: Report,
    tokens: u8,
    /// The newest token that the client was shown.
    token: Option<[u8; 16]>,
    /// The connection whose Hello has been read but not answered.
    next: Option<(Link, Hello)>,
}

/// What a client must do after a connection has ended.
#[derive(Clone, Copy)]
enum Then {
    /// Come back by itself, with its newest token, but not sooner than this.
    Again(Duration),
    /// Stay away until somebody starts it anew; `true`: without a token then.
    Restart(bool),
}

/// The script cannot go on: no client comes any more.
struct NobodyComes;

impl<D: FnMut(&Step)> Script<D> {
    async fn run(&mut self) -> Result<(), NobodyComes> {
        self.first_hello().await?;
        let mut seat = self.sit("welcome", "after Welcome goes on, and sends nothing before it").await?;
        self.stream(&mut seat).await;
        if self.report.tier == "Delta" {
            self.faults(&mut seat).await;
        } else {
            for name in ["digest", "base", "left"] {
                self.note(
                    name,
                    "Resync when a snapshot does not fit",
                    "6.7",
                    Verdict::Skipped,
                    "full tier only".into(),
                );
            }
        }
        drop(seat);
        let again = Then::Again(Duration::ZERO);
        self.next("resume", "after a lost connection comes back with its token", "3.3", again).await?;
        let mut seat = self.sit("new_session", "a resumed session starts anew: seq 1, seen 0").await?;
        self.listen("new_session_stream", "and plays on", "3.3", &mut seat, Duration::from_secs(1)).await;
        drop(seat);
        self.next("newest_token", "comes back with the newest token, not the first", "3.3", again).await?;
        self.close_codes().await?;
        self.broken_bytes().await
    }

    // ---- The first connection -------------------------------------------------------------------------------------

    async fn first_hello(&mut self) -> Result<(), NobodyComes> {
        let (name, must, part) = ("hello", "sends a well-formed Hello at once", "4.1");
        loop {
            match self.accept(Instant::now() + self.patience.start_within).await {
                None => return self.nobody(name, must, part),
                Some(Err(fault)) => self.put(name, must, part, Err(fault)),
                Some(Ok((link, hello, bytes))) => {
                    self.report.client.clone_from(&hello.name);
                    self.report.tier = format!("{:?}", hello.tier);
                    let fault = if hello.protocol != PROTOCOL_VERSION {
                        Err(Fault::in_message(
                            format!("protocol {} instead of {PROTOCOL_VERSION}", hello.protocol),
                            1,
                            &bytes,
                        ))
                    } else if hello.resume.is_some() {
                        Err(Fault::new("a fresh client has no token, yet resume is there"))
                    } else if hello.features != 0 {
                        Err(Fault::new(format!("features is {}, but none is defined", hello.features)))
                    } else {
                        Ok(())
                    };
                    self.put(name, must, part, fault);
                    self.next = Some((link, hello));
                    return Ok(());
                }
            }
        }
    }

    /// The next connection with its Hello; `None`: nobody came.
    async fn accept(&mut self, deadline: Instant) -> Option<Result<(Link, Hello, Vec<u8>), Fault>> {
        let (stream, _) = timeout_at(deadline, self.listener.accept()).await.ok()?.ok()?;
        let mut link = match Link::upgrade(stream).await {
            Ok(link) => link,
            Err(fault) => return Some(Err(fault)),
        };
        let heard = link.hear_until(Instant::now() + Duration::from_secs(5)).await;
        Some(match heard {
            Heard::Message(bytes) => match judge::decode(&bytes) {
                Ok(ClientMessage::Hello(hello)) => Ok((link, hello, bytes)),
                Ok(_) => Err(Fault::in_message("the first message is not Hello", 0, &bytes)),
                Err(fault) => Err(fault),
            },
            Heard::Nothing => Err(Fault::new("no Hello within 5 s of connecting")),
            other => Err(unexpected(&other)),
        })
    }

    // ---- Sessions -------------------------------------------------------------------------------------------------

    /// Answers the waiting Hello with Welcome, a roster and a snapshot.
    async fn sit(&mut self, name: &str, must: &str) -> Result<Seat, NobodyComes> {
        let Some((mut link, hello)) = self.next.take() else {
            self.nobody(name, must, "5.1")?;
            return Err(NobodyComes);
        };
        let early = match link.hear_until(Instant::now() + Duration::from_millis(200)).await {
            Heard::Nothing => Ok(()),
            Heard::Message(bytes) => Err(Fault::in_message("a message between Hello and Welcome", 0, &bytes)),
            other => Err(unexpected(&other)),
        };
        let world = World::new(hello.tier);
        let seated = !matches!(hello.wish, RoomWish::Spectate(_));
        self.tokens += 1;
        let token = [self.tokens; 16];
        let schema = world.schema().clone();
        let tuning = b"none".to_vec();
        let welcome = Welcome {
            protocol: PROTOCOL_VERSION,
            features: 0,
            rules_hash: rules_hash(&schema, &tuning),
            schema,
            tuning,
            seat: seated.then_some(0),
            token: seated.then_some(token),
            seat_kept_ms: 30_000,
            resumed: hello.resume.is_some(),
            code: "TEST".into(),
            tick_rate: 60,
            ticks_per_snapshot: TICKS_PER_SNAPSHOT as u16,
            epoch: 1_000_000,
            tick: world.tick(),
            skipped: 0,
        };
        self.token = welcome.token;
        let mut seat = Seat::new(link, world, seated);
        let sent = seat.greet(welcome, &hello.name).await;
        self.put(name, must, "3.2", early.and(sent));
        Ok(seat)
    }

    /// Everything that a well-behaved stream holds: no Resync may come of it.
    async fn stream(&mut self, seat: &mut Seat) {
        let must = "follows full and relative snapshots, skips, rebirths, events, unknown flags";
        self.listen("stream", must, "6", seat, Duration::from_secs(4)).await;

        let (name, must) = ("input", "steers: rows of the right length, within their ranges, seq from 1 and rising");
        if !seat.course.seated {
            self.note(name, must, "4.2", Verdict::Skipped, "a spectator".into());
        } else if seat.course.inputs() == 0 {
            self.put(name, must, "4.2", Err(Fault::new("no Input within 4 s of Welcome")));
        } else {
            self.put(name, must, "4.2", Ok(()));
        }
        let (name, must) = ("ping", "sends Ping about once a second, for its clock");
        if seat.pings == 0 {
            self.note(name, must, "4.3", Verdict::Warned, "no Ping within 4 s".into());
        } else {
            self.put(name, must, "4.3", Ok(()));
        }

        let outcome = seat.websocket_ping().await;
        self.put("pong_frame", "answers a WebSocket Ping frame with its payload", "11", outcome);
        let outcome = seat.crowd().await;
        self.put("large", "takes a message of nearly 64 KiB with 50,000 entities", "9", outcome);
        let outcome = seat.silence().await;
        self.put("silence", "goes on after a second without a message", "6.4", outcome);
    }

    /// Snapshots that do not fit: each must be answered with one Resync.
    async fn faults(&mut self, seat: &mut Seat) {
        for (bend, name, must) in [
            (Bend::Digest, "digest", "Resync when the digest differs"),
            (Bend::Base, "base", "Resync when a snapshot is relative to a state before its own"),
            (Bend::Left, "left", "Resync when an entity leaves that it does not hold"),
        ] {
            let outcome = seat.bend(bend).await;
            self.put(name, must, "6.7", outcome);
        }
    }

    /// A stretch of ordinary play.
    async fn listen(&mut self, name: &str, must: &str, part: &'static str, seat: &mut Seat, how_long: Duration) {
        let outcome = seat.play(how_long).await.and_then(|()| seat.no_resync());
        self.put(name, must, part, outcome);
    }

    // ---- Ends -----------------------------------------------------------------------------------------------------

    async fn close_codes(&mut self) -> Result<(), NobodyComes> {
        let again = Then::Again(Duration::ZERO);
        for reason in CloseReason::ALL {
            let (before_welcome, then) = match reason {
                // The client's own end, and one that cannot be sent.
                CloseReason::Left | CloseReason::Stuck => continue,
                CloseReason::Shutdown | CloseReason::Idle => (false, again),
                CloseReason::Busy
                | CloseReason::AddressSessions
                | CloseReason::AddressRooms
                | CloseReason::AddressJoins
                | CloseReason::AddressCodes
                | CloseReason::HelloTimeout => (true, again),
                CloseReason::TooFast => (false, Then::Again(TOO_FAST_AWAY)),
                CloseReason::Malformed
                | CloseReason::TextFrame
                | CloseReason::TooLong
                | CloseReason::OutOfOrder
                | CloseReason::Replaced => (false, Then::Restart(false)),
                CloseReason::WrongVersion => (true, Then::Restart(false)),
                CloseReason::RoomFailed | CloseReason::RoomEnded => (false, Then::Restart(true)),
                CloseReason::UnknownRoom
                | CloseReason::RoomFull
                | CloseReason::SpectatorsFull
                | CloseReason::SeatGone => (true, Then::Restart(true)),
            };
            let name = format!("close_{}", reason.code());
            let what = match then {
                Then::Again(_) => "comes back by itself, with its token",
                Then::Restart(true) => "stays away until started anew, then without its token",
                Then::Restart(false) => "stays away until started anew",
            };
            let must = format!("after {} ({}) {what}", reason.code(), reason.label());
            let link = if before_welcome {
                match self.next.take() {
                    Some((link, _)) => link,
                    None => return self.nobody(&name, &must, "10"),
                }
            } else {
                self.sit(&format!("{name}_before"), "sits down").await?.link
            };
            let ended = end(link, reason).await;
            let next = self.come(then).await;
            let gone = next.is_none();
            self.put(&name, &must, "10", ended.and(next.unwrap_or_else(|| Err(nobody_came()))));
            if gone {
                return Err(NobodyComes);
            }
        }
        Ok(())
    }

    /// Bytes that are no message: a client must end the session.
    async fn broken_bytes(&mut self) -> Result<(), NobodyComes> {
        let cases: [(&str, &str, &str, Verdict); 3] = [
            ("unknown_message", "09", "ends the session at a message number that it does not know", Verdict::Failed),
            ("trailing", "03 01 02 03", "ends the session at a Pong with a byte too many", Verdict::Warned),
            ("truncated", "01 00", "ends the session at a Roster that breaks off", Verdict::Warned),
        ];
        for (at, (name, bytes, must, otherwise)) in cases.into_iter().enumerate() {
            let mut seat = self.sit(&format!("{name}_before"), "sits down").await?;
            let bytes = hex::decode(bytes).unwrap_or_default();
            let outcome = seat.send_broken(&bytes).await;
            match outcome {
                Err(fault) if otherwise == Verdict::Warned => self.note(name, must, "2.4", otherwise, fault.why),
                outcome => self.put(name, must, "2.4", outcome),
            }
            drop(seat);
            // The script is over after the last one: nobody needs to come back.
            if at + 1 < cases.len() && self.come(Then::Restart(false)).await.is_none() {
                return Err(NobodyComes);
            }
        }
        Ok(())
    }

    /// Waits for the client's next connection and judges it as a step of its own.
    async fn next(&mut self, name: &str, must: &str, part: &'static str, then: Then) -> Result<(), NobodyComes> {
        match self.come(then).await {
            Some(outcome) => {
                self.put(name, must, part, outcome);
                Ok(())
            }
            None => self.nobody(name, must, part),
        }
    }

    /// Waits for the client's next connection, which is then in `self.next`; `None`: it never came.
    async fn come(&mut self, then: Then) -> Option<Outcome> {
        let ended = Instant::now();
        let Patience { away, back_within, start_within } = self.patience;
        let (not_before, within, wanted) = match then {
            Then::Again(not_before) => (not_before, back_within, Some(self.token)),
            Then::Restart(true) => (away, start_within, Some(None)),
            Then::Restart(false) => (away, start_within, None),
        };
        let mut outcome = Ok(());
        // A connection whose Hello is wrong is a fault of this step; the next one may be right.
        for _ in 0..5 {
            let (link, hello, _) = match self.accept(ended + within).await? {
                Ok(connection) => connection,
                Err(fault) => {
                    outcome = outcome.and(Err(fault));
                    continue;
                }
            };
            let after = ended.elapsed();
            if after < not_before {
                let why = format!("connected {} ms after the end", after.as_millis());
                outcome = outcome.and(Err(Fault::new(why)));
            }
            if wanted.is_some_and(|wanted| wanted != hello.resume) {
                let show = |token: Option<[u8; 16]>| token.map_or("nothing".to_owned(), |token| hex::encode(&token));
                let why = format!("resume is {}, expected {}", show(hello.resume), show(wanted.flatten()));
                outcome = outcome.and(Err(Fault::new(why)));
            }
            if hello.resume.is_none() {
                self.token = None;
            }
            self.next = Some((link, hello));
            return Some(outcome);
        }
        None
    }

    // ---- The report -----------------------------------------------------------------------------------------------

    fn put(&mut self, name: &str, must: &str, part: &'static str, outcome: Outcome) {
        // Sitting down between two steps is worth a line only if it fails.
        if outcome.is_ok() && name.ends_with("_before") {
            return;
        }
        let verdict = if outcome.is_ok() { Verdict::Passed } else { Verdict::Failed };
        self.add(Step { name: name.into(), must: must.into(), part, verdict, fault: outcome.err() });
    }

    fn note(&mut self, name: &str, must: &str, part: &'static str, verdict: Verdict, why: String) {
        self.add(Step { name: name.into(), must: must.into(), part, verdict, fault: Some(Fault::new(why)) });
    }

    fn add(&mut self, step: Step) {
        (self.done)(&step);
        self.report.steps.push(step);
    }

    fn nobody(&mut self, name: &str, must: &str, part: &'static str) -> Result<(), NobodyComes> {
        self.put(name, must, part, Err(nobody_came()));
        Err(NobodyComes)
    }
}

fn nobody_came() -> Fault {
    Fault::new("no connection came; the rest of the script was not reached")
}

/// Sends Closing and Close, and waits for the client to end its side.
async fn end(mut link: Link, reason: CloseReason) -> Outcome {
    let closing = Closing { code: reason.code(), text: reason.text().into() };
    link.send(&ServerMessage::Closing(closing).encode()).await?;
    link.close(reason.code(), reason.text()).await?;
    let deadline = Instant::now() + END_WITHIN;
    loop {
        match link.hear_until(deadline).await {
            // What it had on the way.
            Heard::Message(_) | Heard::Pong(_) => {}
            Heard::Close(_) | Heard::Gone => return Ok(()),
            Heard::Nothing => {
                return Err(Fault::new("the client neither answered the Close frame nor ended within 3 s"));
            }
            other => return Err(unexpected(&other)),
        }
    }
}
