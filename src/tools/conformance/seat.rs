//! One session of the script: what is shown to the client, and what it says meanwhile.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::judge::{self, Course};
use super::link::{Heard, Link};
use super::report::Fault;
use super::script::END_WITHIN;
use super::world::{Bend, TICKS_PER_SNAPSHOT, World};
use crate::protocol::message::{ClientMessage, Occupant, Pong, Presence, Roster, RosterEntry, ServerMessage, Welcome};

const SNAPSHOT_EVERY: Duration = Duration::from_millis(33);

/// What a stretch of the session came to.
pub(super) type Outcome = Result<(), Fault>;

/// One answered session.
pub(super) struct Seat {
    pub(super) link: Link,
    world: World,
    pub(super) course: Course,
    epoch: Instant,
    pub(super) pings: usize,
    resyncs: Vec<Instant>,
    pongs: Vec<Vec<u8>>,
}

impl Seat {
    /// A session that has been answered with nothing yet.
    pub(super) fn new(link: Link, world: World, seated: bool) -> Self {
        let course = Course::new(seated);
        Self { link, world, course, epoch: Instant::now(), pings: 0, resyncs: vec![], pongs: vec![] }
    }

    /// Welcome, names and a first snapshot.
    pub(super) async fn greet(&mut self, welcome: Welcome, name: &str) -> Outcome {
        self.link.send(&ServerMessage::Welcome(Box::new(welcome)).encode()).await?;
        let who = |name: &str, presence| Some(Occupant { name: name.into(), presence });
        let entries = vec![
            RosterEntry { seat: 0, who: who(name, Presence::Here) },
            RosterEntry { seat: 1, who: who("Zoë 船 🚀", Presence::Bot) },
            RosterEntry { seat: 65_535, who: None },
        ];
        self.link.send(&ServerMessage::Roster(Roster { since: 0, version: 7, entries }).encode()).await?;
        self.show(Bend::None).await
    }

    async fn show(&mut self, bend: Bend) -> Outcome {
        let message = self.world.snapshot(bend);
        self.course.sent = self.world.tick();
        self.link.send(&message).await
    }

    /// A snapshot every 33 ms, now and then none for a while, and whatever the client says is judged.
    pub(super) async fn play(&mut self, how_long: Duration) -> Outcome {
        let end = Instant::now() + how_long;
        let mut count = 0_u32;
        while Instant::now() < end {
            count += 1;
            // Three of sixteen are skipped: the next one is relative to a tick further back.
            self.world.step(TICKS_PER_SNAPSHOT);
            if count % 16 < 13 {
                self.show(Bend::None).await?;
            }
            self.hear(Instant::now() + SNAPSHOT_EVERY).await?;
        }
        Ok(())
    }

    /// Judges and answers everything until the deadline.
    async fn hear(&mut self, deadline: Instant) -> Outcome {
        loop {
            match self.link.hear_until(deadline).await {
                Heard::Message(bytes) => {
                    let message = judge::decode(&bytes)?;
                    self.course.take(&message, &bytes, self.world.schema())?;
                    match message {
                        ClientMessage::Input(input) => self.world.ack = input.seq,
                        ClientMessage::Ping(ping) => {
                            self.pings += 1;
                            let server_time = 1_000_000 + self.epoch.elapsed().as_micros() as u64;
                            let pong = Pong { time: ping.time, server_time };
                            self.link.send(&ServerMessage::Pong(pong).encode()).await?;
                        }
                        ClientMessage::Resync => self.resyncs.push(Instant::now()),
                        ClientMessage::Leave => return Err(Fault::new("the client left in the middle of the script")),
                        ClientMessage::Hello(_) => {}
                    }
                }
                Heard::Pong(payload) => self.pongs.push(payload),
                Heard::Nothing => return Ok(()),
                other => return Err(unexpected(&other)),
            }
        }
    }

    /// Nothing was asked for anew: every snapshot fitted.
    pub(super) fn no_resync(&mut self) -> Outcome {
        if self.resyncs.is_empty() {
            return Ok(());
        }
        self.resyncs.clear();
        self.world.forget();
        Err(Fault::new("a Resync, although every snapshot fitted"))
    }

    /// A Ping frame, and a Pong frame for it.
    pub(super) async fn websocket_ping(&mut self) -> Outcome {
        self.pongs.clear();
        self.link.ping(b"are you there").await?;
        for _ in 0..20 {
            self.play(Duration::from_millis(100)).await?;
            if self.pongs.iter().any(|pong| pong == b"are you there") {
                return self.no_resync();
            }
        }
        Err(Fault::new("no Pong frame with the payload of the Ping within 2 s"))
    }

    /// The longest message that there is.
    pub(super) async fn crowd(&mut self) -> Outcome {
        self.world.step(TICKS_PER_SNAPSHOT);
        self.world.crowd(true);
        self.show(Bend::None).await?;
        // It has to be applied, and everything that came is gone again in the next.
        self.play(Duration::from_millis(1500)).await?;
        self.no_resync()
    }

    /// A second without a message, and then one that is relative to before.
    pub(super) async fn silence(&mut self) -> Outcome {
        self.world.step(60);
        self.hear(Instant::now() + Duration::from_secs(1)).await?;
        self.play(Duration::from_millis(500)).await?;
        self.no_resync()
    }

    /// One snapshot that does not fit: Resync must come, once, and base 0 must end it.
    pub(super) async fn bend(&mut self, bend: Bend) -> Outcome {
        // At most one Resync a second: the one before must be over.
        self.play(Duration::from_millis(1200)).await?;
        self.no_resync()?;
        self.world.step(TICKS_PER_SNAPSHOT);
        self.show(bend).await?;
        let sent = Instant::now();
        while self.resyncs.is_empty() {
            if sent.elapsed() > Duration::from_secs(3) {
                self.world.forget();
                return Err(Fault::new("no Resync within 3 s"));
            }
            self.world.step(TICKS_PER_SNAPSHOT);
            self.show(Bend::None).await?;
            self.hear(Instant::now() + SNAPSHOT_EVERY).await?;
        }
        // A server answers when it gets to it; the client waits meanwhile.
        let asked = self.resyncs.len();
        self.play(Duration::from_millis(600)).await?;
        let again = self.resyncs.len() - asked;
        self.resyncs.clear();
        self.world.forget();
        self.play(Duration::from_millis(1200)).await?;
        if asked + again > 1 {
            return Err(Fault::new(format!("{} Resyncs within 600 ms: at most one a second", asked + again)));
        }
        self.no_resync()
    }

    /// Bytes that are no message: the client must end the session.
    pub(super) async fn send_broken(&mut self, bytes: &[u8]) -> Outcome {
        self.play(Duration::from_millis(200)).await?;
        self.link.send(bytes).await?;
        let deadline = Instant::now() + END_WITHIN;
        let listen = async {
            loop {
                match self.link.hear_until(deadline).await {
                    Heard::Message(_) | Heard::Pong(_) => {}
                    // Many libraries, browsers' among them, may not send 1002.
                    Heard::Close(Some(1002 | 3000..=4999) | None) | Heard::Gone => return Ok(()),
                    Heard::Nothing => return Err(Fault::new("the session went on")),
                    other => return Err(unexpected(&other)),
                }
            }
        };
        // A client that talks for ever must not keep the script.
        match timeout(END_WITHIN, listen).await {
            Ok(outcome) => outcome,
            Err(_) => {
                sleep_until(deadline).await;
                Err(Fault::new("the session went on"))
            }
        }
    }
}

/// A fault for what should not have happened there.
pub(super) fn unexpected(heard: &Heard) -> Fault {
    Fault::new(match heard {
        Heard::Text => "a text message: the protocol is binary".into(),
        Heard::Broken(why) => format!("a frame that breaks RFC 6455: {why}"),
        Heard::Close(code) => format!("the client closed the WebSocket with {code:?}"),
        Heard::Gone => "the client ended the connection".into(),
        other => format!("unexpected: {other:?}"),
    })
}
