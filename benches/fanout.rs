//! What does the way from the room to the sockets cost, and back? The real server with its actors, beside a floor: one
//! process that does nothing but one nonblocking `write` per socket and snapshot, of as many bytes, and reads as many
//! inputs. In turns in one run, on the same cores; the server's simulation is measured apart and taken off.
//!
//! `cargo bench --bench fanout -- PLAYERS SECONDS ROUNDS` for other sizes than 1,000 players, 5 seconds, 3 rounds.

#[path = "fanout/floor.rs"]
mod floor;
#[path = "support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use floor::Traffic;
use support::{Match, arena_for, quick};
use tickroom::config::RoomConfig;
use tickroom::protocol::message::Tier;
use tickroom::tools::stress::load::{self, Plan, Profile};
use tickroom::tools::stress::pilot::Inputs;
use tickroom::tools::stress::progress::Progress;
use tickroom::tools::stress::report::Report;
use tickroom::tools::stress::spawn::{self, Server, Settings};

/// Processor time for each of these, in microseconds.
#[derive(Clone, Copy, Default)]
struct Cost {
    per_snapshot: f64,
    traffic: Traffic,
}

fn server_round(players: usize, seconds: u64, cores: &[usize], load_cores: &[usize]) -> (Cost, Report) {
    let arena = arena_for(players as u32, false);
    let mut set = vec![
        format!("room.seats_max={players}"),
        "room.fill_to=0".to_owned(),
        format!("server.sessions_max={}", players * 2),
        // One worker and one room thread: what they cost, not how they share cores.
        "server.workers=1".to_owned(),
        "server.arbiters=1".to_owned(),
    ];
    set.extend(arena.width_u.map(|side| format!("game.width_u={side}")));
    set.extend(arena.height_u.map(|side| format!("game.height_u={side}")));
    let program = Some(env!("CARGO_BIN_EXE_tickroom").into());
    let server = Server::start(&Settings { program, set, cores: cores.to_vec() }).expect("the server starts");
    spawn::stay_on(load_cores).expect("the core is there");
    let plan = Plan {
        url: server.url.clone(),
        players,
        rooms: 1,
        time: Duration::from_secs(seconds),
        profile: Profile::Crowd,
        inputs: Inputs::Random,
        input_hz: 5.0,
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
    let measured = report.server.as_ref().expect("the server is on this machine");
    let snapshots = group.snapshots as f64;
    let player_seconds = snapshots / group.snapshots_per_player_second;
    let cost = Cost {
        per_snapshot: measured.cpu_us_per_snapshot,
        traffic: Traffic {
            messages_per_second: group.snapshots_per_player_second,
            bytes: (group.bytes_down_per_player_second / group.snapshots_per_player_second) as usize,
            inputs_per_second: group.inputs as f64 / player_seconds,
            input_bytes: (group.bytes_up_per_player_second * player_seconds / group.inputs.max(1) as f64) as usize,
        },
    };
    (cost, report)
}

/// What the room alone costs per snapshot: ticks (inputs, step) and snapshots (rows, interest, encoding).
fn room_alone(players: usize, seconds: u64) -> (f64, f64) {
    let options = arena_for(players as u32, false);
    let mut game = Match::new(players as u16, 0, &options, RoomConfig::default(), Tier::Delta);
    game.run(120);
    game.begin();
    game.run(60 * seconds as u32);
    let per = |time: Duration| time.as_secs_f64() * 1e6 / game.sink.messages.max(1) as f64;
    (per(game.ticking), per(game.sending))
}

fn main() {
    if floor::is_asked_for() {
        return floor::serve();
    }
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (players, seconds, rounds) = match (quick(), numbers.as_slice()) {
        (true, _) => (8, 1, 1),
        (false, [players, seconds, rounds]) => (*players, *seconds as u64, *rounds),
        (false, _) => (1000, 5, 3),
    };
    rlimit::increase_nofile_limit(players as u64 * 4 + 256).expect("descriptors for every player");
    // The server on the first core and the load on the second, where there are two to choose from.
    let two = std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= 2) && cfg!(target_os = "linux");
    let (server_cores, load_cores): (&[usize], &[usize]) = if two { (&[0], &[1]) } else { (&[], &[]) };

    let (ticking, sending) = room_alone(players, seconds);
    println!("the room alone: {ticking:.2} us per snapshot for ticks, {sending:.2} us for rows, interest and bytes");
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let begin = Instant::now();
        // In a thread, since it stays on the load's core, and the next server must not start there.
        let (cost, report) = std::thread::scope(|scope| {
            let round = scope.spawn(|| server_round(players, seconds, server_cores, load_cores));
            round.join().expect("a server round")
        });
        let floor = floor::measure(players, seconds, cost.traffic, server_cores, load_cores);
        let without = cost.per_snapshot - ticking;
        let ratio = without / floor;
        println!(
            "round {round}: {players} players at {:.1} snapshots/s of {} bytes and {:.1} inputs/s: server {:.2} us per snapshot, \
             without ticks {without:.2}; floor {floor:.2}; ratio {ratio:.2} ({:.0} s)",
            cost.traffic.messages_per_second,
            cost.traffic.bytes,
            cost.traffic.inputs_per_second,
            cost.per_snapshot,
            begin.elapsed().as_secs_f64()
        );
        if let Some(lateness) = &report.groups[0].lateness_ms {
            println!("         lateness p50 {:.2} ms, p99 {:.2} ms", lateness.p50, lateness.p99);
        }
        assert!(floor > 0.0 && cost.per_snapshot > 0.0, "nothing was measured");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    if quick() {
        println!("Success");
    }
}
