//! The numbers of a run, for programs (`--json`) and for people (the table).

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::Serialize;

use super::load::Plan;
use super::procfs::Usage;
use super::schedule::TickTimes;
use super::stalls::Stalls;
use super::stats::{Spans, Stats};
use crate::protocol::message::Tier;

/// What the run itself measured, beside the groups' numbers.
pub struct Measured {
    /// How long the window really was.
    pub elapsed_us: u64,
    /// How long it took to let everybody in before it.
    pub joined_us: u64,
    /// Per group: players, and those that were still in a room at the end.
    pub players: Vec<(usize, usize)>,
    /// Ticks of one of the rooms.
    pub times: Option<TickTimes>,
    /// As [`ServerClock::uncertainty`](super::schedule::ServerClock::uncertainty).
    pub clock_uncertainty_us: Option<u64>,
    /// The server before the first connection.
    pub server_before: Option<Usage>,
    /// The server at the start and the end of the window.
    pub server: Option<(Usage, Usage)>,
    /// This process at the start and the end of the window.
    pub generator: Option<(Usage, Usage)>,
    /// How late this process was.
    pub stalls: Stalls,
}

/// A distribution. Milliseconds, or ticks where the name says so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// How many there were.
    pub count: u64,
    /// On average.
    pub mean: f64,
    /// Half are no more than this.
    pub p50: f64,
    /// 99 of a hundred.
    pub p99: f64,
    /// 999 of a thousand.
    pub p999: f64,
    /// The worst.
    pub max: f64,
}

impl Distribution {
    /// Microseconds as milliseconds; `None` if there were none.
    fn ms(spans: &Spans) -> Option<Self> {
        Self::scaled(spans, 1e3)
    }

    fn scaled(spans: &Spans, unit: f64) -> Option<Self> {
        let at = |percent| spans.at(percent) as f64 / unit;
        (!spans.is_empty()).then(|| Self {
            count: spans.len(),
            mean: spans.mean() / unit,
            p50: at(50.0),
            p99: at(99.0),
            p999: at(99.9),
            max: spans.max() as f64 / unit,
        })
    }
}

/// One group of players.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// What it is.
    pub name: &'static str,
    /// How many they are.
    pub players: usize,
    /// How many were in a room when the measurement ended.
    pub playing_at_end: usize,
    /// From when a player was due to connect to its Welcome.
    pub join_ms: Option<Distribution>,
    /// From when a player was due to connect to its first snapshot.
    pub first_snapshot_ms: Option<Distribution>,
    /// From when a dropped player was due to connect again to its first snapshot.
    pub resume_ms: Option<Distribution>,
    /// Sessions let in.
    pub joined: u64,
    /// Those of them that took a dropped seat back.
    pub resumed: u64,
    /// Snapshots that arrived in the window.
    pub snapshots: u64,
    /// Of one player in one second.
    pub snapshots_per_player_second: f64,
    /// Arrival after the tick was due.
    pub lateness_ms: Option<Distribution>,
    /// How late the server says that it simulated: the part of the lateness that is not delivery.
    pub server_lateness_ms: Option<Distribution>,
    /// Snapshots that should have come and did not.
    pub missing: u64,
    /// Those of them that would have come while the generator itself stalled, or after that: it may have been too slow to
    /// take them.
    pub missing_in_stalls: u64,
    /// Snapshots that came more than a quarter of the snapshot period late.
    pub late: u64,
    /// Those of them that were due, or on their way, while the generator itself stalled.
    pub late_in_stalls: u64,
    /// Snapshots that were not sent since they had nothing to say.
    pub empty: u64,
    /// Ticks of time that a room skipped: the worst one.
    pub ticks_skipped: u64,
    /// Silence between two messages of a session, its end included.
    pub silence_ms: Option<Distribution>,
    /// From when an input was due to its ack's arrival.
    pub ack_ms: Option<Distribution>,
    /// The same, in ticks up to the snapshot's.
    pub ack_ticks: Option<Distribution>,
    /// Pings.
    pub rtt_ms: Option<Distribution>,
    /// Bytes of one player in one second, WebSocket frame headers included.
    pub bytes_down_per_player_second: f64,
    /// The other way.
    pub bytes_up_per_player_second: f64,
    /// Bytes down per tick of the simulation and player.
    pub bytes_down_per_player_tick: f64,
    /// Rows that a view held, on average.
    pub rows_held: f64,
    /// Inputs sent.
    pub inputs: u64,
    /// Inputs that were due, but the socket took nothing.
    pub inputs_unsent: u64,
    /// Views that the server started anew.
    pub restarts: u64,
    /// Resyncs that were asked for.
    pub resyncs: u64,
    /// Snapshots that did not fit the view.
    pub view_errors: u64,
    /// Views compared by digest.
    pub digests: u64,
    /// Those that differed.
    pub digest_mismatches: u64,
    /// Snapshots that said that events were lost.
    pub events_lost: u64,
    /// From when reading stopped to when the server cut the connection.
    pub cut_after_ms: Option<Distribution>,
    /// From when the kernel last took something for a reader that stopped, to within 100 ms, to when the server cut the
    /// connection: what twelve times `server.stuck_ms` is to be compared with. `None` if the server is not on this machine.
    pub stuck_ms: Option<Distribution>,
    /// The most bytes, unsent or unacknowledged, that the kernel held at once for one slow reader's socket on the server's
    /// side; asked every 100 ms. What lies in the reader's own buffer is not among them. `None` as above, and for groups
    /// that are not slow.
    pub kernel_bytes_max: Option<u32>,
    /// How sessions ended.
    pub closes: BTreeMap<String, u64>,
}

impl Group {
    fn new(name: &'static str, stats: &Stats, (players, playing_at_end): (usize, usize), tick_rate: f64) -> Self {
        let player_seconds = (stats.playing_us as f64 / 1e6).max(1e-6);
        let down = stats.bytes_down as f64 / player_seconds;
        Self {
            name,
            players,
            playing_at_end,
            join_ms: Distribution::ms(&stats.join_us),
            first_snapshot_ms: Distribution::ms(&stats.first_us),
            resume_ms: Distribution::ms(&stats.resume_us),
            joined: stats.joined,
            resumed: stats.resumed,
            snapshots: stats.snapshots,
            snapshots_per_player_second: stats.snapshots as f64 / player_seconds,
            lateness_ms: Distribution::ms(&stats.lateness_us),
            server_lateness_ms: Distribution::ms(&stats.told_lateness_us),
            missing: stats.gap.missing,
            missing_in_stalls: stats.missing_in_stalls,
            late: stats.late,
            late_in_stalls: stats.late_in_stalls,
            empty: stats.gap.empty,
            ticks_skipped: stats.ticks_skipped,
            silence_ms: Distribution::ms(&stats.silence_us),
            ack_ms: Distribution::ms(&stats.ack_us),
            ack_ticks: Distribution::scaled(&stats.ack_ticks, 1.0),
            rtt_ms: Distribution::ms(&stats.rtt_us),
            bytes_down_per_player_second: down,
            bytes_up_per_player_second: stats.bytes_up as f64 / player_seconds,
            bytes_down_per_player_tick: if tick_rate > 0.0 { down / tick_rate } else { 0.0 },
            rows_held: stats.rows_held as f64 / stats.snapshots.max(1) as f64,
            inputs: stats.inputs,
            inputs_unsent: stats.inputs_unsent,
            restarts: stats.restarts,
            resyncs: stats.resyncs,
            view_errors: stats.view_errors,
            digests: stats.digests,
            digest_mismatches: stats.digest_mismatches,
            events_lost: stats.events_lost,
            cut_after_ms: Distribution::ms(&stats.cut_us),
            stuck_ms: Distribution::ms(&stats.stuck_us),
            kernel_bytes_max: stats.kernel_bytes_max,
            closes: stats.closes.clone(),
        }
    }
}

/// A process on this machine, over the window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Process {
    /// Processor time per second of time: 1 is one core.
    pub cores: f64,
    /// The same by threads.
    pub cores_by_thread: BTreeMap<String, f64>,
    /// At the end of the window.
    pub resident_kib: u64,
    /// The most that it ever was until then.
    pub resident_max_kib: u64,
}

impl Process {
    fn new((start, end): &(Usage, Usage), elapsed_us: u64) -> Self {
        let share = |us: u64| us as f64 / elapsed_us.max(1) as f64;
        let by_thread = end
            .cpu_us
            .iter()
            .map(|(name, us)| (name.clone(), share(us.saturating_sub(start.cpu_us.get(name).copied().unwrap_or(0)))));
        Self {
            cores: share(end.total_cpu_us().saturating_sub(start.total_cpu_us())),
            cores_by_thread: by_thread.filter(|(_, share)| *share >= 0.0005).collect(),
            resident_kib: end.resident_kib,
            resident_max_kib: end.resident_max_kib,
        }
    }
}

/// The server, if it runs on this machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Processor time per snapshot that arrived, in microseconds.
    pub cpu_us_per_snapshot: f64,
    /// Processor time per player and tick, in microseconds.
    pub cpu_us_per_player_tick: f64,
    /// Processor time per player and second, in microseconds.
    pub cpu_us_per_player_second: f64,
    /// Memory before the first connection.
    pub resident_before_kib: u64,
    /// What each player added to it.
    pub kib_per_player: f64,
    /// Memory after everybody had left.
    pub resident_after_kib: Option<u64>,
}

/// Everything that a run found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What was asked for.
    pub asked: Asked,
    /// How long was measured.
    pub seconds: f64,
    /// The rooms' ticks per second; 0: nobody got in.
    pub tick_rate: f64,
    /// From one snapshot to the next.
    pub snapshot_period_ms: f64,
    /// Joins before the measurement, per second.
    pub joins_per_second: f64,
    /// Snapshots that arrived, per second.
    pub snapshots_per_second: f64,
    /// The players.
    pub groups: Vec<Group>,
    /// The server, if it runs on this machine.
    pub server: Option<Server>,
    /// This process: near 1 core it measures itself.
    pub generator: Option<Process>,
    /// How late this process came when it was due, asked a thousand times a second: the part of every latency that is the
    /// machine's, or this process's own.
    pub generator_late_ms: Option<Distribution>,
    /// When that was worst.
    pub generator_stalls: GeneratorStalls,
    /// By how much the lateness can be wrong, either way: half of the shortest round trip.
    pub clock_uncertainty_ms: Option<f64>,
}

/// Moments in which this process was more than a quarter of the snapshot period late.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GeneratorStalls {
    /// How many.
    pub count: u64,
    /// Together.
    pub total_ms: f64,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// Sessions.
    pub players: usize,
    /// Rooms; 0: quick join.
    pub rooms: usize,
    /// What the load looks like.
    pub profile: String,
    /// How players play.
    pub inputs: String,
    /// Changes of input per player and second.
    pub input_hz: f64,
    /// How snapshots come.
    pub tier: String,
    /// Of the players' play.
    pub seed: u64,
}

impl Report {
    /// From the counts of a run.
    #[must_use]
    pub fn new(plan: &Plan, measured: &Measured, groups: Vec<(&'static str, Stats)>, after: Option<Usage>) -> Self {
        let seconds = measured.elapsed_us as f64 / 1e6;
        let period_us = measured.times.map_or(0, |times| times.snapshot_period_us());
        let tick_rate = measured.times.map_or(0.0, |times| f64::from(times.tick_rate()));
        let sum = |of: fn(&Stats) -> u64| groups.iter().map(|(_, stats)| of(stats)).sum::<u64>();
        let snapshots = sum(|stats| stats.snapshots);
        let player_seconds = sum(|stats| stats.playing_us) as f64 / 1e6;
        let players = measured.players.iter().map(|(_, playing)| playing).sum::<usize>();
        let server = measured.server.as_ref().map(|usage| {
            let cpu_us = usage.1.total_cpu_us().saturating_sub(usage.0.total_cpu_us()) as f64;
            let before = measured.server_before.as_ref().map_or(0, |usage| usage.resident_kib);
            Server {
                process: Process::new(usage, measured.elapsed_us),
                cpu_us_per_snapshot: cpu_us / (snapshots as f64).max(1.0),
                cpu_us_per_player_tick: cpu_us / (player_seconds * tick_rate).max(1e-6),
                cpu_us_per_player_second: cpu_us / player_seconds.max(1e-6),
                resident_before_kib: before,
                kib_per_player: usage.1.resident_kib.saturating_sub(before) as f64 / players.max(1) as f64,
                resident_after_kib: after.map(|usage| usage.resident_kib),
            }
        });
        let before_window = match groups.iter().find(|(name, _)| *name == "storm") {
            Some((_, storm)) => sum(|stats| stats.joined) - storm.joined,
            None => sum(|stats| stats.joined) - sum(|stats| stats.resumed),
        };
        Self {
            asked: Asked {
                players: plan.players,
                rooms: plan.rooms,
                profile: format!("{:?}", plan.profile),
                inputs: format!("{:?}", plan.inputs),
                input_hz: plan.input_hz,
                tier: match plan.tier {
                    Tier::Full => "full".into(),
                    Tier::Delta => "delta".into(),
                },
                seed: plan.seed,
            },
            seconds,
            tick_rate,
            snapshot_period_ms: period_us as f64 / 1e3,
            joins_per_second: before_window as f64 / (measured.joined_us as f64 / 1e6).max(1e-6),
            snapshots_per_second: snapshots as f64 / seconds.max(1e-6),
            groups: groups
                .iter()
                .zip(&measured.players)
                .filter(|(_, (players, _))| *players > 0)
                .map(|((name, stats), players)| Group::new(name, stats, *players, tick_rate))
                .collect(),
            server,
            generator: measured.generator.as_ref().map(|usage| Process::new(usage, measured.elapsed_us)),
            generator_late_ms: Distribution::ms(measured.stalls.late_us()),
            generator_stalls: GeneratorStalls {
                count: measured.stalls.count(),
                total_ms: measured.stalls.total_us() as f64 / 1e3,
            },
            clock_uncertainty_ms: measured.clock_uncertainty_us.map(|us| us as f64 / 1e3),
        }
    }

    /// What is wrong with the run as a measurement, or beyond a threshold; empty if it stands.
    #[must_use]
    pub fn faults(&self, max_p99_ms: Option<f64>) -> Vec<String> {
        let mut faults = Vec::new();
        let Some(first) = self.groups.first() else { return vec!["there were no players".into()] };
        let Some(lateness) = &first.lateness_ms else { return vec!["nothing was measured: no snapshot came".into()] };
        if let Some(most) = max_p99_ms
            && lateness.p99 > most
        {
            faults.push(format!(
                "p99 lateness of the {} is {:.2} ms, at most {most} is asked for",
                first.name, lateness.p99
            ));
        }
        let mismatches: u64 = self.groups.iter().map(|group| group.digest_mismatches + group.view_errors).sum();
        if mismatches > 0 {
            faults.push(format!("{mismatches} snapshots gave another view than the server's"));
        }
        faults
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked { players, rooms, profile, inputs, input_hz, tier, seed } = &self.asked;
        let rooms = if *rooms == 0 { "quick join".to_owned() } else { format!("{rooms} rooms") };
        writeln!(
            f,
            "{profile}: {players} players, {rooms}, {tier} tier, {inputs} inputs at {input_hz}/s, seed {seed}"
        )?;
        writeln!(
            f,
            "{:.1} s measured, {:.0} ticks/s, a snapshot every {:.2} ms; {:.0} joins/s before, {:.0} snapshots/s",
            self.seconds, self.tick_rate, self.snapshot_period_ms, self.joins_per_second, self.snapshots_per_second
        )?;
        for group in &self.groups {
            writeln!(f)?;
            write!(f, "{group}")?;
        }
        if let Some(server) = &self.server {
            writeln!(f)?;
            write!(f, "{server}")?;
        }
        if let Some(generator) = &self.generator {
            let note = if generator.cores > 0.8 { ": too much, its own queue is in the numbers" } else { "" };
            writeln!(
                f,
                "\nthis generator: {:.2} cores{note}, {:.0} MiB",
                generator.cores,
                generator.resident_kib as f64 / 1024.0
            )?;
        }
        if let Some(late) = &self.generator_late_ms {
            let GeneratorStalls { count, total_ms } = &self.generator_stalls;
            let over = self.snapshot_period_ms / 4.0;
            writeln!(
                f,
                "load generator late: p50 {:.2}, p99 {:.2}, max {:.2} ms; stalls of more than {over:.2} ms: {count}, {total_ms:.2} ms in all",
                late.p50, late.p99, late.max
            )?;
            if *count > 0 {
                writeln!(
                    f,
                    "warning: the load generator stalled for {:.2} ms, more than a quarter of the snapshot period: what came late or \
                     did not come then may be the fault of this machine or of the load generator, not of the server",
                    late.max
                )?;
            }
        }
        if let Some(uncertainty) = self.clock_uncertainty_ms {
            writeln!(f, "lateness is known to {uncertainty:.3} ms")?;
        }
        Ok(())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, players, playing_at_end, .. } = self;
        writeln!(f, "{name}: {players}, {playing_at_end} in a room at the end")?;
        writeln!(f, "  {:<28} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "count", "mean", "p50", "p99", "p99.9", "max")?;
        for (what, distribution) in [
            ("join, ms", &self.join_ms),
            ("first snapshot, ms", &self.first_snapshot_ms),
            ("resume, ms", &self.resume_ms),
            ("lateness, ms", &self.lateness_ms),
            ("  of it told by server, ms", &self.server_lateness_ms),
            ("silence, ms", &self.silence_ms),
            ("input to ack, ms", &self.ack_ms),
            ("input to ack, ticks", &self.ack_ticks),
            ("round trip, ms", &self.rtt_ms),
            ("cut after, ms", &self.cut_after_ms),
            ("  of it stuck, ms", &self.stuck_ms),
        ] {
            if let Some(Distribution { count, mean, p50, p99, p999, max }) = distribution {
                writeln!(f, "  {what:<28} {count:>8} {mean:>9.2} {p50:>9.2} {p99:>9.2} {p999:>9.2} {max:>9.2}")?;
            }
        }
        writeln!(
            f,
            "  snapshots {} ({:.1} per player and second), missing {}, empty {}, ticks skipped {}",
            self.snapshots, self.snapshots_per_player_second, self.missing, self.empty, self.ticks_skipped
        )?;
        if self.late + self.missing > 0 {
            writeln!(
                f,
                "  late by more than a quarter of the snapshot period: {}; while the load generator stalled: {} of them, {} of the \
                 missing",
                self.late, self.late_in_stalls, self.missing_in_stalls
            )?;
        }
        writeln!(
            f,
            "  bytes per player and second: {:.0} down ({:.1} a tick, {:.1} rows held), {:.0} up",
            self.bytes_down_per_player_second,
            self.bytes_down_per_player_tick,
            self.rows_held,
            self.bytes_up_per_player_second
        )?;
        writeln!(
            f,
            "  views: {} digests, {} differ, {} errors, {} resyncs, {} restarts, {} with lost events",
            self.digests, self.digest_mismatches, self.view_errors, self.resyncs, self.restarts, self.events_lost
        )?;
        if let Some(bytes) = self.kernel_bytes_max {
            writeln!(f, "  the server's kernel held at most {bytes} bytes for one of them")?;
        }
        let mut closes = String::new();
        for (label, count) in &self.closes {
            write!(closes, "{}{label} {count}", if closes.is_empty() { "" } else { ", " })?;
        }
        let closes = if closes.is_empty() { "none" } else { &closes };
        writeln!(f, "  inputs {}, unsent {}; sessions ended: {closes}", self.inputs, self.inputs_unsent)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server: {:.3} cores", self.process.cores)?;
        for (at, (name, share)) in self.process.cores_by_thread.iter().enumerate() {
            write!(f, "{}{name} {share:.3}", if at == 0 { " (" } else { ", " })?;
        }
        writeln!(f, "{}", if self.process.cores_by_thread.is_empty() { "" } else { ")" })?;
        writeln!(
            f,
            "  processor time: {:.2} us per snapshot, {:.2} us per player and tick, {:.0} us per player and second",
            self.cpu_us_per_snapshot, self.cpu_us_per_player_tick, self.cpu_us_per_player_second
        )?;
        let mib = |kib: u64| kib as f64 / 1024.0;
        write!(
            f,
            "  memory: {:.1} MiB before, {:.1} MiB in play ({:.1} KiB per player), {:.1} MiB at most",
            mib(self.resident_before_kib),
            mib(self.process.resident_kib),
            self.kib_per_player,
            mib(self.process.resident_max_kib)
        )?;
        match self.resident_after_kib {
            Some(kib) => writeln!(f, ", {:.1} MiB after all had left", mib(kib)),
            None => writeln!(f),
        }
    }
}
