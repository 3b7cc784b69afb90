//! What is typed after `tickroom stress`, and the run that follows from it.

use std::io::{self, Write};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::load::{self, Plan, Profile};
use super::pilot::Inputs;
use super::progress::Progress;
use super::reading::Reading;
use super::report::Report;
use super::spawn::{self, Server, Settings};
use super::ws;
use crate::host::log;
use crate::protocol::message::Tier;

/// Players by the hundred against a server, and what they got.
///
/// Plays any game by the schema that it shows. Everything is due at times of its own, whatever the server does, and
/// latencies count from there. `--spawn` measures this machine with one command.
#[derive(Clone, Debug, Args)]
pub struct StressArgs {
    /// The server's WebSocket
    #[arg(long, default_value = "ws://127.0.0.1:8080/ws", conflicts_with = "spawn")]
    url: String,
    /// Sessions
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    players: u32,
    /// Private rooms to spread them over; 0: wherever quick join puts them [default: one per 32 players; crowd: 1]
    #[arg(long, value_name = "COUNT")]
    rooms: Option<u32>,
    /// How long to measure, after everybody is in
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// What the load looks like
    #[arg(long, value_enum, default_value = "steady")]
    profile: ProfileArg,
    /// How players play
    #[arg(long, value_enum, default_value = "random")]
    inputs: InputsArg,
    /// Changes of input per player and second; a row that stays is sent again every 100 ms
    #[arg(long, value_name = "RATE", default_value_t = 5.0, value_parser = rate)]
    input_hz: f64,
    /// How snapshots come
    #[arg(long, value_enum, default_value = "delta")]
    tier: TierArg,
    /// The same seed gives the same play
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Joins per second before the measurement
    #[arg(long, value_name = "RATE", default_value_t = 200.0, value_parser = rate)]
    join_rate: f64,
    /// Do not tell the server what was seen: it serves such a client for as long as the socket takes bytes
    #[arg(long)]
    no_ack: bool,
    /// Profiles slow-reader and flood: the share of players that do it
    #[arg(long, default_value_t = 0.5, value_parser = share)]
    share: f64,
    /// Profile slow-reader: how they read
    #[arg(long, value_enum, default_value = "mixed")]
    slow: SlowArg,
    /// Profile flood: inputs per second of one that floods
    #[arg(long, value_name = "RATE", default_value_t = 1000.0, value_parser = rate)]
    flood_hz: f64,
    /// Profile reconnect-storm: seconds from one storm to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    storm_every: u64,
    /// Start a server for this run, on a free port of this machine, with seats enough and no bots
    #[arg(long)]
    spawn: bool,
    /// With --spawn: one more setting of that server, as in `--set room.tick_rate=20`; may be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "spawn")]
    set: Vec<String>,
    /// With --spawn: the cores that the server runs on, as in 0 or 0,1
    #[arg(long, value_name = "CORES", value_delimiter = ',', requires = "spawn")]
    server_cores: Vec<usize>,
    /// The cores that this generator runs on
    #[arg(long, value_name = "CORES", value_delimiter = ',')]
    load_cores: Vec<usize>,
    /// The server's process on this machine, to measure what it uses
    #[arg(long, conflicts_with = "spawn")]
    pid: Option<u32>,
    /// Print the numbers as JSON
    #[arg(long)]
    json: bool,
    /// Fail if the p99 lateness of the (healthy) players is above this
    #[arg(long, value_name = "MS")]
    max_p99_ms: Option<f64>,
    /// Load a server that is not on this machine: only if it is yours to break
    #[arg(long)]
    i_own_this_server: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProfileArg {
    /// Everybody joins at a steady rate and plays
    Steady,
    /// The same, all in one room
    Crowd,
    /// A tenth plays, and the others come all at once
    JoinStorm,
    /// Again and again all sockets drop and resume their seats at once
    ReconnectStorm,
    /// A share stops reading, crawls at 2 kB/s, or reads once a second; if the server is on this machine (Linux), what
    /// its kernel held for each of them is measured
    SlowReader,
    /// A share sends far above any limit
    Flood,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum InputsArg {
    /// Keys and aims at random times
    Random,
    /// The same in every run, at exact times: to compare servers
    Script,
    /// Nothing but the neutral row, as a tab that nobody touches
    Idle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TierArg {
    Delta,
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SlowArg {
    /// A third each
    Mixed,
    /// Not at all
    Stop,
    /// 2 kB/s
    Crawl,
    /// Everything, once a second
    Burst,
}

/// Players per room, if nothing else is asked for: what a server's rooms seat by default.
const PLAYERS_PER_ROOM: u32 = 32;

impl StressArgs {
    /// Runs it and prints the report on stdout. True: it was measured, and every threshold holds.
    ///
    /// # Errors
    /// A target that must not or cannot be loaded, a server that does not start, or no sockets from the system.
    pub fn run(self) -> io::Result<bool> {
        let mut plan = self.plan();
        raise_descriptors(plan.players)?;
        let server = if self.spawn { Some(Server::start(&self.settings(&plan))?) } else { None };
        if let Some(server) = &server {
            plan.url.clone_from(&server.url);
            plan.pid = Some(server.pid());
        }
        let (host, address, _) = ws::address(&plan.url).map_err(io::Error::other)?;
        if !address.ip().is_loopback() && !self.i_own_this_server {
            let sentence = format!(
                "{host} is not this machine. A load test breaks servers: say --i-own-this-server if this one is yours to break"
            );
            return Err(io::Error::other(sentence));
        }
        spawn::stay_on(&self.load_cores)?;
        let mut progress = Progress::new(plan.time);
        let report = load::run(&plan, &mut progress);
        progress.end();
        self.tell(&report?)
    }

    fn tell(&self, report: &Report) -> io::Result<bool> {
        if self.json {
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(report)?)?;
        } else {
            write!(io::stdout(), "{report}")?;
        }
        let faults = report.faults(self.max_p99_ms);
        for fault in &faults {
            log::say(&format!("tickroom stress: {fault}"));
        }
        Ok(faults.is_empty())
    }

    fn plan(&self) -> Plan {
        let rooms = match (self.profile, self.rooms) {
            (ProfileArg::Crowd, _) => 1,
            (_, Some(rooms)) => rooms.min(self.players),
            (_, None) => self.players.div_ceil(PLAYERS_PER_ROOM),
        };
        Plan {
            url: self.url.clone(),
            players: self.players as usize,
            rooms: rooms as usize,
            time: Duration::from_secs(self.seconds),
            profile: match self.profile {
                ProfileArg::Steady => Profile::Steady,
                ProfileArg::Crowd => Profile::Crowd,
                ProfileArg::JoinStorm => Profile::JoinStorm,
                ProfileArg::ReconnectStorm => Profile::ReconnectStorm,
                ProfileArg::SlowReader => Profile::SlowReader,
                ProfileArg::Flood => Profile::Flood,
            },
            inputs: match self.inputs {
                InputsArg::Random => Inputs::Random,
                InputsArg::Script => Inputs::Script,
                InputsArg::Idle => Inputs::Idle,
            },
            input_hz: self.input_hz,
            tier: match self.tier {
                TierArg::Delta => Tier::Delta,
                TierArg::Full => Tier::Full,
            },
            seed: self.seed,
            join_rate: self.join_rate,
            acks: !self.no_ack,
            share: self.share,
            slow: match self.slow {
                SlowArg::Mixed => None,
                SlowArg::Stop => Some(Reading::Stopped),
                SlowArg::Crawl => Some(Reading::Crawling),
                SlowArg::Burst => Some(Reading::Bursting),
            },
            flood_hz: self.flood_hz,
            storm_every: Duration::from_secs(self.storm_every),
            pid: self.pid,
        }
    }

    /// A server that this plan fits into.
    fn settings(&self, plan: &Plan) -> Settings {
        let seats = if plan.rooms == 0 { PLAYERS_PER_ROOM as usize } else { plan.players.div_ceil(plan.rooms) };
        let mut set = vec![
            format!("room.seats_max={seats}"),
            "room.fill_to=0".to_owned(),
            // Rooms end when all have left, so that the memory after that is the server's own.
            "room.idle_ms=500".to_owned(),
            // Twice: a storm's old sessions may still be ending while the new ones come.
            format!("server.sessions_max={}", plan.players * 2 + 64),
            format!("server.rooms_max={}", plan.rooms.max(plan.players.div_ceil(seats)) + 16),
        ];
        let rate = (self.input_hz * 2.0) as u64 + 60;
        set.push(format!("server.messages_per_second={}", rate.max(120)));
        set.extend(self.set.iter().cloned());
        Settings { program: None, set, cores: self.server_cores.clone() }
    }
}

/// Two descriptors per session at the server, one here, and a few for everything else.
fn raise_descriptors(players: usize) -> io::Result<()> {
    let needed = players as u64 * 2 + 256;
    let have = rlimit::increase_nofile_limit(needed)?;
    if have < players as u64 + 64 {
        return Err(io::Error::other(format!(
            "this system lets a process have {have} descriptors: too few for {players} players. Raise it with `ulimit -n`"
        )));
    }
    Ok(())
}

fn rate(typed: &str) -> Result<f64, String> {
    match typed.parse::<f64>() {
        Ok(rate) if (0.01..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("a rate lies between 0.01 and 100000 a second".into()),
    }
}

fn share(typed: &str) -> Result<f64, String> {
    match typed.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share lies between 0 and 1".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        stress: StressArgs,
    }

    fn typed(line: &str) -> Result<StressArgs, String> {
        Typed::try_parse_from(line.split(' ')).map(|typed| typed.stress).map_err(|error| error.to_string())
    }

    #[test]
    fn rooms_follow_from_the_players_unless_they_are_typed() {
        let rooms = |line: &str| typed(line).expect(line).plan().rooms;
        assert_eq!(rooms("stress --players 100"), 4);
        assert_eq!(rooms("stress --players 100 --profile crowd"), 1);
        assert_eq!(rooms("stress --players 100 --rooms 0"), 0);
        assert_eq!(rooms("stress --players 5 --rooms 50"), 5);
    }

    #[test]
    fn a_server_of_ones_own_has_seats_enough_and_takes_more_settings() {
        let args = typed("stress --spawn --players 1000 --profile crowd --set room.tick_rate=20").expect("good flags");
        let settings = args.settings(&args.plan());
        assert!(settings.set.contains(&"room.seats_max=1000".to_owned()), "{:?}", settings.set);
        assert_eq!(settings.set.last().map(String::as_str), Some("room.tick_rate=20"), "the last one counts");
    }

    #[test]
    fn another_machine_is_refused_unless_it_is_owned() {
        let refused = typed("stress --url ws://192.0.2.1:9/ws --players 1").expect("good flags").run();
        assert!(refused.expect_err("refused").to_string().contains("--i-own-this-server"));
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_sentence() {
        for (line, says) in [
            ("stress --players 0", "1..=20000"),
            ("stress --input-hz 0", "between 0.01"),
            ("stress --share 2", "between 0 and 1"),
            ("stress --set a=b", "--spawn"),
            ("stress --spawn --pid 5", "cannot be used"),
        ] {
            let refused = typed(line).expect_err(line);
            assert!(refused.contains(says), "{line}: {refused}");
        }
    }
}
