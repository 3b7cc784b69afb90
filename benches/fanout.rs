//! What does the way from the room to the sockets cost, and back? The real server with its actors, beside a floor: one
//! process that does nothing but one nonblocking `write` per socket and snapshot, of as many bytes, and reads as many
//! inputs. In turns in one run, on the same cores; the server's simulation is measured apart and taken off.
//!
//! `cargo bench --bench fanout -- PLAYERS SECONDS ROUNDS` for other sizes than 1,000 players, 5 seconds, 3 rounds.

#[path = "support/crowd.rs"]
mod crowd;
#[path = "fanout/floor.rs"]
mod floor;
#[path = "support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use crowd::Crowd;
use support::{Match, arena_for, quick};
use tickroom::config::RoomConfig;
use tickroom::protocol::message::Tier;
use tickroom::tools::stress::pilot::Inputs;
use tickroom::tools::stress::report::Report;

fn server_round(players: usize, seconds: u64) -> Report {
    let (server_cores, load_cores) = crowd::cores();
    let crowd = Crowd { players, seconds, inputs: Inputs::Random, input_hz: 5.0, server_cores, load_cores };
    let arena = arena_for(players as u32, false);
    let width = arena.width_u.map(|side| format!("game.width_u={side}"));
    let height = arena.height_u.map(|side| format!("game.height_u={side}"));
    crowd.play(env!("CARGO_BIN_EXE_tickroom").into(), width.into_iter().chain(height))
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
    let (server_cores, load_cores) = crowd::cores();

    let (ticking, sending) = room_alone(players, seconds);
    println!("the room alone: {ticking:.2} us per snapshot for ticks, {sending:.2} us for rows, interest and bytes");
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let begin = Instant::now();
        // In a thread, since it stays on the load's core, and the next server must not start there.
        let report = std::thread::scope(|scope| {
            let round = scope.spawn(|| server_round(players, seconds));
            round.join().expect("a server round")
        });
        let (traffic, server) = (crowd::traffic(&report), report.server.as_ref().expect("it is on this machine"));
        let floor = floor::measure(players, seconds, traffic, server_cores, load_cores);
        let without = server.cpu_us_per_snapshot - ticking;
        let ratio = without / floor;
        println!(
            "round {round}: {players} players at {:.1} snapshots/s of {} bytes and {:.1} inputs/s: server {:.2} us per snapshot, \
             without ticks {without:.2}; floor {floor:.2}; ratio {ratio:.2} ({:.0} s)",
            traffic.messages_per_second,
            traffic.bytes,
            traffic.inputs_per_second,
            server.cpu_us_per_snapshot,
            begin.elapsed().as_secs_f64()
        );
        if let Some(lateness) = &report.groups[0].lateness_ms {
            println!("         lateness p50 {:.2} ms, p99 {:.2} ms", lateness.p50, lateness.p99);
        }
        assert!(floor > 0.0 && server.cpu_us_per_snapshot > 0.0, "nothing was measured");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    if quick() {
        println!("Success");
    }
}
