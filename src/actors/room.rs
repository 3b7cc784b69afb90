//! One match: an alarm, an inbox, the sessions' outlets, and a [`Room`] that decides everything.
//!
//! Every call into the room is caught: a game that panics takes its own room down, with a reason, and nothing else. A panic
//! of ours, outside of these calls, ends the actor in the middle of a turn, and its `Drop` does the same.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message, Recipient, StreamHandler};
use rand::TryRng;
use rand::rngs::SysRng;

use super::alarm::{Alarm, Rings, alarm};
use super::clock::Clock;
use super::courier::{Dispatch, Route};
use super::inbox::{Inbox, Letter, Mail, Slot};
use super::lobby::{FromRoom, Lobby, Seek, Ticket};
use super::session::ToSession;
use crate::config::RoomConfig;
use crate::game::Game;
use crate::host::panics;
use crate::ids::{Micros, ResumeToken, RoomId, ViewerId};
use crate::protocol::close::CloseReason;
use crate::room::{JoinRequest, Joined, Outbox, Room, SendOutcome};

/// The lobby hears of a room at least this often, so that its list is no older.
const REPORT_EVERY: Micros = Micros::from_millis(1000);

/// What the lobby decided about a new room.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// Its number.
    pub id: RoomId,
    /// What people type to join.
    pub code: String,
    /// It is in no list.
    pub private: bool,
    /// The match's seed.
    pub seed: u64,
}

/// What the lobby tells a room. Nobody else writes to it but through its inbox.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ToRoom {
    /// Somebody wants in.
    Join {
        /// To be named in the answer.
        ticket: Ticket,
        /// Who, and how.
        seek: Box<Seek>,
    },
    /// The match is over.
    End(CloseReason),
}

/// A room's actor.
pub struct RoomActor<G: Game> {
    new: NewRoom,
    config: RoomConfig,
    /// Boxed, as the room is: an actor can be moved, and a game need not know of that.
    options: Box<G::Options>,
    clock: Clock,
    lobby: Addr<Lobby>,
    /// `None` before it is made, and after it has failed.
    room: Option<Box<Room<G>>>,
    lines: Lines,
    inbox: Arc<Inbox>,
    letters: Vec<Letter>,
    /// Rings when the next tick is due.
    alarm: Alarm,
    rings: Option<Rings>,
    reported: Micros,
    /// Somebody came or went since the lobby was told.
    news: bool,
    /// Ticks skipped since then.
    missed: u32,
    /// It does something: whoever finds it so afterwards finds what a panic left.
    in_turn: bool,
}

impl<G: Game> RoomActor<G> {
    /// A room that is made when its actor starts, on its own arbiter.
    pub fn new(new: NewRoom, config: RoomConfig, options: G::Options, clock: Clock, lobby: Addr<Lobby>) -> Self {
        let (alarm, rings) = alarm();
        Self {
            new,
            config,
            options: Box::new(options),
            clock,
            lobby,
            room: None,
            lines: Lines::new(clock),
            inbox: Arc::default(),
            letters: Vec::new(),
            alarm,
            rings: Some(rings),
            reported: Micros::default(),
            news: false,
            missed: 0,
            in_turn: false,
        }
    }

    /// Does something, from beginning to end.
    fn turn(&mut self, work: impl FnOnce(&mut Self)) {
        self.in_turn = true;
        work(self);
        self.in_turn = false;
    }

    /// One turn: the mail, the ticks that are due, what goes out.
    fn beat(&mut self, ctx: &mut Context<Self>) {
        let now = self.clock.now();
        self.take_mail(ctx);
        let any_gone = self.guarded(ctx, |room, lines| {
            room.tick(now);
            room.poll_outbound(lines);
            lines.dispatch.send();
            while let Some(flaw) = room.poll_flaw() {
                tracing::warn!(room = %room.info().code, "{flaw}");
            }
            lines.forget_closed()
        });
        self.news |= any_gone.unwrap_or_default();
        self.report(now, ctx);
        self.wait_for_next_tick(ctx);
    }

    fn take_mail(&mut self, ctx: &mut Context<Self>) {
        self.inbox.empty_into(&mut self.letters);
        let mut letters = std::mem::take(&mut self.letters);
        let any_gone = self.guarded(ctx, |room, lines| {
            letters.drain(..).fold(false, |any, letter| any | deliver(room, lines, letter))
        });
        self.news |= any_gone.unwrap_or_default();
        self.letters = letters;
    }

    /// The room computes when it wants its next tick from its epoch, so the lateness of one does not add to the next.
    fn wait_for_next_tick(&mut self, ctx: &mut Context<Self>) {
        let now = self.clock.now();
        let Some(next) = self.guarded(ctx, |room, _| room.next_tick_at(now)) else { return };
        self.alarm.set(self.clock.until(next));
    }

    fn join(&mut self, ticket: Ticket, seek: Seek, ctx: &mut Context<Self>) {
        // First what was said before: a seat that was left must not be taken back by its token.
        self.take_mail(ctx);
        let now = self.clock.now();
        let (id, resumed) = (self.new.id, seek.resume.is_some());
        let who = JoinRequest { spectate: seek.spectates(), name: seek.name, tier: seek.tier, origin: seek.origin };
        let Some(outcome) = self.guarded(ctx, |room, _| {
            let token = fresh_token(id).ok_or(CloseReason::Busy)?;
            match seek.resume {
                Some(resume) => room.handle_resume(resume, who.tier, token, now),
                None => room.handle_join(who, token, now),
            }
        }) else {
            return;
        };
        let result = outcome.map(|joined| self.welcome(joined, resumed, seek.session, seek.route));
        let Some(info) = self.guarded(ctx, |room, _| room.info()) else { return };
        // A clone has a place in the mailbox of its own, and there is one answer per join: it is lost only if the lobby
        // has stopped.
        if self.lobby.clone().try_send(FromRoom::Settled { ticket, room: id, result, info }).is_err() {
            tracing::debug!(room = %self.new.code, "the lobby did not hear that a join is settled");
        }
        // It may have been resting.
        self.wait_for_next_tick(ctx);
    }

    fn welcome(&mut self, joined: Joined, resumed: bool, session: Recipient<ToSession>, route: Route) {
        if let Some(replaced) = joined.replaced {
            self.lines.end(replaced, CloseReason::Replaced);
        }
        let slot = Slot::new(self.inbox.clone(), joined.viewer, resumed, self.clock);
        // First the session, then the Welcome: it must know its room before its client can speak to it. If it has ended
        // meanwhile, the slot comes back to the inbox as a parting letter.
        let told = session.try_send(ToSession::Joined(slot)).is_ok();
        let line = Line { viewer: joined.viewer, session, route };
        match line.route.outlet().send(&joined.welcome) {
            SendOutcome::Accepted if told => self.lines.add(line),
            SendOutcome::Accepted | SendOutcome::Full | SendOutcome::Closed => line.end(CloseReason::Busy, self.clock),
        }
    }

    fn report(&mut self, now: Micros, ctx: &mut Context<Self>) {
        if !self.news && now.since(self.reported) < REPORT_EVERY {
            return;
        }
        let missed = &mut self.missed;
        let Some(room) = self.room.as_mut() else { return };
        *missed = missed.saturating_add(room.poll_missed());
        let missed = *missed;
        let private = self.new.private;
        let Some((info, idle)) =
            self.guarded(ctx, |room, _| (room.info(), room.is_idle(now) || (private && room.is_abandoned(now))))
        else {
            return;
        };
        // Refused: the next report says it again.
        if self.lobby.try_send(FromRoom::Report { room: self.new.id, info, idle, missed }).is_ok() {
            self.reported = now;
            self.news = false;
            self.missed = 0;
        }
    }

    /// Calls into the room. `None`: there is none, or none any more.
    fn guarded<R>(&mut self, ctx: &mut Context<Self>, call: impl FnOnce(&mut Room<G>, &mut Lines) -> R) -> Option<R> {
        let room = self.room.as_mut()?;
        // A room that panicked is never looked at again, so no broken invariant can be seen.
        match catch_unwind(AssertUnwindSafe(|| call(room, &mut self.lines))) {
            Ok(result) => Some(result),
            Err(panic) => {
                self.fail(&*panic, ctx);
                None
            }
        }
    }

    fn fail(&mut self, panic: &(dyn Any + Send), ctx: &mut Context<Self>) {
        self.take_down(panics::words(panic));
        ctx.stop();
    }

    fn take_down(&mut self, what: &str) {
        tracing::error!(room = %self.new.code, sessions = self.lines.list.len(), "room failed: {what}");
        let room = self.room.take();
        if catch_unwind(AssertUnwindSafe(|| drop(room))).is_err() {
            tracing::error!(room = %self.new.code, "room failed again while it was taken down");
        }
        // No client can cause this twice for a room, and the lobby must hear of it.
        self.lobby.do_send(FromRoom::Failed(self.new.id));
        self.end(CloseReason::RoomFailed);
    }

    fn end(&mut self, reason: CloseReason) {
        self.inbox.close(reason);
        while let Some(line) = self.lines.list.pop() {
            line.end(reason, self.clock);
        }
    }

    fn start(&mut self, ctx: &mut Context<Self>) {
        if let Some(rings) = self.rings.take() {
            ctx.add_stream(rings);
        }
        let NewRoom { code, seed, .. } = self.new.clone();
        let (config, options, now) = (self.config.clone(), &*self.options, self.clock.now());
        match catch_unwind(AssertUnwindSafe(|| Room::new(config, options, code, seed, now))) {
            Ok(Ok(room)) => {
                tracing::info!(room = %self.new.code, "room begins");
                self.room = Some(Box::new(room));
                self.wait_for_next_tick(ctx);
            }
            Ok(Err(error)) => self.fail(&error.to_string(), ctx),
            Err(panic) => self.fail(&*panic, ctx),
        }
    }
}

impl<G: Game> Drop for RoomActor<G> {
    fn drop(&mut self) {
        if self.in_turn {
            self.take_down("it panicked outside of its game");
        }
    }
}

impl<G: Game> Actor for RoomActor<G> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.turn(|room| room.start(ctx));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        tracing::info!(room = %self.new.code, "room ends");
    }
}

impl<G: Game> StreamHandler<()> for RoomActor<G> {
    fn handle(&mut self, (): (), ctx: &mut Self::Context) {
        self.turn(|room| room.beat(ctx));
    }
}

impl<G: Game> Handler<ToRoom> for RoomActor<G> {
    type Result = ();

    fn handle(&mut self, message: ToRoom, ctx: &mut Self::Context) {
        self.turn(|room| match message {
            ToRoom::Join { ticket, seek } => room.join(ticket, *seek, ctx),
            ToRoom::End(reason) => {
                room.end(reason);
                ctx.stop();
            }
        });
    }
}

/// Hands one letter to the room. True if somebody left or dropped.
fn deliver<G: Game>(room: &mut Room<G>, lines: &mut Lines, Letter { viewer, at, mail }: Letter) -> bool {
    match mail {
        Mail::Input(input) => {
            if let Err(reason) = room.handle_input(viewer, &input, at) {
                lines.end(viewer, reason);
                room.handle_drop(viewer, at);
                return true;
            }
        }
        Mail::Seen(seen) => room.handle_seen(viewer, seen, at),
        Mail::Rtt(rtt) => room.handle_rtt(viewer, rtt),
        Mail::Resync => room.handle_resync(viewer, at),
        Mail::Leave => {
            room.handle_leave(viewer, at);
            lines.remove(viewer);
            return true;
        }
        Mail::Drop => {
            room.handle_drop(viewer, at);
            lines.remove(viewer);
            return true;
        }
    }
    false
}

/// The room's number, so that the lobby knows where the token leads, and 96 bits that nobody can guess. `None` if the
/// system has no randomness to give.
fn fresh_token(RoomId(room): RoomId) -> Option<ResumeToken> {
    let mut token = [0; 16];
    token[..4].copy_from_slice(&room.to_le_bytes());
    SysRng.try_fill_bytes(&mut token[4..]).ok()?;
    Some(ResumeToken(token))
}

/// Where a token leads.
#[must_use]
pub fn room_of_token(ResumeToken([a, b, c, d, ..]): ResumeToken) -> RoomId {
    RoomId(u32::from_le_bytes([a, b, c, d]))
}

/// The way to one session.
struct Line {
    viewer: ViewerId,
    session: Recipient<ToSession>,
    route: Route,
}

impl Line {
    fn end(self, reason: CloseReason, clock: Clock) {
        self.route.outlet().close();
        // A session that takes no message is frozen, or has ended by itself: cutting it is right for the one and
        // harmless to the other.
        if self.session.try_send(ToSession::End(reason)).is_err() {
            self.route.outlet().cut_after(clock.now(), Micros::default());
        }
    }
}

/// The ways to all sessions of a room, by ascending viewer.
struct Lines {
    list: Vec<Line>,
    /// Where the last one asked for was found: the room asks for them in order.
    last: usize,
    /// Those that turned out to be gone while the room was sending.
    closed: Vec<ViewerId>,
    /// What the room sends in this turn.
    dispatch: Dispatch,
    clock: Clock,
}

impl Lines {
    fn new(clock: Clock) -> Self {
        Self { list: Vec::new(), last: 0, closed: Vec::new(), dispatch: Dispatch::default(), clock }
    }

    /// Viewers are numbered in the order in which they come, so the list stays sorted.
    fn add(&mut self, line: Line) {
        if let Some(last) = self.list.last() {
            assert!(last.viewer < line.viewer, "viewer {} after viewer {}", line.viewer.0, last.viewer.0);
        }
        self.list.push(line);
    }

    /// Where a viewer's line is, if it has one.
    fn find(&mut self, viewer: ViewerId) -> Option<usize> {
        let is_at = |at: &usize| self.list.get(*at).is_some_and(|line| line.viewer == viewer);
        // Where viewers take turns, every second or third is asked for.
        self.last = (self.last..self.last + 4).find(is_at).or_else(|| self.place(viewer))?;
        Some(self.last)
    }

    fn remove(&mut self, viewer: ViewerId) -> Option<Line> {
        self.place(viewer).map(|at| self.list.remove(at))
    }

    fn place(&self, viewer: ViewerId) -> Option<usize> {
        self.list.binary_search_by_key(&viewer, |line| line.viewer).ok()
    }

    fn end(&mut self, viewer: ViewerId, reason: CloseReason) {
        if let Some(line) = self.remove(viewer) {
            line.end(reason, self.clock);
        }
    }

    /// Takes out those that turned out to be gone; the room has dropped them already. True if there were any.
    fn forget_closed(&mut self) -> bool {
        let any = !self.closed.is_empty();
        while let Some(viewer) = self.closed.pop() {
            self.remove(viewer);
        }
        any
    }
}

impl Outbox for Lines {
    fn is_open(&mut self, viewer: ViewerId) -> bool {
        // A viewer without a line is let through, so that the send can say that it is gone.
        self.find(viewer).is_none_or(|at| self.list[at].route.outlet().is_open())
    }

    fn send(&mut self, viewer: ViewerId, message: &[u8]) -> SendOutcome {
        let route = self.find(viewer).map(|at| &self.list[at].route);
        let outcome = route.map_or(SendOutcome::Closed, |route| route.outlet().accept());
        match (outcome, route) {
            (SendOutcome::Accepted, Some(route)) => self.dispatch.add(route, message),
            (SendOutcome::Full, _) => {}
            (SendOutcome::Closed | SendOutcome::Accepted, _) => self.closed.push(viewer),
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix::Arbiter;
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

    use super::super::courier::{Worker, WorkerId};
    use super::super::inbox::Refused;
    use super::super::lobby::{ListRooms, LobbyConfig};
    use super::super::outlet::Outlet;
    use super::super::shares::Shares;
    use super::*;
    use crate::arena::Arena;
    use crate::config::Config;
    use crate::protocol::message::{RoomWish, Tier};

    /// A session that hands on what it is told.
    struct Told(UnboundedSender<ToSession>);

    impl Actor for Told {
        type Context = Context<Self>;
    }

    impl Handler<ToSession> for Told {
        type Result = ();

        fn handle(&mut self, message: ToSession, _: &mut Self::Context) {
            self.0.send(message).expect("the test listens");
        }
    }

    /// A mistake of the actor's own.
    #[derive(Message)]
    #[rtype(result = "()")]
    struct Slip;

    impl<G: Game> Handler<Slip> for RoomActor<G> {
        type Result = ();

        fn handle(&mut self, _: Slip, _: &mut Self::Context) {
            self.turn(|_| panic!("a mistake that the room knows nothing of"));
        }
    }

    async fn next(told: &mut UnboundedReceiver<ToSession>) -> ToSession {
        let next = tokio::time::timeout(Duration::from_secs(10), told.recv()).await;
        next.expect("something is told").expect("the session lives")
    }

    #[actix::test]
    async fn a_panic_outside_of_the_game_tells_the_players_and_the_lobby() {
        let clock = Clock::start();
        let rooms = Arbiter::new();
        let arbiter = rooms.handle();
        let (begun, began) = std::sync::mpsc::channel();
        let start_room = Box::new(move |new, lobby| {
            let room = RoomActor::<Arena>::start_in_arbiter(&arbiter, move |_| {
                RoomActor::new(new, RoomConfig::default(), Default::default(), clock, lobby)
            });
            begun.send(room.clone()).expect("the test listens");
            room.recipient()
        });
        let reservation = Micros::from_millis(5000);
        let config = LobbyConfig { rooms_max: 9, reservation, seats_max: 4, spectators_max: 4 };
        let shares = Shares::new(&Config::default(), clock);
        let caller = shares.peer([127, 0, 0, 1].into());
        let lobby = Lobby::new(config, clock, shares, start_room).start();
        let worker = Worker::start(WorkerId(0));
        let mut players = Vec::new();
        for _ in 0..2 {
            let (tell, mut told) = unbounded_channel();
            let outlet = Arc::<Outlet>::default();
            let seek = Seek {
                wish: RoomWish::Quick,
                name: "Ann".into(),
                tier: Tier::Delta,
                resume: None,
                caller,
                origin: None,
                session: Told(tell).start().recipient(),
                route: Route::new(&worker, outlet.clone()),
            };
            lobby.send(seek).await.expect("the lobby lives");
            let ToSession::Joined(mut slot) = next(&mut told).await else { panic!("there is a seat") };
            slot.settle();
            players.push((told, slot, outlet));
        }
        began.recv().expect("a room began").do_send(Slip);
        for (mut told, mut slot, outlet) in players {
            assert!(matches!(next(&mut told).await, ToSession::End(CloseReason::RoomFailed)));
            assert_eq!(slot.push(Mail::Resync), Err(Refused::Closed(CloseReason::RoomFailed)));
            assert_eq!(outlet.accept(), SendOutcome::Closed);
        }
        let start = std::time::Instant::now();
        while !lobby.send(ListRooms).await.expect("the lobby lives").rooms.is_empty() {
            assert!(start.elapsed() < Duration::from_secs(10), "the lobby must forget the room");
        }
        rooms.stop();
    }
}
