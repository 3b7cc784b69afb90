//! The run: one thread, one poll, all players. Opens the rooms, lets everybody in, measures, says goodbye.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::pilot::{Inputs, Pilot};
use super::player::{Player, Role, Shared, Wish};
use super::procfs::Usage;
use super::progress::{Progress, Sight};
use super::reading::Reading;
use super::report::{Measured, Report};
use super::schedule::ServerClock;
use super::sockdiag::SockDiag;
use super::stalls::Stalls;
use super::stats::{Stats, Window};
use super::ws;
use crate::ids::Micros;
use crate::protocol::message::Tier;

/// What the load looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Everybody joins at a steady rate and plays.
    Steady,
    /// The same in one room.
    Crowd,
    /// A tenth plays; the others come all at once.
    JoinStorm,
    /// Again and again all sockets drop and resume their seats at once.
    ReconnectStorm,
    /// A share of the players stops reading, crawls, or reads in bursts.
    SlowReader,
    /// A share of the players sends far more than anybody may.
    Flood,
}

/// Everything that a run is told.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server: `ws://host:port/path`.
    pub url: String,
    /// Sessions.
    pub players: usize,
    /// Private rooms that they are spread over; 0: the server's own choice, by quick join.
    pub rooms: usize,
    /// How long is measured.
    pub time: Duration,
    /// What the load looks like.
    pub profile: Profile,
    /// How players play.
    pub inputs: Inputs,
    /// Changes of input per player and second.
    pub input_hz: f64,
    /// How snapshots come.
    pub tier: Tier,
    /// The same seed gives the same play.
    pub seed: u64,
    /// Joins per second before the measurement.
    pub join_rate: f64,
    /// Players tell the server what they have seen, so that it notices who lags.
    pub acks: bool,
    /// The share of players that are slow, or flood.
    pub share: f64,
    /// How slow ones read; `None`: a third each.
    pub slow: Option<Reading>,
    /// Inputs per second of one that floods.
    pub flood_hz: f64,
    /// From one reconnect storm to the next.
    pub storm_every: Duration,
    /// The server's process, if it runs on this machine.
    pub pid: Option<u32>,
}

/// How long after the last join was due everybody must be in.
const JOIN_TIME: Micros = Micros::from_millis(15_000);
/// Between the last join and the measurement: what the joins left in queues drains.
const WARM_UP: Micros = Micros::from_millis(1000);
/// How long the server has to answer Leave.
const LEAVE_TIME: Micros = Micros::from_millis(5000);
/// How long after the last session its memory is looked at: a room of a server of our own ends within two seconds of the
/// last player, and what it used is given back within one more.
const REST: Micros = Micros::from_millis(3000);
/// How often it is asked whether a phase is over, and the progress shown.
const LOOK_EVERY: Micros = Micros::from_millis(50);

/// Runs a plan from the first connection to the last goodbye.
///
/// # Errors
/// A URL that leads nowhere, or no poll from the system. What servers do wrong is in the report.
pub fn run(plan: &Plan, progress: &mut Progress) -> io::Result<Report> {
    let (host, address, path) = ws::address(&plan.url).map_err(io::Error::other)?;
    let mut load = Load::new(plan, address, ws::request(&host, &path))?;
    let before = plan.pid.and_then(Usage::of);
    load.enter(progress)?;
    let measured = load.measure(before, progress)?;
    load.leave(progress)?;
    let after = plan.pid.and_then(Usage::of);
    Ok(Report::new(plan, &measured, load.groups, after))
}

struct Load<'a> {
    plan: &'a Plan,
    poll: Poll,
    began: Instant,
    players: Vec<Player>,
    /// When players want to act; only the entry that equals `scheduled` is alive.
    wakes: BinaryHeap<Reverse<(Micros, usize)>>,
    scheduled: Vec<Micros>,
    groups: Vec<(&'static str, Stats)>,
    address: SocketAddr,
    request: Vec<u8>,
    clock: ServerClock,
    diag: Option<SockDiag>,
    window: Window,
    stalls: Stalls,
    codes: Vec<Option<String>>,
    scratch: Vec<u8>,
    message: Vec<u8>,
    joined_us: u64,
}

impl<'a> Load<'a> {
    fn new(plan: &'a Plan, address: SocketAddr, request: Vec<u8>) -> io::Result<Self> {
        let (groups, roles) = cast(plan);
        let players = roles.into_iter().map(|role| {
            let number = role.number as u32;
            Player::new(role, Pilot::new(plan.inputs, plan.seed, number, Micros(0), plan.input_hz), plan.seed)
        });
        let players: Vec<Player> = players.collect();
        Ok(Self {
            plan,
            poll: Poll::new()?,
            began: Instant::now(),
            wakes: BinaryHeap::with_capacity(players.len() * 2),
            scheduled: vec![Micros(u64::MAX); players.len()],
            players,
            groups: groups.into_iter().map(|name| (name, Stats::default())).collect(),
            address,
            request,
            clock: ServerClock::default(),
            diag: SockDiag::open(),
            window: Window::SHUT,
            stalls: Stalls::new(Window::SHUT, Micros(u64::MAX)),
            codes: vec![None; plan.rooms],
            scratch: vec![0; 64 * 1024],
            message: Vec::new(),
            joined_us: 0,
        })
    }

    // ---- Phases ---------------------------------------------------------------------------------------------------

    /// Rooms are opened by their first players; then the others join at a steady rate.
    fn enter(&mut self, progress: &mut Progress) -> io::Result<()> {
        let gap = Micros((1e6 / self.plan.join_rate) as u64);
        let start = self.now();
        let openers = |player: &Player| matches!(player.role.wish, Wish::Open(_));
        let end = self.invite(start, gap, openers);
        self.run_until(end.after(JOIN_TIME), progress, |players| {
            !players.iter().any(|player| openers(player) && player.is_entering())
        })?;
        let waits = |player: &Player| storms(player) || openers(player);
        let end = self.invite(self.now(), gap, |player| !waits(player));
        self.run_until(end.after(JOIN_TIME), progress, |players| !players.iter().any(|player| player.is_entering()))?;
        self.joined_us = self.now().since(start).0;
        let warm = self.now().after(WARM_UP);
        self.run_until(warm, progress, |_| false)
    }

    /// Tells players to connect one after the other; returns when the last one is due.
    fn invite(&mut self, start: Micros, gap: Micros, who: impl Fn(&Player) -> bool) -> Micros {
        let mut due = start;
        for at in 0..self.players.len() {
            if who(&self.players[at]) {
                self.players[at].connect_at(due);
                self.schedule(at);
                due = due.after(gap);
            }
        }
        due
    }

    fn measure(&mut self, before: Option<Usage>, progress: &mut Progress) -> io::Result<Measured> {
        let start = self.now();
        let end = start.after(Micros(self.plan.time.as_micros() as u64));
        self.window = Window { start, end };
        let times = self.players.iter().find_map(Player::times);
        let quarter = times.map_or(Micros(u64::MAX), |times| Micros(times.snapshot_period_us() / 4));
        self.stalls = Stalls::new(self.window, quarter);
        let began = self.plan.pid.and_then(Usage::of);
        let own = Usage::of(std::process::id());
        for at in 0..self.players.len() {
            let floods = self.plan.profile == Profile::Flood && self.players[at].role.group == 1;
            self.players[at].measure_from(start, floods.then_some(self.plan.flood_hz));
            self.schedule(at);
        }
        self.invite(start, Micros(0), storms);
        match self.plan.profile {
            Profile::ReconnectStorm => {
                let every = Micros(self.plan.storm_every.as_micros() as u64);
                let mut next = start.after(Micros(every.0 / 2));
                while next < end {
                    self.run_until(next, progress, |_| false)?;
                    for at in 0..self.players.len() {
                        if self.players[at].is_playing() {
                            self.with(at, Player::drop_and_resume);
                        }
                    }
                    next = next.after(every);
                }
                self.run_until(end, progress, |_| false)?;
            }
            _ => self.run_until(end, progress, |_| false)?,
        }
        for at in 0..self.players.len() {
            self.with(at, Player::settle);
        }
        let playing = |group| self.players.iter().filter(|p| p.role.group == group && p.is_playing()).count();
        Ok(Measured {
            elapsed_us: self.now().min(end).since(start).0,
            joined_us: self.joined_us,
            players: (0..self.groups.len())
                .map(|group| (self.players.iter().filter(|p| p.role.group == group).count(), playing(group)))
                .collect(),
            times: self.players.iter().find_map(Player::times),
            clock_uncertainty_us: self.clock.uncertainty(),
            server_before: before,
            server: began.zip(self.plan.pid.and_then(Usage::of)),
            generator: own.zip(Usage::of(std::process::id())),
            stalls: self.stalls.clone(),
        })
    }

    fn leave(&mut self, progress: &mut Progress) -> io::Result<()> {
        for at in 0..self.players.len() {
            self.with(at, Player::leave);
        }
        let end = self.now().after(LEAVE_TIME);
        self.run_until(end, progress, |players| players.iter().all(Player::is_out))?;
        for at in 0..self.players.len() {
            self.with(at, Player::cut);
        }
        if self.plan.pid.is_some() {
            let end = self.now().after(REST);
            self.run_until(end, progress, |_| false)?;
        }
        Ok(())
    }

    // ---- The loop -------------------------------------------------------------------------------------------------

    fn now(&self) -> Micros {
        Micros(self.began.elapsed().as_micros() as u64)
    }

    /// Everything that happens until a moment, or until `done` says so.
    fn run_until(
        &mut self,
        end: Micros,
        progress: &mut Progress,
        mut done: impl FnMut(&[Player]) -> bool,
    ) -> io::Result<()> {
        let mut events = Events::with_capacity(4096);
        let mut look_at = self.now();
        loop {
            let now = self.now();
            self.stalls.turn(now);
            if now >= look_at {
                look_at = now.after(LOOK_EVERY);
                progress.show(now, || self.sight());
                if done(&self.players) {
                    return Ok(());
                }
            }
            if now >= end {
                return Ok(());
            }
            while let Some(&Reverse((at, player))) = self.wakes.peek().filter(|Reverse((at, _))| *at <= now) {
                self.wakes.pop();
                if self.scheduled[player] == at {
                    self.scheduled[player] = Micros(u64::MAX);
                    self.with(player, Player::wake);
                }
            }
            let wake = self.wakes.peek().map_or(look_at, |Reverse((at, _))| *at);
            let wake = wake.min(look_at).min(self.stalls.due()).min(end);
            let timeout = Duration::from_micros(wake.since(self.now()).0);
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                self.with(event.token().0, |player, now, shared| player.ready(now, event, shared));
            }
        }
    }

    /// Lets one player act now, and notes when it wants to act again.
    fn with(&mut self, at: usize, act: impl FnOnce(&mut Player, Micros, &mut Shared<'_>)) {
        let now = self.now();
        let player = &mut self.players[at];
        let mut shared = Shared {
            address: self.address,
            request: &self.request,
            registry: self.poll.registry(),
            clock: &mut self.clock,
            diag: self.diag.as_ref(),
            stats: &mut self.groups[player.role.group].1,
            window: self.window,
            stalls: &self.stalls,
            codes: &mut self.codes,
            scratch: &mut self.scratch,
            message: &mut self.message,
        };
        act(player, now, &mut shared);
        self.schedule(at);
    }

    fn schedule(&mut self, at: usize) {
        let wake = self.players[at].wake_at();
        // An earlier entry wakes it too early, finds nothing due, and comes back here.
        if wake < self.scheduled[at] {
            self.scheduled[at] = wake;
            self.wakes.push(Reverse((wake, at)));
        }
    }

    fn sight(&self) -> Sight {
        let stats = || self.groups.iter().map(|(_, stats)| stats);
        Sight {
            players: self.players.len(),
            playing: self.players.iter().filter(|player| player.is_playing()).count(),
            snapshots: stats().map(|stats| stats.snapshots).sum(),
            p99_us: stats().map(|stats| stats.lateness_us.at(99.0)).max().unwrap_or(0),
            missing: stats().map(|stats| stats.gap.missing).sum(),
            window: self.window,
        }
    }
}

/// A player of the storm: not before the measurement.
fn storms(player: &Player) -> bool {
    player.role.storms
}

/// Who plays what: the names of the groups, and every player's role.
fn cast(plan: &Plan) -> (Vec<&'static str>, Vec<Role>) {
    let groups: Vec<&'static str> = match plan.profile {
        Profile::Steady | Profile::Crowd | Profile::ReconnectStorm => vec!["players"],
        Profile::JoinStorm => vec!["standing", "storm"],
        Profile::SlowReader => vec!["healthy", "stopped", "crawling", "bursting"],
        Profile::Flood => vec!["honest", "flooding"],
    };
    let special = match plan.profile {
        Profile::Steady | Profile::Crowd | Profile::ReconnectStorm => 0,
        Profile::JoinStorm => plan.players - plan.players.div_ceil(10).max(plan.rooms).min(plan.players),
        Profile::SlowReader | Profile::Flood => {
            ((plan.players as f64 * plan.share) as usize).min(plan.players - plan.rooms.min(plan.players))
        }
    };
    let roles = (0..plan.players).map(|number| {
        // Those that open rooms come first and are never special.
        let at = (number + special).checked_sub(plan.players);
        let (group, reading) = match (plan.profile, at) {
            (_, None) => (0, Reading::Healthy),
            (Profile::SlowReader, Some(at)) => {
                let slow = [Reading::Stopped, Reading::Crawling, Reading::Bursting];
                let reading = plan.slow.unwrap_or(slow[at % 3]);
                (1 + slow.iter().position(|other| *other == reading).unwrap_or(0), reading)
            }
            (_, Some(_)) => (1, Reading::Healthy),
        };
        let wish = match number {
            _ if plan.rooms == 0 => Wish::Quick,
            number if number < plan.rooms => Wish::Open(number),
            number => Wish::Join(number % plan.rooms),
        };
        let storms = plan.profile == Profile::JoinStorm && group == 1;
        Role { number, wish, tier: plan.tier, reading, group, storms, acks: plan.acks }
    });
    (groups, roles.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(profile: Profile, players: usize, rooms: usize) -> Plan {
        Plan {
            url: String::new(),
            players,
            rooms,
            time: Duration::from_secs(1),
            profile,
            inputs: Inputs::Random,
            input_hz: 5.0,
            tier: Tier::Delta,
            seed: 1,
            join_rate: 100.0,
            acks: true,
            share: 0.5,
            slow: None,
            flood_hz: 1000.0,
            storm_every: Duration::from_secs(4),
            pid: None,
        }
    }

    /// The one loop, blocked for 60 ms: it has to notice, and the report has to say it.
    #[test]
    fn a_loop_that_was_blocked_says_so() {
        let plan = plan(Profile::Steady, 0, 0);
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let mut load = Load::new(&plan, address, Vec::new()).expect("a poll");
        let (start, end) = (load.now(), load.now().after(Micros::from_millis(300)));
        let stalls = || Stalls::new(Window { start, end }, Micros::from_millis(50));
        load.stalls = stalls();
        let mut blocked = false;
        let block_once = |_: &[Player]| {
            if !std::mem::replace(&mut blocked, true) {
                std::thread::sleep(Duration::from_millis(60));
            }
            false
        };
        load.run_until(end, &mut Progress::quiet(), block_once).expect("it runs");
        let late = load.stalls.late_us().clone();
        assert_eq!(late.len(), 300, "one a millisecond, blocked or not");
        // Beats are missed in a row: with the longest lateness there are all the shorter ones.
        assert!(late.max() >= 58_000 && late.at(90.0) >= 28_000, "{} us at most, p90 {} us", late.max(), late.at(90.0));
        assert!(load.stalls.count() >= 1 && load.stalls.total_us() >= 58_000);
        let measured = Measured {
            elapsed_us: 300_000,
            joined_us: 0,
            players: Vec::new(),
            times: None,
            clock_uncertainty_us: None,
            server_before: None,
            server: None,
            generator: None,
            stalls: load.stalls,
        };
        let blocked = Report::new(&plan, &measured, Vec::new(), None).to_string();
        assert!(blocked.contains("warning: the load generator stalled for"), "{blocked}");
        let mut stalls = stalls();
        stalls.turn(start);
        let in_time = Report::new(&plan, &Measured { stalls, ..measured }, Vec::new(), None).to_string();
        assert!(in_time.contains("load generator late") && !in_time.contains("warning"), "{in_time}");
    }

    #[test]
    fn every_room_is_opened_by_its_first_player_and_all_others_join_it() {
        let (_, roles) = cast(&plan(Profile::Steady, 10, 3));
        assert_eq!(roles.iter().filter(|role| matches!(role.wish, Wish::Open(_))).count(), 3);
        for room in 0..3 {
            assert!(roles.iter().filter(|role| role.wish == Wish::Join(room)).count() >= 2);
        }
        let (_, roles) = cast(&plan(Profile::Steady, 10, 0));
        assert!(roles.iter().all(|role| role.wish == Wish::Quick));
    }

    #[test]
    fn half_are_slow_a_third_of_them_in_each_way_and_none_opens_a_room() {
        let (groups, roles) = cast(&plan(Profile::SlowReader, 60, 2));
        let count = |group| roles.iter().filter(|role| role.group == group).count();
        assert_eq!([0, 1, 2, 3].map(count), [30, 10, 10, 10]);
        for role in roles {
            assert_eq!(groups[role.group] == "healthy", role.reading == Reading::Healthy);
            assert!(!matches!(role.wish, Wish::Open(_)) || role.reading == Reading::Healthy);
        }
    }

    #[test]
    fn a_tenth_stands_before_the_storm() {
        let (_, roles) = cast(&plan(Profile::JoinStorm, 100, 1));
        assert_eq!(roles.iter().filter(|role| role.storms).count(), 90);
        let (_, roles) = cast(&plan(Profile::JoinStorm, 3, 3));
        assert_eq!(roles.iter().filter(|role| role.storms).count(), 0, "all of them open rooms");
    }
}
