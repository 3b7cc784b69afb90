//! What `rival` and `fanout` share: one room full of players on a real server, which runs in a process of its own.

use std::path::PathBuf;
use std::time::Duration;

use tickroom::protocol::message::Tier;
use tickroom::tools::stress::load::{self, Plan, Profile};
use tickroom::tools::stress::pilot::Inputs;
use tickroom::tools::stress::progress::Progress;
use tickroom::tools::stress::report::Report;
use tickroom::tools::stress::spawn::{self, Server, Settings};

use super::floor::Traffic;

/// Who plays how, for how long, and where.
pub(crate) struct Crowd {
    pub(crate) players: usize,
    pub(crate) seconds: u64,
    pub(crate) inputs: Inputs,
    pub(crate) input_hz: f64,
    pub(crate) server_cores: &'static [usize],
    pub(crate) load_cores: &'static [usize],
}

/// The server on the first core and the load on the second, where there are two to choose from.
pub(crate) fn cores() -> (&'static [usize], &'static [usize]) {
    let two = std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= 2) && cfg!(target_os = "linux");
    if two { (&[0], &[1]) } else { (&[], &[]) }
}

impl Crowd {
    /// Plays on a server of its own, a program that takes the words of `tickroom serve`. Everybody was in to the end, and
    /// every view was the server's. This thread stays on the load's cores.
    pub(crate) fn play(&self, program: PathBuf, more: impl IntoIterator<Item = String>) -> Report {
        let Self { players, seconds, inputs, input_hz, server_cores, load_cores } = *self;
        let mut set = vec![
            format!("room.seats_max={players}"),
            "room.fill_to=0".to_owned(),
            format!("server.sessions_max={}", players * 2),
            // One worker and one room thread: what they cost, not how they share cores.
            "server.workers=1".to_owned(),
            "server.arbiters=1".to_owned(),
        ];
        set.extend(more);
        let settings = Settings { program: Some(program), set, cores: server_cores.to_vec() };
        let server = Server::start(&settings).expect("the server starts");
        spawn::stay_on(load_cores).expect("the core is there");
        let plan = Plan {
            url: server.url.clone(),
            players,
            rooms: 1,
            time: Duration::from_secs(seconds),
            profile: Profile::Crowd,
            inputs,
            input_hz,
            tier: Tier::Delta,
            seed: 1,
            join_rate: 500.0,
            acks: true,
            share: 0.0,
            slow: None,
            flood_hz: 1.0,
            storm_every: Duration::from_secs(1),
            pid: Some(server.pid()),
        };
        let report = load::run(&plan, &mut Progress::quiet()).expect("the load runs");
        let group = &report.groups[0];
        assert_eq!(group.playing_at_end, players, "not everybody played: {report}");
        assert_eq!(group.digest_mismatches + group.view_errors, 0, "{report}");
        report
    }
}

/// What a floor must carry to be compared with it.
pub(crate) fn traffic(report: &Report) -> Traffic {
    let group = &report.groups[0];
    let player_seconds = group.snapshots as f64 / group.snapshots_per_player_second;
    Traffic {
        messages_per_second: group.snapshots_per_player_second,
        bytes: (group.bytes_down_per_player_second / group.snapshots_per_player_second) as usize,
        inputs_per_second: group.inputs as f64 / player_seconds,
        input_bytes: (group.bytes_up_per_player_second * player_seconds / group.inputs.max(1) as f64) as usize,
    }
}
